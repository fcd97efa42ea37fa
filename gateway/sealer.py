"""Sealing the log of changes in the background, a moment after each commit."""

import asyncio
import contextlib
import logging

from db.engine.database import Database
from db.sealing import Sealer
from domain.errors import DomainError

EVERY_SECONDS = 1

log = logging.getLogger("certgate")


class Sealing:
    """Seals every second what was committed; each process does, and the database lets one at a time."""

    def __init__(self, database: Database) -> None:
        self._sealer = Sealer(database)
        self._stopped = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """From now on, seals every second."""
        self._stopped.clear()
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ends that, when all is sealed. The database is still open."""
        self._stopped.set()
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        failing = False
        while True:
            try:
                await self._sealer.seal()
                failing = False
            except DomainError as error:
                if not failing:
                    log.warning("The log of changes is not sealed now (%s); it is tried again every second.", error)
                failing = True
            if self._stopped.is_set():
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), EVERY_SECONDS)
