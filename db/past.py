"""Pages of the log of changes: those of a product, or of one thing that it has. Read by index, newest first."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, func, select

from db.engine.database import Database
from db.history import GraphqlLimits
from db.lists import beyond, directed, placing
from db.sql.reads import Read, Row
from db.sql.tables import changes
from db.sql.types import Document, among
from domain.account import ApiKey
from domain.acknowledgements import Acknowledgement
from domain.changes import FieldChange, differences_of_row
from domain.history import OF_PRODUCTS, ORDER, PastChange, Subject
from domain.members import members_of
from domain.paging import Page, Window, cut
from domain.people import Member
from domain.public_proof import PublicProof
from domain.records import (
    Certification,
    CertificationAssignment,
    CertificationBody,
    Claim,
    ClaimAssignment,
    Organization,
    Product,
    Record,
)
from domain.short_id import ShortId
from domain.views import SavedView
from domain.vocabulary import ObjectKind
from domain.webhooks import ToldWebhook

_RECORDS: Mapping[ObjectKind, type[Record]] = {
    ObjectKind.PRODUCT: Product,
    ObjectKind.CERTIFICATION_ASSIGNMENT: CertificationAssignment,
    ObjectKind.CLAIM_ASSIGNMENT: ClaimAssignment,
    ObjectKind.ACKNOWLEDGEMENT: Acknowledgement,
    ObjectKind.CERTIFICATION_BODY: CertificationBody,
    ObjectKind.CERTIFICATION: Certification,
    ObjectKind.CLAIM: Claim,
    ObjectKind.ORGANIZATION: Organization,
    ObjectKind.VIEW: SavedView,
    ObjectKind.WEBHOOK: ToldWebhook,
    ObjectKind.MEMBERSHIP: Member,
    ObjectKind.API_KEY: ApiKey,
    ObjectKind.GRAPHQL_LIMITS: GraphqlLimits,
    ObjectKind.PUBLIC_PROOF: PublicProof,
}

KINDS = [kind.value for kind in OF_PRODUCTS]
"""Whose history is shown with products."""
_HIDDEN = changes.alias("hidden")
_NAMED_BY_OTHERS = (changes.c.kind == "acknowledgement") | (changes.c.kind == "graphql_limits")


def _named() -> ColumnElement[Any]:
    """The row by which a change is called: its own, that before what was removed, or that of what it is told of."""
    before = changes.alias("before")
    last = (
        select(before.c.record)
        .where(
            before.c.gtin == changes.c.gtin,
            before.c.object_id == changes.c.object_id,
            before.c.record.is_not(None),
            before.c.kind != "acknowledgement",
            before.c.kind != "graphql_limits",
        )
        .order_by(before.c.at.desc(), before.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(case((~_NAMED_BY_OTHERS, changes.c.record)), last, type_=Document)


COLUMNS = (
    *(changes.c[name] for name in ("seq", "at", "day", "kind", "object_id", "gtin", "organization_id", "operation")),
    *(changes.c[name] for name in ("face", "credential", "credential_id", "user_id", "request_id")),
    *(changes.c[name] for name in ("members", "record")),
    _named().label("named"),
)


def past_change(row: Row) -> PastChange:
    """The change that a row of `COLUMNS` tells of."""
    *told, members, record, named = row
    seq, at, day, kind, object_id, gtin, owner, operation, face, credential, credential_id, user_id, request_id = told
    who = credential_id or user_id
    found = _made(kind, record) if members is None else _changed(kind, members)
    actor = f"{credential}:{who}" if who else credential
    named = named or {}
    return PastChange(
        seq=seq,
        at=at,
        day=day,
        kind=kind,
        # A membership is of a person in an organisation.
        object_id=object_id.rpartition("/")[2],
        definition_id=named.get("certification_id") or named.get("claim_id"),
        code=named.get("code") or None,
        name=named.get("name") or named.get("label") or named.get("receiver"),
        gtin=gtin or None,
        organization_id=owner,
        operation=operation,
        face=face,
        actor=actor,
        request_id=request_id or None,
        changes=found,
    )


def _made(kind: ObjectKind, record: Mapping[str, Any] | None) -> list[FieldChange]:
    of, values = _RECORDS[kind], dict(record or {})
    for name, typed in _types(of).items():
        if isinstance(value := values.get(name), str):
            values[name] = typed(value)
    return differences_of_row(of, values)


def _changed(kind: ObjectKind, members: Sequence[Any]) -> list[FieldChange]:
    types = _types(_RECORDS[kind])
    found = []
    for path, before, after in members:
        typed = types.get(path[0])
        values = [typed(each) if typed is not None and isinstance(each, str) else each for each in (before, after)]
        found.append(FieldChange(tuple(path), *values))
    return found


@cache
def _types(of: type[Record]) -> Mapping[str, Callable[[str], Any]]:
    """What makes of the texts of a row what the record has, for the members that are no texts there."""
    found: dict[str, Callable[[str], Any]] = {}
    for name, member in members_of(of).items():
        if issubclass(member.plain, StrEnum):
            # Until Python 3.12 an enumeration takes its time.
            found[name] = {each.value: each for each in member.plain}.__getitem__
        elif issubclass(member.plain, date):
            found[name] = member.plain.fromisoformat
    return found


@lru_cache(maxsize=64)
def _of(*, one: bool, hides: bool) -> tuple[Any, ...]:
    """The conditions of a subject."""
    conditions: list[Any] = [changes.c.gtin == bindparam("gtin")]
    if one:
        conditions.append(changes.c.object_id == bindparam("object_id"))
    conditions.append(among(changes.c.kind, "kinds"))
    if hides:
        named = _HIDDEN.c.record["certification_id"].as_string()
        private = select(_HIDDEN.c.object_id).where(
            _HIDDEN.c.gtin == bindparam("gtin"),
            _HIDDEN.c.kind == ObjectKind.CERTIFICATION_ASSIGNMENT.value,
            among(named, "hidden"),
        )
        conditions.append(changes.c.object_id.not_in(private))
    return tuple(conditions)


@lru_cache(maxsize=64)
def _page(*, one: bool, hides: bool, ascending: bool, behind: bool) -> Read[PastChange]:
    columns = [changes.c.at, changes.c.seq]
    rows: Select[Any] = select(*COLUMNS).where(*_of(one=one, hides=hides), *beyond(columns, ascending, behind))
    return Read(rows.order_by(*directed(columns, ascending)).limit(bindparam("limit")), past_change)


@lru_cache(maxsize=8)
def _count(*, one: bool, hides: bool) -> Read[int]:
    counted = select(func.count()).select_from(changes).where(*_of(one=one, hides=hides))
    return Read(counted, lambda row: int(row[0]), scans=True)


_MOMENT = Read(
    select(changes.c.at).where(changes.c.gtin == bindparam("gtin"), changes.c.seq == bindparam("seq")),
    lambda row: row[0],
)


def _values(of: Subject, hidden: Sequence[ShortId]) -> dict[str, Any]:
    values: dict[str, Any] = {"gtin": of.gtin, "kinds": KINDS}
    if of.object_id is not None:
        values["object_id"] = of.object_id
    return values | ({"hidden": list(hidden)} if hidden else {})


async def page(database: Database, of: Subject, hidden: Sequence[ShortId], window: Window) -> Page[PastChange]:
    """Some of the changes, as they are told to whoever may see all; `hidden` are certifications that do not exist."""
    read = _page(
        one=of.object_id is not None,
        hides=bool(hidden),
        ascending=ORDER.descending == window.backward,
        behind=window.position is not None,
    )
    found = await database.fetch(read, **_values(of, hidden), **placing(window))
    return cut(found, window)


async def count(database: Database, of: Subject, hidden: Sequence[ShortId]) -> int:
    """How many there are."""
    read = _count(one=of.object_id is not None, hides=bool(hidden))
    return (await database.fetch(read, **_values(of, hidden)))[0]


async def moment(database: Database, gtin: str, seq: int) -> datetime | None:
    """When the change of that number was, if it is one of the product."""
    return next(iter(await database.fetch(_MOMENT, gtin=gtin, seq=seq)), None)
