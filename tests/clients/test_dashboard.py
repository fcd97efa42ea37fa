"""The example dashboard of docs/examples is built as its README says and does its walk on a live server, twice."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.conftest import ROOT, LiveServer
from tests.npm import run, workplace

DASHBOARD = ROOT / "docs" / "examples" / "dashboard"
CLIENTS = ("apollo", "urql")


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built in a folder where there is nothing else but the schema."""
    folder = workplace(DASHBOARD, tmp_path_factory.mktemp("example"))
    built = run(folder, "npm", "run", "build", CERTGATE_SDL=str(ROOT / "schema" / "schema.graphql"))
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Sent(NamedTuple):
    """One request as it left a client."""

    method: str
    query: dict[str, list[str]]
    body: bytes
    accept: str
    idempotency_key: str


@contextmanager
def overheard(server: LiveServer) -> Iterator[tuple[str, list[Sent]]]:
    """An address that passes everything on to the server, and what went through it."""
    requests: list[Sent] = []
    upstream = httpx2.Client(base_url=server.url, trust_env=False)

    class Passing(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
            }
            asked = parse_qs(urlsplit(self.path).query)
            accept, key = headers.get("accept", ""), headers.get("idempotency-key", "")
            requests.append(Sent(self.command, asked, body, accept, key))
            answer = upstream.request(self.command, self.path, content=body, headers=headers)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = pass_on  # noqa: N815 (the names are the base class's)

        def log_message(self, *args: Any) -> None:
            pass

    with upstream, ThreadingHTTPServer(("127.0.0.1", 0), Passing) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}", requests
        finally:
            proxy.shutdown()
            thread.join()


def walk(folder: Path, client: str, url: str, key: str, *arguments: str) -> list[str]:
    """What the dashboard prints."""
    walked = run(folder, "npm", "run", "--silent", client, "--", *arguments, CERTGATE_URL=url, CERTGATE_KEY=key)
    assert walked.returncode == 0, walked.stdout + walked.stderr
    assert walked.stderr == ""
    return walked.stdout.splitlines()


@pytest.mark.parametrize("client", CLIENTS)
def test_the_walk(dashboard: Path, server: LiveServer, client: str) -> None:
    lines = walk(dashboard, client, server.url, server.api_key)
    paged = lines.index("And the next page:")
    assert paged == 5
    products = lines[1:paged] + lines[paged + 1 : lines.index('Assigning "Vegan":')]
    gtins = [line.split()[0] for line in products]
    assert len(set(gtins)) == len(gtins) > paged - 1
    assert "  03760091726193 Chocolate extra negro | Certified by Ecocert" in products[1]

    # The list shows the claim before it is stored and when it is, in no more than the request that stores it.
    assigning = lines.index('Assigning "Vegan":')
    before, saving, said, after, requests, again, bad_link, removed, last = (products[0], *lines[assigning + 1 :])
    assert saving == f"{before}, Vegan (saving)"
    assert said == '  "Vegan" is on it'
    assert after == f"{before}, Vegan"
    assert requests == "  requests for all this: 1"
    assert again == (
        f"Once more: refused: Conflict: The product {gtins[0]} already carries the claim VEGAN;"
        " change that assignment instead. (do not repeat it)"
    )
    assert bad_link.startswith("With a bad link: refused: input.evidenceUrl: Input should be an http or https URL")
    assert removed == "Removing it: it is off again"
    assert last == before


@pytest.mark.parametrize("client", CLIENTS)
def test_what_was_shown_too_early_is_taken_back(dashboard: Path, server: LiveServer, client: str) -> None:
    with httpx2.Client(base_url=server.url, trust_env=False, headers={"X-API-Key": server.api_key}) as manager:
        (organization,) = manager.get("/account/api/v1/whoami").json()["organizations"]
        keys = f"/account/api/v1/organizations/{organization['id']}/api-keys"
        key = manager.post(keys, json={"name": "reader", "role": "readonly"}).json()["key"]
    lines = walk(dashboard, client, server.url, key)
    before, saving, refused, last = (lines[1], *lines[lines.index('Assigning "Vegan":') + 1 :])
    assert saving == f"{before}, Vegan (saving)"
    assert refused.startswith("  refused: Forbidden: ")
    assert last == before


def test_habits_of_apollo_client(dashboard: Path, server: LiveServer) -> None:
    with overheard(server) as (url, requests):
        walk(dashboard, "apollo", url, server.api_key)
    assert {request.method for request in requests} == {"POST"}
    # Since version 4 it asks for the new media type first.
    assert {request.accept.split(",")[0].split(";")[0] for request in requests} == {"application/graphql-response+json"}
    check_keys(requests)


def test_habits_of_urql(dashboard: Path, server: LiveServer) -> None:
    with overheard(server) as (url, requests):
        walk(dashboard, "urql", url, server.api_key)
    assert [request.method for request in requests] == ["GET", "GET", "GET", "POST", "POST", "POST", "POST"]
    assert {request.accept.split(",")[0] for request in requests} == {"application/graphql-response+json"}
    assert requests[0].query["operationName"] == ["SearchProducts"]
    check_keys(requests)


def check_keys(requests: list[Sent]) -> None:
    """Every write has a key of its own and no query has any."""
    keys = [request.idempotency_key for request in requests if request.body.find(b"mutation") >= 0]
    assert len(set(keys)) == len(keys) == 4
    assert [request.idempotency_key for request in requests if request.idempotency_key] == keys
