"""PostgreSQL: reads on an asyncpg pool with prepared statements, writes through SQLAlchemy on a pool of its own."""

import asyncio
from typing import Any, cast

import asyncpg
import msgspec
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db.database import Database
from db.keys import CHANNEL
from db.reads import POSTGRESQL, R, Read, Row
from domain.errors import Busy

_POOL_SECONDS = 5
# A statement that waits for a lock gives up before its client does.
_SERVER = {"statement_timeout": "10000", "lock_timeout": "5000", "application_name": "certgate"}
_CONTENTION = {"40001", "40P01", "55P03", "57014", "53300"}


class PostgresqlDatabase(Database):
    """A PostgreSQL database."""

    def __init__(self, engine: AsyncEngine, pool: asyncpg.Pool, dsn: str) -> None:
        super().__init__(engine)
        self._pool = pool
        self._dsn = dsn
        self._epoch = 0
        self._listener: asyncpg.Connection | None = None
        self._listening: asyncio.Task[None] | None = None

    async def fetch(self, read: Read[R], **values: Any) -> list[R]:
        """The committed records of a read."""
        compiled = read.compiled(POSTGRESQL)
        try:
            async with self._pool.acquire(timeout=_POOL_SECONDS) as connection:
                rows = await connection.fetch(compiled.sql, *compiled.bind(values))
        except (TimeoutError, asyncpg.QueryCanceledError, asyncpg.TooManyConnectionsError) as error:
            raise Busy("The database has no connection to spare; try again in a second.") from error
        return [read.build(row) for row in compiled.decode(cast(list[Row], rows))]

    def epoch(self) -> object:
        """Counts notifications; while nobody listens, a new value each time, so that nothing stays cached."""
        if self._listener is None or self._listener.is_closed():
            self._epoch += 1
            if self._listening is None or self._listening.done():
                self._listening = asyncio.get_running_loop().create_task(self._listen())
        return self._epoch

    async def _listen(self) -> None:
        try:
            listener = await asyncpg.connect(self._dsn, server_settings={"application_name": "certgate-listen"})
        except (OSError, asyncpg.PostgresError, TimeoutError):
            # The next request tries again; until then every key is looked up afresh.
            return
        await listener.add_listener(CHANNEL, self._notified)
        self._listener = listener
        self._epoch += 1

    def _notified(self, *_: object) -> None:
        self.changed()

    def changed(self) -> None:
        """Counts up; the notification of a commit of this process arrives a little later than its answer."""
        self._epoch += 1

    def is_contention(self, error: DBAPIError) -> bool:
        """Whether a deadlock, a lock or statement time-out, or a want of connections was the cause."""
        return getattr(error.orig, "sqlstate", None) in _CONTENTION

    async def close(self) -> None:
        """Closes both pools and the listening connection."""
        if self._listening is not None:
            # Cancelled half-way it would leave a connection behind.
            await self._listening
        if self._listener is not None:
            await self._listener.close()
        await self._pool.close()
        await self.engine.dispose()


async def _prepare(connection: asyncpg.Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda value: msgspec.json.encode(value).decode(),
            decoder=msgspec.json.decode,
        )


async def _keep(connection: asyncpg.Connection) -> None:
    """Reads leave no session state behind, so the reset, a round trip after each of them, is left out."""


async def open_postgresql(url: URL) -> PostgresqlDatabase:
    """Opens both pools. Raises asyncpg's or the system's error when the server cannot be reached."""
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=8, init=_prepare, reset=_keep, server_settings=_SERVER)
    engine = create_async_engine(
        url,
        pool_size=8,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        pool_pre_ping=True,
        connect_args={"server_settings": _SERVER},
    )
    return PostgresqlDatabase(engine, pool, dsn)
