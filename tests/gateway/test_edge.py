"""What surrounds both faces: request ids, headers on every answer, the rule against cross-site requests."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from db.sql import tables
from gateway.auth.credentials import Credentials
from resolvers.sessions import create_sign_in_link, sign_in
from tests.world import GTIN, USDA_ORGANIC, VEGAN, World

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "/certifications/api/v1"
CLAIMS = f"{PREFIX}/products/{GTIN}/claims"
CERTIFICATIONS = f"{PREFIX}/products/{GTIN}/certifications"
OWN = re.compile("[0-9a-f]{32}")

# Nothing here depends on which database it is.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def signed(world: World) -> World:
    world.client.headers["X-API-Key"] = world.keys["manager"]
    return world


# --- The request id ---


@pytest.mark.parametrize("given", ["a", "7f3c", "A-b_c.9", "x" * 64, "00000000-0000-0000-0000-000000000000"])
async def test_a_plain_request_id_is_kept(signed: World, given: str) -> None:
    for path in (CERTIFICATIONS, "/healthz", "/nowhere", "/graphql"):
        response = await signed.client.get(path, headers={"X-Request-ID": given})
        assert response.headers["x-request-id"] == given


@pytest.mark.parametrize(
    "forged",
    [b"", b" ", b"a b", b"a\tb", b"x" * 65, b'"><script>', b"a\x0bINFO forged", b"\xc3\xa9", b"a,b", b"a/b", b"%0a"],
)
async def test_a_forged_one_is_replaced(signed: World, forged: bytes) -> None:
    response = await signed.client.get(CERTIFICATIONS, headers=[(b"x-request-id", forged)])
    assert response.status_code == 200
    assert OWN.fullmatch(response.headers["x-request-id"])


async def test_without_one_each_request_gets_its_own(signed: World) -> None:
    ids = {(await signed.client.get("/healthz")).headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20
    assert all(OWN.fullmatch(id) for id in ids)


async def test_the_id_is_in_the_errors_of_graphql(signed: World) -> None:
    response = await signed.client.post(
        "/graphql", json={"query": "{ product(gtin: 1) { id } }"}, headers={"X-Request-ID": "mine"}
    )
    assert response.headers["x-request-id"] == "mine"
    assert response.json()["errors"]


# --- Headers of every answer ---

ANSWERS: list[tuple[str, str, dict[str, Any], int]] = [
    ("GET", CERTIFICATIONS, {}, 200),
    ("POST", CLAIMS, {"json": {"claim_id": VEGAN}}, 201),
    ("PATCH", f"{CERTIFICATIONS}/{USDA_ORGANIC}", {"json": {}}, 200),
    ("GET", f"{PREFIX}/nowhere", {}, 404),
    ("PUT", CLAIMS, {}, 405),
    ("POST", CLAIMS, {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
    ("POST", CLAIMS, {"json": {}}, 422),
    ("POST", CLAIMS, {"content": b"{}"}, 415),
    ("GET", CLAIMS, {"headers": {"X-API-Key": "x"}}, 401),
    ("POST", "/graphql", {"json": {"query": "{ viewer { role } }"}}, 200),
    ("POST", "/graphql", {"json": {"query": "{"}}, 400),
    ("POST", "/graphql", {"json": {}}, 400),
    ("DELETE", "/graphql", {}, 405),
    ("GET", "/healthz", {}, 200),
    ("GET", "/", {}, 200),
    ("GET", "/graphiql", {}, 200),
    ("GET", "/graphiql/app.js", {}, 200),
    ("GET", "/nowhere", {}, 404),
    ("GET", "/sign-in?token=x", {}, 410),
]


@pytest.mark.parametrize(("method", "path", "options", "status"), ANSWERS)
async def test_every_answer_is_guarded(
    signed: World, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    response = await signed.client.request(method, path, **options)
    headers = response.headers
    assert response.status_code == status
    assert headers["x-request-id"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] in ("no-referrer", "same-origin")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in headers
    # What belongs to a credential is kept by no cache between.
    if path.startswith((PREFIX, "/graphql")) and not path.startswith("/graphiql"):
        assert headers["cache-control"] == "private, no-cache"
        varied = {name.strip().lower() for name in headers["vary"].split(",")}
        assert {"authorization", "x-api-key", "cookie"} <= varied


async def test_no_header_is_sent_twice(signed: World) -> None:
    for method, path, options, _ in ANSWERS:
        response = await signed.client.request(method, path, **options)
        names = [name for name, _ in response.headers.multi_items()]
        assert sorted(names) == sorted(set(names)), path


async def test_public_paths_never_look_at_credentials(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []
    for name in ("at_hand", "of_request"):
        monkeypatch.setattr(Credentials, name, lambda *given: looked.append(given))
    await world.client.get(CERTIFICATIONS, headers={"X-API-Key": "x"})
    assert looked
    looked.clear()
    for headers in ({}, {"X-API-Key": "x"}, {"Cookie": "sessionid=x"}):
        response = await world.client.get("/healthz", headers=headers)
        assert response.status_code == 200
        assert "vary" not in response.headers
    assert looked == []


# --- Codings of bodies ---

WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", CLAIMS, {"content": json.dumps({"claim_id": VEGAN})}),
    ("PATCH", f"{CERTIFICATIONS}/{USDA_ORGANIC}", {"content": b'{"scope": "x"}'}),
    ("DELETE", f"{CERTIFICATIONS}/{USDA_ORGANIC}", {}),
    ("POST", "/graphql", {"content": b'{"query": "{ viewer { role } }"}'}),
    ("POST", "/sign-in", {"data": {"api_key": "x"}}),
]


@pytest.mark.parametrize(("method", "path", "options"), WRITES, ids=[row[1] for row in WRITES])
async def test_a_compressed_body_is_refused(signed: World, method: str, path: str, options: dict[str, Any]) -> None:
    plain = {} if path == "/sign-in" else {"Content-Type": "application/json"}
    before = await signed.rows(tables.certification_assignments)
    for codings in (["gzip"], ["br"], ["nonsense"], ["identity, gzip"], ["identity", "gzip"], ["GZIP"]):
        named = [*plain.items(), *(("Content-Encoding", coding) for coding in codings)]
        refused = await signed.client.request(method, path, **options, headers=named)
        assert (refused.status_code, refused.json()["error_code"]) == (415, "unsupported_media_type"), codings
        assert refused.headers["accept-encoding"] == "identity"
        assert "uncompressed" in refused.json()["detail"]
    assert await signed.rows(tables.certification_assignments) == before
    assert await signed.rows(tables.claim_assignments) == []
    for coding in ("identity", "Identity", ""):
        taken = await signed.client.request(method, path, **options, headers={**plain, "Content-Encoding": coding})
        assert taken.status_code != 415
    # Nothing is said of a body where none is read.
    assert (await signed.client.get(CLAIMS, headers={"Content-Encoding": "gzip"})).status_code == 200


async def test_a_compressed_body_is_counted_and_asks_for_a_credential(world: World) -> None:
    refused = await world.client.post(CLAIMS, headers={"Content-Encoding": "gzip"})
    assert refused.status_code == 401


# --- Sessions ---


@pytest.fixture
async def cookie(world: World) -> str:
    """The Cookie header of a browser that signed in as the manager."""
    token = await create_sign_in_link(world.database, world.key_ids["manager"])
    session = await sign_in(world.database, token, timedelta(hours=1))
    assert session is not None
    return f"theme=dark; sessionid={session.secret}; other=1"


async def ask(world: World, method: str, cookie: str, **headers: str) -> httpx2.Response:
    """A read or a write as a browser sends it, with the headers that it adds."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if method == "GET":
        return await world.client.get(CERTIFICATIONS, headers={"Cookie": cookie, **names})
    if method == "PATCH":
        path = f"{CERTIFICATIONS}/{USDA_ORGANIC}"
        return await world.client.patch(path, json={"scope": "x"}, headers={"Cookie": cookie, **names})
    query = "mutation ($i: AssignClaimInput!) { assignClaim(input: $i) { __typename } }"
    body = {"query": query, "variables": {"i": {"gtin": GTIN, "claimId": VEGAN}}}
    return await world.client.post("/graphql", json=body, headers={"Cookie": cookie, **names})


