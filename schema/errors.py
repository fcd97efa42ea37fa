"""The entries of `errors`: what each says, and what it keeps to itself.

A refusal by the domain carries its problem document; what GraphQL itself refuses keeps its text; everything else is
masked and logged once. `extensions` always has `code`, `retryable` and `requestId`.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError

from domain.errors import DomainError
from domain.problem import describe
from execution.errors import root_cause
from schema.problems import as_extensions

INTERNAL = "Something went wrong on our side; try again, and report the requestId of this error if it stays."

log = logging.getLogger("certgate.graphql")


def present(errors: Sequence[GraphQLError], request_id: str, type_base: str) -> list[dict[str, Any]]:
    """The errors of one answer as they are sent."""
    causes = {id(cause): (cause, error) for error in errors if (cause := root_cause(error)) is not None}
    for cause, error in causes.values():
        # One failure of a batch reaches every parent; the log needs it once.
        if not isinstance(cause, DomainError):
            log.error("request %s failed at %s", request_id, error.path, exc_info=cause)
    return [_entry(error, request_id, type_base) for error in errors]


def present_warnings(warnings: Sequence[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """What limits that only warn let pass in one request, as it is sent; the log has it once."""
    log.warning("request %s is over its limits: %s", request_id, " ".join(warning.message for warning in warnings))
    return [{**warning.formatted, "extensions": {**(warning.extensions or {})}} for warning in warnings]


MAX_MESSAGE = 1_000
"""Characters of a message: those of graphql-core quote what was sent, however long it is."""


def _entry(error: GraphQLError, request_id: str, type_base: str) -> dict[str, Any]:
    cause = root_cause(error)
    entry: dict[str, Any]
    if isinstance(cause, DomainError):
        document = describe(cause, at=datetime.now(UTC), type_base=type_base)
        entry = {**error.formatted, "message": cause.detail, "extensions": as_extensions(document)}
    elif cause is None:
        entry = {**error.formatted}
        if len(error.message) > MAX_MESSAGE:
            entry["message"] = f"{error.message[:MAX_MESSAGE]}..."
        extensions = error.extensions or {}
        retryable = extensions.get("code") == "OPERATION_TIMED_OUT"
        entry["extensions"] = {"code": "BAD_REQUEST", "retryable": retryable, **extensions}
    else:
        entry = {**error.formatted, "message": INTERNAL}
        entry["extensions"] = {"code": "internal_error", "retryable": True}
    entry["extensions"]["requestId"] = request_id
    return entry
