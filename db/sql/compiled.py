"""From a Core statement to what a bare driver runs: SQL text, parameters in order, and how to read its values.

SQLAlchemy's own execution costs many times what SQLite needs for a point read, and on asyncpg it adds round trips.
Its compiler runs once for each statement and dialect; what it found out is kept here as plain data.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import BindParameter, Dialect, Select
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


class Compiled(NamedTuple):
    """One statement for one driver: its text, what makes its parameters, and what each value needs doing."""

    sql: str
    bind: Callable[[Mapping[str, Any]], list[Any]]
    """The parameters in the driver's order and form, from the values by name. None is always SQL's NULL."""
    converts: tuple[Convert | None, ...]
    """By column: from the driver's value, unless that is None, to the Python one; None where they are the same."""


def compile_statement(
    statement: Select[Any] | Insert | Update | Delete, dialect: Dialect, columns: Iterable[str] | None = None
) -> Compiled:
    """Compiles a statement; `columns` are those that an insert or update is given values for when it runs.

    Raises `ValueError` for `column.in_([...])`, whose text depends on the values; write `db.sql.types.among` instead.
    """
    compiled = statement.compile(dialect=dialect, column_keys=None if columns is None else list(columns))
    if compiled.post_compile_params:
        raise ValueError("A list in a statement is written among(column, name), never column.in_(list).")
    binds = {name: parameter for parameter, name in compiled.bind_names.items()}
    selected = statement.selected_columns if isinstance(statement, Select) else ()
    converts = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in selected]
    parameters = [(binds[name], name) for name in compiled.positiontup or ()]
    return Compiled(str(compiled), _binder(parameters, dialect), tuple(converts))


def _binder(
    parameters: Sequence[tuple[BindParameter[Any], str]], dialect: Dialect
) -> Callable[[Mapping[str, Any]], list[Any]]:
    """A function from values by name to a list of parameters: one expression, half the time of a loop over them.

    For a text, a date and a value that the statement itself holds, it reads:
    `lambda values: [values['gtin'], None if (v := values['day']) is None else convert1(v), literal2]`.
    """
    names: dict[str, Any] = {}
    items = []
    for index, (parameter, name) in enumerate(parameters):
        convert = parameter.type.dialect_impl(dialect).bind_processor(dialect)
        value = f"values[{name!r}]"
        if not parameter.required:
            # A value that is given comes before the statement's own.
            names[f"literal{index}"] = parameter.effective_value
            value = f"values.get({name!r}, literal{index})"
        if convert is not None:
            names[f"convert{index}"] = convert
            value = f"None if (v := {value}) is None else convert{index}(v)"
        items.append(value)
    made: Callable[[Mapping[str, Any]], list[Any]] = eval(f"lambda values: [{', '.join(items)}]", names)  # noqa: S307 - names are quoted
    return made
