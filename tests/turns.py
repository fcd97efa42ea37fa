"""The turns of the event loop."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TRACED = "COVERAGE_RUN" in os.environ
"""Whether coverage is measured, which makes everything slower."""


@contextmanager
def each_turn(act: Callable[[], None]) -> Iterator[None]:
    """Calls the function in every turn of the loop."""
    loop = asyncio.get_running_loop()
    is_over = False

    def turn() -> None:
        if not is_over:
            act()
            loop.call_soon(turn)

    loop.call_soon(turn)
    yield
    is_over = True
