"""When keys and sessions were last used: gathered in memory, written together every few seconds.

A write for every request would make each read wait for the disk. What a process that is killed has not yet written,
some seconds at most, is lost.
"""

from datetime import datetime
from typing import TypeVar

from db.engine.database import Database
from db.keys import mark_used
from domain.short_id import ShortId
from gateway.regularly import Regularly

EVERY_SECONDS = 5

S = TypeVar("S", bound=str)


class LastUsed(Regularly):
    """The latest use of each key and session that is not yet stored, to the second."""

    def __init__(self, database: Database) -> None:
        super().__init__("Storing when keys were last used", self.flush, EVERY_SECONDS)
        self._database = database
        self._keys: dict[ShortId, datetime] = {}
        self._sessions: dict[str, datetime] = {}

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

    async def flush(self) -> None:
        """Writes what was gathered, in one transaction. Raises `Busy`, and keeps then what it has for the next time."""
        keys, self._keys = self._keys, {}
        sessions, self._sessions = self._sessions, {}
        if not keys and not sessions:
            return
        try:
            async with self._database.write() as transaction:
                # One statement for all that were used in one second, however many there are.
                for second in sorted({_second(at) for at in (*keys.values(), *sessions.values())}):
                    await mark_used(transaction, _at(keys, second), _at(sessions, second), second)
        except Exception:
            self._keys = {**keys, **self._keys}
            self._sessions = {**sessions, **self._sessions}
            raise


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _at(used: dict[S, datetime], second: datetime) -> list[S]:
    return [name for name, at in used.items() if _second(at) == second]
