"""Changes as they come: server-sent events, for whoever would else ask again and again."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response

from domain.cursors import cursor_at
from domain.errors import Busy, Forbidden
from domain.history import FEED, ListChanges
from resolvers.cursors import cursor_secret
from resolvers.feed import EVERY_SECONDS, FOLLOWING, Placed, placed_behind, position_at
from resolvers.operation import Context
from rest_compat.exports import SentFile
from rest_compat.outputs import PAST_CHANGE
from rest_compat.wire import encode

EVENTS = "text/event-stream"

HEARTBEAT_SECONDS = 15
"""Behind so long without a change a comment is sent, so that nobody on the way takes the connection for dead."""
LIFE_SECONDS = 60
"""A stream ends behind so long, and its client comes again, so that who asks is looked at anew."""
AGAIN_MILLISECONDS = 1_000
"""How long a client waits before it comes again."""


async def changes(request: Request, command: ListChanges) -> Response:
    """The changes behind `Last-Event-ID`, or else `since`. Raises `InvalidInput`, `Forbidden`, or `Busy`."""
    context: Context = request.state.context
    if not context.caller.sees_private:
        raise Forbidden("A publishable key sees no changes; follow them with another key.")
    secret = await cursor_secret(context)
    last = request.headers.get("last-event-id")
    position = position_at(secret, "Last-Event-ID" if last else "since", last or command.since)
    if not FOLLOWING.has_room(context.caller.principal):
        raise Busy("As many follow the changes already as may; come again later, or ask with `since`.", 5, "streams")
    # What is refused is refused before anything is sent.
    found = await placed_behind(context, position, command.limit)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return SentFile(_events(context, secret, position, found, command.limit), headers=headers, media_type=EVENTS)


async def _events(
    context: Context, secret: str, position: int, found: list[Placed], limit: int
) -> AsyncIterator[bytes]:
    """What is sent; between two looks nothing of the database is held."""
    loop = asyncio.get_running_loop()
    end, told_at = loop.time() + LIFE_SECONDS, loop.time()
    with FOLLOWING.one(context.caller.principal):
        yield b"retry: %d\n\n" % AGAIN_MILLISECONDS
        while True:
            if found:
                position, told_at = found[-1][0], loop.time()
                yield b"".join(_event(secret, placed) for placed in found)
            elif loop.time() - told_at >= HEARTBEAT_SECONDS:
                told_at = loop.time()
                yield b":\n\n"
            if loop.time() >= end or not await FOLLOWING.pause(0 if found else EVERY_SECONDS):
                return
            found = await placed_behind(context, position, limit)


def _event(secret: str, placed: Placed) -> bytes:
    position, change = placed
    cursor = cursor_at(secret, FEED, (position,))
    return b"id: %s\ndata: %s\n\n" % (cursor.encode(), encode(PAST_CHANGE.show(change, change.at)))
