"""Browser sessions, and the links that begin one. Only digests of secrets are stored."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, literal_column, select

from db.engine.database import Database, Transaction
from db.keys import LIVE, announce
from db.sql.reads import Read
from db.sql.tables import api_keys, sessions, sign_in_links, users
from db.sql.types import UtcDateTime
from domain.access import SignedInAs
from domain.api_keys import MAX_SESSIONS
from domain.people import NOWHERE, BrowserSession, SignedInFrom
from domain.short_id import ShortId
from domain.vocabulary import KeyKind

MAX_SHOWN = 500
"""How many sessions of an organisation are listed."""

_OF_ORGANIZATION = (sessions.c.organization_id == bindparam("organization_id")) | sessions.c.api_key_id.in_(
    select(api_keys.c.id).where(LIVE, api_keys.c.organization_id == bindparam("organization_id"))
)

LINK = Read(
    select(sign_in_links.c.api_key_id, sign_in_links.c.user_id, sign_in_links.c.organization_id)
    .outerjoin(api_keys, api_keys.c.id == sign_in_links.c.api_key_id)
    .where(
        # Whoever leaves an organisation takes the links of the membership along.
        sign_in_links.c.user_id.is_not(None) | (LIVE & (api_keys.c.kind != KeyKind.PUBLISHABLE)),
        sign_in_links.c.digest == bindparam("digest"),
        sign_in_links.c.expires_at > bindparam("now"),
    ),
    lambda row: SignedInAs(*row),
)


def _open_sessions() -> Select[Any]:
    return (
        select(
            sessions.c.id,
            func.coalesce(sessions.c.organization_id, api_keys.c.organization_id),
            users.c.email,
            sessions.c.api_key_id,
            sessions.c.created_at,
            sessions.c.expires_at,
            sessions.c.last_used,
            sessions.c.browser,
            sessions.c.address,
        )
        .select_from(sessions)
        .outerjoin(api_keys, api_keys.c.id == sessions.c.api_key_id)
        .outerjoin(users, users.c.id == sessions.c.user_id)
        .where(_OF_ORGANIZATION, sessions.c.expires_at > bindparam("now", type_=UtcDateTime()))
    )


LINKS_OF_USER = Read(
    select(sign_in_links.c.digest).where(
        sign_in_links.c.user_id == bindparam("user_id"),
        sign_in_links.c.expires_at > bindparam("ending", type_=UtcDateTime()),
    ),
    lambda row: str(row[0]),
)
OF_ORGANIZATION = Read(
    _open_sessions().order_by(sessions.c.created_at.desc(), sessions.c.id).limit(literal_column(str(MAX_SHOWN))),
    lambda row: BrowserSession(*row),
)
BY_ID = Read(_open_sessions().where(sessions.c.id == bindparam("id")), lambda row: BrowserSession(*row))
_WITH_ID = delete(sessions).where(_OF_ORGANIZATION, sessions.c.id == bindparam("of"))
_ALIKE = (sessions.c.api_key_id == bindparam("api_key_id")) | (sessions.c.user_id == bindparam("user_id")) & (
    sessions.c.organization_id == bindparam("organization_id")
)
_SESSIONS_TOO_MANY = delete(sessions).where(
    sessions.c.digest.in_(
        select(sessions.c.digest)
        .where(_ALIKE)
        .order_by(sessions.c.created_at.desc(), sessions.c.digest)
        .offset(literal_column(str(MAX_SESSIONS - 1)))
    )
)


async def add_sign_in_link(
    transaction: Transaction, *, digest: str, who: SignedInAs, expires_at: datetime, at: datetime
) -> None:
    """Stores a link that signs in once, by its token's digest, and forgets the expired ones."""
    await transaction.execute(delete(sign_in_links).where(sign_in_links.c.expires_at < at))
    await transaction.insert(sign_in_links, {"digest": digest, **who._asdict(), "expires_at": expires_at})


async def has_link_since(transaction: Transaction, user_id: ShortId, ending: datetime) -> bool:
    """Whether a link of a user ends later than that. Nobody else makes one for the user until the transaction ends."""
    await transaction.serialize(f"links of {user_id}")
    return bool(await transaction.fetch(LINKS_OF_USER, user_id=user_id, ending=ending))


async def find_sign_in_link(database: Database, digest: str, now: datetime) -> SignedInAs | None:
    """What a link stands for, which stays as it is; None as below."""
    return next(iter(await database.fetch(LINK, digest=digest, now=now)), None)


async def use_sign_in_link(transaction: Transaction, digest: str, now: datetime) -> SignedInAs | None:
    """Takes the link away and says what it stood for; None when it is unknown, used, expired or the key revoked."""
    found = await transaction.fetch(LINK, digest=digest, now=now)
    # Of two clicks at once one deletes the row; the other finds nothing to delete.
    taken = await transaction.execute(delete(sign_in_links).where(sign_in_links.c.digest == digest))
    return found[0] if found and taken == 1 else None


async def add_session(
    transaction: Transaction,
    *,
    id: ShortId,
    digest: str,
    who: SignedInAs,
    expires_at: datetime,
    at: datetime,
    place: SignedInFrom = NOWHERE,
) -> None:
    """Stores a browser session by the digest of its cookie, and forgets those that have expired.

    Of the others that stand for the same the newest stay, so that there are no more than `MAX_SESSIONS`.
    """
    await transaction.serialize(f"sessions of {who}")
    await transaction.execute(delete(sessions).where(sessions.c.expires_at < at))
    if await transaction.execute(_SESSIONS_TOO_MANY, who._asdict()):
        await announce(transaction)
    row = {"digest": digest, "id": id, **who._asdict(), "created_at": at, "expires_at": expires_at}
    await transaction.insert(sessions, row | place._asdict())


async def of_organization(database: Database, organization_id: ShortId, now: datetime) -> list[BrowserSession]:
    """The sessions that stand for members or keys of an organisation, the latest first, `MAX_SHOWN` at most."""
    return await database.fetch(OF_ORGANIZATION, organization_id=organization_id, now=now)


async def find(transaction: Transaction, organization_id: ShortId, id: ShortId, now: datetime) -> BrowserSession | None:
    """The session of that id, if it stands for a member or a key of the organisation."""
    return next(iter(await transaction.fetch(BY_ID, organization_id=organization_id, id=id, now=now)), None)


async def end_session_of(transaction: Transaction, organization_id: ShortId, id: ShortId) -> bool:
    """Forgets a session of the organisation; False when there is none of that id."""
    if await transaction.execute(_WITH_ID, {"organization_id": organization_id, "of": id}) == 0:
        return False
    await announce(transaction)
    return True


async def end_session(transaction: Transaction, digest: str) -> None:
    """Forgets a session, if there is one."""
    if await transaction.execute(delete(sessions).where(sessions.c.digest == digest)):
        await announce(transaction)
