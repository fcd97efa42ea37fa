"""Certification bodies in GraphQL."""

from typing import Annotated

import strawberry

from domain import records
from domain.commands import ListCertificationBodies
from domain.short_id import parse_short_id
from resolvers import bodies
from schema.connections import After, Connection, Edge, First, definitions_page
from schema.context import Info
from schema.nodes import Node
from schema.records import record_type, shown


@record_type(
    records.CertificationBody,
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


@strawberry.type
class CertificationBodyQueries:
    """The root fields about certification bodies."""

    @strawberry.field(description="One certification body by its id; null when there is none.")
    async def certification_body(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> CertificationBody | None:
        """A body."""
        return shown(await bodies.certification_body(info.context.operation, parse_short_id(id)))

    @strawberry.field(description="Certification bodies by name, page by page.")
    async def certification_bodies(
        self,
        info: Info,
        first: First = 25,
        after: After = None,
        name: Annotated[str | None, strawberry.argument(description="A part of the name, whatever its case.")] = None,
    ) -> Connection[CertificationBody]:
        """A page of bodies."""
        command = ListCertificationBodies.parse({"name": name})
        found = await bodies.list_certification_bodies(info.context.operation, command)
        return definitions_page(
            Connection[CertificationBody],
            Edge[CertificationBody],
            found,
            lambda item: (item.name, item.id),
            first,
            after,
        )
