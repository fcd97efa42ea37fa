"""The lists that views and files are made of, and the operations that read each."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from domain.filters import Where
from domain.lists import List
from domain.paging import Order, Page, Window
from domain.views import LIST_OF
from domain.vocabulary import ViewKind
from resolvers import assignments, certifications, claims, products
from resolvers.definitions import Kind
from resolvers.operation import Context


class ListOperations(NamedTuple):
    """A list of the gateway, and the operations that read a page of it and count it, by one filter or by several."""

    of: List
    page: Callable[[Context, Where, Order, Window], Awaitable[Page[Any]]]
    total: Callable[[Context, Where], Awaitable[int]]
    totals: Callable[[Context, Sequence[Where]], Awaitable[list[int]]]


def _assignments(view: ViewKind, kind: Kind[Any, Any]) -> ListOperations:
    return ListOperations(
        LIST_OF[view],
        lambda context, where, order, window: assignments.page(context, kind, where, order, window),
        lambda context, where: assignments.count(context, kind, where),
        lambda context, wheres: assignments.counts(context, kind, wheres),
    )


LISTS: dict[str, ListOperations] = {
    ViewKind.PRODUCTS: ListOperations(
        LIST_OF[ViewKind.PRODUCTS],
        products.page_of_products,
        products.count_products,
        products.counts_of_products,
    ),
    ViewKind.CERTIFICATIONS: _assignments(ViewKind.CERTIFICATIONS, certifications.KIND),
    ViewKind.CLAIMS: _assignments(ViewKind.CLAIMS, claims.KIND),
}
"""By their names. What products hold and claim goes by the names of what is held and claimed."""
