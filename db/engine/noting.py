"""The statements of one request and how long each took, and the sum of all, for whoever wants to know.

Nobody does unless `notes` is set or `sums` are; then a statement costs one look at either.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from db.sql.compiled import Compiled

MOST = 200
"""Statements of one request that are kept; further ones are only counted."""

COMMIT = Compiled("COMMIT", lambda _: [], ())


class Statement:
    """A statement that was begun; one that never ended failed, or was stopped."""

    __slots__ = ("began", "ended", "statement", "values")

    def __init__(self, statement: Compiled, values: Mapping[str, Any]) -> None:
        self.statement = statement
        self.values = values
        self.ended = 0.0
        self.began = perf_counter()


class Notes:
    """The statements of one request, in their order. One that several requests share is among those of each."""

    __slots__ = ("closed", "count", "statements")

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.count = 0
        self.closed = False
        """Whether the request was answered: what goes on behind it is not noted any more."""

    def seconds(self, end: float) -> float:
        """How long all of them took; `end` is when the request was answered, by `perf_counter`."""
        return sum((noted.ended or end) - noted.began for noted in self.statements)


class Sums:
    """What all statements of this process amount to that were waited for: on SQLite, point reads are not."""

    __slots__ = ("count", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0


sums: Sums | None = None
"""Of this process, where they are wanted."""

notes: ContextVar[Notes | None] = ContextVar("notes", default=None)
"""Where the statements of this task are noted."""


def begin(statement: Compiled, values: Mapping[str, Any] = {}) -> Statement | float | None:
    """Notes that a statement begins, where anybody wants to know."""
    noting = notes.get()
    if noting is None or noting.closed:
        return None if sums is None else perf_counter()
    noting.count += 1
    noted = Statement(statement, values)
    if noting.count <= MOST:
        noting.statements.append(noted)
    return noted


def end(noted: Statement | float | None) -> None:
    """To be called when the rows of a statement have come."""
    if noted is None:
        return
    if noted.__class__ is not float:
        assert isinstance(noted, Statement)
        noted.ended = perf_counter()
        noted = noted.began
    if sums is not None:
        sums.count += 1
        sums.seconds += perf_counter() - noted


def sum_up() -> Sums:
    """Has all statements of this process added up from here on."""
    global sums  # noqa: PLW0603 - it is the process's
    sums = sums or Sums()
    return sums
