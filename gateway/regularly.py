"""What a server does every few seconds, beside its requests."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable


class Regularly:
    """Does some work again and again from `start` to `stop`; the work sees to it that no failure ends it."""

    def __init__(self, work: Callable[[], Awaitable[object]], seconds: float) -> None:
        self._work = work
        self._seconds = seconds
        self._stopped = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

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
            await self._work()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), self._seconds)
        await self._work()
