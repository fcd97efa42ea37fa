"""What an archive says of itself, in its last part: whose it is, what is in it, and what its rows name."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

MANIFEST = "manifest.json"
FORMAT = "certgate archive"
VERSIONS = (1, 2)
"""The formats that are read, of which the newest is written. The first has no settings."""

OWN_DEFINITIONS = "own_certifications.jsonl"
"""The certifications that the organisation alone may see."""

LISTS = ("products", "certifications", "claims")
"""What goes in, in this order: first what others are put on."""


def part_of(name: str) -> str:
    """What the part with that list is called."""
    return f"{name}.jsonl"


SETTINGS = ("views", "lead_times", "public_proof")
"""What the organisation's members have set, each a part."""

_WITHOUT_SETTINGS = (OWN_DEFINITIONS, *map(part_of, LISTS))
PARTS = (*_WITHOUT_SETTINGS, *map(part_of, SETTINGS))


def parts_of(version: int) -> Sequence[str]:
    """The parts of an archive of that format, besides its manifest."""
    return PARTS if version > 1 else _WITHOUT_SETTINGS


class PartContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a part holds."""

    rows: int
    bytes: int
    sha256: str
    """Of its content, in hex."""


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A definition that rows name."""

    id: str
    code: str
    label: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The manifest."""

    format: str
    version: int
    organization: str
    """The slug of the organisation whose archive it is."""
    parts: Mapping[str, PartContent]
    definitions: Mapping[Literal["certification", "claim"], Sequence[Named]]
    """Those of the catalogue and of its own, by id."""


class Version(msgspec.Struct, frozen=True):
    """What is read of a manifest first: a later version may have other members."""

    format: str
    version: int
