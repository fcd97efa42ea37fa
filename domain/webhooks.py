"""Webhooks: the changes of an organisation, sent to an address of its own as they are made."""

import re
from base64 import b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_bytes
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain import patch
from domain.members import given, given_to, kept
from domain.people import Within
from domain.record_commands import PatchCommand, RecordCommand, changes
from domain.records import Id, Record
from domain.short_id import ShortId, ShortIdField
from domain.validation import Command, Flag, Moment, Text, Text50, Text255, Text500
from domain.vocabulary import ObjectKind
from domain.web_address import PATTERN_OF_RECEIVER, why_not_a_web_address

MAX_WEBHOOKS = 20
"""How many webhooks an organisation may have."""

MAX_TYPES = 20
"""How many types a webhook may name."""

SECRET_BYTES = 32

BOTH_SIGN = timedelta(hours=24)
"""For how long the secret before signs, too."""

REMEMBERED = 100
"""How many tries to deliver a webhook's log has, the latest ones."""

PREFIX = "certgate."
"""What the types of events begin with."""

TEST = f"{PREFIX}test"
"""The type of what only tries a webhook."""

_KINDS = f"{ObjectKind.PRODUCT}|{ObjectKind.CERTIFICATION_ASSIGNMENT}|{ObjectKind.CLAIM_ASSIGNMENT}"
_host = re.compile("([^:]*:?/*[^/?]*)(.*)", re.DOTALL)
_type = re.compile(rf"(?:{_KINDS})(?:\.[A-Za-z_]+)?")


def _receiver(url: str) -> str:
    reason = why_not_a_web_address(url)
    if reason is None and "#" in url:
        reason = "Input should be a URL without a fragment; leave out what begins with '#'"
    if reason is not None:
        raise PydanticCustomError("url_parsing", "{reason}", {"reason": reason})
    return url


def _known(name: str) -> str:
    if not _type.fullmatch(name):
        kinds = _KINDS.replace("|", ", ")
        message = "Input should be one of {kinds}, with a point and an operation behind it or without"
        raise PydanticCustomError("type_of_change", message, {"kinds": kinds})
    return name


_Url = Annotated[
    Text,
    Field(min_length=1, max_length=2000),
    AfterValidator(_receiver),
    WithJsonSchema({"type": "string", "format": "iri", "maxLength": 2000, "pattern": PATTERN_OF_RECEIVER}),
]
_Type = Annotated[
    Text,
    Field(max_length=100),
    AfterValidator(_known),
    WithJsonSchema({"type": "string", "maxLength": 100, "pattern": rf"^({_KINDS})(\.[A-Za-z_]+)?$"}),
]
_Types = Annotated[list[_Type], Field(max_length=MAX_TYPES)]


class Webhook(Record, frozen=True):
    """An address to which changes are sent, without the secret that signs them."""

    id: Id
    organization_id: Annotated[ShortId, kept("The id of the organisation that it is of")]
    url: Annotated[
        _Url,
        given("Where changes are sent, by POST", rule="an https URL", example="https://hooks.example.org/certgate"),
    ]
    description: Annotated[Text255, given("What it is for", none="when not said", example="The shop")]
    view_id: Annotated[
        ShortId | None,
        given(
            "The id of the saved view of which changes are sent",
            none="for those of all products of the organisation",
            more="It ends with the view.",
            sent=ShortIdField,
            patchable=False,
        ),
    ]
    types: Annotated[
        _Types,
        given(
            "Which changes are sent: kinds of what is changed, or operations of a kind",
            none="for all",
            example=["claim_assignment", "certification_assignment.assignCertification"],
        ),
    ]
    is_enabled: Annotated[
        Flag, given("Whether anything is sent; what happens meanwhile is sent later", default=True, example=True)
    ]
    failing_since: Annotated[
        datetime | None,
        kept("Since when nothing arrives", none="while all does", example="2026-03-31T12:00:00+00:00"),
    ]
    problem: Annotated[
        Text255, kept("Why nothing arrives", none="while all does", example="The receiver answered 500.")
    ]
    tested_at: Annotated[
        datetime | None,
        kept("When its managers last had it tried", none="when they never have", example="2026-03-31T12:00:00+00:00"),
    ]
    replayed_at: Annotated[
        datetime | None,
        kept(
            "When its managers last had it go on from elsewhere",
            none="when they never have",
            example="2026-03-31T12:00:00+00:00",
        ),
    ]
    created_at: Annotated[datetime, kept("When it was made", example="2026-03-31T12:00:00+00:00")]
    updated_at: Annotated[datetime, kept("When its managers last changed it", example="2026-03-31T12:00:00+00:00")]

    def takes(self, kind: ObjectKind, operation: str) -> bool:
        """Whether changes of that type are sent."""
        return not self.types or kind in self.types or f"{kind}.{operation}" in self.types


