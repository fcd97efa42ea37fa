"""API keys and members: what the operator does at the machine.

None of these takes a `Caller` or declares a permission: whoever can start the command line on this database
owns it. So they are plain functions on a database, not operations, and neither face may offer them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from db import accounts, history, invitations, keys
from db.engine.database import Database
from db.history import GraphqlLimits
from db.keys import KeyEntry
from domain.account import ApiKey
from domain.api_keys import digest, new_key
from domain.changes import Change
from domain.errors import InvalidInput, NotFound, Violation
from domain.history import OPERATOR
from domain.people import Member
from domain.short_id import ShortId, new_short_id
from domain.vocabulary import KeyKind, Role
from resolvers.memberships import admit
from resolvers.organizations import existing, existing_member


class NewKey(NamedTuple):
    """A key that was just made. `secret` is the key itself, stored nowhere: it cannot be shown again."""

    entry: KeyEntry
    secret: str


async def create_key(
    database: Database,
    organization: str,
    role: Role,
    kind: KeyKind = KeyKind.BUSINESS,
    *,
    name: str = "",
    life: timedelta | None = None,
    user: str | None = None,
    rate_limit_per_minute: int = 0,
    rate_limit_per_day: int = 0,
    id: ShortId | None = None,
    now: datetime | None = None,
) -> NewKey:
    """Makes a key of the organisation with that slug; without `life` it never expires.

    With an `id` it takes the place of the key that has it, if there is one, revoked or not. `user` is the address of
    the member whom a csu key stands for, and nobody for the other kinds. Limits of 0 are the installation's. Raises
    `NotFound`, or `InvalidInput` for a user too many or too few.
    """
    if (user is None) is (kind is KeyKind.USER):
        message = "A csu key stands for a user, the other kinds for nobody"
        raise InvalidInput([Violation(("user",), message, "user_of_kind")])
    now = now or datetime.now(UTC)
    secret = new_key(kind)
    expires_at = now + life if life is not None else None
    async with database.write() as transaction:
        owner = await existing(transaction, organization)
        holder = await existing_member(transaction, owner, user) if user is not None else None
        if id is None:
            id = new_short_id(now)
        else:
            # It is there only if it was not revoked.
            await history.tell(
                transaction, Change(await keys.lock(transaction, id), None), now, "createApiKey", OPERATOR
            )
            await keys.forget_key(transaction, id)
        key = ApiKey(
            id=id,
            organization_id=owner.id,
            kind=kind,
            role=role,
            name=name,
            created_at=now,
            user_id=holder.id if holder else None,
            expires_at=expires_at,
            rate_limit_per_minute=rate_limit_per_minute,
            rate_limit_per_day=rate_limit_per_day,
        )
        await keys.add_key(transaction, key, digest(secret))
        await history.tell(transaction, Change(None, key), now, "createApiKey", OPERATOR)
    email = holder.email if holder else None
    return NewKey(KeyEntry(id, owner.slug, kind, role, name, True, expires_at, now, None, email), secret)


async def set_member(
    database: Database, organization: str, email: str, role: Role, now: datetime | None = None
) -> None:
    """Makes the person of that address a member of the organisation, or changes the role. Raises `NotFound`."""
    now = now or datetime.now(UTC)
    async with database.write() as transaction:
        owner = await existing(transaction, organization)
        user = await accounts.ensure_user(transaction, email.lower(), now)
        await admit(transaction, user, owner.id, role, now, "setMember", OPERATOR)


async def list_members(database: Database, organization: str | None = None) -> list[tuple[str, Member]]:
    """Every membership, or those of one organisation, by organisation and address, with the organisation's slug.

    Raises `NotFound`.
    """
    members = await database.fetch(accounts.EVERY_MEMBER)
    if organization is None:
        return members
    owner = await existing(database, organization)
    return [(slug, member) for slug, member in members if slug == owner.slug]


async def remove_member(database: Database, organization: str, email: str) -> None:
    """Ends a membership, and with it what the user's keys may do there, in all processes. Raises `NotFound`."""
    async with database.write() as transaction:
        owner = await existing(transaction, organization)
        user = await existing_member(transaction, owner, email)
        member = await accounts.lock_member(transaction, owner.id, user.id)
        await accounts.remove_membership(transaction, user.id, owner.id)
        await history.tell(transaction, Change(member, None), datetime.now(UTC), "removeMember", OPERATOR)
        await invitations.withdraw(transaction, owner.id, user.email)
        await keys.announce(transaction)


async def list_keys(database: Database, organization: str | None = None) -> list[KeyEntry]:
    """Every key, or those of one organisation, by organisation and age. Raises `NotFound`."""
    entries = await database.fetch(keys.ENTRIES)
    if organization is None:
        return entries
    owner = await existing(database, organization)
    return [entry for entry in entries if entry.organization == owner.slug]


async def revoke_key(database: Database, id: ShortId) -> None:
    """Revokes a key, with every session and link that stands for it, in all processes. Raises `NotFound`."""
    async with database.write() as transaction:
        key = await keys.lock(transaction, id)
        found = await keys.revoke_key(transaction, id)
        await history.tell(transaction, Change(key, None), datetime.now(UTC), "revokeApiKey", OPERATOR)
    if not found:
        raise _no_such_key(id)


async def graphql_limits(database: Database, id: ShortId) -> dict[str, int]:
    """The GraphQL limits that a key has of its own. Raises `NotFound`."""
    found = await database.fetch(keys.GRAPHQL_LIMITS, id=id)
    if not found:
        raise _no_such_key(id)
    return found[0]


async def change_graphql_limits(database: Database, id: ShortId, changes: Mapping[str, int | None]) -> dict[str, int]:
    """Gives a key GraphQL limits of its own, or the installation's again where a change is None; all it has then.

    Holds in all processes from then on. Raises `NotFound`.
    """
    async with database.write() as transaction:
        key = await keys.lock(transaction, id)
        if key is None:
            raise _no_such_key(id)
        stored = (await transaction.fetch(keys.GRAPHQL_LIMITS, id=id))[0]
        limits = {name: limit for name, limit in {**stored, **changes}.items() if limit is not None}
        await keys.set_graphql_limits(transaction, id, limits)
        before, after = (GraphqlLimits(id, key.organization_id, each) for each in (stored, limits))
        await history.tell(transaction, Change(before, after), datetime.now(UTC), "limitApiKey", OPERATOR)
    return limits


async def forget_expired_keys(database: Database, organization: str, name: str, now: datetime | None = None) -> None:
    """Deletes the expired keys of that name; the others stay, expired or not. Raises `NotFound`."""
    async with database.write() as transaction:
        owner = await existing(transaction, organization)
        now = now or datetime.now(UTC)
        for key in await keys.expired_keys(transaction, owner.id, name, now):
            await history.tell(transaction, Change(key, None), now, "forgetApiKey", OPERATOR)
        await keys.forget_expired_keys(transaction, owner.id, name, now)


def _no_such_key(id: ShortId) -> NotFound:
    return NotFound(f"No API key has the id {id}; `keys list` shows the ids.")
