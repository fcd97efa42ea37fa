"""Whose units a request spends, and how many there are."""

from collections.abc import Awaitable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from domain.access import Caller
from domain.errors import RateLimited
from gateway.limits.budgets import Budget, BudgetState, Limiter, WindowLimits

PUBLISHABLE_PER_MINUTE = 100
"""What a publishable key may ask in a minute unless it, or the default of the installation, says less."""

SHARES = 10
"""How many times what one key may ask those of an organisation may ask together, as far as none has limits of its own.
"""

_KNOWN = 1_000
"""Callers whose budgets are at hand."""

Client = tuple[str, int]
"""ASGI's address and port of whoever is connected."""


class RateLimits:
    """The rules: whose budget a request spends, and how large it is."""

    def __init__(self, limiter: Limiter, per_minute: int, per_day: int) -> None:
        self.limiter = limiter
        self._default = WindowLimits(per_minute, per_day)
        self._publishable = WindowLimits(min(per_minute, PUBLISHABLE_PER_MINUTE), per_day)
        self._organization = WindowLimits(per_minute * SHARES, per_day * SHARES)
        self._known: dict[int, tuple[Caller, Budget]] = {}
        """By the identity of a caller, who is there as long: a key's is the same object in each of its requests."""

    def of_caller(self, caller: Caller) -> Budget:
        """The budget of a credential; a browser session spends that of the key it stands for.

        What the operator gave a key is its own. All others of an organisation have a sum in common, so that it gains
        nothing by making more of them.
        """
        known = self._known.get(id(caller))
        if known is None:
            if len(self._known) == _KNOWN:
                self._known.clear()
            known = self._known[id(caller)] = caller, self._budget(caller)
        return known[1]

    def _budget(self, caller: Caller) -> Budget:
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
        self.standing = charged
        if not charged.fits:
            self._refuse(charged, units)
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
        self.standing = standing = await charged
        if not standing.fits:
            self._refuse(standing, units)

    def _refuse(self, standing: BudgetState, units: int) -> None:
        if units > 1:
            raise RateLimited(
                "Rate limit exceeded. Every root field costs a unit, in bulk every row, and searches, totals,"
                f" statistics and invitations some besides; this needs {units} more, ask for less, or try again later.",
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
