"""How a list that is exported is read to its end: page by page, so that no more is held in memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import count
from typing import Any

from domain.errors import RateLimited
from domain.filters import Where
from domain.paging import Window
from resolvers.listed import ListOperations
from resolvers.operation import Context

PAGE = 100
"""How many records are read at once: so long others wait for their turn."""

PAGES_A_UNIT = 10
"""How many pages a unit of the rate limit pays for."""

PATIENCE = 60
"""Seconds for which an export that has begun waits at most until its caller may ask again."""


async def pages(context: Context, listed: ListOperations, where: Where) -> AsyncIterator[Sequence[Any]]:
    """The records that pass the filter, by GTIN, each page as it is stored when its turn comes.

    Raises what the list's operation raises, and `RateLimited` where the caller has nothing left for a beginning; later
    it waits.
    """
    await context.pay_for_scan()
    window, order = Window(PAGE), listed.of.orders.usual
    for number in count(1):
        page = await listed.page(context, where, order, window)
        if page.items:
            yield page.items
        if not page.more:
            return
        if number % PAGES_A_UNIT == 0:
            await _paid(context)
        window = window._replace(position=order.key(page.items[-1]))
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
