"""Digests: what members of an organisation are told by mail, each day or each week, of what is new and what lapses."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, NamedTuple

from pydantic import Field

from domain.calendars import Lapse, named
from domain.members import kept
from domain.people import Within
from domain.records import Record
from domain.short_id import ShortId, ShortIdField
from domain.validation import Command, Text255
from domain.vocabulary import DigestPeriod

HOUR = 6
"""Of the day in UTC, from which on they are sent; those of a week on Mondays."""

MOST = 20
"""How many of a kind a digest names."""


class StoredDigest(Record, frozen=True):
    """How often a member is told by mail."""

    organization_id: Annotated[ShortId, kept("The id of the organisation")]
    user_id: Annotated[ShortId, kept("The id of the member")]
    period: Annotated[DigestPeriod | None, kept("How often", none="for never", example="weekly")]
    due_at: Annotated[
        datetime | None, kept("When the next one is due", none="for never", example="2027-01-04T06:00:00+00:00")
    ]


class MailDigest(StoredDigest, frozen=True):
    """The same as it is shown."""

    problem: Annotated[
        Text255,
        kept(
            "Why nothing is sent",
            none="while all is",
            example="This server sends no mail; its operator can set CERTGATE_SMTP_URL.",
        ),
    ]


NO_MAIL = "This server sends no mail, and no digest; its operator can set CERTGATE_SMTP_URL."


_Member = Annotated[ShortIdField, Field(description="The id of the member; your own if left out.")]


class GetDigest(Command):
    """How often a member is told by mail."""

    organization_id: Within
    user_id: _Member


class SetDigest(Command):
    """Say how often a member is told by mail."""

    organization_id: Within
    user_id: _Member
    period: Annotated[DigestPeriod | None, Field(description="How often; null for never.", examples=["weekly"])] = None


def next_due(period: DigestPeriod, after: datetime) -> datetime:
    """When the first digest behind a moment is due."""
    due = datetime.combine(after.date(), time(HOUR), UTC)
    while due <= after or (period is DigestPeriod.WEEKLY and due.weekday() != 0):
        due += timedelta(days=1)
    return due


class Some(NamedTuple):
    """Some of what there is to tell, and whether there is more."""

    items: list[Lapse]
    more: bool


class Contents(NamedTuple):
    """What there is to tell."""

    lapsed: Some
    lapsing: Some
    changed: Some

    @property
    def is_empty(self) -> bool:
        """Whether that is nothing."""
        return not any(some.items for some in self)


def subject_of(organization: str, contents: Contents) -> str:
    """What a digest is called."""
    counted = [
        f"{len(some.items)}{' or more' if some.more else ''} {what}"
        for some, what in zip(contents, ("lapsed", "to lapse", "new or changed"), strict=True)
        if some.items
    ]
    return f"{organization}: {', '.join(counted)}"


def text_of(organization: str, contents: Contents, since: date, today: date, site: str) -> str:
    """What a digest says."""
    lines = [f"Certifications and claims of {organization} on {today}.", ""]
    for title, some in (
        (f"Lapsed since {since}, and not renewed", contents.lapsed),
        ("To lapse", contents.lapsing),
        (f"New or changed since {since}", contents.changed),
    ):
        if some.items:
            lines += [title, *(f"  {_line(lapse, today)}" for lapse in some.items), *_rest(some), ""]
    lines += [
        "What somebody has taken on is left out.",
        f"All of it: {site}/app",
        "You get this since you, or a manager, asked for it; setDigest changes that.",
        "",
    ]
    return "\n".join(lines)


def _rest(some: Some) -> Iterator[str]:
    if some.more:
        yield "  ... and more"


def _line(lapse: Lapse, today: date) -> str:
    label, whose, last = named(lapse)
    if last is None:
        when = "no end"
    else:
        days = (last - today).days
        when = f"{last} ({'today' if days == 0 else f'in {days} days' if days > 0 else f'{-days} days ago'})"
    return f"{when}  {label}: {whose} ({lapse.assignment.gtin})"
