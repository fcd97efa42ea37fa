"""Connections, as in the Relay specification, with `nodes` for those who need no cursors."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import strawberry

from resolvers.products import check_page_size
from schema.cursors import slice_after
from schema.records import shown

T = TypeVar("T")
D = TypeVar("D")

DEFAULT_PAGE = 25

First = Annotated[int | None, strawberry.argument(description="How many, 1 to 100; 25 if left out.")]
After = Annotated[str | None, strawberry.argument(description="Continue behind this cursor of an earlier page.")]


@strawberry.type(description="Where a page lies in the whole list.")
class PageInfo:
    """As in the Relay connection specification."""

    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(
        description="Whether the page was asked for `after` another; nothing is counted."
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


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page."""

    edges: list[Edge[T]] = strawberry.field(description="The items with their cursors.")
    nodes: list[T] = strawberry.field(description="The items alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


def page_size(first: int | None) -> int:
    """The number of items asked for. Raises `InvalidInput` when it is not between 1 and 100."""
    return check_page_size(DEFAULT_PAGE if first is None else first)


def connection(
    kind: type[Connection[T]],
    edge: type[Edge[T]],
    items: Sequence[object],
    cursors: Sequence[str],
    *,
    has_next: bool,
    has_previous: bool,
) -> Connection[T]:
    """The page with these items, records standing for their types."""
    return kind(
        edges=[edge(cursor=cursor, node=shown(item)) for cursor, item in zip(cursors, items, strict=True)],
        nodes=shown(items),
        page_info=PageInfo(
            has_next_page=has_next,
            has_previous_page=has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
    )


def definitions_page(
    kind: type[Connection[T]],
    edge: type[Edge[T]],
    found: Sequence[D],
    key: Callable[[D], tuple[str, str]],
    first: int | None,
    after: str | None,
) -> Connection[T]:
    """The page behind a cursor of a short list that is at hand as a whole, in the order of its key."""
    part = slice_after(found, key, page_size(first), after)
    return connection(kind, edge, part.items, part.cursors, has_next=part.has_next, has_previous=bool(after))
