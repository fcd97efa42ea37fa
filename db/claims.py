"""Claims: the definitions, and which product makes which.

Reads of assignments take the organisations of whoever asks: the metadata of others' products are empty.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from db import definitions
from db.database import Database, Transaction
from db.lists import Listed
from db.paths import Index
from db.reads import KeyedRead, Ranks, Read
from db.tables import claim_assignments as assignments
from db.tables import owner_of
from domain.gtin import Gtin
from domain.records import Claim, ClaimAssignment
from domain.short_id import ShortId

_ASSIGNMENT = (
    assignments.c.id,
    assignments.c.gtin,
    owner_of(assignments).label("organization_id"),
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
# As records have them: what a row names last is looked up among the definitions.
COLUMNS = (*_ASSIGNMENT, assignments.c.claim_id)

_NAMES = tuple(column.name for column in _ASSIGNMENT if column.name in assignments.c)
_members = attrgetter(*_NAMES)
_KEY = ("gtin", "claim_id")

_assignments = select(*COLUMNS)
_INDEXES = (
    Index("sqlite_autoindex_claim_assignments_2", ("id",)),
    Index("sqlite_autoindex_claim_assignments_1", ("gtin", "claim_id")),
    Index("ix_claim_assignments_claim_ends", ("claim_id", "expiration_date", "gtin")),
    Index("ix_claim_assignments_source_ends", ("source", "expiration_date", "gtin", "claim_id")),
    Index("ix_claim_assignments_claim", ("claim_id", "gtin")),
    Index("ix_claim_assignments_ends", ("expiration_date", "gtin", "claim_id")),
    Index("ix_claim_assignments_updated", ("updated_at", "gtin", "claim_id")),
)
_OF_KIND = "claims"
LISTED = Listed(assignments, _assignments, ClaimAssignment, ("gtin", "claim_id"), _INDEXES, _OF_KIND)
ONE = Read(
    _assignments.where(assignments.c.gtin == bindparam("gtin"), assignments.c.claim_id == bindparam("claim_id")),
    ClaimAssignment,
    defined=_OF_KIND,
)


def _ranked(ranks: Ranks) -> Callable[[ClaimAssignment], int]:
    return lambda assignment: ranks[assignment.claim.id]


OF_PRODUCT = KeyedRead(_assignments, assignments.c.gtin, ClaimAssignment, defined=_OF_KIND, ranked=_ranked)
BY_ID = KeyedRead(_assignments, assignments.c.id, ClaimAssignment, defined=_OF_KIND)
_one = (assignments.c.gtin == bindparam("of"), assignments.c.claim_id == bindparam("definition"))
_CHANGE = update(assignments).where(*_one)
_REMOVE = delete(assignments).where(*_one)


async def every(database: Database) -> list[Claim]:
    """All definitions, by label and id; there are some hundreds."""
    return [*(await definitions.current(database)).claims.values()]


async def find(source: Database | Transaction, id: ShortId) -> Claim | None:
    """The definition of that id."""
    return (await definitions.current(source.database)).claims.get(id)


async def find_by_code(database: Database, code: str) -> Claim | None:
    """The definition of that code, whatever the case."""
    return next(iter(definitions.of_code(await every(database), code)), None)


async def of_products(
    database: Database, gtins: list[Gtin], organization_ids: Sequence[ShortId], wanted: frozenset[str] | None = None
) -> list[ClaimAssignment]:
    """What these products claim, by label and id, in one statement; of their members those that are `wanted`."""
    return await definitions.fetch(database, OF_PRODUCT.narrowed(wanted), organization_ids, keys=gtins)


async def of_ids(
    database: Database, ids: Sequence[ShortId], organization_ids: Sequence[ShortId]
) -> list[ClaimAssignment]:
    """The assignments with these ids of their own, in no order."""
    return await definitions.fetch(database, BY_ID, organization_ids, keys=ids)


async def add(transaction: Transaction, assignment: ClaimAssignment) -> bool:
    """Stores a new assignment. False when the product makes that claim already."""
    return await transaction.insert(assignments, _row(assignment), unless=_KEY)


async def add_alone(transaction: Transaction, assignment: ClaimAssignment) -> bool:
    """Stores a new assignment on a product of its owner, and that is all (see `Transaction.insert_alone`)."""
    return await transaction.insert_alone(assignments, _row(assignment), unless=_KEY, owner=assignment.organization_id)


def _row(assignment: ClaimAssignment) -> dict[str, Any]:
    return {"claim_id": assignment.claim.id, **dict(zip(_NAMES, _members(assignment), strict=True))}


async def one_of_product(
    database: Database, gtin: Gtin, claim_id: ShortId, organization_ids: Sequence[ShortId]
) -> ClaimAssignment | None:
    """One assignment."""
    found = await definitions.fetch(database, ONE, organization_ids, gtin=gtin, claim_id=claim_id)
    return found[0] if found else None


async def lock(
    transaction: Transaction, gtin: Gtin, claim_id: ShortId, organization_ids: Sequence[ShortId]
) -> ClaimAssignment | None:
    """One assignment, locked until the transaction ends."""
    found = await definitions.fetch(transaction, ONE, organization_ids, lock=assignments, gtin=gtin, claim_id=claim_id)
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
