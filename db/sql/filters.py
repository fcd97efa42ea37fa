"""From the conditions of `domain.filters` to SQL.

A filter is taken apart into its shape and its values. The shape decides the statement's text, so statements are kept
by shape; values are parameters, a list is one parameter.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Alias,
    Date,
    FromClause,
    Select,
    String,
    Table,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.sql.expression import BindParameter, ColumnElement

from db.sql import tables
from db.sql.days import Covered, Halted, LapsesFrom
from db.sql.types import AnyOf, DayAfter, Endless, Exists, Negated, Unindexed, VocabularyText, among, pattern, text_list
from domain.filters import (
    ACKNOWLEDGED,
    ARCHIVED,
    Condition,
    Either,
    Every,
    Not,
    Where,
    asks_for,
    negation,
    one_of,
    replaced,
)
from domain.vocabulary import Standing

COLUMN_OF = {
    "valid_from": "begins",
    "expiration_date": "ends",
    "lapses_on": "lapses",
    "expiry_date": "expires",
    "audit_date": "audited",
    "halts_on": "halts",
}
"""Members whose conditions and orders go by a column of another name."""
OF_PRODUCTS = {"folded_brand": "brand", "organization_id": "organization"}
"""Members of products by which their assignments are found, and the index that has them; the most selective first."""
MEMBER_OF = {column: member for member, column in COLUMN_OF.items()}
DAYS = ("active", "begun", "held", "suspended", "withdrawn")
"""What a certification is `on` a day by several of its members."""


class Taken(NamedTuple):
    """A filter taken apart: the shape has the names of parameters where the filter has values."""

    shape: Where
    values: dict[str, Any]


def positive(where: Where, table: Table) -> Where:
    """The same with `not` before values of an enumeration turned into its other values, which an index finds."""

    def change(test: Condition | Not) -> Where:
        match test:
            case Not(Condition(member, "eq" | "in" as operator, value)) if not is_of_product(test.part, table):
                kind = column_of(table, member).type
                if isinstance(kind, VocabularyText):
                    named = value if operator == "in" else (value,)
                    return one_of(member, [each for each in kind.members if each not in named])
            case Condition(member, "some", inner):
                return Condition(member, "some", positive(inner, tables.ASSIGNED[member]))
            case Not(Condition(member, "some") as part):
                return negation(change(part))
        return test

    return replaced(where, change)


def take_apart(where: Where) -> Taken:
    """The shape and the values of a filter whose conditions on definitions are settled."""
    values: dict[str, Any] = {}
    return Taken(_shape(where, values), values)


def take_together(wheres: Sequence[Where]) -> tuple[Where, tuple[Where, ...], dict[str, Any]]:
    """The shapes of several filters: of what all of them ask for, and of what each asks besides; and all values."""
    parts = [where.parts if isinstance(where, Every) else (where,) for where in wheres]
    common = tuple(part for part in parts[0] if all(part in each for each in parts))
    besides = [Every(tuple(part for part in each if part not in common)) for each in parts]
    values: dict[str, Any] = {}
    return _shape(Every(common), values), tuple(_shape(each, values) for each in besides), values


def _shape(where: Where, values: dict[str, Any]) -> Where:
    match where:
        case Every(parts):
            return Every(tuple(_shape(part, values) for part in parts))
        case Either(parts):
            return Either(tuple(_shape(part, values) for part in parts))
        case Not(part):
            return Not(_named(part, values))
        case _:
            return _named(where, values)


def _named(condition: Condition, values: dict[str, Any]) -> Condition:
    value = condition.value
    if value is None:
        return condition
    if condition.operator == "some":
        return Condition(condition.member, "some", _shape(value, values))
    name = f"w{len(values)}"
    if condition.operator == "has" and isinstance(value, tuple):
        values[name], values[f"{name}_value"] = value
        return Condition(condition.member, "has_entry", name)
    match condition.operator:
        case "in" | "has_any":
            values[name] = list(value)
        case "contains":
            values[name] = pattern(value)
        case _:
            values[name] = value
    return Condition(condition.member, condition.operator, name)


class Bound(NamedTuple):
    """The end of an order at which a page has a bound of its own, so that no condition's bound is needed there."""

    member: str
    is_lower: bool


Unhelpful = frozenset[tuple[str, str]]
"""Members and operators of conditions by which SQLite shall find no rows, such as those that most rows pass."""

