"""What renewals, suspensions and withdrawals make of a certificate, and how certificates follow each other."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec

from domain import halts
from domain.certificates import HALTING, PreviousCertificate, stands
from domain.changes import Change
from domain.errors import InvalidInput, Violation
from domain.members import members_of
from domain.records import CertificationAssignment, EarlierCertificate
from domain.validity import Days, check_order, check_suspension, lapses_on, standing
from domain.vocabulary import Standing, VerificationStatus

Certificate = CertificationAssignment | EarlierCertificate

OF_CERTIFICATE = tuple(
    name for name in members_of(EarlierCertificate) if name in members_of(CertificationAssignment) and name != "gtin"
)
"""The members that a certificate has, as the record of the assignment declares them: all but the product's notes."""
_OWN = tuple(name for name in OF_CERTIFICATE if name not in HALTING)
"""Those that are no suspension or withdrawal of what is held."""

ANEW: Mapping[str, Any] = {
    "valid_from": None,
    "expiration_date": None,
    "expiry_date": None,
    "audit_date": None,
    "verification_status": VerificationStatus.UNVERIFIED,
}
"""What a new certificate has where nothing is said; the rest is as on the one before."""

_TELLING = ("valid_from", "expiration_date", "expiry_date", "certificate_number")


def renewed(held: CertificationAssignment, sent: Mapping[str, Any], today: date) -> dict[str, Any]:
    """What the next certificate changes: member -> value, all of those that are the certificate's; empty for the same.

    `sent` are the members that were sent, nulls resolved. A withdrawal of its first day ends with that day, today if it
    has none, also where that is recorded late; a suspension goes on until it is lifted. Raises `InvalidInput` when
    nothing tells it from the one that is held, when it ends before it begins, or when it would end what held up to a
    day that is past.
    """
    if not any(sent.get(name) for name in _TELLING):
        message = (
            "Send valid_from, expiration_date, expiry_date or certificate_number, which tell the next one from this"
        )
        raise InvalidInput([Violation(("valid_from",), message, "missing")])
    values = {name: ANEW.get(name, getattr(held, name)) for name in _OWN} | dict(sent)
    check_order(values["valid_from"], values["expiration_date"])
    if all(getattr(held, name) == value for name, value in values.items()):
        return {}
    if len(held.earlier_days or ()) >= halts.MOST:
        message = f"It was renewed {halts.MOST} times; no more certificates are kept"
        raise InvalidInput([Violation(("certification_id",), message, "too_many")])
    after = msgspec.structs.replace(held, **values)
    _require_not_over(held, after, today)
    days = halts.renewed(held.halted_days, after.valid_from or today)
    reason = held.standing_reason if halts.go_on(days, today) else ""
    return {**values, "earlier_days": [*(held.earlier_days or ()), span(held)], **_halted(held, days, reason)}


def _require_not_over(held: CertificationAssignment, after: CertificationAssignment, today: date) -> None:
    """Raises `InvalidInput` where one that is over would end what is said to have held after it."""
    for member, was, ends in (
        ("expiration_date", held.expiration_date, after.expiration_date),
        ("expiry_date", _last_of(held), _last_of(after)),
    ):
        if was is not None and ends is not None and ends < min(was, today):
            message = (
                f"Date should not be in the past and before the end of the certificate that is held ({was}); correct"
                " that one by a patch, or undo its renewal"
            )
            raise InvalidInput([Violation((member,), message, "is_over")])


def span(certificate: Certificate) -> list[str | None]:
    """Its days, as `earlier_days` has them."""
    ends = (certificate.valid_from, certificate.expiration_date, _last_of(certificate))
    return [None if day is None else day.isoformat() for day in ends]


