"""A process that does not hear what others change keeps nothing: a key that was revoked elsewhere is refused."""

import asyncio
import logging
from collections.abc import AsyncIterator
from math import nextafter
from pathlib import Path
from typing import Any

import pytest

from db import keys
from db.engine.database import Database, Pace
from db.engine.postgresql import PostgresqlDatabase
from domain.errors import Unauthorized
from gateway.app import create_app
from gateway.auth.credentials import Credentials
from resolvers.keys import revoke_key
from tests.conftest import SETTINGS
from tests.lent import all_lent, lent
from tests.pgbouncer import pooled
from tests.proxy import Proxy, opened, proxied
from tests.served import until
from tests.world import GTIN, NON_GMO, NOON, VEGAN, World

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

QUICK = Pace(period=0.02, patience=0.5, bound=3600)
PATH = f"/certifications/api/v1/products/{GTIN}/certifications"
QUESTION = {"query": f'{{ product(gtin: "{GTIN}") {{ name }} }}'}


@pytest.fixture
async def proxy(world: World, database_url: str) -> AsyncIterator[Proxy]:
    """A proxy before the world's server."""
    async with proxied(database_url) as proxy:
        yield proxy


@pytest.fixture
async def served(world: World, proxy: Proxy) -> AsyncIterator[World]:
    """The same world as another process serves it, from behind the proxy."""
    async with opened(proxy.url, QUICK) as database, World(create_app(SETTINGS, database), database) as served:
        served.keys |= world.keys
        assert await database.hears()
        yield served


async def rest(world: World, key: str) -> int:
    """The status that a read gets."""
    return (await world.client.get(PATH, headers={"X-API-Key": world.keys[key]})).status_code


async def graphql(world: World, key: str) -> int:
    """The status that a query gets."""
    headers = {"X-API-Key": world.keys[key]}
    return (await world.client.post("/graphql", json=QUESTION, headers=headers)).status_code


async def ready(world: World) -> Any:
    """What `/readyz` answers; whatever it is, requests are served."""
    answer = await world.client.get("/readyz")
    assert answer.status_code == 200
    return answer.json()


async def comes_to(hears: bool, database: Database) -> None:
    """Returns when it is so."""
    for _ in range(2000):
        if await database.hears() is hears:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come to that")


