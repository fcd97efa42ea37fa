"""API keys, and who is behind a key or a browser session. Only digests of secrets are stored.

Whatever takes rights away ends in `announce`, so that no process keeps honouring a revoked
credential (see `Database.epoch`).
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, func, select, update

from db import organizations
from db.accounts import memberships_of
from db.engine.database import CHANNEL, Database, Transaction
from db.sql.reads import Read, Row
from db.sql.tables import api_keys, columns_of, memberships, sessions, users
from db.sql.tables import organizations as organizations_table
from db.sql.types import UtcDateTime, among
from domain.access import Caller, lesser
from domain.account import ApiKey
from domain.records import Organization
from domain.short_id import ShortId
from domain.vocabulary import KeyKind, Role


class Credential(NamedTuple):
    """A caller and the moment from which the credential no longer stands for it; None: no such moment.

    `used_at` is when a session was last used, as far as that is stored, or begun; None for a key.
    """

    caller: Caller
    expires_at: datetime | None
    used_at: datetime | None = None


class KeyEntry(msgspec.Struct, frozen=True):
    """An API key as an operator's list shows it: everything but the key."""

    id: ShortId
    organization: str
    kind: KeyKind
    role: Role
    name: str
    is_active: bool
    expires_at: datetime | None
    created_at: datetime
    last_used: datetime | None = None
    user: str | None = None
    """The address of the user whom a csu key stands for."""


_CALLER = (
    api_keys.c.id,
    api_keys.c.kind,
    api_keys.c.role,
    *organizations.COLUMNS,
    api_keys.c.user_id,
    api_keys.c.rate_limit_per_minute,
    api_keys.c.rate_limit_per_day,
    api_keys.c.graphql_limits,
)
LIVE = api_keys.c.is_active.is_(True)


def _caller(row: Row, session_id: ShortId | None = None) -> Caller:
    return Caller(
        row[0],
        row[1],
        row[2],
        Organization(*row[3:6]),
        user_id=row[6],
        session_id=session_id,
        rate_limit_per_minute=row[7],
        rate_limit_per_day=row[8],
        graphql_limits=tuple(sorted(row[9].items())) if row[9] else (),
    )


def _member(row: Row) -> Caller:
    """The caller whose browser acts for a membership. In another organisation the same person is another caller."""
    return Caller(
        None,
        KeyKind.USER,
        row[1],
        Organization(*row[2:5]),
        user_id=row[0],
        session_id=row[8],
        holder=f"member:{row[0]}:{row[2]}",
    )


def _of_membership(table: Table) -> ColumnElement[bool]:
    return (table.c.user_id == memberships.c.user_id) & (table.c.organization_id == memberships.c.organization_id)


def _earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    return min((moment for moment in (first, second) if moment is not None), default=None)


def _with_owner(*columns: Any) -> Select[Any]:
    return select(*columns).join(organizations_table, organizations_table.c.id == api_keys.c.organization_id)


BY_DIGEST = Read(
    _with_owner(*_CALLER, api_keys.c.expires_at).where(LIVE, api_keys.c.digest == bindparam("digest")),
    lambda row: Credential(_caller(row), row[10]),
)
BY_SESSION = Read(
    _with_owner(
        *_CALLER,
        api_keys.c.expires_at,
        sessions.c.expires_at,
        sessions.c.last_used,
        sessions.c.created_at,
        sessions.c.id,
    )
    .join(sessions, sessions.c.api_key_id == api_keys.c.id)
    .where(LIVE, sessions.c.digest == bindparam("digest")),
    lambda row: Credential(_caller(row, row[14]), _earlier(row[10], row[11]), row[12] or row[13]),
)
BY_MEMBERS_SESSION = Read(
    select(
        memberships.c.user_id,
        memberships.c.role,
        *organizations.COLUMNS,
        sessions.c.expires_at,
        sessions.c.last_used,
        sessions.c.created_at,
        sessions.c.id,
    )
    .select_from(sessions)
    .join(memberships, _of_membership(sessions))
    .join(organizations_table, organizations_table.c.id == memberships.c.organization_id)
    .where(sessions.c.digest == bindparam("digest")),
    lambda row: Credential(_member(row), row[5], row[6] or row[7]),
)
ENTRIES = Read(
    _with_owner(
        api_keys.c.id,
        organizations_table.c.slug,
        api_keys.c.kind,
        api_keys.c.role,
        api_keys.c.name,
        api_keys.c.is_active,
        api_keys.c.expires_at,
        api_keys.c.created_at,
        api_keys.c.last_used,
        users.c.email,
    )
    .outerjoin(users, users.c.id == api_keys.c.user_id)
    .order_by(organizations_table.c.slug, api_keys.c.created_at, api_keys.c.id),
    lambda row: KeyEntry(*row),
)
_KEY = columns_of(api_keys, ApiKey)
KEYS_OF_ORGANIZATION = Read(
    select(*_KEY)
    .where(LIVE, api_keys.c.organization_id == bindparam("organization_id"))
    .order_by(api_keys.c.created_at, api_keys.c.id),
    lambda row: ApiKey(*row),
)
KEY = Read(select(*_KEY).where(LIVE, api_keys.c.id == bindparam("id")), lambda row: ApiKey(*row))


LIVE_KEYS = Read(
    select(func.count())
    .select_from(api_keys)
    .where(
        LIVE,
        api_keys.c.organization_id == bindparam("organization_id"),
        api_keys.c.expires_at.is_(None) | (api_keys.c.expires_at > bindparam("now", type_=UtcDateTime())),
    ),
    lambda row: int(row[0]),
)
GRAPHQL_LIMITS = Read(
    select(api_keys.c.graphql_limits).where(LIVE, api_keys.c.id == bindparam("id")),
    lambda row: dict(row[0] or {}),
)

