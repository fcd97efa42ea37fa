"""Which revision a database is at, found out without Alembic, whose import costs more than a start may."""

from pathlib import Path

from sqlalchemy import String, column, select, table

from db.engine.database import Database
from db.sql.reads import Read

_STORED = Read(select(column("version_num", String)).select_from(table("alembic_version")), lambda row: str(row[0]))


UNFINISHED = "unfinished"
"""What stands before anything else where the revision does, while a copy fills the database."""


def head() -> str:
    """The newest revision in the code: revisions are numbered, and a file's name starts with its number."""
    versions = (Path(__file__).parent / "migrations" / "versions").glob("[0-9]*_*.py")
    return max(file.name.partition("_")[0] for file in versions)


async def stored(database: Database) -> str | None:
    """The revision of the database; None when it has never been migrated."""
    try:
        return next(iter(await database.fetch(_STORED)), None)
    except Exception as error:
        if _is_missing_table(error):
            return None
        raise


def _is_missing_table(error: Exception) -> bool:
    # Each driver has its own exception, and importing both to name them would cost a tenth of a second.
    return getattr(error, "sqlstate", None) == "42P01" or str(error).startswith("no such table")
