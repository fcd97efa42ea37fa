"""Certification bodies in GraphQL."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from domain import records
from domain.filter_input import BODIES, CERTIFICATIONS
from domain.filters import EVERYTHING
from domain.paging import definition_order
from execution.batched import batched
from resolvers import bodies, certifications
from schema.assignments import certification_assignments_of
from schema.connections import After, Before, Connection, First, Last, asked_for, listed
from schema.context import Info
from schema.filters import (
    CertificationAssignmentWhere,
    CertificationBodyOrder,
    CertificationBodyWhere,
    CertificationWhere,
    DefinitionOrder,
    NestedAssignmentOrder,
)
from schema.inputs import id_or_code
from schema.nodes import Node
from schema.records import record_type, shown

if TYPE_CHECKING:
    from schema.certifications import Certification, CertificationAssignment


@record_type(
    records.CertificationBody,
    lasting=True,
    description="An organisation that issues certificates, owns a certification mark or runs a public scheme.",
)
class CertificationBody(Node):
    """Contract 2.1."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters.")
    code: str = strawberry.field(description="Its stable code, for example `ECOCERT`.")
    name: str = strawberry.field(description="Its name.")
    website: str = strawberry.field(description="Its website; empty when not recorded.")
    description: str = strawberry.field(description="What it does, in a sentence; may be empty.")
    logo_url: str | None = strawberry.field(description="URL of its logo; null when there is none.")
    country: str = strawberry.field(description="ISO 3166-1 alpha-2 code of its seat; empty when not recorded.")
    kind: str = strawberry.field(
        description="`CERTIFIER` issues certificates, `SCHEME_OWNER` owns a mark, `AUTHORITY` is a public body."
    )

    @batched(description="The certifications that it owns or runs, as far as you may see them.")
    @staticmethod
    async def certifications(
        parents: list[records.CertificationBody],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: Annotated[CertificationWhere | None, strawberry.argument(description="Which certifications.")] = None,
        order_by: Annotated[
            DefinitionOrder | None, strawberry.argument(description="The order; by label if left out.")
        ] = None,
    ) -> list[Connection[Annotated["Certification", strawberry.lazy("schema.certifications")]]]:
        """Pages of the certifications of all these bodies; no statement for each."""
        by = order_by or DefinitionOrder()
        order = definition_order("certifications", by.field, descending=by.descending)
        asked = await asked_for(info, CERTIFICATIONS, order, where, (first, after, last, before))
        found = await certifications.certifications_that_match(info.context.operation, asked.where)
        return shown([listed(_of_body(found, parent), asked) for parent in parents])

    @batched(description="The assignments of its certifications: which products hold them, which certificates lapse.")
    @staticmethod
    async def assignments(
        parents: list[records.CertificationBody],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: Annotated[
            CertificationAssignmentWhere | None, strawberry.argument(description="Which assignments.")
        ] = None,
        order_by: Annotated[
            NestedAssignmentOrder | None, strawberry.argument(description="The order; by GTIN if left out.")
        ] = None,
    ) -> list[Connection[Annotated["CertificationAssignment", strawberry.lazy("schema.certifications")]]]:
        """Pages of the assignments of all these bodies in one statement."""
        found = await certifications.certifications_that_match(info.context.operation, EVERYTHING)
        groups = [[item.id for item in _of_body(found, parent)] for parent in parents]
        return shown(await certification_assignments_of(info, groups, where, order_by, (first, after, last, before)))


def _of_body(found: list[records.Certification], body: records.CertificationBody) -> list[records.Certification]:
    return [item for item in found if item.body is not None and item.body.id == body.id]


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
    ) -> CertificationBody | None:
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
    ) -> Connection[CertificationBody] | None:
        """A page of bodies."""
        by = order_by or CertificationBodyOrder()
        order = definition_order("certificationBodies", by.field, descending=by.descending)
        asked = await asked_for(info, BODIES, order, where, (first, after, last, before))
        return listed(await bodies.certification_bodies_that_match(info.context.operation, asked.where), asked)
