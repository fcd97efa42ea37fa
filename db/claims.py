"""Claims: the definitions, and which product makes which."""

from sqlalchemy import bindparam, select

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
OF_PRODUCTS = Read(
    select(*_ASSIGNMENT, *_DEFINITION)
    .select_from(assignments)
    .join(claims, claims.c.id == assignments.c.claim_id)
    .where(among(assignments.c.gtin, "gtins"))
    .order_by(assignments.c.gtin, claims.c.label, claims.c.id),
    _assignment,
)


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
