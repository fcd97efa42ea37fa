"""What is answered, as documented objects: the one place where an output's members, their order and limits are said.

The same structs render the answers and describe them in the OpenAPI document. Members without a default are the
`required` ones of the contract; in truth every member is always sent. msgspec does not judge what it writes, so the
limits here are promises that the input rules and the tables keep.
"""

from datetime import date
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType, field

from domain.countries import ALPHA2
from domain.short_id import PATTERN
from domain.validation import MAX_VIOLATIONS
from domain.vocabulary import ClaimCategory, ClaimSource, DataSource, VerificationStatus

T = TypeVar("T")

SID = Meta(
    min_length=22,
    max_length=22,
    pattern=PATTERN,
    description="The id: a UUID written in 22 characters of base 57. It never changes.",
    examples=["WmsG2qe2XXxacqiqo2MfnY"],
    extra_json_schema={"format": "shortuuid"},
)
ID_OF_DEFINITION = Meta(
    description="The id of the definition, not of the assignment: with the GTIN it addresses the assignment,"
    " alone it leads to the definition."
)
MAX_INTEGER = 2**31 - 1
"""What the columns hold, and what GraphQL's `Int` does."""
DAY = 86_400
Url = Annotated[str, Meta(max_length=2000)]
Metadata = dict[Annotated[str, Meta(min_length=1, max_length=40)], Annotated[str, Meta(max_length=500)]]
METADATA = Meta(
    max_length=50,
    description="Text that clients attached under keys of their own: up to 50 keys of 1 to 40 characters, values of up"
    " to 500. The gateway never acts on it. On products of other organisations it is empty.",
    examples=[{"order_id": "6735"}],
)
VALID_FROM = Meta(
    description="First day of validity; `null` when nobody recorded one, which counts as always.",
    examples=["2024-01-01"],
)
EXPIRATION_DATE = Meta(
    description="Last day of validity; `null` when there is no planned end.", examples=["2027-12-31"]
)
GTIN = Meta(
    description="Its GTIN in 14 digits.",
    min_length=14,
    max_length=14,
    pattern=r"^\d{14}$",
    examples=["00012345678905"],
)
LOGO = Meta(
    description="Absolute URL of the logo; `null` when there is none.", examples=["https://example.org/logo.svg"]
)


class Out(Struct, gc=False):
    """The base of the outputs."""


class CertificationBodyOut(Out, gc=False):
    """An organisation that certifies, owns a mark or runs a public scheme."""

    id: Annotated[str, SID]
    name: Annotated[str, Meta(description="Its name.", max_length=255, examples=["Fair Trade USA"])]
    website: Annotated[
        Url,
        Meta(
            description="Its site, an https URL; empty when unknown.", examples=["https://www.fairtradecertified.org"]
        ),
    ] = ""
    description: Annotated[str, Meta(description="What it does; may be empty.")] = ""
    logo_url: Annotated[Url | None, LOGO] = None


class CertificationOut(Out, gc=False):
    """The definition of a certification: global, or private to the organisation that asks."""

    id: Annotated[str, SID]
    label: Annotated[str, Meta(description="Its display name.", max_length=255, examples=["USDA Organic"])]
    code: Annotated[
        str,
        Meta(
            description="Its stable code; empty for a private definition without one.",
            max_length=50,
            examples=["USDA_ORGANIC"],
        ),
    ] = ""
    description: Annotated[str, Meta(description="What it stands for; may be empty.")] = ""
    url: Annotated[
        Url, Meta(description="Where it is explained; may be empty.", examples=["https://www.ams.usda.gov"])
    ] = ""
    logo_url: Annotated[Url | None, LOGO] = None
    certification_body_name: Annotated[
        Annotated[str, Meta(max_length=255)] | None,
        Meta(description="The name of the body behind it; `null` when none is recorded.", examples=["USDA"]),
    ] = None
    program: Annotated[str, Meta(description="The programme it belongs to; may be empty.", max_length=255)] = ""
    standard: Annotated[str, Meta(description="The standard it attests; may be empty.", max_length=255)] = ""


class ClaimOut(Out, gc=False):
    """The definition of a claim."""

    id: Annotated[str, SID]
    code: Annotated[str, Meta(description="Its stable code.", max_length=50, examples=["NON_GMO"])]
    label: Annotated[str, Meta(description="Its display name.", max_length=100, examples=["Non-GMO"])]
    category: Annotated[ClaimCategory, Meta(description="What it is about.", examples=["INGREDIENT_ABSENCE"])]
    requires_definition: Annotated[
        bool, Meta(description="Whether the brand has to say in its own words what it means by the claim.")
    ]
    description: Annotated[str, Meta(description="What it says; may be empty.")] = ""