def undone(held: CertificationAssignment, before: EarlierCertificate) -> dict[str, Any]:
    """What it changes that the certificate before the newest takes its place again.

    It is as if it had never been renewed: what was said since of suspensions and withdrawals stays.
    """
    values = {name: getattr(before, name) for name in _OWN}
    reason = held.standing_reason or before.standing_reason
    days = {"earlier_days": (held.earlier_days or [])[:-1] or None}
    return {**values, **days, **_halted(held, halts.undone(held.halted_days), reason)}


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
    before, ends = _last_of(held), lapses_on(sent.get("expiration_date"), sent.get("expiry_date"))
    if ends is None or before is None or ends <= before:
        return False
    first, number = sent.get("valid_from"), sent.get("certificate_number")
    begins_later = first is not None and first > (before if held.valid_from is None else held.valid_from)
    return begins_later or (bool(number) and held.certificate_number not in ("", number))


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


def previous(current: CertificationAssignment, kept_ones: Sequence[EarlierCertificate]) -> list[PreviousCertificate]:
    """The earlier certificates of an assignment, newest first, each with how the next one followed it."""
    found: list[PreviousCertificate] = []
    following: Certificate = current
    # A renewal ends no withdrawal of the one that it replaces.
    days = [each for each in current.halted_days or () if each[2] != halts.RENEWED] or None
    for each in _newest_first(kept_ones):
        gap, overlap, _ = succession(each, following)
        members: dict[str, Any] = msgspec.structs.asdict(each)
        judged: dict[str, Any] = {"earlier_days": None, "halted_days": days}
        found.append(PreviousCertificate(**members, **judged, gap_days=gap, overlap_days=overlap))
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
    """The certificate of a day: of several the newest that covers it, suspended or not; None where none does."""
    last = _last_of(current)
    if last is not None and last < day:
        return None
    newest_first: list[Certificate] = [current, *_newest_first(kept_ones)]
    return next((each for each in newest_first if _covers(each, day)), None)


def on_day(
    current: CertificationAssignment, kept_ones: Sequence[EarlierCertificate], day: date
) -> CertificationAssignment:
    """What is held, with the certificate of a day and the days of those before it; as it is where there was none."""
    certificate = certificate_on(current, kept_ones, day)
    if not isinstance(certificate, EarlierCertificate):
        return current
    own = {name: getattr(certificate, name) for name in _OWN}
    # Those that came after it are none before it.
    days = (current.earlier_days or [])[: certificate.number - 1] or None
    return msgspec.structs.replace(current, **own, earlier_days=days)


def those_before(held: CertificationAssignment, kept_ones: Sequence[EarlierCertificate]) -> list[EarlierCertificate]:
    """Those of an assignment's earlier certificates, oldest first, that came before the one that `held` shows.

    That is the newest as it was read, or the one of a day.
    """
    number = len(held.earlier_days or ())
    return [each for each in kept_ones if each.number <= number]


def _covers(certificate: Certificate, day: date) -> bool:
    return standing(certificate.valid_from, _last_of(certificate), day) is Standing.CURRENT


def _last_of(certificate: Certificate) -> date | None:
    """The last day that it says of itself."""
    return lapses_on(certificate.expiration_date, certificate.expiry_date)


def suspended(
    held: CertificationAssignment, first: date | None, last: date | None, reason: str, today: date
) -> dict[str, Any]:
    """What a suspension of those days changes, besides those before. Raises `InvalidInput`.

    It is from today on where no first day is said, or from the first day of what is still to begin.
    """
    first = first or _first_from(held, today)
    check_suspension(first, last)
    _require_within(held, "suspended_from", first)
    if held.withdrawn_on is not None and held.withdrawn_on <= first:
        message = f"It is withdrawn from {held.withdrawn_on} on; reinstate it first, or suspend it for days before"
        raise InvalidInput([Violation(("suspended_from",), message, "withdrawn")])
    return _halted(held, halts.said(held.halted_days, first, last, Standing.SUSPENDED), reason)


def withdrawn(held: CertificationAssignment, day: date | None, reason: str, today: date) -> dict[str, Any]:
    """What a withdrawal changes: from the day on, or from today, or from the first day of what is still to begin.

    Raises `InvalidInput` where it is withdrawn already from an earlier day on.
    """
    day = day or _first_from(held, today)
    _require_within(held, "withdrawn_on", day)
    if held.withdrawn_on is not None and held.withdrawn_on < day:
        message = f"It is withdrawn from {held.withdrawn_on} on; reinstate it first to withdraw it from a later day on"
        raise InvalidInput([Violation(("withdrawn_on",), message, "withdrawn")])
    return _halted(held, halts.said(held.halted_days, day, None, Standing.WITHDRAWN), reason)


def reinstated(held: CertificationAssignment, day: date, reason: str) -> dict[str, Any]:
    """What it changes that a certification holds again from a day on; empty where nothing keeps it from that.

    All suspensions and withdrawals end with the day before; what was before that day stays.
    """
    if all(each.last is not None and each.last < day for each in halts.halts(held.halted_days)):
        return {}
    return _halted(held, halts.said(held.halted_days, day, None, halts.REINSTATED), reason)


def _first_from(held: CertificationAssignment, today: date) -> date:
    """Today, or the first day of what is still to begin."""
    first = held.valid_from
    return first if first is not None and first > today and stands(held, today) is Standing.NOT_YET else today


def _require_within(held: CertificationAssignment, member: str, day: date) -> None:
    """Raises `InvalidInput` where a day lies before the first certificate or behind the end of the newest."""
    firsts = [None if held.valid_from is None else held.valid_from.isoformat()]
    firsts += [each[0] for each in held.earlier_days or ()]
    first, last = min("" if each is None else each for each in firsts), _last_of(held)
    if day.isoformat() < first:
        message = f"Date should not be before {first}, the first day of what is held; send that day or a later one"
        raise InvalidInput([Violation((member,), message, "not_held")])
    if last is not None and last < day:
        message = f"Date should not be after {last}, the last day of what is held; send a day up to that, or renew it"
        raise InvalidInput([Violation((member,), message, "not_held")])


def _halted(held: CertificationAssignment, halted_days: Days, reason: str) -> dict[str, Any]:
    return {**halts.members(halted_days), "standing_reason": reason}


def told(held: CertificationAssignment, halting: Mapping[str, Any]) -> dict[str, Any]:
    """What a file changes that says what the last suspension and the withdrawal are; earlier suspensions stay.

    `halting` are those of its members that the file has. Raises `InvalidInput`.
    """
    if not halting:
        return {}
    new = {name: halting.get(name, getattr(held, name)) for name in HALTING}
    first, last, withdrawn_on = new["suspended_from"], new["suspended_until"], new["withdrawn_on"]
    check_suspension(first, last)
    days, lifted = held.halted_days, [held.withdrawn_on] if held.withdrawn_on != withdrawn_on else []
    if (held.suspended_from, held.suspended_until) != (first, last):
        lifted.append(held.suspended_from)
    since = min((day for day in lifted if day is not None), default=None)
    if since is not None:
        days = halts.said(days, since, None, halts.REINSTATED)
    if first is not None:
        days = halts.said(days, first, last, Standing.SUSPENDED)
    if withdrawn_on is not None:
        days = halts.said(days, withdrawn_on, None, Standing.WITHDRAWN)
    changes = _halted(held, days, new["standing_reason"])
    shown = {name: changes[name] for name in HALTING}
    if shown == {name: getattr(held, name) for name in HALTING}:
        return {}
    return changes


def check_told(held: CertificationAssignment, halting: Mapping[str, Any]) -> None:
    """Raises `InvalidInput` where a file says a new suspension or withdrawal of a day on which nothing is held.

    Of what it makes it may: exports have the last suspension, also that of an earlier certificate, which they have not.
    """
    for member in ("suspended_from", "withdrawn_on"):
        day = halting.get(member)
        if day is not None and day != getattr(held, member):
            _require_within(held, member, day)
