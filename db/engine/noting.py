"""The statements of one request and how long each took, for whoever wants to know.

Nobody does unless `notes` is set, and then a statement costs one look at it.
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


notes: ContextVar[Notes | None] = ContextVar("notes", default=None)
"""Where the statements of this task are noted."""


def begin(statement: Compiled, values: Mapping[str, Any] = {}) -> Statement | None:
    """Notes that a statement begins, where anybody wants to know."""
    noting = notes.get()
    if noting is None or noting.closed:
        return None
    noting.count += 1
    noted = Statement(statement, values)
    if noting.count <= MOST:
        noting.statements.append(noted)
    return noted


def end(noted: Statement | None) -> None:
    """To be called when the rows of a statement have come."""
    if noted is not None:
        noted.ended = perf_counter()
