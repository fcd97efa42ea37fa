"""What surrounds every operation: who asks, when, and whether they may."""

import copy
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import msgspec

from db.database import Database, Transaction
from domain.access import Caller, Permission, require
from domain.errors import BadRequest
from domain.idempotency import OneWrite
from domain.preconditions import Expected, Versioned
from domain.publishable import published
from domain.validation import Command
from resolvers.repetition import Answers

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=Command)


class Context:
    """One request, as the operations see it: the caller, the database and one moment that all of them share.

    `idempotency` and `expected` are what the request says about its write, None when it says nothing. `replayed`
    collects the parts of the request that were answered again instead of being done again.
    """

    __slots__ = ("_confirmed", "caller", "database", "expected", "idempotency", "now", "replayed")

    def __init__(
        self,
        database: Database,
        caller: Caller,
        now: datetime | None = None,
        *,
        idempotency_key: str | None = None,
        expected: Expected | None = None,
    ) -> None:
        self.database = database
        self.caller = caller
        self.now = now or datetime.now(UTC)
        self.idempotency = OneWrite(caller.principal, idempotency_key) if idempotency_key else None
        self.expected = expected
        self.replayed: list[str] = []
        self._confirmed = False

    @property
    def today(self) -> date:
        """The day in UTC, by which validity is judged."""
        return self.now.date()

    def for_part(self, part: str, expected: Expected | None) -> Self:
        """The context of one of several writes in the same request; `part` tells it from the others."""
        own = copy.copy(self)
        own._confirmed = False  # noqa: SLF001 - its own class
        own.expected = expected
        if own.idempotency is not None:
            own.idempotency = msgspec.structs.replace(own.idempotency, part=part)
        return own

    def confirm(self, stored: Versioned) -> None:
        """To be called with the locked record before it is changed or removed.

        Raises `PreconditionFailed` unless it is what the caller expects.
        """
        self._confirmed = True
        if self.expected is not None:
            self.expected.check(stored, self.today)

    def require_confirmed(self) -> None:
        """Raises `BadRequest` when the caller expects something that the operation never looked at."""
        if self.expected is not None and not self._confirmed:
            raise BadRequest(
                "If-Match is understood where one assignment or product is changed or removed; leave it out here."
            )


OPERATIONS: dict[str, Permission] = {}
"""Every operation and the permission that it declares."""

Read = Callable[Concatenate[Context, P], Coroutine[Any, Any, R]]
Write = Callable[[Context, Transaction, C], Coroutine[Any, Any, R]]


def read_operation(function: Read[P, R]) -> Read[P, R]:
    """Declares an operation that reads; any valid credential may.

    What a publishable key may not see is taken out of the answer here, so that no operation can forget it.
    """
    _declare(function, Permission.READ)

    @wraps(function)
    async def guarded(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
        require(context.caller, Permission.READ)
        answer = await function(context, *args, **kwargs)
        return answer if context.caller.sees_private else published(answer)

    return guarded


def write_operation(function: Write[C, R]) -> Callable[[Context, C], Coroutine[Any, Any, R]]:
    """Declares an operation that writes: refused with `Forbidden` unless the credential permits writing.

    It runs in one transaction, which has been committed by the time it answers and is rolled back when it raises. What
    was done before under the same idempotency key is not done again; its answer is given again.
    """
    answers: Answers[R] = Answers(_declare(function, Permission.WRITE), function)

    @wraps(function)
    async def guarded(context: Context, command: C, /) -> R:
        require(context.caller, Permission.WRITE)
        async with context.database.write() as transaction:
            write = context.idempotency
            if write is not None:
                recalled = await answers.recall(transaction, write, command, context.now)
                if recalled is not None:
                    context.replayed.append(write.part)
                    return recalled.answer
            answer = await function(context, transaction, command)
            context.require_confirmed()
            if write is not None:
                await answers.remember(transaction, write, answer, context.now)
            return answer

    return guarded


def _declare(function: Callable[..., Any], permission: Permission) -> str:
    name = f"{function.__module__}.{function.__qualname__}"
    OPERATIONS[name] = permission
    return name
