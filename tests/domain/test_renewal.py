"""How certificates follow one another, against plain sets of days."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import halts, renewal
from domain.certificates import is_active, stands
from domain.errors import InvalidInput
from domain.records import CertificationAssignment, EarlierCertificate
from domain.renewal import Certificate
from domain.validity import halt_on
from domain.vocabulary import Standing
from tests.domain.making import NOON, held

DAY = timedelta(days=1)
SPAN = [date(2026, 1, 1) + DAY * number for number in range(60)]
DAYS = st.sampled_from(SPAN)
SPANS = st.tuples(DAYS, DAYS).map(sorted)
EARLIEST = held(created_at=NOON.replace(year=2025))


def days(certificate: Certificate) -> set[date]:
    """The days on which it holds by itself."""
    first, last = certificate.valid_from, certificate.lapses_on
    assert first is not None
    return {day for day in SPAN if first <= day and (last is None or day <= last)}


def renewed(current: CertificationAssignment, **members: Any) -> CertificationAssignment:
    return msgspec.structs.replace(current, **renewal.renewed(current, members, date.min))


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
    # None holds longer than the newest one.
    ends = current.lapses_on or date.max
    expected = next((each for each in newest_first if day in days(each) and day <= ends), None)
    assert renewal.certificate_on(current, kept, day) is expected
    assert is_active(current, day) is (expected is not None)
    shown = renewal.on_day(current, kept, day)
    assert is_active(shown, day) is is_active(current, day)
    # None is its own predecessor, and what came after it is none either.
    before = newest_first[newest_first.index(expected) + 1 :] if expected is not None else kept[::-1]
    assert [each.number for each in renewal.previous(shown, renewal.those_before(shown, kept))] == [
        each.number for each in before if isinstance(each, EarlierCertificate)
    ]


@given(SPANS, st.none() | DAYS, DAYS, DAYS)
def test_reinstated_from_a_day_on_it_holds_then_and_not_before(
    suspension: list[date], until: date | None, withdrawn: date, day: date
) -> None:
    first, last = suspension[0], until if until is None or until >= suspension[0] else suspension[1]
    halted = held(suspended_from=first, suspended_until=last, withdrawn_on=withdrawn, standing_reason="Residues")
    lifted = msgspec.structs.replace(halted, **renewal.reinstated(halted, day, "Clean"))
    assert lifted.withdrawn_on is None
    for each in SPAN:
        assert stands(lifted, each) is (stands(halted, each) if each < day else Standing.CURRENT)


@pytest.mark.parametrize("sent", [{}, {"scope": "All"}, {"valid_from": None, "certificate_number": ""}])
def test_a_renewal_that_says_nothing_new_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="valid_from"):
        renewal.renewed(EARLIEST, sent, date.min)


def test_years_are_whole_and_end_with_the_certificate() -> None:
    current = msgspec.structs.replace(EARLIEST, valid_from=date(2024, 2, 29), expiration_date=date(2026, 12, 31))
    for day, years in ((date(2025, 2, 28), 0), (date(2025, 3, 1), 1), (date(2030, 1, 1), 2), (date(2020, 1, 1), 0)):
        assert renewal.years_certified(current, [], day) == years
    kept = renewal.earlier(msgspec.structs.replace(current, valid_from=date(2020, 1, 1)), 1, NOON)
    assert renewal.years_certified(current, [kept], date(2026, 1, 1)) == 6
    assert renewal.years_certified(EARLIEST, [], date(2026, 1, 1)) is None


TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"suspended_from": date(2026, 11, 20), "suspended_until": date(2026, 12, 10)},
        {"suspended_from": date(2026, 12, 5), "suspended_until": date(2026, 12, 10)},
        {"suspended_from": date(2026, 5, 1), "suspended_until": date(2026, 6, 30)},
        {"suspended_from": date(2026, 11, 20)},
        {"withdrawn_on": date(2026, 11, 1)},
        {"withdrawn_on": date(2026, 12, 1)},
        {"expiration_date": date(2026, 11, 1)},
        {"expiry_date": date(2026, 12, 15)},
        {"valid_from": None, "expiration_date": None},
    ],
)
@pytest.mark.parametrize(
    "first", [None, date(2025, 1, 1), date(2026, 11, 15), TODAY, date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)]
)
def test_a_renewal_ends_a_withdrawal_of_its_first_day_and_changes_no_other_day_that_is_past(
    members: dict[str, Any], first: date | None
) -> None:
    days: dict[str, Any] = {"valid_from": date(2026, 1, 1), "expiration_date": date(2026, 12, 31)}
    current = held(**{**days, **members, "standing_reason": "Residues"})
    sent: dict[str, Any] = {"valid_from": first, "expiration_date": date(2027, 12, 31)}
    after = msgspec.structs.replace(current, **renewal.renewed(current, sent, TODAY))
    begins = first or TODAY
    ends_withdrawal = halt_on(current.halted_days, begins) is Standing.WITHDRAWN
    for number in range(-400, 400):
        day = TODAY + DAY * number
        halt = halt_on(current.halted_days, day)
        if ends_withdrawal and day >= begins:
            halt = None
        assert halt_on(after.halted_days, day) is halt
        if halt is None and day >= begins:
            assert stands(after, day) is (Standing.CURRENT if day <= sent["expiration_date"] else Standing.LAPSED)
        elif halt is None and (is_active(current, day) or (first is not None and day < first)):
            assert is_active(after, day) is is_active(current, day)
    is_halted = any(halt_on(after.halted_days, TODAY + DAY * number) for number in range(400))
    assert after.standing_reason == ("Residues" if is_halted else "")
    undone = msgspec.structs.replace(after, **renewal.undone(after, renewal.earlier(current, 1, NOON)))
    assert halts.halts(undone.halted_days) == halts.halts(current.halted_days)
    said = msgspec.structs.replace(undone, halted_days=current.halted_days)
    assert said == current


def test_a_certificate_that_is_over_cannot_take_the_place_of_one_that_held_after_it() -> None:
    current = held(valid_from=date(2026, 1, 1), expiration_date=date(2026, 11, 1))
    for members in ({"expiration_date": date(2026, 10, 1)}, {"expiry_date": date(2026, 10, 1)}):
        with pytest.raises(InvalidInput, match="should not be in the past"):
            renewal.renewed(current, {"valid_from": date(2025, 1, 1), **members}, TODAY)


def test_all_suspensions_are_kept_however_they_follow_each_other() -> None:
    current = held(valid_from=date(2026, 1, 1))
    for first, last in ((date(2026, 2, 1), date(2026, 2, 9)), (date(2026, 4, 1), date(2026, 4, 9))):
        current = msgspec.structs.replace(current, **renewal.suspended(current, first, last, "Residues", TODAY))
    current = msgspec.structs.replace(current, **renewal.withdrawn(current, date(2026, 6, 1), "Fraud", TODAY))
    current = msgspec.structs.replace(current, **renewal.reinstated(current, date(2026, 6, 10), ""))
    assert halts.halts(current.halted_days) == [
        (date(2026, 2, 1), date(2026, 2, 9), Standing.SUSPENDED),
        (date(2026, 4, 1), date(2026, 4, 9), Standing.SUSPENDED),
        (date(2026, 6, 1), date(2026, 6, 9), Standing.WITHDRAWN),
    ]
    assert (current.suspended_from, current.withdrawn_on) == (date(2026, 4, 1), None)


def test_what_can_count_no_more_is_not_kept_and_there_is_an_end_to_the_rest() -> None:
    days: Any = None
    for number in range(10):
        days = halts.said(days, date(2026, 3, 1) - DAY * number, None, Standing.SUSPENDED)
    assert len(days) == 1
    assert halts.said(days, date(2026, 1, 1), None, halts.REINSTATED) == []
    for number in range(halts.MOST - 1):
        days = halts.said(days, date(2027, 1, 1) + DAY * number, date(2027, 1, 1) + DAY * number, Standing.SUSPENDED)
    with pytest.raises(InvalidInput, match="times"):
        halts.said(days, date(2026, 1, 1), date(2026, 1, 1), Standing.SUSPENDED)


def test_what_is_withdrawn_without_a_day_keeps_what_holds_before_it() -> None:
    coming = held(valid_from=date(2027, 1, 1))
    assert renewal.withdrawn(coming, None, "why", TODAY)["withdrawn_on"] == date(2027, 1, 1)
    assert renewal.withdrawn(EARLIEST, None, "why", TODAY)["withdrawn_on"] == TODAY
    assert renewal.suspended(coming, None, None, "why", TODAY)["suspended_from"] == date(2027, 1, 1)
    early = msgspec.structs.replace(coming, earlier_days=[["2026-01-01", "2026-12-31", "2026-12-31"]])
    assert renewal.withdrawn(early, None, "why", TODAY)["withdrawn_on"] == TODAY


@pytest.mark.parametrize(
    ("day", "refusal"),
    [
        (date(1926, 6, 1), "before 2025-01-01"),
        (date(2024, 12, 31), "before 2025-01-01"),
        (date(2025, 1, 1), None),
        (date(2026, 12, 31), None),
        (date(2027, 1, 1), "after 2026-12-31"),
    ],
)
def test_nothing_is_suspended_or_withdrawn_on_a_day_on_which_nothing_is_held(day: date, refusal: str | None) -> None:
    current = held(
        valid_from=date(2026, 1, 1),
        expiry_date=date(2026, 12, 31),
        earlier_days=[["2025-01-01", "2025-12-01", "2025-12-01"]],
    )
    for act in (
        lambda: renewal.suspended(current, day, None, "why", TODAY),
        lambda: renewal.withdrawn(current, day, "why", TODAY),
        lambda: renewal.check_told(current, {"withdrawn_on": day}),
    ):
        if refusal is None:
            act()
        else:
            with pytest.raises(InvalidInput, match=refusal):
                act()
