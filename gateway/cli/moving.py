"""Commands that move all of an installation: to a file, from a file, and from one database to another."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.common import CallersPath, print_table, progress, read_settings, run

if TYPE_CHECKING:
    from db.moving.backup import Backup, BackupManifest
    from db.moving.copying import Copied
    from gateway.settings import Settings

_FILE = click.argument("file", metavar="FILE", type=CallersPath(dir_okay=False))


@click.command()
@_FILE
def backup(file: Path) -> None:
    """Write all that the installation keeps to FILE, which must not be there yet.

    Every row of the database as it is at one moment, while servers go on, and the files of CERTGATE_IMPORT_FOLDER. It
    goes back into SQLite or PostgreSQL with `restore`. The settings of the environment are not in it.
    """
    from gateway.failures import Failure

    if file.exists():
        raise Failure(f"{file} is there already, and no backup takes the place of a file: name another one.")
    settings = read_settings()
    manifest = run(_back_up(settings, file))
    print(f"Wrote {file} of {_places(settings)}: {_described(manifest)}.")


@click.command()
@_FILE
@click.option("--check", is_flag=True, help="Read all of FILE, say whether it is whole, and do nothing else.")
def restore(file: Path, check: bool) -> None:
    """Put what `backup` wrote to FILE into the database of the settings, which must be empty.

    The file is verified before anything is done, and what is stored afterwards. When it is stopped, start it once more:
    it goes on. A backup of an older revision is brought to the newest one.
    """
    settings = read_settings()
    with _opened(file) as found:
        with progress() as told:
            found.verify(told)
        if check:
            print(f"{file} is whole: {_described(found.manifest)}.")
            return
        copied = run(_restore(settings, found))
    _print_copied(copied)
    print(f"Restored {file} into {_places(settings)}: {_described(found.manifest)}.")


@click.command()
@click.option(
    "--from", "source", required=True, metavar="URL", help="The database to copy; others may go on reading it."
)
@click.option("--to", "target", required=True, metavar="URL", help="The empty database that becomes the same.")
def copy(source: str, target: str) -> None:
    """Copy all rows of one database into another, from SQLite to PostgreSQL or back.

    Stop the servers before: what is written after the copy has begun is not in it. When it is stopped, start it once
    more: it goes on. At the end both are compared.
    """
    copied = run(_copy(source, target))
    _print_copied(copied)
    print(f"Copied {sum(each.rows for each in copied):,} rows; the hashes of both are equal.")


def _places(settings: "Settings") -> str:
    """Which they were: a shell or a timetable that lacks the settings has others, and nobody looks for a month."""
    from gateway.storage import shown

    return f"the database {shown(settings.database_url)} and the folder {settings.import_folder}"


def _described(manifest: "BackupManifest") -> str:
    rows, files = sum(part.rows for part in manifest.tables), len(manifest.files)
    return (
        f"{rows:,} rows of {len(manifest.tables)} tables and {files} file{'s' * (files != 1)} of imports at revision"
        f" {manifest.revision}, as they were on {manifest.made_at:%Y-%m-%d at %H:%M:%S} UTC"
    )


def _print_copied(copied: "list[Copied]") -> None:
    print_table(("TABLE", "ROWS", "SHA-256"), [(each.table, f"{each.rows:,}", each.sha256[:16]) for each in copied])


async def _back_up(settings: "Settings", file: Path) -> "BackupManifest":
    from datetime import UTC, datetime

    from db.moving.backup import BackupWriter
    from db.moving.content import contents
    from db.moving.stores import snapshot
    from gateway import storage
    from gateway.failures import Failure

    async with storage.opened(settings):
        pass  # at the newest revision
    folder, unfinished = Path(settings.import_folder), file.with_name(f"{file.name}.part")
    try:
        # It holds what the database does: nobody else's business.
        unfinished.touch(mode=0o600)
        with unfinished.open("wb") as output, progress() as told:
            with closing(BackupWriter(output, datetime.now(UTC))) as writer:
                # What an import needs goes when that has ended: once before the moment, and once behind it.
                writer.add_files(folder)
                async with snapshot(settings.database_url) as source:
                    await source.require_whole()
                    for number, content in enumerate(contents()):
                        await writer.add_table(source, content, told)
                        if number == 0:
                            writer.add_files(folder)
                manifest = writer.finish()
            output.flush()
            os.fsync(output.fileno())
        unfinished.rename(file)
    except OSError as error:
        raise Failure(f"{file} cannot be written ({error}): make room there, or name another place.") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return manifest


@contextmanager
def _opened(file: Path) -> "Iterator[Backup]":
    from db.moving.backup import Backup
    from gateway.failures import Failure

    try:
        with file.open("rb") as opened:
            yield Backup(opened, str(file))
    except FileNotFoundError as error:
        raise Failure(f"{error.filename} is not there: name the file of a backup.") from error


async def _restore(settings: "Settings", found: "Backup") -> "list[Copied]":
    from db.moving.copying import copy as copied
    from gateway import storage

    folder = Path(settings.import_folder)
    found.require_room(folder)
    await storage.reach(settings.database_url)
    with progress() as told:
        return await copied(found.origin, settings.database_url, told, lambda: found.put_files(folder))


async def _copy(source: str, target: str) -> "list[Copied]":
    from db.moving.content import contents
    from db.moving.copying import copy as copied
    from db.moving.copying import origin_of
    from db.moving.stores import snapshot
    from gateway import storage

    with _told_of("--from"):
        _require_file(source)
        async with storage.opened(read_settings().model_copy(update={"database_url": source})):
            pass  # at the newest revision
    with _told_of("--to"):
        await storage.reach(target)
    with progress() as told:
        async with snapshot(source) as found:
            return await copied(await origin_of(found, contents()), target, told)


def _require_file(url: str) -> None:
    """That it is there: a file that is not would be made, empty."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    from gateway.failures import Failure

    with suppress(ArgumentError, ValueError):
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).exists():
            raise Failure(f"The file of CERTGATE_DATABASE_URL is not there: {parsed.database}; name the one to copy.")


@contextmanager
def _told_of(option: str) -> "Iterator[None]":
    """What is said of the database is said of the option that names it."""
    from gateway.failures import Failure, explain
    from gateway.settings import SettingsError

    def said(sentence: str) -> str:
        return sentence.replace("CERTGATE_DATABASE_URL", option)

    try:
        yield
    except SettingsError as error:
        raise SettingsError(said(str(error))) from error
    except Exception as error:
        sentence = explain(error)
        if sentence is None:
            raise
        raise Failure(said(sentence)) from error
