"""Every refusal of the server is a problem document (RFC 9457, contract 1.8), and leaves the data as it was."""

import json
import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

import db.assignments
import db.engine.group_commit
import db.engine.postgresql
from db.engine.opening import open_database
from db.sql import tables
from domain.gtin import Gtin
from domain.problem import KINDS
from domain.vocabulary import Role
from resolvers.keys import create_key, revoke_key
from tests.world import GTIN, NOTHING, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World

PREFIX = "/certifications/api/v1"
CLAIMS = f"{PREFIX}/products/{GTIN}/claims"
CERTIFICATIONS = f"{PREFIX}/products/{GTIN}/certifications"
PATCH = f"{CERTIFICATIONS}/{USDA_ORGANIC}"
REQUIRED = {"type", "title", "status", "detail", "error_code", "retryable", "timestamp"}
JSON = {"Content-Type": "application/json"}

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the request never reaches the database, or the database does not matter, one is enough."""


def is_problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal, after its shape was looked at."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document.keys() >= REQUIRED
    assert document.keys() <= REQUIRED | {"retry_after", "retry_after_seconds", "details"}
    assert document["status"] == status
    assert document["error_code"] == code
    assert document["type"] == f"https://closient.com/docs/errors/{code}"
    assert (document["title"], document["retryable"]) == (KINDS[code].title, KINDS[code].retryable)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", document["timestamp"])
    assert document["detail"].endswith(".")
    assert len(document["detail"]) < 500
    for entry in document.get("details", ()):
        assert entry.keys() == {"loc", "msg", "type"}
        assert entry["loc"][0] in ("body", "path", "query", "header")
        assert entry["msg"]
        assert re.fullmatch("[a-z_]+", entry["type"])
    assert response.headers["link"] == f'</docs/errors/{document["error_code"]}>; rel="help"'
    # Every answer carries these, refusals too.
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])
    assert response.headers["x-content-type-options"] == "nosniff"
    assert int(response.headers["content-length"]) == len(response.content)
    return document


@pytest.fixture
async def signed(world: World) -> AsyncIterator[World]:
    """The world seen with a key that may write; afterwards nothing has changed and the server still works."""
    world.client.headers["X-API-Key"] = world.keys["manager"]
    watched = (tables.products, tables.certification_assignments, tables.claim_assignments)
    before = [await world.rows(table) for table in watched]
    yield world
    assert [await world.rows(table) for table in watched] == before
    working = await world.client.get(CERTIFICATIONS)
    assert working.status_code == 200


# --- Paths and methods ---


@on_sqlite
@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        f"{PREFIX}/nowhere",
        f"{PREFIX}/",
        PREFIX,
        f"{CLAIMS}//x/y",
        "/certifications/api/v2/claims/x",
        "/%00",
        "/%ff",
        "//",
        "/certifications/../etc/passwd",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_path_is_not_found(signed: World, path: str, method: str) -> None:
    is_problem(await signed.client.request(method, f"http://certgate.test{path}"), 404, "not_found")


@on_sqlite
@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (f"{PREFIX}/certification-bodies/{NOTHING}", {"GET", "HEAD"}),
        (f"{PREFIX}/certifications/{NOTHING}", {"GET", "HEAD"}),
        (f"{PREFIX}/claims/{NOTHING}", {"GET", "HEAD"}),
        (CERTIFICATIONS, {"GET", "HEAD"}),
        (CLAIMS, {"GET", "HEAD", "POST"}),
        (PATCH, {"PATCH"}),
        ("/graphql", {"GET", "HEAD", "POST"}),
    ],
)
async def test_a_wrong_method_is_told_every_right_one(signed: World, path: str, methods: set[str]) -> None:
    for method in ("TRACE", "PUT", "PROPFIND"):
        response = await signed.client.request(method, path)
        is_problem(response, 405, "method_not_allowed")
        allowed = set(re.split(", *", response.headers["allow"]))
        # Endpoints may be added to a path; what it has is listed.
        assert methods <= allowed
        assert method not in allowed


@on_sqlite
@pytest.mark.parametrize(
    "path",
    [CERTIFICATIONS, CLAIMS, f"{PREFIX}/certifications/{USDA_ORGANIC}", f"{PREFIX}/claims/{VEGAN}"],
)
async def test_head_has_the_headers_of_get(signed: World, path: str) -> None:
    get = await signed.client.get(path)
    head = await signed.client.head(path)
    assert head.status_code == get.status_code == 200

    def lasting(response: httpx2.Response) -> dict[str, str]:
        # Ids are each answer's own, and rate limits count both.
        return {
            name: value
            for name, value in response.headers.items()
            if name != "x-request-id" and "ratelimit" not in name
        }

    assert lasting(head) == lasting(get)


# --- Who asks ---


@on_sqlite
@pytest.mark.parametrize("path", [CERTIFICATIONS, CLAIMS, f"{PREFIX}/nowhere", "/graphql"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "key"},
        {"X-API-Key": "csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_1a2b3c4d"},
        {"X-API-Key": "csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_84041098"},
        {"Cookie": "sessionid=unknown"},
        {"Cookie": "sessionid="},
        {"Cookie": "sessionid"},
        {"Cookie": 'sessionid="\\777"; ;;=,'},
    ],
    ids=str,
)
async def test_without_a_good_credential(world: World, path: str, headers: dict[str, str]) -> None:
    response = await world.client.get(path, headers=headers)
    is_problem(response, 401, "unauthorized")
    assert "X-API-Key" in response.headers["www-authenticate"]
    assert "84041098" not in response.text


@on_sqlite
async def test_a_key_in_bytes_that_are_no_text(world: World) -> None:
    response = await world.client.get(CLAIMS, headers=[(b"x-api-key", b"csb_\xff\xfe_\xe9")])
    is_problem(response, 401, "unauthorized")


async def test_a_revoked_key(world: World) -> None:
    headers = {"X-API-Key": world.keys["editor"]}
    assert (await world.client.get(CLAIMS, headers=headers)).status_code == 200
    await revoke_key(world.database, world.key_ids["editor"])
    response = await world.client.get(CLAIMS, headers=headers)
    is_problem(response, 401, "unauthorized")


async def test_an_expired_key(world: World) -> None:
    key = await create_key(
        world.database,
        "brand",
        Role.MANAGER,
        life=timedelta(hours=1),
        now=datetime.now(UTC) - timedelta(hours=2),
    )
    response = await world.client.get(CLAIMS, headers={"X-API-Key": key.secret})
    document = is_problem(response, 401, "unauthorized")
    assert "expired" in document["detail"]


@pytest.mark.parametrize("key", ["readonly", "publishable", "rival"])
async def test_a_credential_that_may_not(signed: World, key: str) -> None:
    headers = {"X-API-Key": signed.keys[key]}
    is_problem(await signed.client.post(CLAIMS, json={"claim_id": VEGAN}, headers=headers), 403, "forbidden")
    is_problem(await signed.client.patch(PATCH, json={"scope": "x"}, headers=headers), 403, "forbidden")


# --- What is asked ---


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"{PREFIX}/products/40063813339314/claims", None),
        ("GET", f"{PREFIX}/products/40063813339314/certifications", None),
        ("GET", f"{PREFIX}/claims/{NOTHING}", None),
        ("GET", f"{PREFIX}/certifications/{NOTHING}", None),
        ("GET", f"{PREFIX}/certification-bodies/{NOTHING}", None),
        ("POST", f"{PREFIX}/products/40063813339314/claims", {"claim_id": VEGAN}),
        ("POST", CLAIMS, {"claim_id": NOTHING}),
        ("PATCH", f"{CERTIFICATIONS}/{NOTHING}", {}),
        ("PATCH", f"{PREFIX}/products/40063813339314/certifications/{USDA_ORGANIC}", {}),
    ],
)
async def test_what_is_not_there(signed: World, method: str, path: str, body: Any) -> None:
    response = await signed.client.request(method, path, **({} if body is None else {"json": body}))
    is_problem(response, 404, "not_found")


async def test_a_conflict(world: World) -> None:
    headers = {"X-API-Key": world.keys["manager"]}
    assert (await world.client.post(CLAIMS, json={"claim_id": VEGAN}, headers=headers)).status_code == 201
    before = await world.rows(tables.claim_assignments)
    response = await world.client.post(CLAIMS, json={"claim_id": VEGAN, "source": None}, headers=headers)
    is_problem(response, 422, "validation_error")
    response = await world.client.post(CLAIMS, json={"claim_id": VEGAN}, headers=headers)
    is_problem(response, 409, "conflict")
    assert await world.rows(tables.claim_assignments) == before


@on_sqlite
@pytest.mark.parametrize(
    ("method", "path", "body", "wanted"),
    [
        ("POST", CLAIMS, {}, [["body", "claim_id"]]),
        ("POST", CLAIMS, {"claim_id": None}, [["body", "claim_id"]]),
        ("POST", f"{PREFIX}/products/1/claims", {}, [["path", "gtin"], ["body", "claim_id"]]),
        ("POST", CLAIMS, {"claim_id": VEGAN, "gtin": "1", "source": "ME"}, [["body", "source"]]),
        ("POST", CLAIMS, {"claim_id": VEGAN, "metadata": {"k": 1}}, [["body", "metadata", "k"]]),
        (
            "PATCH",
            PATCH,
            {"certificate_countries": ["US", "x"]},
            [["body", "certificate_countries", 1]],
        ),
        ("PATCH", f"{CERTIFICATIONS}/{'z' * 22}", {}, [["path", "certification_id"]]),
        ("PATCH", PATCH, {"verification_status": None}, [["body", "verification_status"]]),
        ("GET", f"{PREFIX}/claims/x", None, [["path", "id"]]),
        ("GET", f"{PREFIX}/products/12-34/claims", None, [["path", "gtin"]]),
        (
            "GET",
            f"{CERTIFICATIONS}?ordering=x&is_active=perhaps",
            None,
            [["query", "is_active"], ["query", "ordering"]],
        ),
    ],
)
async def test_input_that_breaks_a_rule(signed: World, method: str, path: str, body: Any, wanted: list[Any]) -> None:
    response = await signed.client.request(method, path, **({} if body is None else {"json": body}))
    document = is_problem(response, 422, "validation_error")
    assert [entry["loc"] for entry in document["details"]] == wanted


@on_sqlite
@pytest.mark.parametrize("gtin", ["%EF%BC%91" * 8, "4006381333931%0A", "4006381333931%00", "%ff" * 8, "+" * 8])
async def test_a_gtin_of_other_characters(signed: World, gtin: str) -> None:
    response = await signed.client.get(f"{PREFIX}/products/{gtin}/claims")
    is_problem(response, 422, "validation_error")


NAMED_TWICE = [
    '{"scope": "a", "claim_id": "%s", "scope": "b"}',
    '{"claim_id": "%s", "sc\\u006fpe": "a", "scope" \n:"b"}',
    '{"claim_id": "%s", "metadata": {"scope": "a", "scope": "a"}}',
    '{"claim_id": "%s", "nobody_knows": [{"scope": {}, "scope": "\\":"}]}',
]


@on_sqlite
@pytest.mark.parametrize("body", NAMED_TWICE)
@pytest.mark.parametrize(("method", "path"), [("POST", CLAIMS), ("PATCH", PATCH)])
async def test_a_body_that_says_a_name_twice(signed: World, method: str, path: str, body: str) -> None:
    response = await signed.client.request(method, path, content=body % VEGAN, headers=JSON)
    document = is_problem(response, 400, "bad_request")
    assert [(entry["loc"], entry["type"]) for entry in document["details"]] == [(["body"], "json_invalid")]
    assert '"scope" stands twice' in document["detail"]


# --- Bodies that are none ---

NOT_JSON = [
    b"{",
    b'{"claim_id": }',
    b"{'claim_id': 'x'}",
    b'{"claim_id": "x",}',
    b"claim_id=x",
    b"\xff\xfe{\x00}\x00",
    b'{"claim_id": "\xff"}',
    b'{"claim_id": "\xed\xa0\x80"}',
    b'{"claim_id": "\\ud800"}',
    b'{"claim_id": "\\udc00x"}',
    b'{"claim_id": NaN}',
    b'{"claim_id": Infinity}',
    b'{"claim_id": 1e999}',
    b'{"claim_id": 01}',
    b'{"claim_id": "x"} {}',
    b'{"claim_id": "\x01"}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
]


@on_sqlite
@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: ascii(body[:20]))
@pytest.mark.parametrize(("method", "path"), [("POST", CLAIMS), ("PATCH", PATCH)])
async def test_a_body_that_is_no_json(signed: World, method: str, path: str, body: bytes) -> None:
    response = await signed.client.request(method, path, content=body, headers=JSON)
    document = is_problem(response, 400, "bad_request")
    assert [entry["loc"] for entry in document["details"]] == [["body"]]


@on_sqlite
@pytest.mark.parametrize("text", [b"\\ud800", b"\\udc00x", b"x\\ud83d", b"\\ud800\\u0041xyz"])
async def test_half_of_a_surrogate_pair_is_called_that(signed: World, text: bytes) -> None:
    response = await signed.client.post(CLAIMS, content=b'{"claim_id": "' + text + b'"}', headers=JSON)
    document = is_problem(response, 400, "bad_request")
    assert document["details"][0]["msg"] == "a \\u escape stands for half of a surrogate pair"


@on_sqlite
@pytest.mark.parametrize("body", [b"1", b'"x"', b"null", b"[]", b"true", b"[{}]", b"1" * 400 + b".0"])
@pytest.mark.parametrize(("method", "path"), [("POST", CLAIMS), ("PATCH", PATCH)])
async def test_a_body_that_is_no_object(signed: World, method: str, path: str, body: bytes) -> None:
    response = await signed.client.request(method, path, content=body, headers=JSON)
    assert response.status_code in (400, 422)
    document = is_problem(response, response.status_code, KIND[response.status_code])
    assert [entry["loc"] for entry in document["details"]] == [["body"]]


KIND = {400: "bad_request", 422: "validation_error"}


@on_sqlite
@pytest.mark.parametrize(("method", "path"), [("POST", CLAIMS), ("PATCH", PATCH)])
async def test_an_empty_body(signed: World, method: str, path: str) -> None:
    response = await signed.client.request(method, path, headers=JSON)
    document = is_problem(response, 422, "validation_error")
    assert document["details"] == [{"loc": ["body"], "msg": "Field required", "type": "missing"}]


@on_sqlite
@pytest.mark.parametrize("number", [b"1" * 400, b"-1e308", b"1.5", b"9" * 19, b"0"], ids=lambda n: n[:9].decode())
async def test_a_number_where_text_belongs(signed: World, number: bytes) -> None:
    content = b'{"claim_id": ' + number + b"}"
    response = await signed.client.post(CLAIMS, content=content, headers=JSON)
    document = is_problem(response, 422, "validation_error")
    assert [entry["loc"] for entry in document["details"]] == [["body", "claim_id"]]


@on_sqlite
async def test_a_body_with_very_many_bad_members(signed: World) -> None:
    for number, code, named in (
        (100, "validation_error", 100),
        (5_000, "validation_error", 1),
        (50_000, "bad_request", 1),
    ):
        metadata = {f"k{each}": 1 for each in range(number)}
        response = await signed.client.post(CLAIMS, json={"claim_id": VEGAN, "metadata": metadata})
        document = is_problem(response, 400 if code == "bad_request" else 422, code)
        assert len(document["details"]) == named
        assert len(response.content) < 20_000


@on_sqlite
@pytest.mark.parametrize("content_type", [None, "text/plain", "application/xml", "multipart/form-data", "json", "*/*"])
@pytest.mark.parametrize(("method", "path"), [("POST", CLAIMS), ("PATCH", PATCH)])
async def test_a_body_of_another_media_type(signed: World, method: str, path: str, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await signed.client.request(method, path, content=b'{"scope": "x"}', headers=headers)
    document = is_problem(response, 415, "unsupported_media_type")
    accepted = response.headers["accept-patch" if method == "PATCH" else "accept-post"]
    assert "application/json" in accepted
    assert all(media_type in document["detail"] for media_type in accepted.split(", "))


@on_sqlite
@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
)
async def test_json_by_other_spellings_is_taken(signed: World, content_type: str) -> None:
    response = await signed.client.patch(PATCH, content=b"{}", headers={"Content-Type": content_type})
    assert response.status_code == 200


LIMIT = 1024 * 1024


async def _in_pieces(size: int) -> AsyncIterator[bytes]:
    yield b'{"claim_id": "'
    for _ in range(size // 65536):
        yield b"x" * 65536
    yield b'"}'


@on_sqlite
@pytest.mark.parametrize(("method", "path"), [("POST", CLAIMS), ("PATCH", PATCH), ("POST", "/graphql")])
async def test_a_body_that_is_too_large(signed: World, method: str, path: str) -> None:
    announced = await signed.client.request(method, path, content=b"x" * (LIMIT + 1), headers=JSON)
    is_problem(announced, 413, "payload_too_large")
    streamed = await signed.client.request(method, path, content=_in_pieces(2 * LIMIT), headers=JSON)
    is_problem(streamed, 413, "payload_too_large")


@on_sqlite
async def test_a_body_of_just_the_right_size_is_read(signed: World) -> None:
    content = json.dumps({"unknown": ""}).encode()
    content = content[:-2] + b"x" * (LIMIT - len(content)) + content[-2:]
    assert len(content) == LIMIT
    assert (await signed.client.patch(PATCH, content=content, headers=JSON)).status_code == 200


# --- The server's own trouble ---

SECRET = "password=hunter2 in /etc/shadow"


def _records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


@on_sqlite
async def test_a_defect_of_ours_is_masked_and_logged_once(
    signed: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(db.assignments.certifications, "find", fail)
    response = await signed.client.get(f"{PREFIX}/certifications/{USDA_ORGANIC}")
    document = is_problem(response, 500, "internal_error")
    assert "hunter2" not in response.text
    assert "RuntimeError" not in response.text
    assert "X-Request-ID" in document["detail"]
    (record,) = _records(caplog)
    assert response.headers["x-request-id"] in record.getMessage()
    assert record.exc_info is not None
    assert SECRET in str(record.exc_info[1])


@on_sqlite
async def test_graphql_masks_and_logs_it_too(
    signed: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(db.assignments.claims, "find_by_code", fail)
    query = '{ claim(code: "VEGAN") { id } viewer { role } }'
    response = await signed.client.post("/graphql", json={"query": query})
    assert response.status_code == 200
    body = response.json()
    assert body["data"] == {"claim": None, "viewer": {"role": "MANAGER"}}
    (error,) = body["errors"]
    assert error["path"] == ["claim"]
    request_id = response.headers["x-request-id"]
    assert error["extensions"] == {"code": "internal_error", "retryable": True, "requestId": request_id}
    assert "hunter2" not in response.text
    (record,) = _records(caplog)
    assert request_id in record.getMessage()


@on_sqlite
async def test_a_defect_before_the_application_is_masked_too(
    signed: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(SECRET)

    with monkeypatch.context() as patched:
        patched.setattr("gateway.auth.credentials.is_well_formed", fail)
        response = await signed.client.get(CERTIFICATIONS)
    is_problem(response, 500, "internal_error")
    assert "hunter2" not in response.text
    assert len(_records(caplog)) == 1


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits of production, shortened. Stands before the database among a test's fixtures."""
    monkeypatch.setattr(db.engine.group_commit, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(db.engine.postgresql, "_SERVER", {**db.engine.postgresql._SERVER, "lock_timeout": "200"})


@pytest.mark.usefixtures("impatience")
async def test_a_database_that_others_keep_busy(signed: World, database_url: str) -> None:
    other = await open_database(database_url)
    try:
        async with other.write() as transaction:
            await db.assignments.certifications.lock(transaction, Gtin(GTIN), USDA_ORGANIC, [signed.brand])
            rest = await signed.client.patch(PATCH, json={"scope": "x"})
            graphql = await signed.client.post(
                "/graphql",
                json={
                    "query": f"""mutation {{ patchCertificationAssignment(input:
                      {{gtin: "{GTIN}", certificationId: "{USDA_ORGANIC}", scope: "x"}}) {{ __typename }} }}"""
                },
            )
    finally:
        await other.close()
    document = is_problem(rest, 503, "service_unavailable")
    assert document["retry_after"] == 1
    assert rest.headers["retry-after"] == "1"
    (error,) = graphql.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["retryable"]) == ("service_unavailable", True)


@on_sqlite
async def test_a_product_of_somebody_else(signed: World) -> None:
    response = await signed.client.post(f"{PREFIX}/products/{OTHERS_GTIN}/claims", json={"claim_id": VEGAN})
    is_problem(response, 403, "forbidden")
