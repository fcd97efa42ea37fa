"""`/calendar.ics`: the calendar of a saved view, for programs that subscribe to it and can send no header."""

import asyncio
import hashlib
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.calendars import MAX_LAPSES, Lapse, Memory, cancelled, events_of, shown_of
from domain.errors import NotFound
from domain.lead_times import days_of
from domain.preconditions import is_known
from domain.short_id import ShortId
from resolvers import calendars
from resolvers.operation import Context

PATH = "/calendar.ics"


def calendar_routes() -> list[Route]:
    """GET and HEAD of a calendar. The app has `state.database`; the request has `state.meter`."""
    return [Route(PATH, _calendar)]


async def _calendar(request: Request) -> Response:
    meter, database = request.state.meter, request.app.state.database
    opened = await calendars.open_calendar(database, request.query_params.get("token", ""))
    if opened is None:
        # It is the address's that is charged: whoever guesses is nobody yet.
        await meter.charge(1)
        raise NotFound("This calendar has ended, or its address is incomplete; ask who gave it to you for another one.")
    reader = calendars.reader_of(opened)
    meter.belongs_to(reader)
    await meter.charge(1)
    context = Context(database, reader, datetime.now(UTC), charge=meter.charge)
    lapses = await calendars.lapses_of(context, opened.view)
    lead_times = await calendars.lead_times_of(context, opened.organization.id)
    uid, name = f"{opened.calendar.id}@certgate", f"{opened.view.name} ({opened.organization.name})"
    # A thousand lapses take a tenth of a second.
    shown: Memory = {
        lapse.assignment.id: shown_of(lapse, days_of(lapse.assignment, lead_times)) for lapse in lapses[:MAX_LAPSES]
    }
    memory = await calendars.remember(database, opened, shown, context.now)
    content = await asyncio.to_thread(_document, uid, name, lapses, lead_times, memory)
    tag = hashlib.sha256(content).hexdigest()[:32]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}
    if is_known(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, "text/calendar")


def _document(
    uid: str, name: str, lapses: list[Lapse], lead_times: dict[ShortId | None, list[int]], memory: Memory
) -> bytes:
    # Most start without it.
    from files.calendar import calendar_of

    more = f" It shows the first {MAX_LAPSES} of them; narrow the view down." if len(lapses) > MAX_LAPSES else ""
    shown = [
        event for lapse in lapses[:MAX_LAPSES] for event in events_of(lapse, days_of(lapse.assignment, lead_times))
    ]
    return calendar_of(uid, name, f"What lapses, from certgate.{more}", [*shown, *cancelled(memory)])
