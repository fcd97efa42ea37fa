"""Certification bodies."""

from db import bodies
from domain import listing
from domain.commands import ListCertificationBodies
from domain.errors import NotFound
from domain.filters import Where, matches
from domain.records import CertificationBody
from domain.short_id import ShortId
from domain.validation import parse_filter
from resolvers.operation import Context, read_operation


@read_operation
async def certification_body(context: Context, id: ShortId) -> CertificationBody | None:
    """The body of that id, None when there is none."""
    return await bodies.find(context.database, id)


@read_operation
async def certification_body_of_code(context: Context, code: str) -> CertificationBody | None:
    """The body of that code, whatever the case. Raises `InvalidInput` when no code can be like that."""
    return await bodies.find_by_code(context.database, parse_filter(code, "code"))


@read_operation
async def existing_certification_body(context: Context, id: ShortId) -> CertificationBody:
    """The body of that id. Raises `NotFound`."""
    found = await bodies.find(context.database, id)
    if found is None:
        raise NotFound(f"No certification body has the id {id}; take it from the list of bodies.")
    return found


@read_operation
async def list_certification_bodies(context: Context, command: ListCertificationBodies) -> list[CertificationBody]:
    """The bodies that pass the filter, in the order asked for, of all pages."""
    return listing.definitions(await bodies.every(context.database), command)


@read_operation
async def certification_bodies_that_match(context: Context, where: Where) -> list[CertificationBody]:
    """The bodies that pass the filter, in no order."""
    return [item for item in await bodies.every(context.database) if matches(where, item)]
