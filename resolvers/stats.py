"""How many assignments there are, by status, body, country and so on, and by when they lapse."""

from collections.abc import Collection

from db import stats
from db.assignments import certifications, claims
from domain.filters import Where
from domain.stats import CertificationGroup, CertificationGrouping, ClaimGroup, ClaimGrouping, ExpiryBucket, Stats
from resolvers import narrowing
from resolvers.operation import Context, read_operation


@read_operation
async def certification_assignment_stats(
    context: Context, where: Where, by: Collection[CertificationGrouping], bucket: ExpiryBucket | None
) -> Stats[CertificationGroup]:
    """The assignments that pass the filter and exist for the caller, counted in one statement. Raises `Forbidden`."""
    await context.pay_for_scan()
    asked = await narrowing.of_assignments(context, certifications, where)
    return await stats.of_certification_assignments(context.database, asked, by, bucket)


@read_operation
async def claim_assignment_stats(
    context: Context, where: Where, by: Collection[ClaimGrouping], bucket: ExpiryBucket | None
) -> Stats[ClaimGroup]:
    """The assignments that pass the filter, counted in one statement. Raises `Forbidden`."""
    await context.pay_for_scan()
    asked = await narrowing.of_assignments(context, claims, where)
    return await stats.of_claim_assignments(context.database, asked, by, bucket)
