"""What surrounds every operation: who asks, when, and whether they may."""

from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from db.database import Database, Transaction
from domain.access import Caller, Permission, require
from domain.validation import Command

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=Command)


class Context:
    """One request, as the operations see it: the caller, the database and one moment that all of them share."""

    __slots__ = ("caller", "database", "now")

    def __init__(self, database: Database, caller: Caller, now: datetime | None = None) -> None:
        self.database = database
        self.caller = caller
        self.now = now or datetime.now(UTC)

    @property
    def today(self) -> date:
        """The day in UTC, by which validity is judged."""
        return self.now.date()


OPERATIONS: dict[str, Permission] = {}
"""Every operation and the permission that it declares."""

Read = Callable[Concatenate[Context, P], Coroutine[Any, Any, R]]
Write = Callable[[Context, Transaction, C], Coroutine[Any, Any, R]]


def read_operation(function: Read[P, R]) -> Read[P, R]:
    """Declares an operation that reads; any valid credential may."""
    _declare(function, Permission.READ)

    @wraps(function)
    async def guarded(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
        require(context.caller, Permission.READ)
        return await function(context, *args, **kwargs)

    return guarded


def write_operation(function: Write[C, R]) -> Callable[[Context, C], Coroutine[Any, Any, R]]:
    """Declares an operation that writes: refused with `Forbidden` unless the credential permits writing.

    It runs in one transaction, which has been committed by the time it answers and is rolled back when it raises.
    """
    _declare(function, Permission.WRITE)

    @wraps(function)
    async def guarded(context: Context, command: C, /) -> R:
        require(context.caller, Permission.WRITE)
        async with context.database.write() as transaction:
            return await function(context, transaction, command)

    return guarded


def _declare(function: Callable[..., Any], permission: Permission) -> None:
    OPERATIONS[f"{function.__module__}.{function.__qualname__}"] = permission
