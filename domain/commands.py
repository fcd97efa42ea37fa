"""What a caller can ask for: frozen, typed, judged once for both faces.

`Command.parse` takes plain JSON values (REST) and typed ones (GraphQL) alike and names every bad member at once.
"""

from typing import Annotated, Any

from pydantic import Field

from domain.countries import Countries
from domain.gtin import GtinField
from domain.metadata import MetadataUpdate
from domain.patch import CERTIFICATION_ASSIGNMENT, resolve_nulls
from domain.short_id import ShortIdField
from domain.validation import Command, Date, Text, Text100, Text255, Url
from domain.vocabulary import ClaimSource, VerificationStatus


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


class PatchCertificationAssignment(Command):
    """Change members of a certification that a product holds. Contract 2.5; `expiry_date` is not patchable there."""

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

    def members(self) -> dict[str, Any]:
        """The members that the caller sent, nulls replaced by what they mean. Raises `InvalidInput`.

        Omitted and null are told apart by which members were set, not by a value.
        """
        sent = {name: getattr(self, name) for name in CERTIFICATION_ASSIGNMENT if name in self.model_fields_set}
        return resolve_nulls(sent, CERTIFICATION_ASSIGNMENT)


class ListProductCertifications(Command):
    """The certifications that a product holds, filtered and ordered. Contract C7."""

    gtin: GtinField
    verification_status: VerificationStatus | None = None
    is_active: bool | None = None
    ordering: Annotated[str, Field(pattern="^-?(expiry_date|label)$")] = "label"
