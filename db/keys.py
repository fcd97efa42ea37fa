"""API keys, browser sessions and sign-in links. Only digests of secrets are stored.

Whatever changes one of them goes through here and ends in `_announce`, so that no process keeps honouring a revoked
credential (see `Database.epoch`).
"""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Select, bindparam, delete, select, update

from db import organizations
from db.database import Database, Transaction
from db.reads import Read, Row
from db.tables import api_keys, sessions, sign_in_links
from db.tables import organizations as organizations_table
from domain.access import Caller
from domain.records import Organization
from domain.short_id import ShortId
from domain.vocabulary import KeyKind, Role


class Credential(NamedTuple):
    """A caller and the moment from which the credential no longer stands for it; None: no such moment."""

    caller: Caller
    expires_at: datetime | None


class KeyEntry(msgspec.Struct, frozen=True):
    """An API key as a list shows it: everything but the key."""

    id: ShortId
    organization: str
    kind: KeyKind
    role: Role
    name: str
    is_active: bool
    expires_at: datetime | None
    created_at: datetime


CHANNEL = "certgate_keys"
"""The PostgreSQL channel that `_announce` notifies."""

_CALLER = (api_keys.c.id, api_keys.c.kind, api_keys.c.role, *organizations.COLUMNS)
_live = api_keys.c.is_active.is_(True)


def _caller(row: Row) -> Caller:
    return Caller(row[0], row[1], row[2], Organization(*row[3:6]))


def _earlier(first: datetime | None, second: datetime | None) -> datetime | None:
    return min((moment for moment in (first, second) if moment is not None), default=None)


def _with_owner(*columns: Any) -> Select[Any]:
    return select(*columns).join(organizations_table, organizations_table.c.id == api_keys.c.organization_id)


BY_DIGEST = Read(
    _with_owner(*_CALLER, api_keys.c.expires_at).where(_live, api_keys.c.digest == bindparam("digest")),
    lambda row: Credential(_caller(row), row[6]),
)
BY_SESSION = Read(
    _with_owner(*_CALLER, api_keys.c.expires_at, sessions.c.expires_at)
    .join(sessions, sessions.c.api_key_id == api_keys.c.id)
    .where(_live, sessions.c.digest == bindparam("digest")),
    lambda row: Credential(_caller(row), _earlier(row[6], row[7])),
)
LINK = Read(
    select(sign_in_links.c.api_key_id)
    .join(api_keys, api_keys.c.id == sign_in_links.c.api_key_id)
    .where(_live, sign_in_links.c.digest == bindparam("digest"), sign_in_links.c.expires_at > bindparam("now")),
    lambda row: ShortId(row[0]),
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
    ).order_by(organizations_table.c.slug, api_keys.c.id),
    lambda row: KeyEntry(*row),
)


async def find_key(database: Database, digest: str) -> Credential | None:
    """The credential behind a key's digest, unless it was revoked. Its expiry is the caller's to judge."""
    return next(iter(await database.fetch(BY_DIGEST, digest=digest)), None)


async def find_session(database: Database, digest: str) -> Credential | None:
    """The credential behind a session cookie's digest, unless the key it stands for was revoked."""
    return next(iter(await database.fetch(BY_SESSION, digest=digest)), None)


async def add_key(
    transaction: Transaction,
    *,
    id: ShortId,
    organization_id: ShortId,
    kind: KeyKind,
    role: Role,
    name: str,
    digest: str,
    expires_at: datetime | None,
    at: datetime,
) -> None:
    """Stores a new key by its digest."""
    await transaction.insert(
        api_keys,
        {
            "id": id,
            "organization_id": organization_id,
            "kind": kind,
            "role": role,
            "name": name,
            "description": "",
            "digest": digest,
            "is_active": True,
            "expires_at": expires_at,
            "rate_limit_per_minute": 0,
            "rate_limit_per_day": 0,
            "metadata": {},
            "created_at": at,
        },
    )


async def revoke_key(transaction: Transaction, id: ShortId) -> bool:
    """Revokes a key and with it every session that stands for it. False when there is no such key."""
    found = await transaction.execute(update(api_keys).where(api_keys.c.id == id).values(is_active=False))
    await _announce(transaction)
    return found == 1


async def forget_expired_keys(transaction: Transaction, organization_id: ShortId, name: str, now: datetime) -> int:
    """Deletes the keys of that name that have expired, with their sessions and links; how many."""
    return await transaction.execute(
        delete(api_keys).where(
            api_keys.c.organization_id == organization_id,
            api_keys.c.name == name,
            api_keys.c.expires_at <= now,
        )
    )


async def add_sign_in_link(
    transaction: Transaction, *, digest: str, api_key_id: ShortId, expires_at: datetime, at: datetime
) -> None:
    """Stores a link that signs in once as that key, by its token's digest, and forgets the expired ones."""
    await transaction.execute(delete(sign_in_links).where(sign_in_links.c.expires_at < at))
    await transaction.insert(sign_in_links, {"digest": digest, "api_key_id": api_key_id, "expires_at": expires_at})


async def use_sign_in_link(transaction: Transaction, digest: str, now: datetime) -> ShortId | None:
    """Takes the link away and says which key it stood for; None when it is unknown, used, expired or the key
    revoked.
    """
    found = await transaction.fetch(LINK, digest=digest, now=now)
    # Of two clicks at once one deletes the row; the other finds nothing to delete.
    taken = await transaction.execute(delete(sign_in_links).where(sign_in_links.c.digest == digest))
    return found[0] if found and taken == 1 else None


async def add_session(
    transaction: Transaction, *, digest: str, api_key_id: ShortId, expires_at: datetime, at: datetime
) -> None:
    """Stores a browser session by the digest of its cookie, and forgets those that have expired."""
    await transaction.execute(delete(sessions).where(sessions.c.expires_at < at))
    await transaction.insert(
        sessions, {"digest": digest, "api_key_id": api_key_id, "created_at": at, "expires_at": expires_at}
    )


async def end_session(transaction: Transaction, digest: str) -> None:
    """Forgets a session."""
    await transaction.execute(delete(sessions).where(sessions.c.digest == digest))
    await _announce(transaction)


async def _announce(transaction: Transaction) -> None:
    await transaction.notify(CHANNEL)
