"""What a caller's filter of assignments comes down to, the same for lists, counts and statistics.

Conditions on definitions become lists of ids, and what is private to other organisations is left out (contract A12).
"""

from db import certifications, claims
from domain.filters import Condition, Not, Where, every, settled
from resolvers.operation import Context, read_operation


@read_operation
async def of_certification_assignments(context: Context, where: Where) -> Where:
    """The filter as `db` answers it: no conditions on definitions, and only what exists for the caller."""
    visible = await certifications.every(context.database, context.caller.organization_ids)
    hidden = await certifications.hidden(context.database, context.caller.organization_ids)
    asked = settled(where, "certification", visible)
    return every([asked, Not(Condition("certification_id", "in", tuple(sorted(hidden))))]) if hidden else asked


@read_operation
async def of_claim_assignments(context: Context, where: Where) -> Where:
    """The filter as `db` answers it: no conditions on definitions."""
    return settled(where, "claim", await claims.every(context.database))
