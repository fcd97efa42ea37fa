"""Certification bodies."""

from db import definitions
from db.engine.database import Database
from domain.records import CertificationBody
from domain.short_id import ShortId


async def find(database: Database, id: ShortId) -> CertificationBody | None:
    """The body of that id."""
    return (await definitions.current(database)).bodies.get(id)


async def find_by_code(database: Database, code: str) -> CertificationBody | None:
    """The body of that code, whatever the case."""
    return next(iter(definitions.of_code(await every(database), code)), None)


async def every(database: Database) -> list[CertificationBody]:
    """All bodies, in no order; there are some hundreds."""
    return [*(await definitions.current(database)).bodies.values()]
