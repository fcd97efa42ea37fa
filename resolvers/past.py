"""What became of products and of what they have: the log of changes, as each caller may see it."""

from datetime import datetime
from typing import Any

import msgspec

from db import past
from domain.errors import NotFound
from domain.history import ListHistory, PastChange, Subject
from domain.paging import Page, Window
from domain.records import CertificationAssignment, ClaimAssignment, Product
from domain.short_id import ShortId
from resolvers import certifications
from resolvers.operation import Context, read_operation
from resolvers.products import existing_product

Told = Product | CertificationAssignment | ClaimAssignment


def subject(of: Told, *, whole: bool = False) -> Subject:
    """The history of that; `whole`: of a product with all that it holds and claims, and did."""
    return Subject(of.gtin, None if whole else of.id)


@read_operation
async def page(context: Context, of: Subject, window: Window) -> Page[PastChange]:
    """Some of the changes, the latest first; a publishable key sees none."""
    if not context.caller.sees_private:
        return Page([], more=False)
    found = await past.page(context.database, of, await _hidden(context, of), window)
    return Page([_shown(context, change) for change in found.items], found.more)


@read_operation
async def count(context: Context, of: Subject) -> int:
    """How many changes there are."""
    if not context.caller.sees_private:
        return 0
    await context.pay_for_scan()
    return await past.count(context.database, of, await _hidden(context, of))


@read_operation
async def list_history(context: Context, command: ListHistory) -> list[PastChange]:
    """The changes of a product. Raises `NotFound`."""
    product = await existing_product(context, command.gtin)
    position: tuple[datetime, int] | None = None
    if command.below is not None:
        at = await past.moment(context.database, product.gtin, command.below)
        if at is None:
            raise NotFound(
                f"The product {product.gtin} has no change {command.below}; take below from an earlier answer."
            )
        position = (at, command.below)
    found = await page(context, subject(product, whole=command.whole), Window(command.limit, False, position))
    return [*found.items]


async def _hidden(context: Context, of: Subject) -> list[ShortId]:
    """The certifications that do not exist for the caller; of one thing, which is seen, none is asked for."""
    if of.object_id is not None:
        return []
    return await certifications.KIND.stored.hidden(context.database, context.caller.organization_ids)


def _shown(context: Context, change: PastChange) -> PastChange:
    """The change without what its owner keeps to itself."""
    if change.organization_id in context.caller.organization_ids:
        return change
    changes: list[Any] = [each for each in change.changes if each.path[0] != "metadata"]
    return msgspec.structs.replace(change, face=None, actor=None, request_id=None, changes=changes)
