"""SQLite: one writer, reads beside it.

Write-ahead log, so that readers never wait for the writer; `synchronous=FULL`, so that a commit that was
acknowledged survives a power cut.
"""

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from db.database import Database
from db.reads import SQLITE, R, Read

BUSY_SECONDS = 5
_SCANNERS = 2


class SqliteDatabase(Database):
    """A SQLite file: one writing connection, one reading connection in the loop thread, two in threads of their own."""

    def __init__(self, url: URL) -> None:
        super().__init__(_writer(url))
        self._path = str(url.database)
        # The file must exist and be in WAL mode before a read-only connection can open it.
        _create(self._path)
        # Reading by primary key takes microseconds, a thread switch a hundred: point reads stay in the loop thread.
        self._reader = _open_reader(self._path)
        self._local = threading.local()
        self._readers = [self._reader]
        self._scanners = ThreadPoolExecutor(_SCANNERS, "sqlite-scan")

    async def fetch(self, read: Read[R], **values: Any) -> list[R]:
        """The committed records of a read; one that may scan runs in a thread."""
        if read.scans:
            return await asyncio.get_running_loop().run_in_executor(
                self._scanners, lambda: _run(self._scanner(), read, values)
            )
        return _run(self._reader, read, values)

    def _scanner(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _open_reader(self._path)
            self._readers.append(connection)
        return connection

    def epoch(self) -> object:
        """SQLite's own counter: it changes with every commit of any other connection, in this process or not."""
        return self._reader.execute("PRAGMA data_version").fetchone()[0]

    def is_contention(self, error: DBAPIError) -> bool:
        """Whether another process kept the file locked for longer than the busy timeout."""
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in (
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
        )

    async def close(self) -> None:
        """Closes every connection, the threads' included."""
        self._scanners.shutdown()
        for connection in self._readers:
            connection.close()
        await self.engine.dispose()


def _run(connection: sqlite3.Connection, read: Read[R], values: dict[str, Any]) -> list[R]:
    compiled = read.compiled(SQLITE)
    rows = connection.execute(compiled.sql, compiled.bind(values)).fetchall()
    return [read.build(row) for row in compiled.decode(rows)]


def _create(path: str) -> None:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _open_reader(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    for pragma in ("query_only=ON", "mmap_size=1073741824", "cache_size=-32768", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _writer(url: URL) -> Any:
    # A pool of one is the write queue: first come, first served, and nobody can start a transaction that must fail.
    engine = create_async_engine(
        url, pool_size=1, max_overflow=0, pool_timeout=BUSY_SECONDS, connect_args={"timeout": BUSY_SECONDS}
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, record: object) -> None:
        # The driver would begin transactions late and deferred; BEGIN is ours, below.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        # A deferred transaction that reads and then writes can fail at once, whatever the timeout.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
