"""What null means in a patch, and what a patch changes."""

from datetime import date
from typing import Any

import pytest

from domain.commands import PatchCertificationAssignment
from domain.errors import InvalidInput
from domain.patch import changes_of, resolve_nulls
from tests.domain.making import GTIN, held

ID = "WmsG2qe2XXxacqiqo2MfnY"
CERTIFICATION_ASSIGNMENT = PatchCertificationAssignment.nulls


def members(**sent: Any) -> dict[str, Any]:
    return PatchCertificationAssignment.parse({"gtin": GTIN, "certification_id": ID, **sent}).members()


def test_the_table_rules_on_exactly_the_members_that_can_be_patched() -> None:
    patchable = PatchCertificationAssignment.model_fields.keys() - {"gtin", "certification_id"}
    assert CERTIFICATION_ASSIGNMENT.keys() == patchable


def test_what_null_means() -> None:
    assert {name: (null.policy, null.value) for name, null in CERTIFICATION_ASSIGNMENT.items()} == {
        "metadata": ("empties", {}),
        "valid_from": ("clears", None),
        "expiration_date": ("clears", None),
        "certificate_number": ("empties", ""),
        "issuing_body": ("empties", ""),
        "verification_url": ("empties", ""),
        "verification_status": ("refused", None),
        "scope": ("empties", ""),
        "certification_value": ("empties", ""),
        "audit_date": ("clears", None),
        "initial_certification_date": ("clears", None),
        "certificate_countries": ("empties", []),
    }


def test_omitted_and_null_are_told_apart() -> None:
    assert members() == {}
    assert members(scope=None, valid_from=None, metadata=None) == {
        "metadata": {},
        "valid_from": None,
        "scope": "",
    }


def test_members_outside_the_table_are_passed_over() -> None:
    assert members(expiry_date="2026-01-01", label="mine") == {}


def test_every_refused_null_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        resolve_nulls({"verification_status": None, "scope": None}, CERTIFICATION_ASSIGNMENT)
    assert [(entry.path, entry.type) for entry in refused.value.violations] == [
        (("verification_status",), "null_refused")
    ]


def test_only_what_differs_is_a_change() -> None:
    stored = held(scope="Product", certificate_countries=["US"], metadata={"a": "1"})
    sent = {"scope": "Product", "certificate_countries": ["US"], "metadata": {"a": "1"}, "valid_from": None}
    assert changes_of(stored, sent) == {}
    assert changes_of(stored, {**sent, "scope": "All", "metadata": {"b": "2"}}) == {
        "scope": "All",
        "metadata": {"a": "1", "b": "2"},
    }


def test_the_order_of_countries_is_the_callers() -> None:
    stored = held(certificate_countries=["US", "CA"])
    assert changes_of(stored, {"certificate_countries": ["CA", "US"]}) == {"certificate_countries": ["CA", "US"]}


STORED = held(valid_from=date(2024, 5, 1), expiration_date=date(2025, 4, 30))


@pytest.mark.parametrize(
    "sent",
    [
        {"expiration_date": date(2024, 4, 30)},
        {"valid_from": date(2025, 5, 1)},
        {"valid_from": date(2024, 6, 2), "expiration_date": date(2024, 6, 1)},
    ],
)
def test_reversed_dates_are_found_on_the_merged_result(sent: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        changes_of(STORED, sent)
    assert [(entry.path, entry.type) for entry in refused.value.violations] == [(("expiration_date",), "date_order")]


@pytest.mark.parametrize(
    "sent",
    [
        {"expiration_date": date(2024, 5, 1)},
        {"expiration_date": None},
        {"valid_from": None, "expiration_date": date(1999, 1, 1)},
        {"valid_from": date(2030, 1, 1), "expiration_date": date(2030, 1, 1)},
    ],
)
def test_dates_in_order_are_taken(sent: dict[str, Any]) -> None:
    assert changes_of(STORED, sent) == sent | {
        name: value for name, value in sent.items() if value != getattr(STORED, name)
    }
