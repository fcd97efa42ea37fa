"""The disk of the database runs full under load, and is given room again."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgresql, sweeper
from tests.drills.load import DURABLE, Ledger, called, require_all, set_up
from tests.gateway.trouble import fill, ran
from tests.processes import certgate


@contextmanager
def _disk(megabytes: int) -> Iterator[Path]:
    folder = Path(sweeper.folder("disk"))
    assert ran("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=711", "tmpfs", str(folder)), (
        "only an administrator can mount a disk for this drill: start it as root"
    )
    try:
        yield folder
    finally:
        assert ran("umount", "--lazy", str(folder))
        shutil.rmtree(folder, ignore_errors=True)


async def _under_load(url: str, disk: Path, writes: int) -> str:
    ledger, key = Ledger(), set_up(url)
    async with called(url, ledger, key) as callers:
        await callers.acknowledged(writes)
        rest = fill(disk)
        await callers.refused(writes)
        word, before = await callers.readiness(), len(ledger.written)
        await asyncio.to_thread(_require_no_backup, url, disk)
        rest.unlink()
        seconds = await callers.acknowledged(1)
        await callers.acknowledged(writes)
    return (
        f"{word} after {before:,} writes; {seconds:.1f} s after there was room the next was acknowledged; all"
        f" {await require_all(url, ledger):,} acknowledged writes are there ({ledger.told()})"
    )


def _require_no_backup(url: str, disk: Path) -> None:
    done = certgate("backup", str(disk / "backup.zip"), CERTGATE_DATABASE_URL=url)
    assert done.returncode == 1, done.stdout
    assert "No space left" in done.stderr, done.stderr
    assert [*disk.glob("backup*")] == []


def drill(short: bool) -> Iterator[str]:
    """Both databases."""
    writes = 50 if short else 500
    with _disk(24) as disk:
        yield f"SQLite: {asyncio.run(_under_load(f'sqlite:///{disk}/certgate.db', disk, writes))}"
    with _disk(320) as disk, postgresql.started(DURABLE, str(disk / "pg")) as server:
        yield f"PostgreSQL: {asyncio.run(_under_load(server.get_uri(), disk, writes))}"
