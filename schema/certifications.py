"""Certifications in GraphQL: the definitions, and what a product holds."""

from typing import Any

import strawberry

from domain.errors import Archived, NotFound
from domain.lists import CERTIFICATION_ASSIGNMENTS, CERTIFICATIONS
from domain.renewal import follows
from resolvers import acknowledgements, certifications
from resolvers.certifications import KIND
from resolvers.operation import MAX_ROWS
from schema import lists
from schema.assignments import Write, acknowledgement_mutations, assignment_mutations
from schema.changes import success_type
from schema.inputs import by_id_or_code
from schema.mutations import Mutation, Wording
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


def _gap_days(self: Any) -> int | None:
    return follows(self.change).gap_days


def _overlap_days(self: Any) -> int | None:
    return follows(self.change).overlap_days


def _goes_back(self: Any) -> bool:
    return follows(self.change).goes_back


def _standing_mutation(operation: Write, kind: str, asks: str, one: str, many: str, row: str) -> Mutation:
    """A mutation after which a certification stands otherwise."""
    return Mutation(
        operation=operation,
        asks=asks,
        versioned="assignment",
        refusals=(NotFound, Archived),
        success=success_type(
            f"Certification{kind}",
            "The certification stands as asked for.",
            "assignment",
            CertificationAssignmentType,
            "The assignment after the change.",
        ),
        words=Wording(one, row),
        bulk=Wording(many, f"{row.removesuffix('.')}, of each; at most {MAX_ROWS} rows."),
    )


_RENEWALS = [
    Mutation(
        operation=certifications.renew_certification,
        asks="Which certification of which product, and what its next certificate says.",
        versioned="assignment",
        refusals=(NotFound, Archived),
        success=success_type(
            "CertificationRenewed",
            "The next certificate is in the place of the one before, which is kept as an earlier one.",
            "assignment",
            CertificationAssignmentType,
            "The assignment with its new certificate.",
            gap_days=strawberry.field(
                resolver=_gap_days,
                description="How many days lie between the two, on which neither holds; null where a day is missing"
                " that would tell, and where nothing was renewed.",
            ),
            overlap_days=strawberry.field(
                resolver=_overlap_days, description="On how many days both hold; null as of `gapDays`."
            ),
            goes_back=strawberry.field(
                resolver=_goes_back, description="Whether the new one begins or ends before the one that it replaces."
            ),
        ),
        words=Wording(
            "Puts the next certificate in the place of the one that your product holds. That is kept among `previous`,"
            " with its suspension or withdrawal, which lasts until the next one begins.",
            "Which certification, and what the next certificate says.",
        ),
        bulk=Wording(
            "Puts next certificates in the place of those that your products hold.",
            f"Which certifications, and what the next certificates say; at most {MAX_ROWS} rows.",
        ),
    ),
    _standing_mutation(
        certifications.undo_renewal,
        "RenewalUndone",
        "Which certification of which product to undo the last renewal of.",
        "Puts the certificate before the newest back in its place, as if it had never been renewed: the first of"
        " `previous`. What was said of suspensions and withdrawals since stays.",
        "Puts the certificates before the newest back in their places.",
        "Which certifications.",
    ),
    _standing_mutation(
        certifications.suspend_certification,
        "Suspended",
        "Which certification of which product to suspend, on which days and why.",
        "Suspends a certificate that your product holds: on those days it is not active, and lapses when it did before."
        " Earlier suspensions stay.",
        "Suspends certificates that your products hold.",
        "Which certification, on which days and why.",
    ),
    _standing_mutation(
        certifications.withdraw_certification,
        "Withdrawn",
        "Which certification of which product to withdraw, from which day on and why.",
        "Withdraws a certificate that your product holds: from that day on it is not active, and the day before is the"
        " last one on which it holds.",
        "Withdraws certificates that your products hold.",
        "Which certification, from which day on and why.",
    ),
    _standing_mutation(
        certifications.reinstate_certification,
        "Reinstated",
        "Which certification of which product holds again, from which day on and why.",
        "Says that a certificate that your product holds is neither suspended nor withdrawn from a day on. The days"
        " before stay as they were.",
        "Lifts suspensions of certificates that your products hold, or takes withdrawals back.",
        "Which certification, from which day on and why.",
    ),
]

MUTATIONS = [
    *assignment_mutations(
        "certification",
        ("hold", "holds", "held"),
        CertificationAssignmentType,
        assign=certifications.assign_certification,
        patch=certifications.patch_certification_assignment,
        remove=certifications.remove_certification,
    ),
    *_RENEWALS,
    *acknowledgement_mutations(
        "certification", acknowledgements.acknowledge_certification, acknowledgements.unacknowledge_certification
    ),
]
