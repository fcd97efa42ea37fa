"""What the log of changes says besides what changed: of which object, by whom, and from where.

One row is written for each change, in the transaction of the change, and never changed or removed again.
"""

from datetime import date, datetime
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from domain.access import Caller
from domain.changes import FieldChange
from domain.gtin import Gtin, GtinField
from domain.members import kept
from domain.paging import Order, at
from domain.records import Record
from domain.short_id import ShortId, ShortIdField
from domain.validation import DIGITS, Command, Flag, Text50, Text255
from domain.vocabulary import Face, KeyKind, ObjectKind


class Actor(NamedTuple):
    """Who did something, by ids alone: names and addresses stand where they can be erased.

    `credential` is the kind of the API key, `member`, `token`, or `operator` for who works at the machine;
    `credential_id` the id of the key, or what tells a token's holder from others.
    """

    credential: str
    credential_id: str
    user_id: ShortId | None
    organization_id: ShortId | None
    """For which organisation."""


class Provenance(NamedTuple):
    """By whom and from where something is done."""

    actor: Actor
    face: str
    """The value of a `Face`."""
    request_id: str = ""


OPERATOR = Provenance(Actor("operator", "", None, None), Face.COMMAND_LINE.value)
"""Whoever works at the machine."""
CALENDAR = Provenance(Actor("calendar", "", None, None), Face.CALENDAR.value)
"""A day that came."""
DELIVERY = Provenance(Actor("delivery", "", None, None), Face.DELIVERY.value)
"""What sends to webhooks, and disables one to which nothing arrives."""


def actor_of(caller: Caller) -> Actor:
    """Whoever asks."""
    if caller.key_id is not None and caller.kind is not None:
        return Actor(caller.kind.value, caller.key_id, caller.user_id, caller.organization.id)
    if caller.kind is KeyKind.USER:
        return Actor("member", "", caller.user_id, caller.organization.id)
    kind = "operator" if caller.is_operator else "token"
    return Actor(kind, caller.holder, None, caller.organization.id)


class PastChange(Record, frozen=True):
    """One change of a product, or of something that it holds or claims, as the log tells of it."""

    seq: int
    """Its number in the log."""
    at: Annotated[
        datetime, kept("When; of one object never before an earlier change", example="2026-03-31T12:00:00+00:00")
    ]
    day: Annotated[date | None, kept("The day that brought it", none="for what somebody did", example="2026-03-31")]
    kind: Annotated[ObjectKind, kept("What was changed", example="claim_assignment")]
    object_id: Annotated[ShortId, kept("The id of what was changed, of a membership that of the person")]
    definition_id: Annotated[
        ShortId | None,
        kept("The id of the certification or claim that the product has, or had", none="for what is about none"),
    ]
    code: Annotated[
        Text50 | None,
        kept("Its code, or that of a definition that was changed", none="for what has none", example="VEGAN"),
    ]
    name: Annotated[
        Text255 | None,
        kept("Its label, or what else was changed is called", none="for what has no name", example="Vegan"),
    ]
    gtin: Annotated[
        Gtin | None, kept("The GTIN of the product", none="for what is of no product", example="00012345678905")
    ]
    organization_id: ShortId | None
    operation: Annotated[
        Text255,
        kept(
            "What was done: the name of the mutation",
            more="`becameActive`, `lapsing` and `lapsed` came with a day, `baseline` is what there was when the log"
            " began, and `loadDemo` comes of the demo.",
            example="assignClaim",
        ),
    ]
    face: Annotated[
        Face | None, kept("From where", none="for what somebody else did than your organisation", example="rest")
    ]
    actor: Annotated[
        Text255 | None,
        kept(
            "Who: the kind of the credential and its id, as in `csb:<id of the key>` or `member:<id of the person>`",
            none="for what somebody else did than your organisation",
            more="`operator` is who works at the machine, `calendar` a day that came, and `delivery` what sends to"
            " webhooks.",
            example="operator",
        ),
    ]
    request_id: Annotated[
        Text255 | None,
        kept("The id of the request, or of the import", none="where there was none, and as of `actor`", example="r-7"),
    ]
    changes: list[FieldChange]


