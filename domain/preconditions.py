"""Changing only what one has seen: entity tags and versions (RFC 9110 sections 8.8.3 and 13.1).

An assignment or a product counts its changes in `version`, which GraphQL shows. REST shows an entity tag made of it;
what it stands for beside the version is opaque. Both come down to one `Expected` that the operation compares with the
locked row, so that nobody can get in between.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import date

import msgspec

from domain.certificates import is_active, is_halted, stands
from domain.errors import BadRequest, PreconditionFailed
from domain.records import CertificationAssignment, ClaimAssignment, Product

Versioned = Product | CertificationAssignment | ClaimAssignment

_tag = re.compile(r'(W/)?"([!#-~\x80-\xff]*)"')


def entity_tag(record: Versioned, today: date) -> str:
    """The strong tag of a record as REST shows it on that day, without quotes: `<version>-<digest>`.

    The digest is of everything else that decides what is shown: which record it is (one that was removed and made
    again has another id), its definition, and how it stands, which changes with the day alone.
    """
    shown: tuple[object, ...] = (record.id,)
    if isinstance(record, CertificationAssignment):
        stands_so = (is_active(record, today), is_halted(record, today), stands(record, today))
        shown = (record.id, record.certification, *stands_so)
    elif isinstance(record, ClaimAssignment):
        shown = (record.id, record.claim)
    return f"{record.version}-{digest(msgspec.json.encode(shown))}"


def digest(content: bytes) -> str:
    """A short name for exactly this content."""
    # OpenSSL has instructions of the processor for this one: a third of the time of BLAKE2.
    return hashlib.sha256(content).hexdigest()[:24]


class Tags(msgspec.Struct, frozen=True):
    """What `If-Match` or `If-None-Match` lists. `weak` and `strong` are without quotes; `anything` is the `*`."""

    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    anything: bool = False

    def match_strongly(self, tag: str) -> bool:
        """Whether the tag of an existing thing is listed, as `If-Match` compares."""
        return self.anything or tag in self.strong

    def require(self, tag: str, otherwise: str) -> None:
        """Raises `PreconditionFailed` unless `If-Match` lists the tag: with `otherwise`, or for a weak form of it."""
        if self.match_strongly(tag):
            return
        if tag in self.weak:
            # What a proxy makes of an ETag when it compresses the answer; If-Match may not take it (section 13.1.1).
            otherwise = f'If-Match takes no weak tag; leave out the W/ that a proxy has put before it: "{tag}".'
        raise PreconditionFailed(otherwise)

    def match_weakly(self, tag: str) -> bool:
        """Whether the tag of an existing thing is listed, as `If-None-Match` compares."""
        return self.anything or tag in self.strong or tag in self.weak


def read_tags(header: str, values: Sequence[str]) -> Tags | None:
    """The tags in the values of such a header; None when it is absent. Raises `BadRequest` that names the header."""
    if not values:
        return None
    text = ",".join(values).strip(" \t")
    if text == "*":
        return Tags(anything=True)
    found = _tag.findall(text)
    if not found or _tag.sub("", text).strip(", \t"):
        raise BadRequest(
            f'The header {header} should list entity tags in quotes, as ETag shows them ("3-5d41402a"), or be *;'
            " send the ETag of an earlier answer as it was."
        )
    return Tags(
        frozenset(tag for weak, tag in found if not weak),
        frozenset(tag for weak, tag in found if weak),
    )


def is_known(values: Sequence[str], tag: str) -> bool:
    """Whether the values of `If-None-Match` list the tag; who cannot say what is known gets the whole answer."""
    try:
        tags = read_tags("If-None-Match", values)
    except BadRequest:
        return False
    return tags is not None and tags.match_weakly(tag)


class Expected(msgspec.Struct, frozen=True):
    """What the caller takes the stored record to be: one of these tags and none of those, or of this version."""

    tags: Tags | None = None
    others: Tags | None = None
    version: int | None = None

    def check(self, stored: Versioned, today: date) -> None:
        """Raises `PreconditionFailed` unless the stored record is that."""
        tag = entity_tag(stored, today) if self.tags is not None or self.others is not None else ""
        if self.tags is not None:
            self.tags.require(
                tag,
                f"What is stored is not what If-Match names, but at version {stored.version}, or shown differently"
                " today; read it again, and send the change with its new ETag.",
            )
        if self.others is not None and self.others.match_weakly(tag):
            raise PreconditionFailed(
                f"What is stored is what If-None-Match names, at version {stored.version}; send the change without"
                " that header, or with If-Match to change just this."
            )
        if self.version is not None and self.version != stored.version:
            raise PreconditionFailed(
                f"What is stored is at version {stored.version}, not {self.version} as ifMatch says; read it again,"
                " and send the change with its new version."
            )
