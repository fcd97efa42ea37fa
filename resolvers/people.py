"""Members, invitations and browser sessions of an organisation, as its managers see and end them."""

from functools import partial
from secrets import token_urlsafe

import msgspec

from db import accounts, invitations, keys, sessions
from db.engine.database import Transaction
from domain.access import require_management
from domain.api_keys import digest
from domain.changes import Change
from domain.errors import InvalidInput, NotFound, Violation
from domain.people import (
    INVITATION_LIFE,
    MAX_PEOPLE,
    BrowserSession,
    CreateInvitation,
    EndSession,
    Invitation,
    ListInvitations,
    ListMembers,
    ListSessions,
    Member,
    NewInvitation,
    PatchMember,
    RemoveMember,
    RevokeInvitation,
)
from domain.short_id import ShortId, new_short_id
from resolvers.letters import Letter
from resolvers.operation import Context, paid, read_operation, write_operation
from resolvers.repetition import shown_once


@read_operation
async def list_members(context: Context, command: ListMembers) -> list[Member]:
    """The members of an organisation by address. Raises `NotFound` or `Forbidden`."""
    require_management(context.caller, command.organization_id)
    return await accounts.members_of(context.database, command.organization_id)


@read_operation
async def list_invitations(context: Context, command: ListInvitations) -> list[Invitation]:
    """The open invitations of an organisation by age. Raises `NotFound` or `Forbidden`."""
    require_management(context.caller, command.organization_id)
    return await invitations.of_organization(context.database, command.organization_id, context.now)


@read_operation
async def list_sessions(context: Context, command: ListSessions) -> list[BrowserSession]:
    """The browsers signed in for an organisation, the latest first. Raises `NotFound` or `Forbidden`."""
    require_management(context.caller, command.organization_id)
    found = await sessions.of_organization(context.database, command.organization_id, context.now)
    return [_seen(context, each) for each in found]


@write_operation
async def patch_member(context: Context, transaction: Transaction, command: PatchMember) -> Change[Member, Member]:
    """Changes what a member may do. Raises `NotFound`, `Forbidden` or `InvalidInput`."""
    require_management(context.caller, command.organization_id)
    members = command.members()
    stored = await _locked(context, transaction, command.organization_id, command.user_id)
    if members:
        await accounts.set_membership(
            transaction, stored.user_id, stored.organization_id, members["role"], stored.created_at
        )
        await keys.announce(transaction)
    return Change(stored, msgspec.structs.replace(stored, **members))


@write_operation
async def remove_member(context: Context, transaction: Transaction, command: RemoveMember) -> Change[Member, None]:
    """Ends a membership, with the sessions and the invitation of the person there.

    Raises `NotFound`, `Forbidden` or `InvalidInput`.
    """
    require_management(context.caller, command.organization_id)
    stored = await _locked(context, transaction, command.organization_id, command.user_id)
    await accounts.remove_membership(transaction, stored.user_id, stored.organization_id)
    await invitations.withdraw(transaction, stored.organization_id, stored.email)
    await keys.announce(transaction)
    return Change(stored, None)


INVITATION_UNITS = 10
"""Units of the rate limit that an invitation spends besides that of its request, for it is a letter to a stranger."""


@write_operation
@shown_once
@paid(INVITATION_UNITS)
async def create_invitation(
    context: Context, transaction: Transaction, command: CreateInvitation
) -> Change[None, NewInvitation]:
    """Invites somebody by a link, in the place of one that is open already.

    Raises `NotFound`, `Forbidden` or `InvalidInput`.
    """
    require_management(context.caller, command.organization_id)
    if await invitations.count_people(transaction, command.organization_id, context.now) >= MAX_PEOPLE:
        message = f"The organisation has {MAX_PEOPLE} members and invitations, as many as it may; end one of them"
        raise InvalidInput([Violation(("organization_id",), message, "too_many_people")])
    token = token_urlsafe(32)
    invitation = Invitation(
        id=new_short_id(context.now),
        organization_id=command.organization_id,
        email=command.email,
        role=command.role,
        created_at=context.now,
        expires_at=context.now + INVITATION_LIFE,
    )
    await invitations.add(transaction, invitation, digest(token))
    made = Change(None, NewInvitation(invitation, f"{context.site}/invitation?token={token}"))
    # A letter about what is not stored would lead nowhere.
    context.afterwards = partial(_sent, context)
    return made


async def _sent(context: Context, made: Change[None, NewInvitation]) -> Change[None, NewInvitation]:
    """What was made, without its link if that could be sent to the person who is invited."""
    invitation, link = made.after.entry, made.after.link
    names = [each.name for each in context.caller.organizations if each.id == invitation.organization_id]
    letter = Letter(
        invitation.email,
        f"You are invited to {names[0]}",
        f"You are invited to {names[0]} on certgate, as {invitation.role}. Accept by this link, which works once and"
        f" until {invitation.expires_at:%d %B %Y}:\n\n{link}\n\nIf you do not expect this, do nothing.\n",
    )
    if context.post is None or not await context.post.send(letter):
        return made
    return msgspec.structs.replace(made, after=msgspec.structs.replace(made.after, link=None))


@write_operation
async def revoke_invitation(
    context: Context, transaction: Transaction, command: RevokeInvitation
) -> Change[Invitation, None]:
    """Takes an invitation back. Raises `NotFound` or `Forbidden`."""
    require_management(context.caller, command.organization_id)
    stored = await invitations.find(transaction, command.organization_id, command.invitation_id, context.now)
    if stored is None or not await invitations.remove(transaction, stored.id):
        raise NotFound(
            f"The organisation has no open invitation with the id {command.invitation_id};"
            " take it from the list of its invitations."
        )
    return Change(stored, None)


@write_operation
async def end_session(context: Context, transaction: Transaction, command: EndSession) -> Change[BrowserSession, None]:
    """Signs a browser out. Raises `NotFound` or `Forbidden`."""
    require_management(context.caller, command.organization_id)
    stored = await sessions.find(transaction, command.organization_id, command.session_id, context.now)
    if stored is None or not await sessions.end_session_of(transaction, command.organization_id, stored.id):
        raise NotFound(
            f"The organisation has no session with the id {command.session_id}; take it from the list of its sessions."
        )
    return Change(_seen(context, stored), None)


def _seen(context: Context, session: BrowserSession) -> BrowserSession:
    return msgspec.structs.replace(session, is_current=session.id == context.caller.session_id)


async def _locked(context: Context, transaction: Transaction, organization_id: ShortId, user_id: ShortId) -> Member:
    """A member who is not the caller: nobody leaves an organisation without its last manager by a slip."""
    stored = await accounts.lock_member(transaction, organization_id, user_id)
    if stored is None:
        raise NotFound(f"The organisation has no member with the id {user_id}; take it from the list of its members.")
    if user_id == context.caller.user_id:
        message = "Input should be another member than yourself; have another manager do it"
        raise InvalidInput([Violation(("user_id",), message, "own_membership")])
    return stored
