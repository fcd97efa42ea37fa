"""What one installation keeps to itself, the same for all of its processes."""

from sqlalchemy import bindparam, select

from db.engine.database import Database
from db.sql.reads import Read
from db.sql.tables import secrets

BY_NAME = Read(select(secrets.c.value).where(secrets.c.name == bindparam("name")), lambda row: str(row[0]))


async def cursor_secret(database: Database) -> str:
    """The secret that seals cursors, 64 characters; read once, for it never changes."""
    if database.cursor_secret is None:
        database.cursor_secret = (await database.fetch(BY_NAME, name="cursors"))[0]
    return database.cursor_secret
