"""What is answered, as documented objects: which members of the records, and what is shown besides."""

from datetime import date, datetime
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from domain.account import ApiKey, NewApiKey, WhoAmI
from domain.acknowledgements import Acknowledgement
from domain.calendars import Calendar, NewCalendar
from domain.certificates import HALTING, JUDGING, PreviousCertificate, stands
from domain.changes import Change
from domain.digests import MailDigest
from domain.filter_input import MAX_DAYS
from domain.history import PastChange, Verification
from domain.importing import Import, ImportedRow, ImportedRows
from domain.lead_times import MOST as MOST_LEAD_TIMES
from domain.lead_times import USUAL, LeadTimes
from domain.members import members_of
from domain.people import BrowserSession, Invitation, Member, NewInvitation
from domain.public_proof import PublicProof
from domain.records import (
    Certification,
    CertificationAssignment,
    CertificationBody,
    CertifiedProduct,
    Claim,
    ClaimAssignment,
    Organization,
    Product,
)
from domain.renewal import follows
from domain.validation import MAX_VIOLATIONS
from domain.validity import is_held, status_in_contract
from domain.views import SavedView, problem_of
from domain.vocabulary import Standing
from domain.webhooks import MAX_TYPES, Delivery, NewWebhook, Webhook
from rest_compat.documented import MAX_INTEGER, SID, Follows, OutputMember, moment, output, read, told

T = TypeVar("T")

DAY = 86_400

CERTIFICATION_BODY = output(
    CertificationBody,
    "CertificationBodyOut",
    "An organisation that certifies, owns a mark or runs a public scheme.",
    required=["id", "name"],
    hidden=["code", "country", "kind"],
)

CERTIFICATION = output(
    Certification,
    "CertificationOut",
    "The definition of a certification: global, or private to the organisation that asks.",
    required=["id", "label"],
    optional=[
        "code",
        "description",
        "url",
        "logo_url",
        told(
            "certification_body_name",
            Annotated[str, Meta(max_length=255)] | None,
            "The name of the body behind it; null when none is recorded.",
            lambda record, _: record.body.name if record.body else None,
            default=None,
            example="USDA",
        ),
    ],
)

CLAIM = output(
    Claim,
    "ClaimOut",
    "The definition of a claim.",
    required=["id", "code", "label", "category", "requires_definition"],
)

_ID_OF_DEFINITION = (
    "The id of the definition, not of the assignment: with the GTIN it addresses the assignment, alone it leads to the"
    " definition."
)
_STATUS = (
    "How far the certificate was confirmed against its issuer's registry; `expired`, too, while it is suspended or"
    " withdrawn."
)

CERTIFICATION_ASSIGNMENT = output(
    CertificationAssignment,
    "CertificationAssignmentOut",
    "A certification that a product holds: the definition's own members, and the certificate's.",
    required=[
        read(CertificationAssignment, "certification.id", words=_ID_OF_DEFINITION),
        "certification.label",
        told(
            "is_active",
            bool,
            "Whether today (UTC) lies between `valid_from` and `expiration_date`, an unknown bound being open, and the"
            " certificate is neither suspended nor withdrawn; while one that it renews still holds, before its own"
            " first day, too. Computed for each answer, so do not keep it.",
            Follows(is_held, ("valid_from", "expiration_date", *JUDGING), on_day=True),
        ),
    ],
    optional=[
        "metadata",
        *(f"certification.{name}" for name in ("code", "description", "url", "logo_url")),
        *("valid_from", "expiration_date", "certificate_number", "issuing_body", "expiry_date", "verification_url"),
        read(CertificationAssignment, "verification_status", words=_STATUS)._replace(
            value=Follows(status_in_contract, ("verification_status", "halted_days"), on_day=True)
        ),
        *("scope", "certification_value", "audit_date", "initial_certification_date", "certificate_countries"),
    ],
    hidden=["id", *HALTING],
)

_GAPS = Annotated[int, Meta(ge=0, le=MAX_INTEGER)] | None

