"""Beginning a coroutine before deciding how to await it.

On an embedded database most coroutines end without ever having to wait. What is needed for waiting only, a timer, a
task of its own, is then not set up at all.
"""

import asyncio
from collections.abc import Coroutine, Generator, Iterable
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


@coroutine
def resumed(running: Coroutine[Any, Any, T], step: Any) -> Generator[Any, Any, T]:
    """Await the rest of a coroutine that was begun here, in this task, with `send(None)`, which gave `step`."""
    try:
        while True:
            try:
                sent = yield step
            except BaseException as error:  # noqa: BLE001 - handed in, as `await` does
                step = running.throw(error)
            else:
                step = running.send(sent)
    except StopIteration as stop:
        result: T = stop.value
        return result


async def together(running: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Runs all of them at once, one at least; what one raises ends the others."""
    first, *others = running
    # The first needs no task: this one would only wait for it.
    tasks = [asyncio.create_task(each) for each in others]
    try:
        await first
        for task in tasks:
            await task
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
