"""Counting in memory that the workers of one machine have in common, without a lock: none waits for another.

A subject has a place in a table, found by the hash of its name: the hash, the ends of both windows, and for each worker
a cell for each window. A worker writes to its own cells alone, and adds up those of all. Beside the count a cell says
which window it counts in, so that a window that begins anew empties the cells of everybody.

Workers that decide in the same microseconds do not see one another: a limit may be passed by one request for each other
worker, and a request that begins a window at the same moment as another one may go uncounted.
"""

import mmap
from collections.abc import Callable
from time import time

from gateway.limits.budgets import DAY, MINUTE, Budget, BudgetState, WindowLimits, nearer

PLACES = 1 << 17
"""For callers, and as many for addresses; they take 6 MB, and 4 MB for each worker."""
_PROBES = 8
"""How many places may have to be looked at for one name."""
_CELLS = 3
"""Where in its place the cells begin: behind the hash and the two ends."""
_NAME = (1 << 63) - 1
_BITS = 40
"""Of a cell so many count; above them are the last bits of the window's end in milliseconds."""
_COUNT, _MARK = (1 << _BITS) - 1, (1 << 64 - _BITS) - 1
_MINUTE, _DAY = MINUTE * 1000, DAY * 1000


class SharedCounts:
    """The memory, made before there are workers. `places` is a power of two."""

    def __init__(self, workers: int, places: int = PLACES) -> None:
        self.places = places
        self.size = _CELLS + 2 * workers
        """How many numbers a place has."""
        # The system gives memory to what is written to, page by page.
        self.numbers = memoryview(mmap.mmap(-1, 2 * places * self.size * 8)).cast("Q")


_Stand = tuple[int, int, int, int, int]
"""Where a subject's place begins; what all have spent of the minute and when it ends, and of the day."""


class SharedLimiter:
    """Counts for one worker. Nothing is awaited."""

    def __init__(self, counts: SharedCounts, worker: int, clock: Callable[[], float] = time) -> None:
        self._numbers = counts.numbers
        self._places = counts.places
        self._size = counts.size
        self._own = _CELLS + 2 * worker
        self._clock = clock

    def charge(self, budget: Budget, units: int) -> BudgetState:
        """Spends units if they fit into both windows; 0 units ask where the subject stands."""
        now = self._clock()
        own, limits, shared = self._stand(budget, int(now * 1000)), budget.limits, budget.shared
        fits = own[1] + units <= limits.minute and own[3] + units <= limits.day
        if shared is None:
            if fits and units:
                own = self._spend(own, units)
            return _state(fits, limits, now, own)
        total, most = self._stand(shared, int(now * 1000)), shared.limits
        fits = fits and total[1] + units <= most.minute and total[3] + units <= most.day
        if fits and units:
            own, total = self._spend(own, units), self._spend(total, units)
        state = _state(fits, limits, now, own)
        if most.minute - total[1] <= limits.minute - own[1] or most.day - total[3] <= limits.day - own[3]:
            # Rarely: the organisation has no more left than its key.
            return nearer(state, _state(fits, most, now, total))
        return state

    async def check(self) -> bool:
        """Always: memory does not fail."""
        return True

    async def close(self) -> None:
        """Nothing to end."""

    def _stand(self, budget: Budget, now: int) -> _Stand:
        """Where a subject stands; `now` is in milliseconds."""
        # Zero is nobody's. All workers hash alike, since they were forked.
        name = hash(budget.subject) & _NAME | 1
        at = self._place(budget, name, 0)
        row = self._numbers[at : at + self._size].tolist()
        if row[0] != name:
            at = self._search(budget, name, now)
            row = self._numbers[at : at + self._size].tolist()
        minute_end, day_end = row[1], row[2]
        # One has ended, or ends further away than it is long: then the clock was set back.
        if not 0 < minute_end - now <= _MINUTE:
            minute_end = self._numbers[at + 1] = now + _MINUTE
        if not 0 < day_end - now <= _DAY:
            day_end = self._numbers[at + 2] = now + _DAY
        minute_used = day_used = 0
        minute_mark, day_mark = minute_end & _MARK, day_end & _MARK
        for cell in range(_CELLS, self._size, 2):
            minute, day = row[cell], row[cell + 1]
            if minute >> _BITS == minute_mark:
                minute_used += minute & _COUNT
            if day >> _BITS == day_mark:
                day_used += day & _COUNT
        return at, minute_used, minute_end, day_used, day_end

    def _spend(self, stand: _Stand, units: int) -> _Stand:
        at, minute_used, minute_end, day_used, day_end = stand
        numbers, cell = self._numbers, at + self._own
        minute, day = numbers[cell], numbers[cell + 1]
        mark = minute_end & _MARK
        numbers[cell] = (minute if minute >> _BITS == mark else mark << _BITS) + units
        mark = day_end & _MARK
        numbers[cell + 1] = (day if day >> _BITS == mark else mark << _BITS) + units
        return at, minute_used + units, minute_end, day_used + units, day_end

    def _place(self, budget: Budget, name: int, probe: int) -> int:
        place = (name >> 1) + probe & self._places - 1
        return (place + self._places if budget.anonymous else place) * self._size

    def _search(self, budget: Budget, name: int, now: int) -> int:
        """The place of a subject that is not at its first one.

        Who has none gets one of which the day has ended, or else that of which it ends first.
        """
        numbers = self._numbers
        places = [self._place(budget, name, probe) for probe in range(_PROBES)]
        for at in places:
            if numbers[at] == name:
                return at
        free = [at for at in places if numbers[at + 2] <= now]
        at = free[0] if free else min(places, key=lambda each: numbers[each + 2])
        numbers[at + 1] = numbers[at + 2] = 0
        numbers[at] = name
        return at


def _state(fits: bool, limits: WindowLimits, now: float, stand: _Stand) -> BudgetState:
    _, minute_used, minute_end, day_used, day_end = stand
    return BudgetState(fits, limits, now, minute_used, minute_end / 1000, day_used, day_end / 1000)
