"""What a server does every few seconds, beside its requests."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from domain.errors import Busy

log = logging.getLogger("certgate")


class Regularly:
    """Does some work again and again from `start` to `stop`, whatever becomes of it; `name` says in the log which.

    While it fails in one way there is one line about that, and one once it works again: nights are long.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[object]], seconds: float) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._stopped = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._failing = ""

    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped.is_set()

    def start(self) -> None:
        """From now on, works every so many seconds."""
        self._stopped.clear()
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ends that once what is under way is done, and the work once more for what is left."""
        self._stopped.set()
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        while not self._stopped.is_set():
            await self._attempt()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), self._seconds)
        await self._attempt()

    async def _attempt(self) -> None:
        try:
            await self._work()
        except Exception as error:
            # What befell the database has a line of its own; a defect is nothing without its traceback.
            defect = None if isinstance(error, Busy) else error
            why = str(error) if defect is None else repr(error)
            if why != self._failing:
                level = logging.WARNING if defect is None else logging.ERROR
                log.log(level, "%s fails now (%s); it is tried again.", self._name, why, exc_info=defect)
            self._failing = why
        else:
            if self._failing:
                log.warning("%s works again.", self._name)
            self._failing = ""
