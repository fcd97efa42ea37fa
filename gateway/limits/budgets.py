"""How often somebody may ask: so many units a minute and so many a day (contract 1.7), counted together.

Both windows are fixed. Each starts with the first request that it counts, not on the clock, so that callers do not
all come back in the same second. A charge fits into both windows or is counted in neither.
"""

from collections.abc import Awaitable
from math import ceil
from typing import Protocol

import msgspec

MINUTE = 60
DAY = 24 * 60 * 60
"""The lengths of the windows in seconds."""


class WindowLimits(msgspec.Struct, frozen=True, gc=False):
    """Units that may be spent in each window."""

    minute: int
    day: int


class Budget(msgspec.Struct, frozen=True, gc=False):
    """Whose units are spent, and how many there are. `subject` is unique among callers, or among addresses.

    What is spent is taken from `shared` as well, where it has to fit, too.
    """

    subject: str
    limits: WindowLimits
    anonymous: bool = False
    shared: "Budget | None" = None


class BudgetState(msgspec.Struct, frozen=True, gc=False):
    """Where a subject stands after a charge, whether it fitted or not. Moments are in Unix seconds."""

    fits: bool
    limits: WindowLimits
    now: float
    minute_used: int
    minute_end: float
    day_used: int
    day_end: float

    def windows(self) -> tuple[int, int, bool]:
        """The units left in the minute and in the day, and whether the minute trips first: it has fewer left than the
        day, or as many and ends later, so that it is the one whose end brings anything back.
        """
        minute, day = self.limits.minute - self.minute_used, self.limits.day - self.day_used
        if minute < 0 or day < 0:
            # A limit was lowered after more had been spent.
            minute, day = max(0, minute), max(0, day)
        return minute, day, minute < day or (minute == day and self.minute_end >= self.day_end)

    def retry_after(self, units: int) -> int:
        """Whole seconds until the last of the windows ends that `units` do not fit into."""
        ends = [self.now + 1]
        if self.minute_used + units > self.limits.minute:
            ends.append(self.minute_end)
        if self.day_used + units > self.limits.day:
            ends.append(self.day_end)
        return ceil(max(ends) - self.now)


def nearer(own: BudgetState, shared: BudgetState) -> BudgetState:
    """Where somebody stands who spends from both: of either window the one in which fewer units are left.

    With as many left in both, the one that ends later.
    """
    minute = day = own
    more = shared.limits.minute - shared.minute_used - own.limits.minute + own.minute_used
    if more < 0 or (more == 0 and shared.minute_end > own.minute_end):
        minute = shared
    more = shared.limits.day - shared.day_used - own.limits.day + own.day_used
    if more < 0 or (more == 0 and shared.day_end > own.day_end):
        day = shared
    if minute is day:
        return minute
    limits = WindowLimits(minute.limits.minute, day.limits.day)
    ends = minute.minute_end, day.day_end
    return BudgetState(own.fits, limits, own.now, minute.minute_used, ends[0], day.day_used, ends[1])


def unspent(limits: WindowLimits, now: float) -> BudgetState:
    """The standing of somebody who has spent nothing yet."""
    return BudgetState(True, limits, now, 0, now + MINUTE, 0, now + DAY)


class Limiter(Protocol):
    """Where the counting is done."""

    def charge(self, budget: Budget, units: int) -> BudgetState | Awaitable[BudgetState]:
        """Spends units if they fit into both windows, in one step; 0 units ask where the subject stands."""
        ...

    async def check(self) -> bool:
        """Whether requests are being counted."""
        ...

    async def close(self) -> None:
        """Ends connections, if there are any."""
        ...
