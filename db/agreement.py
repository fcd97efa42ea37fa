"""Whether the tables are as the log of changes tells: the last version of each thing in it is the row of the thing."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Table, and_, bindparam, func, literal, select, true, tuple_

from db import keys
from db.engine.database import Database
from db.history import KINDS
from db.sql.reads import Read, Row
from db.sql.tables import ACKNOWLEDGED, api_keys, changes, memberships, metadata, public_proofs, views, webhooks
from db.sql.types import Unindexed, among
from domain.short_id import ShortId
from domain.vocabulary import ObjectKind

PAGE = 1_000
"""Rows of a table that are looked for in the log in one statement."""


class Differing(NamedTuple):
    """The first thing that the tables have otherwise than the log tells, and in which member, "" for all of it."""

    kind: str
    object_id: str
    gtin: str
    member: str
    why: str
    organization_id: ShortId | None = None
    """The owner, as far as a change tells."""


class _OfKind(NamedTuple):
    """Where the rows of a kind are."""

    kind: str
    table: Table
    is_there: ColumnElement[bool] = true()
    """Of which rows of the table the log tells."""
    limits: bool = False
    """Whether it is an API key's limits that it tells of."""

    @property
    def columns(self) -> list[ColumnElement[Any]]:
        """What may be told of."""
        limits = [api_keys.c.graphql_limits.label("limits")] if self.limits else []
        return [*(column for column in self.table.c if column.computed is None), *limits]

    @property
    def key(self) -> list[ColumnElement[Any]]:
        """What a row is known by: in the log the same with a slash between."""
        if self.table is memberships:
            return [memberships.c.organization_id, memberships.c.user_id]
        return [self.table.c.organization_id if self.table is public_proofs else self.table.c.id]

    @property
    def gtin(self) -> ColumnElement[str]:
        """The GTIN with which it is told of."""
        return self.table.c.gtin if "gtin" in self.table.c else literal("")

    def known_as(self, object_id: ColumnElement[str]) -> ColumnElement[bool]:
        """Whether a row is of that id in the log; by index."""
        # An id has 22 characters.
        parts = [func.substr(object_id, at * 23 + 1, 22) for at in range(2)] if len(self.key) > 1 else [object_id]
        found = [own == part for own, part in zip(self.key, parts, strict=True)]
        return and_(*found, self.is_there, *([self.table.c.gtin == changes.c.gtin] if "gtin" in self.table.c else []))


KEPT = (
    *(_OfKind(kind.value, metadata.tables[name]) for name, kind in KINDS.items()),
    *(_OfKind(ObjectKind.ACKNOWLEDGEMENT.value, table) for table in ACKNOWLEDGED.values()),
    _OfKind(ObjectKind.VIEW.value, views),
    _OfKind(ObjectKind.WEBHOOK.value, webhooks),
    _OfKind(ObjectKind.MEMBERSHIP.value, memberships),
    _OfKind(ObjectKind.PUBLIC_PROOF.value, public_proofs),
    _OfKind(ObjectKind.API_KEY.value, api_keys, keys.LIVE),
    _OfKind(ObjectKind.GRAPHQL_LIMITS.value, api_keys, api_keys.c.graphql_limits.is_not(None), limits=True),
)
"""All of which the log tells."""
_GOES_WITH: Mapping[str, Sequence[str]] = {
    ObjectKind.ACKNOWLEDGEMENT.value: [
        ObjectKind.CERTIFICATION_ASSIGNMENT.value,
        ObjectKind.CLAIM_ASSIGNMENT.value,
    ],
    ObjectKind.GRAPHQL_LIMITS.value: [ObjectKind.API_KEY.value],
}
"""What is not told of by itself when it goes with something else of the same id."""


class _Version(NamedTuple):
    """The last version of a thing in the log, and the row of the thing in a table, None where there is none."""

    seq: int
    object_id: str
    gtin: str
    record: dict[str, Any] | None
    row: dict[str, Any] | None


