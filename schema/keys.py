"""API keys in GraphQL: what a manager sees of an organisation's keys, makes, changes and revokes."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import Maybe

from domain import account as commands
from domain import vocabulary
from domain.changes import Change
from resolvers import account
from schema.changes import Success
from schema.context import GraphQLContext, Info
from schema.inputs import patch_members, sent_members
from schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    NotFoundProblem,
    ValidationProblem,
    as_mutation,
)
from schema.records import record_type, shown
from schema.scalars import Metadata


@record_type(commands.ApiKey, description="An API key, without the key itself, of which only a digest is stored.")
class ApiKeyType:
    """Contract 1.5."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters. It is no secret.")
    organization_id: strawberry.ID = strawberry.field(description="The organisation that issued it.")
    user_id: strawberry.ID | None = strawberry.field(description="Who acts with a `csu` key; null for the other kinds.")
    name: str = strawberry.field(description="What it is called.")
    description: str = strawberry.field(description="What it is for; may be empty.")
    kind: vocabulary.KeyKind = strawberry.field(description="What kind of key it is, told by its prefix.")
    role: vocabulary.Role = strawberry.field(description="What it permits in its organisation.")
    metadata: Metadata = strawberry.field(description="Your own data about it.")
    expires_at: datetime | None = strawberry.field(description="From when on it is refused; null: never.")
    last_used: datetime | None = strawberry.field(
        description="When it was last used, some seconds late and to the second; null: not yet."
    )
    rate_limit_per_minute: int = strawberry.field(
        description="How many requests it may make in a minute; 0: as many as others."
    )
    rate_limit_per_day: int = strawberry.field(
        description="How many requests it may make in a day; 0: as many as others."
    )
    created_at: datetime = strawberry.field(description="When it was made.")

    @strawberry.field(description="Whether it is accepted: false once it has expired.")
    def is_active(self, info: Info) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or self.expires_at > info.context.operation.now


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


CreateApiKeyResult = Annotated[
    ApiKeyCreated | NotFoundProblem | ConflictProblem | ValidationProblem | ForbiddenProblem,
    strawberry.union("CreateApiKeyResult", description="What became of `createApiKey`."),
]


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


@strawberry.type(description="The API key is called what was asked for.")
class ApiKeyPatched(Success):
    """Success of `patchApiKey`."""

    api_key: ApiKeyType = strawberry.field(description="The key after the change.")


PatchApiKeyResult = Annotated[
    ApiKeyPatched | NotFoundProblem | ValidationProblem | ForbiddenProblem,
    strawberry.union("PatchApiKeyResult", description="What became of `patchApiKey`."),
]


@strawberry.input(description="Which API key to revoke.")
class RevokeApiKeyInput:
    """Contract 1.5."""

    organization_id: strawberry.ID | None = strawberry.field(default=None, description=_ORGANIZATION)
    key_id: strawberry.ID = strawberry.field(description="The key's id.")


@strawberry.type(description="The API key is refused from now on, and so are the browser sessions that stand for it.")
class ApiKeyRevoked(Success):
    """Success of `revokeApiKey`."""

    revoked: ApiKeyType = strawberry.field(description="The key as it was; it is gone from the list.")


RevokeApiKeyResult = Annotated[
    ApiKeyRevoked | NotFoundProblem | ValidationProblem | ForbiddenProblem,
    strawberry.union("RevokeApiKeyResult", description="What became of `revokeApiKey`."),
]


def _own(members: dict[str, Any], context: GraphQLContext) -> dict[str, Any]:
    """The members with the organisation that the caller acts for where none is named."""
    return {"organization_id": context.operation.caller.organization.id, **members}


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
        named = {} if organization_id is None else {"organization_id": organization_id}
        command = commands.ListApiKeys.parse(_own(named, info.context))
        return shown(await account.list_api_keys(info.context.operation, command))


@strawberry.type
class KeyMutations:
    """The root fields that make, change and revoke API keys."""

    @strawberry.mutation(description="Makes an API key and shows it, this once. Takes a manager of the organisation.")
    @as_mutation
    async def create_api_key(
        self, info: Info, input: Annotated[CreateApiKeyInput, strawberry.argument(description="The key.")]
    ) -> CreateApiKeyResult:
        """Contract 1.5."""
        command = commands.CreateApiKey.parse(_own(sent_members(input), info.context))
        change = await account.create_api_key(info.context.operation, command)
        made = change.after
        return ApiKeyCreated(
            # Only what is stored is compared.
            change=Change(None, made.entry, dry_run=change.dry_run),
            api_key=shown(made.entry),
            key=None if change.dry_run else made.secret,
        )

    @strawberry.mutation(description="Changes what an API key is called. Takes a manager of the organisation.")
    @as_mutation
    async def patch_api_key(
        self,
        info: Info,
        input: Annotated[PatchApiKeyInput, strawberry.argument(description="Which key, and what changes.")],
    ) -> PatchApiKeyResult:
        """Contract 1.5."""
        command = commands.PatchApiKey.parse(_own(patch_members(input), info.context))
        change = await account.patch_api_key(info.context.operation, command)
        return ApiKeyPatched(change=change, api_key=shown(change.after))

    @strawberry.mutation(
        description="Revokes an API key, with the browser sessions that stand for it: at once, in a server whose"
        " network fails within ten seconds. Takes a manager of the organisation."
    )
    @as_mutation
    async def revoke_api_key(
        self, info: Info, input: Annotated[RevokeApiKeyInput, strawberry.argument(description="Which key.")]
    ) -> RevokeApiKeyResult:
        """Contract 1.5."""
        command = commands.DeleteApiKey.parse(_own(sent_members(input), info.context))
        change = await account.delete_api_key(info.context.operation, command)
        return ApiKeyRevoked(change=change, revoked=shown(change.before))
