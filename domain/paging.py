"""Pages of a list: which order, how many, from where on.

A page is continued behind the values by which its last item stands in the order (keyset), so nothing is read twice or
left out when rows come and go. Every order ends in something unique.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from types import GenericAlias
from typing import Any, Generic, NamedTuple, TypeVar

from domain.errors import InvalidInput, Violation
from domain.text import folded
from domain.vocabulary import Vocabulary

T = TypeVar("T")

MAX_PAGE = 100
DEFAULT_PAGE = 25

Position = tuple[Any, ...]
"""Where an item stands: its values by which the list is ordered."""


_ASSIGNMENT = "gtin", "The product's GTIN; then the id of the certification or claim."
_EXPIRATION = "expiration_date", "The last day of validity, a missing one as the latest; then as by GTIN."
_LAPSE = "lapses_on", "The day on which it lapses, a missing one as the latest; then as by GTIN."
_UPDATE = "updated_at", "When it last changed; then as by GTIN."
_BEGINNING = "valid_from", "The first day of validity, a missing one as the latest; then as by GTIN."
_CODE = "code", "The code, whatever its case; then the id."


class ProductOrderField(Vocabulary):
    """What products are ordered by."""

    GTIN = "gtin", "The GTIN."
    NAME = "search_text", "The name, whatever its case; then brand and GTIN."
    BRAND = "folded_brand", "The brand, whatever its case; then the GTIN."
    UPDATED_AT = "updated_at", "When it last changed; then the GTIN."


class AssignmentOrderField(Vocabulary):
    """What assignments of certifications are ordered by."""

    GTIN = _ASSIGNMENT
    EXPIRATION_DATE = _EXPIRATION
    LAPSES_ON = _LAPSE
    UPDATED_AT = _UPDATE
    VALID_FROM = _BEGINNING
    EXPIRY_DATE = "expiry_date", "The expiry that is printed on the certificate, a missing one as the latest."
    AUDIT_DATE = "audit_date", "The day of the audit, a missing one as the latest; then as by GTIN."
    ISSUING_BODY = "issuing_body", "Who issued the certificate, as it is written; then as by GTIN."


class ClaimAssignmentOrderField(Vocabulary):
    """What assignments of claims are ordered by."""

    GTIN = _ASSIGNMENT
    EXPIRATION_DATE = _EXPIRATION
    LAPSES_ON = _LAPSE
    UPDATED_AT = _UPDATE
    VALID_FROM = _BEGINNING


class NestedAssignmentOrderField(Vocabulary):
    """What the assignments of one definition are ordered by."""

    GTIN = _ASSIGNMENT
    EXPIRATION_DATE = _EXPIRATION
    LAPSES_ON = _LAPSE


class DefinitionOrderField(Vocabulary):
    """What certifications and claims are ordered by."""

    LABEL = "label", "The label, whatever its case; then the id."
    CODE = _CODE


class BodyOrderField(Vocabulary):
    """What certification bodies are ordered by."""

    NAME = "name", "The name, whatever its case; then the id."
    CODE = _CODE


class OrderDirection(Vocabulary):
    """Which end of an order comes first."""

    ASC = "asc", "The smallest or earliest first."
    DESC = "desc", "The largest or latest first."


class Place(NamedTuple):
    """One of the values by which items stand in an order."""

    name: str
    """As the enumerations above and the columns have it."""
    of: Callable[[Any], Any]
    """The value of an item."""
    type: Any = str
    members: tuple[str, ...] = ()
    """The members that `of` looks at; the definition of an assignment is always there."""


def at(name: str, type: Any = str, members: tuple[str, ...] = ()) -> Place:
    """The place by a member's value, which looks at that member unless others are named."""
    return Place(name, attrgetter(name), type, members or (name,))


def at_folded(name: str) -> Place:
    """The place by a text of a definition, whatever the case."""
    value = attrgetter(name)
    return Place(name, lambda item: folded(value(item)), members=(name,))


