"""Lends connections to PostgreSQL: taking an idle one and giving it back are a few lines, without a timer or a task.

asyncpg's own pool makes a proxy, a future, two tasks and two timers each time, twice what a small statement costs.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from db.engine.trouble import CROWDED

Answer = tuple[list[Any], bytes]

MAX_WAITING = 1000
"""How many wait for a connection at most; whoever comes then is refused at once."""
# How long somebody waits for a connection, and how long it may take to open, mend or close one.
_WAIT_SECONDS = 5
_OPEN_SECONDS = 5
# Who lies idle for this long, up to twice as long, is closed: firewalls forget such connections without a word.
_IDLE_SECONDS = 300
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    # It led to the primary once; a new one may again.
    asyncpg.ReadOnlySQLTransactionError,
    # What it had prepared is gone, or does not fit the tables any more.
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.InvalidCachedStatementError,
)


def is_lost(connection: "PostgresqlConnection", error: BaseException) -> bool:
    """Whether a connection is of no use any more after an error."""
    if connection.is_closed() or getattr(error, "severity_en", None) in ("FATAL", "PANIC"):
        return True
    # Of a server behind this one, which holds a part of the tables: another connection would lead to the same.
    return isinstance(error, _LOST) and not isinstance(error, asyncpg.ConnectionFailureError)


class PostgresqlConnection(asyncpg.Connection):
    """A connection with a shorter way for statements that it knows: `fetch` is four functions and three clocks long."""

    used = True
    """Whether it was lent since the last sweep."""
    # asyncpg's own.
    _check_open: Any
    _execute: Any
    _protocol: Any
    _query_loggers: Any
    _stmt_cache: Any

    async def ask(self, sql: str, parameters: Sequence[object]) -> Answer:
        """The rows that a statement finds, and what it did: `SELECT 2`, `INSERT 0 1`, `UPDATE 3`."""
        prepared = self._stmt_cache.get((sql, asyncpg.Record, False))
        try:
            if prepared is None or self._query_loggers:
                # A connection that was closed knows no statements.
                self._check_open()
                rows, done, _ = await self._execute(sql, parameters, 0, None, return_status=True)
            else:
                rows, done, _ = await self._protocol.bind_execute(prepared, parameters, "", 0, True, None)
        except (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError):
            # The tables were changed since.
            await self.reload_schema_state()
            if self.is_in_transaction():
                raise
            rows, done, _ = await self._execute(sql, parameters, 0, None, return_status=True)
        except asyncpg.InterfaceError as error:
            # asyncpg calls our own mistakes the same.
            if self.is_closed():
                raise ConnectionResetError(str(error)) from error
            raise
        return rows, done


class Lender:
    """At most `size` connections, each opened when it is needed and lent to one borrower at a time."""

    def __init__(self, connect: Callable[[], Awaitable[PostgresqlConnection]], size: int) -> None:
        self.size = size
        self._connect = connect
        # Places: None and what has been closed are opened by the next borrower. The last one given back is lent first.
        self._free: list[PostgresqlConnection | None] = [None] * size
        self._waiting: deque[asyncio.Future[PostgresqlConnection | None]] = deque()
        self._mending: set[asyncio.Task[None]] = set()
        self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._sweep)

    @property
    def waiting(self) -> int:
        """How many wait for a connection."""
        return len(self._waiting)

    async def take(self) -> PostgresqlConnection:
        """Lends a connection, which may have died since its last use.

        Raises `Busy` when none comes free in time, and what asyncpg or the system says when none can be opened.
        """
        connection = self._free.pop() if self._free else await self._turn(_WAIT_SECONDS)
        if connection is None or connection.is_closed():
            return await self._opened(connection)
        connection.used = True
        return connection

    def give(self, connection: PostgresqlConnection | None) -> None:
        """Takes back a connection that has nothing left to do, or a closed one."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._free.append(connection)

    async def first(self, sql: str, parameters: Sequence[object]) -> tuple[PostgresqlConnection, Answer]:
        """Lends a connection that lives, and its answer to a first statement (see `PostgresqlConnection.ask`).

        One that was lost since its last use, as all are when the server is restarted, is replaced, and its successor
        asked again. When asking fails the connection is taken back.
        """
        connection = self._free.pop() if self._free else await self._turn(_WAIT_SECONDS)
        if connection is None:
            connection = await self._opened(None)
        connection.used = True
        try:
            return connection, await connection.ask(sql, parameters)
        except BaseException as error:
            if not isinstance(error, Exception) or not is_lost(connection, error):
                self._mend(connection, error)
                raise
            connection.terminate()
        connection = await self._opened(connection)
        try:
            return connection, await connection.ask(sql, parameters)
        except BaseException as error:
            self._mend(connection, error)
            raise

    async def roll_back(self, connection: PostgresqlConnection, error: BaseException) -> None:
        """Takes back a connection after an error: when its transaction was undone and what was cancelled has ended.

        One that is lost has rolled back by itself, and is closed.
        """
        try:
            if is_lost(connection, error):
                connection.terminate()
            else:
                await connection.execute("ROLLBACK", timeout=_OPEN_SECONDS)
        except BaseException as failure:
            connection.terminate()
            if not isinstance(failure, Exception):
                raise
        finally:
            self.give(connection)

    async def close(self) -> None:
        """Lets those who wait have their turn, and closes each connection as soon as it is given back.

        A second time there is nothing to do.
        """
        self._timer.cancel()
        places, self.size = self.size, 0
        for _ in range(places):
            connection = self._free.pop() if self._free else await self._turn(None)
            if connection is not None:
                with suppress(TimeoutError):
                    await connection.close(timeout=_OPEN_SECONDS)

    async def _turn(self, seconds: float | None) -> PostgresqlConnection | None:
        if seconds is not None and len(self._waiting) >= MAX_WAITING:
            raise CROWDED.refusal()
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[PostgresqlConnection | None] = loop.create_future()
        self._waiting.append(waiter)
        timer = None if seconds is None else loop.call_later(seconds, _too_late, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            # In the moment of its turn.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give(waiter.result())
            raise
        finally:
            if timer is not None:
                timer.cancel()

    async def _opened(self, closed: PostgresqlConnection | None) -> PostgresqlConnection:
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                return await self._connect()
        except BaseException:
            self.give(closed)
            raise

    def _mend(self, connection: PostgresqlConnection, error: BaseException) -> None:
        # In a task, because whoever was cancelled in the middle of a statement should not wait for its end.
        task = asyncio.get_running_loop().create_task(self.roll_back(connection, error))
        self._mending.add(task)
        task.add_done_callback(self._mending.discard)

    def _sweep(self) -> None:
        for connection in self._free:
            if connection is not None:
                if not connection.used:
                    connection.terminate()
                connection.used = False
        self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._sweep)


def _too_late(waiter: asyncio.Future[PostgresqlConnection | None]) -> None:
    if not waiter.done():
        waiter.set_exception(CROWDED.refusal())
