"""What days bring without anybody's doing: something becomes active, is soon to lapse, has lapsed.

It is told of at the beginning of the day, of what was there before, by what is recorded then. What a write moves to a
day that has come already is told by the write alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from domain.certificates import stands
from domain.lead_times import USUAL, days_of
from domain.records import CertificationAssignment, ClaimAssignment
from domain.short_id import ShortId
from domain.validity import standing
from domain.vocabulary import Standing

_DAY = timedelta(days=1)
_ENDED = (Standing.LAPSED, Standing.WITHDRAWN)

Assignment = CertificationAssignment | ClaimAssignment
Leads = Mapping[ShortId, Mapping[ShortId | None, Sequence[int]]]
"""Lead times by the organisation and the certification, None for all others, where they are not as usual."""


class DateEvent(StrEnum):
    """What a day brings, as the log calls it."""

    BECAME_ACTIVE = "becameActive"
    LAPSED = "lapsed"
    LAPSING = "lapsing"


class Turn(NamedTuple):
    """What is looked for on a day: an event of assignments whose member `by` is so many days behind the day."""

    event: DateEvent
    kind: str
    by: str
    days: int

    @property
    def name(self) -> str:
        """By their names turns follow each other, whichever there are."""
        return f"{self.event} {self.kind} {self.by} {self.days:05}"

    def value(self, day: date) -> date | None:
        """The value of the member; None where there is no such day."""
        try:
            return day + timedelta(days=self.days)
        except OverflowError:
            return None


_ALWAYS = (
    Turn(DateEvent.BECAME_ACTIVE, "certifications", "valid_from", 0),
    # Renewed before it began.
    Turn(DateEvent.BECAME_ACTIVE, "certifications", "earlier_valid_from", 0),
    Turn(DateEvent.BECAME_ACTIVE, "certifications", "halted_days", -1),
    Turn(DateEvent.BECAME_ACTIVE, "claims", "valid_from", 0),
    Turn(DateEvent.LAPSED, "certifications", "lapses_on", -1),
    # Withdrawn until the next certificate begins.
    Turn(DateEvent.LAPSED, "certifications", "halted_days", -1),
    Turn(DateEvent.LAPSED, "claims", "lapses_on", -1),
)


def turns(leads: Leads) -> list[Turn]:
    """All of them, in their order."""
    own = (days for of in leads.values() for days in of.values())
    early: Iterable[int] = {*USUAL}.union(*own)
    found = [
        Turn(DateEvent.LAPSING, kind, "lapses_on", days) for kind in ("certifications", "claims") for days in early
    ]
    return sorted([*_ALWAYS, *found], key=lambda turn: turn.name)


def brings(turn: Turn, day: date, assignment: Assignment, leads: Leads) -> bool:
    """Whether a day brings it to an assignment that was found in turn."""
    if assignment.created_at.date() >= day:
        return False
    if turn.event is DateEvent.LAPSING:
        return turn.days in days_of(assignment, leads.get(assignment.organization_id, {}))
    stood, stands_now = (_standing(assignment, each) for each in (day - _DAY, day))
    if turn.event is DateEvent.LAPSED:
        return stands_now in _ENDED and stood not in _ENDED
    return stands_now is Standing.CURRENT and stood is not Standing.CURRENT


def _standing(assignment: Assignment, on: date) -> Standing:
    if isinstance(assignment, CertificationAssignment):
        return stands(assignment, on)
    return standing(assignment.valid_from, assignment.lapses_on, on)
