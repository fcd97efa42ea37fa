"""PostgreSQL: asyncpg with prepared statements, on connections to read and connections to write.

A write sends `BEGIN`, its statements and `COMMIT`, and nothing else: connections are not pinged when they are taken
(`BEGIN` shows whether one is alive, and nothing is lost if it is not), nor reset when they are given back.
"""

import asyncio
import errno
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, nullcontext
from functools import lru_cache, partial
from time import perf_counter
from types import MappingProxyType
from typing import Any

import asyncpg
from sqlalchemy import URL, Dialect, Table
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from db.engine import noting
from db.engine.codecs import set_codecs
from db.engine.database import CHANNEL, PART, Database, Make, Pace, T, Transaction, UnusableDatabase, Values, log
from db.engine.gathering import Gathering, Run, inserts_into, rows_of
from db.engine.hearing import Hearing
from db.engine.lender import Lender, PostgresqlConnection, is_lost
from db.engine.noting import COMMIT, Statement, begin, end, notes
from db.engine.pooler import pools_transactions
from db.engine.postgresql_url import Target, target_of, unprepared
from db.engine.shards import PLACED, SEVERAL, Placement
from db.engine.turns import Turns
from db.sql import writes
from db.sql.compiled import Compiled, json_text
from db.sql.copying import CopiedRows, texts_of
from db.sql.reads import KeyedRead, Read, Row
from db.sql.tables import SHARDED

POSTGRESQL: Dialect = PGDialect_asyncpg(json_serializer=json_text)  # type: ignore[no-untyped-call]

# Of the connections to read, so many take what may scan. The others are left for what is read by key.
_SCANNING = 0.75
# The server's side sends something over an idle connection, so that nobody on the way forgets it.
_ALIVE = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
# A statement that waits for a lock gives up before its client does. Compiling one that counts takes the server longer
# than to run it, several times so where it is made of many conditions.
_SERVER = {
    "statement_timeout": "10000",
    "lock_timeout": "5000",
    "jit": "off",
    "application_name": "certgate",
    **_ALIVE,
}
# What `certgate distribute` leaves there.
_IS_SHARDED = f"SELECT coalesce(obj_description(to_regclass('products'), 'pg_class') = '{SHARDED}', false)"
# Of several servers one may be frozen: then a read by key ends after so many seconds, a statement of a write after so
# many milliseconds.
_SHARD_READS = 5.0
_SHARD_WRITES = "5000"
# Of fewer rows a statement that is prepared takes less time.
_COPIED = 50
# What is left when the server has gone without a word.
_ANSWER_SECONDS = 15


_POSITION = (
    "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END"
    " - '0/0')::bigint"
)
# One that was promoted has a log of its own, whose positions say nothing of the primary's.
_REPLAYED = "SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint ELSE -1 END"


