"""The feed of changes: what became of what the caller's organisations own, each change once, in one order."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from datetime import date

from db import date_events, feed
from db.assignments import certifications
from domain.cursors import cursor_at, read_cursor
from domain.history import FEED, Feed, ListChanges
from resolvers.cursors import cursor_secret
from resolvers.operation import Context, read_operation
from resolvers.past import called

Placed = feed.Placed

EVERY_SECONDS = 0.5
"""How often who waits looks."""
MOST_WAITING = 64
MOST_WAITING_OF_ONE = 8


class WaitingRoom:
    """Who waits for a change in this process: at most 64 requests, and 8 of one caller."""

    def __init__(self) -> None:
        self._callers: Counter[str] = Counter()
        self._ended = False

    def end(self) -> None:
        """Nobody waits any longer than until the next look: the server is to stop."""
        self._ended = True

    @property
    def number(self) -> int:
        """How many wait."""
        return self._callers.total()

    def has_room(self, who: str) -> bool:
        """Whether one more may wait."""
        return self.number < MOST_WAITING and self._callers[who] < MOST_WAITING_OF_ONE

    @contextlib.contextmanager
    def one(self, who: str) -> Iterator[None]:
        """One more waits."""
        self._callers[who] += 1
        try:
            yield
        finally:
            self._callers[who] -= 1
            if not self._callers[who]:
                del self._callers[who]

    async def pause(self, seconds: float) -> bool:
        """Waits a while; the answer is whether to go on."""
        await asyncio.sleep(seconds)
        return not self._ended


WAITING = WaitingRoom()
FOLLOWING = WaitingRoom()
"""Who is sent changes as they come, and goes on waiting for them."""


@read_operation
async def list_changes(context: Context, command: ListChanges) -> Feed:
    """The changes behind `since`, once there is one or the time is up. A publishable key sees none.

    Raises `InvalidInput` that names `since`.
    """
    found = await changes_behind(context, "since", command.since, command.limit)
    who = context.caller.principal
    if found.changes or not command.wait or not context.caller.sees_private or not WAITING.has_room(who):
        return found
    loop = asyncio.get_running_loop()
    end = loop.time() + command.wait
    with WAITING.one(who):
        while not found.changes and (left := end - loop.time()) > 0:
            if not await WAITING.pause(min(EVERY_SECONDS, left)):
                break
            found = await changes_behind(context, "since", found.next, command.limit)
    return found


@read_operation
async def told_until(context: Context) -> date | None:
    """The last day of which all is told that it brought."""
    return await date_events.told_until(context.database)


@read_operation
async def changes_behind(context: Context, member: str, cursor: str | None, limit: int) -> Feed:
    """The first changes behind a cursor, or of all. Raises `InvalidInput` that names `member`."""
    secret = await cursor_secret(context)
    position = position_at(secret, member, cursor)
    found = await placed_behind(context, position, limit)
    if found:
        position = found[-1][0]
    return Feed([change for _, change in found], cursor_at(secret, FEED, (position,)))


def position_at(secret: str, member: str, cursor: str | None) -> int:
    """Where a cursor stands, 0 without one. Raises `InvalidInput` that names `member`."""
    if not cursor:
        return 0
    (position,) = read_cursor(secret, FEED, cursor, member, "next of an earlier answer of this feed")
    return int(position)


@read_operation
async def placed_behind(context: Context, position: int, limit: int) -> list[feed.Placed]:
    """The first changes behind a position, with theirs; none for a publishable key."""
    owners = context.caller.organization_ids
    if not (context.caller.sees_private and owners):
        return []
    hidden = await certifications.hidden(context.database, owners)
    found = await feed.behind(context.database, owners, hidden, position, limit)
    shown = await called(context, [change for _, change in found])
    return [(at, change) for (at, _), change in zip(found, shown, strict=True)]
