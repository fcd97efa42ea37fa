"""Who is asking."""

import strawberry

from domain import access, account, records, vocabulary
from resolvers import account as operations
from schema.context import Info
from schema.keys import ApiKeyType
from schema.nodes import Node
from schema.records import record_type, shown
from schema.scalars import Metadata


@record_type(records.Organization, description="An organisation: it owns products, keys and private definitions.")
class OrganizationType(Node):
    """An organisation."""

    slug: str = strawberry.field(description="Its short name in commands, for example `demo`.")


@record_type(account.User, description="A person who belongs to one or more organisations.")
class UserType:
    """Who acts with a `csu` key."""

    id: strawberry.ID = strawberry.field(description="The person's id, 22 characters.")
    email: str = strawberry.field(description="The address, in lower case.")
    metadata: Metadata = strawberry.field(description="Data about the person.")


@record_type(access.Caller, name="Viewer", description="You, as the gateway sees you: the credential of this request.")
class ViewerType:
    """The caller of the operation."""

    organization: OrganizationType = strawberry.field(description="The organisation you act for.")
    role: vocabulary.Role = strawberry.field(description="What you may do there.")
    kind: vocabulary.KeyKind | None = strawberry.field(
        description="The kind of key you came with, or signed in with; null for an OAuth token."
    )

    @strawberry.field(description="Whether you may change products and assignments of your organisation.")
    def can_write(self) -> bool:
        """Whether the credential permits writing at all."""
        return shown(self).may(access.Permission.WRITE)

    @strawberry.field(description="All organisations that you belong to; the one you act for comes first.")
    async def organizations(self, info: Info) -> list[OrganizationType]:
        """One for most; a person may belong to several."""
        return shown((await operations.who_am_i(info.context.operation)).organizations)

    @strawberry.field(description="The person behind a `csu` key; null for credentials that stand for nobody.")
    async def user(self, info: Info) -> UserType | None:
        """Whose key it is."""
        return shown((await operations.who_am_i(info.context.operation)).user)

    @strawberry.field(description="The API key that you came with; null in a signed-in browser and for an OAuth token.")
    async def api_key(self, info: Info) -> ApiKeyType | None:
        """The key behind the request."""
        return shown((await operations.who_am_i(info.context.operation)).api_key)


@strawberry.type
class ViewerQueries:
    """The root field about the caller."""

    @strawberry.field(description="Who you are to this gateway.")
    def viewer(self, info: Info) -> ViewerType | None:
        """The caller."""
        return shown(info.context.operation.caller)
