"""PostgreSQL with servers that follow it and only read: what may lag a little is read there, all else from the primary.

How far a server has come is its position in the primary's log. A request that only reads asks for what is at a position
or later, that of its caller's last write: it is read where that has arrived, waited for a moment where it has not, and
else read from the primary. So is everything when no server that follows is fit, since it does not answer, or has not
come as far as the primary was `LAG_SECONDS` ago.

What is kept in memory until a change is announced is read from the primary, for what is announced may not have arrived.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from itertools import count
from time import monotonic
from typing import Any

from sqlalchemy import Table

from db.engine.database import Database, Make, T, Transaction, Values, written
from db.engine.in_time import in_time
from db.engine.postgresql import PostgresqlDatabase
from db.engine.trouble import UNREACHABLE
from db.engine.view import View
from db.sql.compiled import Compiled
from db.sql.reads import KeyedRead, Read
from domain.errors import Busy

LAG_SECONDS = 10.0
"""How old at most is what others have written, where it is read: as old as what is kept in memory may be."""
LOOK_SECONDS = 0.5
"""Between two looks at where everybody is."""
_ANSWER_SECONDS = 1.0
"""After so long a server does not answer."""
_WAIT_SECONDS = 0.25
_POLL_SECONDS = 0.02
_FAR = 64 << 20
"""Bytes of the log: what lies further ahead is not waited for."""

log = logging.getLogger("certgate.database")


class Replica:
    """A server that follows. It need not be there."""

    def __init__(self, name: str, database: PostgresqlDatabase) -> None:
        self.name = name
        """How it is called for people."""
        self.database = database
        self.position = -1
        self.is_fit = False

    async def look(self) -> None:
        """Asks where it is. Raises `Busy` or `TimeoutError`."""
        self.position = await in_time(self.database.position(follows=True), _ANSWER_SECONDS)
        if self.position < 0:
            raise TimeoutError("it follows nobody any more")


class ReplicatedDatabase(Database):
    """A primary and the servers that follow it. Reads go to the primary, unless they are asked of `since`."""

    is_replicated = True

    def __init__(self, primary: PostgresqlDatabase, replicas: Sequence[Replica]) -> None:
        self.dialect = primary.dialect
        self.waits = primary.waits
        self.replicas = replicas
        self.lag_seconds = LAG_SECONDS
        self._primary = primary
        self._known: deque[tuple[float, int]] = deque()
        """Where the primary was, and when; the first entry is older than the lag, as soon as there is such a one."""
        self._turn = count()
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    @property
    def database(self) -> Database:
        """The primary, which is asked for what is kept in memory."""
        return self._primary

    @property
    def waiting(self) -> int:
        """Who waits for a connection to the primary."""
        return self._primary.waiting

    async def plan(self, statement: Compiled, values: Values) -> list[str]:
        """As the primary would."""
        return await self._primary.plan(statement, values)

    def since(self, position: int) -> Database:
        """The database for a request that only reads, and has to see what is at that position."""
        return _Following(self, position)

    @property
    def left_out(self) -> int:
        """How many of those that follow are not read from."""
        return sum(not replica.is_fit for replica in self.replicas)

    async def read(self, read: Read[Any], make: Make[T], /, **values: Any) -> T:
        """As the primary has it."""
        return await self._primary.read(read, make, **values)

    def foreseen(self, table: Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows as the primary takes them."""
        return self._primary.foreseen(table, rows)

    @asynccontextmanager
    async def write(self, *, single: bool = False) -> AsyncIterator[Transaction]:
        """A write transaction on the primary."""
        async with self._primary.write(single=single) as transaction:
            yield transaction
        note = written.get()
        if note is not None:
            try:
                note(await self._primary.position())
            except Busy:
                # It is stored, somewhere ahead of all that is known.
                note(self._latest() + 2 * _FAR)

    async def check(self) -> None:
        """Whether the primary can be written to."""
        await self._primary.check()

    def refuse(self, error: Exception, *, writing: bool = False, gone: bool = False) -> None:
        """As the primary does."""
        self._primary.refuse(error, writing=writing, gone=gone)

    def epoch(self) -> object:
        """As the primary has it."""
        return self._primary.epoch()

    async def hears(self) -> bool:
        """As the primary does."""
        return await self._primary.hears()

    async def close(self) -> None:
        """Lets what is under way finish, and closes every connection."""
        self._watching.cancel()
        await asyncio.wait({self._watching})
        for replica in self.replicas:
            await replica.database.close()
        await self._primary.close()

    async def one_at(self, position: int) -> Replica | None:
        """A server that follows and has come that far; None where none has, and none will in a moment."""
        fit = [replica for replica in self.replicas if replica.is_fit]
        if not fit:
            return None
        there = [replica for replica in fit if replica.position >= position]
        if there:
            return there[next(self._turn) % len(there)]
        if position > self._latest() + _FAR:
            return None
        replica = fit[next(self._turn) % len(fit)]
        with suppress(Busy, TimeoutError):
            async with asyncio.timeout(_WAIT_SECONDS):
                while True:
                    await replica.look()
                    if replica.position >= position:
                        return replica
                    await asyncio.sleep(_POLL_SECONDS)
        return None

    def leave_out(self, replica: Replica, why: BaseException) -> None:
        """Reads nothing from a server until it is fit again."""
        if replica.is_fit:
            replica.is_fit = False
            log.warning("%s is left out (%s): its reads go elsewhere.", replica.name, str(why) or "no answer")

    def _latest(self) -> int:
        return self._known[-1][1] if self._known else 0

    async def _watch(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        """Looks where everybody is, and who is fit."""
        now = monotonic()
        # Without the primary what was known of it holds: nobody writes anything that could be missed.
        with suppress(Busy, TimeoutError):
            self._known.append((now, await in_time(self._primary.position(), _ANSWER_SECONDS)))
        while len(self._known) > 1 and self._known[1][0] <= now - self.lag_seconds:
            self._known.popleft()
        await asyncio.gather(*(self._judge(replica) for replica in self.replicas))

    async def _judge(self, replica: Replica) -> None:
        try:
            await replica.look()
        except (Busy, TimeoutError) as error:
            self.leave_out(replica, error)
            return
        if not self._known:
            return
        if replica.position < self._known[0][1]:
            self.leave_out(replica, TimeoutError(f"it lags by more than {self.lag_seconds:g} s"))
        elif not replica.is_fit:
            replica.is_fit = True
            log.info("%s is read from.", replica.name)


class _Following(View):
    """What one request reads: all of it from one server."""

    def __init__(self, whole: ReplicatedDatabase, position: int) -> None:
        super().__init__(whole)
        self._whole = whole
        self._position = position
        self._choosing: asyncio.Task[Replica | None] | None = None

    @property
    def database(self) -> Database:
        """The primary."""
        return self._whole.database

    async def read(self, read: Read[Any], make: Make[T], /, **values: Any) -> T:
        """What is made of the rows of a server that follows; of the primary's, where that one cannot be asked."""
        if self._choosing is None:
            self._choosing = asyncio.ensure_future(self._whole.one_at(self._position))
        replica = await asyncio.shield(self._choosing)
        if replica is None or not replica.is_fit:
            return await self._whole.read(read, make, **values)
        try:
            # A read by key never takes long.
            async with asyncio.timeout(_ANSWER_SECONDS) if isinstance(read, KeyedRead) else nullcontext():
                return await replica.database.read(read, make, **values)
        except TimeoutError as error:
            self._whole.leave_out(replica, error)
        except Busy as error:
            if error.reason == UNREACHABLE.name:
                self._whole.leave_out(replica, error)
        except KeyError:
            # The rows are older than the definitions in memory, and name one that is gone. The primary has neither.
            pass
        return await self._whole.read(read, make, **values)

    def write(self, *, single: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """A write transaction on the primary."""
        return self.under.write(single=single)
