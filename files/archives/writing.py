"""An organisation's archive as it is written: part after part, a page of rows in memory.

Assignments are written before products, so that no row of the archive is on a product that is not in it, whatever is
made meanwhile. Everything in it is in one order and without a date, so that the same content makes the same bytes.
"""

import hashlib
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import IO, Any

import msgspec

from domain.filters import ARCHIVED, Condition, either, every
from domain.importing import KeptAcknowledgement
from domain.lead_times import LeadTimes
from domain.records import Certification, CertificationAssignment, ClaimAssignment, Organization, Record
from domain.renewal import OF_CERTIFICATE
from files.archives.manifest import (
    FORMAT,
    LISTS,
    MANIFEST,
    OWN_DEFINITIONS,
    VERSIONS,
    Manifest,
    Named,
    PartContent,
    part_of,
)
from files.jsonl import jsonl_of
from files.lists import pages
from resolvers.acknowledgements import said_of
from resolvers.certifications import KIND, kept_of, own_certifications
from resolvers.definitions import existing_definition
from resolvers.listed import LISTS as EXPORTED
from resolvers.operation import Context
from resolvers.own_settings import own_settings

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
            if name in _WITH_MORE:
                every = _WITH_MORE[name](context, every)
            found = _noting(every, name.removesuffix("s"), named)
            parts[part_of(name)] = await _write_part(archive, part_of(name), found)
        parts[OWN_DEFINITIONS] = await _write_part(archive, OWN_DEFINITIONS, _own(context))
        settings = await own_settings(context)
        await _note_those_of(context, settings.lead_times, named["certification"])
        for name, records in settings._asdict().items():
            parts[part_of(name)] = await _write_part(archive, part_of(name), _one_page(records))
        manifest = Manifest(
            FORMAT,
            VERSIONS[-1],
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
    """What a product holds, with the certificates before, oldest first, and that its lapse was taken on, if it was."""

    earlier_certificates: list[dict[str, Any]]
    acknowledgements: list[dict[str, Any]]


class ArchivedClaim(ClaimAssignment, frozen=True):
    """What a product claims, and that its lapse was taken on, if it was."""

    acknowledgements: list[dict[str, Any]]


async def _certifications(
    context: Context, found: AsyncIterator[Sequence[CertificationAssignment]]
) -> AsyncIterator[Sequence[ArchivedCertification]]:
    async for page in found:
        kept, said = await kept_of(context, page), await _acknowledgements(context, "certification", page)
        yield [
            ArchivedCertification(
                **msgspec.structs.asdict(held),
                earlier_certificates=[
                    {name: getattr(one, name) for name in (*OF_CERTIFICATE, "replaced_at")} for one in earlier
                ],
                acknowledgements=taken_on,
            )
            for held, earlier, taken_on in zip(page, kept, said, strict=True)
        ]


async def _claims(
    context: Context, found: AsyncIterator[Sequence[ClaimAssignment]]
) -> AsyncIterator[Sequence[ArchivedClaim]]:
    async for page in found:
        said = await _acknowledgements(context, "claim", page)
        yield [
            ArchivedClaim(**msgspec.structs.asdict(made), acknowledgements=taken_on)
            for made, taken_on in zip(page, said, strict=True)
        ]


async def _acknowledgements(
    context: Context, noun: str, page: Sequence[CertificationAssignment | ClaimAssignment]
) -> list[list[dict[str, Any]]]:
    # Not who: an archive has no people.
    return [
        [] if each is None else [{name: getattr(each, name) for name in KeptAcknowledgement.model_fields}]
        for each in await said_of(context, noun, page)
    ]


_WITH_MORE: Mapping[str, Any] = {"certifications": _certifications, "claims": _claims}
"""What the archive has of lists besides what every export has."""


async def _one_page(records: Sequence[Record]) -> AsyncIterator[Sequence[Record]]:
    if records:
        yield records


async def _note_those_of(context: Context, times: Sequence[LeadTimes], named: dict[str, Named]) -> None:
    """Notes the certifications that have lead times of their own."""
    for id in (each.certification_id for each in times):
        if id is not None and id not in named:
            one = await existing_definition(context, KIND, id)
            named[id] = Named(one.id, one.code, one.label)


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
