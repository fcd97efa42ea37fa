"""Figures that take long to find, kept for a while; whoever shows them says how old they are."""

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
MOST = 256
"""Of how many questions the figures are kept."""


class Held(NamedTuple, Generic[F]):
    """Figures, the moment as of which they are, and until when they are kept."""

    figures: F
    at: datetime
    until: datetime


_held: WeakKeyDictionary[Any, dict[Hashable, Held[Any]]] = WeakKeyDictionary()


async def held(context: Context, question: Hashable, find: Callable[[], Awaitable[F]], *, anew: bool) -> Held[F]:
    """The figures that answer a question, the same for all who see the same: found anew when wanted, or too old."""
    own = _held.setdefault(context.database, {})
    key = (context.caller.organization_ids, context.today, question)
    found = own.get(key)
    if found is not None and not anew and context.now < found.until:
        return found
    begun = perf_counter()
    figures = await find()
    life = max(LIFE, timedelta(seconds=TIMES * (perf_counter() - begun)))
    made = Held(figures, context.now, context.now + life)
    if len(own) >= MOST:
        own.clear()
    own[key] = made
    return made
