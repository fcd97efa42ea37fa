"""What follows from a certificate's days: the one that a product holds, or one that a renewal replaced."""

from datetime import date

from domain.records import CertificationAssignment, EarlierCertificate
from domain.validity import is_held, is_suspended, standing_of_certificate, status_in_contract
from domain.vocabulary import Standing, VerificationStatus

Certificate = CertificationAssignment | EarlierCertificate

HALTING = ("held_since", "suspended_from", "suspended_until", "withdrawn_on", "standing_reason")
"""The members that renewals, suspensions and withdrawals write, and which the contract does not have."""
HALTS = ("held_since", "withdrawn_on", "suspended_from", "suspended_until")
"""Those days, as the functions of `domain.validity` take them."""


def is_active(certificate: Certificate, on: date) -> bool:
    """Whether it is active on a day, as the contract has it."""
    return is_held(
        certificate.valid_from,
        certificate.expiration_date,
        certificate.held_since,
        certificate.withdrawn_on,
        certificate.suspended_from,
        certificate.suspended_until,
        on,
    )


def stands(certificate: Certificate, on: date) -> Standing:
    """How it stands on a day, by all its days."""
    return standing_of_certificate(
        certificate.valid_from,
        certificate.lapses_on,
        certificate.held_since,
        certificate.withdrawn_on,
        certificate.suspended_from,
        certificate.suspended_until,
        on,
    )


def status_shown(certificate: Certificate, on: date) -> VerificationStatus:
    """The verification's status as REST shows it."""
    return status_in_contract(
        certificate.verification_status,
        certificate.withdrawn_on,
        certificate.suspended_from,
        certificate.suspended_until,
        on,
    )


def is_halted(certificate: Certificate, on: date) -> bool:
    """Whether it is withdrawn or suspended on a day."""
    withdrawn_on = certificate.withdrawn_on
    return (withdrawn_on is not None and withdrawn_on <= on) or is_suspended(
        certificate.suspended_from, certificate.suspended_until, on
    )