_CHANGE = update(api_keys).where(api_keys.c.id == bindparam("of"))


def _mark_used(table: Table, key: ColumnElement[str]) -> Any:
    # Of several processes each knows its own requests only: the latest moment stays, whoever writes last.
    moment = bindparam("moment", type_=UtcDateTime())
    return (
        update(table)
        .where(among(key, "used"), table.c.last_used.is_(None) | (table.c.last_used < moment))
        .values(last_used=moment)
    )


_KEYS_USED = _mark_used(api_keys, api_keys.c.id)
_SESSIONS_USED = _mark_used(sessions, sessions.c.digest)


async def find_key(database: Database, digest: str) -> Credential | None:
    """The credential behind a key's digest, unless it was revoked. Its expiry is the caller's to judge."""
    return await _standing(database, await database.fetch(BY_DIGEST, digest=digest))


async def find_session(database: Database, digest: str) -> Credential | None:
    """The credential behind a session cookie's digest, unless the key or the membership it stands for is gone."""
    found = await database.fetch(BY_SESSION, digest=digest)
    if not found:
        return next(iter(await database.fetch(BY_MEMBERS_SESSION, digest=digest)), None)
    return await _standing(database, found)


async def _standing(database: Database, found: list[Credential]) -> Credential | None:
    """The credential with what its user may do; None when the user has left the organisation of the key."""
    if not found or found[0].caller.kind is not KeyKind.USER:
        return next(iter(found), None)
    caller = found[0].caller
    held = [
        msgspec.structs.replace(membership, role=lesser(caller.role, membership.role))
        for membership in await memberships_of(database, caller.user_id)
    ]
    role = next((item.role for item in held if item.organization.id == caller.organization.id), None)
    if role is None:
        return None
    others = tuple(item for item in held if item.organization.id != caller.organization.id)
    return found[0]._replace(caller=msgspec.structs.replace(caller, role=role, others=others))


async def find_live(database: Database, id: ShortId) -> ApiKey | None:
    """The key of that id, unless it was revoked."""
    return next(iter(await database.fetch(KEY, id=id)), None)


async def of_organization(database: Database, organization_id: ShortId) -> list[ApiKey]:
    """The keys of an organisation by age, without those revoked."""
    return await database.fetch(KEYS_OF_ORGANIZATION, organization_id=organization_id)


async def count_live(transaction: Transaction, organization_id: ShortId, now: datetime) -> int:
    """How many keys of an organisation are valid. Nobody else counts or adds any until the transaction ends."""
    await transaction.serialize(f"keys of {organization_id}")
    return (await transaction.fetch(LIVE_KEYS, organization_id=organization_id, now=now))[0]


async def lock(transaction: Transaction, id: ShortId) -> ApiKey | None:
    """A key that was not revoked, locked until the transaction ends."""
    return next(iter(await transaction.fetch(KEY, lock=api_keys, id=id)), None)


async def change(transaction: Transaction, id: ShortId, changes: dict[str, Any]) -> None:
    """Stores changed members of a locked key that say nothing of what it permits."""
    await transaction.execute(_CHANGE, {"of": id, **changes})


async def set_graphql_limits(transaction: Transaction, id: ShortId, limits: dict[str, int]) -> None:
    """Stores the GraphQL limits of a locked key; those not named are the installation's."""
    await transaction.execute(_CHANGE, {"of": id, "graphql_limits": limits or None})
    await announce(transaction)


async def mark_used(
    transaction: Transaction, key_ids: Collection[ShortId], session_digests: Collection[str], at: datetime
) -> None:
    """Records that these were used at a moment, for those not known to have been used later."""
    for statement, used in ((_KEYS_USED, key_ids), (_SESSIONS_USED, session_digests)):
        if used:
            await transaction.execute(statement, {"used": list(used), "moment": at})


async def add_key(transaction: Transaction, key: ApiKey, digest: str) -> None:
    """Stores a new key by its digest."""
    await transaction.insert(api_keys, {**msgspec.structs.asdict(key), "digest": digest, "is_active": True})


async def revoke_key(transaction: Transaction, id: ShortId) -> bool:
    """Revokes a key and with it every session that stands for it. False when there is no such key."""
    found = await transaction.execute(update(api_keys).where(api_keys.c.id == id).values(is_active=False))
    await announce(transaction)
    return found == 1


async def forget_key(transaction: Transaction, id: ShortId) -> None:
    """Deletes a key, if there is one, with its sessions and links; nobody else does until the transaction ends."""
    await transaction.serialize(f"key {id}")
    if await transaction.execute(delete(api_keys).where(api_keys.c.id == id)):
        await announce(transaction)


async def expired_keys(transaction: Transaction, organization_id: ShortId, name: str, now: datetime) -> list[ApiKey]:
    """The keys of that name that have expired, without those revoked."""
    return [
        key
        for key in await transaction.fetch(KEYS_OF_ORGANIZATION, organization_id=organization_id)
        if key.name == name and key.expires_at is not None and key.expires_at <= now
    ]


async def forget_expired_keys(transaction: Transaction, organization_id: ShortId, name: str, now: datetime) -> int:
    """Deletes the keys of that name that have expired, with their sessions and links; how many."""
    return await transaction.execute(
        delete(api_keys).where(
            api_keys.c.organization_id == organization_id,
            api_keys.c.name == name,
            api_keys.c.expires_at <= now,
        )
    )


async def announce(transaction: Transaction) -> None:
    """Tells every process that credentials changed: what they are, or what their users may do."""
    await transaction.notify(CHANNEL)
