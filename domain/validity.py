"""When an assignment holds: both bounds are included, a missing bound is open.

What a suspension or a withdrawal takes away does not hold. `is_active` is the contract's (2.4) besides and does not
know the expiry that is printed on a certificate; `lapses_on` and `standing` do. The functions of certificates take
members one by one, for they are called with columns of rows, too; records have them as methods.
"""

from datetime import date, timedelta

from domain.errors import InvalidInput, Violation
from domain.vocabulary import Standing, VerificationStatus

_DAY = timedelta(days=1)


def is_active(valid_from: date | None, expiration_date: date | None, on: date) -> bool:
    """Whether `on` lies within the validity."""
    return (valid_from is None or valid_from <= on) and (expiration_date is None or on <= expiration_date)


def is_held(
    valid_from: date | None,
    expiration_date: date | None,
    held_since: date | None,
    withdrawn_on: date | None,
    suspended_from: date | None,
    suspended_until: date | None,
    on: date,
) -> bool:
    """The same for a certificate: with those right before it, and not while it is suspended or withdrawn."""
    since = valid_from if held_since is None else held_since
    return (
        (since is None or since <= on)
        and (expiration_date is None or on <= expiration_date)
        and (withdrawn_on is None or on < withdrawn_on)
        and (suspended_from is None or not is_active(suspended_from, suspended_until, on))
    )


def is_suspended(suspended_from: date | None, suspended_until: date | None, on: date) -> bool:
    """Whether a suspension lies over `on`."""
    return suspended_from is not None and is_active(suspended_from, suspended_until, on)


def lapses_on(
    expiration_date: date | None, expiry_date: date | None = None, withdrawn_on: date | None = None
) -> date | None:
    """The last day on which something holds: the end of its validity, the printed one or the day before its withdrawal.

    The one that comes first counts; a suspension ends nothing.
    """
    if withdrawn_on is not None:
        expiry_date = lapses_on(expiry_date, withdrawn_on - _DAY)
    if expiration_date is None or (expiry_date is not None and expiry_date < expiration_date):
        return expiry_date
    return expiration_date


def standing(valid_from: date | None, lapses_on: date | None, on: date) -> Standing:
    """How what begins and lapses on these days stands `on` a day."""
    if lapses_on is not None and lapses_on < on:
        return Standing.LAPSED
    return Standing.NOT_YET if valid_from is not None and valid_from > on else Standing.CURRENT


def standing_of_certificate(
    valid_from: date | None,
    lapses_on: date | None,
    held_since: date | None,
    withdrawn_on: date | None,
    suspended_from: date | None,
    suspended_until: date | None,
    on: date,
) -> Standing:
    """The same for a certificate: with those right before it, its suspension and its withdrawal."""
    if withdrawn_on is not None and withdrawn_on <= on:
        return Standing.WITHDRAWN
    stands = standing(valid_from if held_since is None else held_since, lapses_on, on)
    if stands is Standing.CURRENT and is_suspended(suspended_from, suspended_until, on):
        return Standing.SUSPENDED
    return stands


def certificate_is_active(status: VerificationStatus, stands: Standing) -> bool | None:
    """Whether a certificate is active as GS1's `certificationStatus` has it; None while nobody has verified it.

    It is not where its standing or a lapsed verification says so, verified or not.
    """
    if status is VerificationStatus.EXPIRED or stands is not Standing.CURRENT:
        return False
    return True if status is VerificationStatus.VERIFIED else None


def status_in_contract(
    status: VerificationStatus,
    withdrawn_on: date | None,
    suspended_from: date | None,
    suspended_until: date | None,
    on: date,
) -> VerificationStatus:
    """What REST shows for a status: the contract has no word for suspended or withdrawn but `expired`."""
    is_halted = (withdrawn_on is not None and withdrawn_on <= on) or (
        suspended_from is not None and is_active(suspended_from, suspended_until, on)
    )
    return VerificationStatus.EXPIRED if is_halted else status


def check_order(valid_from: date | None, expiration_date: date | None) -> None:
    """Raises `InvalidInput` when the validity ends before it starts."""
    if valid_from is not None and expiration_date is not None and expiration_date < valid_from:
        message = f"Date should not be before valid_from ({valid_from}); change one of the two"
        raise InvalidInput([Violation(("expiration_date",), message, "date_order")])


def check_suspension(suspended_from: date | None, suspended_until: date | None) -> None:
    """Raises `InvalidInput` when a suspension ends before it starts, or ends without a start."""
    if suspended_until is None:
        return
    if suspended_from is None:
        message = "Date should be left out where there is no suspended_from"
        raise InvalidInput([Violation(("suspended_until",), message, "date_order")])
    if suspended_until < suspended_from:
        message = f"Date should not be before suspended_from ({suspended_from}); change one of the two"
        raise InvalidInput([Violation(("suspended_until",), message, "date_order")])
