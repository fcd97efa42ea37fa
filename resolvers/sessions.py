"""How a browser signs in and out: by a link, or with an API key.

Whoever does is not yet anybody. So these are plain functions on a database, as those of `resolvers.keys` are.
"""

from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import NamedTuple

from db import accounts, invitations, keys, organizations, sessions
from db.engine.database import Database, Transaction
from db.keys import find_key
from domain.access import SignedInAs
from domain.account import User
from domain.api_keys import digest, is_well_formed
from domain.people import NOWHERE, Invitation, SignedInFrom
from domain.records import Organization
from domain.short_id import ShortId, new_short_id
from domain.vocabulary import KeyKind, Role
from resolvers.letters import Letter, Post
from resolvers.memberships import admit, by_oneself
from resolvers.organizations import existing, existing_member

LINK_LIFE = timedelta(hours=1)
_BETWEEN_LETTERS = timedelta(minutes=1)


class Session(NamedTuple):
    """A browser session that was just started. `secret` is the cookie's value, stored nowhere."""

    secret: str
    expires_at: datetime


async def create_sign_in_link(database: Database, key: ShortId, now: datetime | None = None) -> str:
    """A token that signs a browser in once, within the hour, as the API key of that id."""
    now = now or datetime.now(UTC)
    async with database.write() as transaction:
        return await _linked(transaction, SignedInAs(api_key_id=key), now)


async def send_sign_in_links(database: Database, post: Post, email: str, now: datetime | None = None) -> None:
    """Writes to a member how to sign in; to nobody else, and at most once a minute. The caller is not told which."""
    now = now or datetime.now(UTC)
    async with database.write() as transaction:
        user = await accounts.find_user_by_email(transaction, email.lower())
        if user is None or await sessions.has_link_since(transaction, user.id, now + LINK_LIFE - _BETWEEN_LETTERS):
            return
        choices = [
            Choice(held.organization, held.role, await _linked(transaction, _member(user, held.organization.id), now))
            for held in await accounts.memberships_of(transaction, user.id)
        ]
    if choices:
        links = "".join(f"{each.organization.name}: {post.site}/sign-in?link={each.token}\n\n" for each in choices)
        await post.send(
            Letter(
                user.email,
                "Your link to sign in",
                f"Sign in by this link, which works once and for an hour:\n\n{links}"
                "If you did not ask for it, do nothing.\n",
            )
        )


async def create_members_link(database: Database, organization: str, email: str, now: datetime | None = None) -> str:
    """The same for a member of the organisation with that slug, who then acts there and nowhere else.

    Raises `NotFound`.
    """
    now = now or datetime.now(UTC)
    async with database.write() as transaction:
        owner = await existing(transaction, organization)
        user = await existing_member(transaction, owner, email)
        return await _linked(transaction, _member(user, owner.id), now)


async def _linked(transaction: Transaction, who: SignedInAs, now: datetime) -> str:
    token = token_urlsafe(32)
    await sessions.add_sign_in_link(transaction, digest=digest(token), who=who, expires_at=now + LINK_LIFE, at=now)
    return token


class Linked(NamedTuple):
    """Whom a sign-in link signs in: a person's address or else the name of a key, for an organisation, in a role."""

    email: str
    key: str
    organization: Organization
    role: Role


async def find_link(database: Database, token: str, now: datetime | None = None) -> Linked | None:
    """Whom a sign-in token would sign in; None when it is unknown, used or expired."""
    who = await sessions.find_sign_in_link(database, digest(token), now or datetime.now(UTC))
    if who is None:
        return None
    if who.api_key_id is not None:
        key = await keys.find_live(database, who.api_key_id)
        owner = await organizations.find(database, key.organization_id) if key is not None else None
        return Linked("", key.name, owner, key.role) if key is not None and owner is not None else None
    assert who.user_id is not None
    user = await accounts.find_user(database, who.user_id)
    for membership in await accounts.memberships_of(database, who.user_id):
        if user is not None and membership.organization.id == who.organization_id:
            return Linked(user.email, "", membership.organization, membership.role)
    return None


async def sign_in(
    database: Database, token: str, life: timedelta, now: datetime | None = None, *, place: SignedInFrom = NOWHERE
) -> Session | None:
    """A session for a sign-in token; None when it is unknown, used or expired. Of two at once one wins."""
    now = now or datetime.now(UTC)
    async with database.write() as transaction:
        who = await sessions.use_sign_in_link(transaction, digest(token), now)
        return None if who is None else await _begun(transaction, who, life, now, place)


