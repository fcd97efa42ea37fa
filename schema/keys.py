"""API keys in GraphQL: what a manager sees of an organisation's keys, makes, changes and revokes."""

from datetime import datetime
from typing import Annotated, Any, Self

import strawberry
from strawberry import Maybe

from domain import account as commands
from domain import vocabulary
from domain.changes import Change
from domain.errors import AlreadyExists, NotFound
from resolvers import account
from schema.changes import Success, success_type
from schema.context import GraphQLContext, Info
from schema.mutations import Mutation, Wording
from schema.records import record_type, shown
from schema.scalars import Metadata


@record_type(commands.ApiKey, description="An API key, without the key itself, of which only a digest is stored.")
class ApiKeyType:
    """Contract 1.5."""

    @strawberry.field(description="Whether it is accepted: false once it has expired.")
    def is_active(self, info: Info) -> bool:
        """Whether it has not expired."""
        expires_at: datetime | None = shown(self).expires_at
        return expires_at is None or expires_at > info.context.operation.now


_ORGANIZATION = "The organisation of the key; the one that you act for if left out."


@strawberry.input(description="A new API key of an organisation whose manager you are.")
class CreateApiKeyInput:
    """Contract 1.5."""

    organization_id: strawberry.ID | None = strawberry.field(default=None, description=_ORGANIZATION)
    name: str = strawberry.field(description="What it is called; 1 to 255 characters.")
    role: vocabulary.Role = strawberry.field(
        default=vocabulary.Role.READONLY, description="What it permits in its organisation."
    )
    description: str = strawberry.field(default="", description="What it is for; at most 255 characters.")
    kind: vocabulary.KeyKind = strawberry.field(
        default=vocabulary.KeyKind.BUSINESS,
        description="What kind of key it is. A `csu` key stands for you, if you came with one.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="From when on it is refused; never if left out."
    )
    metadata: Metadata | None = strawberry.field(default=None, description="Your own data about it.")


@strawberry.input(
    description=(
        "Which API key to change, and what it is to be called. A member that is left out stays as it is;"
        " null empties texts. What a key permits cannot be changed: make another, and revoke this one."
    )
)
class PatchApiKeyInput:
    """Contract 1.5."""

    organization_id: strawberry.ID | None = strawberry.field(default=None, description=_ORGANIZATION)
    key_id: strawberry.ID = strawberry.field(description="The key's id.")
    name: Maybe[str | None] = strawberry.field(description="What it is called; at most 255 characters.")
    description: Maybe[str | None] = strawberry.field(description="What it is for; at most 255 characters.")
    metadata: Maybe[Metadata | None] = strawberry.field(
        description="Your own data about it, merged into what is stored."
    )
    clear_metadata: bool = strawberry.field(default=False, description="Delete all metadata.")


@strawberry.input(description="Which API key to revoke.")
class RevokeApiKeyInput:
    """Contract 1.5."""

    organization_id: strawberry.ID | None = strawberry.field(default=None, description=_ORGANIZATION)
    key_id: strawberry.ID = strawberry.field(description="The key's id.")


def _own_organization(context: GraphQLContext) -> dict[str, Any]:
    """The organisation that the caller acts for, where none is named."""
    return {"organization_id": context.operation.caller.organization.id}


@strawberry.type
class KeyQueries:
    """The root field about API keys."""

    @strawberry.field(
        description="The API keys of an organisation whose manager you are, oldest first, without those revoked."
    )
    async def api_keys(
        self,
        info: Info,
        organization_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The organisation; the one that you act for if left out."),
        ] = None,
    ) -> list[ApiKeyType] | None:
        """All keys: they are few."""
        named = _own_organization(info.context) if organization_id is None else {"organization_id": organization_id}
        command = commands.ListApiKeys.parse(named)
        return shown(await account.list_api_keys(info.context.operation, command))


@strawberry.type(description="The API key was made.")
class ApiKeyCreated(Success):
    """Success of `createApiKey`."""

    api_key: ApiKeyType = strawberry.field(description="The new key, without the key itself.")
    key: str | None = strawberry.field(
        description=(
            "The key itself, to be sent as `X-API-Key`. It is shown here and never again: only its digest is stored."
            " Null on a dry run."
        )
    )

    @classmethod
    def of(cls, change: Change[Any, Any]) -> Self:
        """The key is only told where it was made, and of changes only what is stored."""
        made: commands.NewApiKey = change.after
        return cls(
            change=Change(None, made.entry, dry_run=change.dry_run),
            api_key=shown(made.entry),
            key=None if change.dry_run else made.secret,
        )


MUTATIONS = [
    Mutation(
        operation=account.create_api_key,
        input=CreateApiKeyInput,
        defaults=_own_organization,
        success=ApiKeyCreated,
        refusals=(NotFound, AlreadyExists),
        words=Wording("Makes an API key and shows it, this once. Takes a manager of the organisation.", "The key."),
    ),
    Mutation(
        operation=account.patch_api_key,
        input=PatchApiKeyInput,
        defaults=_own_organization,
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
        input=RevokeApiKeyInput,
        defaults=_own_organization,
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
