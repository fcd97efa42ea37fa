"""Assignments of every product: by page, by number, and those of certain certifications or claims."""

from collections.abc import Sequence
from itertools import chain

from db import lists
from db.assignments import certifications, claims
from domain.filters import Where
from domain.paging import Order, Page, Window, cut
from domain.records import CertificationAssignment, ClaimAssignment
from domain.short_id import ShortId
from resolvers import narrowing
from resolvers.operation import Context, read_operation


@read_operation
async def page_of_certification_assignments(
    context: Context, where: Where, order: Order, window: Window
) -> Page[CertificationAssignment]:
    """Some of the assignments that pass the filter. Raises `Forbidden`."""
    asked = await narrowing.of_certification_assignments(context, where)
    page = await lists.page(
        context.database, certifications.listed, context.caller.organization_ids, asked, order, window
    )
    return _visible(context, page)


@read_operation
async def count_certification_assignments(context: Context, where: Where) -> int:
    """How many assignments pass the filter. Raises `Forbidden`."""
    await context.pay_for_scan()
    asked = await narrowing.of_certification_assignments(context, where)
    return await lists.count(context.database, certifications.listed, asked)


@read_operation
async def page_of_claim_assignments(
    context: Context, where: Where, order: Order, window: Window
) -> Page[ClaimAssignment]:
    """Some of the assignments that pass the filter. Raises `Forbidden`."""
    asked = await narrowing.of_claim_assignments(context, where)
    return await lists.page(context.database, claims.listed, context.caller.organization_ids, asked, order, window)


@read_operation
async def count_claim_assignments(context: Context, where: Where) -> int:
    """How many assignments pass the filter. Raises `Forbidden`."""
    await context.pay_for_scan()
    asked = await narrowing.of_claim_assignments(context, where)
    return await lists.count(context.database, claims.listed, asked)


@read_operation
async def pages_of_certifications(
    context: Context, groups: Sequence[Sequence[ShortId]], where: Where, order: Order, window: Window
) -> list[Page[CertificationAssignment]]:
    """For each group of certifications, which the caller sees, a page of their assignments; all in one statement."""
    asked = await narrowing.of_certification_assignments(context, where)
    found = await lists.first_of_each(
        context.database,
        certifications.listed,
        context.caller.organization_ids,
        _distinct(groups),
        asked,
        order,
        window,
    )
    return [_visible(context, _merged([found[id] for id in group], order, window)) for group in groups]


@read_operation
async def counts_of_certifications(context: Context, groups: Sequence[Sequence[ShortId]], where: Where) -> list[int]:
    """For each group of certifications how many assignments pass the filter; all in one statement."""
    await context.pay_for_scan()
    asked = await narrowing.of_certification_assignments(context, where)
    found = await lists.counts(context.database, certifications.listed, _distinct(groups), asked)
    return [sum(found[id] for id in group) for group in groups]


@read_operation
async def pages_of_claims(
    context: Context, ids: Sequence[ShortId], where: Where, order: Order, window: Window
) -> list[Page[ClaimAssignment]]:
    """For each claim a page of its assignments; all in one statement."""
    asked = await narrowing.of_claim_assignments(context, where)
    found = await lists.first_of_each(
        context.database, claims.listed, context.caller.organization_ids, _distinct([ids]), asked, order, window
    )
    return [cut(found[id], window) for id in ids]


@read_operation
async def counts_of_claims(context: Context, ids: Sequence[ShortId], where: Where) -> list[int]:
    """For each claim how many assignments pass the filter; all in one statement."""
    await context.pay_for_scan()
    asked = await narrowing.of_claim_assignments(context, where)
    found = await lists.counts(context.database, claims.listed, _distinct([ids]), asked)
    return [found[id] for id in ids]


def _distinct(groups: Sequence[Sequence[ShortId]]) -> list[ShortId]:
    return list(dict.fromkeys(chain.from_iterable(groups)))


def _merged(
    groups: Sequence[list[CertificationAssignment]], order: Order, window: Window
) -> Page[CertificationAssignment]:
    if len(groups) == 1:
        return cut(groups[0], window)
    return cut(order.arranged(chain.from_iterable(groups), backward=window.backward), window)


def _visible(context: Context, page: Page[CertificationAssignment]) -> Page[CertificationAssignment]:
    # The filter knows which definitions are hidden; this is for one that came after it was made.
    return Page(certifications.visible([*page.items], context.caller.organization_ids), page.more)
