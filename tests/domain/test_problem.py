"""The problem document (contract 1.8) before either face renders it."""

import re
from datetime import UTC, datetime

import pytest

from domain.errors import (
    AlreadyAssigned,
    BadRequest,
    Busy,
    DomainError,
    Forbidden,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    RateLimited,
    Unauthorized,
    Violation,
)
from domain.problem import BY_STATUS, KINDS, ErrorPages, describe, problem

AT = datetime(2026, 3, 31, 12, 0, 0, 123456, tzinfo=UTC)
PAGES = ErrorPages("https://closient.com/docs/errors/", "https://certgate.example.org/docs/errors/")
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
        (RateLimited("x", 3), "rate_limited", "Rate Limited", 429, True),
        (Busy("x", 3), "service_unavailable", "Service Unavailable", 503, True),
        (BadRequest("x"), "bad_request", "Bad Request", 400, False),
        (PreconditionFailed("x"), "precondition_failed", "Precondition Failed", 412, False),
        (IdempotencyKeyReused("x"), "idempotency_key_reused", "Idempotency Key Reused", 422, False),
        (IdempotencyKeyInUse("x", 3), "idempotency_key_in_use", "Idempotency Key In Use", 409, True),
    ],
)
def test_each_error_has_its_document(error: DomainError, code: str, title: str, status: int, retryable: bool) -> None:
    document = describe(error, at=AT, error_pages=PAGES)
    assert document.type == f"https://closient.com/docs/errors/{code}"
    assert document.help == f"https://certgate.example.org/docs/errors/{code}"
    assert (document.title, document.status, document.error_code) == (title, status, code)
    assert document.retryable is retryable
    assert document.detail == error.detail
    assert document.timestamp.isoformat() == "2026-03-31T12:00:00+00:00"
    assert document.retry_after == (3 if isinstance(error, Busy | RateLimited) else None)
    assert document.violations == ([BAD] if isinstance(error, InvalidInput) else None)


def test_every_domain_error_has_a_code_of_the_vocabulary() -> None:
    kinds = subclasses(DomainError)
    assert len(kinds) >= 6
    assert {kind.code for kind in kinds} <= KINDS.keys()


def test_a_status_stands_for_the_plainest_of_its_codes() -> None:
    assert BY_STATUS.keys() == {kind.status for kind in KINDS.values()}
    assert (BY_STATUS[409], BY_STATUS[422]) == ("conflict", "validation_error")
    assert all(KINDS[code].status == status for status, code in BY_STATUS.items())


def test_only_what_may_succeed_later_is_retryable() -> None:
    assert {code for code, kind in KINDS.items() if kind.retryable} == {
        "request_timeout",
        "idempotency_key_in_use",
        "rate_limited",
        "internal_error",
        "service_unavailable",
        "gateway_timeout",
    }


@pytest.mark.parametrize("code", KINDS)
def test_codes_and_titles_are_fit_to_be_shown(code: str) -> None:
    assert re.fullmatch("[a-z]+(_[a-z]+)*", code)
    assert KINDS[code].title == KINDS[code].title.title()
    assert problem(code, "One sentence.", at=AT, error_pages=PAGES).type.endswith(f"/{code}")


def test_the_detail_of_bad_input_names_the_first_three_members() -> None:
    violations = [Violation((f"m{number}",), "Field required", "missing") for number in range(5)]
    assert InvalidInput(violations).detail == (
        "Validation error. m0: Field required; m1: Field required; m2: Field required; and 2 more."
    )
    assert InvalidInput([Violation((), "Field required", "missing")]).detail == (
        "Validation error. input: Field required."
    )
