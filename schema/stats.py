"""Statistics in GraphQL: how many assignments there are, by what they have in common and by when they lapse.

Certifications and claims have a field each, because they are grouped by different things: what cannot be asked together
is refused by the schema, where a client sees it before it asks.
"""

from datetime import date
from typing import Annotated

import strawberry

from domain import vocabulary
from domain.filter_input import parse_where
from domain.lists import CERTIFICATION_ASSIGNMENTS, CLAIM_ASSIGNMENTS
from domain.stats import (
    CertificationGroup,
    CertificationGrouping,
    ClaimGroup,
    ClaimGrouping,
    ExpiryBucket,
    Stats,
)
from execution.markers import cost
from resolvers import stats
from schema.context import Info
from schema.filters import CertificationAssignmentWhere, ClaimAssignmentWhere
from schema.inputs import plain_members
from schema.objects import CertificationBodyType, CertificationType, ClaimType
from schema.records import record_type, shown

WEIGHT = 2_000
"""What one of these fields costs: it may have to look at every assignment there is, so a document has a few at most."""

GroupBucket = Annotated[
    ExpiryBucket | None,
    strawberry.argument(description="Count those apart that lapse in different periods of this length."),
]
FROM = "First day of the period in which they lapse; null without `bucket`, and for those that never lapse."
TO = "Last day of that period. With `expiresFrom` it is the range of `lapsesOn` that lists these assignments."
COUNT = "How many there are; never 0."
TOTAL = "How many assignments pass the filter, each counted once."
TRUNCATED = "Whether there are more than 1,000 groups, so that some are missing here; narrow them down with `where`."
GROUPS = "At most 1,000 groups: by period, those that never lapse last; then by size, the largest first."


@record_type(
    CertificationGroup,
    name="CertificationAssignmentStatsGroup",
    description=(
        "Certification assignments that have something in common. A member by which they were not grouped is null;"
        " one by which they were is null where they lack it."
    ),
)
class CertificationAssignmentStatsGroup:
    """One group."""

    verification_status: vocabulary.VerificationStatus | None = strawberry.field(
        description="Their verification status, with `STATUS`."
    )
    body: CertificationBodyType | None = strawberry.field(
        description="Who owns or runs the certification, with `BODY`; null where not recorded."
    )
    certification: CertificationType | None = strawberry.field(description="The certification, with `CERTIFICATION`.")
    country: str | None = strawberry.field(
        description="A country of the certificate, ISO 3166-1 alpha-2, with `COUNTRY`; null where none is recorded."
    )
    expires_from: date | None = strawberry.field(description=FROM)
    expires_to: date | None = strawberry.field(description=TO)
    count: int = strawberry.field(description=COUNT)


@record_type(Stats, name="CertificationAssignmentStats", description="How many certifications products hold.")
class CertificationAssignmentStats:
    """The statistics of certification assignments."""

    total_count: int = strawberry.field(description=TOTAL)
    groups: list[CertificationAssignmentStatsGroup] = strawberry.field(description=GROUPS)
    truncated: bool = strawberry.field(description=TRUNCATED)


@record_type(
    ClaimGroup,
    name="ClaimAssignmentStatsGroup",
    description="Claim assignments that have something in common. A member by which they were not grouped is null.",
)
class ClaimAssignmentStatsGroup:
    """One group."""

    source: vocabulary.ClaimSource | None = strawberry.field(description="Who stands behind the claim, with `SOURCE`.")
    category: vocabulary.ClaimCategory | None = strawberry.field(
        description="What the claim is about, with `CATEGORY`."
    )
    claim: ClaimType | None = strawberry.field(description="The claim, with `CLAIM`.")
    expires_from: date | None = strawberry.field(description=FROM)
    expires_to: date | None = strawberry.field(description=TO)
    count: int = strawberry.field(description=COUNT)


@record_type(Stats, name="ClaimAssignmentStats", description="How many claims products make.")
class ClaimAssignmentStats:
    """The statistics of claim assignments."""

    total_count: int = strawberry.field(description=TOTAL)
    groups: list[ClaimAssignmentStatsGroup] = strawberry.field(description=GROUPS)
    truncated: bool = strawberry.field(description=TRUNCATED)


@strawberry.type
class StatsQueries:
    """The root fields that count."""

    @strawberry.field(
        metadata=cost(weight=WEIGHT),
        description=(
            "How many certifications products hold, by any of status, body, certification, country and the period in"
            " which they lapse: for example how many certificates of each body lapse in each month."
        ),
    )
    async def certification_assignment_stats(
        self,
        info: Info,
        where: Annotated[
            CertificationAssignmentWhere | None,
            strawberry.argument(description="Which assignments to count; all if left out."),
        ] = None,
        group_by: Annotated[
            list[CertificationGrouping] | None,
            strawberry.argument(description="What those counted together have in common; one group if left out."),
        ] = None,
        bucket: GroupBucket = None,
    ) -> CertificationAssignmentStats | None:
        """Counts of certification assignments."""
        operation = info.context.operation
        conditions = parse_where(CERTIFICATION_ASSIGNMENTS.fields, plain_members(where), operation.today)
        return shown(await stats.certification_assignment_stats(operation, conditions, group_by or (), bucket))

    @strawberry.field(
        metadata=cost(weight=WEIGHT),
        description="How many claims products make, by any of source, category, claim and the period of their lapse.",
    )
    async def claim_assignment_stats(
        self,
        info: Info,
        where: Annotated[
            ClaimAssignmentWhere | None, strawberry.argument(description="Which assignments to count.")
        ] = None,
        group_by: Annotated[
            list[ClaimGrouping] | None,
            strawberry.argument(description="What those counted together have in common; one group if left out."),
        ] = None,
        bucket: GroupBucket = None,
    ) -> ClaimAssignmentStats | None:
        """Counts of claim assignments."""
        operation = info.context.operation
        conditions = parse_where(CLAIM_ASSIGNMENTS.fields, plain_members(where), operation.today)
        return shown(await stats.claim_assignment_stats(operation, conditions, group_by or (), bucket))
