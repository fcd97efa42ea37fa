"""What is stored, as it leaves the database: immutable, positional, with definitions joined to their assignments.

A record is the one declaration of its members: type, limits, words and example stand here, and commands, columns and
both faces read them (see `domain.members`). Their order is everybody's, too.

Records are msgspec structs: built from a row in one C call, several times faster than frozen dataclasses.
Conventions of the contract (1.1): optional text is `""` and never None, unknown dates are None, lists and maps are
empty.
"""

from datetime import date, datetime
from typing import Annotated, NamedTuple

import msgspec

from domain.countries import Countries, CountryOrNone
from domain.gtin import Gtin
from domain.members import given, kept
from domain.metadata import Metadata
from domain.short_id import ShortId
from domain.validation import AfterTheFirst, Date, Text, Text32, Text50, Text100, Text255, Url
from domain.validity import Days, lapses_on
from domain.vocabulary import ClaimCategory, ClaimSource, DataSource, VerificationStatus


class Record(msgspec.Struct, frozen=True):
    """The base of the records: equal by value, immutable."""


Id = Annotated[ShortId, kept("Its id: a UUID written in 22 characters of base 57; it never changes")]


class Organization(Record, frozen=True):
    """Who owns products, API keys and private definitions."""

    id: Id
    slug: str
    name: Annotated[Text255, kept("Its name", example="Acme Foods")]


IdOfAssignment = Annotated[ShortId, kept("The id of this assignment, not of what is assigned")]
Logo = Annotated[
    Url | None, kept("Absolute URL of the logo", none="when there is none", example="https://example.org/logo.svg")
]
GtinOfProduct = Annotated[Gtin, kept("The product's GTIN, in 14 digits", example="00012345678905")]
FirstDay = Annotated[
    Date | None,
    given("First day of validity", none="when not recorded, which counts as always", example="2024-01-01"),
]
CreatedAt = Annotated[datetime, kept("When it was made")]
UpdatedAt = Annotated[datetime, kept("When it last changed")]
Version = Annotated[int, kept("Counts its changes, from 1")]


class CertificationBody(Record, frozen=True):
    """An organisation that certifies, owns a mark or runs a public scheme. Contract 2.1."""

    id: Id
    code: Annotated[Text50, kept("Its stable code", example="FAIRTRADE_USA")]
    name: Annotated[Text255, kept("Its name", example="Fair Trade USA")]
    website: Annotated[
        Url,
        kept("Its website, an https URL", none="when not recorded", example="https://www.fairtradecertified.org"),
    ]
    description: Annotated[Text, kept("What it does, in a sentence", none="when not recorded")]
    logo_url: Logo
    country: Annotated[
        CountryOrNone, kept("ISO 3166-1 alpha-2 code of its seat", none="when not recorded", example="US")
    ]
    kind: Annotated[
        Text32,
        kept("`CERTIFIER` issues certificates, `SCHEME_OWNER` owns a mark, `AUTHORITY` is a public body"),
    ]


class Certification(Record, frozen=True):
    """The definition of a certification. Contract 2.2.

    `organization_id` is None for a global definition, else the only organisation that may see it; `code` may then be
    `""`.
    """

    id: Id
    code: Annotated[Text50, kept("Its stable code", none="for a private one that has none", example="USDA_ORGANIC")]
    label: Annotated[Text255, kept("Its name as shown to people", example="USDA Organic")]
    description: Annotated[Text, kept("What it stands for", none="when not recorded")]
    url: Annotated[Url, kept("Where it is explained", none="when not recorded", example="https://www.ams.usda.gov")]
    logo_url: Logo
    program: Annotated[Text255, kept("The programme it belongs to", none="for none")]
    standard: Annotated[Text255, kept("The standard it attests", none="for none")]
    organization_id: ShortId | None
    body: CertificationBody | None


class Claim(Record, frozen=True):
    """The definition of a claim. Contract 2.3."""

    id: Id
    code: Annotated[Text50, kept("Its stable code", example="NON_GMO")]
    label: Annotated[Text100, kept("Its name as shown to people", example="Non-GMO")]
    category: Annotated[ClaimCategory, kept("What it is about", example="INGREDIENT_ABSENCE")]
    requires_definition: Annotated[
        bool, kept("Whether a brand has to say in its own words what it means by it", more="Ask for evidence then.")
    ]
    description: Annotated[Text, kept("What it means", none="when not recorded")]


