"""The objects of GraphQL that lead to one another: products, what they hold and claim, the definitions of it."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from domain import records, vocabulary
from domain.filters import EVERYTHING
from domain.lists import CERTIFICATION_ASSIGNMENTS, CERTIFICATIONS, CLAIM_ASSIGNMENTS
from domain.paging import NestedAssignmentOrderField
from domain.validity import is_active, standing
from execution.batched import batched
from execution.markers import reads
from execution.run.wanted import wanted
from resolvers import assignments, certifications, claims, definitions, products
from schema import lists
from schema.connections import Connection, ListRequest, listed, paged
from schema.context import Info
from schema.nodes import Node
from schema.records import record_type, shown
from schema.scalars import Metadata


@record_type(
    records.CertificationBody,
    lasting=True,
    description="An organisation that issues certificates, owns a certification mark or runs a public scheme.",
)
class CertificationBodyType(Node):
    """Contract 2.1."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters.")
    code: str = strawberry.field(description="Its stable code, for example `ECOCERT`.")
    name: str = strawberry.field(description="Its name.")
    website: str = strawberry.field(description="Its website; empty when not recorded.")
    description: str = strawberry.field(description="What it does, in a sentence; may be empty.")
    logo_url: str | None = strawberry.field(description="URL of its logo; null when there is none.")
    country: str = strawberry.field(description="ISO 3166-1 alpha-2 code of its seat; empty when not recorded.")
    kind: str = strawberry.field(
        description="`CERTIFIER` issues certificates, `SCHEME_OWNER` owns a mark, `AUTHORITY` is a public body."
    )

    @batched(description="The certifications that it owns or runs, as far as you may see them.")
    @staticmethod
    @paged(CERTIFICATIONS)
    async def certifications(
        parents: list[records.CertificationBody], info: Info, asked: ListRequest
    ) -> list[Connection["CertificationType"]]:
        """Pages of the certifications of all these bodies; no statement for each."""
        found = await definitions.definitions_that_match(info.context.operation, certifications.KIND, asked.where)
        return shown([listed(_of_body(found, parent), asked) for parent in parents])

    @batched(description="The assignments of its certifications: which products hold them, which certificates lapse.")
    @staticmethod
    @paged(CERTIFICATION_ASSIGNMENTS, NestedAssignmentOrderField)
    async def assignments(
        parents: list[records.CertificationBody], info: Info, asked: ListRequest
    ) -> list[Connection["CertificationAssignmentType"]]:
        """Pages of the assignments of all these bodies in one statement."""
        found = await definitions.definitions_that_match(info.context.operation, certifications.KIND, EVERYTHING)
        groups = [[item.id for item in _of_body(found, parent)] for parent in parents]
        return shown(await lists.pages_of_definitions(info, certifications.KIND, groups, asked))


