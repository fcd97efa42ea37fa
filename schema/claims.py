"""Claims in GraphQL: the definitions, and what a product claims."""

import strawberry

from domain.lists import CLAIM_ASSIGNMENTS, CLAIMS
from resolvers import acknowledgements, claims
from resolvers.claims import KIND
from schema import lists
from schema.assignments import acknowledgement_mutations, assignment_mutations
from schema.inputs import by_id_or_code
from schema.objects import ClaimAssignmentType, ClaimType


@strawberry.type
class ClaimQueries:
    """The root fields about claims."""

    claims = lists.definitions_field(CLAIMS, KIND, ClaimType, "Claims, page by page.")
    claim_assignments = lists.assignments_field(
        CLAIM_ASSIGNMENTS,
        KIND,
        ClaimAssignmentType,
        "What products claim, page by page: find them by what is claimed.",
    )
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
    ),
    *acknowledgement_mutations("claim", acknowledgements.acknowledge_claim, acknowledgements.unacknowledge_claim),
]
