"""Certifications in GraphQL: the definitions, and what a product holds."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry
from strawberry import Maybe

from domain import records, vocabulary
from domain.changes import Change
from domain.commands import (
    AssignCertification,
    PatchCertificationAssignment,
    RemoveCertification,
)
from domain.filter_input import CERTIFICATION_ASSIGNMENTS, CERTIFICATIONS
from domain.paging import Order, definition_order
from domain.validity import is_active, standing
from execution.batched import batched
from execution.wanted import reads, wanted
from resolvers import assignments, certifications, products
from schema.assignments import certification_assignment_order_of, certification_assignments_of
from schema.bodies import CertificationBody
from schema.changes import Success
from schema.connections import After, Before, Connection, First, Last, asked_for, connection, listed
from schema.context import Info
from schema.filters import (
    AssignmentOrder,
    CertificationAssignmentWhere,
    CertificationWhere,
    DefinitionOrder,
    NestedAssignmentOrder,
)
from schema.inputs import id_or_code, patch_members, sent_members
from schema.nodes import Node
from schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    NotAppliedProblem,
    NotFoundProblem,
    PreconditionFailedProblem,
    ValidationProblem,
    as_mutation,
)
from schema.records import record_type, shown
from schema.scalars import Metadata

if TYPE_CHECKING:
    from schema.products import Product


@record_type(
    records.Certification,
    lasting=True,
    description="A certification that products can hold, such as USDA Organic: its definition.",
)
class Certification(Node):
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
    body: CertificationBody | None = strawberry.field(description="Who owns or runs it; null when not recorded.")

    @batched(description="The assignments of this certification: which products hold it.")
    @staticmethod
    async def assignments(
        parents: list[records.Certification],
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: Annotated[
            CertificationAssignmentWhere | None, strawberry.argument(description="Which assignments.")
        ] = None,
        order_by: Annotated[
            NestedAssignmentOrder | None, strawberry.argument(description="The order; by GTIN if left out.")
        ] = None,
    ) -> list[Connection[Annotated["CertificationAssignment", strawberry.lazy("schema.certifications")]]]:
        """Pages of the assignments of all these certifications in one statement."""
        return await certification_assignments_of(
            info, [[parent.id] for parent in parents], where, order_by, (first, after, last, before)
        )

    @strawberry.field(description="Whether only your organisation can see it.")
    def is_private(self) -> bool:
        """Whether the definition belongs to one organisation."""
        return shown(self).organization_id is not None


@record_type(
    records.CertificationAssignment,
    description="A certification that one product holds: what its certificate says.",
)
class CertificationAssignment(Node):
    """Contract 2.4, with the assignment's own id."""

    id: strawberry.ID = strawberry.field(description="The id of this assignment, not of the certification.")
    gtin: str = strawberry.field(description="The product's GTIN, 14 digits.")
    certification: Certification = strawberry.field(description="The certification that is held.")
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

    @strawberry.field(
        description=(
            "Whether a day lies between `validFrom` and `expirationDate`, both included, a missing one open; the"
            " printed `expiryDate` has no part in it (see `standing`)."
        ),
        metadata=reads("valid_from", "expiration_date"),
    )
    def is_active(
        self,
        info: Info,
        as_of: Annotated[date | None, strawberry.argument(description="The day; today (UTC) if left out.")] = None,
    ) -> bool:
        """Whether the certification holds."""
        return is_active(self.valid_from, self.expiration_date, as_of or info.context.operation.today)

    @strawberry.field(
        description=(
            "Last day on which it holds: the earlier of `expirationDate` and `expiryDate`; null when neither is known."
        ),
        metadata=reads("expiration_date", "expiry_date"),
    )
    def lapses_on(self) -> date | None:
        """The day on which it lapses."""
        day: date | None = shown(self).lapses_on
        return day

    @strawberry.field(
        description="How it stands on a day, by `validFrom` and `lapsesOn`.",
        metadata=reads("valid_from", "expiration_date", "expiry_date"),
    )
    def standing(
        self,
        info: Info,
        on: Annotated[date | None, strawberry.argument(description="The day; today (UTC) if left out.")] = None,
    ) -> vocabulary.Standing:
        """How it stands."""
        return standing(self.valid_from, shown(self).lapses_on, on or info.context.operation.today)

    @batched(description="The product that holds the certification.", metadata=reads("gtin"))
    @staticmethod
    async def product(
        parents: list[records.CertificationAssignment], info: Info
    ) -> list[Annotated["Product", strawberry.lazy("schema.products")]]:
        """The products of assignments; a foreign key guarantees each."""
        gtins = [item.gtin for item in parents]
        return shown(await products.products_of_gtins(info.context.operation, gtins, wanted(info, "Product")))


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