class Product(Record, frozen=True):
    """A product under its 14-digit GTIN, owned by one organisation. Contract 8, where it bears on certifications."""

    gtin: GtinOfProduct
    id: Id
    organization_id: Annotated[ShortId, kept("The id of the organisation that owns it")]
    name: Annotated[Text255, given("Its name", none="when not recorded", example="Oat drink", sent_as="product_name")]
    brand: Annotated[Text255, given("Its brand", none="when not recorded", example="Acme")]
    manufacturer: Annotated[Text255, given("Who makes it", none="when not recorded", example="Acme Mills")]
    description: Annotated[Text, given("What it is", none="when not recorded", example="Oats and water, with calcium.")]
    country_of_origin: Annotated[
        CountryOrNone,
        given("Where it comes from: an ISO 3166-1 alpha-2 code, upper case", none="when not recorded", example="US"),
    ]
    net_content: Annotated[Text100, given("How much is in it, as printed", none="when not recorded", example="1 l")]
    ingredients: Annotated[Text, given("What is in it, as printed", none="when not recorded", example="Water, oats")]
    image_url: Annotated[
        Url, given("A picture of it: an http(s) URL", none="for none", example="https://example.org/oats.jpg")
    ]
    data_source: Annotated[DataSource, kept("Where its record came from", example="claimed")]
    metadata: Metadata
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version
    archived_at: Annotated[
        datetime | None,
        kept("When it was archived: it is in no list, and nothing of it can be changed", none="while it is not"),
    ]


LastDay = Annotated[
    Date | None,
    given(
        "Last day of the programme's validity",
        none="when there is no planned end",
        more="It decides `is_active`.",
        rule="not before the first",
        example="2027-12-31",
    ),
]
PrintedExpiry = Annotated[
    Date | None,
    given(
        "The expiry printed on the certificate, which may differ from the end of validity",
        none="when not recorded",
        example="2027-12-31",
        patchable=False,
    ),
]
CertificateNumber = Annotated[
    Text100,
    given("The certificate's number, as its issuer wrote it", none="when not recorded", example="NOP-12345"),
]
IssuingBody = Annotated[
    Text255,
    given(
        "Who issued the certificate, as the brand writes it",
        none="when not recorded",
        more="It may differ from the certification's body.",
        example="Oregon Tilth",
    ),
]
VerificationUrl = Annotated[
    Url,
    given(
        "Where the certificate can be looked up in public: an http(s) URL",
        none="for none",
        example="https://example.org/registry/NOP-12345",
    ),
]
Verification = Annotated[
    VerificationStatus,
    given(
        "How far the certificate was confirmed against its issuer's registry",
        example="verified",
        default=VerificationStatus.UNVERIFIED,
    ),
]
Scope = Annotated[Text, given("What the certificate covers", none="when not recorded", example="Product")]
CertificationValue = Annotated[
    Text255,
    given("The result or level (GS1 `certificationValue`)", none="when there are no levels", example="Grade A"),
]
AuditDate = Annotated[Date | None, given("Day of the audit", none="when not recorded", example="2025-11-03")]
InitialDate = Annotated[Date | None, given("Day of the first grant", none="when not recorded", example="2019-06-01")]
CertificateCountries = Annotated[
    Countries,
    given(
        "Where the certificate is valid: ISO 3166-1 alpha-2 codes, upper case",
        none="means not recorded, not everywhere",
        example=["US", "CA"],
    ),
]
SuspendedFrom = Annotated[
    Date | None, kept("First day of its last suspension", none="when there is none", example="2026-03-01")
]
SuspendedUntil = Annotated[
    Date | None,
    kept("Last day of that suspension", none="while there is no end to it, or no suspension", example="2026-05-31"),
]
WithdrawnOn = Annotated[
    AfterTheFirst | None,
    kept("The day from which on it is withdrawn", none="while it is not", example="2026-03-01"),
]
StandingReason = Annotated[
    Text255,
    kept(
        "Why it was suspended, withdrawn or reinstated, whichever was last",
        none="when nothing was said",
        example="Residues above the limit",
    ),
]


