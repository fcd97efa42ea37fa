"""An import as something that is remembered: what was killed goes on where it was."""

import hashlib
import os
import socket
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from domain.errors import Busy, DomainError
from domain.importing import Import
from domain.records import Certification
from domain.vocabulary import ImportState
from files.importing import Listener, Options, Prepared, Progress, SourceFile, Tally, prepared, run
from resolvers import imports
from resolvers.operation import Context

SILENCE = timedelta(seconds=60)
"""After so long without a word the process of another machine is taken to have ended."""

MANY = 5_000
"""Things of a kind, made or changed, after which the database should look anew at what it holds of it."""

_PART = 1 << 20


def worker() -> str:
    """What other processes call the one that asks."""
    return f"{socket.gethostname()}:{os.getpid()}"


def may_be_alive(other: str, heard: datetime) -> bool:
    """Whether a process may still be at its work, of which was heard at a moment."""
    host, _, number = other.rpartition(":")
    if other == worker():
        return False
    if host != socket.gethostname():
        return datetime.now(UTC) - heard < SILENCE
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True


async def put_in(
    context: Context,
    sources: Sequence[SourceFile],
    options: Options,
    listener: Listener,
    missing: Sequence[Certification] = (),
) -> Tally:
    """Puts the files in, and goes on where a process that was killed had come to with the very same files.

    `missing` are private certifications that are made with their rows.
    A dry run is not remembered. Raises as `run` does, and `AlreadyExists` where another process is at it.
    """
    files = await prepared(context, sources, options, missing)
    if options.dry_run:
        return await run(context, files, listener)
    digest = digest_of(context, files)
    of = await imports.begin(
        context.database, context.caller, new_import(files, digest), worker=worker(), is_alive=may_be_alive
    )
    try:
        return await go_on(context, of, files, listener)
    except Busy:
        # Started again, it goes on from there.
        raise
    except DomainError as error:
        await imports.fail(context.database, of, error.detail)
        raise


async def go_on(context: Context, of: Import, files: Prepared, listener: Listener) -> Tally:
    """Does an import that has begun, from where it is, to its end."""
    options = files.options

    async def saved(transaction: Any, position: int, share: float, totals: Tally) -> None:
        await imports.advance(transaction, of, position, int(share * 100), totals.counted())

    since = Progress(of.position, Tally(of.counts), of.id)
    totals = await run(context, files, listener, since=since, saved=saved)
    if not options.dry_run and (many := _written(totals)):
        await imports.settle(context.database, many)
    is_done = options.dry_run or not totals.rows["refused"] or options.policy.name == "IGNORE_FAILED"
    await imports.finish(context.database, of, ImportState.DONE if is_done else ImportState.REFUSED, totals.counted())
    return totals


def _written(totals: Tally) -> list[str]:
    """The kinds of which many things were written."""
    written = Counter[str]()
    for thing, number in totals.things.items():
        kind, _, outcome = thing.partition(" ")
        written[kind] += number if outcome != "left" else 0
    return [kind for kind, number in written.items() if number >= MANY]


def new_import(files: Prepared, digest: str) -> imports.NewImport:
    """What is remembered of an import that begins."""
    options = files.options
    return imports.NewImport(
        ", ".join(each.source.name for each in files.files),
        options.policy,
        options.existing,
        options.dry_run,
        {name: target for each in files.files for name, target in each.columns.shown.items()},
        options.columns,
        files.earlier.id if files.earlier else None,
        files.headings,
        digest,
    )


def digest_of(context: Context, files: Prepared) -> str:
    """What tells an import from others: whose it is, the files' content, and how they are put in."""
    sources = [each.source for each in files.files]
    told = context.caller.organization.id, files.options, [source.name for source in sources]
    found = hashlib.sha256(msgspec.json.encode(told))
    for source in sources:
        with source.open() as file:
            while part := file.read(_PART):
                found.update(part)
            found.update(b"\0")
    return found.hexdigest()
