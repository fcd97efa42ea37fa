"""The entries of `errors`: what each says, and what it keeps to itself.

A refusal by the domain carries its problem document; what GraphQL itself refuses keeps its text; everything else is
masked and logged once. `extensions` always has `code`, `retryable` and `requestId`.
"""

import logging
from collections.abc import Sequence
from typing import Any

from graphql import FieldNode, GraphQLError

from domain.errors import DomainError
from domain.problem import ErrorPages
from execution.errors import root_cause
from schema.problems import as_document, as_extensions

INTERNAL = "Something went wrong on our side; try again, and report the requestId of this error if it stays."

log = logging.getLogger("certgate.graphql")


def present(errors: Sequence[GraphQLError], request_id: str, error_pages: ErrorPages) -> list[dict[str, Any]]:
    """The errors of one answer as they are sent."""
    failures = {id(failure): (failure, error) for error in errors if (failure := _failure(error)) is not None}
    for failure, error in failures.values():
        # One failure of a batch reaches every parent; the log needs it once.
        log.error("request %s failed at %s", request_id, error.path, exc_info=failure)
    return [_entry(error, request_id, error_pages) for error in errors]


def _failure(error: GraphQLError) -> Exception | None:
    """What went wrong on our side, if that is why there is an error."""
    cause = root_cause(error)
    if cause is not None:
        return None if isinstance(cause, DomainError) else cause
    # A field that was run and has a value that its type does not allow; GraphQL's own text would quote it.
    is_value = error.path is not None and all(isinstance(node, FieldNode) for node in error.nodes or ())
    return error if is_value else None


def present_warnings(warnings: Sequence[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """What limits that only warn let pass in one request, as it is sent; the log has it once."""
    log.warning("request %s is over its limits: %s", request_id, " ".join(warning.message for warning in warnings))
    return [{**warning.formatted, "extensions": {**(warning.extensions or {})}} for warning in warnings]


MAX_MESSAGE = 1_000
"""Characters of a message: those of graphql-core quote what was sent, however long it is."""


def _entry(error: GraphQLError, request_id: str, error_pages: ErrorPages) -> dict[str, Any]:
    entry: dict[str, Any]
    cause = root_cause(error)
    if isinstance(cause, DomainError):
        document = as_document(cause, error_pages)
        entry = {**error.formatted, "message": document.detail, "extensions": as_extensions(document)}
    elif _failure(error) is not None:
        entry = {**error.formatted, "message": INTERNAL}
        entry["extensions"] = {"code": "internal_error", "retryable": True}
    else:
        entry = {**error.formatted}
        if len(error.message) > MAX_MESSAGE:
            entry["message"] = f"{error.message[:MAX_MESSAGE]}..."
        extensions = error.extensions or {}
        retryable = extensions.get("code") == "OPERATION_TIMED_OUT"
        entry["extensions"] = {"code": "BAD_REQUEST", "retryable": retryable, **extensions}
    entry["extensions"]["requestId"] = request_id
    return entry
