"""Column types that mean the same on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import ARRAY, JSON, BigInteger, Boolean, Date, DateTime, Dialect, Integer, String, case, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import BindParameter, ColumnElement, FunctionElement, bindparam
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

from db.sql.compiled import json_text


def text(length: int | None = None) -> TypeEngine[str]:
    """Text compared and sorted by code point on both databases.

    PostgreSQL would otherwise follow the server's locale, and a keyset page would differ from SQLite's.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


@lru_cache(maxsize=256)
def _moment_text(value: datetime | None) -> str | None:
    """SQLAlchemy's form for SQLite; remembered, because all that an operation writes has its moment."""
    if value is None:
        return None
    # In quotes, with a T and a Z, in a quarter of the time of `isoformat`.
    written = str(msgspec.json.encode(value.astimezone(UTC)), "ascii")
    return f"{written[1:11]} {written[12:-2]}{'' if value.microsecond else '.000000'}"


@lru_cache(maxsize=8192)
def _moment(text: str | None) -> datetime | None:
    """Remembered, because rows that were written together have their moments in common, and reading one is slow."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


@lru_cache(maxsize=8192)
def _day(text: str) -> date:
    """Remembered as moments are."""
    return date.fromisoformat(text)


_day.reads_iso = True  # type: ignore[attr-defined]


class Day(TypeDecorator[date]):
    """A date."""

    impl = Date
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str], date] | None:
        """The stored date, as PostgreSQL's driver gives it by itself."""
        return _day if dialect.name == "sqlite" else None


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and always UTC; SQLite stores it without the zone, which its text form cannot hold."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | None] | None:
        """The moment in UTC as a text for SQLite; as it is for PostgreSQL."""
        return _moment_text if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], datetime | None] | None:
        """The stored moment, aware, as PostgreSQL's driver gives it by itself."""
        return _moment if dialect.name == "sqlite" else None


class VocabularyText(TypeDecorator[StrEnum]):
    """A member of one of the contract's enumerations, stored by its wire value."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__(32)
        self.members = members
        self._by_value: dict[str | None, StrEnum | None] = {None: None, **{member.value: member for member in members}}

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], StrEnum | None]:
        """The member behind a stored value."""
        return self._by_value.__getitem__


class _Document(TypeDecorator[Any]):
    """JSON, and JSONB on PostgreSQL."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON())
        # Where PostgreSQL is in use, this is imported already; elsewhere a start does not pay for it.
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB())

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], str]:
        """The value as the text that is stored; SQLAlchemy's own calls two functions more for it."""
        return json_text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str], Any] | None:
        """As above; asyncpg's codec has read it already."""
        return msgspec.json.decode if dialect.name == "sqlite" else None


Document = _Document()
"""A JSON value."""


class _List(TypeDecorator[list[Any]]):
    """A list of texts or numbers as one parameter: an array on PostgreSQL, a JSON text on SQLite."""

    impl = String
    cache_ok = True

    def __init__(self, item: type[String | BigInteger] = String) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item()) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        return msgspec.json.encode(value).decode() if dialect.name == "sqlite" else value


class Sentence(FunctionElement[bool]):
    """A condition that stands as it is written, because nothing binds more tightly.

    SQLAlchemy would write `(...) = 1` for a database without a boolean type, and SQLite then skips the index.
    """

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Any:
        """Itself, without parentheses."""
        return self


class _Among(Sentence):
    """`column IN (all members of one list parameter)`; see `among`."""

    inherit_cache = True


def text_list(name: str) -> BindParameter[list[str]]:
    """A list of texts given as one parameter."""
    return bindparam(name, type_=_List())


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether the column's value is in the list given as parameter `name`; the statement's text never grows with it."""
    return _Among(column, bindparam(name, type_=_List(BigInteger if isinstance(column.type, Integer) else String)))


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    # Both parts are SQL that SQLAlchemy wrote.
    return f"{compiler.process(column)} IN (SELECT value FROM json_each({compiler.process(values)}))"  # noqa: S608


@compiles(_Among, "postgresql")
def _among_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column)} = ANY ({compiler.process(values)})"


class Endless(ColumnElement[date]):
    """A date behind all that can be stored."""

    type = Date()
    inherit_cache = True


@compiles(Endless, "sqlite")
def _endless_sqlite(element: Endless, compiler: SQLCompiler, **options: Any) -> str:
    # Dates are texts that begin with a digit.
    return "'~'"


@compiles(Endless, "postgresql")
def _endless_postgresql(element: Endless, compiler: SQLCompiler, **options: Any) -> str:
    # The last one there is. Not infinity, which statistics could not put into a period.
    return "'5874897-12-31'::date"


class Beginning(ColumnElement[date]):
    """The first date there is."""

    type = Date()
    inherit_cache = True


@compiles(Beginning, "sqlite")
def _beginning_sqlite(element: Beginning, compiler: SQLCompiler, **options: Any) -> str:
    return "'0001-01-01'"


@compiles(Beginning, "postgresql")
def _beginning_postgresql(element: Beginning, compiler: SQLCompiler, **options: Any) -> str:
    return "'0001-01-01'::date"


def open_end(date: ColumnElement[Any]) -> ColumnElement[Any]:
    """The date, a missing one put behind all others.

    Without NULL, a page can be continued behind any value, and one range of an index holds all that has not ended.
    """
    return func.coalesce(date, Endless(), type_=Date())


class DayBefore(FunctionElement[date]):
    """The day before a date; NULL where that is missing."""

    type = Date()
    inherit_cache = True


@compiles(DayBefore, "sqlite")
def _day_before_sqlite(element: DayBefore, compiler: SQLCompiler, **options: Any) -> str:
    return f"date({compiler.process(element.clauses, **options)}, '-1 day')"


@compiles(DayBefore, "postgresql")
def _day_before_postgresql(element: DayBefore, compiler: SQLCompiler, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} - 1"


class DayAfter(FunctionElement[date]):
    """The day after a date, also after the last one there is."""

    type = Date()
    inherit_cache = True


@compiles(DayAfter, "sqlite")
def _day_after_sqlite(element: DayAfter, compiler: SQLCompiler, **options: Any) -> str:
    return f"ifnull(date({compiler.process(element.clauses, **options)}, '+1 day'), '9999-12-31~')"


@compiles(DayAfter, "postgresql")
def _day_after_postgresql(element: DayAfter, compiler: SQLCompiler, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} + 1"


def earlier(first: ColumnElement[Any], second: ColumnElement[Any]) -> ColumnElement[Any]:
    """The earlier of two dates; where one is missing, the other."""
    return case(((second < first) | first.is_(None), second), else_=first)


class Unindexed(FunctionElement[Any]):
    """The column in a form for which SQLite looks at no index; PostgreSQL chooses by how many rows there are."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(Unindexed)
