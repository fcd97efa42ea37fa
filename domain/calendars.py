"""Calendars: the lapses of a saved view as days for calendar programs, under an address that needs no credential."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from domain.certificates import stands
from domain.members import kept
from domain.people import Within
from domain.records import CertificationAssignment, ClaimAssignment, Product, Record
from domain.short_id import ShortId, ShortIdField
from domain.validation import Command
from domain.views import ViewId
from domain.vocabulary import Standing

MAX_CALENDARS = 100
"""How many calendars an organisation may have."""

MAX_LAPSES = 1_000
"""How many lapses a calendar shows, the first that come."""

KEPT = timedelta(days=90)
"""How long it shows what has passed."""

AHEAD = timedelta(days=3660)
"""How far it looks."""


class Calendar(Record, frozen=True):
    """A calendar of a saved view, without its address, of whose token only a digest is stored."""

    id: Annotated[ShortId, kept("Its id")]
    organization_id: Annotated[ShortId, kept("The id of the organisation that it is of")]
    view_id: Annotated[ShortId, kept("The id of the view whose lapses it shows; it ends with that")]
    created_at: Annotated[datetime, kept("When it was made", example="2026-03-31T12:00:00+00:00")]


class NewCalendar(Record, frozen=True):
    """A calendar that was just made. Its address is stored nowhere, so that it cannot be shown again."""

    entry: Calendar
    url: str


class ListCalendars(Command):
    """The calendars of an organisation."""

    organization_id: ShortIdField


class CreateCalendar(Command):
    """Make a calendar of a view."""

    organization_id: Within
    view_id: ViewId


class RevokeCalendar(Command):
    """End a calendar."""

    organization_id: Within
    calendar_id: Annotated[ShortIdField, Field(description="The id of the calendar, which is not its address.")]


class Lapse(NamedTuple):
    """What lapses, and of which product; None for one that is gone."""

    assignment: CertificationAssignment | ClaimAssignment
    product: Product | None


class Event(NamedTuple):
    """One day of a calendar. Whatever becomes of it, it has the same `uid`."""

    uid: str
    sequence: int
    changed_at: datetime
    day: date
    summary: str
    description: str
    category: str
    url: str
    is_cancelled: bool = False


Memory = dict[str, list[Any]]
"""By the ids of assignments, of what a calendar has shown: the last day, the version, the lead times, and what it is
called; then, of what was removed, when that was noticed.
"""


def shown_of(lapse: Lapse, lead_times: Sequence[int]) -> list[Any]:
    """What is to be remembered of a lapse that is shown."""
    label, whose, last = named(lapse)
    return [str(last), lapse.assignment.version, list(lead_times), f"{label}: {whose}"]


def remembered(before: Memory, shown: Memory, removed: Collection[str], now: datetime) -> Memory:
    """What a calendar has to remember: what it shows now, and for 90 days what of the rest was removed."""
    since = (now - KEPT).isoformat(timespec="seconds")
    kept: Memory = {}
    for id, facts in before.items():
        noticed = facts[4] if len(facts) > 4 else now.isoformat(timespec="seconds") if id in removed else ""
        if id not in shown and noticed > since:
            kept[id] = [*facts[:4], noticed]
    return kept | shown


def cancelled(memory: Memory) -> Iterator[Event]:
    """The days of what was removed."""
    for id, (last, version, lead_times, title, *noticed) in memory.items():
        if noticed:
            day, at = date.fromisoformat(last), datetime.fromisoformat(noticed[0])
            for days in (*lead_times, 0):
                uid, when = uid_of(id, days), day - timedelta(days=days)
                yield Event(uid, version + 1, at, when, title, "It was removed.", "Cancelled", "", True)


def uid_of(assignment_id: str, days: int) -> str:
    """The name of the day that lies so many before a lapse."""
    return f"{assignment_id}-{f'{days}-days-before' if days else 'lapse'}@certgate"


def events_of(lapse: Lapse, lead_times: Sequence[int]) -> Iterator[Event]:
    """The days on which somebody is to think of a lapse: so many before, and its own, the last of validity."""
    assignment = lapse.assignment
    last = assignment.lapses_on
    if last is None:
        return
    label, whose, _ = named(lapse)
    category, url, facts = _facts_of(assignment)
    facts = [f"GTIN {assignment.gtin}", f"last day {last:%Y-%m-%d}", *facts]
    if isinstance(assignment, CertificationAssignment) and stands(assignment, last) is Standing.SUSPENDED:
        label = f"{label}, suspended,"
    for days in (*lead_times, 0):
        if (last - date.min).days < days:
            continue
        when = f"lapses in {days} days" if days else "lapses"
        yield Event(
            uid_of(assignment.id, days),
            assignment.version,
            assignment.updated_at,
            last - timedelta(days=days),
            f"{label} {when}: {whose}",
            "; ".join(facts),
            category,
            url,
        )


def named(lapse: Lapse) -> tuple[str, str, date | None]:
    """What lapses, of which product, and its last day, for people."""
    assignment, product = lapse
    label = (assignment.claim if isinstance(assignment, ClaimAssignment) else assignment.certification).label
    whose = " ".join(part for part in (product.brand, product.name) if part) if product else ""
    return label, whose or f"GTIN {assignment.gtin}", assignment.lapses_on


def _facts_of(assignment: CertificationAssignment | ClaimAssignment) -> tuple[str, str, list[str]]:
    """What an assignment is, where it can be looked up, and what else is known of it."""
    if isinstance(assignment, ClaimAssignment):
        return "Claim", "", []
    number, issuer = assignment.certificate_number, assignment.issuing_body
    facts = [f"certificate {number}"] * bool(number) + [f"issued by {issuer}"] * bool(issuer)
    return "Certification", assignment.verification_url, facts
