"""Certification bodies."""

from db.definitions import bodies
from domain import listing
from domain.commands import ListCertificationBodies
from domain.records import CertificationBody
from resolvers.definitions import DefinitionKind
from resolvers.operation import Context, read_operation

KIND = DefinitionKind(bodies, "certification body", "bodies")


@read_operation
async def list_certification_bodies(context: Context, command: ListCertificationBodies) -> list[CertificationBody]:
    """The bodies that pass the filter, in the order asked for, of all pages."""
    return listing.definitions(await bodies.every(context.database), command)