def _unindexed(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = element.clauses
    return compiler.process(column, **options)


@compiles(Unindexed, "sqlite")
def _unindexed_sqlite(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = element.clauses
    return f"+{compiler.process(column, **options)}"


class Negated(Sentence):
    """`NOT (...)`."""

    inherit_cache = True


@compiles(Negated)
def _negated(element: Negated, compiler: SQLCompiler, **options: Any) -> str:
    (clause,) = element.clauses
    return f"NOT ({compiler.process(clause, **options)})"


class Exists(Sentence):
    """`EXISTS (...)`."""

    inherit_cache = True


@compiles(Exists)
def _exists(element: Exists, compiler: SQLCompiler, **options: Any) -> str:
    (query,) = element.clauses
    return f"EXISTS {compiler.process(query, **options)}"


class AnyOf(Sentence):
    """Whether a row has an entry, which `found` says by a table of entries, or its own list and that of the parameter.

    For one row SQLite reads its list ten times as fast as it looks for each value of the parameter among the entries.
    """

    inherit_cache = True

    def __init__(self, found: ColumnElement[bool], items: ColumnElement[Any], values: BindParameter[list[str]]) -> None:
        super().__init__(found, items, values)


@compiles(AnyOf)
def _any_of(element: AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    found, _, _ = element.clauses
    return compiler.process(found, **options)


@compiles(AnyOf, "sqlite")
def _any_of_sqlite(element: AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    _, items, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({items}) WHERE value IN (SELECT value FROM json_each({values})))"  # noqa: S608


class ListItems(FunctionElement[str]):
    """The items of a JSON list of texts, as a table with the column `value`."""

    type = String()
    inherit_cache = True


@compiles(ListItems, "postgresql")
def _items_postgresql(element: ListItems, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_array_elements_text({compiler.process(element.clauses, **options)})"


class GivenTexts(FunctionElement[str]):
    """The texts of a list that is given as one parameter (see `text_list`), as a table with the column `value`."""

    type = String()
    inherit_cache = True


@compiles(GivenTexts, "postgresql")
def _given_postgresql(element: GivenTexts, compiler: SQLCompiler, **options: Any) -> str:
    # What `unnest` gives has no name that SQLite has, too.
    return f"jsonb_array_elements_text(to_jsonb({compiler.process(element.clauses, **options)}))"


class MapEntries(FunctionElement[str]):
    """The entries of a JSON map of texts, as a table with the columns `key` and `value`."""

    type = String()
    inherit_cache = True


@compiles(ListItems, "sqlite")
@compiles(GivenTexts, "sqlite")
@compiles(MapEntries, "sqlite")
def _each_sqlite(element: FunctionElement[str], compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(MapEntries, "postgresql")
def _entries_postgresql(element: MapEntries, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_each_text({compiler.process(element.clauses, **options)})"


def pattern(part: str) -> str:
    """What LIKE finds that part with, whatever stands around it; the escape character is a backslash."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


class CurrentTransaction(ColumnElement[int]):
    """The number of the transaction; 0 on SQLite, where one follows the other."""

    type = BigInteger()
    inherit_cache = True


@compiles(CurrentTransaction, "sqlite")
def _current_transaction_sqlite(element: CurrentTransaction, compiler: SQLCompiler, **options: Any) -> str:
    return "0"


@compiles(CurrentTransaction, "postgresql")
def _current_transaction_postgresql(element: CurrentTransaction, compiler: SQLCompiler, **options: Any) -> str:
    return "pg_current_xact_id()::text::bigint"
