"""Waiting for a server that should not take long."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")

_TURNS = 5
"""Of the event loop: an answer that came while the loop was busy is read by then."""


async def in_time(work: Awaitable[T], seconds: float) -> T:
    """The result of the work. Raises `TimeoutError`, but not for this process's being busy; the work has ended then."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        for _ in range(_TURNS):
            if not task.done():
                await asyncio.sleep(0)
        if not task.done():
            raise TimeoutError(f"no answer in {seconds:g} s")
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
