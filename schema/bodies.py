"""Certification bodies in GraphQL."""

import strawberry

from domain.lists import BODIES
from resolvers import bodies, definitions
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
        "One certification body by its id or by its code; null when there is none.",
        "`ECOCERT`",
        lambda context, key: definitions.definition(context, bodies.KIND, key),
        lambda context, code: definitions.definition_of_code(context, bodies.KIND, code),
    )

    @strawberry.field(description="Certification bodies, page by page.")
    @paged(BODIES)
    async def certification_bodies(self, info: Info, asked: ListRequest) -> Connection[CertificationBodyType] | None:
        """A page of bodies."""
        return await lists.page_of_definitions(info, bodies.KIND, asked)
