"""How many assignments there are, by status, body, country and so on, and by when they lapse."""

from collections.abc import Collection
from typing import Any

from db import stats
from domain.filters import Where
from domain.stats import ExpiryBucket, Stats
from domain.vocabulary import Vocabulary
from resolvers import narrowing
from resolvers.definitions import Kind
from resolvers.operation import Context, read_operation


@read_operation
async def assignment_stats(
    context: Context,
    kind: Kind[Any, Any],
    where: Where,
    by: Collection[Vocabulary],
    bucket: ExpiryBucket | None,
    *,
    products: bool = False,
) -> Stats:
    """The assignments that pass the filter and exist for the caller, counted in one statement. Raises `Forbidden`.

    `products` counts their different products, too.
    """
    await context.pay_for_scan()
    asked = await narrowing.of_assignments(context, kind.stored, where)
    return await stats.of_assignments(context.database, kind.stored.table, asked, by, bucket, products=products)
