"""Whether a pooler is between this process and PostgreSQL that gives each transaction another of its connections.

Statements that were prepared on one are not there on the next, and notifications do not arrive.
"""

import asyncio
from contextlib import suppress

import asyncpg

from db.engine.postgresql_url import Target, unprepared

_SECONDS = 5


async def pools_transactions(opened: asyncpg.Connection, target: Target) -> bool:
    """Whether it is so for a connection that was opened. Raises asyncpg's or the system's error.

    A pooler answers a new connection with a process of its own invention. Whether the real one changes from one
    transaction to the next shows while another one keeps a connection of the pooler's busy.
    """
    try:
        if await _process(opened) == opened.get_server_pid():
            return False
    except (asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError):
        # Another's statement of that name is there, or ours is elsewhere already.
        return True
    first, second = await _connect(target), await _connect(target)
    try:
        return await _changes(first, second)
    finally:
        first.terminate()
        second.terminate()


async def _changes(first: asyncpg.Connection, second: asyncpg.Connection) -> bool:
    before = await _process(first)
    await second.execute("BEGIN")
    # A pooler that has no second connection to spare would let it wait.
    with suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS):
            return await _process(first) != before
    return True


async def _process(connection: asyncpg.Connection) -> int:
    process: int = await connection.fetchval("SELECT pg_backend_pid()")
    return process


async def _connect(target: Target) -> asyncpg.Connection:
    return await asyncpg.connect(target.dsn, **{"timeout": _SECONDS, **unprepared(target).options})
