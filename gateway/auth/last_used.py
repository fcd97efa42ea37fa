"""When keys and sessions were last used: gathered in memory, written together every few seconds.

A write for every request would make each read wait for the disk. What a process that is killed has not yet written,
some seconds at most, is lost.
"""

import asyncio
import contextlib
import logging
from datetime import datetime
from typing import TypeVar

from db.engine.database import Database
from db.keys import mark_used
from domain.short_id import ShortId

EVERY_SECONDS = 5

S = TypeVar("S", bound=str)

log = logging.getLogger("certgate")


class LastUsed:
    """The latest use of each key and session that is not yet stored, to the second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keys: dict[ShortId, datetime] = {}
        self._sessions: dict[str, datetime] = {}
        self._writing: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()

    def key(self, id: ShortId, now: datetime) -> None:
        """The key was used now."""
        known = self._keys.get(id)
        if known is None or known < now:
            self._keys[id] = now

    def session(self, digest: str, now: datetime) -> None:
        """The session was used now."""
        self._sessions[digest] = self.of_session(digest, now)

    def of_session(self, digest: str, stored: datetime) -> datetime:
        """When a session was last used, as this process knows it beside what is stored."""
        return max(stored, self._sessions.get(digest, stored))

    def start(self) -> None:
        """From now on, writes every few seconds."""
        self._stopped.clear()
        self._writing = asyncio.get_running_loop().create_task(self._write_regularly())

    async def stop(self) -> None:
        """Ends that, and writes what is left. The database is still open."""
        self._stopped.set()
        if self._writing is not None:
            await self._writing
        await self.flush()

    async def flush(self) -> None:
        """Writes what was gathered, in one transaction; what cannot be written now is tried again next time."""
        keys, self._keys = self._keys, {}
        sessions, self._sessions = self._sessions, {}
        if not keys and not sessions:
            return
        try:
            async with self._database.write() as transaction:
                # One statement for all that were used in one second, however many there are.
                for second in sorted({_second(at) for at in (*keys.values(), *sessions.values())}):
                    await mark_used(transaction, _at(keys, second), _at(sessions, second), second)
        except Exception as error:  # noqa: BLE001 - a database that is down must not end the task
            log.warning("When keys were last used could not be written (%s); it is tried again.", error)
            self._keys = {**keys, **self._keys}
            self._sessions = {**sessions, **self._sessions}

    async def _write_regularly(self) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), EVERY_SECONDS)
            await self.flush()


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _at(used: dict[S, datetime], second: datetime) -> list[S]:
    return [name for name, at in used.items() if _second(at) == second]
