"""Filters and orders of a product's certifications (contract C7)."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.commands import ListProductCertifications
from domain.errors import InvalidInput
from domain.listing import arrange
from domain.records import CertificationAssignment
from domain.vocabulary import VerificationStatus
from tests.domain.making import GTIN, held

TODAY = date(2026, 11, 22)
HELD = [
    held("B", code="B1", expiry_date=date(2027, 1, 1), status=VerificationStatus.VERIFIED),
    held("A", code="A1", expiration_date=date(2026, 11, 21)),
    held("C", code="C1", expiry_date=date(2025, 1, 1), valid_from=date(2026, 11, 23)),
    held("A", code="A2", expiry_date=date(2027, 1, 1), valid_from=TODAY, expiration_date=TODAY),
    held("D", code="D1", status=VerificationStatus.EXPIRED),
]


def command(**members: Any) -> ListProductCertifications:
    return ListProductCertifications.parse({"gtin": GTIN, **members})


def codes(found: list[CertificationAssignment]) -> list[str]:
    return [item.certification.code for item in found]


def ties(*pair: str) -> list[str]:
    """Codes of equal rank in the order of their ids, which decide."""
    return sorted(pair, key=lambda code: held(code=code).certification.id)


@pytest.mark.parametrize(
    ("ordering", "wanted"),
    [
        (None, [*ties("A1", "A2"), "B1", "C1", "D1"]),
        ("label", [*ties("A1", "A2"), "B1", "C1", "D1"]),
        ("-label", ["D1", "C1", "B1", *ties("A1", "A2")]),
        # Equal days are ordered by label; what has no day comes last either way.
        ("expiry_date", ["C1", "A2", "B1", "A1", "D1"]),
        ("-expiry_date", ["A2", "B1", "C1", "A1", "D1"]),
    ],
)
def test_orders(ordering: str | None, wanted: list[str]) -> None:
    asked = command() if ordering is None else command(ordering=ordering)
    assert codes(arrange(HELD, asked, TODAY)) == wanted


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, {"A1", "A2", "B1", "C1", "D1"}),
        ({"verification_status": "verified"}, {"B1"}),
        ({"verification_status": "expired"}, {"D1"}),
        ({"verification_status": "unverified"}, {"A1", "A2", "C1"}),
        ({"is_active": True}, {"A2", "B1", "D1"}),
        ({"is_active": False}, {"A1", "C1"}),
        ({"is_active": True, "verification_status": "unverified"}, {"A2"}),
        ({"is_active": False, "verification_status": "verified"}, set()),
        # As a query string says them.
        ({"is_active": "true"}, {"A2", "B1", "D1"}),
        ({"is_active": "false"}, {"A1", "C1"}),
    ],
)
def test_filters(filters: dict[str, Any], wanted: set[str]) -> None:
    assert set(codes(arrange(HELD, command(**filters), TODAY))) == wanted


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("ordering", "expiration_date"),
        ("ordering", "--label"),
        ("ordering", "+label"),
        ("ordering", "label\n"),
        ("ordering", "LABEL"),
        ("ordering", ""),
        ("ordering", "label,expiry_date"),
        ("verification_status", "VERIFIED"),
        ("verification_status", ""),
        ("is_active", "maybe"),
        ("is_active", ""),
    ],
)
def test_what_cannot_be_asked_is_refused(member: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        command(**{member: value})
    assert [violation.path for violation in refused.value.violations] == [(member,)]


DAYS = st.none() | st.dates(date(2026, 11, 20), date(2026, 11, 24))
ASSIGNMENTS = st.lists(
    st.builds(
        held,
        st.sampled_from("ABC"),
        code=st.uuids().map(str),
        valid_from=DAYS,
        expiration_date=DAYS,
        expiry_date=DAYS,
        status=st.sampled_from(VerificationStatus),
    ),
    max_size=8,
)
ORDERINGS = st.sampled_from(["label", "-label", "expiry_date", "-expiry_date"])


@given(ASSIGNMENTS, ORDERINGS, st.randoms())
def test_the_answer_does_not_depend_on_how_the_rows_came(
    assignments: list[CertificationAssignment], ordering: str, random: Any
) -> None:
    shuffled = list(assignments)
    random.shuffle(shuffled)
    asked = command(ordering=ordering)
    assert arrange(shuffled, asked, TODAY) == arrange(assignments, asked, TODAY)


@given(ASSIGNMENTS, ORDERINGS)
def test_nothing_is_lost_and_days_are_in_order_with_none_last(
    assignments: list[CertificationAssignment], ordering: str
) -> None:
    found = arrange(assignments, command(ordering=ordering), TODAY)
    assert sorted(codes(found)) == sorted(codes(assignments))
    descending = ordering.startswith("-")
    if ordering.endswith("label"):
        labels = [item.certification.label for item in found]
        assert labels == sorted(labels, reverse=descending)
    else:
        days = [item.expiry_date for item in found]
        known = [day for day in days if day is not None]
        assert days == sorted(known, reverse=descending) + [None] * (len(days) - len(known))


@given(ASSIGNMENTS)
def test_active_and_inactive_are_the_two_parts_of_all(assignments: list[CertificationAssignment]) -> None:
    active = codes(arrange(assignments, command(is_active=True), TODAY))
    inactive = codes(arrange(assignments, command(is_active=False), TODAY))
    assert sorted(active + inactive) == sorted(codes(assignments))
