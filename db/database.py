"""One interface to either database: `open_database(url)`.

Reads run on the bare driver, writes in SQLAlchemy transactions. Nobody outside `db/` sees a row or a connection.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Table, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import Delete, Update

from db.reads import R, Read
from domain.errors import Busy

_INSERT: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Transaction:
    """The handle to one write transaction. It commits when its block ends and rolls back when the block raises."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.notified = False

    async def fetch(self, read: Read[R], *, lock: Table | None = None, **values: Any) -> list[R]:
        """The records of a read as this transaction sees them.

        `lock` names the table whose rows stay locked until the end, as every read-modify-write needs; SQLite has
        locked the whole file by then and ignores it.
        """
        select = read.select if lock is None else read.select.with_for_update(of=lock)
        result = await self._connection.execute(select, values)
        return [read.build(row) for row in result]

    async def insert(self, table: Table, values: dict[str, Any], *, unless: tuple[str, ...] = ()) -> bool:
        """Inserts one row. With `unless`, a row with equal values in those columns wins, and the answer is False.

        The database decides that race: a second inserter waits for the first one's commit.
        """
        insert = _INSERT[self._connection.dialect.name](table)
        if unless:
            insert = insert.on_conflict_do_nothing(index_elements=list(unless))
        return (await self._connection.execute(insert, values)).rowcount == 1

    async def upsert(self, table: Table, rows: list[dict[str, Any]], *, key: str) -> None:
        """Inserts rows; where the key exists, the other columns given are overwritten."""
        insert = _INSERT[self._connection.dialect.name](table)
        others = {name: insert.excluded[name] for name in rows[0] if name != key}
        await self._connection.execute(insert.on_conflict_do_update(index_elements=[key], set_=others), rows)

    async def insert_missing(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Inserts rows, but for those that share a unique value with a stored one; that stays as it is."""
        if rows:
            insert = _INSERT[self._connection.dialect.name](table).on_conflict_do_nothing()
            await self._connection.execute(insert, rows)

    async def notify(self, channel: str) -> None:
        """Tells every process, once this transaction has committed. SQLite's readers notice by themselves."""
        self.notified = True
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(select(func.pg_notify(channel, "")))

    async def execute(self, statement: Update | Delete, values: dict[str, Any] | None = None) -> int:
        """Runs an update or delete; the answer is the number of rows it touched."""
        return (await self._connection.execute(statement, values)).rowcount


class Database(ABC):
    """A database that is open. Close it once, at the end of the process."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @abstractmethod
    async def fetch(self, read: Read[R], **values: Any) -> list[R]:
        """The committed records of a read, in the statement's order. Raises `Busy`."""

    @abstractmethod
    def epoch(self) -> object:
        """A value that changes whenever another connection may have committed something that caches depend on."""

    def changed(self) -> None:
        """Moves the epoch on at once in this process, after a commit that told the others."""

    @abstractmethod
    def is_contention(self, error: DBAPIError) -> bool:
        """Whether the error says that others were in the way, so that trying again can help."""

    @abstractmethod
    async def close(self) -> None:
        """Closes every connection."""

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """A write transaction: `async with database.write() as transaction`. Durable once the block has ended.

        Raises `Busy` when the database is held up by others for too long.
        """
        return self._write()

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[Transaction]:
        try:
            async with self.engine.begin() as connection:
                transaction = Transaction(connection)
                yield transaction
            if transaction.notified:
                self.changed()
        except PoolTimeout as error:
            raise Busy("Too many writes are waiting; try again in a second.") from error
        except DBAPIError as error:
            if self.is_contention(error):
                raise Busy("The database is busy with other writes; try again in a second.") from error
            raise


def driver_url(url: str) -> URL:
    """The SQLAlchemy URL of a user's one: the driver added, SQLite's folder made. Raises `ValueError`."""
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise ValueError(
                    "CERTGATE_DATABASE_URL must name a file for SQLite, for example sqlite:///var/certgate.db"
                )
            Path(parsed.database).absolute().parent.mkdir(parents=True, exist_ok=True)
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"CERTGATE_DATABASE_URL must start with sqlite:/// or postgresql://, not {other}")


async def open_database(url: str) -> Database:
    """Opens the database behind `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.

    Raises `ValueError` for another kind of URL and the driver's own error when the server cannot be reached.
    """
    target = driver_url(url)
    # Only the driver in use is imported: each costs a tenth of a second at start.
    if target.get_backend_name() == "sqlite":
        from db.sqlite import SqliteDatabase

        return SqliteDatabase(target)
    from db.postgresql import open_postgresql

    return await open_postgresql(target)