CERTIFICATION_STANDING = output(
    CertificationAssignment,
    "CertificationStandingOut",
    "How the certificate that a product holds stands today (UTC), and what is said of that. Not in the documented API.",
    required=[
        read(CertificationAssignment, "certification.id", words=_ID_OF_DEFINITION),
        "certification.label",
        told(
            "standing",
            Standing,
            "How it stands: `not_yet`, `current`, `lapsed`, `suspended` or `withdrawn`.",
            lambda record, now: stands(record, now.date()),
            example="current",
        ),
        told(
            "is_active",
            bool,
            "As of the certification of the product.",
            Follows(is_held, ("valid_from", "expiration_date", *JUDGING), on_day=True),
        ),
        told(
            "lapses_on",
            date | None,
            "The last day on which it holds: the earliest of `expiration_date`, `expiry_date` and the day before"
            " `withdrawn_on`; null when none is known.",
            "lapses_on",
            example="2027-12-31",
        ),
        *HALTING,
    ],
    hidden=[name for name in members_of(CertificationAssignment) if name not in HALTING],
)

PREVIOUS_CERTIFICATE = output(
    PreviousCertificate,
    "PreviousCertificateOut",
    "A certificate that a renewal replaced, and how the next one followed it. Not in the documented API.",
    required=[
        "number",
        told(
            "standing",
            Standing,
            "How it would stand today: it can still be `current` where the next one has begun early.",
            lambda record, now: stands(record, now.date()),
            example="lapsed",
        ),
        told("lapses_on", date | None, "The last day on which it held.", "lapses_on", example="2025-12-31"),
        moment(PreviousCertificate, "replaced_at"),
    ],
    hidden=["certification_id"],
)

CERTIFICATION_RENEWED = output(
    Change,
    "CertificationRenewedOut",
    "A certification with its new certificate, and how that follows the one before. Not in the documented API.",
    required=[
        told(
            "certification",
            CERTIFICATION_ASSIGNMENT.struct,
            "The certification as the product holds it now.",
            lambda change, now: CERTIFICATION_ASSIGNMENT.show(change.after, now),
        ),
        told(
            "gap_days",
            _GAPS,
            "How many days lie between the two, on which neither holds; null where a day is missing that would tell,"
            " and where nothing was renewed.",
            lambda change, _: follows(change).gap_days,
            example=0,
        ),
        told(
            "overlap_days",
            _GAPS,
            "On how many days both hold; null as of `gap_days`.",
            lambda change, _: follows(change).overlap_days,
            example=0,
        ),
        told(
            "goes_back",
            bool,
            "Whether the new one begins or ends before the one that it replaces.",
            lambda change, _: follows(change).goes_back,
            example=False,
        ),
    ],
)

CLAIM_ASSIGNMENT = output(
    ClaimAssignment,
    "ClaimAssignmentOut",
    "A claim that a product makes. Evidence is taken in, but never shown.",
    required=[
        read(ClaimAssignment, "claim.id", words=_ID_OF_DEFINITION),
        "claim.label",
        "claim.code",
        "claim.category",
        "source",
    ],
    hidden=["id", "evidence_url", "evidence_note"],
)

CERTIFIED_PRODUCT = output(
    CertifiedProduct,
    "CertifiedProductOut",
    "A product with what it is certified for and what it claims.",
    required=[
        "product.gtin",
        "product.name",
        "product.brand",
        told(
            "certifications",
            list[CERTIFICATION_ASSIGNMENT.struct],  # type: ignore[name-defined]
            "The certifications it holds, by label.",
            lambda found, now: [CERTIFICATION_ASSIGNMENT.show(item, now) for item in found.certifications],
        ),
        told(
            "claims",
            list[CLAIM_ASSIGNMENT.struct],  # type: ignore[name-defined]
            "The claims it makes, by label.",
            lambda found, now: [CLAIM_ASSIGNMENT.show(item, now) for item in found.claims],
        ),
    ],
)


def _not_recorded(name: str, words: str, kind: type = float) -> OutputMember:
    return told(name, kind | None, f"{words}: not recorded here, so null.", None, None)


def _size(name: str, words: str) -> list[OutputMember]:
    unit = _not_recorded(f"{name}_uom", f"The unit of the {name.replace('_', ' ')}", str)
    return [_not_recorded(name, words), unit]


_MOMENT = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


def _archived_at(record: Product, _: datetime) -> str | UnsetType:
    return UNSET if record.archived_at is None else record.archived_at.isoformat(timespec="seconds")


