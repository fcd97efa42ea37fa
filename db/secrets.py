"""What one installation keeps to itself, the same for all of its processes."""

from sqlalchemy import bindparam, select

from db.engine.database import Database
from db.sql.reads import Read
from db.sql.tables import secrets

BY_NAME = Read(select(secrets.c.value).where(secrets.c.name == bindparam("name")), lambda row: str(row[0]))


async def cursor_secret(database: Database) -> str:
    """The secret that seals cursors, 64 characters; read once, for it never changes."""
    whole = database.database
    if whole.cursor_secret is None:
        whole.cursor_secret = (await whole.fetch(BY_NAME, name="cursors"))[0]
    return whole.cursor_secret


async def log_secret(database: Database) -> str:
    """The secret that signs checkpoints of the log, 64 hex digits."""
    return (await database.fetch(BY_NAME, name="log"))[0]
