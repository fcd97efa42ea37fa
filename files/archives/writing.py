"""An organisation's archive as it is written: part after part, a page of rows in memory.

Assignments are written before products, so that no row of the archive is on a product that is not in it, whatever is
made meanwhile. Everything in it is in one order and without a date, so that the same content makes the same bytes.
"""

import hashlib
import zipfile
from collections.abc import AsyncIterator, Sequence
from typing import IO, Any

import msgspec

from domain.filters import ARCHIVED, Condition, either, every
from domain.records import Certification, CertificationAssignment, Organization
from domain.renewal import OF_CERTIFICATE
from files.archives.manifest import (
    FORMAT,
    LISTS,
    MANIFEST,
    OWN_DEFINITIONS,
    VERSION,
    Manifest,
    Named,
    PartContent,
    part_of,
)
from files.jsonl import jsonl_of
from files.lists import pages
from resolvers.certifications import kept_of, own_certifications
from resolvers.listed import LISTS as EXPORTED
from resolvers.operation import Context

_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The moment of every part: the first one that a ZIP can have."""

_encode = msgspec.json.Encoder(order="deterministic").encode


async def write(context: Context, owner: Organization, file: IO[bytes]) -> None:
    """Writes the archive of the organisation for which the context reads."""
    parts: dict[str, PartContent] = {}
    named: dict[str, dict[str, Named]] = {"certification": {}, "claim": {}}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in reversed(LISTS):
            every = _everything(context, owner, name)
            every = _with_earlier(context, every) if name == "certifications" else every
            found = _noting(every, name.removesuffix("s"), named)
            parts[part_of(name)] = await _write_part(archive, part_of(name), found)
        parts[OWN_DEFINITIONS] = await _write_part(archive, OWN_DEFINITIONS, _own(context))
        manifest = Manifest(
            FORMAT,
            VERSION,
            owner.slug,
            dict(sorted(parts.items())),
            {kind: [each[id] for id in sorted(each)] for kind, each in named.items()},  # type: ignore[misc]
        )
        with archive.open(_info(MANIFEST), "w") as part:
            part.write(msgspec.json.format(_encode(manifest)) + b"\n")


def _everything(context: Context, owner: Organization, name: str) -> AsyncIterator[Sequence[Any]]:
    # In one pass, so that what is archived or restored meanwhile is neither missed nor there twice.
    whatever = either([Condition(ARCHIVED, "known"), Condition(ARCHIVED, "null")])
    return pages(context, EXPORTED[name], every([Condition("organization_id", "eq", owner.id), whatever]))


class ArchivedCertification(CertificationAssignment, frozen=True):
    """What a product holds, with the certificates before, oldest first."""

    earlier_certificates: list[dict[str, Any]]


async def _with_earlier(
    context: Context, found: AsyncIterator[Sequence[CertificationAssignment]]
) -> AsyncIterator[Sequence[ArchivedCertification]]:
    async for page in found:
        kept = await kept_of(context, page)
        yield [
            ArchivedCertification(
                **msgspec.structs.asdict(held),
                earlier_certificates=[
                    {name: getattr(one, name) for name in (*OF_CERTIFICATE, "replaced_at")} for one in earlier
                ],
            )
            for held, earlier in zip(page, kept, strict=True)
        ]


async def _own(context: Context) -> AsyncIterator[Sequence[Certification]]:
    found = await own_certifications(context)
    if found:
        yield sorted(found, key=lambda each: each.id)


async def _noting(
    found: AsyncIterator[Sequence[Any]], kind: str, named: dict[str, dict[str, Named]]
) -> AsyncIterator[Sequence[Any]]:
    """The same pages; what their rows name is noted."""
    async for page in found:
        if kind in named:
            for record in page:
                definition = getattr(record, kind)
                if definition.id not in named[kind]:
                    named[kind][definition.id] = Named(definition.id, definition.code, definition.label)
        yield page


async def _write_part(archive: zipfile.ZipFile, name: str, found: AsyncIterator[Sequence[Any]]) -> PartContent:
    rows = size = 0
    digest = hashlib.sha256()
    with archive.open(_info(name), "w", force_zip64=True) as part:
        async for lines in jsonl_of(found):
            rows += lines.count(b"\n")
            size += len(lines)
            digest.update(lines)
            part.write(lines)
    return PartContent(rows, size, digest.hexdigest())


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _BEGINNING)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info
