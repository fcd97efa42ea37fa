"""The Account API: who asks, and the API keys of an organisation (contract 1.5)."""

import msgspec

from db import accounts, keys
from db.engine.database import Transaction
from domain.access import require_management
from domain.account import (
    ApiKey,
    CreateApiKey,
    ListApiKeys,
    NewApiKey,
    PatchApiKey,
    RevokeApiKey,
    WhoAmI,
)
from domain.api_keys import MAX_KEYS, digest, new_key
from domain.changes import Change
from domain.errors import InvalidInput, NotFound, Violation
from domain.metadata import merge
from domain.short_id import ShortId, new_short_id
from domain.vocabulary import KeyKind
from resolvers.operation import Context, read_operation, write_operation
from resolvers.repetition import shown_once


@read_operation
async def who_am_i(context: Context) -> WhoAmI:
    """The caller: its user if it has one, its organisations, and its key unless it is a session or a token."""
    caller = context.caller
    user = await accounts.find_user(context.database, caller.user_id) if caller.user_id else None
    key = None
    if caller.key_id is not None and not caller.is_session:
        key = await keys.find_live(context.database, caller.key_id)
    return WhoAmI(user, caller.organizations, key)


@read_operation
async def list_api_keys(context: Context, command: ListApiKeys) -> list[ApiKey]:
    """The keys of an organisation by age, without those revoked. Raises `NotFound` or `Forbidden`."""
    require_management(context.caller, command.organization_id)
    return await keys.of_organization(context.database, command.organization_id)


@write_operation
@shown_once
async def create_api_key(context: Context, transaction: Transaction, command: CreateApiKey) -> Change[None, NewApiKey]:
    """Makes a key of the organisation. Raises `NotFound`, `Forbidden` or `InvalidInput`.

    A csu key stands for the caller's own user: nobody makes a key that acts as somebody else. A session that stands for
    a membership makes none, for such a key acts in all organisations of the user.
    """
    require_management(context.caller, command.organization_id)
    problems = []
    if command.expires_at is not None and command.expires_at <= context.now:
        problems.append(Violation(("expires_at",), "Input should be in the future", "datetime_future"))
    if command.kind is KeyKind.USER and (context.caller.user_id is None or context.caller.key_id is None):
        message = "A csu key stands for the user who makes it; make it with a csu key, or on the command line"
        problems.append(Violation(("kind",), message, "user_of_kind"))
    if await keys.count_live(transaction, command.organization_id, context.now) >= MAX_KEYS:
        message = f"The organisation has {MAX_KEYS} API keys, as many as it may; revoke one that is not used any more"
        problems.append(Violation(("organization_id",), message, "too_many_keys"))
    if problems:
        raise InvalidInput(problems)
    secret = new_key(command.kind)
    key = ApiKey(
        id=new_short_id(context.now),
        organization_id=command.organization_id,
        kind=command.kind,
        role=command.role,
        name=command.name,
        created_at=context.now,
        user_id=context.caller.user_id if command.kind is KeyKind.USER else None,
        description=command.description,
        metadata=merge({}, command.metadata),
        expires_at=command.expires_at,
    )
    await keys.add_key(transaction, key, digest(secret))
    return Change(None, NewApiKey(key, secret))


@write_operation
async def patch_api_key(context: Context, transaction: Transaction, command: PatchApiKey) -> Change[ApiKey, ApiKey]:
    """Changes what a key is called. Raises `NotFound`, `Forbidden` or `InvalidInput`."""
    require_management(context.caller, command.organization_id)
    members = command.members()
    stored = await _locked(transaction, command.organization_id, command.key_id)
    if "metadata" in members:
        members["metadata"] = merge(stored.metadata, members["metadata"])
    if members:
        await keys.change(transaction, stored.id, members)
    return Change(stored, msgspec.structs.replace(stored, **members))


@write_operation
async def revoke_api_key(context: Context, transaction: Transaction, command: RevokeApiKey) -> Change[ApiKey, None]:
    """Revokes a key, with the browser sessions that stand for it. Raises `NotFound` or `Forbidden`."""
    require_management(context.caller, command.organization_id)
    stored = await _locked(transaction, command.organization_id, command.key_id)
    await keys.revoke_key(transaction, stored.id)
    return Change(stored, None)


async def _locked(transaction: Transaction, organization_id: ShortId, id: ShortId) -> ApiKey:
    found = await keys.lock(transaction, id)
    if found is None or found.organization_id != organization_id:
        raise NotFound(f"The organisation has no API key with the id {id}; take it from the list of its keys.")
    return found