ORDER = Order("history", (at("at", datetime), at("seq", int)), descending=True)
"""The latest change first."""


FEED = Order("changes", (at("position", int),), descending=False)
"""The order in which the log is sealed, in which nothing appears late."""


class Subject(NamedTuple):
    """Whose history: that of one object, or of a product with all that it holds and claims."""

    gtin: str
    object_id: ShortId | None
    """None for the product with all that it has, and had."""


OF_PRODUCTS = (ObjectKind.PRODUCT, ObjectKind.CERTIFICATION_ASSIGNMENT, ObjectKind.CLAIM_ASSIGNMENT)
"""Whose changes are told of with products."""
OF_ORGANIZATIONS = tuple(kind for kind in ObjectKind if kind not in OF_PRODUCTS)
"""Whose changes managers of an organisation see."""
DEFINITIONS = (ObjectKind.CERTIFICATION_BODY, ObjectKind.CERTIFICATION, ObjectKind.CLAIM)
"""Of these there are some that belong to no organisation."""

_Limit = Annotated[int, Field(ge=1, le=100, description="How many at most."), DIGITS]
_Below = Annotated[
    int | None,
    Field(ge=1, le=2**53 - 1, description="Only those before the change of that `seq`, of an earlier answer."),
    DIGITS,
]


def _of_organizations(kind: ObjectKind | None) -> ObjectKind | None:
    if kind in OF_PRODUCTS:
        raise PydanticCustomError(
            "kind_of_product", "Input should be no kind of products; `changes` and their own history tell of those"
        )
    return kind


class ListHistory(Command):
    """The changes of a product, the latest first."""

    gtin: GtinField
    whole: Annotated[
        Flag, Field(description="Whether also of what it holds and claims, and of what was taken off it.")
    ] = False
    limit: _Limit = 25
    below: _Below = None


class ListOrganizationHistory(Command):
    """The changes of what an organisation has besides products, and of the definitions, the latest first."""

    organization_id: ShortIdField
    kind: Annotated[
        ObjectKind | None,
        AfterValidator(_of_organizations),
        Field(description="Only those of what is of that kind; all but products and what they have if left out."),
    ] = None
    limit: _Limit = 25
    below: _Below = None


class Feed(NamedTuple):
    """Changes in the order in which the log is sealed, and what goes on behind them."""

    changes: list[PastChange]
    next: str
    """The cursor behind the last of them; without any the one that was asked for."""


class ListChanges(Command):
    """The changes of what the caller's organisations own, the earliest first."""

    since: Annotated[
        Text255 | None,
        Field(
            description="Only those behind this `next` of an earlier answer, which never becomes invalid; without it"
            " from the first one on."
        ),
    ] = None
    limit: _Limit = 25
    wait: Annotated[
        int,
        Field(ge=0, le=30, description="For how many seconds to wait for one where there is none yet."),
        DIGITS,
    ] = 0


class Verification(Record, frozen=True):
    """What was found where a part of the log of changes was looked at, and the tables beside it."""

    is_whole: Annotated[
        bool, kept("Whether each change is what was sealed, and what is stored is as the last change of it tells")
    ]
    next: Annotated[Text255 | None, kept("What to look on behind", none="at the end, and where it is not whole")]
    kind: Annotated[
        ObjectKind | None, kept("Of what the first change is that is not so", none="where all are", example="product")
    ]
    object_id: Annotated[
        ShortId | None, kept("The id of that, of a membership that of the person", none="for what others own")
    ]
    gtin: Annotated[
        Gtin | None,
        kept("The GTIN of its product", none="as of `object_id`, and without one", example="00012345678905"),
    ]
    why: Annotated[Text255 | None, kept("What is wrong", none="where nothing is", example="it is not what was sealed")]


VERIFIED = Order("verification", (at("position", int),), descending=False)
"""The order in which the log is looked at."""


class VerifyHistory(Command):
    """Looks at the next part of the log of changes: the chain, and whether the tables are as it tells."""

    organization_id: ShortIdField
    since: Annotated[
        Text255 | None,
        Field(description="The `next` of an earlier answer; without it from the first change on."),
    ] = None
