"""Reads: Core statements and the records that their rows become, for readers and inside write transactions alike."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import Dialect, Select, Table

from db.compiled import Compiled, compile_statement

R = TypeVar("R")
Row = Sequence[Any]


class Read(Generic[R]):
    """A statement and the records that its rows become. `scans` marks one whose work is not bounded by its answer."""

    def __init__(self, select: Select[Any], build: Callable[[Row], R], *, scans: bool = False) -> None:
        self.select = select
        self.build = build
        self.scans = scans
        self.compiled = lru_cache(maxsize=4)(self._compile)

    def _compile(self, dialect: Dialect, lock: Table | None = None) -> Compiled:
        select = self.select if lock is None else self.select.with_for_update(of=lock)
        return compile_statement(select, dialect)

    def records(self, statement: Compiled, rows: Sequence[Row]) -> list[R]:
        """The records of the rows that the compiled statement was answered with."""
        return [self.build(row) for row in statement.decode(rows)]
