"""From a Core statement to what a bare driver runs: SQL text, parameters in order, and how to read its values.

SQLAlchemy's own execution costs many times what SQLite needs for a point read, and on asyncpg it adds round trips.
Its compiler runs once for each statement and dialect; what it found out is kept here as plain data.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Dialect, Select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.sql.dml import Delete, Insert, Update

Convert = Callable[[Any], Any]


def json_text(value: Any) -> str:
    """A JSON value as the text that is stored."""
    return msgspec.json.encode(value).decode()


class _SqliteCompiler(SQLiteCompiler):
    """SQLAlchemy leaves hints out for SQLite, which does have `INDEXED BY`."""

    def get_from_hint_text(self, table: object, text: str | None) -> str | None:
        """What stands behind a table's name in FROM."""
        return text


class _Sqlite(SQLiteDialect_aiosqlite):
    """SQLAlchemy's dialect with that compiler."""

    statement_compiler = _SqliteCompiler
    supports_statement_cache = True


SQLITE: Dialect = _Sqlite(json_serializer=json_text, json_deserializer=msgspec.json.decode)
POSTGRESQL: Dialect = PGDialect_asyncpg(json_serializer=json_text)  # type: ignore[no-untyped-call]


class Compiled(NamedTuple):
    """One statement for one driver: its text, its parameters in order, and what each value needs doing.

    `literals` are the values that the statement itself holds, by the name that the compiler gave them.
    """

    sql: str
    parameters: tuple[tuple[str, Convert | None], ...]
    literals: Mapping[str, Any]
    converts: tuple[Convert | None, ...]
    """By column: from the driver's value, unless that is None, to the Python one; None where they are the same."""

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        """The parameters in the driver's order and form; None is always SQL's NULL, for JSON columns too."""
        if self.literals:
            values = {**self.literals, **values}
        return [
            value if (value := values[name]) is None or convert is None else convert(value)
            for name, convert in self.parameters
        ]


def compile_statement(
    statement: Select[Any] | Insert | Update | Delete, dialect: Dialect, columns: Iterable[str] | None = None
) -> Compiled:
    """Compiles a statement; `columns` are those that an insert or update is given values for when it runs.

    Raises `ValueError` for `column.in_([...])`, whose text depends on the values; write `db.types.among` instead.
    """
    compiled = statement.compile(dialect=dialect, column_keys=None if columns is None else list(columns))
    if compiled.post_compile_params:
        raise ValueError("A list in a statement is written among(column, name), never column.in_(list).")
    binds = {name: parameter for parameter, name in compiled.bind_names.items()}
    selected = statement.selected_columns if isinstance(statement, Select) else ()
    converts = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in selected]
    return Compiled(
        str(compiled),
        tuple(
            (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ),
        {name: parameter.effective_value for name, parameter in binds.items() if not parameter.required},
        tuple(converts),
    )
