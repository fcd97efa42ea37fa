"""Who asks, and the API keys of an organisation: the Account API (contract 1.5)."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from domain.account import ApiKey, CreateApiKey, DeleteApiKey, ListApiKeys, NewApiKey, PatchApiKey, WhoAmI
from resolvers import account
from rest_compat import manners, wire
from rest_compat.account_outputs import ApiKeyCreatedOut, ApiKeyOut, OwnApiKeyOut, OwnOrganizationOut, WhoAmIOut


async def whoami(request: Request) -> Response:
    """GET /account/api/v1/whoami."""
    return wire.answer(_whoami(await account.who_am_i(request.state.context)))


async def list_api_keys(request: Request) -> Response:
    """GET .../api-keys: a bare array."""
    context = request.state.context
    found = await account.list_api_keys(context, ListApiKeys.parse(request.path_params))
    return wire.answer([_api_key(item, context.now) for item in found])


async def create_api_key(request: Request) -> Response:
    """POST .../api-keys: 200 with the key, this once."""
    command = await manners.read_command(request, CreateApiKey)
    response = wire.answer(_created((await account.create_api_key(request.state.context, command)).after))
    response.headers["Cache-Control"] = "no-store"
    return response


async def patch_api_key(request: Request) -> Response:
    """PATCH .../api-keys/{key_id}."""
    command = await manners.read_command(request, PatchApiKey)
    context = request.state.context
    return wire.answer(_api_key((await account.patch_api_key(context, command)).after, context.now))


async def delete_api_key(request: Request) -> Response:
    """DELETE .../api-keys/{key_id}: revokes it."""
    await account.delete_api_key(request.state.context, DeleteApiKey.parse(request.path_params))
    return Response(status_code=204)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _moment_or_none(at: datetime | None) -> str | None:
    return None if at is None else _moment(at)


def _api_key(key: ApiKey, now: datetime) -> ApiKeyOut:
    return ApiKeyOut(
        id=key.id,
        name=key.name,
        role=key.role,
        created=_moment(key.created_at),
        metadata=key.metadata,
        description=key.description,
        kind=key.kind,
        is_active=key.expires_at is None or key.expires_at > now,
        expires_at=_moment_or_none(key.expires_at),
        last_used=_moment_or_none(key.last_used),
        rate_limit_per_minute=key.rate_limit_per_minute,
        rate_limit_per_day=key.rate_limit_per_day,
    )


def _created(made: NewApiKey) -> ApiKeyCreatedOut:
    key = made.entry
    return ApiKeyCreatedOut(
        id=key.id,
        name=key.name,
        role=key.role,
        created=_moment(key.created_at),
        key=made.secret,
        metadata=key.metadata,
        description=key.description,
    )


def _whoami(who: WhoAmI) -> WhoAmIOut:
    key = who.api_key
    return WhoAmIOut(
        user_id=who.user.id if who.user else None,
        email=who.user.email if who.user else None,
        organizations=[OwnOrganizationOut(id=item.id, name=item.name) for item in who.organizations],
        metadata=who.user.metadata if who.user else {},
        api_key=None
        if key is None
        else OwnApiKeyOut(
            id=key.id,
            role=key.role,
            description=key.description,
            created=_moment(key.created_at),
            metadata=key.metadata,
        ),
    )