class CertificationAssignmentOut(Out, gc=False):
    """A certification that a product holds: the definition's own members, and the certificate's."""

    id: Annotated[str, SID, ID_OF_DEFINITION]
    label: Annotated[
        str, Meta(description="The certification's display name.", max_length=255, examples=["USDA Organic"])
    ]
    is_active: Annotated[
        bool,
        Meta(
            description="Whether today (UTC) lies between `valid_from` and `expiration_date`, an unknown bound being"
            " open. Computed for each answer, so do not keep it."
        ),
    ]
    metadata: Annotated[Metadata, METADATA] = field(default_factory=dict)
    code: Annotated[
        str, Meta(description="The certification's code; may be empty.", max_length=50, examples=["USDA_ORGANIC"])
    ] = ""
    description: Annotated[str, Meta(description="What the certification stands for; may be empty.")] = ""
    url: Annotated[Url, Meta(description="Where the certification is explained; may be empty.")] = ""
    logo_url: Annotated[Url | None, LOGO] = None
    valid_from: Annotated[date | None, VALID_FROM] = None
    expiration_date: Annotated[date | None, EXPIRATION_DATE] = None
    certificate_number: Annotated[
        str,
        Meta(
            description="The certificate's number, as its issuer wrote it; empty when not recorded.",
            max_length=100,
            examples=["NOP-12345"],
        ),
    ] = ""
    issuing_body: Annotated[
        str,
        Meta(
            description="Who issued the certificate, in the brand's words: it may differ from the definition's body."
            " Empty when not recorded.",
            max_length=255,
            examples=["Oregon Tilth"],
        ),
    ] = ""
    expiry_date: Annotated[
        date | None,
        Meta(
            description="The expiry printed on the certificate, which may differ from the end of validity; `null` when"
            " not recorded.",
            examples=["2027-12-31"],
        ),
    ] = None
    verification_url: Annotated[
        Url, Meta(description="Where the certificate can be looked up in public; may be empty.")
    ] = ""
    verification_status: Annotated[
        VerificationStatus,
        Meta(description="How far the certificate was confirmed against its issuer's registry.", examples=["verified"]),
    ] = VerificationStatus.UNVERIFIED
    scope: Annotated[str, Meta(description="What the certificate covers; may be empty.", examples=["Product"])] = ""
    certification_value: Annotated[
        str,
        Meta(
            description="The result or level (GS1 `certificationValue`); empty when there are no levels.",
            max_length=255,
            examples=["Grade A"],
        ),
    ] = ""
    audit_date: Annotated[
        date | None, Meta(description="Day of the audit; `null` when not recorded.", examples=["2025-11-03"])
    ] = None
    initial_certification_date: Annotated[
        date | None, Meta(description="Day of the first grant; `null` when not recorded.", examples=["2019-06-01"])
    ] = None
    certificate_countries: Annotated[
        list[Annotated[str, Meta(min_length=2, max_length=2)]],
        Meta(
            description="Where the certificate is valid: ISO 3166-1 alpha-2 codes, upper case. Empty means not"
            " recorded, not everywhere.",
            max_length=len(ALPHA2),
            examples=[["US", "CA"]],
        ),
    ] = field(default_factory=list)


class ClaimAssignmentOut(Out, gc=False):
    """A claim that a product makes. Evidence is taken in, but never shown."""

    id: Annotated[str, SID, ID_OF_DEFINITION]
    label: Annotated[str, Meta(description="The claim's display name.", max_length=100, examples=["Non-GMO"])]
    code: Annotated[str, Meta(description="The claim's code.", max_length=50, examples=["NON_GMO"])]
    category: Annotated[ClaimCategory, Meta(description="What the claim is about.", examples=["INGREDIENT_ABSENCE"])]
    source: Annotated[ClaimSource, Meta(description="Who stands behind it.", examples=["BRAND_SELF_DECLARED"])]
    metadata: Annotated[Metadata, METADATA] = field(default_factory=dict)
    valid_from: Annotated[date | None, VALID_FROM] = None
    expiration_date: Annotated[date | None, EXPIRATION_DATE] = None


def _unknown(what: str) -> Meta:
    return Meta(description=f"{what}: not recorded here, so `null`.")


