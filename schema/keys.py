"""API keys in GraphQL: what a manager sees of an organisation's keys, makes, changes and revokes."""

from datetime import datetime
from typing import Annotated, Any, TypeVar

import strawberry

from domain import account as commands
from domain.short_id import ShortId
from domain.validation import Command
from resolvers import account
from schema.changes import ShownOnce, Success, success_type
from schema.context import GraphQLContext, Info
from schema.mutations import Mutation, Wording
from schema.records import record_type, shown

C = TypeVar("C", bound=Command)


@record_type(commands.ApiKey, description="An API key, without the key itself, of which only a digest is stored.")
class ApiKeyType:
    """Contract 1.5."""

    @strawberry.field(description="Whether it is accepted: false once it has expired.")
    def is_active(self, info: Info) -> bool:
        """Whether it has not expired."""
        expires_at: datetime | None = shown(self).expires_at
        return expires_at is None or expires_at > info.context.operation.now


def own_organization(context: GraphQLContext) -> ShortId:
    """The organisation that the caller acts for, where none is named."""
    return context.operation.caller.organization.id


OrganizationId = Annotated[
    strawberry.ID | None, strawberry.argument(description="The organisation; the one that you act for if left out.")
]


def of_organization(command: type[C], context: GraphQLContext, id: str | None, **others: Any) -> C:
    """The command that lists what an organisation has, one's own where none is named. Raises `InvalidInput`."""
    return command.parse({"organization_id": own_organization(context) if id is None else id, **others})


@strawberry.type
class KeyQueries:
    """The root field about API keys."""

    @strawberry.field(
        description="The API keys of an organisation whose manager you are, oldest first, without those revoked."
    )
    async def api_keys(self, info: Info, organization_id: OrganizationId = None) -> list[ApiKeyType] | None:
        """All keys: they are few."""
        command = of_organization(commands.ListApiKeys, info.context, organization_id)
        return shown(await account.list_api_keys(info.context.operation, command))


@strawberry.type(description="The API key was made.")
class ApiKeyCreated(ShownOnce, Success):
    """Success of `createApiKey`."""

    shows = "api_key"
    tells = ("key", "secret")
    api_key: ApiKeyType = strawberry.field(description="The new key, without the key itself.")
    key: str | None = strawberry.field(
        description=(
            "The key itself, to be sent as `X-API-Key`. It is shown here and never again: only its digest is stored."
            " Null on a dry run."
        )
    )


MUTATIONS = [
    Mutation(
        operation=account.create_api_key,
        asks="A new API key of an organisation whose manager you are."
        " A `csu` key stands for you, if you came with one.",
        defaults={"organization_id": own_organization},
        success=ApiKeyCreated,
        words=Wording("Makes an API key and shows it, this once. Takes a manager of the organisation.", "The key."),
    ),
    Mutation(
        operation=account.patch_api_key,
        asks="Which API key to change, and what it is to be called. What a key permits cannot be changed: make another,"
        " and revoke this one.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "ApiKeyPatched",
            "The API key is called what was asked for.",
            "api_key",
            ApiKeyType,
            "The key after the change.",
        ),
        words=Wording(
            "Changes what an API key is called. Takes a manager of the organisation.", "Which key, and what changes."
        ),
    ),
    Mutation(
        operation=account.revoke_api_key,
        asks="Which API key to revoke.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "ApiKeyRevoked",
            "The API key is refused from now on, and so are the browser sessions that stand for it.",
            "revoked",
            ApiKeyType,
            "The key as it was; it is gone from the list.",
        ),
        words=Wording(
            "Revokes an API key, with the browser sessions that stand for it: at once, in a server whose network fails"
            " within ten seconds. Takes a manager of the organisation.",
            "Which key.",
        ),
    ),
]
