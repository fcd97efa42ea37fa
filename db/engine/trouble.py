"""What can befall a database, and what callers are told of it: once for both databases, for reads and for writes.

No driver is imported for it: an error says by itself what it is, SQLite's by its result code
(https://www.sqlite.org/rescode.html), PostgreSQL's by its SQLSTATE (PostgreSQL's manual, appendix A).
"""

import sqlite3
from typing import NamedTuple

from domain.errors import Busy


class Trouble(NamedTuple):
    """One kind of trouble: how `/readyz` calls it, what a caller is told, and after how many seconds to try again."""

    name: str
    detail: str
    retry_after: int

    def refusal(self) -> Busy:
        """What the caller is refused with."""
        return Busy(self.detail, self.retry_after, self.name)


BUSY = Trouble("busy", "The database is busy with other work; try again in a second.", 1)
CROWDED = Trouble("no connection to spare", "The database has no connection to spare; try again in a second.", 1)
UNREACHABLE = Trouble("unreachable", "The database cannot be reached at the moment; try again in some seconds.", 5)
READ_ONLY = Trouble("read-only", "The database can only be read at the moment; try to change it later.", 10)
FULL = Trouble("full", "The database has no room left; try again when its operator has made some.", 30)
MISSING = Trouble("missing", "The file of the database is gone; try again when its operator has put it back.", 30)
UNUSABLE = Trouble(
    "unusable", "The database cannot be used at the moment; try again when its operator has mended it.", 30
)

_SQLITE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_READONLY_DBMOVED: MISSING,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_PERM: UNUSABLE,
    sqlite3.SQLITE_IOERR: UNUSABLE,
    sqlite3.SQLITE_CORRUPT: UNUSABLE,
    sqlite3.SQLITE_CANTOPEN: UNUSABLE,
    sqlite3.SQLITE_NOLFS: UNUSABLE,
    sqlite3.SQLITE_NOTADB: UNUSABLE,
}
"""By extended or primary result code: those that speak of the file, not of the statement."""

_POSTGRESQL = {
    "08": UNREACHABLE,
    "25006": READ_ONLY,
    "25P03": BUSY,  # idle in the transaction for too long
    "25P04": BUSY,  # the transaction took too long
    "26": UNREACHABLE,  # a prepared statement is gone, and what else was the session's with it
    "28": UNUSABLE,  # the login is refused
    "3D": UNUSABLE,  # there is no such database
    "40": BUSY,  # deadlock, serialization
    "42501": UNUSABLE,  # a privilege was taken away
    "42704": UNUSABLE,  # an option of the URL that the server does not know
    "53": UNUSABLE,  # out of memory, and the like
    "53100": FULL,
    "53300": CROWDED,
    "55": BUSY,  # a lock was not to be had in time
    "57": UNREACHABLE,  # stopped, crashed or about to start
    "57014": BUSY,  # the statement took too long
    "58": UNUSABLE,  # the server's own disk and files
    "XX": UNUSABLE,  # corrupted data, and what poolers say of themselves
}
"""By SQLSTATE or its class: those that speak of the server, not of the statement."""


def trouble_of(error: BaseException) -> Trouble | None:
    """What befell the database that a driver's error comes from; None when the fault is ours."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(code) or _SQLITE.get(code & 0xFF)
    state = getattr(error, "sqlstate", None)
    if state:
        return _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    # How Python says SQLITE_NOMEM.
    return UNUSABLE if isinstance(error, MemoryError) else None
