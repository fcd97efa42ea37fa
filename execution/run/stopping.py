"""Stopping what takes too long, or what nobody waits for any more because the client has gone.

Most of what is asked is answered before anybody could go, so in the first moments nobody looks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar

from execution.run.steps import resumed

PATIENCE = 0.1
"""Seconds after which it is worth knowing whether somebody still waits."""

T = TypeVar("T")
Gone = Callable[[], Awaitable[None]]
"""Returns once whoever asked has gone. It may be cancelled."""


class Abandoned(Exception):
    """What ran was stopped, because whoever asked has gone. There is nobody to be told."""


class Stopping:
    """Around what runs in this task: raises `TimeoutError` after `timeout` seconds, `Abandoned` when `gone` returns.

    None for either means that it does not happen. One timer serves both; it costs less than half of `asyncio.timeout`.
    """

    __slots__ = ("_before", "_gone", "_reason", "_task", "_timeout", "_timer", "_watching")

    def __init__(self, timeout: float | None, gone: Gone | None) -> None:
        self._timeout = timeout
        self._gone = gone
        self._reason: type[Exception] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._before = task.cancelling()
        if self._gone is not None and (self._timeout is None or self._timeout > PATIENCE):
            self._timer = task.get_loop().call_later(PATIENCE, self._watch, self._gone)
        elif self._timeout is not None:
            self._timer = task.get_loop().call_later(self._timeout, self._stop, TimeoutError)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()
        # Who else cancelled the task meanwhile, a server that stops say, has to be obeyed.
        if self._reason is not None and self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise self._reason from error

    def _watch(self, gone: Gone) -> None:
        loop = self._task.get_loop()
        self._watching = loop.create_task(self._wait(gone))
        if self._timeout is not None:
            self._timer = loop.call_later(self._timeout - PATIENCE, self._stop, TimeoutError)

    async def _wait(self, gone: Gone) -> None:
        await gone()
        self._stop(Abandoned)

    def _stop(self, reason: type[Exception]) -> None:
        if self._reason is None:
            self._reason = reason
            self._task.cancel()


async def stoppable(running: Coroutine[Any, Any, T], gone: Gone | None, seconds: float | None = None) -> T:
    """The result of a coroutine. Raises `Abandoned` once `gone` returns, `TimeoutError` after so many seconds."""
    # What never has to wait cannot be stopped either, and needs no timer.
    try:
        step = running.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    with Stopping(seconds, gone):
        return await resumed(running, step)
