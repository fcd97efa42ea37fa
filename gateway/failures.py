"""What can go wrong at the machine, in one sentence each: what it is about, and the remedy."""

import sqlite3

from sqlalchemy.exc import DBAPIError

from db.catalogue_files import CatalogueError
from db.engine.database import UnusableDatabase
from db.engine.trouble import trouble_of
from db.moving.errors import CannotMove
from domain.errors import Busy, DomainError, InvalidInput

_OF_FILES = (("file",), ("columns",))


class Failure(Exception):
    """An expected failure of a command; the text is one sentence with the remedy."""


def explain(error: Exception) -> str | None:
    """The sentence for an error that a person can do something about; None for a defect of ours."""
    if isinstance(error, Failure | CatalogueError | UnusableDatabase | CannotMove):
        return str(error)
    if (lost := _lost_table(error)) is not None:
        return (
            f"The database of CERTGATE_DATABASE_URL has lost a table ({lost}): restore the last backup into an empty"
            " one; docs/operations/backup.md says how."
        )
    cause = _of_the_driver(error)
    if cause is not None:
        said = next(iter(str(cause).splitlines()), "it did not answer in time")
        if isinstance(cause, sqlite3.Error):
            return (
                f"The SQLite file of CERTGATE_DATABASE_URL cannot be used ({said}): check that it is a database,"
                " that it and its directory may be written, that the disk has room and nobody keeps it locked."
            )
        return f"The PostgreSQL server of CERTGATE_DATABASE_URL refuses ({said}): check the URL and the server."
    if isinstance(error, InvalidInput) and all(each.path in _OF_FILES for each in error.violations):
        # The sentence names the file, and nobody has typed such a member.
        return "; ".join(each.message for each in error.violations) + "."
    return error.detail if isinstance(error, DomainError) else None


def _lost_table(error: Exception) -> str | None:
    """What the driver says of a table that is not there, in a database that was looked at to have all of them."""
    cause = _said_by_the_driver(error)
    is_lost = getattr(cause, "sqlstate", None) == "42P01" or "no such table" in str(cause)
    return str(cause) if is_lost and not isinstance(cause, DomainError) else None


def _of_the_driver(error: Exception) -> BaseException | None:
    """What the driver says of something that befell the database, which callers of the API are not shown."""
    if isinstance(error, Busy):
        return error.__cause__
    cause = _said_by_the_driver(error)
    return cause if trouble_of(cause) is not None else None


def _said_by_the_driver(error: Exception) -> BaseException:
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error
