"""Certifications: the definitions, and which product holds which.

Every read takes the organisations of whoever asks: definitions private to others, and assignments of them, do not
exist for it (contract A12), and the metadata of others' products are empty.
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
from db.tables import certification_assignments as assignments
from db.tables import owner_of
from domain.gtin import Gtin
from domain.records import Certification, CertificationAssignment
from domain.short_id import ShortId

_ASSIGNMENT = (
    assignments.c.id,
    assignments.c.gtin,
    owner_of(assignments).label("organization_id"),
    assignments.c.metadata,
    assignments.c.valid_from,
    assignments.c.expiration_date,
    assignments.c.certificate_number,
    assignments.c.issuing_body,
    assignments.c.expiry_date,
    assignments.c.verification_url,
    assignments.c.verification_status,
    assignments.c.scope,
    assignments.c.certification_value,
    assignments.c.audit_date,
    assignments.c.initial_certification_date,
    assignments.c.certificate_countries,
    assignments.c.created_at,
    assignments.c.updated_at,
    assignments.c.version,
)
# As records have them: what a row names last is looked up among the definitions.
COLUMNS = (*_ASSIGNMENT, assignments.c.certification_id)

_NAMES = tuple(column.name for column in _ASSIGNMENT if column.name in assignments.c)
_members = attrgetter(*_NAMES)
_KEY = ("gtin", "certification_id")

_assignments = select(*COLUMNS)
_OF_KIND = "certifications"


def _ranked(ranks: Ranks) -> Callable[[CertificationAssignment], int]:
    return lambda assignment: ranks[assignment.certification.id]


OF_PRODUCT = KeyedRead(_assignments, assignments.c.gtin, CertificationAssignment, defined=_OF_KIND, ranked=_ranked)
BY_ID = KeyedRead(_assignments, assignments.c.id, CertificationAssignment, defined=_OF_KIND)
_INDEXES = (
    Index("sqlite_autoindex_certification_assignments_2", ("id",)),
    Index("sqlite_autoindex_certification_assignments_1", ("gtin", "certification_id")),
    Index("ix_certification_assignments_number", ("certificate_number", "gtin", "certification_id")),
    Index("ix_certification_assignments_certification_lapses", ("certification_id", "lapses_on", "gtin")),
    Index("ix_certification_assignments_certification_ends", ("certification_id", "expiration_date", "gtin")),
    Index(
        "ix_certification_assignments_status_lapses", ("verification_status", "lapses_on", "gtin", "certification_id")
    ),
    Index("ix_certification_assignments_certification", ("certification_id", "gtin")),
    Index("ix_certification_assignments_lapses", ("lapses_on", "gtin", "certification_id")),
    Index("ix_certification_assignments_ends", ("expiration_date", "gtin", "certification_id")),
    Index("ix_certification_assignments_updated", ("updated_at", "gtin", "certification_id")),
)
LISTED = Listed(
    assignments,
    _assignments,
    CertificationAssignment,
    ("gtin", "certification_id"),
    _INDEXES,
    _OF_KIND,
)
ONE = Read(
    _assignments.where(
        assignments.c.gtin == bindparam("gtin"),
        assignments.c.certification_id == bindparam("certification_id"),
    ),
    CertificationAssignment,
    defined=_OF_KIND,
)


def is_visible(definition: Certification, organization_ids: Sequence[ShortId]) -> bool:
    """Whether a definition exists for these organisations: it is global, or private to one of them."""
    return definition.organization_id is None or definition.organization_id in organization_ids


def _visible(
    found: list[CertificationAssignment], organization_ids: Sequence[ShortId]
) -> list[CertificationAssignment]:
    return [assignment for assignment in found if is_visible(assignment.certification, organization_ids)]


_one = (assignments.c.gtin == bindparam("of"), assignments.c.certification_id == bindparam("definition"))
_CHANGE = update(assignments).where(*_one)
_REMOVE = delete(assignments).where(*_one)


async def every(database: Database, organization_ids: Sequence[ShortId]) -> list[Certification]:
    """All definitions that these organisations may see, by label and id; there are some hundreds."""
    found = (await definitions.current(database)).certifications.values()
    return [definition for definition in found if is_visible(definition, organization_ids)]


async def hidden(database: Database, organization_ids: Sequence[ShortId]) -> list[ShortId]:
    """The ids of all definitions that are private to other organisations."""
    found = (await definitions.current(database)).certifications.values()
    return [definition.id for definition in found if not is_visible(definition, organization_ids)]


async def find(
    source: Database | Transaction, id: ShortId, organization_ids: Sequence[ShortId]
) -> Certification | None:
    """The definition of that id, if it is global or the organisations' own."""
    found = (await definitions.current(source.database)).certifications.get(id)
    return found if found is not None and is_visible(found, organization_ids) else None


