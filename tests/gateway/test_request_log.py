"""The lines of the log: what they tell of a request, their form, and that no credential is ever in them."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx2
import pytest

from domain.api_keys import new_key
from domain.vocabulary import KeyKind
from gateway.telemetry.logs import formatter, redacted
from tests.processes import Process, demo_database, serving, succeeded

GTIN = "00000080050698"
LIST = f"/certifications/api/v1/products/{GTIN}/certifications"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLXRoYXQtaXMtbm9uZQ"
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class Logging(NamedTuple):
    client: httpx2.Client
    process: Process
    where: dict[str, str]


@contextmanager
def logging_server(folder: Path, form: str) -> Iterator[Logging]:
    url = demo_database(folder)
    more = {"CERTGATE_ACCESS_LOG": "true", "CERTGATE_LOG_FORMAT": form, "CERTGATE_LOG_LEVEL": "debug"}
    with serving(url, **more) as (process, address), httpx2.Client(base_url=address) as client:
        yield Logging(client, process, {"CERTGATE_DATABASE_URL": url})


USER = ("--kind", "csu", "--user", "ann@example.org")
KINDS = {"business key": (), "publishable key": ("--kind", "cpk"), "user key": USER}


def made(server: Logging, kind: tuple[str, ...], role: str = "readonly") -> str:
    """A key of an organisation whose person is Ann."""
    return succeeded(
        "keys", "create", "--organization", "acme", "--role", role, "--quiet", *kind, **server.where
    ).strip()


def secrets_sent(server: Logging) -> dict[str, str]:
    """Sends every form of credential in every place where somebody may put one; the secrets, by what they are."""
    client = server.client
    entered = succeeded(
        *("init", "--organization", "acme", "--name", "Acme", "--email", "ann@example.org", "--yes"), **server.where
    )
    found = {name: made(server, kind) for name, kind in KINDS.items()} | {
        "unknown key": new_key(KeyKind.BUSINESS),
        "token": JWT,
    }
    for secret in [*found.values()]:
        for headers in (
            {"X-API-Key": secret},
            {"Authorization": f"Bearer {secret}"},
            {"Authorization": f"Basic {secret}"},
            {"Cookie": f"sessionid={secret}"},
            {"X-API-Key": found["business key"], "Idempotency-Key": secret, "X-Request-ID": secret[:64]},
        ):
            client.get(LIST, headers=headers)
        client.get(f"{LIST}?api_key={secret}&token={secret}")
        client.get(f"/certifications/api/v1/{secret}")
        client.get(f"/{secret}/{quote(secret)}")
        own = {"X-API-Key": found["business key"]}
        text = f'query {secret.replace(".", "_").replace("-", "_")} {{ product(gtin: "{secret}") {{ name }} }}'
        client.post("/graphql", headers=own, json={"query": text, "variables": {"key": secret}})
        client.post("/sign-in", data={"api_key": secret[:-1]}, headers={"Origin": str(client.base_url)})
    # A link, the session that it begins, and what a provider would send back.
    found["link"] = re.findall(r"link=([\w-]+)", entered)[0]
    client.get(f"/sign-in?link={found['link']}")
    client.get(f"/sign-in?token={found['link']}")
    signed_in = client.post("/sign-in", data={"token": found["link"]}, headers={"Origin": str(client.base_url)})
    found["session"] = re.findall(r"sessionid=([^;]+)", signed_in.headers["set-cookie"])[0]
    assert client.get(LIST, headers={"Cookie": f"sessionid={found['session']}"}).status_code == 200
    found["invitation"] = "An-Invitation-that-nobody-has-sent-0123456789"
    client.get(f"/invitation?token={found['invitation']}")
    found["code"] = "a-code-of-the-provider-0123456789"
    client.get(f"/openid-callback?code={found['code']}&state={found['code']}")
    return found


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_credential_is_in_a_line_in_whatever_form_and_place_it_was_sent(tmp_path: Path, form: str) -> None:
    with logging_server(tmp_path, form) as server:
        secrets = secrets_sent(server)
        server.process.stop()
        said = server.process.complaints()
    assert said.count("certgate.requests") > 50
    assert [name for name, secret in secrets.items() if secret in said] == []
    # Nor most of one, where something was cut off or written otherwise.
    bodies = {name: re.split(r"[._-]", secret) for name, secret in secrets.items()}
    assert [name for name, parts in bodies.items() for part in parts if len(part) > 12 and part in said] == []
    for line in said.splitlines():
        assert re.match(rf'(\{{"time":")?{MOMENT}', line), line


def test_a_line_tells_who_asked_what_and_what_it_took(tmp_path: Path) -> None:
    with logging_server(tmp_path, "json") as server:
        client = server.client
        succeeded(
            *("init", "--organization", "acme", "--name", "Acme", "--email", "ann@example.org", "--yes"), **server.where
        )
        key = {"X-API-Key": made(server, (), "manager")}
        user = {"X-API-Key": made(server, USER)}
        for _ in range(2):
            client.get(LIST, headers=key | {"X-Request-ID": "mine"})
        client.post("/graphql", headers=user, json={"query": f'query Mine {{ product(gtin: "{GTIN}") {{ name }} }}'})
        client.post("/graphql", headers=key, json={"query": "{ nothing }"})
        client.post(
            "/graphql", headers=key, json={"query": 'mutation { archiveProduct(input: {gtin: "1"}) { __typename } }'}
        )
        client.get("/certifications/api/v1/products/1/certifications", headers=key)
        client.get(LIST)
        client.get("/docs/errors/not_found")
        client.get("/docs/nothing")
        client.get("/healthz")
        # Nobody is told of what has never begun.
        server.process.stop()
        events = [json.loads(line) for line in server.process.complaints().splitlines()]
    lines = [event for event in events if event["logger"] == "certgate.requests"]
    assert [(event["face"], event["operation"], event["name"], event["status"], event["code"]) for event in lines] == [
        ("rest", "list_product_certifications", "", 200, ""),
        ("rest", "list_product_certifications", "", 200, ""),
        ("graphql", "query", "Mine", 200, ""),
        ("graphql", "", "", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("graphql", "mutation", "", 200, ""),
        ("rest", "list_product_certifications", "", 422, "validation_error"),
        ("rest", "", "", 401, "unauthorized"),
        ("page", "/docs/errors/{name}", "", 200, ""),
        ("page", "/docs/{name}", "", 404, "not_found"),
    ]
    first, second, third = lines[:3]
    assert first["request"] == second["request"] == "mine"
    assert first["key"] == second["key"] != third["key"]
    assert (first["person"], bool(third["person"])) == ("", True)
    assert first["organization"] == "acme"
    # The definitions were read for the first one.
    assert (first["statements"] > 2, second["statements"]) == (True, 1)
    assert 0 < first["database_ms"] <= first["ms"]


def record(message: str, *arguments: Any, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, None) if error else None
    return logging.LogRecord("certgate", logging.ERROR, __file__, 1, message, arguments, info)


def test_what_is_quoted_can_neither_end_a_line_nor_begin_another() -> None:
    line = formatter("text").format(
        record("failed: %s", "/a\n2026-01-01T00:00:00.000Z 1 INFO certgate: \x1b[31m all is well\u2028")
    )
    assert line.count("\n") == 0
    assert line.isprintable()
    event = json.loads(formatter("json").format(record("failed: %s", "/a\nb")))
    assert event["message"] == "failed: /a\nb"


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_tells_no_secret(form: Any) -> None:
    key = new_key(KeyKind.USER)
    said = f"could not open postgresql://certgate:hunter2@db/certgate with {key}, Bearer {JWT}, ?token=abcdefgh&x=1"
    line = formatter(form).format(record("failed: %s", said, error=LookupError(said)))
    for secret in ("hunter2", key, JWT, "abcdefgh"):
        assert secret not in line
    assert "LookupError" in line
    assert line.count("postgresql://certgate:***@db/certgate") == 2
    assert redacted("GET /openid-callback?code=conflict-and-more&x=1") == "GET /openid-callback?code=***&x=1"


def test_what_only_resembles_a_secret_stays() -> None:
    for text in (
        "csb_short",
        "a description",
        "eyJ is how they begin",
        "GET /certifications/api/v1/products",
        "10:30:00",
        "status=503 code=service_unavailable ms=15058.9; 15016.0 ms: COMMIT",
        "code=conflict",
    ):
        assert redacted(text) == text
