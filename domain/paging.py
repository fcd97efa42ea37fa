"""Pages of a list: which order, how many, from where on.

A page is continued behind the values by which its last item stands in the order (keyset), so nothing is read twice or
left out when rows come and go. Every order ends in something unique.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Generic, NamedTuple, TypeVar

from domain.errors import InvalidInput, Violation
from domain.text import fold, folded, search_text
from domain.vocabulary import Vocabulary

T = TypeVar("T")

_GTIN = frozenset({"gtin"})

MAX_PAGE = 100
DEFAULT_PAGE = 25

Position = tuple[Any, ...]
"""Where an item stands: its values by which the list is ordered."""


class ProductOrderField(Vocabulary):
    """What products are ordered by."""

    GTIN = "gtin", "The GTIN."
    NAME = "search_text", "The name, whatever its case; then brand and GTIN."
    BRAND = "folded_brand", "The brand, whatever its case; then the GTIN."
    UPDATED_AT = "updated_at", "When it last changed; then the GTIN."


class AssignmentOrderField(Vocabulary):
    """What assignments are ordered by."""

    GTIN = "gtin", "The product's GTIN; then the id of the certification or claim."
    EXPIRATION_DATE = "expiration_date", "The last day of validity, a missing one as the latest; then as by GTIN."
    LAPSES_ON = "lapses_on", "The day on which it lapses, a missing one as the latest; then as by GTIN."
    UPDATED_AT = "updated_at", "When it last changed; then as by GTIN."


class NestedAssignmentOrderField(Vocabulary):
    """What the assignments of one definition are ordered by."""

    GTIN = "gtin", "The product's GTIN; then the id of the certification or claim."
    EXPIRATION_DATE = "expiration_date", "The last day of validity, a missing one as the latest; then as by GTIN."
    LAPSES_ON = "lapses_on", "The day on which it lapses, a missing one as the latest; then as by GTIN."


class DefinitionOrderField(Vocabulary):
    """What certifications and claims are ordered by."""

    LABEL = "label", "The label, whatever its case; then the id."
    CODE = "code", "The code, whatever its case; then the id."


class BodyOrderField(Vocabulary):
    """What certification bodies are ordered by."""

    NAME = "name", "The name, whatever its case; then the id."
    CODE = "code", "The code, whatever its case; then the id."


class OrderDirection(Vocabulary):
    """Which end of an order comes first."""

    ASC = "asc", "The smallest or earliest first."
    DESC = "desc", "The largest or latest first."


class Order(NamedTuple):
    """An order of one list."""

    of: str
    """The name of the list, so that a cursor of one is not taken for another's."""
    by: str
    """The member that comes first."""
    descending: bool
    key: Callable[[Any], Position]
    types: type
    """The type of a position."""
    members: frozenset[str]
    """The members that `key` looks at; the definition of an assignment is always there."""

    @property
    def name(self) -> str:
        """A name that no other order has."""
        return f"{self.of} {'-' if self.descending else ''}{self.by}"

    def arranged(self, items: Iterable[T], *, backward: bool = False) -> list[T]:
        """The items in this order, or in the opposite one."""
        listed, reverse = list(items), self.descending != backward
        try:
            return sorted(listed, key=self.key, reverse=reverse)
        except TypeError:
            # Some date is missing, which no date can be compared with.
            return sorted(listed, key=lambda item: sortable(self.key(item)), reverse=reverse)


def sortable(position: Position) -> tuple[Any, ...]:
    """A position that can be compared with others: a missing date lies behind all dates (`db.sql.types.open_end`)."""
    return tuple((value is None, value) for value in position)


def product_order(by: ProductOrderField = ProductOrderField.GTIN, *, descending: bool = False) -> Order:
    """An order of products. That by name goes on with brand and GTIN, all whatever the case."""
    match by:
        case ProductOrderField.GTIN:
            return Order("products", by.value, descending, lambda item: (item.gtin,), tuple[str], _GTIN)
        case ProductOrderField.NAME:
            return Order("products", by.value, descending, _searched, tuple[str], _GTIN | {"name", "brand"})
        case ProductOrderField.BRAND:
            return Order(
                "products",
                by.value,
                descending,
                lambda item: (fold(item.brand), item.gtin),
                tuple[str, str],
                _GTIN | {"brand"},
            )
        case ProductOrderField.UPDATED_AT:
            return Order(
                "products",
                by.value,
                descending,
                lambda item: (item.updated_at, item.gtin),
                tuple[datetime, str],
                _GTIN | {"updated_at"},
            )


def _searched(item: Any) -> Position:
    return (search_text(item.name, item.brand, item.gtin),)


def certification_assignment_order(
    by: AssignmentOrderField | NestedAssignmentOrderField = AssignmentOrderField.GTIN, *, descending: bool = False
) -> Order:
    """An order of certification assignments; ties by GTIN and certification."""
    field = AssignmentOrderField(by.value)
    return _assignment_order("certificationAssignments", "certification", field, descending=descending)


def claim_assignment_order(
    by: AssignmentOrderField | NestedAssignmentOrderField = AssignmentOrderField.GTIN, *, descending: bool = False
) -> Order:
    """An order of claim assignments; ties by GTIN and claim."""
    field = AssignmentOrderField(by.value)
    if field is AssignmentOrderField.LAPSES_ON:
        # For a claim no other end is recorded.
        field = AssignmentOrderField.EXPIRATION_DATE
    return _assignment_order("claimAssignments", "claim", field, descending=descending)


def _assignment_order(of: str, definition: str, by: AssignmentOrderField, *, descending: bool) -> Order:
    member = by.value
    if by is AssignmentOrderField.GTIN:
        return Order(
            of, member, descending, lambda item: (item.gtin, getattr(item, definition).id), tuple[str, str], _GTIN
        )
    kind: Any = datetime if by is AssignmentOrderField.UPDATED_AT else date | None
    members = {"expiration_date", "expiry_date"} if by is AssignmentOrderField.LAPSES_ON else {member}
    return Order(
        of,
        member,
        descending,
        lambda item: (getattr(item, member), item.gtin, getattr(item, definition).id),
        tuple[kind, str, str],
        _GTIN | members,
    )


def definition_order(
    of: str,
    by: DefinitionOrderField | BodyOrderField,
    *,
    descending: bool = False,
) -> Order:
    """An order of definitions, whatever the case; ties by id."""
    member = by.value
    return Order(
        of,
        member,
        descending,
        lambda item: (folded(getattr(item, member)), item.id),
        tuple[str, str],
        frozenset({member, "id"}),
    )


class Window(NamedTuple):
    """Which part of a list: `size` items behind a position, or before it, or from the list's start or end."""

    size: int
    backward: bool = False
    position: Position | None = None
    members: frozenset[str] | None = None
    """Which members of the items will be looked at, besides those that place it; None for all of them."""


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
