"""A database as something that is copied from, in one state of it, or copied to."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import String, column, delete, desc, func, insert, select, table, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.migrate import connected
from db.moving.content import Content, Rows
from db.moving.errors import CannotMove
from db.sql.compiled import json_text
from db.sql.tables import secrets

PART = 500
"""Rows in memory."""

COMMITTED = 10_000
"""Rows that SQLite stores at a time: the same pages of its indexes would be written again with each commit."""

_VERSION = table("alembic_version", column("version_num", String))


class Supply(Protocol):
    """Where rows come from."""

    async def count(self, content: Content) -> int:
        """How many rows a table has."""

    def rows(self, content: Content) -> AsyncIterator[Rows]:
        """The rows of a table in the order of the key, some at a time."""

    async def last_number(self, content: Content) -> int | None:
        """The last number that the database has given out in the table."""


class Snapshot:
    """One state of a database, whatever others write meanwhile."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def require_whole(self) -> None:
        """Raises `CannotMove` for an SQLite file with a damaged page: an index that lacks rows would hide them.

        PostgreSQL says so by itself, where a page is not what its checksum says.
        """
        if self._connection.dialect.name == "sqlite":
            found = await self._connection.scalar(text("PRAGMA quick_check(1)"))
            if found != "ok":
                said = " ".join(str(found).split())
                raise CannotMove(f"The database is damaged ({said}): restore the last backup into another one.")

    async def count(self, content: Content) -> int:
        """As of any `Supply`."""
        return await self._connection.scalar(select(func.count()).select_from(content.table)) or 0

    async def rows(self, content: Content) -> AsyncIterator[Rows]:
        """As of any `Supply`."""
        asked = select(content.table).order_by(*content.keys)
        found = await self._connection.stream(asked, execution_options={"yield_per": PART})
        async for part in found.partitions():
            yield [tuple(row) for row in part]

    async def last_number(self, content: Content) -> int | None:
        """As of any `Supply`."""
        if content.numbered is None:
            return None
        most = await self._connection.scalar(select(func.max(content.table.c[content.numbered])))
        return max(most or 0, await _given_out(self._connection, content)) or None


async def _sequence(connection: AsyncConnection, content: Content) -> str | None:
    """What counts the column up; its name on PostgreSQL is quoted already."""
    if connection.dialect.name == "sqlite":
        asked = text("SELECT name FROM sqlite_master WHERE name = 'sqlite_sequence'")
    else:
        asked = text("SELECT pg_get_serial_sequence(:table, :column)")
        asked = asked.bindparams(table=content.name, column=content.numbered)
    found: str | None = await connection.scalar(asked)
    return found


async def _given_out(connection: AsyncConnection, content: Content) -> int:
    sequence = await _sequence(connection, content)
    if sequence is None:
        return 0
    if connection.dialect.name == "sqlite":
        return (
            await connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :of"), {"of": content.name}) or 0
        )
    return await connection.scalar(text(f"SELECT last_value FROM {sequence} WHERE is_called")) or 0  # noqa: S608


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """The state of a database at the first look at it."""
    async with connected(url) as connection:
        if connection.dialect.name == "sqlite":
            # Python's module begins no transaction in order to read.
            await connection.execute(text("PRAGMA query_only=ON"))
            await connection.rollback()
            await connection.execute(text("BEGIN"))
        else:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield Snapshot(connection)
        await connection.rollback()


class Filling:
    """A database that is filled: what is added stays in the order in which it came. Nobody can use it until `end`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._added = 0

    async def first_filled(self, contents: Sequence[Content]) -> str | None:
        """A table that has rows other than those that migrations make; None where there is none."""
        for content in contents:
            if content.name != secrets.name and await self.last_key(content) is not None:
                return content.name
        return None

    async def begin(self, mark: str) -> None:
        """Writes the mark where the revision stands, so that nothing is served until the end."""
        await self._connection.execute(delete(secrets))
        await self._set_revision(mark)

    async def last_key(self, content: Content) -> tuple[Any, ...] | None:
        """The key of the last row of a table."""
        asked = select(*content.keys).order_by(*map(desc, content.keys)).limit(1)
        row = (await self._connection.execute(asked)).first()
        return None if row is None else tuple(row)

    async def add(self, content: Content, rows: Rows) -> None:
        """Stores rows that come behind those that are there. Raises `CannotMove`."""
        try:
            if self._is_sqlite:
                values = [dict(zip(content.columns, row, strict=True)) for row in rows]
                await self._connection.execute(insert(content.table), values)
                self._added += len(rows)
            else:
                await self._copy(content, rows)
            if not self._is_sqlite or self._added >= COMMITTED:
                await self.keep()
        except Exception as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if not isinstance(error, IntegrityError) and not (getattr(cause, "sqlstate", None) or "").startswith("23"):
                raise
            raise CannotMove(
                f"The rows of {content.name} cannot be stored ({str(cause).splitlines()[0]}): something else"
                " writes to the database; make an empty one that nothing uses, and start again."
            ) from error

    async def keep(self) -> None:
        """Has what was added stay, whatever comes."""
        self._added = 0
        await self._connection.commit()

    async def _copy(self, content: Content, rows: Rows) -> None:
        connection: Any = (await self._connection.get_raw_connection()).driver_connection
        documents = [place for place, kind in enumerate(content.columns.values()) if kind == "json"]
        records = [*map(list, rows)]
        for record in records:
            for place in documents:
                if record[place] is not None:
                    record[place] = json_text(record[place])
        await connection.copy_records_to_table(content.name, records=records, columns=[*content.columns])

    async def count_on(self, content: Content, number: int) -> None:
        """Has the database go on behind a number in a table's column that it counts up."""
        sequence = await _sequence(self._connection, content)
        values = {"of": content.name if self._is_sqlite else sequence, "number": number}
        if sequence is None:
            return
        if self._is_sqlite:
            await self._connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :of"), values)
            await self._connection.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:of, :number)"), values
            )
        else:
            await self._connection.execute(text("SELECT setval(CAST(:of AS text)::regclass, :number)"), values)
        await self._connection.commit()

    async def end(self, revision: str) -> None:
        """Makes it a database that can be used, on the disk with all that was added."""
        if self._is_sqlite:
            await self._connection.execute(text("PRAGMA synchronous=FULL"))
        else:
            await self._connection.execute(text("SET synchronous_commit = on"))
        await self._set_revision(revision)

    async def _set_revision(self, revision: str) -> None:
        await self._connection.execute(update(_VERSION).values(version_num=revision))
        await self._connection.commit()


@asynccontextmanager
async def target(url: str) -> AsyncIterator[Filling]:
    """A database to fill, whose tables are made."""
    async with connected(url) as connection:
        if connection.dialect.name == "sqlite":
            # As the server opens it; the disk is waited for at the end alone.
            for pragma in (
                "journal_mode=WAL",
                "synchronous=NORMAL",
                "foreign_keys=ON",
                "cache_size=-65536",
                "wal_autocheckpoint=10000",
            ):
                await connection.execute(text(f"PRAGMA {pragma}"))
        else:
            await connection.execute(text("SET synchronous_commit = off"))
        await connection.commit()
        yield Filling(connection)
