"""Pages of other sites: shut out unless the operator lets them in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from db.sql import tables
from gateway.app import create_app
from gateway.environment import load_settings
from gateway.settings import Settings, SettingsError
from resolvers.sessions import create_sign_in_link, sign_in
from tests.world import GTIN, VEGAN, World

OURS = "https://dashboard.example.org"
CLAIMS = f"/certifications/api/v1/products/{GTIN}/claims"
SEEN = "x-request-id, etag, retry-after, ratelimit-policy, ratelimit-remaining, x-ratelimit-reset, idempotent-replayed"


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@asynccontextmanager
async def opened(world: World, origins: str, headers: str = "") -> AsyncIterator[World]:
    """The same world behind an application that lets these origins in, and these headers of theirs."""
    app = create_app(Settings(cors_origins=origins, cors_headers=headers), world.database)
    async with World(app, world.database) as other:
        other.keys, other.key_ids = world.keys, world.key_ids
        yield other


def preflight(
    origin: str, method: str = "PATCH", headers: str = "x-api-key, idempotency-key, if-match"
) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


def allowed(answer: object) -> set[str]:
    return {name for name in answer.headers if name.startswith("access-control")}  # type: ignore[attr-defined]


@on_sqlite
async def test_nobody_is_let_in_by_default(world: World) -> None:
    asked = await world.client.options(CLAIMS, headers=preflight(OURS))
    read = await world.client.get(CLAIMS, headers={"Origin": OURS, "X-API-Key": world.keys["publishable"]})
    assert read.status_code == 200
    assert not allowed(asked)
    assert not allowed(read)


@pytest.mark.parametrize("path", [CLAIMS, "/graphql", "/products/api/v1/trade-items"])
@on_sqlite
async def test_a_page_that_is_let_in_may_ask_and_read_what_it_needs(world: World, path: str) -> None:
    async with opened(world, f"https://other.example, {OURS}") as there:
        asked = await there.client.options(path, headers=preflight(OURS))
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == OURS
        assert asked.headers["access-control-allow-credentials"] == "true"
        assert {"PATCH", "DELETE", "POST"} <= set(asked.headers["access-control-allow-methods"].split(", "))
        read = await there.client.get(path, headers={"Origin": OURS, "X-API-Key": world.keys["publishable"]})
        assert read.headers["access-control-allow-origin"] == OURS
        shown = read.headers["access-control-expose-headers"].lower()
        assert set(SEEN.split(", ")) <= set(shown.split(", "))
        vary = [name.strip() for name in read.headers["vary"].split(",")]
        assert "Origin" in vary
        assert len(vary) == len(set(vary))


@on_sqlite
async def test_tracing_may_add_its_headers_and_what_the_operator_names(world: World) -> None:
    async with opened(world, OURS, "Sentry-Trace, x-datadog-origin") as there:
        for names, status in (
            ("traceparent, tracestate, baggage, x-api-key", 200),
            ("sentry-trace, x-datadog-origin, x-api-key", 200),
            ("x-datadog-parent-id", 400),
        ):
            asked = await there.client.options(CLAIMS, headers=preflight(OURS, headers=names))
            assert asked.status_code == status, names
    async with opened(world, OURS) as there:
        asked = await there.client.options(CLAIMS, headers=preflight(OURS, headers="sentry-trace"))
        assert asked.status_code == 400


@pytest.mark.parametrize("headers", ["*", "a b", "a:", "ä", "x-a; x-b"])
def test_what_is_no_name_of_a_header_is_refused_at_the_start(headers: str) -> None:
    with pytest.raises(SettingsError, match="CERTGATE_CORS_HEADERS"):
        load_settings(cors_headers=headers)


@on_sqlite
async def test_refusals_can_be_read_too(world: World) -> None:
    async with opened(world, OURS) as there:
        refused = await there.client.get(CLAIMS, headers={"Origin": OURS})
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == OURS


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://dashboard.example.org", f"{OURS}:444"])
@on_sqlite
async def test_other_pages_stay_out(world: World, origin: str) -> None:
    async with opened(world, OURS) as there:
        asked = await there.client.options(CLAIMS, headers=preflight(origin))
        assert asked.status_code == 400
        assert "access-control-allow-origin" not in asked.headers
        read = await there.client.get(CLAIMS, headers={"Origin": origin, "X-API-Key": world.keys["publishable"]})
        assert "access-control-allow-origin" not in read.headers


@pytest.mark.parametrize("path", ["/sign-in", "/graphiql", "/healthz"])
@on_sqlite
async def test_the_pages_for_people_stay_closed(world: World, path: str) -> None:
    async with opened(world, "*") as there:
        read = await there.client.get(path, headers={"Origin": OURS})
        assert not allowed(read)


@on_sqlite
async def test_everybody_is_let_in_without_cookies(world: World) -> None:
    async with opened(world, "*") as there:
        asked = await there.client.options(CLAIMS, headers=preflight("https://anywhere.example"))
        assert asked.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in asked.headers
        read = await there.client.get(
            CLAIMS, headers={"Origin": "https://anywhere.example", "X-API-Key": world.keys["publishable"]}
        )
        assert read.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in read.headers


@pytest.mark.parametrize(
    ("origins", "origin", "status"),
    [
        (OURS, OURS, 201),
        (OURS, "https://evil.example", 403),
        ("*", OURS, 403),
        ("", OURS, 403),
    ],
)
@on_sqlite
async def test_only_a_named_page_may_write_with_the_cookie(
    world: World, origins: str, origin: str, status: int
) -> None:
    link = await create_sign_in_link(world.database, world.key_ids["manager"])
    session = await sign_in(world.database, link, timedelta(hours=1))
    assert session is not None
    async with opened(world, origins) as there:
        answer = await there.client.post(
            CLAIMS,
            json={"claim_id": VEGAN},
            headers={"Origin": origin, "Sec-Fetch-Site": "same-site", "Cookie": f"sessionid={session.secret}"},
        )
    assert answer.status_code == status
    assert len(await world.rows(tables.claim_assignments)) == (status == 201)


@pytest.mark.parametrize(
    "origins", ["dashboard.example.org", f"{OURS}/", f"*, {OURS}", "https://*.example.org", "null"]
)
def test_what_is_no_origin_is_refused_at_the_start(origins: str) -> None:
    with pytest.raises(SettingsError, match="CERTGATE_CORS_ORIGINS"):
        load_settings(cors_origins=origins)
