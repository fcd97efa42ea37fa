"""Running what mostly never waits: at once, and in a task only from where it does."""

import asyncio
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any

from execution.run.steps import resumed

Running = Coroutine[Any, Any, None]
_ENDED = object()


class Standby:
    """A task that stands by for the next coroutine that has to wait, and as whose part all before that one are run."""

    def __init__(self) -> None:
        self._next: _Task | None = None

    def run(self, running: Running, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None] | None:
        """Runs a coroutine until it waits; the task that then goes on with it, None when it has ended."""
        standby = self._next = self._next or _Task(loop)
        _enter_task(loop, standby.task)
        try:
            # `send` would raise an exception at the end.
            step = standby.context.run(next, running.__await__(), _ENDED)
        finally:
            _leave_task(loop, standby.task)
        if step is _ENDED:
            return None
        self._next = None
        standby.go_on_with(running, step)
        return standby.task

    def end(self) -> None:
        """Ends the task that stands by."""
        if self._next is not None:
            self._next.task.cancel()
            self._next = None


class _Task:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.context = copy_context()
        self.task = loop.create_task(self._run(), context=self.context)
        self._begun: tuple[Running, Any] | None = None
        self._awaited: asyncio.Future[None] | None = None

    def go_on_with(self, running: Running, step: Any) -> None:
        """Awaits the rest of a coroutine that was begun."""
        self._begun = running, step
        if self._awaited is not None:
            self._awaited.set_result(None)

    async def _run(self) -> None:
        if self._begun is None:
            self._awaited = self.task.get_loop().create_future()
            await self._awaited
        assert self._begun is not None
        await resumed(*self._begun)