class Order:
    """An order of one list, by these places; all together are unique."""

    def __init__(self, of: str, places: Sequence[Place], *, descending: bool) -> None:
        self.by = places[0].name
        self.descending = descending
        self.name = f"{of} {'-' if descending else ''}{self.by}"
        """No other order has it, of whatever list, so that a cursor of one is not taken for another's."""
        self.names = tuple(place.name for place in places)
        self.type: Any = GenericAlias(tuple, tuple(place.type for place in places))
        """The type of a position."""
        self.members = frozenset(name for place in places for name in place.members)
        """The members that `key` looks at."""
        self._values = [place.of for place in places]

    def key(self, item: Any) -> Position:
        """Where the item stands."""
        return tuple([value(item) for value in self._values])

    def arranged(self, items: Iterable[T], *, backward: bool = False) -> list[T]:
        """The items in this order, or in the opposite one."""
        listed, reverse = list(items), self.descending != backward
        try:
            return sorted(listed, key=self.key, reverse=reverse)
        except TypeError:
            # Some date is missing, which no date can be compared with.
            return sorted(listed, key=lambda item: sortable(self.key(item)), reverse=reverse)

    def merged(self, groups: Iterable[Iterable[T]], *, backward: bool = False) -> Iterator[T]:
        """The items of groups that are in this order each, or in the opposite one; each is looked at when it is due."""
        reverse = self.descending != backward
        return heapq.merge(*groups, key=lambda item: sortable(self.key(item)), reverse=reverse)


class Orders:
    """The orders of one list: for each member that may come first the places. The first is the usual one."""

    def __init__(self, of: str, places: Mapping[Vocabulary, Sequence[Place]]) -> None:
        self.fields = type(next(iter(places)))
        self._orders = {
            (by.value, descending): Order(of, each, descending=descending)
            for by, each in places.items()
            for descending in (False, True)
        }
        self.usual = next(iter(self._orders.values()))

    def by(self, member: Vocabulary, *, descending: bool = False) -> Order:
        """The order in which that member comes first."""
        return self._orders[member.value, descending]


def sortable(position: Position) -> tuple[Any, ...]:
    """A position that can be compared with others: a missing date lies behind all dates (`db.sql.types.open_end`)."""
    return tuple((value is None, value) for value in position)


class Window(NamedTuple):
    """Which part of a list: `size` items behind a position, or before it, or from the list's start or end."""

    size: int
    backward: bool = False
    position: Position | None = None
    form: Any = None
    """What is made of the items' rows instead of records (see `db.sql.shapes.PageForm`); None for nothing else."""


class Made(list[Any]):
    """Items that have the form of an answer already, as whoever asked may see them."""

    def __init__(self, items: Iterable[Any], record: Callable[[int], Any]) -> None:
        super().__init__(items)
        self.record = record
        """Of an item, what its place in the order is seen by."""


class Page(NamedTuple, Generic[T]):
    """Some items in the list's order, and whether more follow in the direction of the window."""

    items: Sequence[T]
    more: bool


def check_window(first: int | None, after: str | None, last: int | None, before: str | None) -> tuple[int, bool]:
    """The size of the page, and whether it lies before the cursor instead of behind it.

    Raises `InvalidInput` when both directions are asked for, or the size is not between 1 and 100.
    """
    if (first is not None or after) and (last is not None or before):
        message = "Give first and after, or last and before; a page goes in one direction"
        name = "last" if last is not None else "before"
        raise InvalidInput([Violation((name,), message, "two_directions")])
    backward = last is not None or bool(before)
    size = last if backward else first
    if size is None:
        return DEFAULT_PAGE, backward
    if not 1 <= size <= MAX_PAGE:
        message = f"Input should be between 1 and {MAX_PAGE}"
        raise InvalidInput([Violation(("last" if backward else "first",), message, "out_of_range")])
    return size, backward


def page_of(items: Iterable[T], order: Order, window: Window) -> Page[T]:
    """The part of a list that is at hand as a whole."""
    arranged = order.arranged(items, backward=window.backward)
    if window.position is not None:
        start = sortable(window.position)
        if order.descending != window.backward:
            arranged = [item for item in arranged if sortable(order.key(item)) < start]
        else:
            arranged = [item for item in arranged if sortable(order.key(item)) > start]
    return cut(arranged, window)


def cut(found: Sequence[T], window: Window) -> Page[T]:
    """The page of items that were read in the window's direction, one more than it has where there is one."""
    items = found[: window.size]
    return Page(items[::-1] if window.backward else items, len(found) > window.size)
