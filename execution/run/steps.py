"""Beginning a coroutine before deciding how to await it.

On an embedded database most coroutines end without ever having to wait. What is needed for waiting only, a timer, a
task of its own, is then not set up at all.
"""

from collections.abc import Coroutine, Generator
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
