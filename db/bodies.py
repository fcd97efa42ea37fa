"""Certification bodies."""

from sqlalchemy import bindparam, select

from db.database import Database
from db.reads import Read
from db.tables import certification_bodies as bodies
from domain.records import CertificationBody
from domain.short_id import ShortId

COLUMNS = (
    bodies.c.id,
    bodies.c.code,
    bodies.c.name,
    bodies.c.website,
    bodies.c.description,
    bodies.c.logo_url,
    bodies.c.country,
    bodies.c.kind,
)

BY_ID = Read(select(*COLUMNS).where(bodies.c.id == bindparam("id")), lambda row: CertificationBody(*row))

ALL = Read(select(*COLUMNS), lambda row: CertificationBody(*row))


async def find(database: Database, id: ShortId) -> CertificationBody | None:
    """The body of that id."""
    return next(iter(await database.fetch(BY_ID, id=id)), None)


async def every(database: Database) -> list[CertificationBody]:
    """All bodies, in no order; there are some hundreds."""
    return await database.fetch(ALL)
