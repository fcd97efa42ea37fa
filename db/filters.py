"""From the conditions of `domain.filters` to SQL.

A filter is taken apart into its shape and its values. The shape decides the statement's text, so statements are kept
by shape; values are parameters, a list is one parameter.
"""

from typing import Any, NamedTuple

from sqlalchemy import FromClause, and_, bindparam, false, or_, true
from sqlalchemy.sql.expression import BindParameter, ColumnElement

from db.types import Endless, Negated, among, has_entry, has_item, open_end, pattern
from domain.filters import Condition, Either, Every, Not, Where

# Dates without which something has no end.
_OPEN = frozenset({"expiration_date"})


class Taken(NamedTuple):
    """A filter taken apart: the shape has the names of parameters where the filter has values."""

    shape: Where
    values: dict[str, Any]


def take_apart(where: Where) -> Taken:
    """The shape and the values of a filter whose conditions on definitions are settled."""
    values: dict[str, Any] = {}
    return Taken(_shape(where, values), values)


def _shape(where: Where, values: dict[str, Any]) -> Where:
    match where:
        case Every(parts):
            return Every(tuple(_shape(part, values) for part in parts))
        case Either(parts):
            return Either(tuple(_shape(part, values) for part in parts))
        case Not(part):
            return Not(_named(part, values))
        case Condition():
            return _named(where, values)


def _named(condition: Condition, values: dict[str, Any]) -> Condition:
    value = condition.value
    if value is None:
        return condition
    name = f"w{len(values)}"
    if condition.operator == "has" and isinstance(value, tuple):
        values[name], values[f"{name}_value"] = value
        return Condition(condition.member, "has_entry", name)
    match condition.operator:
        case "in":
            values[name] = list(value)
        case "contains":
            values[name] = pattern(value)
        case _:
            values[name] = value
    return Condition(condition.member, condition.operator, name)


def condition(shape: Where, table: FromClause) -> ColumnElement[bool]:
    """The condition of that shape on the table's rows, never NULL; parameters are named as in the shape."""
    match shape:
        case Every(parts):
            return and_(true(), *(condition(part, table) for part in parts))
        case Either(parts):
            return or_(false(), *(condition(part, table) for part in parts))
        case Not(part):
            return Negated(_condition(part, table))
        case Condition():
            return _condition(shape, table)


def _condition(test: Condition, table: FromClause) -> ColumnElement[bool]:
    column = table.c[test.member]
    if test.operator == "in":
        return among(column, test.value)
    if test.operator == "has":
        return has_item(column, test.value)
    if test.operator == "has_entry":
        return has_entry(column, test.value, f"{test.value}_value")
    value: BindParameter[Any] = bindparam(test.value or "none", type_=column.type)
    if test.member in _OPEN:
        return _of_open_date(test.operator, open_end(column), value)
    match test.operator:
        case "eq":
            return column == value
        case "gte":
            return column >= value
        case "lte":
            return column <= value
        case "lt":
            return column < value
        case "contains":
            return column.like(value, escape="\\")
        case "open_lte":
            return column.is_(None) | (column <= value)
        case _:
            raise KeyError(test.operator)


def _of_open_date(operator: str, date: ColumnElement[Any], value: BindParameter[Any]) -> ColumnElement[bool]:
    match operator:
        case "eq":
            return date == value
        case "gte":
            return (date >= value) & (date < Endless())
        case "open_gte":
            return date >= value
        case "lte":
            return date <= value
        case "null":
            return date == Endless()
        case "known":
            return date < Endless()
        case _:
            raise KeyError(operator)
