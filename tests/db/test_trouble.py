"""Which errors of the drivers say that something befell the database, and which that we made a mistake."""

import sqlite3

import asyncpg
import pytest

from db.engine.trouble import BUSY, CROWDED, FULL, MISSING, READ_ONLY, UNREACHABLE, UNUSABLE, Trouble, trouble_of


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (asyncpg.AdminShutdownError, UNREACHABLE),
        (asyncpg.CrashShutdownError, UNREACHABLE),
        (asyncpg.CannotConnectNowError, UNREACHABLE),
        (asyncpg.ConnectionDoesNotExistError, UNREACHABLE),
        (asyncpg.TooManyConnectionsError, CROWDED),
        (asyncpg.DiskFullError, FULL),
        (asyncpg.ReadOnlySQLTransactionError, READ_ONLY),
        (asyncpg.OutOfMemoryError, UNUSABLE),
        (asyncpg.DataCorruptedError, UNUSABLE),
        (asyncpg.LockNotAvailableError, BUSY),
        (asyncpg.QueryCanceledError, BUSY),
        (asyncpg.DeadlockDetectedError, BUSY),
        (asyncpg.SerializationError, BUSY),
        (asyncpg.UniqueViolationError, None),
        (asyncpg.DivisionByZeroError, None),
        (asyncpg.InFailedSQLTransactionError, None),
        (asyncpg.UndefinedColumnError, None),
    ],
)
def test_postgresql(error: type[Exception], trouble: Trouble | None) -> None:
    assert trouble_of(error("x")) is trouble


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, BUSY),
        (sqlite3.SQLITE_LOCKED_SHAREDCACHE, BUSY),
        (sqlite3.SQLITE_READONLY, READ_ONLY),
        (sqlite3.SQLITE_READONLY_DBMOVED, MISSING),
        (sqlite3.SQLITE_FULL, FULL),
        (sqlite3.SQLITE_IOERR_WRITE, UNUSABLE),
        (sqlite3.SQLITE_CANTOPEN, UNUSABLE),
        (sqlite3.SQLITE_CORRUPT_VTAB, UNUSABLE),
        (sqlite3.SQLITE_NOTADB, UNUSABLE),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, None),
        (sqlite3.SQLITE_ERROR, None),
        (sqlite3.SQLITE_MISUSE, None),
        (sqlite3.SQLITE_TOOBIG, None),
    ],
)
def test_sqlite(code: int, trouble: Trouble | None) -> None:
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code
    assert trouble_of(error) is trouble


def test_memory() -> None:
    assert trouble_of(MemoryError()) is UNUSABLE
    assert trouble_of(KeyError()) is None
