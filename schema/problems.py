"""Refusals in GraphQL: members of a mutation's result union, or entries of `errors` with the same document.

Both show the problem document that REST sends (RFC 9457, contract 1.8).
"""

import dataclasses
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from domain import commands
from domain.errors import (
    AlreadyAssigned,
    AlreadyExists,
    Archived,
    DomainError,
    Forbidden,
    InvalidInput,
    NotApplied,
    NotFound,
    PreconditionFailed,
    Violation,
)
from domain.problem import ErrorPages, Problem, describe
from domain.validation import Command
from schema.context import GraphQLContext


@strawberry.type(name="Violation", description="One thing that is wrong with one member of the input.")
class ViolationType:
    """A violation as GraphQL shows it."""

    loc: list[str] = strawberry.field(description="The way to the member, for example `[input, metadata, order_id]`.")
    msg: str = strawberry.field(description="What the member should be.")
    type: str = strawberry.field(description="Machine name of the rule, for example `string_too_long`.")


@strawberry.interface(
    name="Problem",
    description=(
        "Why an operation was refused: a problem document as in RFC 9457. The REST face shows the same members."
    ),
)
class ProblemType:
    """A problem as GraphQL shows it."""

    type: str = strawberry.field(description="URI that names the kind of problem.")
    help: str = strawberry.field(description="Where this server explains it: a URL, or a path on this server.")
    title: str = strawberry.field(description="The kind of problem in a few words.")
    status: int = strawberry.field(description="The HTTP status that the REST face answers with.")
    detail: str = strawberry.field(description="What happened this time, and what to do about it.")
    error_code: str = strawberry.field(description="Machine name of the kind of problem, for example `not_found`.")
    retryable: bool = strawberry.field(description="Whether the same request can succeed later.")
    timestamp: datetime = strawberry.field(description="When it happened.")


_SHOWN = tuple(field.name for field in dataclasses.fields(ProblemType))
"""What GraphQL shows of every problem document."""


@strawberry.type(description="The product, claim, certification or API key does not exist, or not for you.")
class NotFoundProblem(ProblemType):
    """404."""


@strawberry.type(
    description="It exists already: the product, or that claim or certification on it. Or the product is archived."
)
class ConflictProblem(ProblemType):
    """409."""


@strawberry.type(description="Your credential does not permit this operation on this product.")
class ForbiddenProblem(ProblemType):
    """403."""


@strawberry.type(
    description=(
        "This row of a bulk mutation could have been done, but another one was refused and the policy is `REJECT_ALL`:"
        " nothing was changed."
    )
)
class NotAppliedProblem(ProblemType):
    """424, in bulk forms only."""


@strawberry.type(description="What is stored is not at the version that `ifMatch` names; nothing was changed.")
class PreconditionFailedProblem(ProblemType):
    """412."""


@strawberry.type(description="Members of the input break a rule; every one of them is named.")
class ValidationProblem(ProblemType):
    """422."""

    violations: list[ViolationType] = strawberry.field(description="What is wrong, one entry for each rule broken.")


_MEMBERS: dict[type[DomainError], type[ProblemType]] = {
    NotFound: NotFoundProblem,
    AlreadyAssigned: ConflictProblem,
    AlreadyExists: ConflictProblem,
    Archived: ConflictProblem,
    Forbidden: ForbiddenProblem,
    InvalidInput: ValidationProblem,
    PreconditionFailed: PreconditionFailedProblem,
    NotApplied: NotAppliedProblem,
}


def problem_types(refusals: Iterable[type[DomainError]]) -> list[type[ProblemType]]:
    """The types that stand for refusals in result unions."""
    return [_MEMBERS[refusal] for refusal in refusals]


# Members that GraphQL calls otherwise than the contract.
_NAMES = {"product_name": "name", "certification_body_id": "body_id"}

_word = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
_MEMBER_NAMES = frozenset(
    name
    for kind in vars(commands).values()
    if isinstance(kind, type) and issubclass(kind, Command)
    for name in kind.model_fields
)


def as_document(error: DomainError, error_pages: ErrorPages) -> Problem:
    """The problem document of an error, with members as GraphQL spells them wherever they are named."""
    if isinstance(error, InvalidInput):
        error = InvalidInput(
            [Violation(_located(path), _word.sub(_spelled, text), kind) for path, text, kind in error.violations]
        )
    return describe(error, at=datetime.now(UTC), error_pages=error_pages)


def _located(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The way to a member in camelCase; keys of a map stay as they are."""
    if not path:
        return ()
    first, *rest = map(str, path)
    if first == "where":
        return tuple(map(to_camel_case, (first, *rest)))
    return (to_camel_case(_NAMES.get(first, first)), *rest)


def _spelled(word: re.Match[str]) -> str:
    """A word of a sentence, in camelCase if it is a member's name."""
    return to_camel_case(_NAMES.get(word[0], word[0])) if word[0] in _MEMBER_NAMES else word[0]


def member_of(error: DomainError, context: GraphQLContext, *prefix: str) -> ProblemType | None:
    """The member of a result union that stands for a refusal, None when there is none: then it is an error.

    `prefix` is the way to what was refused in the mutation's arguments.
    """
    member = _MEMBERS.get(type(error))
    if member is None:
        return None
    document = as_document(error, context.error_pages)
    members = {name: getattr(document, name) for name in _SHOWN}
    if document.violations is not None:
        members["violations"] = [
            ViolationType(loc=[*prefix, *map(str, path)], msg=message, type=kind)
            for path, message, kind in document.violations
        ]
    return member(**members)


def as_extensions(document: Problem) -> dict[str, Any]:
    """The problem document as `errors[].extensions` carry it."""
    problem: dict[str, Any] = {to_camel_case(name): getattr(document, name) for name in _SHOWN}
    problem["timestamp"] = document.timestamp.isoformat(timespec="seconds")
    if document.retry_after is not None:
        problem["retryAfter"] = document.retry_after
    if document.violations is not None:
        problem["violations"] = [
            {"loc": list(path), "msg": message, "type": kind} for path, message, kind in document.violations
        ]
    return {"code": document.error_code, "retryable": document.retryable, "problem": problem}