@strawberry.type(description="The assignment is as asked for.")
class CertificationAssignmentPatched(Success):
    """Success of `patchCertificationAssignment`."""

    assignment: CertificationAssignment = strawberry.field(description="The assignment after the change.")

    @classmethod
    def of(cls, change: Change[Any, Any]) -> Self:
        """What the operation answered."""
        return cls(change=change, assignment=shown(change.after))


PatchCertificationAssignmentResult = Annotated[
    CertificationAssignmentPatched
    | NotFoundProblem
    | ValidationProblem
    | ForbiddenProblem
    | NotAppliedProblem
    | PreconditionFailedProblem,
    strawberry.union(
        "PatchCertificationAssignmentResult", description="What became of `patchCertificationAssignment`."
    ),
]


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


@strawberry.type(description="The certification is on the product.")
class CertificationAssigned(Success):
    """Success of `assignCertification`."""

    assignment: CertificationAssignment = strawberry.field(description="The new assignment.")

    @classmethod
    def of(cls, change: Change[Any, Any]) -> Self:
        """What the operation answered."""
        return cls(change=change, assignment=shown(change.after))


AssignCertificationResult = Annotated[
    CertificationAssigned
    | NotFoundProblem
    | ConflictProblem
    | ValidationProblem
    | ForbiddenProblem
    | NotAppliedProblem,
    strawberry.union("AssignCertificationResult", description="What became of `assignCertification`."),
]


@strawberry.input(description="Which certification to take off which product.")
class RemoveCertificationInput:
    """Contract C10."""

    gtin: str = strawberry.field(description="The product's GTIN: 8 to 14 digits, without blanks or hyphens.")
    certification_id: strawberry.ID = strawberry.field(description="The certification's id (not the assignment's).")
    if_match: int | None = strawberry.field(
        default=None, description="Refuse the change unless the assignment is at this `version`."
    )


@strawberry.type(description="The product no longer holds the certification.")
class CertificationRemoved(Success):
    """Success of `removeCertification`."""

    removed: CertificationAssignment = strawberry.field(description="The assignment as it was; its id is gone.")

    @classmethod
    def of(cls, change: Change[Any, Any]) -> Self:
        """What the operation answered."""
        return cls(change=change, removed=shown(change.before))

    @batched(description="The product that held the certification, as it is now.")
    @staticmethod
    async def product(
        parents: list["CertificationRemoved"], info: Info
    ) -> list[Annotated["Product", strawberry.lazy("schema.products")]]:
        """The products of what was removed."""
        gtins = [shown(parent.removed).gtin for parent in parents]
        return shown(await products.products_of_gtins(info.context.operation, gtins))


RemoveCertificationResult = Annotated[
    CertificationRemoved
    | NotFoundProblem
    | ValidationProblem
    | ForbiddenProblem
    | NotAppliedProblem
    | PreconditionFailedProblem,
    strawberry.union("RemoveCertificationResult", description="What became of `removeCertification`."),
]


