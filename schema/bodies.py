"""Certification bodies in GraphQL."""

import strawberry

from domain.lists import BODIES
from resolvers import bodies
from schema import lists
from schema.connections import Connection, ListRequest, paged
from schema.context import Info
from schema.inputs import by_id_or_code
from schema.objects import CertificationBodyType


@strawberry.type
class CertificationBodyQueries:
    """The root fields about certification bodies."""

    certification_body = by_id_or_code(
        CertificationBodyType,
        bodies.KIND,
        "One certification body by its id or by its code; null when there is none.",
        "`ECOCERT`",
    )

    @strawberry.field(description="Certification bodies, page by page.")
    @paged(BODIES)
    async def certification_bodies(self, info: Info, asked: ListRequest) -> Connection[CertificationBodyType] | None:
        """A page of bodies."""
        return await lists.page_of_definitions(info, bodies.KIND, asked)
