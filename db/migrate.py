"""Bringing a database's tables to the revision that this code was written for."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from db.engine.opening import driver_url
from db.engine.postgresql_url import target_of
from db.sql.compiled import json_text

_ADVISORY_LOCK = 0x63657274  # "cert"


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; there is no ini file, and the connection comes from us."""
    alembic = Config()
    alembic.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    alembic.attributes["connection"] = connection
    return alembic


def head() -> str:
    """The newest revision in the code."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    assert revision is not None
    return revision


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _engine(url: URL) -> AsyncEngine:
    options = {"poolclass": NullPool, "json_serializer": json_text, "json_deserializer": msgspec.json.decode}
    if url.get_backend_name() == "sqlite":
        return create_async_engine(url, **options)
    import asyncpg

    from db.engine.codecs import set_times

    target = target_of(url)

    async def connect() -> asyncpg.Connection:
        # SQLAlchemy would hand libpq's options to asyncpg as arguments that it does not know.
        connection: asyncpg.Connection = await asyncpg.connect(target.dsn, **target.options)
        await set_times(connection)
        return connection

    return create_async_engine(url.set(query={}), async_creator=connect, **options)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection as SQLAlchemy has them, for work that takes its time."""
    engine = _engine(driver_url(url))
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def current(url: str) -> str | None:
    """The revision of the database; None when it has never been migrated."""
    async with connected(url) as connection:
        return await connection.run_sync(_current)


async def migrate(url: str, revision: str = "head") -> tuple[str | None, str | None]:
    """Upgrades to a revision; two processes at once wait for each other. The revisions before and after."""
    return await _migrate(url, lambda alembic: command.upgrade(alembic, revision))


async def downgrade(url: str, revision: str) -> tuple[str | None, str | None]:
    """Takes revisions back, down to `revision` or `base`."""
    return await _migrate(url, lambda alembic: command.downgrade(alembic, revision))


async def _migrate(url: str, run: Callable[[Config], Any]) -> tuple[str | None, str | None]:
    def work(connection: Connection) -> tuple[str | None, str | None]:
        before = _current(connection)
        run(config(connection))
        return before, _current(connection)

    async with connected(url) as connection:
        if connection.dialect.name == "sqlite":
            # A batch migration swaps tables; with foreign keys on, dropping the old one deletes its child rows.
            await connection.execute(text("PRAGMA foreign_keys=OFF"))
            await connection.commit()
            await connection.execute(text("BEGIN IMMEDIATE"))
        else:
            await connection.execute(text("SET lock_timeout = '10s'"))
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        revisions = await connection.run_sync(work)
        if connection.dialect.name == "sqlite":
            broken = (await connection.execute(text("PRAGMA foreign_key_check"))).first()
            if broken is not None:
                raise RuntimeError(f"The migration would leave a dangling reference in table {broken[0]}.")
        await connection.commit()
        return revisions