PRODUCT = output(
    Product,
    "ProductOut",
    "A product under its GTIN. What it is certified for and what it claims are lists of their own.",
    required=[
        "id",
        "gtin",
        "name",
        told("is_claimed", bool, "Whether an organisation owns it; here every product has an owner.", lambda *_: True),
        "data_source",
    ],
    optional=[
        _not_recorded("confidence_score", "How sure the source is, 0 to 1"),
        told(
            "field_confidence",
            dict[str, float],
            "How sure the source is of each member: not recorded, so empty.",
            None,
            default={},
        ),
        *("metadata", "brand", "manufacturer", "description", "image_url", "country_of_origin", "net_content"),
        _not_recorded("net_content_value", "The number in the net content"),
        _not_recorded("net_content_uom", "The unit of the net content", str),
        told("owner_id", SID | None, "The id of the organisation that owns it.", "organization_id", default=None),
        told(
            "archived_at",
            _MOMENT | UnsetType,
            "When it was archived: it is in no list, and nothing of it can be changed. Left out while it is not.",
            _archived_at,
            UNSET,
            "2026-03-31T12:00:00+00:00",
        ),
        told(
            "claim_verification_status",
            Literal["unverified"],
            "How far the ownership was confirmed: `unverified`, since the operator vouches for it.",
            None,
            default="unverified",
        ),
        *(member for name in ("length", "width", "height", "depth") for member in _size(name, f"Its {name}")),
        *_size("gross_weight", "Its weight with packaging"),
        *_size("net_weight", "Its weight without packaging"),
        *(
            _not_recorded(f"gpc_{level}_code", f"Its GPC {level}", str)
            for level in ("brick", "class", "family", "segment")
        ),
    ],
    hidden=["ingredients"],
)


def _counted(group: str, name: str, words: str) -> OutputMember:
    return told(name, _COUNT, words, lambda found, _: found.counts.get(group, {}).get(name, 0), 0, 12)


def _counts(name: str, words: str) -> OutputMember:
    return told(name, dict[str, _COUNT], words, lambda found, _: found.counts.get(name, {}), {})


def _of_columns(name: str, words: str) -> OutputMember:
    return told(name, dict[str, Annotated[str, Meta(max_length=255)]], words, name, {}, {"EAN": "gtin"})


_COUNT = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]

IMPORT = output(
    Import,
    "ImportOut",
    "A file that is put in, or was.",
    required=["id", "name", "state"],
    optional=[
        read(Import, "position", name="rows")._replace(default=0),
        read(Import, "percent")._replace(default=0),
        told(
            "remaining_seconds",
            _COUNT | None,
            "How long it may still take; null while that cannot be told, and at its end.",
            lambda found, now: found.remaining_seconds(now),
            None,
            40,
        ),
        *(
            _counted("rows", name, words)
            for name, words in (
                ("made", "How many rows made something."),
                ("changed", "How many rows changed something and made nothing."),
                ("left", "How many rows said what is there already."),
                ("refused", "How many rows were refused."),
            )
        ),
        _counts("things", "How many things became what, such as `certification made`."),
        _counts("refusals", "Why rows were refused, by kind."),
        _counts("notes", "What was mended or passed over in cells, by column and kind."),
        _of_columns("columns", "What each of its columns was taken for."),
        _of_columns("map", "What columns were said to be, where that is not found out."),
        read(Import, "map_of"),
        read(Import, "policy"),
        read(Import, "existing"),
        read(Import, "dry_run"),
        read(Import, "error"),
        moment(Import, "created_at"),
        moment(Import, "updated_at"),
        moment(Import, "finished_at"),
    ],
    hidden=["counts"],
)

_IMPORTED_ROW = output(
    ImportedRow,
    "ImportedRowOut",
    "What became of a row, or of one thing or member in it.",
    required=list(ImportedRow.__struct_fields__),
)

IMPORTED_ROWS = output(
    ImportedRows,
    "ImportedRowsOut",
    "What became of some rows of an import.",
    required=[
        told(
            "rows",
            Annotated[list[_IMPORTED_ROW.struct], Meta(max_length=200)],  # type: ignore[name-defined]
            "What became of them, in their order.",
            lambda found, now: [_IMPORTED_ROW.show(item, now) for item in found.rows],
        ),
        told(
            "next",
            Annotated[int, Meta(ge=0, le=2**53)] | None,
            "What to send as `after` for those behind them; null where there are none so far.",
            "next",
        ),
    ],
)

_CREATED = moment(ApiKey, "created_at", name="created")

