"""SQLite's writer: operations that wait share one durable commit.

A commit is durable once the disk has said so, which takes longer than all statements of an operation together. So the
operations that wait form a group: one `BEGIN IMMEDIATE`, each operation by itself in a savepoint, in the order in
which they came, one `COMMIT`, and then all are answered. Whoever comes while the disk works is in the next group,
together with those who come back from this one; whoever finds nobody before it begins at once, with a group of its own
or in the one that is open.

    group 1: A        BEGIN IMMEDIATE  [SAVEPOINT .. RELEASE]                                      COMMIT  answer A
    group 2: B C D                                  BEGIN IMMEDIATE  [B]  [C]  [D]                 COMMIT  answer B C D

What holds, whatever happens:

- Nobody is answered before the group's commit is durable, not even with a refusal, for what an operation has read may
  be what its neighbour wrote a moment ago. If the commit fails, everybody in the group is told so.
- An operation that raises, is cancelled or takes too long is rolled back to its savepoint; its neighbours stay. One
  that only reads, or is a single insert and nothing else (`insert_alone`), has nothing to roll back and no savepoint.
- Where SQLite itself gives up the transaction (a full disk), the group ends, and everybody in it is told.

Statements run in the loop thread: each takes microseconds, a thread switch more than a hundred. Commits and whatever
may look at many rows run in aiosqlite's thread. Another process that has locked the file is waited for by polling, as
SQLite itself would, but without a thread.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from contextvars import Context
from copy import copy
from os.path import samestat
from pathlib import Path
from typing import Any

import aiosqlite

from db.engine.database import Database, Transaction
from db.engine.noting import COMMIT, begin, end
from db.engine.sqlite_transaction import SqliteThread, SqliteTransaction
from db.engine.trouble import BUSY, READ_ONLY, trouble_of
from domain.errors import Busy

WAIT_SECONDS = 5.0
"""How long an operation waits for its turn."""
HOLD_SECONDS = 3.0
"""How long an operation may keep its turn. It should wait for nothing but its own statements."""
GROUP_SECONDS = 0.05
"""How long a group takes in further operations; its first one waits for its last."""
FILL_TURNS = 4
"""For so many turns of the loop a group that could be committed waits for those who were in the last one."""
MAX_WAITING = 1000
AT_ONCE = 64
"""How many are called at once: whoever finds that another one's turn lasts was called in vain."""
_POLL_SECONDS = 0.005

_TOO_MANY = "Too many writes are waiting; try again in a second."
_SLOW = "The write took too long and was undone; try again in a second."
_STOPPING = "The server is stopping; try again in a second."


class _Turn(AbstractAsyncContextManager[Transaction]):
    """An operation's place in the queue and in its group, and the block in which it runs."""

    __slots__ = (
        "_commit",
        "_database",
        "_interrupted",
        "_single",
        "_task",
        "_transaction",
        "begun",
        "called",
        "settled",
        "since",
    )
    # Both end in what the operation is to be told, an error or None; only one that has to wait is called.
    called: asyncio.Future[Exception | None]
    settled: asyncio.Future[Exception | None]

    def __init__(self, commit: "GroupCommit", database: Database, *, single: bool) -> None:
        self._commit = commit
        self._database = database
        self._single = single
        self._task: asyncio.Task[Any] | None = None
        self._interrupted = False
        self.begun = 0.0

    async def __aenter__(self) -> Transaction:
        loop = asyncio.get_running_loop()
        self.since = loop.time()
        self.settled = loop.create_future()
        if not self._commit.enter(self, loop):
            await self._turn()
        self._transaction = self._commit.begin_operation(self._database, single=self._single)
        self._task = asyncio.current_task(loop)
        return self._transaction

    async def _turn(self) -> None:
        """Waits for its turn. Raises what it is refused with."""
        try:
            while True:
                refusal = await self.called
                if refusal is not None:
                    self._database.refuse(refusal, writing=True)
                    raise refusal
                if self._commit.take(self):
                    return
        except BaseException:
            self._commit.leave(self)
            raise

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        failure = self._commit.end_operation(self._transaction, error)
        self._commit.end(self)
        # Unless somebody else cancels it as well.
        slow = (
            self._interrupted
            and self._task is not None
            and self._task.uncancel() == 0
            and kind is asyncio.CancelledError
        )
        outcome = None
        if slow or error is None or isinstance(error, Exception):
            noted = begin(COMMIT)
            outcome = await self.settled
            end(noted)
        if outcome is None and slow:
            raise Busy(_SLOW) from None
        raised = outcome or failure or error
        if isinstance(raised, Exception):
            self._database.refuse(raised, writing=True)
        if raised is not None and raised is not error:
            raise raised

    def interrupt(self) -> None:
        """Ends an operation that takes too long, as `asyncio.timeout` would; a timer for each would cost too much."""
        if self._task is not None and not self._interrupted:
            self._interrupted = self._task.cancel()


