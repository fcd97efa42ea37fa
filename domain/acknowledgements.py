"""Acknowledgements: somebody takes on that something lapses, and says until when and why.

One holds up to its day, and as long as the day of the lapse is what it was: a renewal ends it by itself.
"""

from datetime import date, datetime
from typing import Annotated, ClassVar

from pydantic import Field

from domain.commands import OfHeldCertification, OfMadeClaim
from domain.errors import InvalidInput, Violation
from domain.filter_input import MAX_DAYS
from domain.members import given, given_to, kept
from domain.record_commands import RecordCommand
from domain.records import CertificationAssignment, ClaimAssignment, GtinOfProduct, Record
from domain.short_id import ShortId
from domain.validation import Date, Text, Text255

Reason = Annotated[Text, Field(min_length=1, max_length=500)]


class Acknowledgement(Record, frozen=True):
    """That somebody has taken a lapse on."""

    id: Annotated[ShortId, kept("The id of the assignment that lapses")]
    gtin: GtinOfProduct
    organization_id: ShortId
    until: Annotated[
        Date, given("The last day on which it counts as taken on", rule="today or later", example="2035-12-31")
    ]
    reason: Annotated[Reason, given("Why it can wait, or what is being done", example="The audit is on 20 January.")]
    lapses_on: Annotated[
        Date,
        kept(
            "The last day on which the assignment held when this was said",
            more="It ends once that is another one.",
            example="2027-12-31",
        ),
    ]
    by: Annotated[
        Text255,
        kept(
            "Who has taken it on: a person's address, or what the API key is called, or its id if it is called nothing",
            none="for a token",
            example="ann@example.org",
        ),
    ]
    created_at: Annotated[datetime, kept("When that was said", example="2026-11-30T12:00:00+00:00")]

    def holds(self, of: CertificationAssignment | ClaimAssignment, today: date) -> bool:
        """Whether it still does, on that day."""
        return today <= self.until and self.lapses_on == of.lapses_on


_GIVEN = {member.name: member for member in given_to(Acknowledgement)}


class AcknowledgeCertification(OfHeldCertification, RecordCommand):
    """Take on that a certification of a product lapses. Not in the contract."""

    given: ClassVar = _GIVEN

    until: Date
    reason: Reason


class AcknowledgeClaim(OfMadeClaim, RecordCommand):
    """Take on that a claim of a product lapses. Not in the contract."""

    given: ClassVar = _GIVEN

    until: Date
    reason: Reason


class GetCertificationAcknowledgement(OfHeldCertification):
    """Who has taken on that a certification of a product lapses."""


class GetClaimAcknowledgement(OfMadeClaim):
    """Who has taken on that a claim of a product lapses."""


class UnacknowledgeCertification(OfHeldCertification):
    """Give a lapse of a certification back to everybody."""


class UnacknowledgeClaim(OfMadeClaim):
    """Give a lapse of a claim back to everybody."""


def check_until(until: date, lapses_on: date | None, today: date) -> date:
    """The day on which it lapses. Raises `InvalidInput` where there is none, and for a day too early or too late."""
    if lapses_on is None:
        message = "No end is recorded, so nothing lapses; record the end first"
        raise InvalidInput([Violation(("until",), message, "no_lapse")])
    if not 0 <= (until - today).days <= MAX_DAYS:
        message = f"Date should be today or within the {MAX_DAYS} days behind it"
        raise InvalidInput([Violation(("until",), message, "out_of_range")])
    return lapses_on