class PostgresqlTransaction(Transaction):
    """A transaction on one connection, which it takes when it begins."""

    def __init__(
        self, database: Database, writers: Lender, inserting: Callable[..., Gathering[bool]], *, single: bool
    ) -> None:
        super().__init__(database, POSTGRESQL)
        self.single = single
        self._writers = writers
        self._inserting = inserting
        self._connection: PostgresqlConnection | None = None
        self._parted = False

    async def begin(self) -> PostgresqlConnection:
        """Begins it, on the connection that is answered."""
        self._connection, _ = await self._writers.first("BEGIN", ())
        return self._connection

    async def commit(self) -> None:
        """Commits what was begun, if anything was, and gives the connection back."""
        connection = self._connection
        if connection is None:
            return
        noted = begin(COMMIT)
        try:
            if await connection.execute("COMMIT") != "COMMIT":
                # A statement failed and the block went on as if it had not.
                raise asyncpg.InFailedSQLTransactionError("The transaction was rolled back, not committed.")
        except BaseException as error:
            await self.roll_back(error)
            raise
        end(noted)
        self._writers.give(connection)

    async def roll_back(self, error: BaseException) -> None:
        """Rolls back what was begun, if anything was, after an error, and gives the connection back."""
        if self._connection is not None:
            await self._writers.roll_back(self._connection, error)

    def lost_its_connection(self, error: Exception) -> bool:
        """Whether an error, which may be a mistake of ours as well, came of a connection that is closed or outdated."""
        may_be = isinstance(error, asyncpg.InterfaceError | asyncpg.InvalidCachedStatementError)
        return may_be and self._connection is not None and is_lost(self._connection, error)

    async def insert_alone(
        self, table: Table, values: dict[str, Any], *, unless: tuple[str, ...], owner: str, entry: dict[str, Any]
    ) -> bool:
        """One round trip instead of four, or a part of one: a statement outside of a transaction is one by itself."""
        # The log is not on the server that has the product, where there are several.
        if not self.single or self._connection is not None or self.database.sharded:
            return False
        row = {**values, "owner": owner, **entry}
        noted = begin(writes.insert_owned(POSTGRESQL, table, tuple(values), unless), row)
        self.is_told = await self._inserting(table, tuple(values), unless).ask([row])
        end(noted)
        return self.is_told

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """One round trip: a block that was left well is released by the next one, or by the commit."""
        connection = self._connection or await self.begin()
        await connection.execute("RELEASE SAVEPOINT part; SAVEPOINT part" if self._parted else "SAVEPOINT part")
        self._parted = True
        try:
            yield
        except Exception:
            # A connection that is lost has rolled back by itself; the error that says so is the block's.
            if not connection.is_closed():
                await connection.execute("ROLLBACK TO SAVEPOINT part")
            raise

    async def serialize(self, work: str) -> None:
        """Takes an advisory lock, which PostgreSQL gives back when the transaction ends."""
        connection = self._connection or await self.begin()
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", work)

    async def plan_anew(self) -> None:
        """Up to its end; a setting of its own, since planning takes as long as reading a few rows does."""
        connection = self._connection or await self.begin()
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")

    async def count_anew(self, tables: Iterable[Table]) -> None:
        """By ANALYZE, which looks at a sample of them, however large they are."""
        connection = self._connection or await self.begin()
        for table in tables:
            # What is in no index would take longer than the rest, and has time until the server looks by itself.
            indexed = {column.name for index in table.indexes for column in index.columns}
            indexed |= {column.name for column in table.primary_key}
            # Whoever has locked the table is looking already, or tidies it up, and is not waited for.
            await connection.execute(f"ANALYZE (SKIP_LOCKED) {table.name} ({', '.join(sorted(indexed))})")

    async def notify(self, channel: str) -> None:
        """Tells every process that listens, once this transaction has committed."""
        await super().notify(channel)
        connection = self._connection or await self.begin()
        await connection.execute("SELECT pg_notify($1, '')", channel)

    async def _rows(self, statement: Compiled, values: Values, *, scans: bool = False) -> list[Row]:
        connection = self._connection or await self.begin()
        noted = begin(statement, values)
        rows, _ = await connection.ask(statement.sql, statement.bind(values))
        end(noted)
        return rows

    async def _count(self, statement: Compiled, values: Values, *, scans: bool = False) -> int:
        connection = self._connection or await self.begin()
        noted = begin(statement, values)
        _, done = await connection.ask(statement.sql, statement.bind(values))
        end(noted)
        return _number(done)

    async def _many(self, statement: Compiled, rows: Sequence[Values]) -> None:
        connection = self._connection or await self.begin()
        noted = begin(statement)
        await connection.executemany(statement.sql, [statement.bind(row) for row in rows])
        end(noted)

    async def insert_new(self, table: Table, rows: Sequence[dict[str, Any]]) -> bool:
        """By COPY, which takes the server two thirds of the time of the other way."""
        # With tables in parts, it would have connections of its own to each server.
        if len(rows) < _COPIED or self.database.sharded:
            return await super().insert_new(table, rows)
        connection, columns = self._connection or await self.begin(), tuple(rows[0])
        for part in rows.texts if isinstance(rows, CopiedRows) else texts_of(table, rows, PART):
            noted = begin(_copy(table, columns))
            try:
                async with aclosing(_source(part)) as source:
                    await connection.copy_to_table(table.name, source=source, columns=columns)
            except asyncpg.UniqueViolationError:
                return False
            end(noted)
        return True

    async def _insert_missing(self, table: Table, rows: list[dict[str, Any]]) -> int:
        return len(await self._rows(writes.insert_given(POSTGRESQL, table, tuple(rows[0])), {"rows": rows}))


async def _source(text: bytes) -> AsyncGenerator[bytes, None]:
    """A text to be copied: a file would be read in another thread, and bytes would be the name of one."""
    yield text


