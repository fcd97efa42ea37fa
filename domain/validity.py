"""When an assignment holds: both bounds are included, a missing bound is open.

`is_active` is the contract's (2.4) and does not know the expiry that is printed on a certificate; `lapses_on` and
`standing` do.
"""

from datetime import date

from domain.errors import InvalidInput, Violation
from domain.vocabulary import Standing, VerificationStatus


def is_active(valid_from: date | None, expiration_date: date | None, on: date) -> bool:
    """Whether `on` lies within the validity."""
    return (valid_from is None or valid_from <= on) and (expiration_date is None or on <= expiration_date)


def lapses_on(expiration_date: date | None, expiry_date: date | None = None) -> date | None:
    """The last day on which something holds: the end of its validity or the printed one, which comes earlier."""
    if expiration_date is None or (expiry_date is not None and expiry_date < expiration_date):
        return expiry_date
    return expiration_date


def standing(valid_from: date | None, lapses_on: date | None, on: date) -> Standing:
    """How what begins and lapses on these days stands `on` a day."""
    if lapses_on is not None and lapses_on < on:
        return Standing.LAPSED
    return Standing.NOT_YET if valid_from is not None and valid_from > on else Standing.CURRENT


def certificate_is_active(
    status: VerificationStatus, valid_from: date | None, lapses_on: date | None, on: date
) -> bool | None:
    """Whether a certificate is active as GS1's `certificationStatus` has it; None while nobody has verified it.

    It is not where its dates or a lapsed verification say so, verified or not.
    """
    if status is VerificationStatus.EXPIRED or standing(valid_from, lapses_on, on) is not Standing.CURRENT:
        return False
    return True if status is VerificationStatus.VERIFIED else None


def check_order(valid_from: date | None, expiration_date: date | None) -> None:
    """Raises `InvalidInput` when the validity ends before it starts."""
    if valid_from is not None and expiration_date is not None and expiration_date < valid_from:
        message = f"Date should not be before valid_from ({valid_from}); change one of the two"
        raise InvalidInput([Violation(("expiration_date",), message, "date_order")])
