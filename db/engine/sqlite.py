"""SQLite: one writer, reads beside it.

Write-ahead log, so that readers never wait for the writer; `synchronous=FULL`, so that a commit that was
acknowledged survives a power cut. How operations share a commit: `db.engine.group_commit`.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, suppress
from time import monotonic
from typing import Any

import aiosqlite
import msgspec

from db.engine.database import Database, Make, Pace, T, Transaction, Values
from db.engine.group_commit import GroupCommit
from db.engine.noting import begin, end, notes
from db.engine.turns import Turns
from db.sql.compiled import SQLITE, Compiled
from db.sql.reads import KeyedRead, Read, Row

_BUSY_SECONDS = 5
# The loop's own connection waits in the loop: no longer than whoever opens or closes the file takes.
_READER_SECONDS = 0.1
# What is left of the write-ahead log once all of it is in the database, which is tried at a quarter of this.
_LOG_BYTES = 16 * 2**20
_SCANNERS = 2
_QUICK = ("mmap_size=1073741824", "cache_size=-32768", "temp_store=MEMORY")


class SqliteDatabase(Database):
    """A SQLite file: one writing connection, one reading connection in the loop thread, two in threads of their own."""

    dialect = SQLITE
    waits = False

    def __init__(self, path: str, reader: sqlite3.Connection, writer: GroupCommit, pace: Pace) -> None:
        self._path = path
        self._epoch = 0
        # What the epoch was counted by: whether in this turn of the loop, the state of the file, and what the writer
        # told of it.
        self._counted = False
        self._version = 0
        self._mark: object = None
        self._unsure = True
        self._reads = False
        self._turning = False
        # The file is looked for again then.
        self._looks = 0.0
        self._pace = pace
        # Reading by primary key takes microseconds, a thread switch a hundred: point reads stay in the loop thread.
        self._reader = reader
        self._writer = writer
        writer.committed = self._committed
        self._local = threading.local()
        self._readers = [reader]
        self._scanners = ThreadPoolExecutor(_SCANNERS, "sqlite-scan")
        self._turns = Turns(_SCANNERS)

    @property
    def waiting(self) -> int:
        """Who waits for a turn to write."""
        return self._writer.waiting

    async def read(self, read: Read[Any], make: Make[T], /, **values: Any) -> T:
        """What is made of the committed rows; what may scan runs in a thread, and ends when nobody waits for it."""
        if isinstance(read, KeyedRead):
            values = {"keys": sorted({*values["keys"]})}
        rows = self.at_once(read, values)
        if rows is not None:
            return make(rows)
        try:
            async with self._turns.turn():
                return await self._scan(read, values, make)
        except Exception as error:
            self.refuse(error)
            raise

    def at_once(self, read: Read[Any], values: Values) -> list[Row] | None:
        """The committed rows of what is found by an index."""
        if not isinstance(read, KeyedRead):
            return None if read.scans else self._rows_now(read.compiled(SQLITE).statement, values)
        keys = values["keys"]
        if len(keys) == 1:
            return self._rows_now(read.of_one, {"key": keys[0]})
        (columns,) = self._rows_now(read.as_json, {"keys": keys})
        return [*zip(*map(msgspec.json.decode, columns), strict=True)]

    def _rows_now(self, statement: Compiled, values: Values) -> list[Row]:
        try:
            if not self._reads:
                self._begin_reads()
            if notes.get() is None:
                return self._reader.execute(statement.sql, statement.bind(values)).fetchall()
            noted = begin(statement, values)
            rows = self._reader.execute(statement.sql, statement.bind(values)).fetchall()
            end(noted)
            return rows
        except Exception as error:
            self.refuse(error)
            raise

    async def _scan(self, read: Read[Any], values: dict[str, Any], make: Make[T]) -> T:
        scan = _Scan()
        noted = begin(read.compiled(SQLITE).statement, values)
        try:
            made = await asyncio.get_running_loop().run_in_executor(
                self._scanners, lambda: scan.run(self._scanner(), read, values, make)
            )
            end(noted)
            return made
        except asyncio.CancelledError:
            scan.stop()
            raise

    def _scanner(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _open_reader(self._path, _BUSY_SECONDS)
            self._readers.append(connection)
        return connection

    async def plan(self, statement: Compiled, values: Values) -> list[str]:
        """The loops of SQLite's plan, from the outermost one on."""

        def explained() -> list[str]:
            rows = self._scanner().execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.bind(values))
            return [str(detail) for *_, detail in rows]

        return await asyncio.get_running_loop().run_in_executor(self._scanners, explained)

    def write(self, *, single: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """A write transaction, in one commit with those that wait beside it."""
        return self._writer.write(self, single=single)

    def _begin_reads(self) -> None:
        """Lets all reads before the loop turns see one state of the database, with one lock of the file.

        Locking it anew for each would take a third of a point read. Nobody gets to see what is too old: an answer of a
        write, here or in another process, arrives no sooner than with the loop's next turn.
        """
        self._require_file()
        self._reader.execute("BEGIN")
        self._reads = True
        self._until_the_turn()

    def _until_the_turn(self) -> None:
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turning = False
        self._end_reads()

    def _end_reads(self) -> None:
        self._counted = False
        if self._reads:
            self._reads = False
            # An error may have ended it already.
            if self._reader.in_transaction:
                try:
                    self._reader.execute("COMMIT")
                except sqlite3.Error:
                    # A damaged file is said to whoever read it.
                    self._reader.rollback()

    def epoch(self) -> object:
        """Counts commits of other processes, and those of this one that caches depend on.

        Looked at once for whatever runs before the loop turns: a request that arrives later than that runs later too.
        """
        if not self._counted:
            try:
                # What is read before the loop turns will be read under the same lock of the file.
                if not self._reads:
                    self._begin_reads()
                self._count()
            except sqlite3.Error as error:
                self.refuse(error)
                raise
            self._counted = True
        return self._epoch

    def _require_file(self) -> None:
        """Makes sure, now and then, that others who open the file by its name open this one.

        Of what they change in another one no connection to this one tells.
        """
        now = monotonic()
        if now >= self._looks:
            self._writer.require_file()
            self._looks = now + self._pace.period

    def _count(self) -> None:
        version = self._reader.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return
        mark = self._writer.commit_mark()
        # Something was committed.
        self._version = version
        others = mark is None or mark != self._mark
        if others or self._unsure:
            self._epoch += 1
        # What the writer knows of may be newer than what is seen in this turn: then the next commit counts, too.
        self._unsure = others
        self._mark = mark

    def _committed(self) -> None:
        """Looks at what was committed here while the writer can be asked who else did."""
        self.failing = None
        self._end_reads()
        self._count()

    async def hears(self) -> bool:
        """As long as it is the file that others open: the file itself is looked at."""
        return True

    async def close(self) -> None:
        """Lets the writes that wait finish, and closes every connection, the threads' included."""
        self._scanners.shutdown()
        self._writer.committed = lambda: None
        self._end_reads()
        for connection in self._readers:
            connection.close()
        # Last, because only a connection that may write takes the log away.
        await self._writer.close()


class _Scan:
    """One read in a thread, which the loop's thread may stop: after a time-out nobody should wait for its thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def run(self, connection: sqlite3.Connection, read: Read[Any], values: dict[str, Any], make: Make[T]) -> T:
        """What is made of the rows of the read."""
        with self._lock:
            self._connection = connection
        try:
            statement = read.compiled(SQLITE).statement
            return make(connection.execute(statement.sql, statement.bind(values)).fetchall())
        finally:
            # From here on the connection is somebody else's.
            with self._lock:
                self._connection = None

    def stop(self) -> None:
        """Ends the read if it is running; its thread goes on with the next."""
        with self._lock:
            if self._connection is not None:
                self._connection.interrupt()


async def open_sqlite(path: str, pace: Pace) -> SqliteDatabase:
    """Opens the file, or makes an empty one. Raises `sqlite3.Error`."""
    _create(path)
    writer = GroupCommit(path, *await _open_writer(path), reopen=lambda: _open_writer(path))
    return SqliteDatabase(path, _open_reader(path, _READER_SECONDS), writer, pace)


def _create(path: str) -> None:
    # What it holds is nobody else's business; SQLite gives its other files the rights of this one.
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    # The file must exist and have its write-ahead log before a connection that only reads can open it.
    _open(path, _BUSY_SECONDS, ["journal_mode=WAL"]).close()


def _open_reader(path: str, timeout: float) -> sqlite3.Connection:
    return _open(path, timeout, ("query_only=ON", *_QUICK))


async def _open_writer(path: str) -> tuple[sqlite3.Connection, aiosqlite.Connection]:
    # It never waits for a lock by itself: it would do so in the loop thread.
    connection = _open(path, 0, ("synchronous=FULL", "foreign_keys=ON", f"journal_size_limit={_LOG_BYTES}", *_QUICK))
    thread = aiosqlite.Connection(lambda: connection, 64)
    # As SQLAlchemy does: a program that failed before it closed the database should end all the same.
    thread._thread.daemon = True  # noqa: SLF001
    return connection, await thread


def _open(path: str, timeout: float, pragmas: Iterable[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    return connection