class CertifiedProductOut(Out, gc=False):
    """A product with what it is certified for and what it claims."""

    gtin: Annotated[str, GTIN]
    product_name: Annotated[str, Meta(description="Its name; may be empty.", max_length=255, examples=["Oat drink"])]
    brand: Annotated[str, Meta(description="Its brand; may be empty.", max_length=255, examples=["Acme"])]
    certifications: Annotated[
        list[CertificationAssignmentOut], Meta(description="The certifications it holds, by label.")
    ]
    claims: Annotated[list[ClaimAssignmentOut], Meta(description="The claims it makes, by label.")]


class ProductOut(Out, gc=False):
    """A product under its GTIN. What it is certified for and what it claims are lists of their own."""

    id: Annotated[str, SID]
    gtin: Annotated[str, GTIN]
    product_name: Annotated[str, Meta(description="Its name; may be empty.", max_length=255, examples=["Oat drink"])]
    is_claimed: Annotated[bool, Meta(description="Whether an organisation owns it; here every product has an owner.")]
    data_source: Annotated[DataSource, Meta(description="Where its record came from.", examples=["claimed"])]
    confidence_score: Annotated[float | None, _unknown("How sure the source is, 0 to 1")] = None
    field_confidence: Annotated[
        dict[str, float], Meta(description="How sure the source is of each member: not recorded, so empty.")
    ] = field(default_factory=dict)
    metadata: Annotated[Metadata, METADATA] = field(default_factory=dict)
    brand: Annotated[str, Meta(description="Its brand; may be empty.", max_length=255, examples=["Acme"])] = ""
    manufacturer: Annotated[str, Meta(description="Who makes it; may be empty.", max_length=255)] = ""
    description: Annotated[str, Meta(description="What it is; may be empty.")] = ""
    image_url: Annotated[Url, Meta(description="Absolute URL of a picture; may be empty.")] = ""
    country_of_origin: Annotated[
        str, Meta(description="ISO 3166-1 alpha-2 code; empty when unknown.", max_length=2, examples=["US"])
    ] = ""
    net_content: Annotated[
        str, Meta(description="How much is in it, as printed; may be empty.", max_length=100, examples=["1 l"])
    ] = ""
    net_content_value: Annotated[float | None, _unknown("The number in the net content")] = None
    net_content_uom: Annotated[str | None, _unknown("The unit of the net content")] = None
    owner_id: Annotated[Annotated[str, SID] | None, Meta(description="The id of the organisation that owns it.")] = None
    claim_verification_status: Annotated[
        Literal["unverified"],
        Meta(description="How far the ownership was confirmed: `unverified`, since the operator vouches for it."),
    ] = "unverified"
    length: Annotated[float | None, _unknown("Its length")] = None
    length_uom: Annotated[str | None, _unknown("The unit of the length")] = None
    width: Annotated[float | None, _unknown("Its width")] = None
    width_uom: Annotated[str | None, _unknown("The unit of the width")] = None
    height: Annotated[float | None, _unknown("Its height")] = None
    height_uom: Annotated[str | None, _unknown("The unit of the height")] = None
    depth: Annotated[float | None, _unknown("Its depth")] = None
    depth_uom: Annotated[str | None, _unknown("The unit of the depth")] = None
    gross_weight: Annotated[float | None, _unknown("Its weight with packaging")] = None
    gross_weight_uom: Annotated[str | None, _unknown("The unit of the gross weight")] = None
    net_weight: Annotated[float | None, _unknown("Its weight without packaging")] = None
    net_weight_uom: Annotated[str | None, _unknown("The unit of the net weight")] = None
    gpc_brick_code: Annotated[str | None, _unknown("Its GPC brick")] = None
    gpc_class_code: Annotated[str | None, _unknown("Its GPC class")] = None
    gpc_family_code: Annotated[str | None, _unknown("Its GPC family")] = None
    gpc_segment_code: Annotated[str | None, _unknown("Its GPC segment")] = None


_PAGES = Meta(ge=0, le=MAX_INTEGER)


class Pagination(Out, gc=False):
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


class DetailOut(Out, gc=False):
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
    retry_after: Annotated[
        Annotated[int, Meta(ge=0, le=DAY)] | UnsetType | None,
        Meta(description="How many seconds to wait before trying again."),
    ] = UNSET
    retry_after_seconds: Annotated[
        Annotated[int, Meta(ge=0, le=DAY)] | UnsetType | None, Meta(description="The same number under its older name.")
    ] = UNSET
    owner_action_required: Annotated[
        bool | UnsetType | None,
        Meta(description="Whether an owner of the account has to act; not used by this gateway."),
    ] = UNSET
    details: Annotated[
        Annotated[list[DetailOut], Meta(max_length=MAX_VIOLATIONS)] | UnsetType | None,
        Meta(description="What is wrong, member by member, where the input is at fault."),
    ] = UNSET
