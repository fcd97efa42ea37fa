"""A migration of tables that are full is killed again and again, until one comes to its end."""

import asyncio
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg

from db import revision
from db.migrate import current, downgrade, migrate
from db.sql.tables import changes, secrets
from tests import postgresql, sweeper
from tests.drills.load import DURABLE
from tests.moving import fill, stored
from tests.processes import started, succeeded
from tests.world import all_rows

OLD = "0012"
"""What came after it makes every index anew."""
STEP = 0.1
"""Seconds that each attempt has more than the one before; in short, a sixth of what it takes if that is more."""


async def _make(url: str, rows: int) -> None:
    await migrate(url)
    await fill(url, 7, rows)
    await downgrade(url, OLD)


def _killed(url: str, step: float) -> int:
    """How many migrations were killed."""
    kills = 0
    while True:
        with started("-m", "gateway", "migrate", CERTGATE_DATABASE_URL=url) as process:
            time.sleep(step * kills)
            process.signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
        found = asyncio.run(current(url))
        assert found in (OLD, revision.head()), f"the tables are between two revisions, at {found}"
        if found == revision.head():
            return kills


def _kept(url: str) -> dict[str, list[Any]]:
    """All rows; of the history, which begins with the migration, without its moment, and of secrets the names."""
    rows = asyncio.run(stored(url))
    moment = [column.name for column in all_rows(changes).select.selected_columns].index("at")
    told = [row[:moment] + row[moment + 1 :] for row in rows[changes.name]]
    return rows | {changes.name: told, secrets.name: [row[0] for row in rows[secrets.name]]}


def _compared(url: str, undisturbed: str, short: bool) -> str:
    start = time.perf_counter()
    succeeded("migrate", CERTGATE_DATABASE_URL=undisturbed)
    seconds = time.perf_counter() - start
    kills = _killed(url, max(STEP, seconds / 6) if short else STEP)
    wanted, found = _kept(undisturbed), _kept(url)
    assert wanted == found, [name for name, rows in wanted.items() if found[name] != rows]
    return (
        f"undisturbed {seconds:.1f} s from {OLD} to {revision.head()}; killed {kills} times, it was always at one of"
        f" the two, and at the end all {sum(map(len, found.values())):,} rows were those of the undisturbed one"
    )


def drill(short: bool) -> Iterator[str]:
    """Both databases."""
    rows = 1_000 if short else 20_000
    folder = Path(sweeper.folder("migration"))
    old, copy = folder / "old.db", folder / "undisturbed.db"
    asyncio.run(_make(f"sqlite:///{old}", rows))
    shutil.copy(old, copy)
    yield f"SQLite: {_compared(f'sqlite:///{old}', f'sqlite:///{copy}', short)}"
    with postgresql.started(DURABLE) as server:
        url = server.get_uri()
        asyncio.run(_make(url, rows))
        undisturbed = url.replace("/postgres?", "/undisturbed?")
        asyncio.run(_copy(undisturbed.replace("/undisturbed?", "/template1?")))
        yield f"PostgreSQL: {_compared(url, undisturbed, short)}"


async def _copy(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE DATABASE undisturbed TEMPLATE postgres")
    await connection.close()
