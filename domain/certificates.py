"""What follows from the days of a certification that a product holds, or of a certificate that a renewal replaced."""

from datetime import date
from typing import Annotated

from domain.members import kept
from domain.records import CertificationAssignment, EarlierCertificate
from domain.validity import Days, halt_on, is_held, standing_of_certificate, status_in_contract
from domain.vocabulary import Standing, VerificationStatus

HALTING = ("suspended_from", "suspended_until", "withdrawn_on", "standing_reason")
"""The members that suspensions and withdrawals write, and which the contract does not have."""
JUDGING = ("earlier_days", "halted_days")
"""What days are judged by besides the newest certificate's own, as the functions of `domain.validity` take it."""


class PreviousCertificate(EarlierCertificate, frozen=True):
    """An earlier certificate, how the next one followed it, and by what it is judged itself."""

    gap_days: Annotated[
        int | None,
        kept(
            "How many days lay between its last day and the first one of the next",
            none="where one of them is not recorded",
            example=0,
        ),
    ]
    overlap_days: Annotated[
        int | None, kept("On how many days both held", none="where a day is not recorded that would tell", example=0)
    ]
    earlier_days: Days
    halted_days: Days


Judged = CertificationAssignment | PreviousCertificate


def is_active(of: Judged, on: date) -> bool:
    """Whether it is active on a day, as the contract has it."""
    return is_held(of.valid_from, of.expiration_date, of.earlier_days, of.halted_days, on)


def stands(of: Judged, on: date) -> Standing:
    """How it stands on a day, by all its days."""
    return standing_of_certificate(of.valid_from, of.lapses_on, of.earlier_days, of.halted_days, on)


def status_shown(of: Judged, on: date) -> VerificationStatus:
    """The verification's status as REST shows it."""
    return status_in_contract(of.verification_status, of.halted_days, on)


def is_halted(of: Judged, on: date) -> bool:
    """Whether it is withdrawn or suspended on a day."""
    return halt_on(of.halted_days, on) is not None
