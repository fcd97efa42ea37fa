import asyncio
import re
from datetime import UTC, datetime, timedelta

import httpx2

from db.sql import tables
from domain.vocabulary import Role
from gateway.app import create_app
from gateway.settings import Settings
from resolvers.keys import revoke_key, set_member
from resolvers.sessions import create_members_link, create_sign_in_link
from tests.world import GTIN, World

GUARDED = f"/certifications/api/v1/products/{GTIN}/certifications"


async def click(world: World, token: str) -> httpx2.Response:
    """Presses the button of the page that a link opens."""
    response = await world.client.post("/sign-in", data={"token": token}, headers={"Origin": "http://certgate.test"})
    # What the browser would send back is said in each test.
    world.client.cookies.clear()
    return response


async def new_link(world: World, key: str = "manager") -> str:
    return await create_sign_in_link(world.database, world.key_ids[key])


def cookie_of(response: httpx2.Response) -> dict[str, str]:
    """The members of Set-Cookie; flags are empty."""
    return {
        name.lower(): value
        for name, _, value in (part.strip().partition("=") for part in response.headers["set-cookie"].split(";"))
    }


async def as_session(world: World, secret: str) -> int:
    response = await world.client.get(GUARDED, headers={"Cookie": f"sessionid={secret}"})
    return response.status_code


async def has_ended(world: World, secret: str) -> bool:
    # PostgreSQL announces the change to this process by a message, which may take a moment to arrive.
    for _ in range(1000):
        if await as_session(world, secret) == 401:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_a_link_opens_the_workbench_with_a_session_that_acts_as_its_key(world: World) -> None:
    response = await click(world, await new_link(world))
    assert response.status_code == 303
    assert response.headers["location"] == "/app"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    cookie = cookie_of(response)
    assert cookie["path"] == "/"
    assert cookie["samesite"].lower() == "lax"
    assert cookie["max-age"] == str(12 * 3600)
    assert "httponly" in cookie
    assert "secure" not in cookie
    query = "{ viewer { organization { slug } } }"
    answer = await world.client.post(
        "/graphql",
        json={"query": query},
        headers={"Cookie": f"sessionid={cookie['sessionid']}", "Origin": "http://certgate.test"},
    )
    assert answer.json() == {"data": {"viewer": {"organization": {"slug": "brand"}}}}


async def test_a_second_click_is_refused_and_says_what_to_do(world: World) -> None:
    token = await new_link(world)
    first = await click(world, token)
    second = await click(world, token)
    assert (first.status_code, second.status_code) == (303, 410)
    assert "set-cookie" not in second.headers
    assert "./certgate demo" in second.text
    assert "./certgate keys create" in second.text
    assert second.headers["cache-control"] == "no-store"
    assert second.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", second.text)
    assert await as_session(world, cookie_of(first)["sessionid"]) == 200


async def test_unknown_missing_and_expired_tokens_are_refused(world: World) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    expired = await create_sign_in_link(world.database, world.key_ids["manager"], long_ago)
    for token in (expired, "", "x", "é" * 10_000):
        pages = [await world.client.get("/sign-in", params={name: token}) for name in ("link", "token")]
        for response in (*pages, await click(world, token)):
            assert response.status_code == (410 if token or response in pages else 401)
            assert "set-cookie" not in response.headers
    assert await world.rows(tables.sessions) == []


async def test_of_many_clicks_at_once_one_gets_a_session(world: World) -> None:
    token = await new_link(world)
    responses = await asyncio.gather(*(click(world, token) for _ in range(8)))
    assert sorted(response.status_code for response in responses) == [303] + [410] * 7
    assert len(await world.rows(tables.sessions)) == 1
    assert await world.rows(tables.sign_in_links) == []


async def test_asking_about_a_link_does_not_use_it_up(world: World) -> None:
    token = await new_link(world)
    for method in ("GET", "HEAD"):
        for name in ("link", "token"):
            asked = await world.client.request(method, "/sign-in", params={name: token})
            assert (asked.status_code, "set-cookie" in asked.headers) == (200, False)
            assert asked.headers["cache-control"] == "no-store"
    assert (await click(world, token)).status_code == 303


async def test_a_link_says_whom_it_signs_in_before_it_does(world: World) -> None:
    page = (await world.client.get("/sign-in", params={"link": await new_link(world)})).text
    assert "<h1>Sign in to Brand</h1>" in page
    assert "This link signs in <strong>manager</strong> (manager)." in page
    await set_member(world.database, "rival", "ann@example.org", Role.EDITOR)
    of_member = await create_members_link(world.database, "rival", "ann@example.org")
    page = (await world.client.get("/sign-in", params={"link": of_member})).text
    assert "<h1>Sign in to Rival</h1>" in page
    assert "This link signs in <strong>ann@example.org</strong> (editor)." in page
    # Only the demo's goes on by itself.
    assert "<script>" not in page
    assert "<script>" in (await world.client.get("/sign-in", params={"token": of_member})).text


async def test_revoking_the_key_ends_its_links_and_sessions(world: World) -> None:
    unused = await new_link(world)
    session = cookie_of(await click(world, await new_link(world)))["sessionid"]
    assert await as_session(world, session) == 200
    await revoke_key(world.database, world.key_ids["manager"])
    assert (await click(world, unused)).status_code == 410
    assert await has_ended(world, session)


async def test_signing_out_ends_the_session_and_takes_the_cookie_back(world: World) -> None:
    session = cookie_of(await click(world, await new_link(world)))["sessionid"]
    headers = {"Cookie": f"sessionid={session}", "Origin": "http://certgate.test"}
    response = await world.client.post("/sign-out", headers=headers)
    assert response.status_code == 303
    assert cookie_of(response)["max-age"] == "0"
    assert await world.rows(tables.sessions) == []
    assert await has_ended(world, session)


async def test_signing_out_without_the_cookie_changes_nothing(world: World) -> None:
    # A form on another site posts without it, because it is SameSite.
    await click(world, await new_link(world))
    response = await world.client.post("/sign-out", headers={"Origin": "http://elsewhere.test"})
    assert response.status_code == 303
    assert "set-cookie" not in response.headers
    assert len(await world.rows(tables.sessions)) == 1
    assert (await world.client.get("/sign-out")).status_code == 405


async def test_only_digests_are_stored(world: World) -> None:
    token = await new_link(world)
    spare = await new_link(world)
    session = cookie_of(await click(world, token))["sessionid"]
    stored = repr([await world.rows(table) for table in (tables.api_keys, tables.sessions, tables.sign_in_links)])
    for secret in (token, spare, session, *world.keys.values()):
        assert secret not in stored


async def test_the_cookie_is_secure_where_the_browser_comes_by_https(world: World) -> None:
    settings = Settings(public_url="https://certgate.example.org", session_hours=1)
    behind_proxy = httpx2.ASGITransport(app=create_app(settings, world.database))
    async with httpx2.AsyncClient(transport=behind_proxy, base_url="http://certgate.test") as client:
        cookie = cookie_of(
            await client.post(
                "/sign-in", data={"token": await new_link(world)}, headers={"Origin": "http://certgate.test"}
            )
        )
    assert "secure" in cookie
    assert cookie["max-age"] == "3600"
