"""Certifications: the definitions, and which product holds which.

Every read takes the organisation that asks: definitions private to another, and assignments of them, do not exist
for it (contract A12).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, select, update

from db import bodies
from db.database import Database, Transaction
from db.reads import Read, Row
from db.tables import certification_assignments as assignments
from db.tables import certification_bodies, certifications
from db.types import among
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

_visible = certifications.c.organization_id.is_(None) | (
    certifications.c.organization_id == bindparam("organization_id")
)


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
        .where(_visible)
    )


BY_ID = Read(_definitions().where(certifications.c.id == bindparam("id")), _definition)
# A private definition may carry the code of a global one; the organisation's own comes first.
BY_CODE = Read(
    _definitions()
    .where(certifications.c.code == bindparam("code"))
    .order_by(certifications.c.organization_id.is_(None))
    .limit(1),
    _definition,
)
OF_PRODUCTS = Read(
    _assignments()
    .where(among(assignments.c.gtin, "gtins"))
    .order_by(assignments.c.gtin, certifications.c.label, certifications.c.id),
    _assignment,
)
ONE = Read(
    _assignments().where(
        assignments.c.gtin == bindparam("gtin"),
        assignments.c.certification_id == bindparam("certification_id"),
    ),
    _assignment,
)


async def find(database: Database, id: ShortId, organization_id: ShortId) -> Certification | None:
    """The definition of that id, if it is global or the organisation's own."""
    return next(iter(await database.fetch(BY_ID, id=id, organization_id=organization_id)), None)


async def find_by_code(database: Database, code: str, organization_id: ShortId) -> Certification | None:
    """The definition of that code, the organisation's own before the global one."""
    return next(iter(await database.fetch(BY_CODE, code=code, organization_id=organization_id)), None)


async def of_products(database: Database, gtins: list[Gtin], organization_id: ShortId) -> list[CertificationAssignment]:
    """What these products hold, by GTIN, label and id, in one statement."""
    return await database.fetch(OF_PRODUCTS, gtins=gtins, organization_id=organization_id)


async def lock(
    transaction: Transaction, gtin: Gtin, certification_id: ShortId, organization_id: ShortId
) -> CertificationAssignment | None:
    """One assignment, locked until the transaction ends."""
    found = await transaction.fetch(
        ONE, lock=assignments, gtin=gtin, certification_id=certification_id, organization_id=organization_id
    )
    return found[0] if found else None


async def change(
    transaction: Transaction, assignment: CertificationAssignment, changes: dict[str, Any], at: datetime
) -> None:
    """Stores the changed members of a locked assignment and counts its version up."""
    await transaction.execute(
        update(assignments)
        .where(
            assignments.c.gtin == assignment.gtin,
            assignments.c.certification_id == assignment.certification.id,
        )
        .values(**changes, updated_at=at, version=assignment.version + 1)
    )
