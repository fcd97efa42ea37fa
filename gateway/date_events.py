"""What days bring is told of: once a minute each process looks whether one has come, and goes on where others stopped.

A clock that leaps by more than a month is believed once it has said so for ten minutes: one that was wrong for a
moment, as when a machine starts, has told nothing.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from db import date_events
from db.engine.database import Database
from gateway.regularly import Regularly

EVERY_SECONDS = 60
LEAP_DAYS = 31
DOUBTS = 10
"""How often a leap is looked at before it is believed."""

log = logging.getLogger("certgate")


def _now() -> datetime:
    return datetime.now(UTC)


class DateEvents(Regularly):
    """What one process tells of them."""

    def __init__(self, database: Database, clock: Callable[[], datetime] = _now) -> None:
        super().__init__("Telling what days bring", self.tell_due, EVERY_SECONDS)
        self._database = database
        self._clock = clock
        self._doubts = 0

    async def tell_due(self) -> int:
        """Tells of all that the days brought which have come; of how much. Raises `Busy`."""
        today, number = self._clock().date(), 0
        until = await date_events.begin(self._database, today)
        if (today - until).days > LEAP_DAYS and self._doubts < DOUBTS:
            if not self._doubts:
                log.warning("The last day was %s, and the clock says %s: it is believed in ten minutes.", until, today)
            self._doubts += 1
            return 0
        while not self.is_stopping() and (told := await date_events.tell(self._database, self._clock())) is not None:
            number += told
        self._doubts = 0
        return number