def certification_order(order_by: DefinitionOrder | None) -> Order:
    """The order that is asked for."""
    asked = order_by or DefinitionOrder()
    return definition_order("certifications", asked.field, descending=asked.descending)


@strawberry.type
class CertificationQueries:
    """The root fields about certifications."""

    @strawberry.field(description="Certifications that you may see, page by page.")
    async def certifications(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: Annotated[CertificationWhere | None, strawberry.argument(description="Which certifications.")] = None,
        order_by: Annotated[
            DefinitionOrder | None, strawberry.argument(description="The order; by label if left out.")
        ] = None,
    ) -> Connection[Certification] | None:
        """A page of definitions."""
        asked = await asked_for(
            info, CERTIFICATIONS, certification_order(order_by), where, (first, after, last, before)
        )
        found = await certifications.certifications_that_match(info.context.operation, asked.where)
        return listed(found, asked)

    @strawberry.field(
        description="What products hold, page by page: find them by what is held, and see which certificates lapse."
    )
    async def certification_assignments(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: Annotated[
            CertificationAssignmentWhere | None, strawberry.argument(description="Which assignments.")
        ] = None,
        order_by: Annotated[
            AssignmentOrder | None, strawberry.argument(description="The order; by GTIN if left out.")
        ] = None,
    ) -> Connection[CertificationAssignment] | None:
        """A page of assignments."""
        asked = await asked_for(
            info,
            CERTIFICATION_ASSIGNMENTS,
            certification_assignment_order_of(order_by),
            where,
            (first, after, last, before),
            "CertificationAssignment",
        )
        operation = info.context.operation
        page = await assignments.page_of_certification_assignments(operation, asked.where, asked.order, asked.window)
        return connection(page, asked, lambda: assignments.count_certification_assignments(operation, asked.where))

    @strawberry.field(
        description="One certification by its id or by its code; null when there is none that you may see."
    )
    async def certification(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = None,
        code: Annotated[
            str | None, strawberry.argument(description="Its code, for example `USDA_ORGANIC`, whatever the case.")
        ] = None,
    ) -> Certification | None:
        """The definition of a certification."""
        key = id_or_code(id, code)
        if key.id is not None:
            return shown(await certifications.certification(info.context.operation, key.id))
        return shown(await certifications.certification_of_code(info.context.operation, key.code))


@strawberry.type
class CertificationMutations:
    """The root fields that change certifications of products."""

    @strawberry.mutation(description="Changes what is recorded about a certification that your product holds.")
    @as_mutation
    async def patch_certification_assignment(
        self,
        info: Info,
        input: Annotated[
            PatchCertificationAssignmentInput,
            strawberry.argument(description="Which assignment, and what changes."),
        ],
    ) -> PatchCertificationAssignmentResult:
        """Contract C9."""
        command = PatchCertificationAssignment.parse(patch_members(input))
        change = await certifications.patch_certification_assignment(info.context.operation, command)
        return CertificationAssignmentPatched.of(change)

    @strawberry.mutation(description="Puts a certification on a product that your organisation owns.")
    @as_mutation
    async def assign_certification(
        self,
        info: Info,
        input: Annotated[
            AssignCertificationInput, strawberry.argument(description="Which certification on which product.")
        ],
    ) -> AssignCertificationResult:
        """Contract C8."""
        command = AssignCertification.parse(sent_members(input))
        change = await certifications.assign_certification(info.context.operation, command)
        return CertificationAssigned.of(change)

    @strawberry.mutation(description="Takes a certification off a product that your organisation owns.")
    @as_mutation
    async def remove_certification(
        self,
        info: Info,
        input: Annotated[
            RemoveCertificationInput, strawberry.argument(description="Which certification of which product.")
        ],
    ) -> RemoveCertificationResult:
        """Contract C10."""
        command = RemoveCertification.parse(sent_members(input))
        change = await certifications.remove_certification(info.context.operation, command)
        return CertificationRemoved.of(change)
