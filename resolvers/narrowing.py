"""What a caller's filter of a long list comes down to, the same for pages, counts and statistics.

Conditions on definitions become lists of ids, and what is private to other organisations is left out (contract A12).
"""

from collections.abc import Callable
from typing import Any

from db.assignments import Assignments, certifications, claims
from domain.access import require_private
from domain.filters import (
    ACKNOWLEDGED,
    EVERYTHING,
    Condition,
    Not,
    Where,
    among_own,
    asks_for,
    changed_below,
    every,
    owned,
    settled,
)
from domain.publishable import PRIVATE_MEMBERS
from resolvers.operation import Context, read_operation


@read_operation
async def of_products(context: Context, where: Where) -> Where:
    """The filter of products as `db` answers it. Raises `Forbidden`."""
    if where == EVERYTHING:
        return where
    asked = _of_caller(context, where)
    for stored in (certifications, claims):
        kind = stored.listed.definitions
        if asks_for(asked, kind, "some"):
            asked = changed_below(asked, kind, await _narrowed(context, stored))
    return asked


@read_operation
async def of_assignments(context: Context, stored: Assignments[Any, Any], where: Where) -> Where:
    """The filter as `db` answers it: no conditions on definitions, and only what exists for the caller.

    Raises `Forbidden`.
    """
    return (await _narrowed(context, stored))(where)


async def _narrowed(context: Context, stored: Assignments[Any, Any]) -> Callable[[Where], Where]:
    """What makes filters of such assignments. It raises `Forbidden`."""
    visible = await stored.every(context.database, context.caller.organization_ids)
    hidden = await stored.hidden(context.database, context.caller.organization_ids)
    exists = [Not(Condition(f"{stored.name}_id", "in", tuple(sorted(hidden))))] if hidden else []
    return lambda where: every([settled(_of_caller(context, where), stored.name, visible), *exists])


def _of_caller(context: Context, where: Where) -> Where:
    if asks_for(where, "organization_id", "own"):
        where = owned(where, [organization.id for organization in context.caller.organizations])
    for member in PRIVATE_MEMBERS:
        if asks_for(where, member):
            require_private(context.caller, "metadata" if member == "metadata" else "evidence")
    if asks_for(where, ACKNOWLEDGED):
        require_private(context.caller, "acknowledgements")
    return among_own(where, context.caller.organization_ids)