def _compared(kept: _OfKind) -> Read[_Version]:
    """Of those changes that are the last ones of their things: the rows, in the same statement, as others write."""
    later = changes.alias("later")
    # The latest by its moment is nearly always a later one: all of a thing are looked through for its last one alone.
    last = (
        select(later.c.seq)
        .where(
            later.c.gtin == changes.c.gtin,
            later.c.object_id == changes.c.object_id,
            Unindexed(later.c.kind) == changes.c.kind,
            Unindexed(later.c.seq) > changes.c.seq,
            later.c.day.is_(None),
        )
        .order_by(later.c.at.desc(), later.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    own = kept.columns
    names = [str(column.key) for column in own]

    def version(row: Row) -> _Version:
        seq, object_id, gtin, record, is_there, *values = row
        found = dict(zip(names, values, strict=True)) if is_there is not None else None
        return _Version(seq, object_id, gtin, record, found)

    # What a day brings changes nothing.
    compared = among(changes.c.seq, "seqs"), Unindexed(changes.c.kind) == kept.kind, changes.c.day.is_(None)
    rows = (
        select(changes.c.seq, changes.c.object_id, changes.c.gtin, changes.c.record, kept.key[0].label("is_there"))
        .add_columns(*own)
        .select_from(changes)
        .outerjoin(kept.table, kept.known_as(changes.c.object_id))
        .where(*compared, last.is_(None))
        .order_by(changes.c.seq)
    )
    return Read(rows, version, scans=True)


def _untold(kept: _OfKind) -> Read[tuple[Row, str, bool]]:
    """A page of a table, and of each row whether the log tells of it."""
    id: Any = kept.key[0]
    for part in kept.key[1:]:
        id = id + "/" + part
    told = (
        select(changes.c.seq)
        .where(changes.c.gtin == kept.gtin, changes.c.object_id == id, Unindexed(changes.c.kind) == kept.kind)
        .exists()
    )
    behind = tuple_(*kept.key) > tuple_(*(bindparam(f"after{at}") for at in range(len(kept.key))))
    rows = select(*kept.key, kept.gtin, told).where(kept.is_there, behind).order_by(*kept.key).limit(PAGE)
    return Read(rows, lambda row: (row[: len(kept.key)], row[-2], bool(row[-1])), scans=True)


_COMPARED: Mapping[str, Sequence[Read[_Version]]] = {
    kind.value: [_compared(kept) for kept in KEPT if kept.kind == kind.value] for kind in ObjectKind
}
_UNTOLD = [(kept, _untold(kept)) for kept in KEPT]
_GONE = Read(
    select(changes.c.record).where(
        changes.c.gtin == bindparam("gtin"),
        changes.c.object_id == bindparam("object_id"),
        among(Unindexed(changes.c.kind), "kinds"),
        Unindexed(changes.c.seq) > bindparam("seq"),
    ),
    lambda row: row[0] is None,
)


async def first_differing(database: Database, changed: Iterable[Mapping[str, Any]]) -> Differing | None:
    """The first of these changes, rows of the log, that is the last one of its thing and does not tell how that is."""
    seqs: dict[str, list[int]] = {}
    owners: dict[int, ShortId | None] = {}
    for change in changed:
        seqs.setdefault(change["kind"], []).append(change["seq"])
        owners[change["seq"]] = change.get("organization_id")
    found: list[tuple[int, Differing]] = []
    for kind, of in seqs.items():
        versions: dict[int, _Version] = {}
        for read in _COMPARED[kind]:
            for each in await database.fetch(read, seqs=of):
                if each.row is not None or each.seq not in versions:
                    versions[each.seq] = each
        for each in versions.values():
            told = _difference(each)
            if told and not await _is_gone(database, kind, each):
                found.append((each.seq, Differing(kind, each.object_id, each.gtin, *told, owners[each.seq])))
                break
    return min(found)[1] if found else None


async def untold(database: Database) -> AsyncIterator[tuple[str, int, Differing | None]]:
    """Looks in the log for all that the tables have: after each page its kind, how far it is, and the first missing."""
    for kept, read in _UNTOLD:
        seen, after = 0, [""] * len(kept.key)
        while page := await database.fetch(read, **{f"after{at}": part for at, part in enumerate(after)}):
            missing = next(((key, gtin) for key, gtin, is_told in page if not is_told), None)
            why = "it is in the table, and the log never told of it"
            told = None if missing is None else Differing(kept.kind, "/".join(missing[0]), missing[1], "", why)
            seen, after = seen + len(page), [*page[-1][0]]
            yield kept.kind, seen, told


def _difference(version: _Version) -> tuple[str, str] | None:
    """In which member a row is not what was told last, and why."""
    record, row = version.record, version.row
    if record is None or row is None:
        if record is row:
            return None
        there = "it is not in the table any more" if row is None else "it was removed, and is in the table"
        return "", there
    # What came later than this version is not in it; what is empty may be so in several ways.
    values = msgspec.to_builtins({name: row[name] for name in record if name in row})
    for name, value in values.items():
        if value != record[name] and (value or record[name]):
            return name, f"the table has another {name}"
    return None


async def _is_gone(database: Database, kind: str, version: _Version) -> bool:
    """Whether it went with something else since then."""
    parents = _GOES_WITH.get(kind)
    if parents is None:
        return False
    values = {"gtin": version.gtin, "object_id": version.object_id, "seq": version.seq}
    gone = await database.fetch(_GONE, kinds=list(parents), **values)
    return any(gone)