class CertificationAssignment(Record, frozen=True):
    """A certification that a product holds: its certificate of today. Contract 2.4; `id` is the assignment's own.

    `organization_id` is the owner of the product. The certificates before it are `EarlierCertificate`s; by their days,
    and by all suspensions, it is judged as well (see `domain.validity`).
    """

    id: IdOfAssignment
    gtin: GtinOfProduct
    organization_id: ShortId
    metadata: Metadata
    valid_from: FirstDay
    expiration_date: LastDay
    expiry_date: PrintedExpiry
    certificate_number: CertificateNumber
    issuing_body: IssuingBody
    verification_url: VerificationUrl
    verification_status: Verification
    scope: Scope
    certification_value: CertificationValue
    audit_date: AuditDate
    initial_certification_date: InitialDate
    certificate_countries: CertificateCountries
    suspended_from: SuspendedFrom
    suspended_until: SuspendedUntil
    withdrawn_on: WithdrawnOn
    standing_reason: StandingReason
    earlier_days: Days
    halted_days: Days
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version
    certification: Certification

    @property
    def lapses_on(self) -> date | None:
        """The last day on which it holds."""
        return lapses_on(self.expiration_date, self.expiry_date, self.withdrawn_on)


class EarlierCertificate(Record, frozen=True):
    """A certificate that a renewal replaced, as it was then; it goes with its assignment."""

    gtin: GtinOfProduct
    certification_id: Annotated[ShortId, kept("The id of the certification")]
    number: Annotated[int, kept("Which certificate of the assignment it is: 1 is the first", example=1)]
    valid_from: FirstDay
    expiration_date: LastDay
    expiry_date: PrintedExpiry
    certificate_number: CertificateNumber
    issuing_body: IssuingBody
    verification_url: VerificationUrl
    verification_status: Verification
    scope: Scope
    certification_value: CertificationValue
    audit_date: AuditDate
    initial_certification_date: InitialDate
    certificate_countries: CertificateCountries
    suspended_from: SuspendedFrom
    suspended_until: SuspendedUntil
    withdrawn_on: WithdrawnOn
    standing_reason: StandingReason
    replaced_at: Annotated[
        datetime, kept("When the next certificate took its place", example="2026-11-30T12:00:00+00:00")
    ]

    @property
    def lapses_on(self) -> date | None:
        """The last day on which it held."""
        return lapses_on(self.expiration_date, self.expiry_date, self.withdrawn_on)


class ClaimAssignment(Record, frozen=True):
    """A claim that a product makes. Contract 2.8; evidence is stored but never leaves by REST.

    `organization_id` is the owner of the product.
    """

    id: IdOfAssignment
    gtin: GtinOfProduct
    organization_id: ShortId
    metadata: Metadata
    source: Annotated[
        ClaimSource,
        given(
            "Who stands behind the claim",
            rule="`THIRD_PARTY_VERIFIED` only where an audit trail exists",
            example="BRAND_SELF_DECLARED",
            default=ClaimSource.BRAND_SELF_DECLARED,
        ),
    ]
    valid_from: FirstDay
    expiration_date: Annotated[
        Date | None,
        given(
            "Last day of validity",
            none="when there is no planned end",
            rule="not before the first",
            example="2027-12-31",
        ),
    ]
    evidence_url: Annotated[
        Url,
        given(
            "Where the evidence for it is: an http(s) URL, which only GraphQL shows",
            none="for none",
            example="https://example.org/report.pdf",
        ),
    ]
    evidence_note: Annotated[
        Text,
        given("Notes on the evidence, which only GraphQL shows", none="for none", example="Lab report 7"),
    ]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version
    claim: Claim

    @property
    def lapses_on(self) -> date | None:
        """The last day on which it holds."""
        return lapses_on(self.expiration_date)


class CertifiedProduct(NamedTuple):
    """A product with what it holds and claims."""

    product: Product
    certifications: list[CertificationAssignment]
    claims: list[ClaimAssignment]
    of_the_day: list[CertificationAssignment]
    """The same certifications, each with the certificate of the day by which it is judged."""
