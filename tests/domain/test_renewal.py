"""How certificates follow one another, against plain sets of days."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import renewal
from domain.certificates import Certificate, is_active, stands
from domain.errors import InvalidInput
from domain.records import CertificationAssignment, EarlierCertificate
from domain.vocabulary import Standing
from tests.domain.making import NOON, held

DAY = timedelta(days=1)
SPAN = [date(2026, 1, 1) + DAY * number for number in range(60)]
DAYS = st.sampled_from(SPAN)
SPANS = st.tuples(DAYS, DAYS).map(sorted)
EARLIEST = held(created_at=NOON.replace(year=2025))


def days(certificate: Certificate) -> set[date]:
    """The days on which it holds by itself."""
    assert certificate.valid_from is not None
    return {day for day in SPAN if certificate.valid_from <= day and stands(certificate, day) is Standing.CURRENT}


def renewed(current: CertificationAssignment, **members: Any) -> CertificationAssignment:
    return msgspec.structs.replace(current, **renewal.renewed(current, members, date.max))


def between(span: list[date]) -> dict[str, date]:
    return {"valid_from": span[0], "expiration_date": span[1]}


@given(SPANS, SPANS)
def test_a_gap_and_an_overlap_are_the_days_between_and_in_common(one: list[date], two: list[date]) -> None:
    before = msgspec.structs.replace(EARLIEST, **between(one))
    after = renewed(before, **between(two))
    if after == before:
        return
    follows = renewal.succession(before, after)
    assert follows.overlap_days == len(days(before) & days(after))
    assert follows.gap_days == len([day for day in SPAN if one[1] < day < two[0]])
    assert follows.goes_back is (two[0] < one[0] or two[1] < one[1])


@given(st.lists(SPANS, min_size=1, max_size=4, unique_by=tuple), st.data())
def test_on_a_day_the_newest_certificate_that_holds_is_found(spans: list[list[date]], data: st.DataObject) -> None:
    current = msgspec.structs.replace(EARLIEST, **between(spans[0]))
    kept: list[EarlierCertificate] = []
    for number, span in enumerate(spans[1:], start=1):
        kept.append(renewal.earlier(current, number, NOON))
        current = renewed(current, **between(span))
    day = data.draw(DAYS)
    newest_first: list[Certificate] = [current, *reversed(kept)]
    expected = next((each for each in newest_first if day in days(each)), None)
    assert renewal.certificate_on(current, kept, day) is expected
    # What is told active has a certificate on that day, as long as each is renewed by a later one.
    starts = [span[0] for span in spans]
    if is_active(current, day) and starts == sorted(starts):
        assert expected is not None


@given(SPANS, st.none() | DAYS, DAYS, DAYS)
def test_reinstated_from_a_day_on_it_holds_then_and_not_before(
    suspension: list[date], until: date | None, withdrawn: date, day: date
) -> None:
    first, last = suspension[0], until if until is None or until >= suspension[0] else suspension[1]
    halted = msgspec.structs.replace(
        EARLIEST, suspended_from=first, suspended_until=last, withdrawn_on=withdrawn, standing_reason="Residues"
    )
    lifted = msgspec.structs.replace(halted, **renewal.reinstated(halted, day, "Clean"))
    held_then = [each for each in SPAN if stands(lifted, each) is Standing.CURRENT]
    assert all(each in held_then for each in SPAN if each >= day)
    assert lifted.withdrawn_on is None
    # A day that was lost before is lost still, but for a suspension that was over when it was withdrawn.
    lost = {each for each in SPAN if each < day and stands(halted, each) is not Standing.CURRENT}
    over = {each for each in lost if last is not None and each <= last < withdrawn - DAY}
    assert not lost & {*held_then} - over


@pytest.mark.parametrize("sent", [{}, {"scope": "All"}, {"valid_from": None, "certificate_number": ""}])
def test_a_renewal_that_says_nothing_new_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="valid_from"):
        renewal.renewed(EARLIEST, sent, date.max)


def test_years_are_whole_and_end_with_the_certificate() -> None:
    current = msgspec.structs.replace(EARLIEST, valid_from=date(2024, 2, 29), expiration_date=date(2026, 12, 31))
    for day, years in ((date(2025, 2, 28), 0), (date(2025, 3, 1), 1), (date(2030, 1, 1), 2), (date(2020, 1, 1), 0)):
        assert renewal.years_certified(current, [], day) == years
    kept = renewal.earlier(msgspec.structs.replace(current, valid_from=date(2020, 1, 1)), 1, NOON)
    assert renewal.years_certified(current, [kept], date(2026, 1, 1)) == 6
    assert renewal.years_certified(EARLIEST, [], date(2026, 1, 1)) is None


TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("members", "first", "is_refused"),
    [
        ({}, date(2027, 1, 1), False),
        ({}, date(2026, 12, 1), False),
        ({}, date(2027, 1, 2), True),
        ({"suspended_from": date(2026, 11, 20), "suspended_until": date(2026, 12, 10)}, date(2027, 1, 1), True),
        ({"suspended_from": date(2026, 12, 5), "suspended_until": date(2026, 12, 10)}, date(2027, 1, 1), True),
        ({"suspended_from": date(2026, 12, 20)}, date(2027, 1, 1), True),
        ({"suspended_from": date(2026, 5, 1), "suspended_until": date(2026, 6, 30)}, date(2027, 1, 1), False),
        ({"suspended_from": date(2026, 11, 20)}, date(2026, 11, 30), False),
        ({"suspended_from": date(2026, 11, 20)}, date(2027, 1, 1), False),
        ({"withdrawn_on": date(2026, 11, 1)}, date(2027, 1, 1), False),
        ({"withdrawn_on": date(2026, 12, 1)}, date(2027, 1, 1), True),
        ({"expiration_date": date(2026, 11, 1)}, date(2027, 1, 1), False),
        ({"expiry_date": date(2026, 12, 15)}, date(2027, 1, 1), True),
    ],
)
def test_a_renewal_that_begins_later_changes_nothing_until_then(
    members: dict[str, Any], first: date, is_refused: bool
) -> None:
    days: dict[str, Any] = {"valid_from": date(2026, 1, 1), "expiration_date": date(2026, 12, 31)}
    current = msgspec.structs.replace(EARLIEST, **{**days, **members})
    sent = {"valid_from": first, "expiration_date": date(2027, 12, 31)}
    if is_refused:
        with pytest.raises(InvalidInput, match="valid_from: Date should follow"):
            renewal.renewed(current, sent, TODAY)
        return
    after = msgspec.structs.replace(current, **renewal.renewed(current, sent, TODAY))
    for day in (TODAY + timedelta(days=number) for number in range((first - TODAY).days)):
        assert is_active(after, day) == is_active(current, day)


def test_what_is_withdrawn_without_a_day_keeps_what_holds_before_it() -> None:
    coming = msgspec.structs.replace(EARLIEST, valid_from=date(2027, 1, 1))
    assert renewal.withdrawn(coming, None, "why", TODAY)["withdrawn_on"] == date(2027, 1, 1)
    assert renewal.withdrawn(EARLIEST, None, "why", TODAY)["withdrawn_on"] == TODAY
    assert renewal.withdrawn(coming, TODAY, "why", TODAY)["withdrawn_on"] == TODAY
