"""iCalendar (RFC 5545) as calendar programs subscribe to it.

Alarms are left to the programs: those that show feeds of others pass over them, or startle people with them.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC
from unicodedata import category

from domain.calendars import Event

REFRESHED = "PT12H"
"""How often a program is to ask again."""

_WIDTH = 75
"""Octets of a line."""


def calendar_of(uid: str, name: str, description: str, events: Iterable[Event]) -> bytes:
    """The document of a calendar. Nothing in it says when it was made: what stays the same has the same bytes."""
    return b"".join(_folded(f"{name}:{value}") for name, value in _lines(uid, name, description, events))


def _lines(uid: str, name: str, description: str, events: Iterable[Event]) -> Iterator[tuple[str, str]]:
    yield "BEGIN", "VCALENDAR"
    yield "VERSION", "2.0"
    yield "PRODID", "-//certgate//certgate//EN"
    yield "UID", _text(uid)
    # What programs read of it, and its later standard name (RFC 7986).
    for each in ("NAME", "X-WR-CALNAME"):
        yield each, _text(name)
    for each in ("DESCRIPTION", "X-WR-CALDESC"):
        yield each, _text(description)
    yield "REFRESH-INTERVAL;VALUE=DURATION", REFRESHED
    yield "X-PUBLISHED-TTL", REFRESHED
    for event in events:
        yield from _event(event)
    yield "END", "VCALENDAR"


def _event(event: Event) -> Iterator[tuple[str, str]]:
    changed = f"{event.changed_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield "BEGIN", "VEVENT"
    yield "UID", _text(event.uid)
    yield "DTSTAMP", changed
    yield "LAST-MODIFIED", changed
    yield "SEQUENCE", str(event.sequence)
    # `%Y` leaves out the zeros of early years.
    yield "DTSTART;VALUE=DATE", event.day.isoformat().replace("-", "")
    yield "SUMMARY", _text(event.summary)
    yield "DESCRIPTION", _text(event.description)
    yield "CATEGORIES", _text(event.category)
    # A day on which somebody has something to do is no day on which that person is not free.
    yield "TRANSP", "TRANSPARENT"
    if event.is_cancelled:
        yield "STATUS", "CANCELLED"
    if event.url.isascii() and event.url.isprintable() and event.url:
        yield "URL", event.url
    yield "END", "VEVENT"


def _text(value: str) -> str:
    """A text as the value of a property (RFC 5545 section 3.3.11), without control characters, which none may have."""
    lines = "\n".join(value.splitlines())
    kept = "".join(each for each in lines if each in "\n\t" or category(each) != "Cc")
    return kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """A line in parts of at most 75 octets, between characters (RFC 5545 section 3.1)."""
    rest, width, parts = line.encode(), _WIDTH, []
    while len(rest) > width:
        end = width
        while rest[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(rest[:end])
        # The blank that goes before counts.
        rest, width = rest[end:], _WIDTH - 1
    return b"\r\n ".join([*parts, rest]) + b"\r\n"
