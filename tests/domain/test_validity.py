"""When an assignment holds: both bounds are included, a missing one is open."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.validity import check_order, is_active, lapses_on, standing
from domain.vocabulary import Standing

DAYS = st.dates(date(2000, 1, 2), date(2000, 3, 1))
BOUNDS = st.none() | DAYS
DAY = timedelta(days=1)


@given(BOUNDS, BOUNDS, DAYS)
def test_a_day_is_inside_or_outside(start: date | None, end: date | None, on: date) -> None:
    inside = (start or date.min) <= on <= (end or date.max)
    assert is_active(start, end, on) is inside


@given(DAYS, DAYS)
def test_the_bounds_themselves_count(one: date, other: date) -> None:
    start, end = sorted((one, other))
    assert is_active(start, end, start)
    assert is_active(start, end, end)
    assert not is_active(start, end, start - DAY)
    assert not is_active(start, end, end + DAY)


@given(BOUNDS, BOUNDS, BOUNDS, DAYS)
def test_the_earlier_end_decides_how_a_certificate_stands(
    start: date | None, end: date | None, printed: date | None, on: date
) -> None:
    last = lapses_on(end, printed)
    assert (last or date.max) == min(end or date.max, printed or date.max)
    assert (last is None) is (end is None and printed is None)
    stands = standing(start, last, on)
    assert (stands is Standing.LAPSED) is (on > (last or date.max))
    assert (stands is Standing.CURRENT) is is_active(start, last, on)


@given(BOUNDS, BOUNDS)
def test_only_an_end_before_the_start_is_refused(start: date | None, end: date | None) -> None:
    if start and end and end < start:
        with pytest.raises(InvalidInput) as refused:
            check_order(start, end)
        assert refused.value.violations[0].path == ("expiration_date",)
        assert start.isoformat() in refused.value.detail
    else:
        check_order(start, end)
