"""One operation on the connection that writes to SQLite: its statements, its savepoint, and the thread that waits."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import chain
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import Table

from db.engine.database import PART, Database, Transaction, Values
from db.engine.noting import begin, end
from db.sql import writes
from db.sql.compiled import SQLITE, Compiled
from db.sql.reads import Row
from db.sql.tables import changes

T = TypeVar("T")


class SqliteThread:
    """aiosqlite's thread, in whose hands the connection is from time to time."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection
        self.busy = False
        """Whether it has the connection now."""

    async def does(self, work: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        """The result of work there; nothing else is done with the connection until it has ended."""
        self.busy = True
        try:
            return await work(self.connection)
        finally:
            self.busy = False


async def _finished(work: Awaitable[T]) -> T:
    """The result of work in aiosqlite's thread, which goes on when the waiter is cancelled: wait for its end then.

    Whoever rolled back before it would leave the rest of its statements to the next operation.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        task.exception()
        raise


class SqliteTransaction(Transaction):
    """One operation, in a savepoint as soon as it writes."""

    def __init__(
        self, database: Database, connection: sqlite3.Connection, thread: SqliteThread, *, single: bool
    ) -> None:
        super().__init__(database, SQLITE)
        self._connection = connection
        self._thread = thread
        self.single = single
        self.open = True
        self.saved = False
        """Whether it has its savepoint."""

    async def insert_alone(
        self, table: Table, values: dict[str, Any], *, unless: tuple[str, ...], owner: str, entry: dict[str, Any]
    ) -> bool:
        """Without a savepoint: what a single statement did before it failed is undone by SQLite itself."""
        if not self.single or self.saved:
            return False
        self._check()
        statement = writes.insert_owned(SQLITE, table, tuple(values), unless)
        values = {**values, "owner": owner}
        noted = begin(statement, values)
        try:
            done = self._connection.execute(statement.sql, statement.bind(values))
            if done.rowcount != 1:
                return False
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_NOTNULL:
                raise
            return False
        finally:
            end(noted)
        self._tell(entry)
        return True

    def _tell(self, entry: dict[str, Any]) -> None:
        """Writes the row of the log to the one that was inserted alone. Where it cannot, nobody's work is kept."""
        statement = writes.insert(SQLITE, changes, tuple(entry))
        noted = begin(statement, entry)
        try:
            self._connection.execute(statement.sql, statement.bind(entry))
        except BaseException:
            # There is no savepoint to go back to, and a row that nothing tells of must not stay.
            self._connection.rollback()
            raise
        end(noted)
        self.is_told = True

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A savepoint inside the operation's own."""
        self._save()
        self._connection.execute("SAVEPOINT part")
        try:
            yield
            self._connection.execute("RELEASE part")
        except BaseException:
            # It fails only where SQLite has rolled everything back, which whoever undoes the operation will notice.
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK TO part")
                self._connection.execute("RELEASE part")
            raise

    async def serialize(self, work: str) -> None:
        """Nothing to wait for: the whole file is locked."""

    async def plan_anew(self) -> None:
        """Nothing to do: it plans by indexes, whatever is in the tables."""

    async def count_anew(self, tables: Iterable[Table]) -> None:
        """Nothing to do either."""

    async def _rows(self, statement: Compiled, values: Values, *, scans: bool = False) -> list[Row]:
        self._check()
        parameters = statement.bind(values)
        noted = begin(statement, values)
        rows: list[Row]
        if scans:
            rows = list(await _finished(self._thread.does(lambda it: it.execute_fetchall(statement.sql, parameters))))
        else:
            rows = self._connection.execute(statement.sql, parameters).fetchall()
        end(noted)
        return rows

    async def _count(self, statement: Compiled, values: Values, *, scans: bool = False) -> int:
        self._save()
        parameters = statement.bind(values)
        noted = begin(statement, values)
        if scans:
            count = (await _finished(self._thread.does(lambda it: it.execute(statement.sql, parameters)))).rowcount
        else:
            count = self._connection.execute(statement.sql, parameters).rowcount
        end(noted)
        return count

    async def _many(self, statement: Compiled, rows: Sequence[Values]) -> None:
        await self._run_many(statement, rows)

    async def _insert_missing(self, table: Table, rows: list[dict[str, Any]]) -> int:
        columns = tuple(rows[0])
        statement = writes.insert_unless(SQLITE, table, columns)
        if len(rows) != PART:
            return await self._run_many(statement, rows)
        at_once = statement._replace(
            sql=writes.insert_unless_at_once(SQLITE, table, columns, PART),
            bind=lambda _: [*chain.from_iterable(map(statement.bind, rows))],
        )
        return await self._count(at_once, {}, scans=True)

    async def _run_many(self, statement: Compiled, rows: Sequence[Values]) -> int:
        self._save()
        parameters = [statement.bind(row) for row in rows]
        noted = begin(statement)
        done = await _finished(self._thread.does(lambda it: it.executemany(statement.sql, parameters)))
        end(noted)
        return done.rowcount

    def _check(self) -> None:
        # Outside the group's transaction a statement would commit itself at once.
        if not self.open:
            raise sqlite3.ProgrammingError("This write transaction has ended.")
        if not self._connection.in_transaction:
            raise sqlite3.OperationalError("SQLite gave up this write transaction after an error.")

    def _save(self) -> None:
        self._check()
        if not self.saved:
            self._connection.execute("SAVEPOINT operation")
            self.saved = True