@record_type(
    records.Certification,
    lasting=True,
    description="A certification that products can hold, such as USDA Organic: its definition.",
)
class CertificationType(Node):
    """Contract 2.2."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters.")
    code: str = strawberry.field(
        description="Its stable code, for example `USDA_ORGANIC`; a private one may have none."
    )
    label: str = strawberry.field(description="Its name as shown to people.")
    description: str = strawberry.field(description="What it stands for; may be empty.")
    url: str = strawberry.field(description="Its own page; may be empty.")
    logo_url: str | None = strawberry.field(description="URL of its logo; null when there is none.")
    program: str = strawberry.field(description="The programme it belongs to; may be empty.")
    standard: str = strawberry.field(description="The standard it is judged by; may be empty.")
    body: CertificationBodyType | None = strawberry.field(description="Who owns or runs it; null when not recorded.")

    @batched(description="The assignments of this certification: which products hold it.")
    @staticmethod
    @paged(CERTIFICATION_ASSIGNMENTS, NestedAssignmentOrderField)
    async def assignments(
        parents: list[records.Certification], info: Info, asked: ListRequest
    ) -> list[Connection["CertificationAssignmentType"]]:
        """Pages of the assignments of all these certifications in one statement."""
        groups = [[parent.id] for parent in parents]
        return shown(await lists.pages_of_definitions(info, certifications.KIND, groups, asked))

    @strawberry.field(description="Whether only your organisation can see it.")
    def is_private(self) -> bool:
        """Whether the definition belongs to one organisation."""
        return shown(self).organization_id is not None


def _is_active(
    self: Any,
    info: Info,
    as_of: Annotated[date | None, strawberry.argument(description="The day; today (UTC) if left out.")] = None,
) -> bool:
    return is_active(self.valid_from, self.expiration_date, as_of or info.context.operation.today)


def _lapses_on(self: Any) -> date | None:
    day: date | None = self.lapses_on
    return day


def _standing(
    self: Any,
    info: Info,
    on: Annotated[date | None, strawberry.argument(description="The day; today (UTC) if left out.")] = None,
) -> vocabulary.Standing:
    return standing(self.valid_from, self.lapses_on, on or info.context.operation.today)


async def _products(parents: list[Any], info: Info) -> list["ProductType"]:
    """The products of assignments; a foreign key guarantees each."""
    gtins = [item.gtin for item in parents]
    return shown(await products.products_of_gtins(info.context.operation, gtins, wanted(info, "Product")))


@record_type(
    records.CertificationAssignment,
    description="A certification that one product holds: what its certificate says.",
)
class CertificationAssignmentType(Node):
    """Contract 2.4, with the assignment's own id."""

    id: strawberry.ID = strawberry.field(description="The id of this assignment, not of the certification.")
    gtin: str = strawberry.field(description="The product's GTIN, 14 digits.")
    certification: CertificationType = strawberry.field(description="The certification that is held.")
    certificate_number: str = strawberry.field(description="For example `NOP-12345`; empty when not recorded.")
    issuing_body: str = strawberry.field(
        description="Who issued the certificate, as the brand writes it; may differ from the certification's body."
    )
    valid_from: date | None = strawberry.field(description="First day of validity; null when not recorded.")
    expiration_date: date | None = strawberry.field(
        description="Last day of the programme's validity; null for none. It decides `isActive` (see `lapsesOn`)."
    )
    expiry_date: date | None = strawberry.field(
        description="The expiry printed on the certificate itself; often equals `expirationDate`."
    )
    verification_status: vocabulary.VerificationStatus = strawberry.field(description="How far it has been confirmed.")
    verification_url: str = strawberry.field(description="Its page in the issuer's public registry; empty for none.")
    scope: str = strawberry.field(description="What it covers, for example `Product`; may be empty.")
    certification_value: str = strawberry.field(
        description="The level reached (GS1 certificationValue), for example `Grade A`; empty when not graded."
    )
    audit_date: date | None = strawberry.field(description="Day of the audit; null when not recorded.")
    initial_certification_date: date | None = strawberry.field(
        description="Day it was first granted; null when not recorded."
    )
    certificate_countries: list[str] = strawberry.field(
        description="Where it is valid, as ISO 3166-1 alpha-2 codes; empty means not recorded, not everywhere."
    )
    metadata: Metadata = strawberry.field(
        description="Your own data about this assignment; empty on products of other organisations."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = strawberry.field(description="Counts its changes, from 1.")

    is_active = strawberry.field(
        resolver=_is_active,
        description=(
            "Whether a day lies between `validFrom` and `expirationDate`, both included, a missing one open; the"
            " printed `expiryDate` has no part in it (see `standing`)."
        ),
        metadata=reads("valid_from", "expiration_date"),
    )
    lapses_on = strawberry.field(
        resolver=_lapses_on,
        description=(
            "Last day on which it holds: the earlier of `expirationDate` and `expiryDate`; null when neither is known."
        ),
        metadata=reads("expiration_date", "expiry_date"),
    )
    standing = strawberry.field(
        resolver=_standing,
        description="How it stands on a day, by `validFrom` and `lapsesOn`.",
        metadata=reads("valid_from", "expiration_date", "expiry_date"),
    )
    product = batched(description="The product that holds the certification.", metadata=reads("gtin"))(_products)


@record_type(records.Claim, description="A claim that products can make, such as Vegan: its definition.", lasting=True)
class ClaimType(Node):
    """Contract 2.3."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters.")
    code: str = strawberry.field(description="Its stable code, for example `VEGAN`.")
    label: str = strawberry.field(description="Its name as shown to people.")
    category: vocabulary.ClaimCategory = strawberry.field(description="What it is about.")
    requires_definition: bool = strawberry.field(
        description="Whether a brand should say what it means by it; ask for evidence when true."
    )
    description: str = strawberry.field(description="What it means; may be empty.")

    @batched(description="The assignments of this claim: which products make it.")
    @staticmethod
    @paged(CLAIM_ASSIGNMENTS, NestedAssignmentOrderField)
    async def assignments(
        parents: list[records.Claim], info: Info, asked: ListRequest
    ) -> list[Connection["ClaimAssignmentType"]]:
        """Pages of the assignments of all these claims in one statement."""
        return shown(await lists.pages_of_definitions(info, claims.KIND, [[parent.id] for parent in parents], asked))


@record_type(records.ClaimAssignment, description="A claim that one product makes.")
class ClaimAssignmentType(Node):
    """Contract 2.8, with the assignment's own id and readable evidence."""

    id: strawberry.ID = strawberry.field(description="The id of this assignment, not of the claim.")
    gtin: str = strawberry.field(description="The product's GTIN, 14 digits.")
    claim: ClaimType = strawberry.field(description="The claim that is made.")
    source: vocabulary.ClaimSource = strawberry.field(description="Who stands behind it.")
    valid_from: date | None = strawberry.field(description="First day of validity; null when not recorded.")
    expiration_date: date | None = strawberry.field(description="Last day of validity; null when it is open-ended.")
    evidence_url: str = strawberry.field(description="Where supporting evidence is; empty when there is none.")
    evidence_note: str = strawberry.field(description="Notes on the evidence; may be empty.")
    metadata: Metadata = strawberry.field(
        description="Your own data about this assignment; empty on products of other organisations."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = strawberry.field(description="Counts its changes, from 1.")

    is_active = strawberry.field(
        resolver=_is_active,
        description="Whether the claim holds on a day: both bounds count, a missing one is open.",
        metadata=reads("valid_from", "expiration_date"),
    )
    lapses_on = strawberry.field(
        resolver=_lapses_on,
        description="Last day on which it holds, which is `expirationDate`; null when it is open-ended.",
        metadata=reads("expiration_date"),
    )
    standing = strawberry.field(
        resolver=_standing,
        description="How it stands on a day, by `validFrom` and `lapsesOn`.",
        metadata=reads("valid_from", "expiration_date"),
    )
    product = batched(description="The product that makes the claim.", metadata=reads("gtin"))(_products)


@record_type(records.Product, description="A product under its GTIN, the number of its barcode.")
class ProductType(Node):
    """Contract 8, as far as it bears on certifications and claims."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters.")
    gtin: str = strawberry.field(description="Its GTIN, padded with zeros to 14 digits.")
    name: str = strawberry.field(description="Its name.")
    brand: str = strawberry.field(description="Its brand; may be empty.")
    description: str = strawberry.field(description="What it is; may be empty.")
    country_of_origin: str = strawberry.field(
        description="Where it comes from, as ISO 3166-1 alpha-2 code; empty when not recorded."
    )
    net_content: str = strawberry.field(description="Quantity as printed, for example `200 g`; may be empty.")
    ingredients: str = strawberry.field(description="Ingredients as printed; may be empty.")
    manufacturer: str = strawberry.field(description="Who makes it; may be empty.")
    image_url: str = strawberry.field(description="URL of a picture; empty for none.")
    data_source: vocabulary.DataSource = strawberry.field(description="Where the record came from.")
    organization_id: strawberry.ID = strawberry.field(description="The organisation that owns it.")
    metadata: Metadata = strawberry.field(
        description="The own data of the organisation that owns it, about it; empty for everybody else."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = strawberry.field(description="Counts its changes, from 1.")

    @batched(
        description="The certifications it holds, by label. Private ones of other organisations are left out.",
        metadata=reads("gtin"),
    )
    @staticmethod
    async def certifications(parents: list[records.Product], info: Info) -> list[list[CertificationAssignmentType]]:
        """The certifications of all these products in one statement."""
        gtins = [parent.gtin for parent in parents]
        read = wanted(info, "CertificationAssignment")
        return shown(await assignments.of_products(info.context.operation, certifications.KIND, gtins, read))

    @batched(description="The claims it makes, by label.", metadata=reads("gtin"))
    @staticmethod
    async def claims(parents: list[records.Product], info: Info) -> list[list[ClaimAssignmentType]]:
        """The claims of all these products in one statement."""
        gtins = [parent.gtin for parent in parents]
        read = wanted(info, "ClaimAssignment")
        return shown(await assignments.of_products(info.context.operation, claims.KIND, gtins, read))


def _of_body(found: list[records.Certification], body: records.CertificationBody) -> list[records.Certification]:
    return [item for item in found if item.body is not None and item.body.id == body.id]
