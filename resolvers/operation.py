"""What surrounds every operation: who asks, when, and whether they may."""

from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from db.database import Database
from domain.access import Caller, Permission, require

P = ParamSpec("P")
R = TypeVar("R")


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


Function = Callable[Concatenate[Context, P], Coroutine[Any, Any, R]]

OPERATIONS: dict[str, Permission] = {}
"""Every operation and the permission that it declares."""


def operation(permission: Permission) -> Callable[[Function[P, R]], Function[P, R]]:
    """Declares an operation: it is refused with `Forbidden` unless the caller has the permission."""

    def declare(function: Function[P, R]) -> Function[P, R]:
        OPERATIONS[f"{function.__module__}.{function.__qualname__}"] = permission

        @wraps(function)
        async def guarded(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
            require(context.caller, permission)
            return await function(context, *args, **kwargs)

        return guarded

    return declare