LAPSES: Unhelpful = frozenset(("lapses_on", operator) for operator in ("gte", "open_gte", "lte", "lt"))
"""Those on the last day of certificates, where rows are found in another way."""


def condition(
    shape: Where, table: FromClause, unhelpful: Unhelpful = frozenset(), bound: Bound | None = None
) -> ColumnElement[bool]:
    """The condition of that shape on the table's rows, never NULL; parameters are named as in the shape.

    SQLite looks at no index for conditions that are `unhelpful`. At `bound` it shall find the rows by the bound of the
    page and only compare the conditions.
    """
    match shape:
        case Every(parts):
            return and_(true(), *(condition(part, table, unhelpful, bound) for part in parts))
        case Either(parts):
            return or_(false(), *(condition(part, table, unhelpful) for part in parts))
        case Not(part):
            return Negated(_condition(part, table, unhelpful, None))
        case _:
            return _condition(shape, table, unhelpful, bound)


def _condition(test: Condition, table: FromClause, unhelpful: Unhelpful, bound: Bound | None) -> ColumnElement[bool]:
    if is_of_entries(test):
        return _has(test, table)
    if is_of_product(test, table):
        return _is_of_such(test, table)
    if test.member == ARCHIVED:
        return tables.archived(table) if test.operator == "known" else tables.live(table)
    if test.operator == "some":
        return _has_some(test, table)
    if test.member == ACKNOWLEDGED:
        return _is_acknowledged(test, table)
    if test.operator == "on":
        return _on(test, table)
    column = column_of(table, test.member)
    value: BindParameter[Any] = bindparam(test.value or "none", type_=column.type)
    if (test.member, test.operator) in unhelpful:
        if (test.member, test.operator) in LAPSES:
            return _lapses(test.operator, table, value)
        column = Unindexed(column)
    if test.operator == "in":
        return among(column, test.value)
    low = high = column
    if bound is not None and bound.member == test.member:
        low, high = (Unindexed(column), column) if bound.is_lower else (column, Unindexed(column))
    match test.operator:
        case "eq" if low is not high:
            return (low >= value) & (high <= value)
        case "eq":
            return column == value
        case "gte" | "open_gte":
            return low >= value
        case "lte":
            return high <= value
        case "lt":
            return high < value
        case "null":
            return low >= Endless()
        case "known":
            return high < Endless()
        case "open_lte":
            return (column >= Endless()) | (column <= value)
        case "contains":
            return column.like(value, escape="\\")
        case _:
            raise KeyError(test.operator)


def _lapses(operator: str, table: FromClause, day: ColumnElement[Any]) -> ColumnElement[bool]:
    match operator:
        case "lt":
            return Negated(LapsesFrom(table, day))
        case "lte":
            return Negated(LapsesFrom(table, DayAfter(day)))
    return LapsesFrom(table, day)


def listed(
    shape: Where,
    table: FromClause,
    unhelpful: Unhelpful = frozenset(),
    bound: Bound | None = None,
    *,
    scanned: bool = False,
) -> ColumnElement[bool]:
    """The same for a list of such rows, which shows what is archived only where the filter says so.

    Where all rows have to be `scanned`, SQLite shall not take them from an index that has some of them.
    """
    passing = condition(shape, table, unhelpful, bound)
    if is_of_archived(shape):
        return passing
    return and_(passing, Unindexed(table.c.archived_at).is_(None) if scanned else tables.live(table))


def is_of_archived(shape: Where) -> bool:
    """Whether the filter says itself what of the archived passes."""
    return asks_for(shape, ARCHIVED)


def column_of(table: FromClause, member: str) -> ColumnElement[Any]:
    """What a condition on the member looks at."""
    return table.c[COLUMN_OF.get(member, member)]


def is_of_product(test: Where, table: FromClause) -> bool:
    """Whether it is a condition of assignments on their product: who owns it, or its brand."""
    return isinstance(test, Condition) and test.member in OF_PRODUCTS and test.member not in table.c


def _is_of_such(test: Condition, table: FromClause) -> ColumnElement[bool]:
    products = tables.products
    own: Select[Any] = select(literal_column("1")).where(products.c.gtin == table.c.gtin, condition(test, products))
    return Exists(own.correlate(table).scalar_subquery())


