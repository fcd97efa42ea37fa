"""Sealing the log of changes in the background, a moment after each commit."""

import logging

from db.engine.database import Database
from db.sealing import Sealer
from gateway.regularly import Regularly

EVERY_SECONDS = 1

log = logging.getLogger("certgate")


class Sealing(Regularly):
    """Seals every second what was committed; each process does, and the database lets one at a time."""

    def __init__(self, database: Database) -> None:
        super().__init__(self._seal, EVERY_SECONDS)
        self._sealer = Sealer(database)
        self._failing = False

    async def _seal(self) -> None:
        try:
            await self._sealer.seal()
            self._failing = False
        except Exception as error:  # noqa: BLE001 - a database that is down must not end the task
            if not self._failing:
                log.warning("The log of changes is not sealed now (%s); it is tried again every second.", error)
            self._failing = True
