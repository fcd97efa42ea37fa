"""Claims in GraphQL: the definitions, and what a product claims."""

from datetime import date
from typing import Annotated

import strawberry
from strawberry import Maybe

from domain import vocabulary
from domain.commands import AssignClaim, PatchClaimAssignment, RemoveClaim
from domain.filter_input import CLAIM_ASSIGNMENTS, CLAIMS
from domain.paging import definition_order
from resolvers import assignments, claims, definitions
from schema.assignments import Write, assignment_mutations
from schema.connections import After, Before, Connection, First, Last, asked_for, connection, listed
from schema.context import Info
from schema.filters import AssignmentOrder, ClaimAssignmentWhere, ClaimWhere, DefinitionOrder
from schema.inputs import id_or_code
from schema.lists import claim_assignment_order_of
from schema.objects import ClaimAssignmentType, ClaimType
from schema.records import shown
from schema.scalars import Metadata


@strawberry.input(description="Which claim to put on which product, and what is known about it.")
class AssignClaimInput:
    """Contract 2.7."""

    gtin: str = strawberry.field(description="The product's GTIN: 8 to 14 digits, without blanks or hyphens.")
    claim_id: strawberry.ID = strawberry.field(description="The claim's id, 22 characters or a UUID.")
    source: vocabulary.ClaimSource = strawberry.field(
        default=vocabulary.ClaimSource.BRAND_SELF_DECLARED,
        description="Who stands behind it. `THIRD_PARTY_VERIFIED` only where an audit trail exists.",
    )
    valid_from: date | None = strawberry.field(default=None, description="First day of validity.")
    expiration_date: date | None = strawberry.field(default=None, description="Last day of validity; null for none.")
    evidence_url: str = strawberry.field(default="", description="Where supporting evidence is: an http(s) URL.")
    evidence_note: str = strawberry.field(default="", description="Notes on the evidence.")
    metadata: Metadata | None = strawberry.field(default=None, description="Your own data about the assignment.")


@strawberry.input(
    description=(
        "Which claim of which product to change, and its new values. A member that is left out stays as it is;"
        " null clears dates, empties texts, and is refused for `source` and `metadata`."
    )
)
class PatchClaimAssignmentInput:
    """Contract C13."""

    gtin: str = strawberry.field(description="The product's GTIN: 8 to 14 digits, without blanks or hyphens.")
    claim_id: strawberry.ID = strawberry.field(description="The claim's id (not the assignment's).")
    source: Maybe[vocabulary.ClaimSource | None] = strawberry.field(description="Who stands behind it.")
    valid_from: Maybe[date | None] = strawberry.field(description="First day of validity.")
    expiration_date: Maybe[date | None] = strawberry.field(description="Last day of validity.")
    evidence_url: Maybe[str | None] = strawberry.field(description="Where supporting evidence is: an http(s) URL.")
    evidence_note: Maybe[str | None] = strawberry.field(description="Notes on the evidence.")
    metadata: Maybe[Metadata | None] = strawberry.field(
        description="Your own data about the assignment, merged into what is stored."
    )
    clear_metadata: bool = strawberry.field(default=False, description="Delete all metadata.")
    if_match: int | None = strawberry.field(
        default=None, description="Refuse the change unless the assignment is at this `version`."
    )


@strawberry.input(description="Which claim to take off which product.")
class RemoveClaimInput:
    """Contract C14."""

    gtin: str = strawberry.field(description="The product's GTIN: 8 to 14 digits, without blanks or hyphens.")
    claim_id: strawberry.ID = strawberry.field(description="The claim's id (not the assignment's).")
    if_match: int | None = strawberry.field(
        default=None, description="Refuse the change unless the assignment is at this `version`."
    )


@strawberry.type
class ClaimQueries:
    """The root fields about claims."""

    @strawberry.field(description="Claims, page by page.")
    async def claims(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: Annotated[ClaimWhere | None, strawberry.argument(description="Which claims.")] = None,
        order_by: Annotated[
            DefinitionOrder | None, strawberry.argument(description="The order; by label if left out.")
        ] = None,
    ) -> Connection[ClaimType] | None:
        """A page of definitions."""
        by = order_by or DefinitionOrder()
        order = definition_order("claims", by.field, descending=by.descending)
        asked = await asked_for(info, CLAIMS, order, where, (first, after, last, before))
        return listed(await definitions.definitions_that_match(info.context.operation, claims.KIND, asked.where), asked)

    @strawberry.field(description="What products claim, page by page: find them by what is claimed.")
    async def claim_assignments(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: Annotated[ClaimAssignmentWhere | None, strawberry.argument(description="Which assignments.")] = None,
        order_by: Annotated[
            AssignmentOrder | None, strawberry.argument(description="The order; by GTIN if left out.")
        ] = None,
    ) -> Connection[ClaimAssignmentType] | None:
        """A page of assignments."""
        order = claim_assignment_order_of(order_by)
        asked = await asked_for(info, CLAIM_ASSIGNMENTS, order, where, (first, after, last, before), "ClaimAssignment")
        operation = info.context.operation
        page = await assignments.page(operation, claims.KIND, asked.where, asked.order, asked.window)
        return connection(page, asked, lambda: assignments.count(operation, claims.KIND, asked.where))

    @strawberry.field(description="One claim by its id or by its code; null when there is none.")
    async def claim(
        self,
        info: Info,
        id: Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")] = None,
        code: Annotated[
            str | None, strawberry.argument(description="Its code, for example `VEGAN`, whatever the case.")
        ] = None,
    ) -> ClaimType | None:
        """The definition of a claim."""
        key = id_or_code(id, code)
        if key.id is not None:
            return shown(await definitions.definition(info.context.operation, claims.KIND, key.id))
        return shown(await definitions.definition_of_code(info.context.operation, claims.KIND, key.code))


MUTATIONS = assignment_mutations(
    "claim",
    ("make", "makes", "made"),
    ClaimAssignmentType,
    assign=Write(AssignClaim, claims.assign_claim, AssignClaimInput),
    patch=Write(PatchClaimAssignment, claims.patch_claim_assignment, PatchClaimAssignmentInput),
    remove=Write(RemoveClaim, claims.remove_claim, RemoveClaimInput),
)
