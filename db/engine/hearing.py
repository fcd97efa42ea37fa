"""Whether this process hears of what others change in PostgreSQL, on which everything rests that is kept in memory.

PostgreSQL tells by notifications. Silence means that nothing was changed, or that a firewall has forgotten the
connection that listens, or that a pooler has lent it to others. So every few seconds the process notifies itself, over
one of the connections that statements are sent on: what a pooler in transaction mode delivers on the connection that
asked proves nothing for the others. Notifications arrive in the order of their commits, and not before what was
committed can be read. Who hears what it told itself at a moment has heard of everything that was committed before that
moment; what is kept may be served for `Pace.bound` seconds from then on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import inf
from secrets import token_hex
from time import monotonic

import asyncpg

from db.engine.database import Pace
from db.engine.in_time import in_time
from domain.errors import Busy

_TROUBLE = (Busy, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_POOLER = (
    "what this process told itself did not arrive; if CERTGATE_DATABASE_URL names a pooler in transaction mode, which"
    " delivers no notifications, let CERTGATE_DATABASE_DIRECT_URL name the server"
)

log = logging.getLogger("certgate.changes")


class _Deaf(Exception):
    """The connection that listens is of no use; the text says why."""


class Hearing:
    """Listens to a channel, on a connection of its own, and proves that it hears. Belongs to one event loop.

    `connect` opens such a connection; `notify` sends a payload to a channel, over a connection that statements take.
    """

    def __init__(
        self,
        channel: str,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        notify: Callable[[str, str], Awaitable[None]],
        pace: Pace,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.changes = 0
        """How many changes were heard of, or may have been missed."""
        self._channel = channel
        self._connect = connect
        self._notify = notify
        self._pace = pace
        self._clock = clock
        # The proof that is under way, when it was begun, and until when the last one holds.
        self._own_channel = f"certgate_proof_{token_hex(8)}"
        self._number = 0
        self._begun = -inf
        self._arrived: asyncio.Future[bool] | None = None
        self._until = -inf
        self._listening: asyncio.Task[None] | None = None
        # Whether it was ever known, and whether it was said that nothing is heard.
        self._known = asyncio.Event()
        self._said = False

    def epoch(self) -> int:
        """A value that changes with each change that is heard of; without a proof, with each call."""
        if self._clock() >= self._until:
            self._listen_from_now_on()
            self.changes += 1
        return self.changes

    async def hears(self) -> bool:
        """Whether there is a proof; the first time, it waits until that is known."""
        self._listen_from_now_on()
        await self._known.wait()
        return self._clock() < self._until

    async def close(self) -> None:
        """Ends the connection."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})

    def _listen_from_now_on(self) -> None:
        if self._listening is None:
            self._listening = asyncio.get_running_loop().create_task(self._listen_again_and_again())

    async def _listen_again_and_again(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001 - whatever it is, trying again is all that helps
                self._until = -inf
                self._say(error)
            await asyncio.sleep(self._pace.period)

    async def _listen(self) -> None:
        """Listens and proves it, until that fails. Raises `_Deaf`, and what asyncpg and the system say."""
        connection = await self._connect()
        closed = asyncio.Event()
        connection.add_termination_listener(lambda _: self._lost(closed))
        try:
            await connection.add_listener(self._channel, self._heard_of_change)
            await connection.add_listener(self._own_channel, self._heard_itself)
            # What was read before may have been changed before, too.
            self.changes += 1
            proven = False
            while not closed.is_set():
                proven = await self._prove(_POOLER if not proven else "it has fallen silent") or proven
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pace.period):
                        await closed.wait()
            raise _Deaf("the connection that listens was closed")
        except asyncio.CancelledError:
            with suppress(*_TROUBLE):
                await connection.close(timeout=self._pace.patience)
            raise
        finally:
            connection.terminate()

    async def _prove(self, otherwise: str) -> bool:
        """Tells itself something; False if that could not be sent, which is not the listening connection's fault.

        Raises `_Deaf` when it did not arrive.
        """
        self._number += 1
        self._begun = self._clock()
        self._arrived = asyncio.get_running_loop().create_future()
        try:
            await in_time(self._notify(self._own_channel, str(self._number)), self._pace.patience)
        except _TROUBLE as error:
            if self._clock() >= self._until:
                self._say(error)
            return False
        try:
            heard = await in_time(self._arrived, self._pace.patience)
        except TimeoutError:
            raise _Deaf(otherwise) from None
        if not heard:
            raise _Deaf("the connection that listens was closed")
        return True

    def _heard_of_change(self, *_: object) -> None:
        self.changes += 1

    def _heard_itself(self, connection: object, process: int, channel: str, payload: object) -> None:
        if payload != str(self._number) or self._arrived is None or self._arrived.done():
            return
        self._arrived.set_result(True)
        self._until = self._begun + self._pace.bound
        self._known.set()
        if self._said:
            self._said = False
            log.warning("Changes made elsewhere are heard of again; nothing is looked up for every request any more.")

    def _lost(self, closed: asyncio.Event) -> None:
        # Nobody waits for the proof that would fail.
        self._until = -inf
        closed.set()
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(False)

    def _say(self, reason: Exception) -> None:
        self._known.set()
        if not self._said:
            self._said = True
            log.warning(
                "Changes made elsewhere are not heard of (%s): keys, sessions, definitions and registered documents are"
                " looked up for every request until they are.",
                (str(reason) or type(reason).__name__).rstrip("."),
            )
