"""Commands that prove the log of changes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.common import CallersPath, read_settings, run

if TYPE_CHECKING:
    from db.sealing import Broken, Verified
    from gateway.settings import Settings


@click.command()
@click.option(
    "--checkpoint",
    type=CallersPath(dir_okay=False, exists=True),
    help="A file that `checkpoint` wrote: also look whether the log up to there is the one of then.",
)
def verify(checkpoint: Path | None) -> None:
    """Say whether the log of changes is whole, and name the first row that is not.

    Exits with 0 when it is whole, and with 1 when it is not.
    """
    note = None if checkpoint is None else checkpoint.read_text("utf-8", errors="replace")
    sentence, is_whole = run(_verify(read_settings(), note))
    print(sentence)
    sys.exit(0 if is_whole else 1)


@click.command()
def checkpoint() -> None:
    """Print how far the log of changes goes, signed: kept elsewhere, it proves that nothing before it was changed."""
    note, verifier = run(_checkpoint(read_settings()))
    print(note, end="")
    click.echo(f"certgate: verifier key {verifier}", err=True)


async def _checkpoint(settings: "Settings") -> tuple[str, str]:
    from db import sealing
    from db.secrets import log_secret
    from gateway import storage
    from gateway.notes import Signer

    async with storage.opened(settings) as database:
        await sealing.Sealer(database).seal()
        signer = Signer(await log_secret(database))
        return signer.signed(await sealing.checkpoint(database)), signer.verifier


async def _verify(settings: "Settings", note: str | None) -> tuple[str, bool]:
    from db import sealing
    from db.secrets import log_secret
    from gateway import storage
    from gateway.failures import Failure
    from gateway.notes import NoCheckpoint, Signer

    async with storage.opened(settings) as database:
        try:
            kept = None if note is None else Signer(await log_secret(database)).read(note)
        except NoCheckpoint as error:
            raise Failure(f"--checkpoint: {error}") from error
        found = await sealing.verify(database)
        if found.broken is not None:
            return _told(found.broken), False
        if kept is not None and await sealing.hash_at(database, kept.size) != kept.hash:
            sentence = "The log is not the one of the checkpoint: something in its first {:,} rows was changed since."
            return sentence.format(kept.size), False
        return _whole(found), True


def _told(broken: "Broken") -> str:
    row = broken.row
    what = f" ({row['operation']} of {row['kind']} {row['object_id']}, {row['at'].isoformat()})" if row else ""
    return f"The log is broken at row {broken.seq}{what}, number {broken.position} of the chain: {broken.why}."


def _whole(found: "Verified") -> str:
    size, hash = found.checkpoint
    waiting = f" {found.waiting:,} more wait to be sealed, which a server does every second." if found.waiting else ""
    return f"The log is whole: {size:,} rows, the last one with the hash {hash}.{waiting}"