class ToldWebhook(Record, frozen=True):
    """What the log of changes tells of a webhook: what its managers decide, and of its address no secret."""

    id: ShortId
    organization_id: ShortId
    receiver: str
    description: str
    view_id: ShortId | None
    types: list[str]
    is_enabled: bool
    created_at: datetime
    updated_at: datetime


def told(webhook: Webhook) -> ToldWebhook:
    """The same of a webhook. Many an address is a secret behind its host: it has a short digest of that."""
    host, behind = _host.fullmatch(webhook.url).groups()  # type: ignore[union-attr]
    receiver = host if behind in ("", "/") else f"{host} ({sha256(behind.encode()).hexdigest()[:8]})"
    shown = {name: getattr(webhook, name) for name in ToldWebhook.__struct_fields__ if name != "receiver"}
    return ToldWebhook(receiver=receiver, **shown)


class NewWebhook(Record, frozen=True):
    """A webhook with a secret that was just made. It is told this once."""

    entry: Webhook
    secret: str


class Delivery(Record, frozen=True):
    """One try to deliver something to a webhook."""

    at: Annotated[datetime, kept("When it was begun", example="2026-03-31T12:00:00+00:00")]
    event_id: Annotated[
        Text50,
        kept(
            "The id of the event, in each try the same: its `webhook-id`, and `id` in its body",
            example="evt_0c2ff6f1e6a94f2d9b3c1b7f",
        ),
    ]
    type: Annotated[Text255, kept("What happened", example="certgate.claim_assignment.assignClaim")]
    attempt: Annotated[int, kept("Which try of the event it was, from 1", example=1)]
    status: Annotated[int | None, kept("What was answered", none="when nothing was", example=204)]
    milliseconds: Annotated[int, kept("How long it took, in milliseconds", example=12)]
    answer: Annotated[
        Text500, kept("How the answer begins, or why there was none", none="when it was empty", example="OK")
    ]


WebhookId = Annotated[ShortIdField, Field(description="The id of the webhook.")]


class ListWebhooks(Command):
    """The webhooks of an organisation."""

    organization_id: ShortIdField


class ListDeliveries(Command):
    """The last tries to deliver something to a webhook."""

    organization_id: Within
    webhook_id: WebhookId


class CreateWebhook(RecordCommand):
    """Make a webhook."""

    given: ClassVar = {member.name: member for member in given_to(Webhook)}

    organization_id: Within
    url: _Url
    description: Text255 = ""
    view_id: ShortIdField | None = None
    types: _Types = Field(default_factory=list)
    is_enabled: Flag = True


@changes(Webhook, null=patch.UNCHANGED)
class PatchWebhook(PatchCommand):
    """Change a webhook, but not the view."""

    organization_id: Within
    webhook_id: WebhookId


class RemoveWebhook(Command):
    """End a webhook."""

    organization_id: Within
    webhook_id: WebhookId


class RotateWebhookSecret(Command):
    """Give a webhook another secret."""

    organization_id: Within
    webhook_id: WebhookId


class TestWebhook(Command):
    """Send a webhook something that only tries it."""

    organization_id: Within
    webhook_id: WebhookId


class ReplayWebhook(Command):
    """Send a webhook again what came behind a moment or a cursor, or leave out what waits before it."""

    organization_id: Within
    webhook_id: WebhookId
    since: Annotated[
        Text255 | None,
        Field(description="Go on behind this cursor: `next` of the feed of changes, or `cursor` of an event."),
    ] = None
    since_moment: Annotated[
        Moment | None,
        Field(
            description="Go on from this moment, and up to a minute before it.", examples=["2026-03-31T12:00:00+00:00"]
        ),
    ] = None


def new_secret() -> str:
    """A secret, as Standard Webhooks spells them."""
    return f"whsec_{b64encode(token_bytes(SECRET_BYTES)).decode()}"
