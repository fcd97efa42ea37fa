"""The problem document of RFC 9457, as the contract spells it (section 1.8), for both faces.

REST sends it as `application/problem+json`; GraphQL shows the same members as fields of the `Problem` interface and
in `errors[].extensions`. The table of codes is the whole public vocabulary of refusals; `docs/errors.md` explains it.
"""

from datetime import datetime
from typing import NamedTuple

import msgspec

from domain.errors import Busy, DomainError, InvalidInput, RateLimited, Violation


class ProblemKind(NamedTuple):
    """What is the same in every occurrence of a code."""

    title: str
    status: int
    retryable: bool = False


KINDS = {
    "bad_request": ProblemKind("Bad Request", 400),
    "unauthorized": ProblemKind("Unauthorized", 401),
    "forbidden": ProblemKind("Forbidden", 403),
    "not_found": ProblemKind("Not Found", 404),
    "method_not_allowed": ProblemKind("Method Not Allowed", 405),
    "not_acceptable": ProblemKind("Not Acceptable", 406),
    "request_timeout": ProblemKind("Request Timeout", 408, retryable=True),
    "conflict": ProblemKind("Conflict", 409),
    "idempotency_key_in_use": ProblemKind("Idempotency Key In Use", 409, retryable=True),
    "precondition_failed": ProblemKind("Precondition Failed", 412),
    "payload_too_large": ProblemKind("Payload Too Large", 413),
    "unsupported_media_type": ProblemKind("Unsupported Media Type", 415),
    "validation_error": ProblemKind("Validation Error", 422),
    "not_applied": ProblemKind("Not Applied", 424),
    "idempotency_key_reused": ProblemKind("Idempotency Key Reused", 422),
    "rate_limited": ProblemKind("Rate Limited", 429, retryable=True),
    "request_header_fields_too_large": ProblemKind("Request Header Fields Too Large", 431),
    "internal_error": ProblemKind("Internal Error", 500, retryable=True),
    "service_unavailable": ProblemKind("Service Unavailable", 503, retryable=True),
    "gateway_timeout": ProblemKind("Gateway Timeout", 504, retryable=True),
}
"""Public code -> its title, HTTP status and whether the same request can succeed later."""

BY_STATUS = {kind.status: code for code, kind in reversed(KINDS.items())}
"""HTTP status -> the code that stands for it where only a status is known: the first of those that share it."""


class ErrorPages(NamedTuple):
    """Where codes are explained: each address begins with one of these and ends with the code."""

    types: str
    """What `type` begins with: an identifier, which by default is the contract's and so may be another server's."""
    help: str
    """The pages of this server."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One occurrence of a refusal. `violations` keep their path inside the command; each face adds its own prefix.

    `help` is the address of this server's page about the code.
    """

    type: str
    help: str
    title: str
    status: int
    detail: str
    error_code: str
    timestamp: datetime
    retryable: bool
    retry_after: int | None = None
    violations: list[Violation] | None = None


def problem(
    code: str,
    detail: str,
    *,
    at: datetime,
    error_pages: ErrorPages,
    retry_after: int | None = None,
    violations: list[Violation] | None = None,
) -> Problem:
    """The problem document for `code`, which must be a key of `KINDS`; its moment to the second."""
    kind = KINDS[code]
    return Problem(
        f"{error_pages.types}{code}",
        f"{error_pages.help}{code}",
        kind.title,
        kind.status,
        detail,
        code,
        at.replace(microsecond=0),
        kind.retryable,
        retry_after,
        violations,
    )


def describe(error: DomainError, *, at: datetime, error_pages: ErrorPages) -> Problem:
    """The problem document of a domain error that occurred `at` a moment (UTC)."""
    wait = error.retry_after if isinstance(error, Busy | RateLimited) else None
    wrong = error.violations if isinstance(error, InvalidInput) else None
    return problem(error.code, error.detail, at=at, error_pages=error_pages, retry_after=wait, violations=wrong)
