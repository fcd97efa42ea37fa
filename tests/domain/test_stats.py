"""Periods in which assignments expire."""

from datetime import date

import pytest

from domain.stats import ExpiryBucket


@pytest.mark.parametrize(
    ("bucket", "first", "last"),
    [
        (ExpiryBucket.MONTH, date(2027, 1, 1), date(2027, 1, 31)),
        (ExpiryBucket.MONTH, date(2027, 2, 1), date(2027, 2, 28)),
        (ExpiryBucket.MONTH, date(2028, 2, 1), date(2028, 2, 29)),
        (ExpiryBucket.MONTH, date(2027, 12, 1), date(2027, 12, 31)),
        (ExpiryBucket.QUARTER, date(2027, 1, 1), date(2027, 3, 31)),
        (ExpiryBucket.QUARTER, date(2027, 10, 1), date(2027, 12, 31)),
        (ExpiryBucket.YEAR, date(2027, 1, 1), date(2027, 12, 31)),
        (ExpiryBucket.MONTH, date(9999, 12, 1), date(9999, 12, 31)),
        (ExpiryBucket.QUARTER, date(9999, 10, 1), date(9999, 12, 31)),
        (ExpiryBucket.YEAR, date(9999, 1, 1), date(9999, 12, 31)),
    ],
)
def test_a_period_ends_with_the_last_day_of_its_last_month(bucket: ExpiryBucket, first: date, last: date) -> None:
    assert bucket.last_day(first) == last