async def sign_in_with_key(
    database: Database, key: str, life: timedelta, now: datetime | None = None, *, place: SignedInFrom = NOWHERE
) -> Session | None:
    """A session that acts as that API key; None when the key is unknown, revoked, expired or publishable.

    Whoever visits a web page has its publishable key, and is to write nothing here, not even sessions.
    """
    now = now or datetime.now(UTC)
    credential = await find_key(database, digest(key)) if is_well_formed(key) else None
    if credential is None or (credential.expires_at is not None and credential.expires_at <= now):
        return None
    if credential.caller.kind is KeyKind.PUBLISHABLE:
        return None
    assert credential.caller.key_id is not None
    async with database.write() as transaction:
        return await _begun(transaction, SignedInAs(credential.caller.key_id), life, now, place)


class Invited(NamedTuple):
    """An open invitation, and the organisation that it leads to."""

    invitation: Invitation
    organization: Organization


async def find_invitation(database: Database, token: str, now: datetime | None = None) -> Invited | None:
    """The invitation of a link's token; None when it is unknown, used, replaced, taken back or expired."""
    invitation = await invitations.find_by_digest(database, digest(token), now or datetime.now(UTC))
    if invitation is None:
        return None
    organization = await organizations.find(database, invitation.organization_id)
    assert organization is not None
    return Invited(invitation, organization)


async def accept_invitation(
    database: Database, token: str, life: timedelta, now: datetime | None = None, *, place: SignedInFrom = NOWHERE
) -> Session | None:
    """Makes the person who was invited a member, with a session for that; None as above. Of two at once one wins."""
    now = now or datetime.now(UTC)
    async with database.write() as transaction:
        invitation = await invitations.find_by_digest(transaction, digest(token), now)
        if invitation is None or not await invitations.remove(transaction, invitation.id):
            return None
        user = await admitted(transaction, invitation, now)
        return await _begun(transaction, _member(user, invitation.organization_id), life, now, place)


class Choice(NamedTuple):
    """One of several organisations for which somebody may sign in, and the token of a link that does it."""

    organization: Organization
    role: Role
    token: str


async def sign_in_with_address(
    database: Database,
    email: str,
    life: timedelta,
    *,
    organization: str = "",
    role: Role = Role.READONLY,
    now: datetime | None = None,
    place: SignedInFrom = NOWHERE,
) -> Session | list[Choice]:
    """A session for somebody whose address was proved, or the memberships of which one is to be chosen, if any.

    Open invitations of the address are accepted by it. `organization` is the slug or the id of one of which somebody
    trusted says that the person belongs there: `role` is then that of a new member.
    """
    now = now or datetime.now(UTC)
    async with database.write() as transaction:
        for invitation in await invitations.of_address(transaction, email, now):
            if await invitations.remove(transaction, invitation.id):
                await admitted(transaction, invitation, now)
        named = await _named(transaction, organization)
        if named is not None:
            user = await accounts.ensure_user(transaction, email, now)
            if await accounts.lock_member(transaction, named.id, user.id) is None:
                whence = by_oneself(user, named.id)
                await admit(transaction, user, named.id, role, now, "signIn", whence)
        known = await accounts.find_user_by_email(transaction, email)
        held = await accounts.memberships_of(transaction, known.id) if known is not None else []
        standing = [
            (membership, _member(known, membership.organization.id))
            for membership in held
            if known is not None and (named is None or membership.organization.id == named.id)
        ]
        if len(standing) == 1:
            return await _begun(transaction, standing[0][1], life, now, place)
        return [
            Choice(membership.organization, membership.role, await _linked(transaction, who, now))
            for membership, who in standing
        ]


def _member(user: User, organization: ShortId) -> SignedInAs:
    return SignedInAs(user_id=user.id, organization_id=organization)


async def _named(transaction: Transaction, name: str) -> Organization | None:
    """The organisation of that slug, or else of that id."""
    if not name:
        return None
    return await organizations.find_by_slug(transaction, name) or await organizations.find(transaction, name)


async def admitted(transaction: Transaction, invitation: Invitation, now: datetime) -> User:
    """The person of an invitation that was taken away, now a member; whoever was one already has its role now."""
    user = await accounts.ensure_user(transaction, invitation.email, now)
    of = invitation.organization_id
    await admit(transaction, user, of, invitation.role, now, "acceptInvitation", by_oneself(user, of))
    return user


async def _begun(
    transaction: Transaction, who: SignedInAs, life: timedelta, now: datetime, place: SignedInFrom
) -> Session:
    session = Session(token_urlsafe(32), now + life)
    await sessions.add_session(
        transaction,
        id=new_short_id(now),
        digest=digest(session.secret),
        who=who,
        expires_at=session.expires_at,
        at=now,
        place=place,
    )
    return session


async def sign_out(database: Database, secret: str) -> None:
    """Ends the session with that cookie; one that is over already stays so."""
    async with database.write() as transaction:
        await sessions.end_session(transaction, digest(secret))