async def find_by_code(database: Database, code: str, organization_ids: Sequence[ShortId]) -> Certification | None:
    """The definition of that code, whatever the case, the organisations' own before the global one."""
    found = definitions.of_code(await every(database, organization_ids), code)
    return min(found, key=lambda definition: definition.organization_id is None, default=None)


async def of_products(
    database: Database, gtins: list[Gtin], organization_ids: Sequence[ShortId], wanted: frozenset[str] | None = None
) -> list[CertificationAssignment]:
    """What these products hold, by label and id, in one statement; of their members those that are `wanted`."""
    found = await definitions.fetch(database, OF_PRODUCT.narrowed(wanted), organization_ids, keys=gtins)
    return _visible(found, organization_ids)


async def of_ids(
    database: Database, ids: Sequence[ShortId], organization_ids: Sequence[ShortId]
) -> list[CertificationAssignment]:
    """The assignments with these ids of their own, in no order."""
    found = await definitions.fetch(database, BY_ID, organization_ids, keys=ids)
    return _visible(found, organization_ids)


async def one_of_product(
    database: Database, gtin: Gtin, certification_id: ShortId, organization_ids: Sequence[ShortId]
) -> CertificationAssignment | None:
    """One assignment, if its definition may be seen."""
    found = await definitions.fetch(database, ONE, organization_ids, gtin=gtin, certification_id=certification_id)
    return next(iter(_visible(found, organization_ids)), None)


async def lock(
    transaction: Transaction, gtin: Gtin, certification_id: ShortId, organization_ids: Sequence[ShortId]
) -> CertificationAssignment | None:
    """One assignment, locked until the transaction ends."""
    found = await definitions.fetch(
        transaction, ONE, organization_ids, lock=assignments, gtin=gtin, certification_id=certification_id
    )
    return next(iter(_visible(found, organization_ids)), None)


async def add(transaction: Transaction, assignment: CertificationAssignment) -> bool:
    """Stores a new assignment. False when the product holds that certification already."""
    return await transaction.insert(assignments, _row(assignment), unless=_KEY)


async def add_alone(transaction: Transaction, assignment: CertificationAssignment) -> bool:
    """Stores a new assignment on a product of its owner, and that is all (see `Transaction.insert_alone`)."""
    return await transaction.insert_alone(assignments, _row(assignment), unless=_KEY, owner=assignment.organization_id)


def _row(assignment: CertificationAssignment) -> dict[str, Any]:
    return {"certification_id": assignment.certification.id, **dict(zip(_NAMES, _members(assignment), strict=True))}


async def remove(transaction: Transaction, assignment: CertificationAssignment) -> None:
    """Deletes a locked assignment."""
    await transaction.execute(_REMOVE, {"of": assignment.gtin, "definition": assignment.certification.id})


async def change(
    transaction: Transaction, assignment: CertificationAssignment, changes: dict[str, Any], at: datetime
) -> None:
    """Stores the changed members of a locked assignment and counts its version up."""
    await transaction.execute(
        _CHANGE,
        {
            "of": assignment.gtin,
            "definition": assignment.certification.id,
            **changes,
            "updated_at": at,
            "version": assignment.version + 1,
        },
    )
