"""Connections, as in the Relay specification, with `nodes` for those who need no cursors.

The objects behind these types are `Shown`: cursors, edges and the total are made only where they are asked for.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import strawberry

from domain.cursors import cursor_at, read_cursor
from domain.filter_input import parse_where
from domain.filters import Where
from domain.lists import List
from domain.paging import Made, Order, OrderDirection, Page, Window, check_window, page_of
from domain.vocabulary import Vocabulary
from execution.batched import batched
from execution.markers import cost
from execution.run.rows import items
from resolvers.cursors import cursor_secret
from schema.context import Info
from schema.filters import order_input, where_input
from schema.inputs import plain_members
from schema.records import shown

T = TypeVar("T")

_PAGING: dict[str, Any] = {
    "first": Annotated[
        int | None,
        strawberry.argument(description="How many from the start on, 1 to 100; 25 if `last` is left out too."),
    ],
    "after": Annotated[str | None, strawberry.argument(description="Continue behind this cursor of an earlier page.")],
    "last": Annotated[
        int | None, strawberry.argument(description="How many before the end, 1 to 100; not together with `first`.")
    ],
    "before": Annotated[
        str | None,
        strawberry.argument(description="Continue before this cursor of an earlier page; not with `after`."),
    ],
}


@strawberry.type(description="Where a page lies in the whole list.")
class PageInfo:
    """As in the Relay connection specification."""

    has_next_page: bool = strawberry.field(
        description="Whether more follow; on a page `before` another it is true without looking."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether more lie before; on a page `after` another it is true without looking."
    )
    start_cursor: str | None = strawberry.field(description="Cursor of the first item; null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last item, for `after` of the next page; null on an empty page."
    )


@strawberry.type(description="One item of a page.")
class Edge(Generic[T]):
    """As in the Relay connection specification."""

    cursor: str = strawberry.field(description="Where the item lies in the list.")
    node: T = strawberry.field(description="The item.")


class Totals:
    """Counts the whole lists of connections that were asked for together, in one go."""

    def __init__(self, count: Callable[[], Awaitable[Sequence[int]]]) -> None:
        self.count = count


class Shown:
    """A page, with what is needed to tell its cursors and how long the whole list is."""

    __slots__ = ("asked", "at", "nodes", "page", "totals")

    def __init__(self, page: Page[Any], asked: "ListRequest", totals: Totals, at: int = 0) -> None:
        self.page = page
        self.nodes = page.items
        self.asked = asked
        self.totals = totals
        self.at = at

    def cursor(self, index: int) -> str:
        """The cursor of one of its items."""
        items = self.nodes
        record = items.record(index) if isinstance(items, Made) else items[index]
        return cursor_at(self.asked.secret, self.asked.order, self.asked.order.key(record))

    def page_info(self) -> PageInfo:
        """Where the page lies."""
        window, items = self.asked.window, self.nodes
        continued = window.position is not None
        return PageInfo(
            has_next_page=continued if window.backward else self.page.more,
            has_previous_page=self.page.more if window.backward else continued,
            start_cursor=self.cursor(0) if items else None,
            end_cursor=self.cursor(-1) if items else None,
        )


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page."""

    nodes: list[T] = strawberry.field(description="The items alone.")

    @strawberry.field(description="The items with their cursors.")
    def edges(self) -> list[Edge[T]]:
        """The items with their cursors."""
        page: Shown = shown(self)
        return [Edge(cursor=page.cursor(index), node=item) for index, item in enumerate(page.nodes)]

    @strawberry.field(description="Where the page lies.")
    def page_info(self) -> PageInfo:
        """Where the page lies."""
        page: Shown = shown(self)
        return page.page_info()

    # Counting may have to look at every item.
    @batched(
        description="How many items the whole list has. It is counted when you ask for it, which takes time.",
        metadata=cost(weight=100),
    )
    @staticmethod
    async def total_count(parents: list[Shown]) -> list[int]:
        """How long the lists are; those that were asked for together are counted together."""
        distinct = dict.fromkeys(parent.totals for parent in parents)
        counted = {totals: await totals.count() for totals in distinct}
        return [counted[parent.totals][parent.at] for parent in parents]