class GroupCommit:
    """The queue of operations and the connection that they write with.

    `connection` is in autocommit mode, never waits for a lock by itself, and belongs to nobody else but `thread`, which
    runs it.
    """

    def __init__(
        self,
        path: str,
        connection: sqlite3.Connection,
        thread: aiosqlite.Connection,
        reopen: Callable[[], Awaitable[tuple[sqlite3.Connection, aiosqlite.Connection]]],
    ) -> None:
        self._path = Path(path)
        self._file = self._path.stat()
        self._connection = connection
        self._thread = SqliteThread(thread)
        self._reopen = reopen
        self._read_only = False
        self._waiting: deque[_Turn] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._locked_out = False
        self._closed = False
        self._notified = 0
        self.committed: Callable[[], None] = lambda: None
        """Called after each commit that changed something, before anybody is answered."""
        # The group that is being written: its operations, the one whose turn it is, and until when it takes in others.
        self._group: list[_Turn] = []
        self._current: _Turn | None = None
        self._closing = 0.0
        self._open = False
        # How many were in the last one, or came while it was committed.
        self._expected = 0
        # Those that were called and have not yet come, and how many of them were sent back to the head of the queue.
        self._called: set[_Turn] = set()
        self._returned = 0
        self._changes = 0
        self._idle: asyncio.Future[None] | None = None
        self._lost: Exception | None = None

    # --- The side of the operations ---

    def write(self, database: Database, *, single: bool) -> AbstractAsyncContextManager[Transaction]:
        """One operation, which is the block. Once the block has been left it is committed and durable.

        `single` as in `Database.write`.

        Raises `Busy` when its turn does not come in time or takes too long, and what befell the database when the group
        could not be committed. Nothing of it is stored then. One that is cancelled during the commit may be stored.
        """
        return _Turn(self, database, single=single)

    def enter(self, turn: _Turn, loop: asyncio.AbstractEventLoop) -> bool:
        """Gives an operation its turn, or lets it wait until it is called. Raises `Busy`."""
        if self._closed:
            raise Busy(_STOPPING)
        if not self._waiting and not self._called and self._current is None and self._is_open(loop):
            self._give(turn, loop)
            return True
        if len(self._waiting) >= MAX_WAITING:
            raise Busy(_TOO_MANY)
        self._wait(turn, len(self._waiting), loop)
        return False

    def take(self, turn: _Turn) -> bool:
        """Gives an operation that was called its turn. Where another one has it still, it waits on at its place."""
        loop = asyncio.get_running_loop()
        self._called.discard(turn)
        if self._open and self._current is None and self._takes_in(loop):
            self._give(turn, loop)
            return True
        self._wait(turn, self._returned, loop)
        self._returned += 1
        self._go_on()
        return False

    def _wait(self, turn: _Turn, place: int, loop: asyncio.AbstractEventLoop) -> None:
        turn.called = loop.create_future()
        self._waiting.insert(place, turn)
        # Both in contexts of their own, or they would keep that of the request which happened to start them.
        if self._alarm is None:
            self._alarm = loop.call_later(WAIT_SECONDS, self._turn_away, context=Context())
        self._wake_writer(loop)

    @property
    def waiting(self) -> int:
        """How many operations wait for their turn."""
        return len(self._waiting)

    def _is_open(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether a group takes in an operation now. One is started where there is none."""
        if self._open:
            return self._takes_in(loop)
        if self._is_writing() or self._start(loop) is not None:
            return False
        # Its first step comes after those of the operations that have arrived with this one.
        self._wake_writer(loop)
        return True

    def _takes_in(self, loop: asyncio.AbstractEventLoop) -> bool:
        return self._lost is None and not (self._group and loop.time() >= self._closing)

    def _is_writing(self) -> bool:
        return self._writer is not None and not self._writer.done()

    def _wake_writer(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._is_writing():
            self._writer = loop.create_task(self._write_groups(), context=Context())

    def _turn_away(self) -> None:
        """Refuses those that have waited too long; the queue is in the order of their arrival."""
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0].since + WAIT_SECONDS <= loop.time():
            turn = self._waiting.popleft()
            if not turn.called.done():
                turn.called.set_result(BUSY.refusal() if self._locked_out else Busy(_TOO_MANY))
        self._alarm = loop.call_at(self._waiting[0].since + WAIT_SECONDS, self._turn_away) if self._waiting else None

    def leave(self, turn: _Turn) -> None:
        """Lets the next one have the turn of an operation that does not take it."""
        # It may have been called in the very moment in which the operation was cancelled.
        self._called.discard(turn)
        with suppress(ValueError):
            self._waiting.remove(turn)
        self._go_on()

    def end(self, turn: _Turn) -> None:
        """Lets the next one have its turn."""
        if turn is self._current:
            self._current = None
            self._go_on()

    def _go_on(self) -> None:
        """Calls those that wait when nobody has a turn, or lets the writer commit when nobody waits for one."""
        if self._open and not self._has_more() and self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    def _has_more(self) -> bool:
        """Whether somebody has a turn in the group, or has been called to have one."""
        return self._current is not None or bool(self._called) or self._call()

    def _call(self) -> bool:
        """Calls those that wait; False when nobody does, or the group has to end.

        An operation that awaits nothing but its statements ends in the step in which it takes its turn. So those that
        are called together have their turns before the loop turns; whatever else it has to do in a turn, a hundred
        reads perhaps, they would wait for as many times as they are.
        """
        self._returned = 0
        if self._waiting and self._takes_in(asyncio.get_running_loop()):
            while len(self._called) < AT_ONCE and (turn := self._next()) is not None:
                self._called.add(turn)
                turn.called.set_result(None)
        return bool(self._called)

    def begin_operation(self, database: Database, *, single: bool) -> SqliteTransaction:
        """The operation's part of the group's transaction."""
        return SqliteTransaction(database, self._connection, self._thread, single=single)

    def end_operation(self, transaction: SqliteTransaction, error: BaseException | None) -> sqlite3.Error | None:
        """Keeps what the operation did, or undoes it after an error; the answer is why it could not be kept."""
        transaction.open = False
        if error is not None:
            self._read_only |= trouble_of(error) is READ_ONLY
            self._undo(transaction, error)
            return None
        if transaction.notified:
            self._notified += 1
        try:
            # There is none to release where SQLite has rolled everything back, which then is told.
            if transaction.saved or not self._connection.in_transaction:
                self._connection.execute("RELEASE operation")
        except sqlite3.Error as failure:
            self._undo(transaction, failure)
            return failure
        return None

    def _undo(self, transaction: SqliteTransaction, cause: BaseException) -> None:
        if not transaction.saved and self._connection.in_transaction:
            return
        try:
            self._connection.execute("ROLLBACK TO operation")
            self._connection.execute("RELEASE operation")
        except sqlite3.Error as error:
            # There is no savepoint any more: SQLite has rolled everything back, the neighbours' work included.
            self._lost = cause if isinstance(cause, sqlite3.Error) else error

    # --- The side of the writer ---

    async def _write_groups(self) -> None:
        while self._open or self._waiting:
            if self._open or await self._begin():
                await self._write_group()
            if self._read_only:
                await self._open_again()

    async def _begin(self) -> bool:
        """Starts a group; False when nobody waits for one any more, or nobody can have one."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            error = self._start(loop)
            if error is None:
                self._locked_out = False
                return True
            if trouble_of(error) is not BUSY:
                self._refuse(error)
                return False
            self._locked_out = True
            await asyncio.sleep(_POLL_SECONDS)
        return False

    async def _open_again(self) -> None:
        """Replaces a connection that may only read: it stays so, even when the file may be written to again."""
        self._read_only = False
        with suppress(sqlite3.Error):
            connection, thread = await self._reopen()
            old, self._connection, self._thread = self._thread, connection, SqliteThread(thread)
            await old.connection.close()

    def _start(self, loop: asyncio.AbstractEventLoop) -> sqlite3.Error | None:
        """Starts a group and its transaction, or says why there is none."""
        try:
            self.require_file()
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            return error
        self._open, self._lost = True, None
        self._closing = loop.time() + GROUP_SECONDS
        self._changes = self._connection.total_changes
        return None

    def require_file(self) -> None:
        """Raises SQLite's error for a file that was moved, where its log hides that.

        What is written to it would be lost, and what is changed in another in its place, nobody here would hear of.
        """
        try:
            is_there = samestat(self._path.stat(), self._file)
        except OSError:
            is_there = False
        if not is_there:
            error = sqlite3.OperationalError("the file was removed or replaced")
            error.sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED
            raise error

    def _refuse(self, error: Exception) -> None:
        while (turn := self._next()) is not None:
            turn.called.set_result(copy(error))

    def _next(self) -> _Turn | None:
        while self._waiting:
            turn = self._waiting.popleft()
            # One that was cancelled a moment ago has not yet had the time to leave.
            if not turn.called.done():
                return turn
        return None

    async def _write_group(self) -> None:
        loop = asyncio.get_running_loop()
        self._watcher = loop.call_later(HOLD_SECONDS, self._watch)
        outcome: Exception | None = Busy(_STOPPING)
        try:
            await self._filled(loop)
            self._open = False
            changed = self._connection.total_changes != self._changes
            outcome = self._lost or await self._commit(changed=changed)
            if changed and outcome is None:
                # What it meets with is said to whoever asks next.
                with suppress(sqlite3.Error):
                    self.committed()
        finally:
            self._open, self._current, self._idle = False, None, None
            self._watcher.cancel()
            if self._connection.in_transaction:
                self._connection.rollback()
            for turn in self._group:
                if not turn.settled.done():
                    turn.settled.set_result(outcome and copy(outcome))
            self._expected = len(self._group) + len(self._waiting)
            self._group = []

    async def _filled(self, loop: asyncio.AbstractEventLoop) -> None:
        """Waits until nobody has a turn, and for some turns of the loop until as many have come as are around.

        Those who were answered together come back together. The first of them, or whoever came while they were
        committed, would have a commit of its own, for which all others had to wait.
        """
        turns = FILL_TURNS
        while self._has_more() or (turns and len(self._group) < self._expected):
            if self._has_more():
                self._idle = loop.create_future()
                await self._idle
            else:
                turns -= 1
                await asyncio.sleep(0)

    def _give(self, turn: _Turn, loop: asyncio.AbstractEventLoop) -> None:
        self._current = turn
        self._group.append(turn)
        turn.begun = loop.time()

    def _watch(self) -> None:
        """Interrupts an operation that keeps its turn too long."""
        loop, turn = asyncio.get_running_loop(), self._current
        if turn is not None:
            left = turn.begun + HOLD_SECONDS - loop.time()
            if left <= 0:
                turn.interrupt()
            self._watcher = loop.call_later(left if left > 0 else HOLD_SECONDS, self._watch)

    async def _commit(self, *, changed: bool) -> Exception | None:
        try:
            if changed:
                await self._thread.does(lambda it: it.commit())
            else:
                # Nothing is written, so nobody waits for the disk.
                self._connection.commit()
        except sqlite3.Error as error:
            return error
        return None

    def commit_mark(self) -> object:
        """Another value whenever another process has committed, or an operation here changed what caches depend on.

        None while the connection is in its thread's hands: asking would wait for the disk, or for a scan.
        """
        if self._thread.busy:
            return None
        # A connection's own commits leave this number as it is.
        return self._connection.execute("PRAGMA data_version").fetchone()[0], self._notified

    async def close(self) -> None:
        """Lets the operations that wait have their turn, takes no others, and closes the connection."""
        self._closed = True
        while self._writer is not None and not self._writer.done():
            await asyncio.wait([self._writer])
        if self._alarm is not None:
            self._alarm.cancel()
        await self._thread.connection.close()
