"""Members, invitations and browser sessions in GraphQL, as an organisation's managers see and end them."""

import strawberry

from domain import people as commands
from resolvers import people
from schema.changes import ShownOnce, Success, success_type
from schema.context import Info
from schema.keys import OrganizationId, of_organization, own_organization
from schema.mutations import Mutation, Wording
from schema.records import record_type, shown


@record_type(commands.Member, description="Somebody's membership in an organisation.")
class MemberType:
    """Additions to contract 1.5."""


@record_type(
    commands.Invitation,
    description="An invitation to become a member, without its link, of which only a digest is stored.",
)
class InvitationType:
    """As above."""


@record_type(commands.BrowserSession, description="A browser that is signed in, for a member or for an API key.")
class BrowserSessionType:
    """As above."""


@strawberry.type
class PeopleQueries:
    """The root fields about people."""

    @strawberry.field(description="The members of an organisation whose manager you are, by address.")
    async def members(self, info: Info, organization_id: OrganizationId = None) -> list[MemberType] | None:
        """All of them: there are 500 at most."""
        command = of_organization(commands.ListMembers, info.context, organization_id)
        return shown(await people.list_members(info.context.operation, command))

    @strawberry.field(description="The open invitations of an organisation whose manager you are, oldest first.")
    async def invitations(self, info: Info, organization_id: OrganizationId = None) -> list[InvitationType] | None:
        """As above."""
        command = of_organization(commands.ListInvitations, info.context, organization_id)
        return shown(await people.list_invitations(info.context.operation, command))

    @strawberry.field(
        description="The browsers that are signed in for an organisation whose manager you are: the latest 500."
    )
    async def sessions(self, info: Info, organization_id: OrganizationId = None) -> list[BrowserSessionType] | None:
        """Of its members and of its keys."""
        command = of_organization(commands.ListSessions, info.context, organization_id)
        return shown(await people.list_sessions(info.context.operation, command))


@strawberry.type(description="The invitation was made.")
class InvitationCreated(ShownOnce, Success):
    """Success of `createInvitation`."""

    shows = "invitation"
    tells = ("link", "link")
    invitation: InvitationType = strawberry.field(description="The new invitation, without its link.")
    link: str | None = strawberry.field(
        description=(
            "The link to pass on: whoever opens it first becomes the member. It is shown here and never again: only a"
            " digest is stored. Null where it was sent by e-mail, and on a dry run."
        )
    )


MUTATIONS = [
    Mutation(
        operation=people.create_invitation,
        asks="Who is invited, and to what.",
        defaults={"organization_id": own_organization},
        success=InvitationCreated,
        words=Wording(
            "Invites somebody by a link that works once and for seven days, in the place of an open one of the same"
            " address. Takes a manager of the organisation.",
            "The invitation.",
        ),
    ),
    Mutation(
        operation=people.revoke_invitation,
        asks="Which invitation to take back.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "InvitationRevoked",
            "The link of the invitation is refused from now on.",
            "revoked",
            InvitationType,
            "The invitation as it was.",
        ),
        words=Wording("Takes an invitation back. Takes a manager of the organisation.", "Which invitation."),
    ),
    Mutation(
        operation=people.patch_member,
        asks="Which member, and what the person may do from now on.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "MemberPatched", "The member has that role.", "member", MemberType, "The member after the change."
        ),
        words=Wording(
            "Changes what another member may do. Takes a manager of the organisation.", "Which member, and the role."
        ),
    ),
    Mutation(
        operation=people.remove_member,
        asks="Whose membership to end.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "MemberRemoved",
            "The person belongs to the organisation no longer; sessions and `csu` keys have no rights there.",
            "removed",
            MemberType,
            "The member as it was.",
        ),
        words=Wording(
            "Ends another's membership, with the sessions and the open invitation of the person there. Takes a manager"
            " of the organisation.",
            "Which member.",
        ),
    ),
    Mutation(
        operation=people.end_session,
        asks="Which browser to sign out.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "SessionEnded", "The browser is signed out.", "ended", BrowserSessionType, "The session as it was."
        ),
        words=Wording("Signs a browser out. Takes a manager of the organisation.", "Which session."),
    ),
]
