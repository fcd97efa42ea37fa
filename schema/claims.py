"""Claims in GraphQL: the definitions, and what a product claims."""

from datetime import date

import strawberry
from strawberry import Maybe

from domain import vocabulary
from domain.lists import CLAIM_ASSIGNMENTS, CLAIMS
from resolvers import claims, definitions
from schema import lists
from schema.assignments import assignment_mutations
from schema.connections import Connection, ListRequest, paged
from schema.context import Info
from schema.inputs import by_id_or_code
from schema.objects import ClaimAssignmentType, ClaimType
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
    @paged(CLAIMS)
    async def claims(self, info: Info, asked: ListRequest) -> Connection[ClaimType] | None:
        """A page of definitions."""
        return await lists.page_of_definitions(info, claims.KIND, asked)

    @strawberry.field(description="What products claim, page by page: find them by what is claimed.")
    @paged(CLAIM_ASSIGNMENTS)
    async def claim_assignments(self, info: Info, asked: ListRequest) -> Connection[ClaimAssignmentType] | None:
        """A page of assignments."""
        return await lists.page_of_assignments(info, claims.KIND, asked)

    claim = by_id_or_code(
        ClaimType,
        "One claim by its id or by its code; null when there is none.",
        "`VEGAN`",
        lambda context, key: definitions.definition(context, claims.KIND, key),
        lambda context, code: definitions.definition_of_code(context, claims.KIND, code),
    )


MUTATIONS = assignment_mutations(
    "claim",
    ("make", "makes", "made"),
    ClaimAssignmentType,
    assign=(claims.assign_claim, AssignClaimInput),
    patch=(claims.patch_claim_assignment, PatchClaimAssignmentInput),
    remove=(claims.remove_claim, RemoveClaimInput),
)
