"""Figures that take long to find, kept for a while and then renewed; whoever shows them says how old they are."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any, Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from resolvers.operation import Context

F = TypeVar("F")

LIFE = timedelta(seconds=10)
TIMES = 50
"""They are kept so many times as long as it took to find them, or for `LIFE` if that is longer."""
LATE = timedelta(minutes=15)
"""For so long they are shown behind that, while they are found anew; nobody waits for it."""
MOST = 256
"""Of how many questions the figures are kept."""

log = logging.getLogger("certgate.workbench")


class Held(NamedTuple, Generic[F]):
    """Figures, the moment as of which they are, and until when they are kept."""

    figures: F
    at: datetime
    until: datetime


class Keeping:
    """What is kept of one database, what is being found, and what will be once that is."""

    def __init__(self) -> None:
        self.held: dict[Hashable, Held[Any]] = {}
        self.finding: dict[Hashable, asyncio.Task[Held[Any]]] = {}
        self.following: dict[Hashable, asyncio.Task[Held[Any]]] = {}


_keeping: WeakKeyDictionary[Any, Keeping] = WeakKeyDictionary()


async def held(context: Context, question: Hashable, find: Callable[[], Awaitable[F]], *, anew: bool) -> Held[F]:
    """The figures that answer a question, the same for all who see the same: found anew when wanted, or too old.

    Those that are wanted `anew` are of a search that begins now or later: they know of all that was written before.
    """
    own = _keeping.setdefault(context.database, Keeping())
    key = (context.caller.organization_ids, context.today, question)
    found = own.held.get(key)
    if found is not None and not anew:
        if context.now < found.until:
            return found
        if context.now < found.until + LATE:
            _finding(own, key, context, find).add_done_callback(_told)
            return found
    search = _following if anew and key in own.finding else _finding
    # Whoever leaves ends it for nobody else.
    return await asyncio.shield(search(own, key, context, find))


def _finding(own: Keeping, key: Hashable, context: Context, find: Callable[[], Awaitable[F]]) -> asyncio.Task[Held[F]]:
    """The search for what is asked, one for all who want it at the same time."""
    task = own.finding.get(key)
    if task is None:
        task = own.finding[key] = asyncio.get_running_loop().create_task(_found(own, key, context, find))
        task.add_done_callback(lambda _: own.finding.pop(key))
    return task


def _following(
    own: Keeping, key: Hashable, context: Context, find: Callable[[], Awaitable[F]]
) -> asyncio.Task[Held[F]]:
    """The search behind the one that goes on, one for all who want it meanwhile."""
    task = own.following.get(key)
    if task is None:
        before = own.finding[key]

        async def follow() -> Held[F]:
            await asyncio.wait([before])
            del own.following[key]
            return await _finding(own, key, context, find)

        task = own.following[key] = asyncio.get_running_loop().create_task(follow())
    return task


async def _found(own: Keeping, key: Hashable, context: Context, find: Callable[[], Awaitable[F]]) -> Held[F]:
    begun = perf_counter()
    figures = await find()
    life = max(LIFE, timedelta(seconds=TIMES * (perf_counter() - begun)))
    made = Held(figures, context.now, context.now + life)
    if len(own.held) >= MOST:
        own.held.clear()
    own.held[key] = made
    return made


def _told(task: asyncio.Task[Any]) -> None:
    """Says why figures were not renewed, which nobody waits for; the next who asks tries again."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("Figures could not be renewed: %s", error)
