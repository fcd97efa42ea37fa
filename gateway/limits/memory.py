"""Counting in the memory of this process."""

from collections import OrderedDict
from collections.abc import Callable
from time import time

from gateway.limits.budgets import DAY, MINUTE, Budget, BudgetState, nearer

CAPACITY = 100_000
"""How many callers, and how many addresses, are counted in one process at the same time (26 MB each)."""


class _Counts:
    """What a subject has spent."""

    __slots__ = ("day_end", "day_used", "minute_end", "minute_used", "next_end", "total")

    def __init__(self) -> None:
        self.total: _Counts | None = None
        """What all who share with it have spent, as long as its windows last."""
        self.minute_used = self.day_used = 0
        self.minute_end = self.day_end = self.next_end = 0.0

    def renew(self, now: float) -> None:
        """Begins anew what has ended, or ends further away than a window is long: then the clock was set back."""
        if not 0 < self.minute_end - now <= MINUTE:
            self.minute_used, self.minute_end = 0, now + MINUTE
        if not 0 < self.day_end - now <= DAY:
            self.day_used, self.day_end = 0, now + DAY
        self.next_end = min(self.minute_end, self.day_end)


class MemoryLimiter:
    """Counts in this process. Nothing is awaited, so no other request gets between looking and spending.

    Whoever was not seen for a day is forgotten. Beyond `capacity`, whoever was not seen longest is: callers and
    addresses apart, so that a flood of addresses never makes anybody forget what a key has spent.
    """

    def __init__(self, clock: Callable[[], float] = time, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._callers: OrderedDict[str, _Counts] = OrderedDict()
        self._addresses: OrderedDict[str, _Counts] = OrderedDict()

    @property
    def remembered(self) -> int:
        """How many subjects are remembered."""
        return len(self._callers) + len(self._addresses)

    def charge(self, budget: Budget, units: int) -> BudgetState:
        """Spends units if they fit into both windows; 0 units ask where the subject stands."""
        now = self._clock()
        own, limits, shared = self._callers.get(budget.subject), budget.limits, budget.shared
        if own is None or budget.anonymous or not now < own.next_end <= now + MINUTE:
            own = self._counts(budget, now)
        else:
            self._callers.move_to_end(budget.subject)
        minute, day = limits.minute - own.minute_used, limits.day - own.day_used
        fits = units <= minute and units <= day
        if shared is not None:
            total, most = own.total, shared.limits
            if total is None or not now < total.next_end <= now + MINUTE:
                total = own.total = self._counts(shared, now)
            if most.minute - total.minute_used <= minute or most.day - total.day_used <= day:
                # Rarely: the organisation has no more left than its key.
                return self._charge_both(budget, own, total, units, now)
            if fits:
                total.minute_used += units
                total.day_used += units
        if fits:
            own.minute_used += units
            own.day_used += units
        return BudgetState(fits, limits, now, own.minute_used, own.minute_end, own.day_used, own.day_end)

    def _charge_both(self, budget: Budget, own: _Counts, total: _Counts, units: int, now: float) -> BudgetState:
        """The same where those who share may be the ones who have too little left."""
        assert budget.shared is not None
        both = [(own, budget.limits), (total, budget.shared.limits)]
        fits = all(
            each.minute_used + units <= limits.minute and each.day_used + units <= limits.day for each, limits in both
        )
        if fits:
            for each, _ in both:
                each.minute_used += units
                each.day_used += units
        mine, ours = (
            BudgetState(fits, limits, now, each.minute_used, each.minute_end, each.day_used, each.day_end)
            for each, limits in both
        )
        return nearer(mine, ours)

    def _counts(self, budget: Budget, now: float) -> _Counts:
        """What a subject has spent in windows that have not ended."""
        subject = budget.subject
        table = self._addresses if budget.anonymous else self._callers
        counts = table.get(subject)
        if counts is None:
            self._forget(table, now)
            counts = table[subject] = _Counts()
        else:
            table.move_to_end(subject)
        if not now < counts.next_end <= now + MINUTE:
            counts.renew(now)
        return counts

    async def check(self) -> bool:
        """Always: memory does not fail."""
        return True

    async def close(self) -> None:
        """Nothing to end."""

    def _forget(self, table: OrderedDict[str, _Counts], now: float) -> None:
        # Who was seen last stands last, so those whose windows have ended gather in front. Two go for one that
        # comes: the table shrinks back after a crowd, and no request pays for all of it.
        for _ in range(2):
            if not table:
                return
            subject = next(iter(table))
            if table[subject].day_end > now and len(table) < self._capacity:
                return
            del table[subject]
