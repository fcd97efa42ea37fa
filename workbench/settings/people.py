"""Who belongs to the organisation, and who is invited to."""

from typing import Any

from starlette.requests import Request

from domain.digests import GetDigest
from domain.errors import NotFound
from domain.people import Invitation, ListInvitations, ListMembers, Member
from domain.vocabulary import DigestPeriod, Role
from resolvers import digests, people
from resolvers.operation import Context
from workbench.forms import FormMember
from workbench.settings.acts import ActedOn, SettingsAct

ROLES = tuple(role.value for role in reversed(Role))
PERIODS = tuple(period.value for period in DigestPeriod)


async def members(context: Context, request: Request) -> dict[str, Any]:
    """Members and open invitations. Raises `Forbidden`."""
    return {
        "members": await _members(context),
        "invitations": await _invitations(context),
        "me": context.caller.user_id,
        "roles": ROLES,
    }


async def _members(context: Context) -> list[Member]:
    return await people.list_members(context, ListMembers(organization_id=context.caller.organization.id))


async def _invitations(context: Context) -> list[Invitation]:
    return await people.list_invitations(context, ListInvitations(organization_id=context.caller.organization.id))


async def _nobody(context: Context, _id: str) -> ActedOn:
    # Whoever may not see who is here is not asked to invite.
    await _members(context)
    return ActedOn()


async def _member(context: Context, id: str) -> ActedOn:
    found = next((each for each in await _members(context) if each.user_id == id), None)
    if found is None:
        raise NotFound("The organisation has no such member any more; go back to the list.")
    return ActedOn(found.email, {"role": found.role})


async def _mail_of(context: Context, id: str) -> ActedOn:
    found = await _member(context, id)
    asked = GetDigest.parse({"organization_id": context.caller.organization.id, "user_id": id})
    said = await digests.member_digest(context, asked)
    return found._replace(values={"period": said.period or ""})


async def _invited(context: Context, id: str) -> ActedOn:
    found = next((each for each in await _invitations(context) if each.id == id), None)
    if found is None:
        raise NotFound("The organisation has no such open invitation any more; go back to the list.")
    return ActedOn(found.email)


_ROLE = FormMember("role", "choice", ROLES, required=True)

ACTS = {
    "invite": SettingsAct(
        people.create_invitation, _nobody, fields=(FormMember("email", "email", required=True), _ROLE), shows="link"
    ),
    "role": SettingsAct(people.patch_member, _member, "user_id", (_ROLE,)),
    "mail": SettingsAct(digests.set_digest, _mail_of, "user_id", (FormMember("period", "choice", PERIODS),)),
    "end": SettingsAct(people.remove_member, _member, "user_id", ends=True),
    "take-back": SettingsAct(people.revoke_invitation, _invited, "invitation_id", ends=True),
}