@lru_cache(maxsize=64)
def _copy(table: Table, columns: tuple[str, ...]) -> Compiled:
    return Compiled(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN", lambda _: [], ())


_OF_FILES = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""What the system says of a file that somebody writes beside, and of no connection."""


def _is_gone(error: Exception) -> bool:
    """Whether the server cannot be reached, does not answer in time, or says what makes no sense."""
    if isinstance(error, OSError):
        return error.errno not in _OF_FILES
    return isinstance(error, asyncpg.InternalClientError)


def _number(done: bytes) -> int:
    """How many rows: in `INSERT 0 1`, `UPDATE 3`."""
    return int(done.rpartition(b" ")[2])


async def _rows(lender: Lender, statement: Compiled, values: Values) -> list[Row]:
    connection, (rows, _) = await lender.first(statement.sql, statement.bind(values))
    lender.give(connection)
    return rows


async def _rows_in_time(
    lender: Lender, turn: AbstractAsyncContextManager[None], statement: Compiled, values: Values
) -> list[Row]:
    async with asyncio.timeout(_SHARD_READS), turn:
        return await _rows(lender, statement, values)


def _begin(read: KeyedRead[Any], keys: Sequence[Any]) -> Statement | float | None:
    """Notes what is asked, which others may share."""
    asked, values = read.of(keys)
    return begin(asked.compiled(POSTGRESQL).statement, values)


def _inserting(run: Run, table: Table, columns: tuple[str, ...], unless: tuple[str, ...]) -> Gathering[bool]:
    of = POSTGRESQL, table, columns, unless
    return inserts_into(run, writes.insert_owned(*of), writes.insert_many_owned(*of))


class PostgresqlDatabase(Database):
    """A PostgreSQL database."""

    dialect = POSTGRESQL
    waits = True

    def __init__(
        self,
        readers: Lender,
        writers: Lender,
        target: Target,
        listens: Target,
        pace: Pace,
        placement: Placement | None = None,
    ) -> None:
        self.sharded = placement is not None
        self._dsn = target.dsn
        self._readers = readers
        self._placement = placement
        self._gathering = lru_cache(maxsize=256)(self._gather)
        self._inserting = lru_cache(maxsize=8)(partial(_inserting, partial(_rows, writers)))
        self._turns = Turns(max(1, int(readers.size * _SCANNING)))
        # Of their own, so that writes that wait for each other's locks leave the reads alone.
        self._writers = writers
        self._hearing = Hearing(CHANNEL, lambda: _connect_to_listen(listens, pace), self._notify, pace)

    @property
    def waiting(self) -> int:
        """Who waits for a connection."""
        return self._readers.waiting + self._writers.waiting

    async def read(self, read: Read[Any], make: Make[T], /, **values: Any) -> T:
        """What is made of the committed rows of a read."""
        try:
            if isinstance(read, KeyedRead):
                noted: Statement | float | None = None
                if notes.get() is not None:
                    noted = _begin(read, values["keys"])
                elif noting.sums is not None:
                    noted = perf_counter()
                keys = values["keys"]
                if self._placement is None or not read.sharded:
                    rows = await self._gathering(read).ask(keys)
                else:
                    server = self._placement.server_of(keys) if read.key == "gtin" else SEVERAL
                    rows = await self._gathering(read, server).ask(keys)
            else:
                async with self._turns.turn() if read.scans else nullcontext():
                    noted = begin(statement := read.compiled(POSTGRESQL).statement, values)
                    rows = await _rows(self._readers, statement, values)
            if noted is not None:
                end(noted)
        except Exception as error:
            self.refuse(error, gone=_is_gone(error))
            raise
        return make(rows)

    def foreseen(self, table: Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows with the lines that are copied."""
        return rows if len(rows) < _COPIED or self.sharded else CopiedRows(table, rows)

    def _gather(self, read: KeyedRead[Any], server: int | None = None) -> Gathering[list[Row]]:
        """Those who share statements: who reads the same, and of one server where there are several."""
        run = partial(_rows, self._readers)
        if self._placement is not None and server is not None:
            run = partial(_rows_in_time, self._readers, self._placement.turn(server))
        return rows_of(POSTGRESQL, run, read)

    async def plan(self, statement: Compiled, values: Values) -> list[str]:
        """The nodes of PostgreSQL's plan; they quote values."""
        return [
            row[0] for row in await _rows(self._readers, statement._replace(sql=f"EXPLAIN {statement.sql}"), values)
        ]

    @asynccontextmanager
    async def write(self, *, single: bool = False) -> AsyncIterator[Transaction]:
        """A write transaction at the server's default isolation, READ COMMITTED."""
        transaction = PostgresqlTransaction(self, self._writers, self._inserting, single=single)
        try:
            if not single:
                await transaction.begin()
            try:
                yield transaction
            except BaseException as error:
                await transaction.roll_back(error)
                raise
            await transaction.commit()
        except Exception as error:
            self.refuse(error, writing=True, gone=_is_gone(error) or transaction.lost_its_connection(error))
            raise
        self.failing = None
        if transaction.notified:
            # The server's notification arrives a little later than the answer to this write.
            self._hearing.changes += 1

    async def position(self, *, follows: bool = False) -> int:
        """How far this server has come in the primary's log; -1 where it should follow and does not. Raises `Busy`."""
        try:
            connection, ((found,), _) = await self._readers.first(_REPLAYED if follows else _POSITION, ())
        except Exception as error:
            self.refuse(error, gone=_is_gone(error))
            raise
        self._readers.give(connection)
        return int(found[0])

    def epoch(self) -> object:
        """Counts notifications; while it is not proven that they arrive, a new value each time."""
        return self._hearing.epoch()

    async def hears(self) -> bool:
        """Whether notifications arrive."""
        return await self._hearing.hears()

    async def _notify(self, channel: str, payload: str) -> None:
        connection, _ = await self._readers.first("SELECT pg_notify($1, $2)", (channel, payload))
        self._readers.give(connection)

    async def close(self) -> None:
        """Lets the writes that wait finish, and closes every connection."""
        await self._hearing.close()
        # By then those who have asked together stand in the line for a connection, too.
        for _ in range(2):
            await asyncio.sleep(0)
        await self._readers.close()
        await self._writers.close()


async def _connect(dsn: str, more: Mapping[str, str] = MappingProxyType({}), **options: Any) -> PostgresqlConnection:
    connection = await asyncpg.connect(
        dsn,
        connection_class=PostgresqlConnection,
        command_timeout=_ANSWER_SECONDS,
        server_settings={**_SERVER, **more},
        **options,
    )
    try:
        await set_codecs(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def _connect_to_listen(target: Target, pace: Pace) -> asyncpg.Connection:
    options = target.options | {"timeout": pace.patience, "command_timeout": pace.patience}
    server = {"application_name": "certgate-listen", **_ALIVE}
    return await asyncpg.connect(target.dsn, server_settings=server, **options)


def open_replica(url: URL, pace: Pace, connections: int) -> PostgresqlDatabase:
    """A server to read from alone, which need not be there yet; it has at most so many connections."""
    target = target_of(url)
    readers, writers = (Lender(partial(_connect, target.dsn, {}, **target.options), size) for size in (connections, 1))
    return PostgresqlDatabase(readers, writers, target, target, pace)


async def open_postgresql(url: URL, pace: Pace, connections: int, direct: URL | None = None) -> PostgresqlDatabase:
    """Opens the first connections, of which there will be that many at most: one listens, half of the others write.

    `direct` is where to listen, if that is somewhere else.

    Raises asyncpg's or the system's error when the server cannot be reached, `UnusableDatabase` where texts would be
    damaged.
    """
    target = target_of(url)
    listens = target if direct is None else target_of(direct)
    try:
        return await _opened(target, listens, pace, connections)
    except _PoolsTransactions:
        log.warning(
            "CERTGATE_DATABASE_URL leads to a pooler in transaction mode: statements are not kept prepared; with"
            " pgbouncer=false at its end they are, where the pooler can do that (PgBouncer's max_prepared_statements)."
        )
        return await _opened(unprepared(target), listens, pace, connections)


class _PoolsTransactions(Exception):
    """Nothing that is kept on a connection is there in the next transaction, which the URL does not say."""


async def _opened(target: Target, listens: Target, pace: Pace, connections: int) -> PostgresqlDatabase:
    size = max(1, (connections - 1) // 2)
    of_writers: dict[str, str] = {}
    readers, writers = (
        Lender(partial(_connect, target.dsn, more, **target.options), size) for more in ({}, of_writers)
    )
    try:
        first = await readers.take()
        placement = None
        try:
            if target.pooled is None and await pools_transactions(first, target):
                raise _PoolsTransactions
            if await first.fetchval(_IS_SHARDED):
                of_writers["statement_timeout"] = _SHARD_WRITES
                placement = Placement([tuple(row) for row in await first.fetch(PLACED)], size)
        finally:
            readers.give(first)
        if (encoding := first.get_settings().server_encoding) != "UTF8":
            raise UnusableDatabase(
                f"The database of CERTGATE_DATABASE_URL has the encoding {encoding}, in which not every text can be"
                " stored: make it anew with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0."
            )
        writers.give(await writers.take())
    except BaseException:
        await readers.close()
        await writers.close()
        raise
    return PostgresqlDatabase(readers, writers, target, listens, pace, placement)
