"""Certifications in GraphQL: the definitions, and what a product holds."""

import strawberry

from domain.lists import CERTIFICATION_ASSIGNMENTS, CERTIFICATIONS
from resolvers import acknowledgements, certifications
from resolvers.certifications import KIND
from schema import lists
from schema.assignments import acknowledgement_mutations, assignment_mutations
from schema.inputs import by_id_or_code
from schema.objects import CertificationAssignmentType, CertificationType


@strawberry.type
class CertificationQueries:
    """The root fields about certifications."""

    certifications = lists.definitions_field(
        CERTIFICATIONS, KIND, CertificationType, "Certifications that you may see, page by page."
    )
    certification_assignments = lists.assignments_field(
        CERTIFICATION_ASSIGNMENTS,
        KIND,
        CertificationAssignmentType,
        "What products hold, page by page: find them by what is held, and see which certificates lapse.",
    )
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
    ),
    *acknowledgement_mutations(
        "certification", acknowledgements.acknowledge_certification, acknowledgements.unacknowledge_certification
    ),
]
