"""PostgreSQL's primary is killed under load, and the standby that follows it takes its place."""

import asyncio
from collections.abc import Iterator
from time import perf_counter

import asyncpg

from tests import postgresql
from tests.drills.load import DURABLE, UNLIMITED, Callers, Ledger, require_all, set_up
from tests.processes import serving
from tests.replicas import FOLLOWED, either_of, kill, promote, standby_of

NAME = "standby"


async def _follows(url: str) -> None:
    """Waits until each commit waits for the standby."""
    connection = await asyncpg.connect(url)
    await connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
    await connection.execute("SELECT pg_reload_conf()")
    while await connection.fetchval("SELECT sync_state FROM pg_stat_replication") != "sync":  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    await connection.close()


async def _drill(writes: int) -> str:
    with postgresql.started(DURABLE + FOLLOWED) as primary, standby_of(primary, NAME) as standby:
        key, ledger = set_up(primary.get_uri()), Ledger()
        await _follows(primary.get_uri())
        url = either_of(primary, standby)
        with serving(url, CERTGATE_WORKERS="2", CERTGATE_LOG_LEVEL="critical", **UNLIMITED) as (_, address):
            async with Callers(address, key, ledger) as callers:
                await callers.acknowledged(writes)
                await asyncio.to_thread(kill, primary)
                killed, before = perf_counter(), len(ledger.written)
                await callers.refused(20)
                await asyncio.to_thread(promote, standby)
                promoted = perf_counter()
                first = await callers.acknowledged(1)
                await callers.acknowledged(writes)
        kept = await require_all(standby.get_uri(), ledger)
    return (
        f"the standby was promoted {promoted - killed:.1f} s after the primary was killed, and {first:.2f} s later a"
        f" write was acknowledged; all {kept:,} acknowledged writes are there, {before:,} of them from before"
        f" ({ledger.told()})"
    )


def drill(short: bool) -> Iterator[str]:
    """PostgreSQL alone, with synchronous replication."""
    yield asyncio.run(_drill(50 if short else 500))