def look_ups(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The reads that find a key, from now on."""
    found: list[Any] = []
    fetch = database.fetch

    async def noted(read: Any, *arguments: Any, **values: Any) -> list[Any]:
        if read is keys.BY_DIGEST:
            found.append(read)
        return await fetch(read, *arguments, **values)

    monkeypatch.setattr(database, "fetch", noted)
    return found


async def test_a_forgotten_connection_is_noticed_and_a_revoked_key_refused(
    world: World, served: World, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "certgate.changes")
    found = look_ups(served.database, monkeypatch)
    for key in ("manager", "editor"):
        assert (await rest(served, key), await graphql(served, key)) == (200, 200)
    found.clear()
    assert [await face(served, key) for face in (rest, graphql) for key in ("manager", "editor")] == [200] * 4
    assert found == []
    assert await ready(served) == {
        "status": "ok",
        "database": "ok",
        "changes": "ok",
        "rate_limits": "ok",
        "date_events": "ok",
    }

    proxy.silent = b"certgate-listen"
    await revoke_key(world.database, world.key_ids["editor"])
    await comes_to(False, served.database)
    assert (await rest(served, "editor"), await graphql(served, "editor")) == (401, 401)
    # The others pay a look-up for each request, and get no error.
    found.clear()
    assert [await rest(served, "manager") for _ in range(3)] == [200] * 3
    assert len(found) == 3
    assert await graphql(served, "manager") == 200
    assert len(found) == 4
    assert await ready(served) == {
        "status": "degraded",
        "database": "ok",
        "changes": "not heard",
        "rate_limits": "ok",
        "date_events": "ok",
    }

    # It tries again and again; nothing more is said.
    attempts = proxy.listeners
    await until(lambda: proxy.listeners >= attempts + 2)
    proxy.silent = None
    await comes_to(True, served.database)
    assert await rest(served, "manager") == 200
    found.clear()
    assert await rest(served, "manager") == 200
    assert found == []
    begun, ended = [record.getMessage() for record in caplog.records]
    assert "not heard of (it has fallen silent)" in begun
    assert "heard of again" in ended


async def test_nothing_is_served_from_memory_by_a_proof_that_is_too_old(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the loop was busy, or nothing can be sent because every connection is lent."""
    database = served.database
    assert isinstance(database, PostgresqlDatabase)
    hearing = database._hearing
    now = hearing._clock()
    monkeypatch.setattr(hearing, "_clock", lambda: now)
    # A proof that holds from that very moment; sums of its parts need not be the moment at which it ends.
    ends = now + QUICK.bound
    await until(lambda: hearing._until == ends)
    async with all_lent(database._readers):
        epoch = database.epoch()
        now = nextafter(ends, 0)
        assert database.epoch() == epoch
        now = ends
        assert database.epoch() != database.epoch()
        assert not await database.hears()
    await comes_to(True, database)
    assert database.epoch() == database.epoch()


async def test_a_change_is_heard_of_before_the_proof_that_comes_after_it(
    world: World, served: World, proxy: Proxy
) -> None:
    database = served.database
    assert isinstance(database, PostgresqlDatabase)
    hearing = database._hearing
    for _ in range(2):
        assert await rest(served, "editor") == 200
    proxy.hold()
    await revoke_key(world.database, world.key_ids["editor"])
    revoked = hearing._clock()
    asyncio.get_running_loop().call_later(0.1, proxy.release)
    await until(lambda: hearing._until >= revoked + QUICK.bound)
    assert await rest(served, "editor") == 401


async def test_what_is_changed_before_a_process_listens_is_not_served_from_memory(world: World, proxy: Proxy) -> None:
    """It looks a key up before it listens, and the key is revoked before it does."""
    proxy.silent = b"certgate-listen"
    async with opened(proxy.url, QUICK._replace(patience=0.1)) as database:
        # Nothing else is looked up: each look without a proof would make what is kept outdated, too.
        credentials = Credentials(database)
        assert (await credentials.of_key(world.keys["editor"], NOON)).key_id == world.key_ids["editor"]
        await revoke_key(world.database, world.key_ids["editor"])
        proxy.silent = None
        await comes_to(True, database)
        with pytest.raises(Unauthorized):
            await credentials.of_key(world.keys["editor"], NOON)


async def test_a_proof_holds_from_the_moment_in_which_it_was_begun(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from that in which it arrives: what was changed in between may not have been heard of."""
    database = served.database
    assert isinstance(database, PostgresqlDatabase)
    hearing = database._hearing
    now = hearing._clock()
    notify = hearing._notify

    async def slow(channel: str, payload: str) -> None:
        nonlocal now
        now += 1
        await notify(channel, payload)

    monkeypatch.setattr(hearing, "_clock", lambda: now)
    monkeypatch.setattr(hearing, "_notify", slow)
    number = hearing._number
    await until(lambda: hearing._number > number + 3)
    assert now - QUICK.bound < hearing._until < now + QUICK.bound


async def test_whatever_ends_the_listening_it_is_tried_again(
    served: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    database = served.database
    assert isinstance(database, PostgresqlDatabase)
    connect = database._hearing._connect
    defects = iter((ZeroDivisionError("a defect"), OSError(113, "No route to host")))

    async def fails() -> Any:
        for error in defects:
            raise error
        return await connect()

    monkeypatch.setattr(database._hearing, "_connect", fails)
    async with lent(database._readers) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'certgate-listen'"
            " AND datname = current_database()"
        )
    await comes_to(False, database)
    await comes_to(True, database)
    begun, ended = [record.getMessage() for record in caplog.records if record.name == "certgate.changes"]
    assert "not heard of (the connection that listens was closed)" in begun
    assert "heard of again" in ended
    assert next(defects, None) is None


async def test_behind_a_pooler_in_transaction_mode_everything_is_looked_up_and_the_log_says_why(
    world: World, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        pooled(database_url, tmp_path, "transaction") as url,
        opened(f"{url}&pgbouncer=true", QUICK) as database,
        World(create_app(SETTINGS, database), database) as served,
    ):
        served.keys |= world.keys
        heard, told = asyncio.Queue[Any](), asyncio.Queue[Any]()
        heard.put_nowait({"type": "lifespan.startup"})
        serving = asyncio.ensure_future(served.app({"type": "lifespan"}, heard.get, told.put))
        # At the start, not at the first request.
        assert (await told.get())["type"] == "lifespan.startup.complete"
        [said] = [record.getMessage() for record in caplog.records if record.name == "certgate.changes"]
        assert "a pooler in transaction mode, which delivers no notifications" in said
        assert "let CERTGATE_DATABASE_DIRECT_URL name the server" in said
        heard.put_nowait({"type": "lifespan.shutdown"})
        await serving

        asked = (face(served, key) for key in ("manager", "editor") for face in (rest, graphql) for _ in range(10))
        assert set(await asyncio.gather(*asked)) == {200}
        headers = {"X-API-Key": served.keys["manager"]}
        for code, status in ((NON_GMO, 201), (VEGAN, 201), (VEGAN, 409)):
            claims = f"/certifications/api/v1/products/{GTIN}/claims"
            made = await served.client.post(claims, json={"claim_id": code}, headers=headers)
            assert made.status_code == status
        await revoke_key(world.database, world.key_ids["editor"])
        assert (await rest(served, "editor"), await graphql(served, "editor")) == (401, 401)
        assert (await ready(served))["changes"] == "not heard"


async def test_a_pooler_in_transaction_mode_is_noticed_and_what_listens_goes_around_it(
    world: World, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The URL says nothing of it."""
    async with (
        pooled(database_url, tmp_path, "transaction") as url,
        opened(url, QUICK, direct_url=database_url) as database,
        World(create_app(SETTINGS, database), database) as served,
    ):
        served.keys |= world.keys
        assert await database.hears()
        assert await ready(served) == {
            "status": "ok",
            "database": "ok",
            "changes": "ok",
            "rate_limits": "ok",
            "date_events": "ok",
        }
        asked = (face(served, key) for key in ("manager", "editor") for face in (rest, graphql) for _ in range(10))
        assert set(await asyncio.gather(*asked)) == {200}
        before = database.epoch()
        await revoke_key(world.database, world.key_ids["editor"])
        await until(lambda: database.epoch() != before)
        assert (await rest(served, "editor"), await graphql(served, "editor")) == (401, 401)
        [said] = [record.getMessage() for record in caplog.records if record.name == "certgate.database"]
        assert said.startswith("CERTGATE_DATABASE_URL leads to a pooler in transaction mode")


async def test_a_pooler_in_session_mode_delivers(
    database_url: str, world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with pooled(database_url, tmp_path, "session") as url, opened(url, QUICK) as database:
        assert await database.hears()
        assert caplog.records == []
        before = database.epoch()
        await revoke_key(world.database, world.key_ids["editor"])
        await until(lambda: database.epoch() != before)
        assert await database.hears()
