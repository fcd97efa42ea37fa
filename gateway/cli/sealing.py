"""Commands that prove the log of changes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.common import CallersPath, progress, read_settings, run

if TYPE_CHECKING:
    from db.engine.database import Database
    from db.sealing import Broken, Verified
    from domain.sealing import Checkpoint
    from gateway.notes import Signer
    from gateway.settings import Settings

_FILE = CallersPath(dir_okay=False, exists=True)


@click.command()
@click.option(
    "--checkpoint",
    type=_FILE,
    help="A file that `checkpoint` wrote: also look whether the log up to there is the one of then.",
)
def verify(checkpoint: Path | None) -> None:
    """Say whether the log of changes is whole and tells of all that is stored, and name the first that is not so.

    Exits with 0 when it is whole, and with 1 when it is not.
    """
    found, broken = run(_verify(read_settings(), _text(checkpoint)))
    print(broken or _whole(found))
    sys.exit(1 if broken else 0)


@click.command()
@click.option(
    "--since", type=_FILE, help="A file that this command wrote before: look only at what came behind it, not at all."
)
def checkpoint(since: Path | None) -> None:
    """Print how far the log of changes goes, signed: kept elsewhere, it proves that nothing before it was changed.

    Nothing is signed where the log is not whole, which takes as long as `verify` does.
    """
    note, verifier = run(_checkpoint(read_settings(), _text(since)))
    print(note, end="")
    click.echo(f"certgate: verifier key {verifier}", err=True)


async def _checkpoint(settings: "Settings", since: str | None) -> tuple[str, str]:
    from db import sealing
    from gateway import storage
    from gateway.failures import Failure

    async with storage.opened(settings) as database:
        await sealing.Sealer(database).seal()
        signer, kept = await _read(database, since, "--since")
        found, broken = await _looked(database, kept, is_whole=kept is None)
        if broken:
            raise Failure(f"{broken} Nothing is signed: look into it with ./certgate verify.")
        return signer.signed(found.checkpoint), signer.verifier


async def _verify(settings: "Settings", note: str | None) -> "tuple[Verified, str]":
    from gateway import storage

    async with storage.opened(settings) as database:
        _, kept = await _read(database, note, "--checkpoint")
        return await _looked(database, kept, is_whole=True)


def _text(file: Path | None) -> str | None:
    return None if file is None else file.read_text("utf-8", errors="replace")


async def _read(database: "Database", note: str | None, option: str) -> "tuple[Signer, Checkpoint | None]":
    from db.secrets import log_secret
    from gateway.failures import Failure
    from gateway.notes import NoCheckpoint, Signer

    signer = Signer(await log_secret(database))
    try:
        return signer, None if note is None else signer.read(note)
    except NoCheckpoint as error:
        raise Failure(f"{option}: {error}") from error


async def _looked(database: "Database", kept: "Checkpoint | None", *, is_whole: bool) -> "tuple[Verified, str]":
    """What was found, and a sentence of what is wrong, if anything is; of all, or of what is behind a checkpoint."""
    from db import sealing
    from domain.sealing import START

    kept = kept or START
    there = await sealing.checkpoint(database)
    if there.size < kept.size:
        sentence = (
            "The log is shorter than it was: it has {:,} rows, and the checkpoint {:,}, so its end was taken out."
        )
        return sealing.Verified(there), sentence.format(there.size, kept.size)
    changed = (
        f"The log is not the one of the checkpoint: something in its first {kept.size:,} rows was changed since."
        if await sealing.hash_at(database, kept.size) != kept.hash
        else ""
    )
    if changed and not is_whole:
        return sealing.Verified(there), changed
    with progress() as told:
        looking = sealing.verify(database, told) if is_whole else sealing.verify_chain(database, kept, told)
        found = await looking
    if found.broken is not None or changed:
        return found, changed if found.broken is None else _told(found.broken)
    if found.differing is not None:
        differing = found.differing
        of = f" of the product {differing.gtin}" if differing.gtin else ""
        what = f"{differing.kind} {differing.object_id}{of}"
        return found, f"The tables are not what the log tells, first of the {what}: {differing.why}."
    return found, ""


def _told(broken: "Broken") -> str:
    row = broken.row
    what = f" ({row['operation']} of {row['kind']} {row['object_id']}, {row['at'].isoformat()})" if row else ""
    place = f", number {broken.position} of the chain" if broken.position else ""
    return f"The log is broken at row {broken.seq}{what}{place}: {broken.why}."


def _whole(found: "Verified") -> str:
    size, hash = found.checkpoint
    waiting = f" {found.waiting:,} more wait to be sealed, which a server does every second." if found.waiting else ""
    return f"The log is whole: {size:,} rows, the last one with the hash {hash}; the tables are as it tells.{waiting}"
