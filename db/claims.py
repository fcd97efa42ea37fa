"""Claims: the definitions, and which product makes which."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from db.database import Database, Transaction
from db.reads import Read, Row
from db.tables import claim_assignments as assignments
from db.tables import claims
from db.types import among
from domain.gtin import Gtin
from domain.records import Claim, ClaimAssignment
from domain.short_id import ShortId

_DEFINITION = (
    claims.c.id,
    claims.c.code,
    claims.c.label,
    claims.c.category,
    claims.c.requires_definition,
    claims.c.description,
)
_ASSIGNMENT = (
    assignments.c.id,
    assignments.c.gtin,
    assignments.c.metadata,
    assignments.c.source,
    assignments.c.valid_from,
    assignments.c.expiration_date,
    assignments.c.evidence_url,
    assignments.c.evidence_note,
    assignments.c.created_at,
    assignments.c.updated_at,
    assignments.c.version,
)
_OWN = len(_ASSIGNMENT)


def _definition(row: Row) -> Claim:
    return Claim(*row)


def _assignment(row: Row) -> ClaimAssignment:
    return ClaimAssignment(*(*row[:_OWN], Claim(*row[_OWN:])))


BY_ID = Read(select(*_DEFINITION).where(claims.c.id == bindparam("id")), _definition)
BY_CODE = Read(select(*_DEFINITION).where(claims.c.code == bindparam("code")), _definition)
ALL = Read(select(*_DEFINITION), _definition)
ONE = Read(
    select(*_ASSIGNMENT, *_DEFINITION)
    .select_from(assignments)
    .join(claims, claims.c.id == assignments.c.claim_id)
    .where(assignments.c.gtin == bindparam("gtin"), assignments.c.claim_id == bindparam("claim_id")),
    _assignment,
)
OF_PRODUCTS = Read(
    select(*_ASSIGNMENT, *_DEFINITION)
    .select_from(assignments)
    .join(claims, claims.c.id == assignments.c.claim_id)
    .where(among(assignments.c.gtin, "gtins"))
    .order_by(assignments.c.gtin, claims.c.label, claims.c.id),
    _assignment,
)
OF_IDS = Read(
    select(*_ASSIGNMENT, *_DEFINITION)
    .select_from(assignments)
    .join(claims, claims.c.id == assignments.c.claim_id)
    .where(among(assignments.c.id, "ids")),
    _assignment,
)
_one = (assignments.c.gtin == bindparam("of"), assignments.c.claim_id == bindparam("definition"))
_CHANGE = update(assignments).where(*_one)
_REMOVE = delete(assignments).where(*_one)


async def every(database: Database) -> list[Claim]:
    """All definitions, in no order; there are some hundreds."""
    return await database.fetch(ALL)


async def find(database: Database, id: ShortId) -> Claim | None:
    """The definition of that id."""
    return next(iter(await database.fetch(BY_ID, id=id)), None)


async def find_by_code(database: Database, code: str) -> Claim | None:
    """The definition of that code."""
    return next(iter(await database.fetch(BY_CODE, code=code)), None)


async def in_transaction(transaction: Transaction, id: ShortId) -> Claim | None:
    """The definition of that id as the transaction sees it."""
    return next(iter(await transaction.fetch(BY_ID, id=id)), None)


async def of_products(database: Database, gtins: list[Gtin]) -> list[ClaimAssignment]:
    """What these products claim, by GTIN, label and id, in one statement."""
    return await database.fetch(OF_PRODUCTS, gtins=gtins)


async def of_ids(database: Database, ids: Sequence[ShortId]) -> list[ClaimAssignment]:
    """The assignments with these ids of their own, in no order."""
    return await database.fetch(OF_IDS, ids=ids)


async def add(transaction: Transaction, assignment: ClaimAssignment) -> bool:
    """Stores a new assignment. False when the product makes that claim already."""
    return await transaction.insert(
        assignments,
        {
            "gtin": assignment.gtin,
            "claim_id": assignment.claim.id,
            **{column.name: getattr(assignment, column.name) for column in _ASSIGNMENT},
        },
        unless=("gtin", "claim_id"),
    )


async def one_of_product(database: Database, gtin: Gtin, claim_id: ShortId) -> ClaimAssignment | None:
    """One assignment."""
    found = await database.fetch(ONE, gtin=gtin, claim_id=claim_id)
    return found[0] if found else None


async def lock(transaction: Transaction, gtin: Gtin, claim_id: ShortId) -> ClaimAssignment | None:
    """One assignment, locked until the transaction ends."""
    found = await transaction.fetch(ONE, lock=assignments, gtin=gtin, claim_id=claim_id)
    return found[0] if found else None


async def change(transaction: Transaction, assignment: ClaimAssignment, changes: dict[str, Any], at: datetime) -> None:
    """Stores the changed members of a locked assignment and counts its version up."""
    await transaction.execute(
        _CHANGE,
        {
            "of": assignment.gtin,
            "definition": assignment.claim.id,
            **changes,
            "updated_at": at,
            "version": assignment.version + 1,
        },
    )


async def remove(transaction: Transaction, assignment: ClaimAssignment) -> None:
    """Deletes a locked assignment."""
    await transaction.execute(_REMOVE, {"of": assignment.gtin, "definition": assignment.claim.id})
