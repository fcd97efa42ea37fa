"""What a caller can ask for: frozen, typed, judged once for both faces.

`Command.parse` takes plain JSON values (REST) and typed ones (GraphQL) alike and names every bad member at once.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from domain import patch
from domain.countries import Countries, CountryOrNone
from domain.gtin import GtinField, NewGtinField, SeparatedGtinField
from domain.metadata import MetadataUpdate
from domain.short_id import ShortIdField
from domain.validation import DIGITS, Command, Date, Flag, Text, Text100, Text255, Url
from domain.vocabulary import ClaimCategory, ClaimSource, DataSource, VerificationStatus


class PatchCommand(Command):
    """A command that changes the members that were sent. Omitted and null are told apart by which members were set."""

    nulls: ClassVar[Mapping[str, patch.Null]]

    def members(self) -> dict[str, Any]:
        """The patchable members that were sent, nulls replaced by what they mean. Raises `InvalidInput`."""
        sent = {name: getattr(self, name) for name in self.nulls if name in self.model_fields_set}
        return patch.resolve_nulls(sent, self.nulls)


class AssignClaim(Command):
    """Put a claim on a product. Contract 2.7."""

    gtin: GtinField
    claim_id: ShortIdField
    source: ClaimSource = ClaimSource.BRAND_SELF_DECLARED
    valid_from: Date | None = None
    expiration_date: Date | None = None
    evidence_url: Url = ""
    evidence_note: Text = ""
    metadata: MetadataUpdate | None = None


class AssignCertification(Command):
    """Put a certification on a product. Contract 2.6."""

    gtin: GtinField
    certification_id: ShortIdField
    metadata: MetadataUpdate | None = None
    valid_from: Date | None = None
    expiration_date: Date | None = None
    expiry_date: Date | None = None
    certificate_number: Text100 = ""
    issuing_body: Text255 = ""
    verification_url: Url = ""
    verification_status: VerificationStatus = VerificationStatus.UNVERIFIED
    scope: Text = ""
    certification_value: Text255 = ""
    audit_date: Date | None = None
    initial_certification_date: Date | None = None
    certificate_countries: Countries = Field(default_factory=list)


class PatchCertificationAssignment(PatchCommand):
    """Change members of a certification that a product holds. Contract 2.5; `expiry_date` is not patchable there."""

    nulls = patch.CERTIFICATION_ASSIGNMENT

    gtin: GtinField
    certification_id: ShortIdField
    metadata: MetadataUpdate | None = None
    valid_from: Date | None = None
    expiration_date: Date | None = None
    certificate_number: Text100 | None = None
    issuing_body: Text255 | None = None
    verification_url: Url | None = None
    verification_status: VerificationStatus | None = None
    scope: Text | None = None
    certification_value: Text255 | None = None
    audit_date: Date | None = None
    initial_certification_date: Date | None = None
    certificate_countries: Countries | None = None


class GetCertificationAssignment(Command):
    """One certification that a product holds, as C7 lists it: what its entity tag is, a client can ask here."""

    gtin: GtinField
    certification_id: ShortIdField


class RemoveCertification(Command):
    """Take a certification off a product. Contract C10."""

    gtin: GtinField
    certification_id: ShortIdField


class PatchClaimAssignment(PatchCommand):
    """Change members of a claim that a product makes. Contract C13."""

    nulls = patch.CLAIM_ASSIGNMENT

    gtin: GtinField
    claim_id: ShortIdField
    source: ClaimSource | None = None
    valid_from: Date | None = None
    expiration_date: Date | None = None
    evidence_url: Url | None = None
    evidence_note: Text | None = None
    metadata: MetadataUpdate | None = None


class GetClaimAssignment(Command):
    """One claim that a product makes, as C11 lists it."""

    gtin: GtinField
    claim_id: ShortIdField


class RemoveClaim(Command):
    """Take a claim off a product. Contract C14."""

    gtin: GtinField
    claim_id: ShortIdField


class CreateProduct(Command):
    """A new product of the caller's organisation. Contract 8; null means left out."""

    gtin: NewGtinField
    organization_id: ShortIdField | None = None
    product_name: Text255 | None = None
    brand: Text255 | None = None
    manufacturer: Text255 | None = None
    description: Text | None = None
    country_of_origin: CountryOrNone | None = None
    net_content: Text100 | None = None
    ingredients: Text | None = None
    image_url: Url | None = None
    metadata: MetadataUpdate | None = None


class PatchProduct(PatchCommand):
    """Change members of a product. Contract 8: here null means unchanged, and an empty text empties."""

    nulls = patch.PRODUCT

    gtin: SeparatedGtinField
    product_name: Text255 | None = None
    brand: Text255 | None = None
    manufacturer: Text255 | None = None
    description: Text | None = None
    country_of_origin: CountryOrNone | None = None
    net_content: Text100 | None = None
    ingredients: Text | None = None
    image_url: Url | None = None
    metadata: MetadataUpdate | None = None


class NumberedPage(Command):
    """Which page of a numbered list. Contract 1.4."""

    page: Annotated[int, Field(ge=1, le=2**31 - 1), DIGITS] = 1
    page_size: Annotated[int, Field(ge=1, le=100), DIGITS] = 25

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.page - 1) * self.page_size


class ListCertificationBodies(NumberedPage):
    """Certification bodies whose name has a part. Contract C1."""

    name: Text255 | None = None
    ordering: Annotated[str, Field(pattern="^-?name$")] = "name"


class ListCertifications(NumberedPage):
    """Certifications by part of the label, by code, by body. Contract C3."""

    label: Text255 | None = None
    code: Text255 | None = None
    certification_body_id: ShortIdField | None = None
    ordering: Annotated[str, Field(pattern="^-?(label|code)$")] = "label"


class ListClaims(NumberedPage):
    """Claims by part of the label, by code, by category. Contract C5."""

    label: Text255 | None = None
    code: Text255 | None = None
    category: ClaimCategory | None = None
    ordering: Annotated[str, Field(pattern="^-?(label|code)$")] = "label"


class ListProducts(NumberedPage):
    """The products of one organisation. Contract 8."""

    organization_id: ShortIdField


class ListTradeItems(NumberedPage):
    """Products of everybody. Contract 8; categories are not recorded here, so one that is named matches nothing."""

    q: Text255 | None = None
    brand: Text255 | None = None
    category_id: Text255 | None = None
    is_claimed: Flag | None = None
    country_of_origin: Annotated[Text, Field(min_length=2, max_length=2)] | None = None
    data_source: DataSource | None = None
    ordering: Annotated[str, Field(pattern="^-?(product_name|brand|created|confidence_score)$")] = "product_name"


class ListProductCertifications(Command):
    """The certifications that a product holds, filtered and ordered. Contract C7."""

    gtin: GtinField
    verification_status: VerificationStatus | None = None
    is_active: Flag | None = None
    ordering: Annotated[str, Field(pattern="^-?(expiry_date|label)$")] = "label"


class PageOfProductCertifications(ListProductCertifications, NumberedPage):
    """The same in numbered pages. Contract 8."""

    gtin: SeparatedGtinField


class ListProductClaims(Command):
    """The claims that a product makes. Contract C11."""

    gtin: GtinField


class PageOfProductClaims(ListProductClaims, NumberedPage):
    """The same in numbered pages. Contract 8."""

    gtin: SeparatedGtinField
