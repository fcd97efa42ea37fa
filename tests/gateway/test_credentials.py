"""Keys and sessions: found once and remembered, forgotten the moment that anything about them may have changed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

import gateway.auth.credentials
from db import keys
from db.engine.database import Database
from db.engine.opening import open_database
from db.keys import find_key
from db.sql.reads import Read
from domain.access import Caller
from domain.api_keys import digest
from domain.errors import Unauthorized
from domain.short_id import catalogue_id
from domain.vocabulary import Role
from gateway.auth.credentials import Credentials
from resolvers.keys import create_key, list_keys, revoke_key
from resolvers.sessions import create_sign_in_link, sign_in, sign_out
from tests.world import GTIN, World

PATH = f"/certifications/api/v1/products/{GTIN}/certifications"
NOW = datetime.now(UTC)


async def status(world: World, **headers: str) -> int:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await world.client.get(PATH, headers=names)).status_code


async def refused(world: World, **headers: str) -> bool:
    """Whether the credential is refused from now on; what another process tells takes a moment to arrive."""
    for _ in range(500):
        if await status(world, **headers) == 401:
            return True
        await asyncio.sleep(0.01)
    return False


@pytest.fixture
async def elsewhere(world: World, database_url: str) -> AsyncIterator[Database]:
    """The same database as another process has it open."""
    database = await open_database(database_url)
    yield database
    await database.close()


async def session(world: World, key: str, life: timedelta = timedelta(hours=1), now: datetime = NOW) -> str:
    token = await create_sign_in_link(world.database, world.key_ids[key], now)
    made = await sign_in(world.database, token, life, now)
    assert made is not None
    return made.secret


class Counted:
    """How often the key and session statements ran."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        fetch = database.fetch

        async def counted(read: Read[object], **values: object) -> list[object]:
            self.count += read in (keys.BY_DIGEST, keys.BY_SESSION)
            return await fetch(read, **values)

        monkeypatch.setattr(database, "fetch", counted)


async def listening(credentials: Credentials, key: str) -> None:
    """Until what is found is remembered: PostgreSQL's listener needs a moment to connect."""
    for _ in range(500):
        await credentials.of_key(key, NOW)
        if credentials._found.size and credentials.database.epoch() == credentials._found._epoch:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing is ever remembered")


async def test_a_key_is_looked_up_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials(world.database)
    await listening(credentials, world.keys["manager"])
    counted = Counted(world.database, monkeypatch)
    callers = [await credentials.of_key(world.keys["manager"], NOW) for _ in range(20)]
    assert counted.count == 0
    assert {caller.key_id for caller in callers} == {world.key_ids["manager"]}
    assert (callers[0].organization.slug, callers[0].role) == ("brand", Role.MANAGER)


async def test_a_malformed_key_never_reaches_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials(world.database)
    counted = Counted(world.database, monkeypatch)
    for key in ("", "x", "csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_1a2b3c4d", world.keys["manager"] + "0"):
        with pytest.raises(Unauthorized, match="no certgate key"):
            await credentials.of_key(key, NOW)
    assert counted.count == 0


async def test_unknown_keys_are_not_remembered(world: World) -> None:
    credentials = Credentials(world.database)
    await listening(credentials, world.keys["manager"])
    before = credentials._found.size
    for _ in range(3):
        with pytest.raises(Unauthorized, match="unknown or was revoked"):
            await credentials.of_key("csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_84041098", NOW)
    assert credentials._found.size == before


async def test_what_is_remembered_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.auth.credentials, "_MAX_CACHED", 3)
    credentials = Credentials(world.database)
    await listening(credentials, world.keys["manager"])
    for _ in range(2):
        for key in world.keys.values():
            assert isinstance(await credentials.of_key(key, NOW), Caller)
            assert 1 <= credentials._found.size <= 3


async def test_no_secret_is_kept_in_memory(world: World) -> None:
    credentials = Credentials(world.database)
    await listening(credentials, world.keys["manager"])
    assert world.keys["manager"] not in repr(credentials._found._values)


async def test_a_key_made_later_works_at_once(world: World) -> None:
    assert await status(world, x_api_key=world.keys["manager"]) == 200
    await world.add_key("new", "brand", Role.READONLY)
    assert await status(world, x_api_key=world.keys["new"]) == 200


async def test_a_key_revoked_here_is_refused_at_once(world: World) -> None:
    credentials = Credentials(world.database)
    for name in ("editor", "readonly", "publishable", "rival"):
        await listening(credentials, world.keys[name])
        await revoke_key(world.database, world.key_ids[name])
        with pytest.raises(Unauthorized, match="unknown or was revoked"):
            await credentials.of_key(world.keys[name], NOW)
    # The others stay as good as they were.
    await credentials.of_key(world.keys["manager"], NOW)


