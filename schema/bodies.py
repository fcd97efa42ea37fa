"""Certification bodies in GraphQL."""

import strawberry

from domain.lists import BODIES
from resolvers import bodies
from schema.connections import Connection, ListRequest, listed, paged
from schema.context import Info
from schema.inputs import by_id_or_code
from schema.objects import CertificationBodyType


@strawberry.type
class CertificationBodyQueries:
    """The root fields about certification bodies."""

    certification_body = by_id_or_code(
        CertificationBodyType,
        "One certification body by its id or by its code; null when there is none.",
        "`ECOCERT`",
        bodies.certification_body,
        bodies.certification_body_of_code,
    )

    @strawberry.field(description="Certification bodies, page by page.")
    @paged(BODIES)
    async def certification_bodies(self, info: Info, asked: ListRequest) -> Connection[CertificationBodyType] | None:
        """A page of bodies."""
        return listed(await bodies.certification_bodies_that_match(info.context.operation, asked.where), asked)
