"""The database can only be read when the server starts, and later be written to without a restart."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg

from tests import postgresql, sweeper
from tests.drills.load import DURABLE, Ledger, called, require_all, set_up
from tests.gateway.trouble import write_protected

Switch = Callable[[bool], Awaitable[None]]
"""Has the database written to, or not."""


async def _under_load(url: str, switch: Switch, writes: int) -> str:
    ledger, key = Ledger(), set_up(url)
    async with called(url, ledger, key) as callers:
        await callers.acknowledged(writes)
    await switch(False)
    async with called(url, ledger, key) as callers:
        answered = ledger.reads[200]
        await callers.refused(writes)
        word, answered = await callers.readiness(), ledger.reads[200] - answered
        await switch(True)
        seconds = await callers.acknowledged(1)
        await callers.acknowledged(writes)
    kept = await require_all(url, ledger)
    return (
        f"{word}, {answered:,} reads were answered meanwhile; {seconds:.1f} s after it could be written to, a write was"
        f" acknowledged; all {kept:,} acknowledged writes are there ({ledger.told()})"
    )


def drill(short: bool) -> Iterator[str]:
    """Both databases."""
    writes = 50 if short else 500
    file = Path(sweeper.folder("read-only")) / "certgate.db"
    with ExitStack() as stack:

        async def protect(writable: bool) -> None:
            if writable:
                stack.close()
            else:
                stack.enter_context(write_protected(file))

        yield f"SQLite: {asyncio.run(_under_load(f'sqlite:///{file}', protect, writes))}"
    with postgresql.started(DURABLE) as server:
        url = server.get_uri()

        async def configure(writable: bool) -> None:
            connection = await asyncpg.connect(url)
            await connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {'off' if writable else 'on'}")
            await connection.execute("SELECT pg_reload_conf()")
            await connection.close()

        yield f"PostgreSQL: {asyncio.run(_under_load(url, configure, writes))}"
