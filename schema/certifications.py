"""Certifications in GraphQL: the definitions, and what a product holds."""

import strawberry

from domain.lists import CERTIFICATION_ASSIGNMENTS, CERTIFICATIONS
from resolvers import certifications
from resolvers.certifications import KIND
from schema import lists
from schema.assignments import assignment_mutations
from schema.connections import Connection, ListRequest, paged
from schema.context import Info
from schema.inputs import by_id_or_code
from schema.objects import CertificationAssignmentType, CertificationType


@strawberry.type
class CertificationQueries:
    """The root fields about certifications."""

    @strawberry.field(description="Certifications that you may see, page by page.")
    @paged(CERTIFICATIONS)
    async def certifications(self, info: Info, asked: ListRequest) -> Connection[CertificationType] | None:
        """A page of definitions."""
        return await lists.page_of_definitions(info, KIND, asked)

    @strawberry.field(
        description="What products hold, page by page: find them by what is held, and see which certificates lapse."
    )
    @paged(CERTIFICATION_ASSIGNMENTS)
    async def certification_assignments(
        self, info: Info, asked: ListRequest
    ) -> Connection[CertificationAssignmentType] | None:
        """A page of assignments."""
        return await lists.page_of_assignments(info, KIND, asked)

    certification = by_id_or_code(
        CertificationType,
        KIND,
        "One certification by its id or by its code; null when there is none that you may see.",
        "`USDA_ORGANIC`",
    )


MUTATIONS = [
    *assignment_mutations(
        "certification",
        ("hold", "holds", "held"),
        CertificationAssignmentType,
        assign=certifications.assign_certification,
        patch=certifications.patch_certification_assignment,
        remove=certifications.remove_certification,
    )
]
