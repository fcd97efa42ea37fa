"""Pages of lists that are at hand as a whole, and what may be asked of any page."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.lists import BODIES, CERTIFICATION_ASSIGNMENTS, CERTIFICATIONS, CLAIM_ASSIGNMENTS, CLAIMS, PRODUCTS
from domain.paging import (
    MAX_PAGE,
    AssignmentOrderField,
    BodyOrderField,
    ClaimAssignmentOrderField,
    Order,
    ProductOrderField,
    Window,
    check_window,
    page_of,
)
from domain.records import CertificationBody
from domain.short_id import ShortId
from domain.text import fold
from tests.domain.making import held


def body(name: str, number: int) -> CertificationBody:
    return CertificationBody(ShortId(f"{number:022d}"), "", name, "", "", None, "", "")


@given(
    st.lists(st.sampled_from(["", "a", "b", "B", "é", "💚"]), max_size=12),
    st.integers(1, 5),
    st.booleans(),
    st.booleans(),
    st.sets(st.integers(0, 11)),
)
def test_pages_are_the_whole_list_whatever_goes_meanwhile(
    names: list[str], size: int, descending: bool, backward: bool, gone: set[int]
) -> None:
    order = BODIES.orders.by(BodyOrderField.NAME, descending=descending)
    items = [body(name, number) for number, name in enumerate(names)]
    expected = sorted(items, key=lambda item: (fold(item.name), item.id), reverse=descending)
    assert order.arranged(items) == expected
    seen: list[CertificationBody] = []
    window = Window(size, backward=backward)
    while True:
        page = page_of(items, order, window)
        assert len(page.items) == size or not page.more
        seen = [*page.items, *seen] if backward else [*seen, *page.items]
        if not page.more:
            break
        window = Window(size, backward=backward, position=order.key(page.items[0 if backward else -1]))
        # The cursor's own item may be among what goes.
        items = [item for item in items if int(item.id) not in gone]
    assert len({item.id for item in seen}) == len(seen)
    assert [item for item in expected if int(item.id) not in gone] == [
        item for item in seen if int(item.id) not in gone
    ]
    assert seen == order.arranged(seen)


def test_every_order_has_a_name_of_its_own() -> None:
    orders: list[Order] = [
        *(PRODUCTS.orders.by(by, descending=down) for by in ProductOrderField for down in (False, True)),
        *(
            CERTIFICATION_ASSIGNMENTS.orders.by(by, descending=down)
            for by in AssignmentOrderField
            for down in (False, True)
        ),
        *(
            CLAIM_ASSIGNMENTS.orders.by(by, descending=down)
            for by in ClaimAssignmentOrderField
            # A claim lapses when it expires: the two orders are one.
            if by is not ClaimAssignmentOrderField.LAPSES_ON
            for down in (False, True)
        ),
        *(each.orders.usual for each in (CERTIFICATIONS, CLAIMS, BODIES)),
    ]
    assert len({order.name for order in orders}) == len(orders)


def test_a_page_is_25_long_and_goes_forward_unless_it_is_told() -> None:
    assert check_window(None, None, None, None) == (25, False)
    assert check_window(None, "", None, "") == (25, False)
    assert check_window(7, "x", None, None) == (7, False)
    assert check_window(None, None, None, "x") == (25, True)
    assert check_window(None, None, MAX_PAGE, "x") == (MAX_PAGE, True)


@pytest.mark.parametrize(
    ("first", "after", "last", "before", "member"),
    [
        (0, None, None, None, "first"),
        (MAX_PAGE + 1, None, None, None, "first"),
        (None, None, -1, None, "last"),
        (1, None, 1, None, "last"),
        (1, None, None, "x", "before"),
        (None, "x", None, "x", "before"),
        (None, "x", 1, None, "last"),
    ],
)
def test_what_is_wrong_with_a_window_is_named(
    first: int | None, after: str | None, last: int | None, before: str | None, member: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_window(first, after, last, before)
    assert [violation.path for violation in refusal.value.violations] == [(member,)]


@pytest.mark.parametrize("field", [AssignmentOrderField.EXPIRATION_DATE, AssignmentOrderField.VALID_FROM])
def test_a_missing_date_lies_where_it_does_in_the_database(field: AssignmentOrderField) -> None:
    days = (date(2027, 1, 31), None, date(2026, 1, 31))
    items = [held(code=f"C{at}", valid_from=day, expiration_date=day) for at, day in enumerate(days)]
    found = {
        (descending, backward): [
            getattr(item, field.value)
            for item in CERTIFICATION_ASSIGNMENTS.orders.by(field, descending=descending).arranged(
                items, backward=backward
            )
        ]
        for descending in (False, True)
        for backward in (False, True)
    }
    rising = [days[2], days[0], None]
    assert found[False, False] == found[True, True] == rising
    assert found[True, False] == found[False, True] == rising[::-1]
