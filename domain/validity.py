"""When an assignment holds: both bounds are included, a missing bound is open.

A certification holds on the days of its certificate and of those before it, but on none behind the end of the newest,
and not while it is suspended or withdrawn. That is judged here, and for rows in the database by `db.sql.filters`.
`is_active` is the contract's (2.4) besides and does not know the expiry that is printed on a certificate; `lapses_on`
and `standing` do. The functions of certificates take members one by one, for they are called with columns of rows, too.
"""

from datetime import date, timedelta

from domain.errors import InvalidInput, Violation
from domain.vocabulary import Standing, VerificationStatus

_DAY = timedelta(days=1)

Days = list[list[str | None]] | None
"""Spans of days as rows have them: each a first and a last day in ISO's form, None where it is open, and what is so.

`earlier_days` has one for each certificate before the newest, oldest first: its first day, its last one by
`expiration_date` and by `lapses_on`. `halted_days` has what was said of suspensions and withdrawals, in the order in
which it was: see `domain.halts`. None where there are none, as with most.
"""
_BY_EXPIRATION, _BY_LAPSE = 1, 2


def is_active(valid_from: date | None, expiration_date: date | None, on: date) -> bool:
    """Whether `on` lies within the validity."""
    return (valid_from is None or valid_from <= on) and (expiration_date is None or on <= expiration_date)


def is_held(
    valid_from: date | None,
    expiration_date: date | None,
    earlier_days: Days,
    halted_days: Days,
    on: date,
) -> bool:
    """The same for a certification: with the certificates before, and not while it is suspended or withdrawn."""
    return (
        (expiration_date is None or on <= expiration_date)
        and (valid_from is None or valid_from <= on or _covers(earlier_days, _BY_EXPIRATION, on))
        and (halted_days is None or halt_on(halted_days, on) is None)
    )


def _covers(earlier_days: Days, end: int, on: date) -> bool:
    """Whether a certificate before the newest covers `on`."""
    return earlier_days is not None and any(_lies_over(each[0], each[end], on) for each in earlier_days)


def _lies_over(first: str | None, last: str | None, on: date) -> bool:
    day = on.isoformat()
    return (first is None or first <= day) and (last is None or day <= last)


def halt_on(halted_days: Days, on: date) -> Standing | None:
    """Whether it is suspended or withdrawn on a day: by what was said last of that day, a withdrawal before all."""
    found = None
    for first, last, what in reversed(halted_days or ()):
        if not _lies_over(first, last, on):
            continue
        if what == Standing.WITHDRAWN:
            return Standing.WITHDRAWN
        if what != Standing.SUSPENDED:
            break
        found = Standing.SUSPENDED
    return found


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
    earlier_days: Days,
    halted_days: Days,
    on: date,
) -> Standing:
    """The same for a certification: with the certificates before, its suspensions and its withdrawals.

    In a gap before the newest certificate it is `NOT_YET`, and what is withdrawn is that whatever its other days.
    """
    halt = None if halted_days is None else halt_on(halted_days, on)
    if halt is Standing.WITHDRAWN:
        return halt
    stands = standing(valid_from, lapses_on, on)
    if stands is Standing.NOT_YET and _covers(earlier_days, _BY_LAPSE, on):
        stands = Standing.CURRENT
    return halt if halt is not None and stands is Standing.CURRENT else stands


def certificate_is_active(status: VerificationStatus, stands: Standing) -> bool | None:
    """Whether a certificate is active as GS1's `certificationStatus` has it; None while nobody has verified it.

    It is not where its standing or a lapsed verification says so, verified or not.
    """
    if status is VerificationStatus.EXPIRED or stands is not Standing.CURRENT:
        return False
    return True if status is VerificationStatus.VERIFIED else None


def status_in_contract(status: VerificationStatus, halted_days: Days, on: date) -> VerificationStatus:
    """What REST shows for a status: the contract has no word for suspended or withdrawn but `expired`."""
    return status if halted_days is None or halt_on(halted_days, on) is None else VerificationStatus.EXPIRED


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
