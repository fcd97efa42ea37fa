"""Reads: Core statements compiled once per dialect and run on the bare driver with positional rows.

The same statement also runs inside a write transaction, through SQLAlchemy. Either way its rows arrive as plain
tuples of Python values and leave as records.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Dialect, Select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite

R = TypeVar("R")
Row = Sequence[Any]
Convert = Callable[[Any], Any]

SQLITE = SQLiteDialect_aiosqlite()
POSTGRESQL: Dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]


class Compiled(NamedTuple):
    """One statement for one driver: its text, its parameters in order, and what each value needs doing."""

    sql: str
    parameters: tuple[tuple[str, Convert | None], ...]
    literals: Mapping[str, Any]
    columns: tuple[tuple[int, Convert], ...]

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        """The parameters in the driver's order and form."""
        values = {**self.literals, **values}
        return [
            values[name] if convert is None or values[name] is None else convert(values[name])
            for name, convert in self.parameters
        ]

    def decode(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The driver's rows with every value in its Python type."""
        if not self.columns:
            return rows
        decoded = []
        for row in rows:
            values = list(row)
            for index, convert in self.columns:
                if values[index] is not None:
                    values[index] = convert(values[index])
            decoded.append(values)
        return decoded


class Read(Generic[R]):
    """A statement and the records that its rows become. `scans` marks one whose work is not bounded by its answer."""

    def __init__(self, select: Select[Any], build: Callable[[Row], R], *, scans: bool = False) -> None:
        self.select = select
        self.build = build
        self.scans = scans
        self.compiled = lru_cache(maxsize=2)(self._compile)

    def _compile(self, dialect: Dialect) -> Compiled:
        compiled = self.select.compile(dialect=dialect)
        bound = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        results = [
            (index, column.type.dialect_impl(dialect).result_processor(dialect, None))
            for index, column in enumerate(self.select.selected_columns)
        ]
        return Compiled(
            str(compiled),
            tuple(bound),
            {name: value for name, value in compiled.params.items() if value is not None},
            tuple((index, convert) for index, convert in results if convert is not None),
        )
