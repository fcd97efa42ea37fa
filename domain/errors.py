"""Why an operation was refused.

A domain error knows its public code, one sentence for the caller, and for bad input a list of violations whose path
lies *inside the command*. It knows nothing of HTTP headers or GraphQL types: `domain.problem` turns it into the
RFC 9457 document that both faces render.
"""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple


class Violation(NamedTuple):
    """One thing wrong with one member of a command.

    `path` leads to the member inside the command, for example `("metadata", "order_id")`; `message` says what it
    should be; `type` is the machine name, pydantic's own where pydantic has one (`missing`, `string_too_long`, ...).
    """

    path: tuple[str | int, ...]
    message: str
    type: str


class DomainError(Exception):
    """The base of every expected refusal. `code` is public and stable; clients branch on it."""

    code: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidInput(DomainError):
    """The command breaks a rule; `violations` name every member that does, all at once."""

    code = "validation_error"

    def __init__(self, violations: list[Violation]) -> None:
        named = "; ".join(f"{'.'.join(map(str, v.path)) or 'input'}: {v.message}" for v in violations[:3])
        more = f"; and {len(violations) - 3} more" if len(violations) > 3 else ""
        super().__init__(f"Validation error. {named}{more}.")
        self.violations = violations

    def names(self, member: str) -> bool:
        """Whether it is that member, or something in it, that breaks a rule."""
        return any(each.path[:1] == (member,) for each in self.violations)


class WrongColumns(InvalidInput):
    """What the columns of a file are is not known, or contradicts itself; `columns` is what is known of each."""

    def __init__(self, violations: list[Violation], columns: Mapping[str, str]) -> None:
        super().__init__(violations)
        self.columns = columns


class BadRequest(DomainError):
    """A header of the request cannot be read, or asks for what the operation has not got."""

    code = "bad_request"


class NotFound(DomainError):
    """Nothing is stored under that key, or nothing that this caller may know of."""

    code = "not_found"


class AlreadyAssigned(DomainError):
    """The product already carries that claim or certification; the pair is unique."""

    code = "conflict"


class AlreadyExists(DomainError):
    """Something is stored under that key already."""

    code = "conflict"


class Archived(DomainError):
    """The product is archived, so nothing of it can be changed before it is restored."""

    code = "conflict"


class Unauthorized(DomainError):
    """No credential, or one that is malformed, unknown, revoked or expired."""

    code = "unauthorized"


class Forbidden(DomainError):
    """The credential is good, but does not permit this operation on this product.

    `scope` is what an OAuth token lacks, when that is the reason (RFC 6750, section 3.1).
    """

    code = "forbidden"

    def __init__(self, detail: str, scope: str | None = None) -> None:
        super().__init__(detail)
        self.scope = scope


class Busy(DomainError):
    """What we depend on could not take the work in time; the same request may succeed after `retry_after` seconds.

    `reason` is a word or two for operators.
    """

    code = "service_unavailable"

    def __init__(self, detail: str, retry_after: int = 1, reason: str = "busy") -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.reason = reason


class PreconditionFailed(DomainError):
    """What is stored is not what the caller takes it to be, so the change was not made."""

    code = "precondition_failed"


class NotApplied(DomainError):
    """One row of a bulk write was right, and was not done because another one was refused."""

    code = "not_applied"


REFUSALS = (NotFound, AlreadyAssigned, AlreadyExists, Archived, Forbidden, InvalidInput, PreconditionFailed)
"""What is wrong with one thing that was asked for; others of the same request can still be done."""


class IdempotencyKeyReused(DomainError):
    """The idempotency key was used before, for something else."""

    code = "idempotency_key_reused"


class IdempotencyKeyInUse(Busy):
    """The first request with that idempotency key is still being worked on."""

    code = "idempotency_key_in_use"


class RateLimited(DomainError):
    """The caller asks more often than it may; the same request may succeed after `retry_after` seconds."""

    code = "rate_limited"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
