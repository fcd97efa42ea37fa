"""What is stored, as it leaves the database: immutable, positional, with definitions joined to their assignments.

Records are msgspec structs: built from a row in one C call, several times faster than frozen dataclasses.
Conventions of the contract (1.1): optional text is `""` and never None, unknown dates are None, lists and maps are
empty.
"""

from datetime import date, datetime

import msgspec

from domain.gtin import Gtin
from domain.short_id import ShortId
from domain.validity import lapses_on
from domain.vocabulary import ClaimCategory, ClaimSource, DataSource, VerificationStatus


class Record(msgspec.Struct, frozen=True):
    """The base of the records: equal by value, immutable."""


class NotRead:
    """Stands in a record for what was not read, because nobody was going to ask for it."""

    def __repr__(self) -> str:
        return "<not read>"


NOT_READ = NotRead()
"""The only one there is."""


class Organization(Record, frozen=True):
    """Who owns products, API keys and private definitions."""

    id: ShortId
    slug: str
    name: str


class CertificationBody(Record, frozen=True):
    """An organisation that certifies, owns a mark or runs a public scheme. Contract 2.1."""

    id: ShortId
    code: str
    name: str
    website: str
    description: str
    logo_url: str | None
    country: str
    kind: str


class Certification(Record, frozen=True):
    """The definition of a certification. Contract 2.2.

    `organization_id` is None for a global definition, else the only organisation that may see it; `code` may then be
    `""`.
    """

    id: ShortId
    code: str
    label: str
    description: str
    url: str
    logo_url: str | None
    program: str
    standard: str
    organization_id: ShortId | None
    body: CertificationBody | None


class Claim(Record, frozen=True):
    """The definition of a claim. Contract 2.3."""

    id: ShortId
    code: str
    label: str
    category: ClaimCategory
    requires_definition: bool
    description: str


class Product(Record, frozen=True):
    """A product under its 14-digit GTIN, owned by one organisation. Contract 8, where it bears on certifications."""

    gtin: Gtin
    id: ShortId
    organization_id: ShortId
    name: str
    brand: str
    description: str
    country_of_origin: str
    net_content: str
    ingredients: str
    manufacturer: str
    image_url: str
    data_source: DataSource
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    version: int


class CertificationAssignment(Record, frozen=True):
    """A certification that a product holds. Contract 2.4; `id` is the assignment's own, the definition has another.

    `organization_id` is the owner of the product.
    """

    id: ShortId
    gtin: Gtin
    organization_id: ShortId
    metadata: dict[str, str]
    valid_from: date | None
    expiration_date: date | None
    certificate_number: str
    issuing_body: str
    expiry_date: date | None
    verification_url: str
    verification_status: VerificationStatus
    scope: str
    certification_value: str
    audit_date: date | None
    initial_certification_date: date | None
    certificate_countries: list[str]
    created_at: datetime
    updated_at: datetime
    version: int
    certification: Certification

    @property
    def lapses_on(self) -> date | None:
        """The last day on which it holds."""
        return lapses_on(self.expiration_date, self.expiry_date)


class ClaimAssignment(Record, frozen=True):
    """A claim that a product makes. Contract 2.8; evidence is stored but never leaves by REST.

    `organization_id` is the owner of the product.
    """

    id: ShortId
    gtin: Gtin
    organization_id: ShortId
    metadata: dict[str, str]
    source: ClaimSource
    valid_from: date | None
    expiration_date: date | None
    evidence_url: str
    evidence_note: str
    created_at: datetime
    updated_at: datetime
    version: int
    claim: Claim

    @property
    def lapses_on(self) -> date | None:
        """The last day on which it holds."""
        return self.expiration_date
