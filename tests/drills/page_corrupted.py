"""Pages of the database are overwritten under load; the night's backup goes into another database."""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import asyncpg

from tests import postgresql, sweeper
from tests.drills.load import DURABLE, Ledger, called, require_all, set_up, stored
from tests.processes import certgate, succeeded

Damage = Callable[[], Awaitable[None]]


async def _damaged(url: str, new_url: str, folder: Path, damage: Damage, writes: int) -> str:
    ledger, key = Ledger(), set_up(url)
    settings = {"CERTGATE_IMPORT_FOLDER": str(folder / "imports")}
    async with called(url, ledger, key) as callers:
        await callers.acknowledged(writes)
        saved = set(ledger.written)
        backup = str(folder / "backup.zip")
        await asyncio.to_thread(succeeded, "backup", backup, CERTGATE_DATABASE_URL=url, **settings)
        await callers.acknowledged(writes)
        await damage()
        await callers.refused(writes)
        word = await callers.readiness()
    # Nobody was told what is wrong, as `Callers` makes sure. A damaged database is not backed up as if it were whole.
    done = certgate("backup", str(folder / "damaged.zip"), CERTGATE_DATABASE_URL=url, **settings)
    assert done.returncode == 1, done.stdout
    assert not (folder / "damaged.zip").exists()
    succeeded("restore", backup, CERTGATE_DATABASE_URL=new_url, **settings)
    found = await stored(new_url)
    assert saved <= found.keys(), "the backup lacks what was acknowledged before it"
    since = len(ledger.written - found.keys())
    after = Ledger(sent=ledger.sent)
    async with called(new_url, after, key) as callers:
        await callers.acknowledged(writes)
    await require_all(new_url, after)
    return (
        f"{word}, {ledger.told()}, and no answer was wrong; `backup` refuses; restored with all {len(saved):,} writes"
        f" that were acknowledged before the backup, without the {since:,} after it, and it goes on"
    )


def drill(short: bool) -> Iterator[str]:
    """Both databases."""
    writes = 50 if short else 500
    folder = Path(sweeper.folder("page"))
    for kind in ("sqlite", "postgresql"):
        (folder / kind).mkdir()
    file = folder / "sqlite" / "certgate.db"

    async def damage_sqlite() -> None:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (size,) = connection.execute("PRAGMA page_size").fetchone()
            pages = [page for (page,) in connection.execute("SELECT pageno FROM dbstat WHERE name = 'products'")]
        with file.open("r+b") as opened:
            for page in pages:
                opened.seek((page - 1) * size)
                opened.write(os.urandom(size))

    new_url = f"sqlite:///{folder}/sqlite/new.db"
    yield f"SQLite: {asyncio.run(_damaged(f'sqlite:///{file}', new_url, folder / 'sqlite', damage_sqlite, writes))}"
    with postgresql.started(DURABLE) as server:
        url = server.get_uri()

        async def damage_postgresql() -> None:
            connection = await asyncpg.connect(url)
            path = await connection.fetchval("SELECT pg_relation_filepath('products')")
            await connection.close()
            # While it runs it has the pages in memory, and writes them anew.
            await asyncio.to_thread(server.stop)
            with (Path(server.pgdata) / path).open("r+b") as opened:
                for page in range(0, opened.seek(0, os.SEEK_END), 8192):
                    opened.seek(page + 4096)
                    opened.write(os.urandom(64))
            await asyncio.to_thread(server.start)

        new_url = url.replace("/postgres?", "/restored?")
        asyncio.run(_create(url, "restored"))
        done = asyncio.run(_damaged(url, new_url, folder / "postgresql", damage_postgresql, writes))
        yield f"PostgreSQL: {done}"


async def _create(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    await connection.close()
