"""Turns for reads that may scan: so many run at a time, and of each caller half as many.

Whoever asks for more waits, and callers are served in turn: however much one of them asks for, another's read is
behind one read of each caller at most.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from domain.errors import Busy

# Less than a GraphQL operation may take by default, so that it is answered with the reason.
_WAIT_SECONDS = 8
MAX_WAITING = 1000
"""How many reads wait for their turn at most, of all callers; further ones are refused at once."""
_TOO_MANY = "Too many searches and counts are waiting; try again in a second."

caller: ContextVar[str] = ContextVar("caller", default="")
"""Who asks for what is read in this task: one word for each caller; the empty one for the program itself."""


class Turns:
    """`places` reads at a time, at most half of them of one caller, but one at least."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._share = max(1, places // 2)
        self._running: Counter[str] = Counter()
        # The callers in the order in which they are served next, each with its reads in their order.
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A block that runs when it is its caller's turn. Raises `Busy` when that takes too long."""
        who = caller.get()
        await self._begin(who)
        try:
            yield
        finally:
            self._end(who)

    async def _begin(self, who: str) -> None:
        if self._may(who):
            self._take(who)
            return
        if sum(map(len, self._waiting.values())) >= MAX_WAITING:
            raise Busy(_TOO_MANY)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._waiting.setdefault(who, deque())
        line.append(waiter)
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():
                # In the moment of its turn.
                self._end(who)
            elif waiter in line:
                line.remove(waiter)
                if not line:
                    del self._waiting[who]
            if isinstance(error, TimeoutError):
                raise Busy(_TOO_MANY) from error
            raise

    def _may(self, who: str) -> bool:
        return self._free > 0 and self._running[who] < self._share

    def _take(self, who: str) -> None:
        self._free -= 1
        self._running[who] += 1

    def _end(self, who: str) -> None:
        self._free += 1
        self._running[who] -= 1
        if not self._running[who]:
            del self._running[who]
        while (following := next((each for each in self._waiting if self._may(each)), None)) is not None:
            line = self._waiting[following]
            waiter = line.popleft()
            if line:
                self._waiting.move_to_end(following)
            else:
                del self._waiting[following]
            # One that is done was cancelled a moment ago.
            if not waiter.done():
                self._take(following)
                waiter.set_result(None)
                return
