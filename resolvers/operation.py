"""What surrounds every operation: who asks, when, and whether they may."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, nullcontext
from copy import copy
from datetime import UTC, date, datetime, time
from functools import wraps
from operator import itemgetter
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, Self, TypeVar, cast, get_args, get_type_hints

import msgspec

from db import history
from db.engine.database import Database, Transaction
from db.engine.known import KnownDatabase, known
from db.engine.rehearsal import Rehearsal
from db.history import Entry
from domain.access import Caller, Permission, require, require_private
from domain.changes import Change, cleared_keys
from domain.errors import REFUSALS, BadRequest, DomainError, InvalidInput, NotApplied, Violation
from domain.history import Provenance, actor_of
from domain.idempotency import OneWrite
from domain.preconditions import Expected, Versioned
from domain.publishable import published
from domain.validation import Command, end_of_second
from domain.vocabulary import BulkPolicy, Face
from resolvers.letters import Post
from resolvers.repetition import Answers

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=Command)
D = TypeVar("D", bound=Change[Any, Any])

# Once for all, because until Python 3.12 finding a member of an enum is slow.
_READ = Permission.READ
_COMMAND_LINE = Face.COMMAND_LINE.value
MAX_ROWS = 100
SCAN_UNITS = 5
"""Units of the rate limit that a search, a total or a statistic spends besides those of its request."""
ROWS_A_TURN = 10
"""How many rows of a bulk write are done before others have their turn in the event loop."""
ITEMS_A_TURN = 5
"""How many items of an answer are looked through for what a key may not see, before others have their turn."""

log = logging.getLogger("certgate.operations")


class Context:
    """One request, as the operations see it: the caller, the database and one moment that all of them share.

    `idempotency` and `expected` are what the request says about its write, None when it says nothing; with `dry_run`
    it is judged and not done. `replayed` collects the parts of the request that were answered again instead of being
    done again. `charge` spends units of the caller's rate limit; without it nothing is counted. `post` is how people
    outside are written to.

    After a dry run `database` is as it would be, until `end_rehearsal`.
    """

    __slots__ = (
        "_charge",
        "_confirmed",
        "_undo",
        "afterwards",
        "asked_at",
        "caller",
        "database",
        "dry_run",
        "expected",
        "face",
        "idempotency",
        "now",
        "operation",
        "post",
        "replayed",
        "request_id",
    )

    def __init__(
        self,
        database: Database,
        caller: Caller,
        now: datetime | None = None,
        *,
        idempotency_key: str | None = None,
        expected: Expected | None = None,
        charge: Callable[[int], Awaitable[None]] | None = None,
        post: Post | None = None,
        face: str = _COMMAND_LINE,
        request_id: str = "",
    ) -> None:
        self.database = database
        self.caller = caller
        self.face = face
        self.request_id = request_id
        self.operation = ""
        """The operation that writes, as the log of changes has it."""
        self._charge = charge
        self.post = post
        self.now = self.asked_at = now or datetime.now(UTC)
        self.idempotency = OneWrite(caller.principal, idempotency_key) if idempotency_key else None
        self.expected = expected
        self.dry_run = False
        self.afterwards: Callable[[Any], Awaitable[Any]] | None = None
        """What an operation leaves to be done once its write is stored; it may change the answer."""
        self.replayed: list[str] = []
        self._confirmed = False
        self._undo: AsyncExitStack | None = None

    @property
    def site(self) -> str:
        """The address under which others reach this server, without a slash at its end; empty where it is not known."""
        return self.post.site if self.post is not None else ""

    @property
    def today(self) -> date:
        """The day in UTC, by which validity is judged."""
        return self.now.date()

    @property
    def is_past(self) -> bool:
        """Whether what is read is as it was known at an earlier moment."""
        return isinstance(self.database, KnownDatabase)

    def at(self, as_of: date | None, known_at: datetime | None) -> Self:
        """The context of what is asked of that day, and as it was known at that moment, by whose day it else is judged.

        What is still to be known is as now; a moment given to the second stands for all of that. It only reads. Raises
        `Forbidden` for a publishable key, which sees no history.
        """
        own = copy(self)
        if known_at is not None:
            require_private(self.caller, "history")
            own.now = min(end_of_second(known_at), self.asked_at)
            own.database = known(self.database, own.now if own.now < self.asked_at else None)
        if as_of is not None:
            own.now = datetime.combine(as_of, time(), UTC)
        return own

    def for_part(self, part: str, expected: Expected | None, *, dry_run: bool = False) -> Self:
        """The context of one of several writes in the same request; `part` tells it from the others."""
        own = type(self)(
            self.database,
            self.caller,
            self.now,
            expected=expected,
            charge=self._charge,
            post=self.post,
            face=self.face,
            request_id=self.request_id,
        )
        own.dry_run = dry_run
        own.replayed = self.replayed
        if self.idempotency is not None:
            own.idempotency = msgspec.structs.replace(self.idempotency, part=part)
        return own

    def for_row(self, index: int, expected: Expected | None) -> Self:
        """The context of one row of a bulk write, which is remembered by itself under the request's key."""
        part = f"{self.idempotency.part}.{index}" if self.idempotency is not None else ""
        return self.for_part(part, expected, dry_run=self.dry_run)

    @property
    def whence(self) -> Provenance:
        """Who writes, and from where, as the log of changes has it."""
        return Provenance(actor_of(self.caller), self.face, self.request_id)

    def entry(self, change: Change[Any, Any], operation: str = "") -> Entry | None:
        """The row of the log that tells of a change; None where nothing changed."""
        return history.entry(change, self.now, operation or self.operation, self.whence)

    async def pay(self, units: int) -> None:
        """Spends units of the caller's rate limit besides those of the request. Raises `RateLimited`."""
        if self._charge is not None:
            await self._charge(units)

    async def pay_for_scan(self) -> None:
        """To be called before something that may have to look at every row. Raises `RateLimited`."""
        await self.pay(SCAN_UNITS)

    def begin_rehearsal(self, transaction: Transaction, undo: AsyncExitStack) -> None:
        """From here on reads see what a dry run has done in the transaction, which ends with `undo`."""
        self.database, self._undo = Rehearsal(transaction), undo

    async def end_rehearsal(self, error: BaseException | None = None) -> None:
        """Undoes what a dry run has done, if there was one; `error` is what went wrong behind it. In the same task.

        Raises `Busy` when it took too long.
        """
        undo, self._undo = self._undo, None
        if undo is not None:
            self.database = self.database.database
            error = error or _RolledBack()
            await undo.__aexit__(type(error), error, error.__traceback__)

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
                "If-Match and If-None-Match are understood where one assignment or product is changed or removed; leave"
                " them out here."
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
    def guarded(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        require(context.caller, _READ)
        reading = function(context, *args, **kwargs)
        return reading if context.caller.sees_private else _published(reading)

    return guarded


async def _published(reading: Coroutine[Any, Any, R]) -> R:
    answer = await reading
    if not isinstance(answer, list) or len(answer) <= ITEMS_A_TURN:
        return published(answer)
    # An item may be a page of a hundred records.
    shown: list[Any] = []
    for start in range(0, len(answer), ITEMS_A_TURN):
        shown += published(answer[start : start + ITEMS_A_TURN])
        await asyncio.sleep(0)
    return cast("R", shown)


def write_operation(function: Write[C, D]) -> "WriteOperation[C, D]":
    """Declares an operation that writes: refused with `Forbidden` unless the credential permits writing.

    It runs in one transaction, which has been committed by the time it answers and is rolled back when it raises. What
    was done before under the same idempotency key is not done again; its answer is given again. A dry run is the same
    but for its end: everything is judged and done, and rolled back when the context's rehearsal ends, so that what is
    read behind it shows what it did.
    """
    return WriteOperation(function)


def personal(function: Write[C, D]) -> Write[C, D]:
    """Marks a write that any credential may ask for: it is about whoever asks, and the operation judges who may.

    It goes below `@write_operation`.
    """
    _personal.add(function)
    return function


_personal: set[Callable[..., Any]] = set()


class BulkRow(NamedTuple, Generic[C]):
    """One row of a bulk write: its command, or why it is none, and what the caller takes the stored record to be."""

    command: C | InvalidInput
    expected: Expected | None


F = TypeVar("F", bound=Callable[..., Any])
_prices: dict[Callable[..., Any], int] = {}


def paid(units: int) -> Callable[[F], F]:
    """Marks an operation that spends so many units besides those of its request, done or not.

    It goes below `@write_operation`.
    """

    def marked(function: F) -> F:
        _prices[function] = units
        return function

    return marked


def check_rows(number: int) -> None:
    """Raises `InvalidInput` when a bulk write has no rows, or more than 100."""
    if not number:
        raise InvalidInput([Violation((), "List should have at least 1 row; send what is to be done", "too_short")])
    if number > MAX_ROWS:
        message = f"List should have at most {MAX_ROWS} rows, not {number}; send the others in a request of their own"
        raise InvalidInput([Violation((), message, "too_long")])


class _RolledBack(Exception):
    """Ends the transaction of what is not to stay, as every rollback is ended."""


class WriteOperation(Generic[C, D]):
    """An operation that writes; call it with the context and the command."""

    def __init__(self, function: Write[C, D]) -> None:
        self._function = function
        self.name: str = function.__name__
        first, *others = self.name.split("_")
        self.told_as = first + "".join(map(str.capitalize, others))
        """Its name in the log of changes, as GraphQL has it."""
        hints = get_type_hints(function)
        self.command: type[C] = hints["command"]
        """What it takes."""
        _, self.after = get_args(hints["return"])
        """The type of what is there when it was done."""
        self._units = _prices.get(function, 0)
        self._permission = Permission.READ if function in _personal else Permission.WRITE
        self._answers: Answers[D] = Answers(_declare(function, self._permission), function)
        self.__doc__ = function.__doc__
        self.is_shown_once = not self._answers.stored

    async def __call__(self, context: Context, command: C, /) -> D:
        """Does it, or tells what it would do. Raises what the operation raises."""
        require(context.caller, self._permission)
        if self._units:
            # Before anything is locked: it may have to be counted elsewhere.
            await context.pay(self._units)
        entries: list[Entry] = []
        if context.dry_run:
            async with AsyncExitStack() as stack:
                transaction = await stack.enter_async_context(context.database.write())
                change = await self._once(context, transaction, command, entries)
                await history.add(transaction, entries)
                context.begin_rehearsal(transaction, stack.pop_all())
            return msgspec.structs.replace(change, dry_run=True)
        # What is to be remembered or confirmed takes more than one statement.
        single = context.idempotency is None and context.expected is None
        async with context.database.write(single=single) as transaction:
            change = await self._once(context, transaction, command, entries)
            if entries:
                await history.add(transaction, entries)
        _report(change)
        return change if context.afterwards is None else await context.afterwards(change)

    async def in_bulk(self, context: Context, rows: Sequence[BulkRow[C]], policy: BulkPolicy) -> list[D | DomainError]:
        """Does it for at most 100 rows in one transaction; the answer has a change or a refusal for each, in order.

        A row that is refused leaves nothing. Under `REJECT_ALL` none does then, and the others are `NotApplied`. Raises
        what is not about a row: `Forbidden` for those who never write, `InvalidInput` for none or too many, `Busy`.
        """
        require(context.caller, self._permission)
        check_rows(len(rows))
        outcomes: list[D | DomainError]
        try:
            async with AsyncExitStack() as stack:
                transaction = await stack.enter_async_context(context.database.write())
                outcomes = await self._each(context, transaction, rows, policy)
                if policy is BulkPolicy.REJECT_ALL and any(isinstance(row, DomainError) for row in outcomes):
                    raise _RolledBack
                if context.dry_run:
                    context.begin_rehearsal(transaction, stack.pop_all())
        except _RolledBack:
            # What was done under the same key before stays done.
            return [row if isinstance(row, DomainError) or row.repeated else _not_applied() for row in outcomes]
        if context.dry_run:
            return [
                row if isinstance(row, DomainError) else msgspec.structs.replace(row, dry_run=True) for row in outcomes
            ]
        for row in outcomes:
            if not isinstance(row, DomainError):
                _report(row)
        return outcomes

    async def _each(
        self, context: Context, transaction: Transaction, rows: Sequence[BulkRow[C]], policy: BulkPolicy
    ) -> list[D | DomainError]:
        outcomes: dict[int, D | DomainError] = {}
        entries: list[Entry] = []
        places: list[tuple[str, int, Context, C]] = []
        for index, row in enumerate(rows):
            if isinstance(row.command, InvalidInput):
                outcomes[index] = row.command
            else:
                places.append((_place(row.command), index, context.for_row(index, row.expected), row.command))
        # All take their locks in one order, so that no two wait for each other. Rows about the same thing stay in
        # theirs, and others do not notice each other.
        for number, (_, index, own, command) in enumerate(sorted(places, key=itemgetter(0, 1)), start=1):
            if number % ROWS_A_TURN == 0:
                # On SQLite nothing here waits for anything: the others' reads would stand still meanwhile.
                await asyncio.sleep(0)
            # Where a refusal undoes everything, nothing has to be undone before.
            part = transaction.savepoint() if policy is BulkPolicy.IGNORE_FAILED else nullcontext()
            try:
                async with part:
                    outcomes[index] = await self._once(own, transaction, command, entries)
            except REFUSALS as refusal:
                outcomes[index] = refusal
        await history.add(transaction, entries)
        return [outcomes[index] for index in range(len(rows))]

    async def _once(self, context: Context, transaction: Transaction, command: C, entries: list[Entry]) -> D:
        """Does it unless it was done; what the log is to tell of it, unless it does already, is put behind `entries`.

        Raises what the operation raises.
        """
        write = None if context.dry_run else context.idempotency
        if write is not None:
            recalled = await self._answers.recall(transaction, write, command, context.now)
            if recalled is not None:
                context.replayed.append(write.part)
                return msgspec.structs.replace(recalled, repeated=True)
        context.operation = self.told_as
        change = await self._function(context, transaction, command)
        context.require_confirmed()
        if write is not None:
            await self._answers.remember(transaction, write, command, change, context.now)
        if not transaction.is_told and (entry := context.entry(change)) is not None:
            entries.append(entry)
        return change


def _place(command: Command) -> str:
    """What a row writes to, by the members that name it.

    Two requests that name the same definitions of one product, one by ids and one by codes, may still wait for each
    other; PostgreSQL ends that, and one of them is told to try again.
    """
    return command.model_dump_json(include={"gtin", "certification_id", "claim_id"})


def _not_applied() -> NotApplied:
    return NotApplied(
        "This row could have been done, but another one was refused and the policy is REJECT_ALL; correct that one,"
        " or send IGNORE_FAILED."
    )


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
