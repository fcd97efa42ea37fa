"""Certification bodies."""

from db import bodies
from domain.records import CertificationBody
from domain.short_id import ShortId
from resolvers.operation import Context, read_operation


@read_operation
async def certification_body(context: Context, id: ShortId) -> CertificationBody | None:
    """The body of that id."""
    return await bodies.find(context.database, id)
