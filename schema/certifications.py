"""Certifications in GraphQL: the definitions, and what a product holds."""

from datetime import date

import strawberry
from strawberry import Maybe

from domain import vocabulary
from domain.lists import CERTIFICATION_ASSIGNMENTS, CERTIFICATIONS
from resolvers import certifications, definitions
from schema import lists
from schema.assignments import assignment_mutations
from schema.connections import Connection, ListRequest, paged
from schema.context import Info
from schema.inputs import by_id_or_code
from schema.objects import CertificationAssignmentType, CertificationType
from schema.scalars import Metadata


@strawberry.input(
    description=(
        "Which assignment to change, and its new values. A member that is left out stays as it is;"
        " null clears dates, empties texts and lists, and is refused for `verificationStatus` and `metadata`."
    )
)
class PatchCertificationAssignmentInput:
    """Contract 2.5."""

    gtin: str = strawberry.field(description="The product's GTIN: 8 to 14 digits, without blanks or hyphens.")
    certification_id: strawberry.ID = strawberry.field(
        description="The certification's id (not the assignment's), 22 characters or a UUID."
    )
    metadata: Maybe[Metadata | None] = strawberry.field(
        description="Your own data about the assignment, merged into what is stored."
    )
    valid_from: Maybe[date | None] = strawberry.field(description="First day of validity.")
    expiration_date: Maybe[date | None] = strawberry.field(description="Last day of validity.")
    certificate_number: Maybe[str | None] = strawberry.field(
        description="The number on the certificate; at most 100 characters."
    )
    issuing_body: Maybe[str | None] = strawberry.field(
        description="Who issued the certificate; at most 255 characters."
    )
    verification_url: Maybe[str | None] = strawberry.field(
        description="The certificate's page in the issuer's public registry: an http(s) URL."
    )
    verification_status: Maybe[vocabulary.VerificationStatus | None] = strawberry.field(
        description="How far it has been confirmed."
    )
    scope: Maybe[str | None] = strawberry.field(description="What the certificate covers, for example `Product`.")
    certification_value: Maybe[str | None] = strawberry.field(
        description="The level reached, for example `Grade A`; at most 255 characters."
    )
    audit_date: Maybe[date | None] = strawberry.field(description="The day of the audit behind it.")
    initial_certification_date: Maybe[date | None] = strawberry.field(description="Day it was first granted.")
    certificate_countries: Maybe[list[str] | None] = strawberry.field(
        description="Where it is valid: ISO 3166-1 alpha-2 codes, upper case; the list is replaced as a whole."
    )
    clear_metadata: bool = strawberry.field(default=False, description="Delete all metadata.")
    if_match: int | None = strawberry.field(
        default=None, description="Refuse the change unless the assignment is at this `version`."
    )


@strawberry.input(description="Which certification to put on which product, and what its certificate says.")
class AssignCertificationInput:
    """Contract 2.6."""

    gtin: str = strawberry.field(description="The product's GTIN: 8 to 14 digits, without blanks or hyphens.")
    certification_id: strawberry.ID = strawberry.field(description="The certification's id, 22 characters or a UUID.")
    metadata: Metadata | None = strawberry.field(default=None, description="Your own data about the assignment.")
    valid_from: date | None = strawberry.field(default=None, description="First day of validity.")
    expiration_date: date | None = strawberry.field(default=None, description="Last day of validity; null for none.")
    expiry_date: date | None = strawberry.field(
        default=None, description="The expiry printed on the certificate; it cannot be patched later."
    )
    certificate_number: str = strawberry.field(
        default="", description="The number on the certificate; at most 100 characters."
    )
    issuing_body: str = strawberry.field(default="", description="Who issued the certificate; at most 255 characters.")
    verification_url: str = strawberry.field(
        default="", description="The certificate's page in the issuer's public registry: an http(s) URL."
    )
    verification_status: vocabulary.VerificationStatus = strawberry.field(
        default=vocabulary.VerificationStatus.UNVERIFIED, description="How far it has been confirmed."
    )
    scope: str = strawberry.field(default="", description="What the certificate covers, for example `Product`.")
    certification_value: str = strawberry.field(
        default="", description="The level reached, for example `Grade A`; at most 255 characters."
    )
    audit_date: date | None = strawberry.field(default=None, description="The day of the audit behind it.")
    initial_certification_date: date | None = strawberry.field(default=None, description="Day it was first granted.")
    certificate_countries: list[str] = strawberry.field(
        default_factory=list, description="Where it is valid: ISO 3166-1 alpha-2 codes, upper case."
    )


@strawberry.input(description="Which certification to take off which product.")
class RemoveCertificationInput:
    """Contract C10."""

    gtin: str = strawberry.field(description="The product's GTIN: 8 to 14 digits, without blanks or hyphens.")
    certification_id: strawberry.ID = strawberry.field(description="The certification's id (not the assignment's).")
    if_match: int | None = strawberry.field(
        default=None, description="Refuse the change unless the assignment is at this `version`."
    )


@strawberry.type
class CertificationQueries:
    """The root fields about certifications."""

    @strawberry.field(description="Certifications that you may see, page by page.")
    @paged(CERTIFICATIONS)
    async def certifications(self, info: Info, asked: ListRequest) -> Connection[CertificationType] | None:
        """A page of definitions."""
        return await lists.page_of_definitions(info, certifications.KIND, asked)

    @strawberry.field(
        description="What products hold, page by page: find them by what is held, and see which certificates lapse."
    )
    @paged(CERTIFICATION_ASSIGNMENTS)
    async def certification_assignments(
        self, info: Info, asked: ListRequest
    ) -> Connection[CertificationAssignmentType] | None:
        """A page of assignments."""
        return await lists.page_of_assignments(info, certifications.KIND, asked)

    certification = by_id_or_code(
        CertificationType,
        "One certification by its id or by its code; null when there is none that you may see.",
        "`USDA_ORGANIC`",
        lambda context, key: definitions.definition(context, certifications.KIND, key),
        lambda context, code: definitions.definition_of_code(context, certifications.KIND, code),
    )


MUTATIONS = assignment_mutations(
    "certification",
    ("hold", "holds", "held"),
    CertificationAssignmentType,
    assign=(certifications.assign_certification, AssignCertificationInput),
    patch=(certifications.patch_certification_assignment, PatchCertificationAssignmentInput),
    remove=(certifications.remove_certification, RemoveCertificationInput),
)
