"""Why a request was refused before, or instead of, giving a result."""

from collections.abc import Sequence
from enum import Enum

from graphql import GraphQLError


class Refusal(Enum):
    """At which step a request was refused."""

    SYNTAX = "syntax"
    """The text is not a GraphQL document."""
    LIMIT = "limit"
    """The document or its variables ask for more than the server gives anyone."""
    VALIDATION = "validation"
    """The document does not fit the schema."""
    OPERATION = "operation"
    """Which operation to run is unclear, or it cannot be run here."""
    VARIABLES = "variables"
    """The variables do not fit their declared types."""
    TIMEOUT = "timeout"
    """The operation was stopped because it took too long."""
    UNAVAILABLE = "unavailable"
    """Nothing of the operation could be done at the moment, and the same may succeed later."""


class RequestError(Exception):
    """The whole request is refused: the answer has `errors` and no `data`.

    Each of `errors` carries a machine-readable `extensions["code"]`.
    """

    def __init__(self, refusal: Refusal, errors: Sequence[GraphQLError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.refusal = refusal
        self.errors = list(errors)

    @classmethod
    def of(cls, refusal: Refusal, code: str, message: str) -> "RequestError":
        """A refusal for one reason that has no place in the document's text."""
        return cls(refusal, [GraphQLError(message, extensions={"code": code})])


def with_code(error: GraphQLError, code: str) -> GraphQLError:
    """The same error with `extensions["code"]` set, unless it has one."""
    error.extensions = {"code": code, **(error.extensions or {})}
    return error


def root_cause(error: GraphQLError) -> Exception | None:
    """The exception that a resolver raised; None when GraphQL itself found the error."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause
