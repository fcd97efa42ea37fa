"""What renewals, suspensions and withdrawals make of a certificate, and how certificates follow each other."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import msgspec

from domain.certificates import HALTING, Certificate, is_active, stands
from domain.changes import Change
from domain.errors import InvalidInput, Violation
from domain.members import kept, members_of
from domain.records import CertificationAssignment, EarlierCertificate
from domain.validity import check_order, check_suspension, lapses_on
from domain.vocabulary import Standing, VerificationStatus

_DAY = timedelta(days=1)

OF_CERTIFICATE = tuple(
    name for name in members_of(EarlierCertificate) if name in members_of(CertificationAssignment) and name != "gtin"
)
"""The members that a certificate has, as the record of the assignment declares them: all but the product's notes."""

ANEW: Mapping[str, Any] = {
    "valid_from": None,
    "expiration_date": None,
    "expiry_date": None,
    "audit_date": None,
    "verification_status": VerificationStatus.UNVERIFIED,
    **dict.fromkeys(HALTING),
    "standing_reason": "",
}
"""What a new certificate has where nothing is said; the rest is as on the one before."""

_TELLING = ("valid_from", "expiration_date", "expiry_date", "certificate_number")


def renewed(held: CertificationAssignment, sent: Mapping[str, Any], today: date) -> dict[str, Any]:
    """What the next certificate changes: member -> value, all of those that are the certificate's; empty for the same.

    `sent` are the members that were sent, nulls resolved. Raises `InvalidInput` when nothing tells it from the one that
    is held, when it ends before it begins, or when it would change what holds before it begins.
    """
    if not any(sent.get(name) for name in _TELLING):
        message = "Field required where neither expiration_date, expiry_date nor certificate_number is sent"
        raise InvalidInput([Violation(("valid_from",), message, "missing")])
    values = {name: ANEW.get(name, getattr(held, name)) for name in OF_CERTIFICATE} | dict(sent)
    check_order(values["valid_from"], values["expiration_date"])
    if all(getattr(held, name) == value for name, value in values.items() if name not in HALTING):
        return {}
    changes = values | {"held_since": _held_since(held, values["valid_from"])}
    _require_same_before(held, msgspec.structs.replace(held, **changes), today)
    return changes


def _require_same_before(held: CertificationAssignment, after: CertificationAssignment, today: date) -> None:
    """Raises `InvalidInput` where what is held today, or until the next certificate begins, would be told otherwise.

    Only the next one is looked at from now on, and it knows no gap before it and no suspension of the one before.
    """
    first = after.valid_from
    if first is None:
        return
    changes = (held.lapses_on, held.expiration_date, held.suspended_until, held.suspended_from, held.withdrawn_on)
    turns = {day + shift for day in changes if day is not None and day < first for shift in (_DAY * 0, _DAY)}
    for day in sorted(each for each in {today, *turns} if today <= each < first):
        was, would_be = ((is_active(each, day), stands(each, day) is Standing.CURRENT) for each in (held, after))
        if was != would_be:
            message = (
                "Date should follow the certificate that is held without a gap or a suspension between them, or not be"
                f" in the future: {day} would be told {'as not held' if any(was) else 'as held'}, which is not so;"
                " renew it when that is over"
            )
            raise InvalidInput([Violation(("valid_from",), message, "holds_until_then")])


def is_older(held: CertificationAssignment, sent: Mapping[str, Any]) -> bool:
    """Whether what a file says of a certificate is said of one before: it has another number, and ends earlier."""
    ends, known_end = lapses_on(sent.get("expiration_date"), sent.get("expiry_date")), held.lapses_on
    number = sent.get("certificate_number")
    is_another = bool(number and held.certificate_number) and number != held.certificate_number
    return is_another and ends is not None and (known_end is None or ends < known_end)


def is_renewal(held: CertificationAssignment, sent: Mapping[str, Any]) -> bool:
    """Whether what a file says of a certificate is said of the next one, and does not correct the one that is held.

    It ends later, and begins later or has another number. An end alone may as well be put off.
    """
    before, ends = (
        lapses_on(held.expiration_date, held.expiry_date),
        lapses_on(sent.get("expiration_date"), sent.get("expiry_date")),
    )
    if ends is None or before is None or ends <= before:
        return False
    first, number = sent.get("valid_from"), sent.get("certificate_number")
    begins_later = first is not None and first > (before if held.valid_from is None else held.valid_from)
    return begins_later or (bool(number) and held.certificate_number not in ("", number))


def _held_since(held: CertificationAssignment, first: date | None) -> date | None:
    """Since when it is held without a gap, where the certificate before holds until the day before the first one."""
    if first is None or first == date.min or stands(held, first - _DAY) is not Standing.CURRENT:
        return None
    known = (held.begins_on, held.initial_certification_date, held.created_at.date())
    since = held.begins_on or min(day for day in known if day is not None)
    return since if since < first else None


def earlier(held: CertificationAssignment, number: int, at: datetime) -> EarlierCertificate:
    """What is kept of a certificate when the next one takes its place."""
    own: dict[str, Any] = {name: getattr(held, name) for name in OF_CERTIFICATE}
    named: dict[str, Any] = {"gtin": held.gtin, "certification_id": held.certification.id, "number": number}
    return EarlierCertificate(**named, **own, replaced_at=at)


class Succession(NamedTuple):
    """How a certificate follows the one before. None: a day is not recorded that would tell."""

    gap_days: int | None
    """How many days lie between them, on which neither holds."""
    overlap_days: int | None
    """On how many days both hold; what is suspended counts as held."""
    goes_back: bool
    """Whether it begins or ends before the other one does."""


def succession(before: Certificate, after: Certificate) -> Succession:
    """How `after` follows `before`, by their days."""
    last, first, end = before.lapses_on, after.valid_from, after.lapses_on
    is_before = before.valid_from is not None and first is not None and first < before.valid_from
    goes_back = is_before or (last is not None and end is not None and end < last)
    if last is None or first is None:
        return Succession(None, None, goes_back)
    begins = first if before.valid_from is None else max(first, before.valid_from)
    ends = last if end is None else min(last, end)
    return Succession(max((first - last).days - 1, 0), max((ends - begins).days + 1, 0), goes_back)


def in_words(change: Change[CertificationAssignment, CertificationAssignment]) -> str:
    """How a new certificate follows the one before, for people."""
    gap, overlap, goes_back = follows(change)
    if goes_back:
        return "it begins or ends before the one that it renews"
    if gap:
        return f"{gap} {'day lies' if gap == 1 else 'days lie'} between the two"
    if overlap:
        return f"both hold on {overlap} {'day' if overlap == 1 else 'days'}"
    return "one follows the other without a gap" if gap is not None else "a day is missing that would tell of a gap"


def follows(change: Change[CertificationAssignment, CertificationAssignment]) -> Succession:
    """How what is held after a renewal follows what was held; nothing where that is the same."""
    if change.before == change.after:
        return Succession(None, None, goes_back=False)
    return succession(change.before, change.after)


class PreviousCertificate(EarlierCertificate, frozen=True):
    """An earlier certificate, and how the next one followed it."""

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


def previous(current: CertificationAssignment, kept_ones: Sequence[EarlierCertificate]) -> list[PreviousCertificate]:
    """The earlier certificates of an assignment, newest first, each with how the next one followed it."""
    found: list[PreviousCertificate] = []
    following: Certificate = current
    for each in _newest_first(kept_ones):
        gap, overlap, _ = succession(each, following)
        members: dict[str, Any] = msgspec.structs.asdict(each)
        found.append(PreviousCertificate(**members, gap_days=gap, overlap_days=overlap))
        following = each
    return found


def _newest_first(kept_ones: Sequence[EarlierCertificate]) -> list[EarlierCertificate]:
    return sorted(kept_ones, key=lambda one: one.number, reverse=True)


def years_certified(current: CertificationAssignment, kept_ones: Sequence[EarlierCertificate], on: date) -> int | None:
    """Whole years from the first grant to a day, or to the last day if that is over; None where no first day is known.

    Without a day of the first grant the earliest first day of its certificates counts. Gaps are not taken out.
    """
    every: list[Certificate] = [current, *kept_ones]
    days = [each.valid_from for each in every if each.valid_from is not None]
    first = current.initial_certification_date or min(days, default=None)
    if first is None:
        return None
    last = on if current.lapses_on is None else min(on, current.lapses_on)
    years = last.year - first.year - ((last.month, last.day) < (first.month, first.day))
    return max(years, 0)


def certificate_on(
    current: CertificationAssignment, kept_ones: Sequence[EarlierCertificate], day: date
) -> Certificate | None:
    """The certificate that held on a day: of several the newest; None where none did.

    A certificate holds on the days between its own first one and its last one, but not while it is suspended.
    """
    newest_first: list[Certificate] = [current, *_newest_first(kept_ones)]
    return next((each for each in newest_first if _holds(each, day)), None)


def on_day(
    current: CertificationAssignment, kept_ones: Sequence[EarlierCertificate], day: date
) -> CertificationAssignment:
    """What is held, with the certificate that held on a day; as it is where none did."""
    certificate = certificate_on(current, kept_ones, day)
    if not isinstance(certificate, EarlierCertificate):
        return current
    return msgspec.structs.replace(current, **{name: getattr(certificate, name) for name in OF_CERTIFICATE})


def _holds(certificate: Certificate, day: date) -> bool:
    has_begun = certificate.valid_from is None or certificate.valid_from <= day
    return has_begun and stands(certificate, day) is Standing.CURRENT


def suspended(held: CertificationAssignment, first: date, last: date | None, reason: str) -> dict[str, Any]:
    """What a suspension of those days changes; it takes the place of an earlier one. Raises `InvalidInput`."""
    check_suspension(first, last)
    if held.withdrawn_on is not None and held.withdrawn_on <= first:
        message = f"It is withdrawn from {held.withdrawn_on} on; reinstate it first, or suspend it for days before"
        raise InvalidInput([Violation(("suspended_from",), message, "withdrawn")])
    return {"suspended_from": first, "suspended_until": last, "standing_reason": reason}


def withdrawn(held: CertificationAssignment, day: date | None, reason: str, today: date) -> dict[str, Any]:
    """What a withdrawal changes: from the day on, or from today, or from the first day of what is still to begin."""
    first = held.valid_from
    day = day or (today if first is None else max(today, first))
    return {"withdrawn_on": day, "standing_reason": reason}


def reinstated(held: CertificationAssignment, day: date, reason: str) -> dict[str, Any]:
    """What it changes that a certificate holds again from a day on; empty where nothing keeps it from that.

    The days of a withdrawal before that day become those of a suspension.
    """
    first, last, withdrawn_on = held.suspended_from, held.suspended_until, held.withdrawn_on
    if withdrawn_on is not None and withdrawn_on < day:
        # A suspension that was over before gives way to it.
        first = withdrawn_on if first is None or (last is not None and last < withdrawn_on - _DAY) else first
        first, last = min(first, withdrawn_on), None
    if first is not None and (last is None or last >= day):
        first, last = (None, None) if day <= first else (first, day - _DAY)
    changes = {"suspended_from": first, "suspended_until": last, "withdrawn_on": None}
    if all(getattr(held, name) == value for name, value in changes.items()):
        return {}
    return {**changes, "standing_reason": reason}
