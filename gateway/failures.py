"""What can go wrong at the machine, in one sentence each: what it is about, and the remedy."""

import sqlite3

from sqlalchemy.exc import DBAPIError

from db.catalogue_files import CatalogueError
from db.database import UnusableDatabase
from domain.errors import DomainError

# Primary result codes that speak of the file, not of the statement: https://www.sqlite.org/rescode.html
_SQLITE = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
}
# Classes of SQLSTATE that speak of the server, the connection, the login or the resources.
_POSTGRESQL = {"08", "25", "28", "3D", "53", "55", "57", "58"}
# A right that is missing, an option of the URL that the server does not know.
_SINGLE = {"42501", "42704"}


class Failure(Exception):
    """An expected failure of a command; the text is one sentence with the remedy."""


def explain(error: Exception) -> str | None:
    """The sentence for an error that a person can do something about; None for a defect of ours."""
    match error:
        case Failure() | CatalogueError() | UnusableDatabase():
            return str(error)
        case DomainError():
            return error.detail
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE:
        return (
            f"The SQLite file of CERTGATE_DATABASE_URL cannot be used ({cause}): check that it is a database,"
            " that it and its directory may be written, that the disk has room and nobody keeps it locked."
        )
    state = str(getattr(cause, "sqlstate", None) or "")
    if state[:2] in _POSTGRESQL or state in _SINGLE:
        return f"The PostgreSQL server of CERTGATE_DATABASE_URL refuses ({cause}): check the URL and the server."
    return None
