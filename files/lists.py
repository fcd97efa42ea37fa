"""The lists that can be exported, and how one is read to its end: page by page, so that no more is held in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import count
from typing import Any, NamedTuple

from domain.errors import RateLimited
from domain.filters import Where
from domain.lists import CERTIFICATION_ASSIGNMENTS, CLAIM_ASSIGNMENTS, PRODUCTS, List
from domain.paging import Order, Page, Window
from resolvers import assignments, certifications, claims, products
from resolvers.definitions import Kind
from resolvers.operation import Context

PAGE = 100
"""How many records are read at once: so long others wait for their turn."""

PAGES_A_UNIT = 10
"""How many pages a unit of the rate limit pays for."""

PATIENCE = 60
"""Seconds for which an export that has begun waits at most until its caller may ask again."""


class ExportedList(NamedTuple):
    """A list of the gateway, and the operation that reads it."""

    of: List
    page: Callable[[Context, Where, Order, Window], Awaitable[Page[Any]]]

    @property
    def order(self) -> Order:
        """By GTIN, so that what belongs to a product stands together."""
        return self.of.orders.usual


def _page_of(kind: Kind[Any, Any]) -> Callable[[Context, Where, Order, Window], Awaitable[Page[Any]]]:
    return lambda context, where, order, window: assignments.page(context, kind, where, order, window)


LISTS = {
    "products": ExportedList(PRODUCTS, products.page_of_products),
    "certifications": ExportedList(CERTIFICATION_ASSIGNMENTS, _page_of(certifications.KIND)),
    "claims": ExportedList(CLAIM_ASSIGNMENTS, _page_of(claims.KIND)),
}
"""What is exported, by its name. What products hold and claim goes by the names of what is held and claimed."""


async def pages(context: Context, listed: ExportedList, where: Where) -> AsyncIterator[Sequence[Any]]:
    """The records that pass the filter, by GTIN, each page as it is stored when its turn comes.

    Raises what the list's operation raises, and `RateLimited` where the caller has nothing left for a beginning; later
    it waits.
    """
    await context.pay_for_scan()
    window = Window(PAGE)
    for number in count(1):
        page = await listed.page(context, where, listed.order, window)
        if page.items:
            yield page.items
        if not page.more:
            return
        if number % PAGES_A_UNIT == 0:
            await _paid(context)
        window = window._replace(position=listed.order.key(page.items[-1]))
        # SQLite answers at once, and others want their turn.
        await asyncio.sleep(0)


async def _paid(context: Context) -> None:
    """Pays for some pages. Raises `RateLimited` when that would take longer than anybody waits."""
    try:
        await context.pay(1)
    except RateLimited as error:
        if error.retry_after > PATIENCE:
            raise
        await asyncio.sleep(error.retry_after)
        await context.pay(1)
