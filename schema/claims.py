"""Claims in GraphQL: the definitions, and what a product claims."""

import strawberry

from domain.lists import CLAIM_ASSIGNMENTS, CLAIMS
from resolvers import claims
from resolvers.claims import KIND
from schema import lists
from schema.assignments import assignment_mutations
from schema.connections import Connection, ListRequest, paged
from schema.context import Info
from schema.inputs import by_id_or_code
from schema.objects import ClaimAssignmentType, ClaimType


@strawberry.type
class ClaimQueries:
    """The root fields about claims."""

    @strawberry.field(description="Claims, page by page.")
    @paged(CLAIMS)
    async def claims(self, info: Info, asked: ListRequest) -> Connection[ClaimType] | None:
        """A page of definitions."""
        return await lists.page_of_definitions(info, KIND, asked)

    @strawberry.field(description="What products claim, page by page: find them by what is claimed.")
    @paged(CLAIM_ASSIGNMENTS)
    async def claim_assignments(self, info: Info, asked: ListRequest) -> Connection[ClaimAssignmentType] | None:
        """A page of assignments."""
        return await lists.page_of_assignments(info, KIND, asked)

    claim = by_id_or_code(
        ClaimType,
        KIND,
        "One claim by its id or by its code; null when there is none.",
        "`VEGAN`",
    )


MUTATIONS = [
    *assignment_mutations(
        "claim",
        ("make", "makes", "made"),
        ClaimAssignmentType,
        assign=claims.assign_claim,
        patch=claims.patch_claim_assignment,
        remove=claims.remove_claim,
    )
]