API_KEY = output(
    ApiKey,
    "ApiKeyOut",
    "An API key as a list shows it: everything but the key.",
    required=["id", "name", "role", _CREATED],
    optional=[
        "metadata",
        "description",
        "kind",
        told(
            "is_active",
            bool,
            "Whether it is accepted: false once it has expired.",
            lambda key, now: key.expires_at is None or key.expires_at > now,
            default=True,
        ),
        moment(ApiKey, "expires_at"),
        moment(ApiKey, "last_used"),
        read(ApiKey, "rate_limit_per_minute")._replace(default=0),
        read(ApiKey, "rate_limit_per_day")._replace(default=0),
    ],
    hidden=["user_id"],
)

API_KEY_CREATED = output(
    NewApiKey,
    "ApiKeyCreatedOut",
    "A key that was just made.",
    required=[
        "entry.id",
        "entry.name",
        "entry.role",
        moment(NewApiKey, "entry.created_at", name="created"),
        told(
            "key",
            Annotated[str, Meta(max_length=45, pattern="^(csb|csu|cpk)_[A-Za-z0-9]{32}_[0-9a-f]{8}$")],
            "The key itself. It is shown here and never again: only its digest is stored.",
            "secret",
            example="csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_84041098",
        ),
    ],
    optional=["entry.metadata", "entry.description"],
)

ACKNOWLEDGEMENT = output(
    Acknowledgement,
    "AcknowledgementOut",
    "That somebody has taken on that something lapses.",
    required=["until", "reason", "by", "lapses_on", moment(Acknowledgement, "created_at")],
    hidden=["id", "gtin"],
)

MEMBER = output(
    Member, "MemberOut", "Somebody's membership.", required=["user_id", "email", "role", moment(Member, "created_at")]
)

INVITATION = output(
    Invitation,
    "InvitationOut",
    "An invitation that is open, without its link.",
    required=["id", "email", "role", moment(Invitation, "created_at"), moment(Invitation, "expires_at")],
)

INVITATION_CREATED = output(
    NewInvitation,
    "InvitationCreatedOut",
    "An invitation that was just made.",
    required=[
        "entry.id",
        "entry.email",
        "entry.role",
        moment(NewInvitation, "entry.created_at"),
        moment(NewInvitation, "entry.expires_at"),
        told(
            "link",
            Annotated[str, Meta(max_length=2000)] | None,
            "The link to pass on: whoever opens it first becomes the member. It is shown here and never again: only a"
            " digest is stored. Null where it was sent by e-mail.",
            "link",
            example="https://certgate.example.org/invitation?token=6PDBXzTCeuXjWLCR5mBZkWx1xVzHq0oYdmqbTqCkPUQ",
        ),
    ],
)

SAVED_VIEW = output(
    SavedView,
    "SavedViewOut",
    "A list of an organisation under a name.",
    required=[
        *("id", "name", "kind", "where", "ordering"),
        moment(SavedView, "created_at"),
        moment(SavedView, "updated_at"),
        told(
            "problem",
            Annotated[str, Meta(max_length=2000)] | None,
            "Why its list cannot be shown any more; null while it can be.",
            lambda view, now: problem_of(view, now.date()),
            example="Validation error. ordering: Input should be one of gtin, name, brand, updated_at.",
        ),
    ],
)


_Value = str | bool | _COUNT | Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=300)]
"""A text, as days and moments are; whether a claim needs a definition; a limit of a key; countries, or types."""


class FieldChangeOut(Struct, gc=False):
    """One member that was changed, or one key of the metadata."""

    path: Annotated[
        list[Annotated[str, Meta(max_length=40)]],
        Meta(description="The way to it in what was changed.", max_length=2, examples=[["scope"]]),
    ]
    before: Annotated[_Value | None, Meta(description="What it was; null when there was nothing.", examples=["Crop"])]
    after: Annotated[
        _Value | None,
        Meta(description="What it became; null when there is nothing any more.", examples=["Product"]),
    ]


PAST_CHANGE = output(
    PastChange,
    "PastChangeOut",
    "One change of something, as the log of changes tells of it.",
    required=[
        told(
            "seq",
            Annotated[int, Meta(ge=1, le=2**53 - 1)],
            "Its number in the log: `below` takes it, to go on behind it.",
            "seq",
            example=812,
        ),
        moment(PastChange, "at"),
        *("day", "kind", "object_id", "definition_id", "code", "name", "gtin"),
        *("operation", "actor", "face", "request_id"),
        told(
            "changes",
            Annotated[list[FieldChangeOut], Meta(max_length=200)],
            "What became of each member, as far as it changed; what was made or removed has all that is not empty.",
            lambda past, _: [FieldChangeOut(list(each.path), each.before, each.after) for each in past.changes],
        ),
    ],
)

