"""Who is asking."""

import strawberry

from domain import access, records, vocabulary
from schema.context import Info
from schema.nodes import Node
from schema.records import record_type, shown


@record_type(records.Organization, description="An organisation: it owns products, keys and private definitions.")
class Organization(Node):
    """An organisation."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters.")
    slug: str = strawberry.field(description="Its short name in commands, for example `demo`.")
    name: str = strawberry.field(description="Its name.")


@record_type(access.Caller, description="You, as the gateway sees you: the credential of this request.")
class Viewer:
    """The caller of the operation."""

    organization: Organization = strawberry.field(description="The organisation you act for.")
    role: vocabulary.Role = strawberry.field(description="What you may do there.")
    kind: vocabulary.KeyKind | None = strawberry.field(
        description="The kind of key you came with, or signed in with; null for an OAuth token."
    )

    @strawberry.field(description="Whether you may change products and assignments of your organisation.")
    def can_write(self) -> bool:
        """Whether the credential permits writing at all."""
        return shown(self).may(access.Permission.WRITE)


@strawberry.type
class ViewerQueries:
    """The root field about the caller."""

    @strawberry.field(description="Who you are to this gateway.")
    def viewer(self, info: Info) -> Viewer:
        """The caller."""
        return shown(info.context.operation.caller)
