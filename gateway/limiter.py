"""How often somebody may ask: so many units a minute and so many a day (contract 1.7), counted together.

Both windows are fixed. Each starts with the first request that it counts, not on the clock, so that callers do not
all come back in the same second. A charge fits into both windows or is counted in neither.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import time
from typing import Protocol

import msgspec

from domain.access import Caller
from domain.errors import RateLimited

MINUTE = 60
DAY = 24 * 60 * 60
"""The lengths of the windows in seconds."""

PUBLISHABLE_PER_MINUTE = 100
"""What a publishable key may ask in a minute unless it, or the default of the installation, says less."""

SHARES = 10
"""How many times what one key may ask those of an organisation may ask together, as far as none has limits of its own.
"""

CAPACITY = 100_000
"""How many callers, and how many addresses, are counted in one process at the same time (26 MB each)."""


Client = tuple[str, int]
"""ASGI's address and port of whoever is connected."""


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

    @property
    def minute_trips_first(self) -> bool:
        """Whether the minute has fewer units left than the day, or as many and ends later, so that it is the one whose
        end brings anything back.
        """
        return self.windows()[2]

    def windows(self) -> tuple[int, int, bool]:
        """The units left in the minute and in the day, and whether the minute trips first."""
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


class RateLimits:
    """The rules: whose budget a request spends, and how large it is."""

    def __init__(self, limiter: Limiter, per_minute: int, per_day: int) -> None:
        self.limiter = limiter
        self._default = WindowLimits(per_minute, per_day)
        self._publishable = WindowLimits(min(per_minute, PUBLISHABLE_PER_MINUTE), per_day)
        self._organization = WindowLimits(per_minute * SHARES, per_day * SHARES)

    def of_caller(self, caller: Caller) -> Budget:
        """The budget of a credential; a browser session spends that of the key it stands for.

        What the operator gave a key is its own. All others of an organisation have a sum in common, so that it gains
        nothing by making more of them.
        """
        limits = self._default if caller.sees_private else self._publishable
        minute, day = caller.rate_limit_per_minute, caller.rate_limit_per_day
        if minute or day:
            return Budget(caller.principal, WindowLimits(minute or limits.minute, day or limits.day))
        return Budget(caller.principal, limits, False, Budget(caller.organization.id, self._organization))

    def of_address(self, client: Client | None) -> Budget:
        """The budget of whoever shows no valid credential: invalid keys never spend what belongs to a key."""
        return Budget(_neighbourhood(client[0] if client else ""), self._default, anonymous=True)


class Meter:
    """What one request spends: the address's units until its caller is known, and the caller's from then on.

    It must not know the request's scope, which knows it: a cycle costs each request five times what is done here.
    """

    __slots__ = ("_budget", "_client", "_limits", "standing")

    def __init__(self, limits: RateLimits, client: Client | None) -> None:
        self._limits = limits
        self._client = client
        self._budget: Budget | None = None
        self.standing: BudgetState | None = None
        """Where things stand after the last charge, None before the first."""

    def belongs_to(self, caller: Caller) -> None:
        """Says who asks."""
        self._budget = self._limits.of_caller(caller)

    async def charge(self, units: int) -> None:
        """Spends units. Raises `RateLimited`, and has spent nothing, when they do not fit into both windows."""
        charging = self.begin_charge(units)
        if charging is not None:
            await charging

    def begin_charge(self, units: int) -> Awaitable[None] | None:
        """The same, of which the rest is to be awaited; None when it was done at once, as in memory it is."""
        charged = self._limits.limiter.charge(self._payer(), units)
        if not isinstance(charged, BudgetState):
            return self._charged_elsewhere(charged, units)
        self._accept(charged, units)
        return None

    async def ask(self) -> BudgetState:
        """Where things stand. A request that failed before any charge has cost nothing."""
        if self.standing is None:
            asked = self._limits.limiter.charge(self._payer(), 0)
            self.standing = asked if isinstance(asked, BudgetState) else await asked
        return self.standing

    def _payer(self) -> Budget:
        return self._budget or self._limits.of_address(self._client)

    async def _charged_elsewhere(self, charged: Awaitable[BudgetState], units: int) -> None:
        self._accept(await charged, units)

    def _accept(self, standing: BudgetState, units: int) -> None:
        self.standing = standing
        if standing.fits:
            return
        if units > 1:
            raise RateLimited(
                "Rate limit exceeded. Every root field costs a unit, in bulk every row, and searches, totals and"
                f" statistics some besides; this needs {units} more, ask for less, or try again later.",
                standing.retry_after(units),
            )
        raise RateLimited("Rate limit exceeded. Please try again later.", standing.retry_after(units))


@lru_cache(maxsize=1024)
def _neighbourhood(host: str) -> str:
    """The part of an address that one party holds: all of IPv4's, the first 64 bits of IPv6's (RFC 6177)."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        # A Unix socket, or what a proxy made up: all of those share one budget.
        return "unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(IPv6Address(int(address) >> 64 << 64))
        address = address.ipv4_mapped
    return str(address)