def _on(test: Condition, table: FromClause) -> ColumnElement[bool]:
    # As `domain.validity.is_held` and `standing_of_certificate`, but for the end of the newest certificate.
    of, day = table.c, bindparam(test.value, type_=Date())
    by = _BY_EXPIRATION if test.member == "active" else _BY_LAPSE
    has_begun = or_(func.coalesce(of.valid_from, day, type_=Date()) <= day, Covered(of.earlier_days, by, day))
    is_halted, is_withdrawn = (Halted(of.halted_days, each, day) for each in (_HALTING, _HALTING[1:]))
    match test.member:
        case "begun":
            return has_begun
        case "withdrawn":
            return is_withdrawn
        case "suspended":
            return and_(has_begun, is_halted, Negated(is_withdrawn))
    return and_(has_begun, Negated(is_halted))


_HALTING = (Standing.SUSPENDED, Standing.WITHDRAWN)
_BY_EXPIRATION, _BY_LAPSE = 1, 2


def _has_some(test: Condition, products: FromClause) -> ColumnElement[bool]:
    assigned = tables.ASSIGNED[test.member]
    # A product has a handful of them, whatever else an index of theirs would find.
    own: Select[Any] = select(literal_column("1")).where(assigned.c.gtin == products.c.gtin)
    own = own.with_hint(assigned, f"INDEXED BY sqlite_autoindex_{assigned.name}_1", "sqlite")
    return Exists(own.where(condition(test.value, assigned)).correlate(products).scalar_subquery())


def is_acknowledgement(test: Condition, acknowledged: Table, assigned: FromClause) -> ColumnElement[bool]:
    """Whether an acknowledgement is that of an assignment, and holds on the day of the condition."""
    return and_(
        *(column == assigned.c[column.key] for column in acknowledged.primary_key),
        acknowledged.c.until >= bindparam(test.value, type_=acknowledged.c.until.type),
        acknowledged.c.lapses_on == assigned.c["lapses" if "lapses" in assigned.c else "ends"],
    )


def _is_acknowledged(test: Condition, table: FromClause) -> ColumnElement[bool]:
    stored: Any = table.element if isinstance(table, Alias) else table
    acknowledged = acknowledgements_of(stored)
    own: Select[Any] = select(literal_column("1")).where(is_acknowledgement(test, acknowledged, table))
    own = own.with_hint(acknowledged, f"INDEXED BY sqlite_autoindex_{acknowledged.name}_1", "sqlite")
    return Exists(own.correlate(table).scalar_subquery())


def acknowledgements_of(assigned: Table) -> Table:
    """Those of assignments of such a kind."""
    return next(tables.ACKNOWLEDGED[kind] for kind, table in tables.ASSIGNED.items() if table is assigned)


def is_of_entries(test: Where) -> bool:
    """Whether it is a condition on what is inside a JSON column."""
    return isinstance(test, Condition) and test.operator in ("has", "has_any", "has_entry")


def entries_of(test: Condition, table: str) -> Table:
    """The table of what is inside a JSON column."""
    kind = "metadata" if test.operator == "has_entry" else "countries"
    return tables.metadata.tables[f"{table.removesuffix('s')}_{kind}"]


def is_entry(test: Condition, entries: Table) -> ColumnElement[bool]:
    """Whether an entry is one that the condition names."""
    if test.operator == "has_any":
        return among(entries.c.country, test.value)
    value = bindparam(test.value, type_=String())
    if test.operator == "has":
        return entries.c.country == value
    return (entries.c.key == value) & (entries.c.value == bindparam(f"{test.value}_value", type_=String()))


def _has(test: Condition, table: FromClause) -> ColumnElement[bool]:
    found = _has_entry(test, table)
    return AnyOf(found, table.c[test.member], text_list(test.value)) if test.operator == "has_any" else found


def _has_entry(test: Condition, table: FromClause) -> ColumnElement[bool]:
    stored: Any = table.element if isinstance(table, Alias) else table
    entries = entries_of(test, stored.name)
    key = [name for name in entries.c.keys() if name in ("gtin", "certification_id", "claim_id")]  # noqa: SIM118
    own = and_(is_entry(test, entries), *(entries.c[name] == table.c[name] for name in key))
    return Exists(select(literal_column("1")).select_from(entries).where(own).correlate(table).scalar_subquery())
