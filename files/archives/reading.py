"""An archive as it is read: everything of it is looked at before anything is done, and nothing is ever unpacked.

Only parts of known names are read, as streams, and no further than the manifest says.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, NamedTuple, NoReturn

import msgspec

from domain.importing import members_read
from domain.records import Certification, CertificationBody, Organization
from files.archives.manifest import (
    FORMAT,
    LISTS,
    MANIFEST,
    OWN_DEFINITIONS,
    PARTS,
    VERSION,
    Manifest,
    PartContent,
    Version,
    part_of,
)
from files.importing import SourceFile
from files.reading.table import unreadable
from files.reading.zips import DAMAGED, is_blown_up
from resolvers.certifications import missing_of
from resolvers.importing import definitions_of
from resolvers.operation import Context

_MAX_MANIFEST = 1 << 24
_MAX_OWN = 1 << 26
_CHUNK = 1 << 20
_ENCRYPTED = 1


class Archive(NamedTuple):
    """An archive that is whole: what it says of itself, its lists, and the organisation's own certifications."""

    name: str
    manifest: Manifest
    sources: Sequence[SourceFile]
    """The lists that are not empty, in the order in which they go in."""
    own: Sequence[Certification]


def is_archive(source: SourceFile) -> bool:
    """Whether a file is a ZIP with a manifest, which no workbook has."""
    with source.open() as file:
        if file.read(2) != b"PK":
            return False
        try:
            with zipfile.ZipFile(file) as archive:
                return MANIFEST in archive.namelist()
        except DAMAGED:
            return False


def opened(source: SourceFile, owner: Organization) -> Archive:
    """The archive in a file, all of it looked at. Raises `InvalidInput` for one that is damaged or not the owner's."""
    name = source.name
    with _reading(name), source.open() as file, zipfile.ZipFile(file) as archive:
        manifest = _manifest(archive, name)
        if manifest.organization != owner.slug:
            raise unreadable(
                f"{name} is of the organisation {manifest.organization[:63]!r}, not of {owner.slug!r};"
                " put it in for the one that it is of"
            )
        for part in PARTS:
            _check(archive, name, part, manifest.parts[part])
        own = _own(archive, name, owner) if manifest.parts[OWN_DEFINITIONS].rows else []
    sources = [
        SourceFile(part, manifest.parts[part].bytes, _opening(source.open, part))
        for part in map(part_of, LISTS)
        if manifest.parts[part].rows
    ]
    return Archive(name, manifest, sources, own)


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise unreadable(f"{name} breaks off or is damaged: {error}; export it again") from None


def _manifest(archive: zipfile.ZipFile, name: str) -> Manifest:
    parts = archive.infolist()
    for part in parts:
        if part.filename not in (MANIFEST, *PARTS):
            raise unreadable(f"{name} has a part {part.filename[:60]!r}, which no archive has; export it again")
        if is_blown_up(part) or part.flag_bits & _ENCRYPTED:
            _altered(name, part.filename)
    if sorted(part.filename for part in parts) != sorted((MANIFEST, *PARTS)):
        raise unreadable(f"{name} lacks a part, or has one twice; export it again")
    if archive.getinfo(MANIFEST).file_size > _MAX_MANIFEST:
        _altered(name, MANIFEST)
    text = archive.read(MANIFEST)
    try:
        version = msgspec.json.decode(text, type=Version)
        if version.format != FORMAT:
            raise unreadable(f"{name} is an archive of another program; export one with `certgate export all`")
        if version.version != VERSION:
            raise unreadable(
                f"{name} was written by another version of certgate (its format is {version.version}, this one reads"
                f" {VERSION}); use that version, or export it again"
            )
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, RecursionError):
        _altered(name, MANIFEST)
    if sorted(manifest.parts) != sorted(PARTS):
        _altered(name, MANIFEST)
    return manifest


def _altered(name: str, part: str) -> NoReturn:
    raise unreadable(f"{name} is not as it was written: its part {part} was changed; export it again")


def _check(archive: zipfile.ZipFile, name: str, part: str, said: PartContent) -> None:
    """Reads a part to its end. Raises `InvalidInput` where it is not what the manifest says."""
    if archive.getinfo(part).file_size != said.bytes:
        _altered(name, part)
    digest, size, rows = hashlib.sha256(), 0, 0
    with archive.open(part) as content:
        while chunk := content.read(_CHUNK):
            size += len(chunk)
            rows += chunk.count(b"\n")
            digest.update(chunk)
    if (size, rows, digest.hexdigest()) != (said.bytes, said.rows, said.sha256):
        _altered(name, part)


def _opening(open: Callable[[], IO[bytes]], part: str) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        file = open()
        try:
            return io.BufferedReader(_OpenPart(zipfile.ZipFile(file).open(part), file))
        except BaseException:
            file.close()
            raise

    return opened


class _OpenPart(io.RawIOBase):
    """A part that is open, and closes with itself the file that it is in."""

    def __init__(self, part: IO[bytes], file: IO[bytes]) -> None:
        self._part = part
        self._file = file

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is, by reading it again."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads as much as there is place for."""
        found = self._part.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a place."""
        return self._part.seek(offset, whence)

    def tell(self) -> int:
        """Where it is."""
        return self._part.tell()

    def close(self) -> None:
        """Closes both."""
        self._part.close()
        self._file.close()
        super().close()


def _own(archive: zipfile.ZipFile, name: str, owner: Organization) -> list[Certification]:
    """The organisation's own certifications, as the archive has them."""
    if archive.getinfo(OWN_DEFINITIONS).file_size > _MAX_OWN:
        _altered(name, OWN_DEFINITIONS)
    found = []
    for number, line in enumerate(archive.read(OWN_DEFINITIONS).splitlines(), start=1):
        try:
            members = msgspec.json.decode(line, type=dict[str, Any])
            body = members.get("body")
            values = members_read(Certification, members)
            found.append(
                Certification(
                    **values,
                    organization_id=owner.id,
                    body=None if body is None else CertificationBody(**members_read(CertificationBody, body)),
                )
            )
        except (msgspec.DecodeError, RecursionError, KeyError, TypeError, ValueError):
            raise unreadable(
                f"line {number} of {OWN_DEFINITIONS} in {name} is no certification; export it again"
            ) from None
    return found


async def missing(context: Context, archive: Archive) -> list[Certification]:
    """Those of its own certifications that are not there yet.

    Raises `InvalidInput` where the installation lacks what the archive names, or has something else in its place.
    """
    wanted = await missing_of(context, archive.own)
    known = await definitions_of(context, wanted)
    for kind, names in archive.manifest.definitions.items():
        for named in names:
            if named.id not in known[kind].called:
                called = (named.code or named.label)[:80]
                raise unreadable(
                    f"{archive.name} names the {kind} {called}, which is not here;"
                    " load the catalogue with `certgate seed catalogue`, and put it in again"
                )
    return wanted
