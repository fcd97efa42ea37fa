"""Reads: Core statements and the records that their rows become, for readers and inside write transactions alike."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Dialect, Select, Table

from db.compiled import Compiled, compile_statement

R = TypeVar("R")
Row = Sequence[Any]
Definitions = Mapping[Any, Any]
"""What the last column of a statement names, by its values."""


class Built(NamedTuple, Generic[R]):
    """A statement for one driver, and the function that makes its records of the driver's rows."""

    statement: Compiled
    records: Callable[[Sequence[Row], Definitions | None], list[R]]


class Read(Generic[R]):
    """A statement and the records that its rows become.

    `build` is a record, whose members are the columns in their order, or a function that takes the row. Where `defined`
    is set, the last column is looked up among the definitions that the read is given when it runs, and `build` takes
    what was found. `scans` marks a read whose work is not bounded by its answer.
    """

    def __init__(
        self, select: Select[Any], build: Callable[..., R], *, defined: bool = False, scans: bool = False
    ) -> None:
        self.select = select
        self.build = build
        self.defined = defined
        self.scans = scans
        self.compiled = lru_cache(maxsize=4)(self._compile)

    def _compile(self, dialect: Dialect, lock: Table | None = None) -> Built[R]:
        select = self.select if lock is None else self.select.with_for_update(of=lock)
        statement = compile_statement(select, dialect)
        return Built(statement, _builder(self.build, statement.converts, defined=self.defined))


def _builder(
    build: Callable[..., R], converts: Sequence[Callable[[Any], Any] | None], *, defined: bool
) -> Callable[[Sequence[Row], Definitions | None], list[R]]:
    """A function from rows to records: one expression for all columns, three times as fast as a loop over them.

    For three columns, of which the second is converted and the last is a definition's id, it reads:
    `lambda rows, found: [build(v0, None if v1 is None else convert1(v1), found[v2]) for v0, v1, v2, in rows]`.
    """
    names = "".join(f"v{index}, " for index in range(len(converts)))
    values = [
        f"v{index}" if convert is None else f"None if v{index} is None else convert{index}(v{index})"
        for index, convert in enumerate(converts)
    ]
    if defined:
        values[-1] = f"found[{values[-1]}]"
    arguments = ", ".join(values)
    if not (isinstance(build, type) and issubclass(build, msgspec.Struct)):
        arguments = f"({arguments},)"
    functions = {f"convert{index}": convert for index, convert in enumerate(converts)}
    made: Callable[[Sequence[Row], Definitions | None], list[R]] = eval(  # noqa: S307 - made of numbers alone
        f"lambda rows, found: [build({arguments}) for {names} in rows]", {"build": build, **functions}
    )
    return made
