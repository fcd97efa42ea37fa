"""What surrounds every operation: who asks, when, and whether they may."""

import copy
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

import msgspec

from db.database import Database, Transaction
from domain.access import Caller, Permission, require
from domain.changes import Change, cleared_keys
from domain.errors import BadRequest
from domain.idempotency import OneWrite
from domain.preconditions import Expected, Versioned
from domain.publishable import published
from domain.validation import Command
from resolvers.repetition import Answers

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=Command)
D = TypeVar("D", bound=Change[Any, Any])

log = logging.getLogger("certgate.operations")


class Context:
    """One request, as the operations see it: the caller, the database and one moment that all of them share.

    `idempotency` and `expected` are what the request says about its write, None when it says nothing; with `dry_run`
    it is judged and not done. `replayed` collects the parts of the request that were answered again instead of being
    done again.
    """

    __slots__ = ("_confirmed", "caller", "database", "dry_run", "expected", "idempotency", "now", "replayed")

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
        self.dry_run = False
        self.replayed: list[str] = []
        self._confirmed = False

    @property
    def today(self) -> date:
        """The day in UTC, by which validity is judged."""
        return self.now.date()

    def for_part(self, part: str, expected: Expected | None, *, dry_run: bool = False) -> Self:
        """The context of one of several writes in the same request; `part` tells it from the others."""
        own = copy.copy(self)
        own._confirmed = False  # noqa: SLF001 - its own class
        own.expected = expected
        own.dry_run = dry_run
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
Write = Callable[[Context, Transaction, C], Coroutine[Any, Any, D]]


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


def write_operation(function: Write[C, D]) -> "WriteOperation[C, D]":
    """Declares an operation that writes: refused with `Forbidden` unless the credential permits writing.

    It runs in one transaction, which has been committed by the time it answers and is rolled back when it raises. What
    was done before under the same idempotency key is not done again; its answer is given again. A dry run is the same
    but for its end: everything is judged and done, and then rolled back.
    """
    return WriteOperation(function)


class _RolledBack(Exception):
    """Ends the transaction of a dry run, as every rollback is ended, and carries its answer out."""


class WriteOperation(Generic[C, D]):
    """An operation that writes; call it with the context and the command."""

    def __init__(self, function: Write[C, D]) -> None:
        self._function = function
        self._answers: Answers[D] = Answers(_declare(function, Permission.WRITE), function)
        self.__doc__ = function.__doc__

    async def __call__(self, context: Context, command: C, /) -> D:
        """Does it, or tells what it would do. Raises what the operation raises."""
        require(context.caller, Permission.WRITE)
        change: D
        try:
            async with context.database.write() as transaction:
                change = await self._once(context, transaction, command)
                if context.dry_run:
                    raise _RolledBack
        except _RolledBack:
            return msgspec.structs.replace(change, dry_run=True)
        _report(change)
        return change

    async def _once(self, context: Context, transaction: Transaction, command: C) -> D:
        write = None if context.dry_run else context.idempotency
        if write is not None:
            recalled = await self._answers.recall(transaction, write, command, context.now)
            if recalled is not None:
                context.replayed.append(write.part)
                return msgspec.structs.replace(recalled, repeated=True)
        change = await self._function(context, transaction, command)
        context.require_confirmed()
        if write is not None:
            await self._answers.remember(transaction, write, change, context.now)
        return change


def _report(change: Change[Any, Any]) -> None:
    """To be called once the change is stored."""
    keys = 0 if change.repeated else cleared_keys(change.before, change.after)
    if keys:
        # A client's default of {} clears what others rely on; the operator can at least see when it went.
        id, gtin = change.after.id, getattr(change.after, "gtin", "")
        log.warning("all %d metadata keys of %s %s were cleared", keys, id, f"on {gtin}" if gtin else "(an API key)")


def _declare(function: Callable[..., Any], permission: Permission) -> str:
    name = f"{function.__module__}.{function.__qualname__}"
    OPERATIONS[name] = permission
    return name
