"""Certifications: the definitions, and which product holds which.

Every read takes the organisations of whoever asks: definitions private to others, and assignments of them, do not
exist for it (contract A12).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select, update

from db import bodies
from db.database import Database, Transaction
from db.reads import Read, Row
from db.tables import certification_assignments as assignments
from db.tables import certification_bodies, certifications
from db.types import Negated, among
from domain.gtin import Gtin
from domain.records import Certification, CertificationAssignment, CertificationBody
from domain.short_id import ShortId

_DEFINITION = (
    certifications.c.id,
    certifications.c.code,
    certifications.c.label,
    certifications.c.description,
    certifications.c.url,
    certifications.c.logo_url,
    certifications.c.program,
    certifications.c.standard,
    certifications.c.organization_id,
)
_ASSIGNMENT = (
    assignments.c.id,
    assignments.c.gtin,
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
_OWN = len(_ASSIGNMENT)

_visible = certifications.c.organization_id.is_(None) | among(certifications.c.organization_id, "organization_ids")
# The same rule in a form that no index answers: SQLite would rather walk all visible definitions than start at the
# assignments of the few products in question.
_visible_on_product = among(func.coalesce(certifications.c.organization_id, ""), "organization_ids")


def _definition(row: Row) -> Certification:
    body = CertificationBody(*row[9:]) if row[9] is not None else None
    return Certification(*(*row[:9], body))


def _assignment(row: Row) -> CertificationAssignment:
    return CertificationAssignment(*(*row[:_OWN], _definition(row[_OWN:])))


def _definitions() -> Select[Any]:
    return (
        select(*_DEFINITION, *bodies.COLUMNS)
        .outerjoin(certification_bodies, certification_bodies.c.id == certifications.c.body_id)
        .where(_visible)
    )


def _assignments() -> Select[Any]:
    return (
        select(*_ASSIGNMENT, *_DEFINITION, *bodies.COLUMNS)
        .select_from(assignments)
        .join(certifications, certifications.c.id == assignments.c.certification_id)
        .outerjoin(certification_bodies, certification_bodies.c.id == certifications.c.body_id)
        .where(_visible_on_product)
    )


BY_ID = Read(_definitions().where(certifications.c.id == bindparam("id")), _definition)
# A private definition may carry the code of a global one; the organisation's own comes first.
BY_CODE = Read(
    _definitions()
    .where(certifications.c.code == bindparam("code"))
    .order_by(certifications.c.organization_id.is_(None), certifications.c.id)
    .limit(1),
    _definition,
)
ALL = Read(_definitions(), _definition)
HIDDEN = Read(select(certifications.c.id).where(Negated(_visible)), lambda row: ShortId(row[0]))
OF_PRODUCTS = Read(
    _assignments()
    .where(among(assignments.c.gtin, "gtins"))
    .order_by(assignments.c.gtin, certifications.c.label, certifications.c.id),
    _assignment,
)
OF_IDS = Read(_assignments().where(among(assignments.c.id, "ids")), _assignment)
ONE = Read(
    _assignments().where(
        assignments.c.gtin == bindparam("gtin"),
        assignments.c.certification_id == bindparam("certification_id"),
    ),
    _assignment,
)


def _and_nobody(organization_ids: Sequence[ShortId]) -> list[str]:
    # The owner of what is global, as `_visible_on_product` writes it.
    return ["", *organization_ids]


_one = (assignments.c.gtin == bindparam("of"), assignments.c.certification_id == bindparam("definition"))
_CHANGE = update(assignments).where(*_one)
_REMOVE = delete(assignments).where(*_one)


async def every(database: Database, organization_ids: Sequence[ShortId]) -> list[Certification]:
    """All definitions that these organisations may see, in no order; there are some hundreds."""
    return await database.fetch(ALL, organization_ids=_and_nobody(organization_ids))


async def hidden(database: Database, organization_ids: Sequence[ShortId]) -> list[ShortId]:
    """The ids of all definitions that are private to other organisations."""
    return await database.fetch(HIDDEN, organization_ids=_and_nobody(organization_ids))


async def find(database: Database, id: ShortId, organization_ids: Sequence[ShortId]) -> Certification | None:
    """The definition of that id, if it is global or the organisations' own."""
    return next(iter(await database.fetch(BY_ID, id=id, organization_ids=_and_nobody(organization_ids))), None)


async def find_by_code(database: Database, code: str, organization_ids: Sequence[ShortId]) -> Certification | None:
    """The definition of that code, the organisations' own before the global one."""
    return next(iter(await database.fetch(BY_CODE, code=code, organization_ids=_and_nobody(organization_ids))), None)


async def of_products(
    database: Database, gtins: list[Gtin], organization_ids: Sequence[ShortId]
) -> list[CertificationAssignment]:
    """What these products hold, by GTIN, label and id, in one statement."""
    return await database.fetch(OF_PRODUCTS, gtins=gtins, organization_ids=_and_nobody(organization_ids))


async def of_ids(
    database: Database, ids: Sequence[ShortId], organization_ids: Sequence[ShortId]
) -> list[CertificationAssignment]:
    """The assignments with these ids of their own, in no order."""
    return await database.fetch(OF_IDS, ids=ids, organization_ids=_and_nobody(organization_ids))


async def one_of_product(
    database: Database, gtin: Gtin, certification_id: ShortId, organization_ids: Sequence[ShortId]
) -> CertificationAssignment | None:
    """One assignment, if its definition may be seen."""
    found = await database.fetch(
        ONE, gtin=gtin, certification_id=certification_id, organization_ids=_and_nobody(organization_ids)
    )
    return found[0] if found else None


async def lock(
    transaction: Transaction, gtin: Gtin, certification_id: ShortId, organization_ids: Sequence[ShortId]
) -> CertificationAssignment | None:
    """One assignment, locked until the transaction ends."""
    found = await transaction.fetch(
        ONE,
        lock=assignments,
        gtin=gtin,
        certification_id=certification_id,
        organization_ids=_and_nobody(organization_ids),
    )
    return found[0] if found else None


async def in_transaction(
    transaction: Transaction, id: ShortId, organization_ids: Sequence[ShortId]
) -> Certification | None:
    """The definition of that id, if these organisations may see it, as the transaction sees it."""
    return next(iter(await transaction.fetch(BY_ID, id=id, organization_ids=_and_nobody(organization_ids))), None)


async def add(transaction: Transaction, assignment: CertificationAssignment) -> bool:
    """Stores a new assignment. False when the product holds that certification already."""
    return await transaction.insert(
        assignments,
        {
            "gtin": assignment.gtin,
            "certification_id": assignment.certification.id,
            **{column.name: getattr(assignment, column.name) for column in _ASSIGNMENT},
        },
        unless=("gtin", "certification_id"),
    )


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
