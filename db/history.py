"""The log of changes: what is written of each, and how.

A row of it has the columns of the record as they are stored after the change, as msgspec writes them in JSON, with
definitions by their ids; so the log replayed from nothing gives the tables. Nobody's name or address is in it: a
membership names its user by id.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from db import definitions, products
from db.assignments import certifications, claims
from db.engine.database import Database, Transaction
from db.sql.tables import changes
from domain import webhooks
from domain.account import ApiKey
from domain.acknowledgements import Acknowledgement
from domain.changes import Change, FieldChange, differences
from domain.history import Provenance
from domain.people import Member
from domain.public_proof import PublicProof
from domain.records import (
    Certification,
    CertificationAssignment,
    ClaimAssignment,
    Organization,
    Product,
    Record,
)
from domain.short_id import ShortId
from domain.views import SavedView
from domain.vocabulary import ObjectKind
from domain.webhooks import Webhook

Row = Mapping[str, Any]
Entry = dict[str, Any]
"""The columns of one row of the log."""


class GraphqlLimits(Record, frozen=True):
    """What an API key's GraphQL operations may ask for, where that is not the installation's."""

    id: ShortId
    organization_id: ShortId
    limits: dict[str, int]


KINDS = {
    "products": ObjectKind.PRODUCT,
    "certification_assignments": ObjectKind.CERTIFICATION_ASSIGNMENT,
    "claim_assignments": ObjectKind.CLAIM_ASSIGNMENT,
    "certification_bodies": ObjectKind.CERTIFICATION_BODY,
    "certifications": ObjectKind.CERTIFICATION,
    "claims": ObjectKind.CLAIM,
    "organizations": ObjectKind.ORGANIZATION,
}
"""What the rows of these tables are, each with an id of its own."""


_UNTOLD = {"by", "email"}
"""Members that name a person."""


class _Recorded(NamedTuple):
    """How a kind of records is told of: the columns of its row, the id by which it is known, and whose it is.

    Its kind is a plain text: what is written in every operation is not looked up in an enumeration.
    """

    kind: str
    row: Callable[[Any], Row]
    id: Callable[[Any], str] = lambda record: str(record.id)
    owner: Callable[[Any], ShortId | None] = lambda record: record.organization_id
    is_whole: bool = False
    """Whether what is removed is told of member by member."""
    told: Callable[[Any], Any] = lambda record: record
    """What is told of a record, where that is not all of it."""


def _key_row(key: ApiKey) -> Row:
    row = msgspec.structs.asdict(key)
    # It is no change of the key.
    del row["last_used"]
    return row


def _acknowledgement_row(said: Acknowledgement) -> Row:
    # Who it was is told as of every change.
    return {name: getattr(said, name) for name in ("id", "gtin", "until", "reason", "lapses_on", "created_at")}


def _membership_row(member: Member) -> Row:
    return {name: getattr(member, name) for name in ("user_id", "organization_id", "role", "created_at")}


_RECORDED: dict[type, _Recorded] = {
    Product: _Recorded(ObjectKind.PRODUCT.value, products.row, is_whole=True),
    CertificationAssignment: _Recorded(ObjectKind.CERTIFICATION_ASSIGNMENT.value, certifications.row, is_whole=True),
    ClaimAssignment: _Recorded(ObjectKind.CLAIM_ASSIGNMENT.value, claims.row, is_whole=True),
    Certification: _Recorded(ObjectKind.CERTIFICATION.value, definitions.certification_row),
    Acknowledgement: _Recorded(ObjectKind.ACKNOWLEDGEMENT.value, _acknowledgement_row),
    SavedView: _Recorded(ObjectKind.VIEW.value, msgspec.structs.asdict),
    Webhook: _Recorded(ObjectKind.WEBHOOK.value, msgspec.structs.asdict, told=webhooks.told),
    Organization: _Recorded(ObjectKind.ORGANIZATION.value, msgspec.structs.asdict, owner=lambda one: one.id),
    Member: _Recorded(
        ObjectKind.MEMBERSHIP.value, _membership_row, lambda member: f"{member.organization_id}/{member.user_id}"
    ),
    ApiKey: _Recorded(ObjectKind.API_KEY.value, _key_row),
    GraphqlLimits: _Recorded(ObjectKind.GRAPHQL_LIMITS.value, msgspec.structs.asdict),
    PublicProof: _Recorded(ObjectKind.PUBLIC_PROOF.value, msgspec.structs.asdict, lambda proof: proof.organization_id),
}


def entry(change: Change[Any, Any], now: datetime, operation: str, whence: Provenance) -> Entry | None:
    """The row that tells of a change; None where nothing changed, and for what is not told of.

    Its moment is never before that of the change before, whatever the clock does.
    """
    before, after = change.before, change.after
    known = before if after is None else after
    recorded = _RECORDED.get(type(known))
    if recorded is None:
        # What was made may be told with a secret.
        made = getattr(known, "entry", None)
        same = before if isinstance(before, type(made)) else None
        return None if made is None else entry(Change(same, made), now, operation, whence)
    members = None
    if before is not None:
        if before == after:
            return None
        now = max(now, getattr(before, "updated_at", now))
        if after is not None or recorded.is_whole:
            told = [None if each is None else recorded.told(each) for each in (before, after)]
            members = [each for each in differences(*told) if each.path[0] not in _UNTOLD]
    return _entry(
        recorded.kind,
        recorded.id(known),
        getattr(known, "gtin", ""),
        recorded.owner(known),
        None if after is None else recorded.row(recorded.told(after)),
        members,
        now,
        operation,
        whence,
    )


def entry_of_row(
    kind: ObjectKind,
    before: Row | None,
    after: Row,
    owner: ShortId | None,
    now: datetime,
    operation: str,
    whence: Provenance,
) -> Entry:
    """The row that tells of a row that was written as such."""
    members = None
    if before is not None:
        members = [FieldChange((name,), old, after[name]) for name, old in before.items() if old != after[name]]
    return _entry(kind.value, after["id"], after.get("gtin", ""), owner, after, members, now, operation, whence)


def _entry(
    kind: str,
    object_id: str,
    gtin: str,
    owner: ShortId | None,
    record: Row | None,
    members: list[FieldChange] | None,
    at: datetime,
    operation: str,
    whence: Provenance,
) -> Entry:
    (credential, credential_id, user_id, acting_id), face, request_id = whence
    return {
        "at": at,
        "kind": kind,
        "object_id": object_id,
        "gtin": gtin,
        "organization_id": owner,
        "operation": operation,
        "record": record,
        "members": members,
        "credential": credential,
        "credential_id": credential_id,
        "user_id": user_id,
        "acting_id": acting_id,
        "face": face,
        "request_id": request_id,
    }


def foreseen(database: Database, entries: list[Entry]) -> list[Entry]:
    """Rows of the log that are going to be written, made before the transaction."""
    return database.foreseen(changes, entries)


async def add(transaction: Transaction, entries: Sequence[Entry]) -> None:
    """Writes rows of the log, in this order."""
    if len(entries) == 1:
        await transaction.insert(changes, entries[0])
    else:
        await transaction.insert_new(changes, entries)


async def tell(
    transaction: Transaction, change: Change[Any, Any], now: datetime, operation: str, whence: Provenance
) -> None:
    """Writes the row that tells of a change, where something changed."""
    told = entry(change, now, operation, whence)
    if told is not None:
        await add(transaction, [told])
