"""Users, organisations' API keys and what may be asked of them: the Account API (contract 1.5)."""

from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import field
from pydantic import Field

from domain.members import given, given_to, kept
from domain.metadata import Metadata, MetadataUpdate
from domain.record_commands import PatchCommand, RecordCommand, changes
from domain.records import Id, Organization, Record
from domain.short_id import ShortId, ShortIdField
from domain.validation import Command, Moment, Text255
from domain.vocabulary import KeyKind, Role


class User(Record, frozen=True):
    """A person. `email` is in lower case."""

    id: ShortId
    email: str
    metadata: dict[str, str]


class ApiKey(Record, frozen=True):
    """An API key without the key, of which only the digest is stored."""

    id: Id
    organization_id: Annotated[ShortId, kept("The id of the organisation that issued it")]
    kind: Annotated[
        KeyKind,
        given(
            "What kind of key it is, told by its prefix: `csb` for a server, `csu` for a person, `cpk` for a browser,"
            " which never writes and sees nothing private",
            example="csb",
            default=KeyKind.BUSINESS,
            patchable=False,
        ),
    ]
    role: Annotated[
        Role,
        given(
            "What it permits in its organisation: `readonly` reads, `editor` writes too, `manager` manages keys too",
            example="editor",
            default=Role.READONLY,
            patchable=False,
        ),
    ]
    name: Annotated[Text255, given("What it is called", example="The shop")]
    created_at: Annotated[datetime, kept("When it was made", example="2026-03-31T12:00:00+00:00")]
    user_id: Annotated[ShortId | None, kept("The id of who acts with a `csu` key", none="for the other kinds")] = None
    description: Annotated[
        Text255, given("What it is for, in free text", none="when not said", example="For the shop's pages.")
    ] = ""
    metadata: Metadata = field(default_factory=dict)
    expires_at: Annotated[
        datetime | None,
        given(
            "From when on it is refused",
            none="when it never is",
            rule="a moment with its offset; never if left out",
            example="2099-12-31T12:00:00+00:00",
            patchable=False,
        ),
    ] = None
    last_used: Annotated[
        datetime | None,
        kept(
            "When it was last used, some seconds late and to the second",
            none="when it never was",
            example="2027-03-31T12:00:00+00:00",
        ),
    ] = None
    rate_limit_per_minute: Annotated[int, kept("How many requests it may make in a minute; 0: as many as others")] = 0
    rate_limit_per_day: Annotated[int, kept("How many requests it may make in a day; 0: as many as others")] = 0


class NewApiKey(Record, frozen=True):
    """A key that was just made. `secret` is the key itself, stored nowhere: it cannot be shown again."""

    entry: ApiKey
    secret: str


class WhoAmI(Record, frozen=True):
    """Who asks: the user behind a csu key, the organisations, and the key itself unless a browser is signed in."""

    user: User | None
    organizations: list[Organization]
    api_key: ApiKey | None


class ListApiKeys(Command):
    """The keys of an organisation that are not revoked."""

    organization_id: ShortIdField


OfOrganization = Annotated[
    ShortIdField, Field(description="The organisation of the key; the one that you act for if left out.")
]
KeyId = Annotated[ShortIdField, Field(description="The id of the key, which is not the key itself.")]


class CreateApiKey(RecordCommand):
    """Make a key of an organisation. The least role is the default; `kind` and `expires_at` are additions of ours."""

    given: ClassVar = {member.name: member for member in given_to(ApiKey)}

    organization_id: OfOrganization
    name: Annotated[Text255, Field(min_length=1)]
    role: Role = Role.READONLY
    description: Text255 = ""
    metadata: MetadataUpdate | None = None
    kind: KeyKind = KeyKind.BUSINESS
    expires_at: Moment | None = None


@changes(ApiKey)
class PatchApiKey(PatchCommand):
    """Change what a key is called."""

    organization_id: OfOrganization
    key_id: KeyId


class RevokeApiKey(Command):
    """Revoke a key, with the browser sessions that stand for it."""

    organization_id: OfOrganization
    key_id: KeyId
