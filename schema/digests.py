"""Digests in GraphQL: how often members are told by mail of what is new and what lapses."""

from typing import Annotated

import strawberry

from domain import digests as commands
from domain.errors import InvalidInput, Violation
from domain.short_id import ShortId
from resolvers import digests
from schema.changes import success_type
from schema.context import GraphQLContext, Info
from schema.keys import OrganizationId, own_organization
from schema.mutations import Mutation, Wording
from schema.records import record_type, shown


@record_type(commands.MailDigest, description="How often a member is told by mail of what is new and what lapses.")
class DigestType:
    """An addition of ours."""


def own_user(context: GraphQLContext) -> ShortId:
    """The person who asks. Raises `InvalidInput` for a credential that is nobody's in particular."""
    found = context.operation.caller.user_id
    if found is None:
        message = "Your credential is nobody's in particular; name a member"
        raise InvalidInput([Violation(("user_id",), message, "missing")])
    return found


UserId = Annotated[strawberry.ID | None, strawberry.argument(description="The id of the member; your own if left out.")]


@strawberry.type
class DigestQueries:
    """The root field about digests."""

    @strawberry.field(
        description="How often a member of an organisation is told by mail; of others than yourself it takes a manager."
    )
    async def digest(
        self, info: Info, organization_id: OrganizationId = None, user_id: UserId = None
    ) -> DigestType | None:
        """That of one member."""
        context = info.context
        members = {
            "organization_id": own_organization(context) if organization_id is None else organization_id,
            "user_id": own_user(context) if user_id is None else user_id,
        }
        return shown(await digests.member_digest(context.operation, commands.GetDigest.parse(members)))


MUTATIONS = [
    Mutation(
        operation=digests.set_digest,
        asks="Who is to be told by mail, and how often.",
        defaults={"organization_id": own_organization, "user_id": own_user},
        success=success_type(
            "DigestSet", "The member is told as often as asked for.", "digest", DigestType, "How often, and when next."
        ),
        words=Wording(
            "Has you, or another member where you are manager, told by mail of what is new and what lapses, each day,"
            " each week or never. What somebody has taken on is left out.",
            "Who, and how often.",
        ),
    ),
]