async def test_a_key_revoked_by_another_process_is_refused(world: World, elsewhere: Database) -> None:
    for name in ("editor", "readonly"):
        assert await status(world, x_api_key=world.keys[name]) == 200
        await revoke_key(elsewhere, world.key_ids[name])
        assert await refused(world, x_api_key=world.keys[name])
    assert await status(world, x_api_key=world.keys["manager"]) == 200


async def test_a_key_revoked_while_it_is_looked_up_is_not_remembered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = Credentials(world.database)
    await listening(credentials, world.keys["manager"])
    find = find_key
    editor = digest(world.keys["editor"])

    async def overtaken(database: Database, secret: str) -> keys.Credential | None:
        found = await find(database, secret)
        if secret == editor:
            before = database.epoch()
            await revoke_key(database, world.key_ids["editor"])
            for _ in range(500):
                if database.epoch() != before:
                    break
                await asyncio.sleep(0.01)
            # Another request notices the change first.
            await credentials.of_key(world.keys["manager"], NOW)
        return found

    with monkeypatch.context() as patched:
        patched.setattr("gateway.auth.credentials.find_key", overtaken)
        # It was still good when it was read.
        await credentials.of_key(world.keys["editor"], NOW)
    with pytest.raises(Unauthorized):
        await credentials.of_key(world.keys["editor"], NOW)


async def test_a_key_with_an_id_takes_the_place_of_the_one_that_has_it(world: World) -> None:
    id = catalogue_id("api-key", "of a test")
    first, second = [await create_key(world.database, "brand", role, id=id) for role in (Role.EDITOR, Role.READONLY)]
    assert await refused(world, X_API_Key=first.secret)
    assert await status(world, X_API_Key=second.secret) == 200
    await revoke_key(world.database, id)
    at_once = [create_key(world.database, "brand", Role.READONLY, name="again", id=id) for _ in range(2)]
    made = await asyncio.gather(*at_once)
    assert [key.name for key in await list_keys(world.database, "brand") if key.id == id] == ["again"]
    assert await refused(world, X_API_Key=second.secret)
    assert sorted([await status(world, X_API_Key=key.secret) for key in made]) == [200, 401]


async def test_an_expired_key_is_refused_though_it_is_remembered(world: World) -> None:
    made = await create_key(world.database, "brand", Role.EDITOR, life=timedelta(hours=1), now=NOW)
    credentials = Credentials(world.database)
    await listening(credentials, made.secret)
    last = NOW + timedelta(hours=1) - timedelta(microseconds=1)
    assert (await credentials.of_key(made.secret, last)).key_id == made.entry.id
    for late in (NOW + timedelta(hours=1), NOW + timedelta(days=400)):
        with pytest.raises(Unauthorized, match="expired"):
            await credentials.of_key(made.secret, late)


async def test_a_session_ends_when_its_time_is_over(world: World) -> None:
    secret = await session(world, "manager")
    credentials = Credentials(world.database)
    assert (await credentials.of_session(secret, NOW)).key_id == world.key_ids["manager"]
    with pytest.raises(Unauthorized, match="expired"):
        await credentials.of_session(secret, NOW + timedelta(hours=1))


async def test_a_session_ends_when_its_key_expires(world: World) -> None:
    made = await create_key(world.database, "brand", Role.EDITOR, life=timedelta(minutes=5), now=NOW)
    world.key_ids["short"] = made.entry.id
    secret = await session(world, "short")
    credentials = Credentials(world.database)
    await credentials.of_session(secret, NOW + timedelta(minutes=4))
    with pytest.raises(Unauthorized, match="expired"):
        await credentials.of_session(secret, NOW + timedelta(minutes=5))


async def test_a_session_ends_when_its_key_is_revoked(world: World, elsewhere: Database) -> None:
    mine, other = await session(world, "editor"), await session(world, "manager")
    assert await status(world, cookie=f"sessionid={mine}") == 200
    await revoke_key(elsewhere, world.key_ids["editor"])
    assert await refused(world, cookie=f"sessionid={mine}")
    assert await status(world, cookie=f"sessionid={other}") == 200


async def test_a_session_ends_when_it_is_signed_out(world: World, elsewhere: Database) -> None:
    mine, other = await session(world, "editor"), await session(world, "editor")
    assert await status(world, cookie=f"sessionid={mine}") == 200
    await sign_out(elsewhere, mine)
    assert await refused(world, cookie=f"sessionid={mine}")
    assert await status(world, cookie=f"sessionid={other}") == 200


async def test_a_link_of_a_revoked_key_signs_nobody_in(world: World) -> None:
    token = await create_sign_in_link(world.database, world.key_ids["editor"], NOW)
    await revoke_key(world.database, world.key_ids["editor"])
    assert await sign_in(world.database, token, timedelta(hours=1), NOW) is None


async def test_a_session_is_no_key_and_a_key_no_session(world: World) -> None:
    secret = await session(world, "manager")
    assert await status(world, x_api_key=secret) == 401
    assert await status(world, cookie=f"sessionid={world.keys['manager']}") == 401
