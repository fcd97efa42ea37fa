"""What was said of suspensions and withdrawals: kept as it was said, so that a day that is past stays as it was told.

Each of `halted_days` says what is so from a day on, or on some days: `suspended`, `withdrawn`, or that neither is, by
`reinstated` or by a new certificate, `renewed`. What was said last of a day counts (see `validity.halt_on`). So a
renewal can be undone, and what was said before it and since counts as if it had never been.
"""

from datetime import date, timedelta
from typing import Any, NamedTuple

from domain.errors import InvalidInput, Violation
from domain.validity import Days, halt_on
from domain.vocabulary import Standing

REINSTATED = "reinstated"
RENEWED = "renewed"
WHATS = (Standing.SUSPENDED.value, Standing.WITHDRAWN.value, REINSTATED, RENEWED)
MOST = 1_000
"""So many are kept of an assignment."""

_DAY = timedelta(days=1)


class Halt(NamedTuple):
    """Days on end on which something is suspended or withdrawn; `last` is None while there is no end."""

    first: date
    last: date | None
    standing: Standing


def said(halted_days: Days, first: date, last: date | None, what: str) -> list[list[str | None]]:
    """The same, and that. What can never count any more is left out. Raises `InvalidInput` where there is too much."""
    every = list(halted_days or ())
    new = [first.isoformat(), None if last is None else last.isoformat(), what]
    if what != RENEWED:
        gone = {what} if what != REINSTATED else {*WHATS} - {RENEWED}
        every = [each for each in every if each[2] not in gone or not _is_within(each, new)]
    every.append(new)
    while every and every[0][2] in (REINSTATED, RENEWED):
        del every[0]
    if len(every) > MOST:
        message = f"It was suspended, withdrawn, reinstated and renewed {MOST} times; no more of that is kept"
        raise InvalidInput([Violation(("certification_id",), message, "too_many")])
    return every


def _is_within(each: list[str | None], whole: list[str | None]) -> bool:
    (first, last, _), (begins, ends, _) = each, whole
    return str(first) >= str(begins) and (ends is None or (last is not None and last <= ends))


def of_columns(suspended_from: date | None, suspended_until: date | None, withdrawn_on: date | None) -> Days:
    """What the days of a suspension and of a withdrawal say, of which nothing else is known."""
    found: Days = None
    if suspended_from is not None:
        found = said(found, suspended_from, suspended_until, Standing.SUSPENDED)
    return found if withdrawn_on is None else said(found, withdrawn_on, None, Standing.WITHDRAWN)


def renewed(halted_days: Days, first: date) -> Days:
    """The same once a new certificate begins on a day: a withdrawal of that day ends with it, and nothing else does.

    What goes on is said again, so that the judging of a day needs to know of one thing alone that ends.
    """
    if halted_days is None:
        return None
    days = said(halted_days, first, None, RENEWED)
    for begins, last, standing in halts(halted_days):
        is_over = last is not None and last < first
        if not is_over and (standing is Standing.SUSPENDED or begins > first):
            days = said(days, max(begins, first), last, standing)
    return days


def go_on(halted_days: Days, today: date) -> bool:
    """Whether it is suspended or withdrawn today, or will be."""
    return any(each.last is None or each.last >= today for each in halts(halted_days))


def undone(halted_days: Days) -> Days:
    """The same without what the last renewal said."""
    every = list(halted_days or ())
    last = next((at for at in reversed(range(len(every))) if every[at][2] == RENEWED), None)
    if last is not None:
        del every[last]
    return every or None


def members(halted_days: Days) -> dict[str, Any]:
    """The members of an assignment that follow: the last suspension, and the withdrawal that has no end."""
    every = halts(halted_days)
    suspended = next((each for each in reversed(every) if each.standing is Standing.SUSPENDED), None)
    is_withdrawn = bool(every) and every[-1].standing is Standing.WITHDRAWN and every[-1].last is None
    return {
        "halted_days": halted_days or None,
        "suspended_from": None if suspended is None else suspended.first,
        "suspended_until": None if suspended is None else suspended.last,
        "withdrawn_on": every[-1].first if is_withdrawn else None,
    }


def halts(halted_days: Days) -> list[Halt]:
    """All days on which it is suspended or withdrawn, in their order."""
    found: list[Halt] = []
    turns = sorted(turning_days(halted_days))
    for at, first in enumerate(turns):
        standing = halt_on(halted_days, first)
        last = turns[at + 1] - _DAY if at + 1 < len(turns) else _end(halted_days)
        if standing is None:
            continue
        if found and found[-1].standing is standing and found[-1].last == first - _DAY:
            found[-1] = found[-1]._replace(last=last)
        else:
            found.append(Halt(first, last, standing))
    return found


def turning_days(halted_days: Days) -> set[date]:
    """The days on which it may become another: the first of each span, and the one behind it."""
    spans = [(date.fromisoformat(str(first)), last) for first, last, _ in halted_days or ()]
    ends = [date.fromisoformat(last) for _, last in spans if last is not None]
    return {first for first, _ in spans} | {day + _DAY for day in ends if day < date.max}


def _end(halted_days: Days) -> date | None:
    """The end of what has none behind it: the last day there is where something is said up to that."""
    is_open = any(last is None for _, last, _ in halted_days or ())
    return None if is_open else date.max
