"""Lending connections to PostgreSQL: whatever happens to a borrower, no place is lost and nothing half-done is lent."""

import asyncio
from typing import Any

import asyncpg
import pytest
from sqlalchemy import func, select, update

import db.engine.lender
import db.engine.postgresql
from db.engine.lender import Lender, PostgresqlConnection, _too_late
from db.engine.opening import open_database
from db.engine.postgresql import PostgresqlDatabase
from db.sql import tables
from db.sql.reads import Read
from domain.errors import Busy
from tests.lent import all_lent, lent
from tests.proxy import opened, proxied
from tests.world import GTIN, World

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

SLEEP = Read(select(func.pg_sleep(60)), tuple)
PID = Read(select(func.pg_backend_pid()), tuple)
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
RENAME = update(tables.products).where(tables.products.c.gtin == GTIN)


@pytest.fixture
def postgresql(world: World) -> PostgresqlDatabase:
    assert isinstance(world.database, PostgresqlDatabase)
    return world.database


async def soon(condition: Any) -> None:
    """Returns as soon as the condition holds."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to pass")


def idle(lender: Lender) -> list[PostgresqlConnection]:
    return [connection for connection in lender._free if connection is not None and not connection.is_closed()]


async def running(database: PostgresqlDatabase) -> list[str]:
    """What other connections of this database run."""
    async with lent(database._writers) as connection:
        rows = await connection.fetch(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
            " AND pid <> pg_backend_pid()"
        )
    return [row[0] for row in rows]


async def until_asleep(database: PostgresqlDatabase) -> None:
    """Returns as soon as the server runs `SLEEP`: what is cancelled before that is not noticed by anybody."""
    for _ in range(1000):
        async with lent(database._writers) as connection:
            if await connection.fetchval(ASLEEP):
                return
    raise AssertionError("it never began")


async def test_one_after_another_they_use_one_connection(postgresql: PostgresqlDatabase) -> None:
    assert len({(await postgresql.fetch(PID))[0] for _ in range(5)}) == 1
    assert len(idle(postgresql._readers)) == 1


async def test_readers_at_the_same_time_use_as_many_as_there_are_and_the_rest_wait(
    postgresql: PostgresqlDatabase,
) -> None:
    answers = await asyncio.gather(*(postgresql.fetch(PID) for _ in range(50)))
    assert len({answer[0] for answer in answers}) == postgresql._readers.size == 8
    assert len(idle(postgresql._readers)) == 8


async def test_a_reader_that_is_cancelled_stops_its_statement_and_keeps_its_connection(
    postgresql: PostgresqlDatabase,
) -> None:
    before = await postgresql.fetch(PID)
    reading = asyncio.create_task(postgresql.fetch(SLEEP))
    await until_asleep(postgresql)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    # Nobody gets it before the server has given up the statement.
    assert idle(postgresql._readers) == []
    await soon(lambda: idle(postgresql._readers))
    assert await running(postgresql) == []
    assert await postgresql.fetch(PID) == before


async def test_readers_that_are_cancelled_while_they_wait_cost_no_place(postgresql: PostgresqlDatabase) -> None:
    async with all_lent(postgresql._readers):
        waiting = [asyncio.create_task(postgresql.fetch(PID)) for _ in range(3)]
        await soon(lambda: len(postgresql._readers._waiting) == 3)
        for task in waiting[:2]:
            task.cancel()
        await asyncio.sleep(0)
    assert len(await waiting[2]) == 1
    assert all(waiter.done() for waiter in postgresql._readers._waiting)
    async with all_lent(postgresql._readers) as connections:
        assert len(connections) == 8


async def test_beyond_so_many_who_wait_one_is_refused_at_once(
    postgresql: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.engine.lender, "MAX_WAITING", 2)
    async with all_lent(postgresql._readers):
        waiting = [asyncio.create_task(postgresql.fetch(PID)) for _ in range(2)]
        await soon(lambda: len(postgresql._readers._waiting) == 2)
        with pytest.raises(Busy, match="no connection to spare"):
            await postgresql.fetch(PID)
    assert [len(each) for each in await asyncio.gather(*waiting)] == [1, 1]


async def test_one_that_is_cancelled_in_the_moment_of_its_turn_gives_the_connection_on(
    postgresql: PostgresqlDatabase,
) -> None:
    async with all_lent(postgresql._readers) as connections:
        first, second = (asyncio.create_task(postgresql.fetch(PID)) for _ in range(2))
        await soon(lambda: len(postgresql._readers._waiting) == 2)
        held = connections[0]
        postgresql._readers.give(held)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await second == [(held.get_server_pid(),)]
        assert await postgresql._readers.take() is held


async def test_one_that_is_cancelled_in_the_moment_it_gives_up_is_cancelled(postgresql: PostgresqlDatabase) -> None:
    async with all_lent(postgresql._readers):
        reading = asyncio.create_task(postgresql.fetch(PID))
        await soon(lambda: postgresql._readers._waiting)
        _too_late(postgresql._readers._waiting[0])
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading


async def test_a_write_that_is_cancelled_leaves_no_transaction_behind(
    world: World, postgresql: PostgresqlDatabase
) -> None:
    begun = asyncio.Event()

    async def write() -> None:
        async with postgresql.write() as transaction:
            await transaction.execute(RENAME, {"name": "lost"})
            begun.set()
            await transaction.fetch(SLEEP)

    writing = asyncio.create_task(write())
    await begun.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    (connection,) = idle(postgresql._writers)
    assert not connection.is_in_transaction()
    async with postgresql.write() as transaction:
        await transaction.execute(RENAME, {"name": "kept"})
    assert "kept" in str(await world.rows(tables.products))
    assert "lost" not in str(await world.rows(tables.products))


async def test_a_write_may_be_cancelled_at_any_moment(postgresql: PostgresqlDatabase) -> None:
    async def write() -> None:
        async with postgresql.write() as transaction:
            await transaction.execute(RENAME, {"name": "new"})

    for turns in range(12):
        writing = asyncio.create_task(write())
        for _ in range(turns):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        async with all_lent(postgresql._writers) as connections:
            assert not any(connection.is_in_transaction() for connection in connections)
    await write()


async def test_a_statement_that_fails_leaves_the_connection_in_order(postgresql: PostgresqlDatabase) -> None:
    before = await postgresql.fetch(PID)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await postgresql.fetch(Read(select(func.div(1, 0)), tuple))
    await soon(lambda: idle(postgresql._readers))
    assert await postgresql.fetch(PID) == before


async def test_a_statement_goes_on_after_its_table_was_changed(postgresql: PostgresqlDatabase) -> None:
    async def rows(connection: PostgresqlConnection) -> list[tuple[Any, ...]]:
        return [*map(tuple, (await connection.ask("SELECT x FROM changing", []))[0])]

    async with lent(postgresql._readers) as reader, lent(postgresql._writers) as writer:
        await writer.execute("CREATE TABLE changing (x integer); INSERT INTO changing VALUES (1)")
        try:
            for _ in range(2):
                assert await rows(reader) == [(1,)]
            await writer.execute("ALTER TABLE changing ALTER x TYPE text")
            for _ in range(2):
                assert await rows(reader) == [("1",)]
            # In a transaction there is no second try; the next one has it.
            await writer.execute("ALTER TABLE changing ALTER x TYPE integer USING x::integer")
            async with reader.transaction():
                with pytest.raises(asyncpg.InvalidCachedStatementError):
                    await rows(reader)
                await reader.execute("ROLLBACK; BEGIN")
            assert await rows(reader) == [(1,)]
        finally:
            await writer.execute("DROP TABLE changing")


async def test_what_is_not_used_for_long_is_closed(postgresql: PostgresqlDatabase) -> None:
    lender = postgresql._readers
    async with all_lent(lender):
        pass
    lender._sweep()
    assert len(idle(lender)) == 8
    used = await postgresql.fetch(PID)
    lender._sweep()
    assert [connection.get_server_pid() for connection in idle(lender)] == [used[0][0]]
    assert len({answer[0] for answer in await asyncio.gather(*(postgresql.fetch(PID) for _ in range(50)))}) == 8


async def test_closing_lets_those_finish_who_have_begun_or_wait(
    postgresql: PostgresqlDatabase, database_url: str
) -> None:
    opened = 0

    async def connect() -> PostgresqlConnection:
        nonlocal opened
        opened += 1
        return await db.engine.postgresql._connect(postgresql._dsn)

    lender = Lender(connect, 1)
    connection = await lender.take()
    waiting = asyncio.create_task(lender.first("SELECT 1", ()))
    await asyncio.sleep(0)
    closing = asyncio.create_task(lender.close())
    await asyncio.sleep(0)
    assert not connection.is_closed()
    lender.give(connection)
    same, (rows, _) = await waiting
    assert (same, [*map(tuple, rows)]) == (connection, [(1,)])
    assert not connection.is_closed()
    lender.give(same)
    await closing
    assert connection.is_closed()
    assert opened == 1


async def test_a_place_whose_connection_cannot_be_opened_is_free_again(postgresql: PostgresqlDatabase) -> None:
    async def refused() -> PostgresqlConnection:
        raise ConnectionRefusedError

    lender = Lender(refused, 1)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await lender.take()
    await lender.close()


async def test_a_successor_that_is_lost_as_well_is_said(postgresql: PostgresqlDatabase, database_url: str) -> None:
    ended = 0

    async def lost_at_once() -> PostgresqlConnection:
        """A connection that the server ends before it is used."""
        nonlocal ended
        connection = await db.engine.postgresql._connect(postgresql._dsn)
        async with lent(postgresql._writers) as other:
            ended += await other.fetchval("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
        return connection

    database = await open_database(database_url)
    assert isinstance(database, PostgresqlDatabase)
    await database._readers.close()
    database._readers = Lender(lost_at_once, 2)
    with pytest.raises(Busy, match="cannot be reached"):
        await database.fetch(PID)
    assert ended == 2
    # Both places are free again.
    async with all_lent(database._readers):
        pass
    await database.close()


async def test_a_server_that_goes_silent_is_not_waited_for_endlessly(
    postgresql: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.engine.postgresql, "_ANSWER_SECONDS", 1)
    async with proxied(postgresql._dsn) as proxy, opened(proxy.url) as database:
        assert isinstance(database, PostgresqlDatabase)
        assert len(await database.fetch(PID)) == 1
        proxy.silent = b""
        with monkeypatch.context() as impatience:
            impatience.setattr(db.engine.lender, "_OPEN_SECONDS", 0.2)
            with pytest.raises(Busy):
                await database.fetch(PID)
            # What said nothing is given up, although it was never closed.
            await asyncio.gather(*database._readers._mending)
        assert idle(database._readers) == []
        proxy.silent = None
        assert len(await database.fetch(PID)) == 1