VERIFICATION = output(
    Verification,
    "VerificationOut",
    "What was found where a part of the log of changes was looked at, and the tables beside it.",
    required=["is_whole", "next", "kind", "object_id", "gtin", "why"],
)

CALENDAR = output(
    Calendar,
    "CalendarOut",
    "A calendar of a saved view, without its address.",
    required=["id", "view_id", moment(Calendar, "created_at")],
)

CALENDAR_CREATED = output(
    NewCalendar,
    "CalendarCreatedOut",
    "A calendar that was just made.",
    required=[
        "entry.id",
        "entry.view_id",
        moment(NewCalendar, "entry.created_at"),
        told(
            "url",
            Annotated[str, Meta(max_length=2000)],
            "The address to subscribe to: whoever knows it reads the calendar. It is shown here and never again: only a"
            " digest is stored.",
            "url",
            example="https://certgate.example.org/calendar.ics?token=6PDBXzTCeuXjWLCR5mBZkWx1xVzHq0oYdmqbTqCkPUQ",
        ),
    ],
)


def _types(way: str) -> OutputMember:
    """Which changes are sent, as `Webhook` says it."""
    kind = Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=MAX_TYPES)]
    said = members_of(Webhook)["types"]
    return told("types", kind, said.for_readers(), way, example=said.said.example)


WEBHOOK = output(
    Webhook,
    "WebhookOut",
    "An address to which changes are sent, without the secret by which they are signed.",
    required=[
        *("id", "url", "description", "view_id"),
        _types("types"),
        "is_enabled",
        moment(Webhook, "failing_since"),
        "problem",
        moment(Webhook, "tested_at"),
        moment(Webhook, "replayed_at"),
        moment(Webhook, "created_at"),
        moment(Webhook, "updated_at"),
    ],
)

WEBHOOK_CREATED = output(
    NewWebhook,
    "WebhookCreatedOut",
    "A webhook with a secret that was just made.",
    required=[
        "entry.id",
        "entry.url",
        told(
            "secret",
            Annotated[str, Meta(max_length=70, pattern="^whsec_[A-Za-z0-9+/]+={0,2}$")],
            "The secret by which what is sent is signed, as Standard Webhooks has it. It is shown here and never"
            " again.",
            "secret",
            example="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
        ),
    ],
)

WEBHOOK_DELIVERY = output(
    Delivery,
    "WebhookDeliveryOut",
    "One try to deliver something to a webhook.",
    required=[moment(Delivery, "at"), "event_id", "type", "attempt", "status", "milliseconds", "answer"],
)

LEAD_TIMES = output(
    LeadTimes,
    "LeadTimesOut",
    "How early an organisation wants to hear that something lapses.",
    required=[
        "certification_id",
        told(
            "days",
            Annotated[list[Annotated[int, Meta(ge=1, le=MAX_DAYS)]], Meta(max_length=MOST_LEAD_TIMES)],
            "How many days before, the longest first.",
            "days",
            example=USUAL,
        ),
    ],
)

PUBLIC_PROOF = output(
    PublicProof,
    "PublicProofOut",
    "Whether anybody is shown what the products of an organisation hold and claim.",
    required=["organization_id", "is_enabled"],
)

DIGEST = output(
    MailDigest,
    "DigestOut",
    "How often a member is told by mail of what is new and what lapses.",
    required=["user_id", "period", moment(MailDigest, "due_at"), "problem"],
)

SESSION = output(
    BrowserSession,
    "SessionOut",
    "A browser that is signed in, for a member or for an API key.",
    required=["id", "email", "api_key_id", moment(BrowserSession, "created_at"), moment(BrowserSession, "expires_at")],
    optional=[moment(BrowserSession, "last_used"), "browser", "address", "is_current"],
)

_OWN_ORGANIZATION = output(
    Organization, "OwnOrganizationOut", "An organisation that the caller acts for.", required=["id", "name"]
)

_OWN_API_KEY = output(
    ApiKey,
    "OwnApiKeyOut",
    "The key that asks.",
    required=["id", "role", "description", _CREATED],
    optional=["metadata"],
    hidden=["user_id", "name", "kind", "expires_at", "last_used", "rate_limit_per_minute", "rate_limit_per_day"],
)

