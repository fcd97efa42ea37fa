"""What a caller's filter of a long list comes down to, the same for pages, counts and statistics.

Conditions on definitions become lists of ids, and what is private to other organisations is left out (contract A12).
"""

from db.assignments import certifications, claims
from domain.access import require_private
from domain.filters import Condition, Not, Where, among_own, asks_for, every, settled
from resolvers.operation import Context, read_operation


@read_operation
async def of_products(context: Context, where: Where) -> Where:
    """The filter of products as `db` answers it. Raises `Forbidden`."""
    return _with_own_notes(context, where)


@read_operation
async def of_certification_assignments(context: Context, where: Where) -> Where:
    """The filter as `db` answers it: no conditions on definitions, and only what exists for the caller.

    Raises `Forbidden`.
    """
    asked = _with_own_notes(context, where)
    visible = await certifications.every(context.database, context.caller.organization_ids)
    hidden = await certifications.hidden(context.database, context.caller.organization_ids)
    asked = settled(asked, "certification", visible)
    return every([asked, Not(Condition("certification_id", "in", tuple(sorted(hidden))))]) if hidden else asked


@read_operation
async def of_claim_assignments(context: Context, where: Where) -> Where:
    """The filter as `db` answers it: no conditions on definitions. Raises `Forbidden`."""
    return settled(_with_own_notes(context, where), "claim", await claims.every(context.database))


def _with_own_notes(context: Context, where: Where) -> Where:
    if not asks_for(where, "metadata"):
        return where
    require_private(context.caller, "metadata")
    return among_own(where, context.caller.organization_ids)
