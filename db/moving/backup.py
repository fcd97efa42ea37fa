"""A backup: one file with the rows of every table, at one moment, and with the files that lie beside the database.

A ZIP with a part for each table, its rows as lines of JSON, a part for each file, and last a manifest that says of each
part how large it is and what its hash is. It says nothing of the kind of database: it goes back into either.
"""

import hashlib
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from db import revision
from db.moving.content import Content, Rows
from db.moving.copying import Origin, Told, digest_of
from db.moving.errors import CannotMove
from db.moving.stores import PART, Snapshot

FORMAT = "certgate backup"
VERSION = 1
MANIFEST = "manifest.json"

_CHUNK = 1 << 20
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, msgspec.DecodeError, NotImplementedError)
"""What a file raises that was changed, or has lost its end."""


class TablePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table in a backup."""

    content: Content
    rows: int
    sha256: str
    """Of its lines, in hex."""
    last_number: int | None
    """The last number that the database had given out in it, where it counts one up."""


class FilePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in a backup."""

    bytes: int
    sha256: str


class BackupManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup says of itself."""

    format: str
    version: int
    revision: str
    made_at: datetime
    tables: Sequence[TablePart]
    files: dict[str, FilePart]
    """By their paths in the folder of imports."""


class _Kind(msgspec.Struct, frozen=True):
    """What is read of a manifest first."""

    format: str = ""
    version: int = 0


class BackupWriter:
    """Writes a backup to a file. Files that may go come first, then the tables, then `finish`."""

    def __init__(self, file: IO[bytes], at: datetime) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._at = at
        self._tables: list[TablePart] = []
        self._files: dict[str, FilePart] = {}

    def add_files(self, folder: Path) -> None:
        """Adds the files of a folder that are not in it yet; one that goes meanwhile is left out."""
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if name in self._files or path.suffix == ".part" or not path.is_file():
                continue
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            with file, self._zip.open(f"files/{name}", "w", force_zip64=True) as part:
                hashed, size = hashlib.sha256(), 0
                while read := file.read(_CHUNK):
                    part.write(read)
                    hashed.update(read)
                    size += len(read)
            self._files[name] = FilePart(size, hashed.hexdigest())

    async def add_table(self, source: Snapshot, content: Content, told: Told) -> None:
        """Adds a table."""
        with self._zip.open(_name_of(content), "w", force_zip64=True) as part:

            async def write(rows: Rows, lines: bytes) -> None:
                part.write(lines)

            digest = await digest_of(source, content, told, "written", write)
        last = await source.last_number(content)
        self._tables.append(TablePart(content, digest.rows, digest.sha256, last))

    def finish(self) -> BackupManifest:
        """Writes the manifest."""
        manifest = BackupManifest(FORMAT, VERSION, revision.head(), self._at, self._tables, self._files)
        self._zip.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        return manifest

    def close(self) -> None:
        """Ends the file; without `finish` it is no backup."""
        self._zip.close()


def _name_of(content: Content) -> str:
    return f"tables/{content.name}.jsonl"


class Backup:
    """A backup that is read."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Raises `CannotMove` for what is none."""
        self._name = name
        try:
            self._zip = zipfile.ZipFile(file)
            self.written = self._zip.read(MANIFEST)
            kind = msgspec.json.decode(self.written, type=_Kind)
        except _DAMAGE as error:
            raise CannotMove(
                f"{name} is no backup, or has lost its end ({error}): name a file that ./certgate backup has written."
            ) from error
        self.manifest = self._read_manifest(kind)
        self._parts = {part.content.name: part for part in self.manifest.tables}

    def _read_manifest(self, kind: _Kind) -> BackupManifest:
        if kind.format == "certgate archive":
            raise CannotMove(
                f"{self._name} is an archive of one organisation, no backup: put it in with ./certgate import."
            )
        if kind.format != FORMAT:
            raise CannotMove(f"{self._name} is no backup: name a file that ./certgate backup has written.")
        with self._is_whole():
            if kind.version > VERSION:
                raise CannotMove(f"{self._name} is of a certgate that is newer than this one: update certgate.")
            manifest = msgspec.json.decode(self.written, type=BackupManifest)
            if manifest.revision > revision.head():
                raise CannotMove(
                    f"{self._name} is of revision {manifest.revision}, and this certgate knows those up to"
                    f" {revision.head()}: update certgate."
                )
            for name in manifest.files:
                if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                    raise CannotMove(f"{self._name} has a file that would lie elsewhere: {name}; take another backup.")
            return manifest

    @contextmanager
    def _is_whole(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            raise CannotMove(f"{self._name} is damaged ({error}): take another backup.") from error

    @property
    def origin(self) -> Origin:
        """What is copied of it."""
        return Origin(self, [part.content for part in self.manifest.tables], self.manifest.revision, self.written)

    def verify(self, told: Told) -> None:
        """Reads all of it. Raises `CannotMove` unless each part is what the manifest says."""
        parts = {_name_of(part.content): part.sha256 for part in self.manifest.tables}
        parts |= {f"files/{name}": part.sha256 for name, part in self.manifest.files.items()}
        for name, wanted in parts.items():
            with self._is_whole(), self._zip.open(name) as part:
                told(f"{name} verified", 0, 0)
                if hashlib.file_digest(part, "sha256").hexdigest() != wanted:  # type: ignore[arg-type]
                    raise CannotMove(f"{self._name} is damaged ({name} is not what it was): take another backup.")

    async def count(self, content: Content) -> int:
        """As of any `Supply`."""
        return self._parts[content.name].rows

    async def rows(self, content: Content) -> AsyncIterator[Rows]:
        """As of any `Supply`."""
        with self._is_whole(), self._zip.open(_name_of(content)) as part:
            while lines := [*islice(part, PART)]:
                yield content.rows(lines)

    async def last_number(self, content: Content) -> int | None:
        """As of any `Supply`."""
        return self._parts[content.name].last_number

    def require_room(self, folder: Path) -> None:
        """Raises `CannotMove` where a file of the folder is in the way of one of the backup."""
        for name, part in self.manifest.files.items():
            path = folder / name
            if path.exists() and not _is(path, part):
                raise CannotMove(
                    f"{path} is there already and is not that of the backup: move it away, and start again."
                )

    def put_files(self, folder: Path) -> None:
        """Writes the files to the folder, each under its name once it is whole."""
        for name, part in self.manifest.files.items():
            path = folder / name
            if path.exists():
                continue
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            arriving = path.with_name(f"{path.name}.part")
            with self._is_whole(), self._zip.open(f"files/{name}") as source, arriving.open("wb") as file:
                while read := source.read(_CHUNK):
                    file.write(read)
            if not _is(arriving, part):
                raise CannotMove(f"{self._name} is damaged ({name} is not what it was): take another backup.")
            arriving.replace(path)


def _is(path: Path, part: FilePart) -> bool:
    with path.open("rb") as file:
        return path.stat().st_size == part.bytes and hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
