"""Scalars, stricter than Strawberry's own, which would also read `20240102` or a moment without a zone."""

from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from typing import Any, NewType

import strawberry
from graphql import GraphQLError, ValueNode, value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

from domain.validation import read_date, read_moment

Metadata = NewType("Metadata", dict[str, Any])
"""A caller's own map; see the scalar's description."""
Json = NewType("Json", object)
"""Any value, in answers only."""


def _date(value: Any) -> date:
    try:
        return read_date(value)
    except ValueError:
        raise GraphQLError(f"Date should be written YYYY-MM-DD, for example 2026-05-31, not {value!r}.") from None


def _moment(value: Any) -> datetime:
    try:
        return read_moment(value)
    except ValueError:
        raise GraphQLError(
            f"DateTime should be written with its offset, for example 2026-03-31T12:00:00Z, not {value!r}."
        ) from None


def _in_text(parse: Callable[[Any], Any]) -> Callable[..., Any]:
    """The same for a value that is written in the document: the error says where."""

    def parse_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
        try:
            return parse(value_from_ast_untyped(node, variables))
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from None

    return parse_literal


def _no_input(value: Any) -> object:
    raise GraphQLError("JSON is never an input here.")


def as_json(value: object) -> Json:
    """A member of a record as GraphQL shows it elsewhere."""
    if isinstance(value, Enum):
        return Json(value.name)
    if isinstance(value, date):
        return Json(value.isoformat())
    return Json(value)


SCALARS: dict[object, ScalarDefinition] = {
    date: strawberry.scalar(
        name="Date",
        description="A calendar date, written YYYY-MM-DD and nothing else, for example `2026-05-31`.",
        serialize=lambda value: value.isoformat(),
        parse_value=_date,
        parse_literal=_in_text(_date),
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in ISO 8601 with its offset, for example `2026-03-31T12:00:00+00:00`.",
        serialize=lambda value: value.isoformat(),
        parse_value=_moment,
        parse_literal=_in_text(_moment),
    ),
    Json: strawberry.scalar(
        name="JSON",
        description=(
            "The value of some field, in the form in which that field itself shows it: a text, a number, a date as"
            " text, the name of an enumeration's value, a list."
        ),
        serialize=lambda value: value,
        parse_value=_no_input,
    ),
    # Whatever is sent goes through: the domain judges it, so that both faces name the same violations.
    Metadata: strawberry.scalar(
        name="Metadata",
        description=(
            "Your own data about an object: a map of text to text with at most 50 keys, keys of at most 40 and values"
            " of at most 500 characters. When you write it, listed keys are set and unlisted keys stay; an empty text"
            ' or null as value deletes its key. Example: `{order_id: "6735"}`.'
        ),
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
