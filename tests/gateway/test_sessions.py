"""Signing in with an API key, what a browser may do then, and when it ends."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from sqlalchemy import update

from db import keys, sessions
from db.engine.database import Database, Transaction
from db.engine.opening import open_database
from db.sql import tables
from domain.api_keys import MAX_SESSIONS
from domain.errors import Unauthorized
from domain.vocabulary import KeyKind, Role
from gateway.app import create_app
from gateway.auth.credentials import Credentials
from gateway.auth.sign_in import TRY_UNITS
from gateway.settings import Settings
from resolvers.keys import remove_member, revoke_key, set_member
from resolvers.sessions import create_sign_in_link, sign_in_with_key
from tests.world import GTIN, NON_GMO, World

LIST = f"/certifications/api/v1/products/{GTIN}/certifications"
CLAIMS = f"/certifications/api/v1/products/{GTIN}/claims"
HERE = {"Origin": "http://certgate.test", "Sec-Fetch-Site": "same-origin"}
HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)


async def enter(world: World, key: str, cookie: str | None = None, **headers: str) -> httpx2.Response:
    """The form as a browser sends it."""
    sent = {**HERE, **headers, **({"Cookie": f"sessionid={cookie}"} if cookie else {})}
    response = await world.client.post("/sign-in", data={"api_key": key}, headers=sent)
    world.client.cookies.clear()
    return response


def secret_of(response: httpx2.Response) -> str:
    found = re.search(r"sessionid=([^;]+);", response.headers["set-cookie"])
    assert found
    return found[1]


async def status(world: World, cookie: str) -> int:
    return (await world.client.get(LIST, headers={"Cookie": f"sessionid={cookie}"})).status_code


async def ended(world: World, cookie: str) -> bool:
    # PostgreSQL announces it by a message, which may take a moment to arrive.
    for _ in range(500):
        if await status(world, cookie) == 401:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_the_form_is_a_page_of_its_own(world: World) -> None:
    page = await world.client.get("/sign-in")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert "<script" not in page.text
    assert not re.search(r"(?:src|href|action)=[\"']?(?:https?:)?//", page.text)
    # A browser that is told to send no referrer says of its own form that it comes from nowhere.
    assert page.headers["referrer-policy"] == "same-origin"


async def test_a_key_signs_in(world: World) -> None:
    response = await enter(world, f"  {world.keys['editor']} ")
    assert (response.status_code, response.headers["location"]) == (303, "/app")
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    secret = secret_of(response)
    assert await status(world, secret) == 200
    assert world.keys["editor"] not in repr(await world.rows(tables.sessions))
    page = await world.client.get("/sign-in", headers={"Cookie": f"sessionid={secret}"})
    assert "<strong>Brand</strong> (editor)" in page.text
    assert 'action="sign-out"' in page.text


async def test_who_is_signed_in_as_what_is_escaped(world: World) -> None:
    async with world.database.write() as transaction:
        await transaction.execute(
            update(tables.organizations)
            .where(tables.organizations.c.id == world.brand)
            .values(name="<script>alert(1)</script>")
        )
    secret = secret_of(await enter(world, world.keys["editor"]))
    page = await world.client.get("/sign-in", headers={"Cookie": f"sessionid={secret}"})
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_wrong_keys_do_not_sign_in(world: World) -> None:
    await revoke_key(world.database, world.key_ids["readonly"])
    await world.add_key("brief", "brand", Role.EDITOR)
    async with world.database.write() as transaction:
        await transaction.execute(
            update(tables.api_keys).where(tables.api_keys.c.id == world.key_ids["brief"]).values(expires_at=NOW)
        )
    unknown = "csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_84041098"
    for key in ("", "x", unknown, "é" * 5000, world.keys["readonly"], world.keys["brief"]):
        response = await enter(world, key)
        assert response.status_code == 401
        assert "set-cookie" not in response.headers
        assert 'role="alert"' in response.text
    assert await world.rows(tables.sessions) == []


async def test_a_publishable_key_signs_nobody_in(world: World) -> None:
    response = await enter(world, world.keys["publishable"])
    assert response.status_code == 401
    assert "publishable" in response.text
    link = await create_sign_in_link(world.database, world.key_ids["publishable"])
    assert (await world.client.get("/sign-in", params={"token": link})).status_code == 410
    assert await world.rows(tables.sessions) == []


async def test_a_key_has_no_more_sessions_than_it_may_and_the_first_ones_go(world: World) -> None:
    async def signed_in(key: str, minute: int) -> str:
        session = await sign_in_with_key(world.database, world.keys[key], HOUR, NOW + timedelta(minutes=minute))
        assert session is not None
        return session.secret

    other = await signed_in("manager", 0)
    first, second, third = [await signed_in("editor", minute) for minute in range(3)]
    assert [await status(world, secret) for secret in (first, second)] == [200, 200]
    await asyncio.gather(*(signed_in("editor", 3) for _ in range(MAX_SESSIONS - 1)))
    assert len(await world.rows(tables.sessions)) == MAX_SESSIONS + 1
    assert await ended(world, first)
    assert await ended(world, second)
    assert [await status(world, secret) for secret in (third, other)] == [200, 200]


async def test_a_junk_cookie_changes_and_announces_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    announced = []
    real = keys.announce

    async def announce(transaction: Transaction) -> None:
        announced.append(transaction)
        await real(transaction)

    for module in (keys, sessions):
        monkeypatch.setattr(module, "announce", announce)
    secret = secret_of(await enter(world, world.keys["editor"], cookie="junk"))
    for cookie in ("junk", "", secret[:-1], "%00", '"\\000"'):
        response = await world.client.post("/sign-out", headers={**HERE, "Cookie": f"sessionid={cookie}"})
        assert response.status_code == 303
    assert announced == []
    assert await status(world, secret) == 200
    await world.client.post("/sign-out", headers={**HERE, "Cookie": f"sessionid={secret}"})
    assert len(announced) == 1


async def test_signing_in_and_out_is_counted_by_address(world: World) -> None:
    # Two tries to sign in, and two other requests.
    settings = Settings(rate_limit_per_minute=2 * TRY_UNITS + 2)
    async with World(create_app(settings, world.database), world.database) as counted:
        counted.keys = world.keys
        assert (await enter(counted, "wrong")).status_code == 401
        assert (await enter(counted, world.keys["editor"])).status_code == 303
        assert (await counted.client.get("/sign-in", params={"token": "wrong"})).status_code == 410
        assert (await counted.client.post("/sign-out", headers={**HERE, "Cookie": "sessionid=x"})).status_code == 303
        for refused in (
            await enter(counted, world.keys["editor"]),
            await counted.client.get("/sign-in", params={"token": "wrong"}),
            await counted.client.post("/sign-out", headers={**HERE, "Cookie": "sessionid=x"}),
        ):
            assert refused.status_code == 429
            assert 0 < int(refused.headers["retry-after"]) <= 60
            assert "Too much was asked from your network address" in refused.text
        assert len(await world.rows(tables.sessions)) == 1
        # A key is not its address: whoever has one goes on.
        assert (await counted.client.get(LIST, headers={"X-API-Key": world.keys["editor"]})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.test", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://elsewhere.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ],
)
async def test_another_site_cannot_sign_anybody_in(world: World, headers: dict[str, str]) -> None:
    response = await world.client.post("/sign-in", data={"api_key": world.keys["editor"]}, headers=headers)
    assert response.status_code == 403
    assert "set-cookie" not in response.headers
    assert await world.rows(tables.sessions) == []


async def test_every_sign_in_makes_a_new_secret_and_ends_the_last(world: World) -> None:
    planted = "chosen-by-somebody-else"
    first = secret_of(await enter(world, world.keys["editor"], cookie=planted))
    assert first != planted
    assert await status(world, planted) == 401
    second = secret_of(await enter(world, world.keys["manager"], cookie=first))
    assert second != first
    assert await ended(world, first)
    assert await status(world, second) == 200
    assert len(await world.rows(tables.sessions)) == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Origin": "http://certgate.test"}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({}, 201),  # JSON, which no form of another site can send
        ({"Origin": "https://elsewhere.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://certgate.test"}, 403),
        ({"Content-Type": "text/plain"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 403),
        ({"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://certgate.test"}, 403),
        ({"Content-Type": "text/plain", "Origin": "http://certgate.test"}, 415),
    ],
)
async def test_what_a_signed_in_browser_may_send(world: World, headers: dict[str, str], expected: int) -> None:
    session = await sign_in_with_key(world.database, world.keys["editor"], HOUR)
    assert session
    body = f'{{"claim_id": "{NON_GMO}"}}'
    sent = {"Content-Type": "application/json", **headers, "Cookie": f"sessionid={session.secret}"}
    response = await world.client.post(CLAIMS, content=body, headers=sent)
    assert response.status_code == expected
    assert len(await world.rows(tables.claim_assignments)) == (1 if expected == 201 else 0)


async def test_behind_a_proxy_the_public_address_is_ours_too(world: World) -> None:
    settings = Settings(public_url="https://certgate.example.org")
    proxied = httpx2.ASGITransport(app=create_app(settings, world.database))
    session = await sign_in_with_key(world.database, world.keys["editor"], HOUR)
    assert session
    async with httpx2.AsyncClient(transport=proxied, base_url="http://10.0.0.7:8000") as client:
        for origin, expected in (("https://certgate.example.org.evil.test", 403), (settings.public_url, 201)):
            headers = {"Origin": origin, "Cookie": f"sessionid={session.secret}"}
            response = await client.post(CLAIMS, json={"claim_id": NON_GMO}, headers=headers)
            assert response.status_code == expected


async def test_another_site_cannot_sign_anybody_out(world: World) -> None:
    secret = secret_of(await enter(world, world.keys["editor"]))
    cookie = {"Cookie": f"sessionid={secret}"}
    for headers in ({"Origin": "https://elsewhere.test"}, {"Sec-Fetch-Site": "same-site"}, {}):
        assert (await world.client.post("/sign-out", headers={**cookie, **headers})).status_code == 403
    assert await status(world, secret) == 200
    assert (await world.client.post("/sign-out", headers={**cookie, **HERE})).status_code == 303
    assert await ended(world, secret)


async def test_a_session_that_is_left_alone_ends(world: World) -> None:
    session = await sign_in_with_key(world.database, world.keys["editor"], 12 * HOUR, NOW)
    assert session
    credentials = Credentials(world.database, idle=HOUR)
    for minutes in (59, 118, 177):
        assert (await credentials.of_session(session.secret, NOW + timedelta(minutes=minutes))).is_session
    with pytest.raises(Unauthorized, match="not used for too long"):
        await credentials.of_session(session.secret, NOW + timedelta(minutes=177 + 60))
    # Being asked in vain does not bring it back.
    with pytest.raises(Unauthorized, match="not used for too long"):
        await credentials.of_session(session.secret, NOW + timedelta(minutes=177 + 61))


async def test_use_does_not_make_a_session_last_for_ever(world: World) -> None:
    session = await sign_in_with_key(world.database, world.keys["editor"], 2 * HOUR, NOW)
    assert session
    credentials = Credentials(world.database, idle=HOUR)
    for minutes in (50, 100, 119):
        await credentials.of_session(session.secret, NOW + timedelta(minutes=minutes))
    with pytest.raises(Unauthorized, match="expired"):
        await credentials.of_session(session.secret, NOW + timedelta(minutes=120))


async def test_what_is_used_in_one_process_is_not_idle_in_another(world: World, database_url: str) -> None:
    session = await sign_in_with_key(world.database, world.keys["editor"], 12 * HOUR, NOW)
    assert session
    here = Credentials(world.database, idle=HOUR)
    elsewhere: Database = await open_database(database_url)
    try:
        there = Credentials(elsewhere, idle=HOUR)
        await there.of_session(session.secret, NOW)
        await here.of_session(session.secret, NOW + timedelta(minutes=50))
        await here.last_used.flush()
        await there.of_session(session.secret, NOW + timedelta(minutes=100))
        with pytest.raises(Unauthorized, match="not used for too long"):
            await here.of_session(session.secret, NOW + timedelta(minutes=111))
        await there.last_used.flush()
        await here.of_session(session.secret, NOW + timedelta(minutes=111))
    finally:
        await elsewhere.close()


async def test_the_idle_time_is_a_setting(world: World) -> None:
    settings = Settings(session_idle_minutes=5)
    async with World(create_app(settings, world.database), world.database) as impatient:
        secret = secret_of(await enter(impatient, world.keys["editor"]))
        async with world.database.write() as transaction:
            long_ago = datetime.now(UTC) - timedelta(minutes=6)
            await transaction.execute(update(tables.sessions).values(created_at=long_ago))
        assert await status(impatient, secret) == 401
        assert await status(world, secret) == 200


async def test_a_session_ends_with_the_membership_behind_it(world: World) -> None:
    await set_member(world.database, "brand", "ann@example.org", Role.EDITOR)
    await world.add_key("ann", "brand", Role.EDITOR, KeyKind.USER, "ann@example.org")
    secret = secret_of(await enter(world, world.keys["ann"]))
    assert await status(world, secret) == 200
    await remove_member(world.database, "brand", "ann@example.org")
    assert await ended(world, secret)
    assert (await enter(world, world.keys["ann"])).status_code == 401
