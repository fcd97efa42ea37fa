"""Lead times: how many days before something lapses an organisation wants to hear of it."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from domain.filter_input import MAX_DAYS
from domain.members import kept
from domain.people import Within
from domain.records import CertificationAssignment, ClaimAssignment, Record
from domain.short_id import IdOrCodeField, ShortId, ShortIdField
from domain.validation import Command

USUAL = [90, 60, 30]
MOST = 5
"""How many lead times something may have."""


def _longest_first(days: list[int]) -> list[int]:
    return sorted(set(days), reverse=True)


Days = Annotated[list[Annotated[int, Field(ge=1, le=MAX_DAYS)]], Field(max_length=MOST), AfterValidator(_longest_first)]
"""Numbers of days, the longest first, none twice."""


class LeadTimes(Record, frozen=True):
    """How early an organisation wants to hear that a certification lapses, or all that have no others."""

    organization_id: Annotated[ShortId, kept("The id of the organisation")]
    certification_id: Annotated[
        ShortId | None,
        kept("The id of the certification", none="for the claims, and the certifications that have no others"),
    ]
    days: Annotated[list[int], kept("How many days before, the longest first", example=USUAL)]


class ListLeadTimes(Command):
    """The lead times of an organisation."""

    organization_id: ShortIdField


class SetLeadTimes(Command):
    """Say how early the organisation wants to hear that something lapses."""

    organization_id: Within
    for_certification: Annotated[
        IdOrCodeField | None,
        Field(
            description="The id of the certification; left out for the claims, and the certifications that have no"
            " others."
        ),
    ] = None
    days: Annotated[
        Days | None,
        Field(
            description=f"How many days before, 1 to {MAX_DAYS}, at most {MOST} of them; null for those that all have.",
            examples=[[120, 45]],
        ),
    ] = None


def setting(times: LeadTimes) -> SetLeadTimes:
    """What sets lead times as they were. Raises `InvalidInput` for those that cannot have been."""
    named = {"organization_id": times.organization_id, "for_certification": times.certification_id}
    return SetLeadTimes.parse({**named, "days": times.days})


def days_of(
    assignment: CertificationAssignment | ClaimAssignment, known: Mapping[ShortId | None, Sequence[int]]
) -> Sequence[int]:
    """The lead times of an assignment, by those of its owner's certifications and those of None, of all others."""
    usual = known.get(None, USUAL)
    return known.get(assignment.certification.id, usual) if isinstance(assignment, CertificationAssignment) else usual
