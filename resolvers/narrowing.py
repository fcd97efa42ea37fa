"""What a caller's filter of a long list comes down to, the same for pages, counts and statistics.

Conditions on definitions become lists of ids, and what is private to other organisations is left out (contract A12).
"""

from db import certifications, claims
from domain.access import require_private
from domain.filters import Condition, Not, Where, asks_for, every, settled
from resolvers.operation import Context, read_operation


@read_operation
async def of_products(context: Context, where: Where) -> Where:
    """The filter of products as `db` answers it. Raises `Forbidden`."""
    _require_no_secret(context, where)
    return where


@read_operation
async def of_certification_assignments(context: Context, where: Where) -> Where:
    """The filter as `db` answers it: no conditions on definitions, and only what exists for the caller.

    Raises `Forbidden`.
    """
    _require_no_secret(context, where)
    visible = await certifications.every(context.database, context.caller.organization_ids)
    hidden = await certifications.hidden(context.database, context.caller.organization_ids)
    asked = settled(where, "certification", visible)
    return every([asked, Not(Condition("certification_id", "in", tuple(sorted(hidden))))]) if hidden else asked


@read_operation
async def of_claim_assignments(context: Context, where: Where) -> Where:
    """The filter as `db` answers it: no conditions on definitions. Raises `Forbidden`."""
    _require_no_secret(context, where)
    return settled(where, "claim", await claims.every(context.database))


def _require_no_secret(context: Context, where: Where) -> None:
    if asks_for(where, "metadata"):
        require_private(context.caller, "metadata")
