"""From the conditions of `domain.filters` to SQL.

A filter is taken apart into its shape and its values. The shape decides the statement's text, so statements are kept
by shape; values are parameters, a list is one parameter.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Alias, FromClause, String, Table, and_, bindparam, false, literal_column, or_, select, true
from sqlalchemy.sql.expression import BindParameter, ColumnElement

from db import tables
from db.types import Endless, Exists, Negated, Unindexed, among, pattern
from domain.filters import Condition, Either, Every, Not, Where

COLUMN_OF = {"expiration_date": "ends"}
"""Members whose conditions and orders go by a column of another name."""


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


def condition(
    shape: Where, table: FromClause, unindexed: frozenset[tuple[str, str]] = frozenset()
) -> ColumnElement[bool]:
    """The condition of that shape on the table's rows, never NULL; parameters are named as in the shape.

    `unindexed` are members and operators for which SQLite shall look at no index.
    """
    match shape:
        case Every(parts):
            return and_(true(), *(condition(part, table, unindexed) for part in _closed(parts)))
        case Either(parts):
            return or_(false(), *(condition(part, table, unindexed) for part in parts))
        case Not(part):
            return Negated(_condition(part, table, unindexed))
        case Condition():
            return _condition(shape, table, unindexed)


def _closed(parts: tuple[Where, ...]) -> Iterator[Where]:
    """The parts, with the starts of spans that have an end marked as such.

    An index is searched between one lower and one upper bound. That what has no end is not in a span would be a second
    upper one, and SQLite would search up to it: from the span's start through everything that has not ended.
    """
    closed = {part.member for part in parts if isinstance(part, Condition) and part.operator == "lte"}
    for part in parts:
        if isinstance(part, Condition) and part.operator == "gte" and part.member in closed:
            yield Condition(part.member, "start", part.value)
        else:
            yield part


def _condition(test: Condition, table: FromClause, unindexed: frozenset[tuple[str, str]]) -> ColumnElement[bool]:
    if test.operator in ("has", "has_entry"):
        return _has(test, table)
    column: ColumnElement[Any] = table.c[COLUMN_OF.get(test.member, test.member)]
    if (test.member, test.operator) in unindexed:
        column = Unindexed(column)
    if test.operator == "in":
        return among(column, test.value)
    value: BindParameter[Any] = bindparam(test.value or "none", type_=column.type)
    match test.operator:
        case "eq":
            return column == value
        case "gte":
            # What has no end is not in any span.
            return (column >= value) & (column < Endless()) if test.member in COLUMN_OF else column >= value
        case "open_gte" | "start":
            return column >= value
        case "lte":
            return column <= value
        case "lt":
            return column < value
        case "null":
            return column == Endless()
        case "known":
            return column < Endless()
        case "open_lte":
            return column.is_(None) | (column <= value)
        case "contains":
            return column.like(value, escape="\\")
        case _:
            raise KeyError(test.operator)


def entries_of(test: Condition, table: str) -> Table:
    """The table of what is inside a JSON column."""
    kind = "metadata" if test.operator == "has_entry" else "countries"
    return tables.metadata.tables[f"{table.removesuffix('s')}_{kind}"]


def is_entry(test: Condition, entries: Table) -> ColumnElement[bool]:
    """Whether an entry is the one that the condition names."""
    value = bindparam(test.value, type_=String())
    if test.operator == "has":
        return entries.c.country == value
    return (entries.c.key == value) & (entries.c.value == bindparam(f"{test.value}_value", type_=String()))


def _has(test: Condition, table: FromClause) -> ColumnElement[bool]:
    stored: Any = table.element if isinstance(table, Alias) else table
    entries = entries_of(test, stored.name)
    key = [name for name in entries.c.keys() if name in ("gtin", "certification_id", "claim_id")]  # noqa: SIM118
    own = and_(is_entry(test, entries), *(entries.c[name] == table.c[name] for name in key))
    return Exists(select(literal_column("1")).select_from(entries).where(own).correlate(table).scalar_subquery())
