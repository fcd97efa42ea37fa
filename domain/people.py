"""Who belongs to an organisation, who is invited, and whose browsers are signed in: additions to the Account API."""

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, NamedTuple

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from domain.email_address import MAX_LENGTH, PATTERN, is_email
from domain.members import given, given_to, kept
from domain.record_commands import PatchCommand, RecordCommand, changes
from domain.records import Id, Record
from domain.short_id import ShortId, ShortIdField
from domain.validation import Command, Text50, Text255
from domain.vocabulary import Role

MAX_PEOPLE = 500
"""How many members and open invitations an organisation may have before managers can invite no more."""

INVITATION_LIFE = timedelta(days=7)


def _email(text: str) -> str:
    if not is_email(text):
        raise PydanticCustomError("email", "Input should be one e-mail address, such as ann@example.org")
    return text.lower()


Email = Annotated[str, Field(max_length=MAX_LENGTH, json_schema_extra={"pattern": PATTERN}), AfterValidator(_email)]
"""An e-mail address, made lower case: whoever writes it otherwise is the same person."""

_WORDS_OF_ROLE = "What it permits there: `readonly` reads, `editor` writes too, `manager` manages keys and people too"


class Member(Record, frozen=True):
    """Somebody's membership in an organisation."""

    user_id: Annotated[ShortId, kept("The id of the person")]
    organization_id: Annotated[ShortId, kept("The id of the organisation")]
    email: Annotated[Email, kept("The person's address, in lower case", example="ann@example.org")]
    role: Annotated[Role, given(_WORDS_OF_ROLE, example="editor")]
    created_at: Annotated[datetime, kept("When the person became a member", example="2026-03-31T12:00:00+00:00")]


class Invitation(Record, frozen=True):
    """A link by which somebody may become a member, without the link, of which only a digest is stored."""

    id: Id
    organization_id: Annotated[ShortId, kept("The id of the organisation")]
    email: Annotated[
        Email, given("Who is invited: an address, kept in lower case", example="bob@example.org", patchable=False)
    ]
    role: Annotated[Role, given(_WORDS_OF_ROLE, example="editor", default=Role.READONLY, patchable=False)]
    created_at: Annotated[datetime, kept("When it was made", example="2026-03-31T12:00:00+00:00")]
    expires_at: Annotated[datetime, kept("From when on it is refused", example="2026-04-07T12:00:00+00:00")]


class NewInvitation(Record, frozen=True):
    """An invitation that was just made.

    `link` is stored nowhere, so that it cannot be shown again; None where it was sent to the person.
    """

    entry: Invitation
    link: str | None


class BrowserSession(Record, frozen=True):
    """A browser that is signed in, for a membership or for an API key of the organisation."""

    id: Id
    organization_id: Annotated[ShortId, kept("The id of the organisation")]
    email: Annotated[
        Email | None, kept("Who is signed in: the member's address", none="for a key", example="ann@example.org")
    ]
    api_key_id: Annotated[ShortId | None, kept("The id of the key that it stands for", none="for a member")]
    created_at: Annotated[datetime, kept("When it began", example="2026-03-31T12:00:00+00:00")]
    expires_at: Annotated[datetime, kept("When it ends at the latest", example="2026-04-01T00:00:00+00:00")]
    last_used: Annotated[
        datetime | None,
        kept(
            "When it was last used, some seconds late and to the second",
            none="when it never was",
            example="2026-03-31T13:00:00+00:00",
        ),
    ] = None
    browser: Annotated[
        Text255,
        kept(
            "What the browser called itself as it signed in, its `User-Agent`",
            none="when it said nothing",
            example="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ),
    ] = ""
    address: Annotated[
        Text50,
        kept("The network address from which it signed in", none="when that is not known", example="192.0.2.7"),
    ] = ""
    is_current: Annotated[bool, kept("Whether it is the one that asks", example=False)] = False


class SignedInFrom(NamedTuple):
    """Where a browser signs in, as far as it is told."""

    browser: str = ""
    address: str = ""


NOWHERE = SignedInFrom()

Within = Annotated[ShortIdField, Field(description="The organisation; the one that you act for if left out.")]


class ListMembers(Command):
    """The members of an organisation."""

    organization_id: ShortIdField


class ListInvitations(Command):
    """The invitations of an organisation that are still open."""

    organization_id: ShortIdField


class ListSessions(Command):
    """The browsers that are signed in for an organisation."""

    organization_id: ShortIdField


@changes(Member)
class PatchMember(PatchCommand):
    """Change what a member may do."""

    organization_id: Within
    user_id: Annotated[ShortIdField, Field(description="The id of the person.")]


class RemoveMember(Command):
    """End a membership, with the browser sessions and invitations of the person there."""

    organization_id: Within
    user_id: Annotated[ShortIdField, Field(description="The id of the person.")]


class CreateInvitation(RecordCommand):
    """Invite somebody. An invitation of the same address that is open already is replaced."""

    given: ClassVar = {member.name: member for member in given_to(Invitation)}

    organization_id: Within
    email: Email
    role: Role = Role.READONLY


class RevokeInvitation(Command):
    """Take an invitation back."""

    organization_id: Within
    invitation_id: Annotated[ShortIdField, Field(description="The id of the invitation.")]


class EndSession(Command):
    """Sign a browser out."""

    organization_id: Within
    session_id: Annotated[ShortIdField, Field(description="The id of the session.")]
