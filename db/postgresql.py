"""PostgreSQL: two asyncpg pools with prepared statements, one to read and one to write.

A write sends `BEGIN`, its statements and `COMMIT`, and nothing else: connections are not pinged when they are taken
(`BEGIN` shows whether one is alive, and nothing is lost if it is not), nor reset when they are given back.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import cast

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy
from asyncpg.transaction import Transaction as ServerTransaction
from sqlalchemy import URL

from db.compiled import POSTGRESQL, Compiled
from db.database import Database, Transaction, Values
from db.keys import CHANNEL
from db.reads import R, Read, Row
from domain.errors import Busy

_CONNECTIONS = 8
_POOL_SECONDS = 5
# A statement that waits for a lock gives up before its client does.
_SERVER = {"statement_timeout": "10000", "lock_timeout": "5000", "application_name": "certgate"}
# What is left when the server has gone without a word.
_ANSWER_SECONDS = 15
_CONTENTION = {"40001", "40P01", "55P03", "57014", "53300"}
_DEAD = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.InterfaceError, ConnectionError)


class PostgresqlTransaction(Transaction):
    """A transaction on one connection of the pool."""

    def __init__(self, connection: PoolConnectionProxy) -> None:
        super().__init__(POSTGRESQL)
        self._connection = connection

    async def notify(self, channel: str) -> None:
        """Tells every process that listens, once this transaction has committed."""
        await super().notify(channel)
        await self._connection.execute("SELECT pg_notify($1, '')", channel)

    async def _rows(self, statement: Compiled, values: Values, *, scans: bool = False) -> Sequence[Row]:
        return cast(list[Row], await self._connection.fetch(statement.sql, *statement.bind(values)))

    async def _count(self, statement: Compiled, values: Values, *, scans: bool = False) -> int:
        # The server answers `INSERT 0 1`, `UPDATE 3`.
        status = await self._connection.execute(statement.sql, *statement.bind(values))
        return int(status.rpartition(" ")[2])

    async def _many(self, statement: Compiled, rows: Sequence[Values]) -> None:
        await self._connection.executemany(statement.sql, [statement.bind(row) for row in rows])


class PostgresqlDatabase(Database):
    """A PostgreSQL database."""

    def __init__(self, pool: asyncpg.Pool, writers: asyncpg.Pool, dsn: str) -> None:
        self._pool = pool
        # Of their own, so that writes that wait for each other's locks leave the reads alone.
        self._writers = writers
        self._dsn = dsn
        self._epoch = 0
        self._listener: asyncpg.Connection | None = None
        self._listening: asyncio.Task[None] | None = None

    async def fetch(self, read: Read[R], **values: object) -> list[R]:
        """The committed records of a read."""
        statement = read.compiled(POSTGRESQL)
        try:
            async with self._pool.acquire(timeout=_POOL_SECONDS) as connection:
                rows = await connection.fetch(statement.sql, *statement.bind(values))
        except (TimeoutError, asyncpg.QueryCanceledError, asyncpg.TooManyConnectionsError) as error:
            raise Busy("The database has no connection to spare; try again in a second.") from error
        return read.records(statement, cast(list[Row], rows))

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """A write transaction at the server's default isolation, READ COMMITTED."""
        try:
            connection, begun = await self._begin()
            try:
                transaction = PostgresqlTransaction(connection)
                try:
                    yield transaction
                except BaseException:
                    # A connection that is lost has rolled back by itself; the error that says so is the block's.
                    with suppress(*_DEAD):
                        await begun.rollback()
                    raise
                await begun.commit()
            finally:
                await self._writers.release(connection)
        except asyncpg.PostgresError as error:
            if error.sqlstate in _CONTENTION:
                raise Busy("The database is busy with other writes; try again in a second.") from error
            raise
        if transaction.notified:
            # The server's notification arrives a little later than the answer to this write.
            self._epoch += 1

    async def _begin(self) -> tuple[PoolConnectionProxy, ServerTransaction]:
        """A connection and the transaction begun on it. Those that died since their last use are left aside."""
        for attempt in range(_CONNECTIONS + 1):
            try:
                connection = await self._writers.acquire(timeout=_POOL_SECONDS)
            except TimeoutError as error:
                raise Busy("Too many writes are waiting; try again in a second.") from error
            begun = connection.transaction()
            try:
                await begun.start()
            except BaseException as error:
                await self._writers.release(connection)
                if isinstance(error, _DEAD) and attempt < _CONNECTIONS:
                    continue
                raise
            return connection, begun
        raise AssertionError("unreachable")

    def epoch(self) -> object:
        """Counts notifications; while nobody listens, a new value each time, so that nothing stays cached."""
        if self._listener is None or self._listener.is_closed():
            self._epoch += 1
            if self._listening is None or self._listening.done():
                self._listening = asyncio.get_running_loop().create_task(self._listen())
        return self._epoch

    async def _listen(self) -> None:
        try:
            listener = await asyncpg.connect(self._dsn, server_settings={"application_name": "certgate-listen"})
        except (OSError, asyncpg.PostgresError, TimeoutError):
            # The next request tries again; until then every key is looked up afresh.
            return
        await listener.add_listener(CHANNEL, self._notified)
        self._listener = listener
        self._epoch += 1

    def _notified(self, *_: object) -> None:
        self._epoch += 1

    async def close(self) -> None:
        """Lets the writes that wait finish, and closes both pools and the listening connection."""
        if self._listening is not None:
            # Cancelled half-way it would leave a connection behind.
            await self._listening
        if self._listener is not None:
            await self._listener.close()
        await self._pool.close()
        await self._writers.close()


async def _prepare(connection: asyncpg.Connection) -> None:
    # Parameters are texts already (`db.compiled.json_text`).
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=msgspec.json.decode)


async def _keep(connection: asyncpg.Connection) -> None:
    """Nothing here leaves session state behind, so the reset, a round trip after each use, is left out."""


async def _pool(dsn: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=_CONNECTIONS,
        init=_prepare,
        reset=_keep,
        command_timeout=_ANSWER_SECONDS,
        server_settings=_SERVER,
    )


async def open_postgresql(url: URL) -> PostgresqlDatabase:
    """Opens both pools. Raises asyncpg's or the system's error when the server cannot be reached."""
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    readers = await _pool(dsn)
    try:
        return PostgresqlDatabase(readers, await _pool(dsn), dsn)
    except BaseException:
        await readers.close()
        raise
