"""The problem document (contract 1.8) before either face renders it."""

import re
from datetime import UTC, datetime

import pytest

from domain.errors import (
    AlreadyAssigned,
    Busy,
    DomainError,
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthorized,
    Violation,
)
from domain.problem import BY_STATUS, KINDS, describe, problem

AT = datetime(2026, 3, 31, 12, 0, 0, 123456, tzinfo=UTC)
BASE = "https://closient.com/docs/errors/"
BAD = Violation(("metadata", "k"), "String should have at most 500 characters", "string_too_long")


def subclasses(kind: type[DomainError]) -> set[type[DomainError]]:
    return {kind for direct in kind.__subclasses__() for kind in (direct, *subclasses(direct))}


@pytest.mark.parametrize(
    ("error", "code", "title", "status", "retryable"),
    [
        (NotFound("x"), "not_found", "Not Found", 404, False),
        (AlreadyAssigned("x"), "conflict", "Conflict", 409, False),
        (Unauthorized("x"), "unauthorized", "Unauthorized", 401, False),
        (Forbidden("x"), "forbidden", "Forbidden", 403, False),
        (InvalidInput([BAD]), "validation_error", "Validation Error", 422, False),
        (Busy("x", 3), "service_unavailable", "Service Unavailable", 503, True),
    ],
)
def test_each_error_has_its_document(error: DomainError, code: str, title: str, status: int, retryable: bool) -> None:
    document = describe(error, at=AT, type_base=BASE)
    assert document.type == f"https://closient.com/docs/errors/{code}"
    assert (document.title, document.status, document.error_code) == (title, status, code)
    assert document.retryable is retryable
    assert document.detail == error.detail
    assert document.timestamp.isoformat() == "2026-03-31T12:00:00+00:00"
    assert document.retry_after == (3 if isinstance(error, Busy) else None)
    assert document.violations == ([BAD] if isinstance(error, InvalidInput) else None)


def test_every_domain_error_has_a_code_of_the_vocabulary() -> None:
    kinds = subclasses(DomainError)
    assert len(kinds) >= 6
    assert {kind.code for kind in kinds} <= KINDS.keys()


def test_a_status_stands_for_one_code() -> None:
    assert len(BY_STATUS) == len(KINDS)
    assert {BY_STATUS[kind.status] for kind in KINDS.values()} == KINDS.keys()


def test_only_what_may_succeed_later_is_retryable() -> None:
    assert {code for code, kind in KINDS.items() if kind.retryable} == {
        "internal_error",
        "service_unavailable",
        "gateway_timeout",
    }
    assert all(kind.status >= 500 for kind in KINDS.values() if kind.retryable)


@pytest.mark.parametrize("code", KINDS)
def test_codes_and_titles_are_fit_to_be_shown(code: str) -> None:
    assert re.fullmatch("[a-z]+(_[a-z]+)*", code)
    assert KINDS[code].title == KINDS[code].title.title()
    assert problem(code, "One sentence.", at=AT, type_base="http://x/").type == f"http://x/{code}"


def test_the_detail_of_bad_input_names_the_first_three_members() -> None:
    violations = [Violation((f"m{number}",), "Field required", "missing") for number in range(5)]
    assert InvalidInput(violations).detail == (
        "Validation error. m0: Field required; m1: Field required; m2: Field required; and 2 more."
    )
    assert InvalidInput([Violation((), "Field required", "missing")]).detail == (
        "Validation error. input: Field required."
    )
