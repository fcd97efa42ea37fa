"""Certification bodies in GraphQL."""

from typing import Annotated

import strawberry

from domain.filter_input import BODIES
from domain.paging import definition_order
from resolvers import bodies
from schema.connections import After, Before, Connection, First, Last, asked_for, listed
from schema.context import Info
from schema.filters import (
    CertificationBodyOrder,
    CertificationBodyWhere,
)
from schema.inputs import id_or_code
from schema.objects import CertificationBodyType
from schema.records import shown


@strawberry.type
class CertificationBodyQueries:
    """The root fields about certification bodies."""

    @strawberry.field(description="One certification body by its id or by its code; null when there is none.")
    async def certification_body(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = None,
        code: Annotated[
            str | None, strawberry.argument(description="Its code, for example `ECOCERT`, whatever the case.")
        ] = None,
    ) -> CertificationBodyType | None:
        """A body."""
        key = id_or_code(id, code)
        if key.id is not None:
            return shown(await bodies.certification_body(info.context.operation, key.id))
        return shown(await bodies.certification_body_of_code(info.context.operation, key.code))

    @strawberry.field(description="Certification bodies, page by page.")
    async def certification_bodies(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: Annotated[CertificationBodyWhere | None, strawberry.argument(description="Which bodies.")] = None,
        order_by: Annotated[
            CertificationBodyOrder | None, strawberry.argument(description="The order; by name if left out.")
        ] = None,
    ) -> Connection[CertificationBodyType] | None:
        """A page of bodies."""
        by = order_by or CertificationBodyOrder()
        order = definition_order("certificationBodies", by.field, descending=by.descending)
        asked = await asked_for(info, BODIES, order, where, (first, after, last, before))
        return listed(await bodies.certification_bodies_that_match(info.context.operation, asked.where), asked)
