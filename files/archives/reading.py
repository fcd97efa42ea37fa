"""An archive as it is read: everything of it is looked at before anything is done, and nothing is ever unpacked.

Only parts of known names are read, as streams, and no further than the manifest says.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any, NamedTuple, NoReturn, TypeVar

import msgspec

from domain.errors import InvalidInput
from domain.importing import members_read
from domain.lead_times import LeadTimes, setting
from domain.public_proof import PublicProof
from domain.records import Certification, CertificationBody, Organization, Record
from domain.text import excerpt
from domain.views import SavedView, restoring
from files.archives.manifest import (
    FORMAT,
    LISTS,
    MANIFEST,
    OWN_DEFINITIONS,
    PARTS,
    SETTINGS,
    VERSIONS,
    Manifest,
    PartContent,
    Version,
    part_of,
    parts_of,
)
from files.importing import SourceFile
from files.reading.table import unreadable
from files.reading.zips import DAMAGED, is_blown_up
from resolvers.certifications import missing_of
from resolvers.importing import definitions_of
from resolvers.operation import Context
from resolvers.own_settings import OwnSettings, settings_missing

R = TypeVar("R", bound=Record)

_MAX_MANIFEST = 1 << 24
_MAX_OWN = 1 << 26
_CHUNK = 1 << 20
_ENCRYPTED = 1


class Archive(NamedTuple):
    """An archive that is whole: what it says of itself, its lists, own certifications and settings."""

    name: str
    manifest: Manifest
    sources: Sequence[SourceFile]
    """The lists that are not empty, in the order in which they go in."""
    own: Sequence[Certification]
    settings: OwnSettings


class Missing(NamedTuple):
    """What an archive has besides rows, and is not there yet."""

    certifications: Sequence[Certification]
    settings: OwnSettings


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
                f"{name} is of the organisation {excerpt(manifest.organization)!r}, not of {owner.slug!r};"
                " put it in for the one that it is of"
            )
        for part in parts_of(manifest.version):
            _check(archive, name, part, manifest.parts[part])
        own = _records(archive, name, OWN_DEFINITIONS, owner, _certification)
        settings = OwnSettings()
        if manifest.version > 1:
            settings = OwnSettings(
                *(_records(archive, name, part_of(each), owner, _SETTING[each]) for each in SETTINGS)
            )
    sources = [
        SourceFile(part, manifest.parts[part].bytes, _opening(source.open, part))
        for part in map(part_of, LISTS)
        if manifest.parts[part].rows
    ]
    return Archive(name, manifest, sources, own, settings)


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
            raise unreadable(f"{name} has a part {excerpt(part.filename)!r}, which no archive has; export it again")
        if is_blown_up(part) or part.flag_bits & _ENCRYPTED:
            _altered(name, part.filename)
    found = sorted(part.filename for part in parts)
    if found.count(MANIFEST) != 1:
        _lacking(name)
    if archive.getinfo(MANIFEST).file_size > _MAX_MANIFEST:
        _altered(name, MANIFEST)
    text = archive.read(MANIFEST)
    try:
        version = msgspec.json.decode(text, type=Version)
        if version.format != FORMAT:
            raise unreadable(f"{name} is an archive of another program; export one with `certgate export all`")
        if version.version not in VERSIONS:
            raise unreadable(
                f"{name} was written by another version of certgate (its format is {version.version}, this one reads"
                f" {' and '.join(map(str, VERSIONS))}); use that version, or export it again"
            )
        if found != sorted((MANIFEST, *parts_of(version.version))):
            _lacking(name)
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, RecursionError):
        _altered(name, MANIFEST)
    if sorted(manifest.parts) != sorted(parts_of(manifest.version)):
        _altered(name, MANIFEST)
    return manifest


def _lacking(name: str) -> NoReturn:
    raise unreadable(f"{name} lacks a part, or has one twice; export it again")


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


def _records(
    archive: zipfile.ZipFile,
    name: str,
    part: str,
    owner: Organization,
    read: Callable[[dict[str, Any], Organization], R],
) -> list[R]:
    """The records of a part that is not put in as rows of files are."""
    if archive.getinfo(part).file_size > _MAX_OWN:
        _altered(name, part)
    found = []
    for number, line in enumerate(archive.read(part).splitlines(), start=1):
        try:
            found.append(read(msgspec.json.decode(line, type=dict[str, Any]), owner))
        except (msgspec.DecodeError, RecursionError, KeyError, TypeError, ValueError, InvalidInput):
            raise unreadable(f"line {number} of {part} in {name} is no {_CALLED[part]}; export it again") from None
    return found


def _certification(members: dict[str, Any], owner: Organization) -> Certification:
    body = members.get("body")
    return Certification(
        **members_read(Certification, members),
        organization_id=owner.id,
        body=None if body is None else CertificationBody(**members_read(CertificationBody, body)),
    )


def _owned(record: type[R], judge: Callable[[R], object] = id) -> Callable[[dict[str, Any], Organization], R]:
    def read(members: dict[str, Any], owner: Organization) -> R:
        found = record(**members_read(record, {**members, "organization_id": owner.id}))
        judge(found)
        return found

    return read


_SETTING: Mapping[str, Callable[[dict[str, Any], Organization], Any]] = {
    "views": _owned(SavedView, restoring),
    "lead_times": _owned(LeadTimes, setting),
    "public_proof": _owned(PublicProof),
}
_CALLED = {
    OWN_DEFINITIONS: "certification",
    part_of("views"): "view",
    part_of("lead_times"): "set of lead times",
    part_of("public_proof"): "public proof",
}


async def missing(context: Context, archive: Archive) -> Missing:
    """Those of its own certifications and settings that are not there yet.

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
    return Missing(wanted, await settings_missing(context, archive.settings))