WHOAMI = output(
    WhoAmI,
    "WhoAmIOut",
    "Who is asking.",
    required=[
        told(
            "user_id",
            SID | None,
            "The user behind a `csu` key; null for keys that stand for nobody.",
            lambda who, _: who.user.id if who.user else None,
        ),
        told(
            "email",
            Annotated[str, Meta(max_length=254)] | None,
            "The user's address.",
            lambda who, _: who.user.email if who.user else None,
            example="ann@example.org",
        ),
        told(
            "organizations",
            list[_OWN_ORGANIZATION.struct],  # type: ignore[name-defined]
            "The organisations that the caller acts for; the main one first.",
            lambda who, now: [_OWN_ORGANIZATION.show(item, now) for item in who.organizations],
        ),
    ],
    optional=[
        read(ApiKey, "metadata")._replace(value=lambda who, _: who.user.metadata if who.user else {}),
        told(
            "api_key",
            _OWN_API_KEY.struct | None,
            "The key that asks; null for a signed-in browser and for a token.",
            lambda who, now: _OWN_API_KEY.show(who.api_key, now) if who.api_key else None,
            default=None,
        ),
    ],
)


_PAGES = Meta(ge=0, le=MAX_INTEGER)


class Pagination(Struct, gc=False):
    """Where a page stands in its list."""

    page: Annotated[int, Meta(description="The number of this page, from 1.", ge=1, le=MAX_INTEGER, examples=[1])]
    page_size: Annotated[int, Meta(description="How many items a full page has.", ge=1, le=100, examples=[25])]
    total_count: Annotated[int, _PAGES, Meta(description="How many items there are on all pages.", examples=[342])]
    total_pages: Annotated[int, _PAGES, Meta(description="How many pages there are.", examples=[14])]
    has_next: Annotated[bool, Meta(description="Whether a page follows.", examples=[True])]
    has_previous: Annotated[bool, Meta(description="Whether a page comes before.", examples=[False])]


class PageOut(Struct, Generic[T]):
    """One page of a list. A page beyond the end has no items."""

    data: Annotated[list[T], Meta(max_length=100)]
    pagination: Pagination


class FeedOut(Struct, Generic[T]):
    """What there is behind a cursor. Where there is nothing yet it has no items."""

    data: Annotated[list[T], Meta(max_length=100, description="The items, the earliest first.")]
    next: Annotated[
        str,
        Meta(
            max_length=100,
            description="What `since` takes to go on behind these: opaque, and never invalid.",
            examples=["rLvEF3DsyHUBWyJjaGFuZ2VzIHBvc2l0aW9uIixbMF1d"],
        ),
    ]


class DetailOut(Struct, gc=False):
    """One thing that is wrong with what was sent."""

    loc: Annotated[
        list[Annotated[str, Meta(max_length=60)] | Annotated[int, Meta(ge=0, le=MAX_INTEGER)]],
        Meta(
            description="The way to the member: `path`, `query` or `body`, then names and indexes.",
            examples=[["body", "name"]],
        ),
    ]
    msg: Annotated[str, Meta(description="What it should be.", examples=["Field required"])]
    type: Annotated[str, Meta(description="The machine name of the rule that it breaks.", examples=["missing"])]


_Wait = Annotated[int, Meta(ge=0, le=DAY)] | UnsetType | None


class ErrorOut(Struct, kw_only=True):
    """A refusal, as problem details of RFC 9457. Members with nothing to say are left out."""

    type: Annotated[str, Meta(description="A URI for the kind of problem; it ends with the error code.")]
    title: Annotated[str, Meta(description="The kind of problem in words.")]
    status: Annotated[int, Meta(description="The HTTP status.", ge=400, le=599)]
    detail: Annotated[
        str, Meta(description="What went wrong this time and how to mend it; for people, and may change.")
    ]
    error_code: Annotated[str, Meta(description="The kind of problem for programs, which should branch on it.")]
    retryable: Annotated[bool, Meta(description="Whether the same request can succeed later.")] = False
    timestamp: Annotated[str, Meta(description="When it happened: ISO 8601 with an offset.")]
    retry_after: Annotated[_Wait, Meta(description="How many seconds to wait before trying again.")] = UNSET
    retry_after_seconds: Annotated[_Wait, Meta(description="The same number under its older name.")] = UNSET
    owner_action_required: Annotated[
        bool | UnsetType | None,
        Meta(description="Whether an owner of the account has to act; not used by this gateway."),
    ] = UNSET
    details: Annotated[
        Annotated[list[DetailOut], Meta(max_length=MAX_VIOLATIONS)] | UnsetType | None,
        Meta(description="What is wrong, member by member, where the input is at fault."),
    ] = UNSET
