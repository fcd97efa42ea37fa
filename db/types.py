"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import JSON, Boolean, DateTime, Dialect, String
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import BindParameter, ColumnElement, FunctionElement, bindparam
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

Document = JSON().with_variant(JSONB(), "postgresql")
"""A JSON value."""


def text(length: int | None = None) -> TypeEngine[str]:
    """Text compared and sorted by code point on both databases.

    PostgreSQL would otherwise follow the server's locale, and a keyset page would differ from SQLite's.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and always UTC; SQLite stores it without the zone, which its text form cannot hold."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment in UTC; naive for SQLite."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The stored moment, aware."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Vocabulary(TypeDecorator[StrEnum]):
    """A member of one of the contract's enumerations, stored by its wire value."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__(32)
        self.members = members
        self._by_value = {member.value: member for member in members}

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """The member behind a stored value."""
        return None if value is None else self._by_value[value]


class _TextList(TypeDecorator[list[str]]):
    """A list of texts as one parameter: an array on PostgreSQL, a JSON text on SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(String()) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return msgspec.json.encode(value).decode() if dialect.name == "sqlite" else value


class _Among(FunctionElement[bool]):
    """`column IN (all members of one list parameter)`; see `among`."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Any:
        # SQLAlchemy would write `(...) = 1` for a database without a boolean type, and SQLite then skips the index.
        return self


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether the column's value is in the list given as parameter `name`; the statement's text never grows with it."""
    parameter: BindParameter[list[str]] = bindparam(name, type_=_TextList())
    return _Among(column, parameter)


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    # Both parts are SQL that SQLAlchemy wrote.
    return f"{compiler.process(column)} IN (SELECT value FROM json_each({compiler.process(values)}))"  # noqa: S608


@compiles(_Among, "postgresql")
def _among_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column)} = ANY ({compiler.process(values)})"