CROSS_SITE: list[dict[str, str]] = [
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "cross-site", "origin": "http://certgate.test"},
    {"origin": "https://evil.example"},
    {"origin": "http://certgate.test.evil.example"},
    {"origin": "http://evil.certgate.test"},
    {"origin": "http://certgate.test:8001"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "https://evil.example", "sec_fetch_site": "same-origin"},
]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
async def test_a_write_that_another_site_started_is_refused(
    world: World, cookie: str, method: str, headers: dict[str, str]
) -> None:
    before = await world.rows(tables.certification_assignments)
    response = await ask(world, method, cookie, **headers)
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["error_code"] == "forbidden"
    assert await world.rows(tables.certification_assignments) == before
    assert await world.rows(tables.claim_assignments) == []


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://certgate.test"},
        {"origin": "http://certgate.test", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin"},
    ],
    ids=str,
)
async def test_a_write_of_our_own_pages_is_taken(
    world: World, cookie: str, method: str, headers: dict[str, str]
) -> None:
    response = await ask(world, method, cookie, **headers)
    assert response.status_code == 200
    assert "Problem" not in response.text


async def test_a_session_reads(world: World, cookie: str) -> None:
    assert (await ask(world, "GET", cookie)).status_code == 200
    assert (await ask(world, "GET", cookie, sec_fetch_site="same-origin")).status_code == 200


async def test_a_key_needs_no_such_rule(world: World) -> None:
    # No browser attaches a key by itself, so whoever sends one means it.
    headers = {"X-API-Key": world.keys["manager"], "Origin": "https://elsewhere.example"}
    response = await world.client.patch(f"{CERTIFICATIONS}/{USDA_ORGANIC}", json={}, headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize("names", [("manager", "readonly"), ("readonly", "manager"), ("manager", "stranger")])
async def test_of_two_keys_none_is_chosen(world: World, names: tuple[str, str]) -> None:
    keys = [world.keys.get(name, "stranger") for name in names]
    for path in (CERTIFICATIONS, "/graphql?query={__typename}"):
        refused = await world.client.get(path, headers=[("X-API-Key", key) for key in keys])
        assert (refused.status_code, refused.json()["error_code"]) == (401, "unauthorized")
        assert "send one" in refused.json()["detail"]
        # A proxy that says the same once more changes nothing.
        assert (await world.client.get(path, headers=[("X-API-Key", keys[0])] * 2)).status_code == 200


async def test_a_bad_key_is_not_made_good_by_a_session(world: World, cookie: str) -> None:
    response = await world.client.get(CERTIFICATIONS, headers={"X-API-Key": "x", "Cookie": cookie})
    assert response.status_code == 401


async def test_a_session_has_the_permissions_of_its_key(world: World) -> None:
    token = await create_sign_in_link(world.database, world.key_ids["readonly"])
    session = await sign_in(world.database, token, timedelta(hours=1))
    assert session is not None
    response = await ask(world, "PATCH", f"sessionid={session.secret}", origin="http://certgate.test")
    assert response.status_code == 403