class ListRequest(NamedTuple):
    """What a list is asked for."""

    where: Where
    order: Order
    window: Window
    secret: str


def paged(
    of: List, order: type[Vocabulary] | None = None
) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]:
    """A list that is asked for in pages: its field has all arguments for it, the function a parameter `asked` instead.

    `order` names other fields than those that the list is usually ordered by. The function has a parameter named
    `info`, too. Arguments that are none fail the field with `InvalidInput`.
    """

    def decorate(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(function)
        async def page(
            *parents: Any,
            info: Info,
            first: int | None = None,
            after: str | None = None,
            last: int | None = None,
            before: str | None = None,
            where: Any = None,
            order_by: Any = None,
        ) -> Any:
            asked_window = check_window(first, after, last, before)
            order = of.orders.usual
            if order_by is not None:
                order = of.orders.by(order_by.field, descending=order_by.direction is OrderDirection.DESC)
            secret = await cursor_secret(info.context.operation)
            form = items(info)
            window = _window(asked_window, secret, order, after, before, form)
            conditions = parse_where(of.fields, plain_members(where), info.context.operation.today)
            found = await function(*parents, info=info, asked=ListRequest(conditions, order, window, secret))
            if form is not None:
                await form.finish()
            return found

        own = inspect.signature(function)
        page.__signature__ = own.replace(  # type: ignore[attr-defined]
            parameters=[
                *(parameter for parameter in own.parameters.values() if parameter.name != "asked"),
                *_arguments(of, order or of.orders.fields),
            ]
        )
        return page

    return decorate


def windowed(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """A list whose filter and order are not the caller's to say: its field has the arguments of pages, and its own.

    The function has a parameter `info`, and `asked` instead of them: it makes what the list is asked for of a filter
    and an order. Raises `InvalidInput` for arguments that are none.
    """

    @functools.wraps(function)
    async def page(
        root: Any,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        **others: Any,
    ) -> Any:
        asked_window = check_window(first, after, last, before)

        async def asked(where: Where, order: Order) -> ListRequest:
            secret = await cursor_secret(info.context.operation)
            return ListRequest(where, order, _window(asked_window, secret, order, after, before), secret)

        return await function(root, info=info, asked=asked, **others)

    own = inspect.signature(function)
    kept = [parameter for parameter in own.parameters.values() if parameter.name != "asked"]
    page.__signature__ = own.replace(parameters=[*kept, *_parameters(_PAGING)])  # type: ignore[attr-defined]
    return page


def _window(
    asked: tuple[int, bool], secret: str, order: Order, after: str | None, before: str | None, form: Any = None
) -> Window:
    size, backward = asked
    member, cursor = ("before", before) if backward else ("after", after)
    position = read_cursor(secret, order, cursor, member) if cursor else None
    return Window(size, backward, position, form)


def _arguments(of: List, order: type[Vocabulary]) -> list[inspect.Parameter]:
    which = strawberry.argument(description=f"Which {of.called}.")
    usual = strawberry.argument(description=f"The order; by `{next(iter(order)).name}` if left out.")
    annotations = {
        **_PAGING,
        "where": Annotated[where_input(of) | None, which],
        "order_by": Annotated[order_input(order) | None, usual],
    }
    return _parameters(annotations)


def _parameters(annotations: dict[str, Any]) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in annotations.items()
    ]


def connection(page: Page[Any], asked: ListRequest, count: Callable[[], Awaitable[int]]) -> Any:
    """The page as the GraphQL type that stands for it."""

    async def total() -> list[int]:
        return [await count()]

    return shown(Shown(page, asked, Totals(total)))


def connections(pages: Iterable[Page[Any]], asked: ListRequest, count: Callable[[], Awaitable[Sequence[int]]]) -> Any:
    """The pages of several parents as the GraphQL type that stands for them; `count` is of all of them, in order."""
    totals = Totals(count)
    return shown([Shown(page, asked, totals, at) for at, page in enumerate(pages)])


def listed(found: Sequence[Any], asked: ListRequest) -> Any:
    """The page of a list that is at hand as a whole, as the GraphQL type that stands for it."""

    async def total() -> list[int]:
        return [len(found)]

    return shown(Shown(page_of(found, asked.order, asked.window), asked, Totals(total)))
