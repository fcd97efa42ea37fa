"""The arithmetic of the windows and what the headers say about them, without the application around."""

from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any, Protocol, cast

import http_sf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.access import Caller
from domain.errors import RateLimited
from domain.records import Organization
from domain.short_id import ShortId, catalogue_id
from domain.vocabulary import KeyKind, Role
from gateway.http_heads import Lines
from gateway.limits.budgets import DAY, MINUTE, Budget, BudgetState, WindowLimits, nearer
from gateway.limits.headers import limit_lines
from gateway.limits.memory import MemoryLimiter
from gateway.limits.meter import Meter, RateLimits
from gateway.limits.shared import SharedCounts, SharedLimiter

START = 1_800_000_000.25
LIMITS = WindowLimits(3, 5)
BUDGET = Budget("somebody", LIMITS)
DEFAULT = WindowLimits(300, 10_000)


class Clock:
    """The time, which passes when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class _Parse(Protocol):
    def __call__(self, field: bytes, *, tltype: str) -> Any: ...


def structured(field: bytes) -> list[tuple[Any, Mapping[str, Any]]]:
    """The members of a structured-field list (RFC 9651) and their parameters, by a strict parser."""
    members: list[tuple[Any, Mapping[str, Any]]] = cast(_Parse, http_sf.parse)(field, tltype="list")
    return members


def headers(standing: BudgetState) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in Lines(limit_lines(standing))}


def standing(minute_used: int, day_used: int, limits: WindowLimits = DEFAULT, **ends: float) -> BudgetState:
    minute_end = ends.get("minute_end", START + 41)
    day_end = ends.get("day_end", START + 50_000)
    return BudgetState(True, limits, START, minute_used, minute_end, day_used, day_end)


class Workers:
    """Two workers, of which each is asked in turn."""

    def __init__(self, clock: Clock, places: int = 16) -> None:
        counts = SharedCounts(2, places)
        self._turns = cycle([SharedLimiter(counts, number, clock) for number in range(2)])

    def charge(self, budget: Budget, units: int) -> BudgetState:
        return next(self._turns).charge(budget, units)


Limiting = MemoryLimiter | Workers
Make = Callable[[Clock], Limiting]
both = pytest.mark.parametrize("make", [MemoryLimiter, Workers])


def spend(limiter: Limiting, count: int, budget: Budget = BUDGET) -> list[bool]:
    return [limiter.charge(budget, 1).fits for _ in range(count)]


@both
def test_a_minute_admits_its_limit_and_the_next_one_as_many_again(make: Make) -> None:
    clock = Clock()
    limiter = make(clock)
    assert spend(limiter, 5) == [True, True, True, False, False]
    clock.now += MINUTE - 0.001
    assert spend(limiter, 1) == [False]
    clock.now += 0.001
    assert spend(limiter, 1) == [True]


@both
def test_a_day_admits_its_limit_however_many_minutes_it_has(make: Make) -> None:
    clock = Clock()
    limiter = make(clock)
    admitted = 0
    for _ in range(5):
        admitted += sum(spend(limiter, 3))
        clock.now += MINUTE
    assert admitted == LIMITS.day
    clock.now = START + DAY - 0.001
    assert spend(limiter, 1) == [False]
    clock.now = START + DAY
    assert spend(limiter, 4) == [True, True, True, False]


@both
def test_a_refused_charge_costs_nothing_in_either_window(make: Make) -> None:
    clock = Clock()
    limiter = make(clock)
    spend(limiter, 3)
    for _ in range(20):
        refused = limiter.charge(BUDGET, 1)
        assert (refused.fits, refused.minute_used, refused.day_used) == (False, 3, 3)
    clock.now += MINUTE
    assert spend(limiter, 2) == [True, True]
    for _ in range(20):  # the day is spent now, the minute has one left
        refused = limiter.charge(BUDGET, 1)
        assert (refused.fits, refused.minute_used, refused.day_used) == (False, 2, 5)


@both
def test_several_units_fit_together_or_not_at_all(make: Make) -> None:
    limiter = make(Clock())
    assert limiter.charge(BUDGET, 2).fits
    refused = limiter.charge(BUDGET, 2)
    assert (refused.fits, refused.minute_used) == (False, 2)
    assert limiter.charge(BUDGET, 1).minute_used == 3


@both
def test_asking_where_one_stands_costs_nothing(make: Make) -> None:
    limiter = make(Clock())
    spend(limiter, 1)
    assert {limiter.charge(BUDGET, 0).minute_used for _ in range(10)} == {1}


@both
def test_callers_and_addresses_of_one_name_do_not_share(make: Make) -> None:
    limiter = make(Clock())
    spend(limiter, 3)
    assert spend(limiter, 1, replace(BUDGET, anonymous=True)) == [True]
    assert spend(limiter, 1, replace(BUDGET, subject="another")) == [True]


@both
def test_a_limit_that_is_lowered_counts_at_once(make: Make) -> None:
    limiter = make(Clock())
    spend(limiter, 3)
    lowered = limiter.charge(replace(BUDGET, limits=WindowLimits(2, 5)), 1)
    assert not lowered.fits
    assert headers(lowered)["ratelimit-remaining"] == "0"


@both
def test_a_clock_that_is_set_back_locks_nobody_out(make: Make) -> None:
    clock = Clock()
    limiter = make(clock)
    spend(limiter, 3)
    clock.now -= 10 * DAY
    assert limiter.charge(BUDGET, 1).minute_end == clock.now + MINUTE


@settings(deadline=None)
@both
@given(
    limits=st.builds(WindowLimits, st.integers(1, 6), st.integers(1, 12)),
    steps=st.lists(
        st.tuples(st.sampled_from([0, 1, 20, 59, 60, 61, 4000, DAY - 60, DAY]), st.integers(0, 7)), max_size=60
    ),
)
def test_whatever_happens_no_window_holds_more_than_its_limit(
    make: Make, limits: WindowLimits, steps: list[tuple[int, int]]
) -> None:
    """Against a model that remembers every charge and every start of a window."""
    clock = Clock()
    limiter = make(clock)
    spent: list[tuple[float, int]] = []
    starts = {MINUTE: -1.0 * DAY, DAY: -1.0 * DAY}
    for passes, units in steps:
        clock.now += passes
        for length, start in starts.items():
            if clock.now >= start + length:
                starts[length] = clock.now
        used = {length: sum(u for at, u in spent if at >= start) for length, start in starts.items()}
        fits = used[MINUTE] + units <= limits.minute and used[DAY] + units <= limits.day
        got = limiter.charge(Budget("x", limits), units)
        if fits:
            spent.append((clock.now, units))
        extra = units if fits else 0
        assert got == BudgetState(
            fits,
            limits,
            clock.now,
            used[MINUTE] + extra,
            starts[MINUTE] + MINUTE,
            used[DAY] + extra,
            starts[DAY] + DAY,
        )


def test_whoever_was_not_seen_for_a_day_is_forgotten() -> None:
    clock = Clock()
    limiter = MemoryLimiter(clock)
    for number in range(1000):
        limiter.charge(Budget(f"{number}", LIMITS, anonymous=True), 1)
    assert limiter.remembered == 1000
    clock.now += DAY
    for number in range(600):
        limiter.charge(Budget(f"late {number}", LIMITS, anonymous=True), 1)
    assert limiter.remembered == 600


def test_a_flood_of_addresses_is_bounded_and_no_key_is_forgotten_for_it() -> None:
    limiter = MemoryLimiter(Clock(), capacity=100)
    spend(limiter, 3)
    for number in range(1000):
        limiter.charge(Budget(f"{number}", LIMITS, anonymous=True), 3)
    assert limiter.remembered == 101
    assert spend(limiter, 1) == [False]
    # The addresses seen last are still counted.
    assert spend(limiter, 1, Budget("999", LIMITS, anonymous=True)) == [False]
    assert spend(limiter, 1, Budget("1", LIMITS, anonymous=True)) == [True]


def test_workers_count_more_subjects_than_there_are_places() -> None:
    """Whoever has no place left takes that of somebody of the same kind."""
    clock = Clock()
    limiter = Workers(clock, places=64)
    spend(limiter, 2)
    for number in range(1000):
        clock.now += 0.001
        address = Budget(f"{number}", LIMITS, anonymous=True)
        assert [limiter.charge(address, 1).minute_used for _ in range(2)] == [1, 2]
    assert limiter.charge(BUDGET, 1).minute_used == 3
    # A day later each place is free again, and nobody has spent anything.
    clock.now += DAY
    # So few that whatever Python's hashes are, none has to take another's place.
    for number in range(8):
        assert limiter.charge(Budget(f"{number}", LIMITS, anonymous=True), 1).day_used == 1
    assert [limiter.charge(Budget(f"{number}", LIMITS, anonymous=True), 0).day_used for number in range(8)] == [1] * 8


def test_at_capacity_those_who_keep_asking_are_remembered() -> None:
    limiter = MemoryLimiter(Clock(), capacity=10)
    spend(limiter, 3)
    for number in range(100):
        limiter.charge(Budget(f"{number}", LIMITS), 1)
        assert spend(limiter, 1) == [False]


@pytest.mark.parametrize(
    ("minute_used", "day_used", "reported"),
    [
        (50, 9_992, ("10000", "8", "50000")),  # 250 left of the minute and 8 of the day
        (3, 3, ("300", "297", "41")),
        (300, 300, ("300", "0", "41")),
        (290, 9_990, ("10000", "10", "50000")),  # as many: the one that ends later
        (300, 10_000, ("10000", "0", "50000")),
    ],
)
def test_the_window_that_trips_first_is_reported(minute_used: int, day_used: int, reported: tuple[str, ...]) -> None:
    sent = headers(standing(minute_used, day_used))
    names = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
    assert tuple(sent[name] for name in names) == reported
    assert sent["x-ratelimit-limit"] == sent["ratelimit-limit"]
    assert sent["x-ratelimit-remaining"] == sent["ratelimit-remaining"]
    assert int(sent["x-ratelimit-reset"]) == int(START) + int(reported[2]) + 1


def test_of_two_windows_with_as_much_left_the_minute_is_reported_when_it_ends_later() -> None:
    assert headers(standing(290, 9_990, day_end=START + 5))["ratelimit-reset"] == "41"


def test_seconds_are_rounded_up() -> None:
    sent = headers(standing(0, 0, minute_end=START + 0.1))
    assert (sent["ratelimit-reset"], sent["x-ratelimit-reset"]) == ("1", str(int(START) + 1))
    sent = headers(standing(0, 0, minute_end=START + 60))
    assert sent["ratelimit-reset"] == "60"


@settings(deadline=None)
@given(
    st.integers(0, 400), st.integers(0, 11_000), st.builds(WindowLimits, st.integers(1, 10**6), st.integers(1, 10**7))
)
def test_the_fields_are_structured_fields(minute_used: int, day_used: int, limits: WindowLimits) -> None:
    sent = dict(Lines(limit_lines(standing(minute_used, day_used, limits))))
    policy = structured(sent[b"ratelimit-policy"])
    assert policy == [(limits.minute, {"w": MINUTE}), (limits.day, {"w": DAY})]
    field = structured(sent[b"ratelimit"])
    assert field == [
        ("minute", {"r": max(0, limits.minute - minute_used), "t": 41}),
        ("day", {"r": max(0, limits.day - day_used), "t": 50_000}),
    ]
    # A token where the draft wants a string would compare equal.
    assert all(type(name) is str for name, _ in field)
    least = min(field, key=lambda member: member[1]["r"])[1]["r"]
    assert int(sent[b"ratelimit-remaining"]) == least


def test_the_examples_of_the_contract_and_of_the_draft() -> None:
    sent = headers(standing(3, 3))
    assert sent["ratelimit-policy"] == "300;w=60, 10000;w=86400"
    assert sent["ratelimit"].startswith('"minute";r=297;t=41')


@pytest.mark.parametrize(
    ("minute_used", "day_used", "units", "wait"),
    [(300, 5, 1, 41), (5, 10_000, 1, 50_000), (300, 10_000, 1, 50_000), (298, 9_000, 3, 41), (299, 9_999, 2, 50_000)],
)
def test_one_waits_for_the_last_window_that_refuses(minute_used: int, day_used: int, units: int, wait: int) -> None:
    assert standing(minute_used, day_used).retry_after(units) == wait


def caller(kind: KeyKind | None = KeyKind.BUSINESS, minute: int = 0, day: int = 0) -> Caller:
    return Caller(
        ShortId("k" * 22) if kind else None,
        kind,
        Role.EDITOR,
        Organization(catalogue_id("organization", "x"), "x", "X"),
        holder="" if kind else "token",
        rate_limit_per_minute=minute,
        rate_limit_per_day=day,
    )


@pytest.mark.parametrize(
    ("asks", "limits"),
    [
        (caller(), WindowLimits(300, 10_000)),
        (caller(KeyKind.USER), WindowLimits(300, 10_000)),
        (caller(None), WindowLimits(300, 10_000)),
        (caller(KeyKind.PUBLISHABLE), WindowLimits(100, 10_000)),
        (caller(KeyKind.PUBLISHABLE, minute=700), WindowLimits(700, 10_000)),
        (caller(KeyKind.PUBLISHABLE, day=70), WindowLimits(100, 70)),
        (caller(minute=5), WindowLimits(5, 10_000)),
        (caller(day=50), WindowLimits(300, 50)),
        (caller(minute=5000, day=2_000_000), WindowLimits(5000, 2_000_000)),
    ],
)
def test_nought_means_the_default_of_the_kind(asks: Caller, limits: WindowLimits) -> None:
    assert RateLimits(MemoryLimiter(), 300, 10_000).of_caller(asks).limits == limits


def test_publishable_keys_never_get_more_by_default_than_others() -> None:
    assert RateLimits(MemoryLimiter(), 50, 900).of_caller(caller(KeyKind.PUBLISHABLE)).limits == WindowLimits(50, 900)


def test_keys_of_an_organisation_have_a_sum_in_common_unless_the_operator_gave_them_limits() -> None:
    limits = RateLimits(MemoryLimiter(), 300, 10_000)
    for asks in (caller(), caller(KeyKind.PUBLISHABLE), caller(KeyKind.USER), caller(None)):
        assert limits.of_caller(asks).shared == Budget(asks.organization.id, WindowLimits(3_000, 100_000))
    for asks in (caller(minute=5), caller(day=5), caller(KeyKind.PUBLISHABLE, minute=5_000)):
        assert limits.of_caller(asks).shared is None
    assert limits.of_address(("192.0.2.7", 1)).shared is None


@both
def test_what_is_spent_fits_into_the_sum_too_or_is_counted_nowhere(make: Make) -> None:
    clock = Clock()
    limiter = make(clock)
    total = Budget("all", WindowLimits(4, 7))
    first, second = Budget("first", LIMITS, shared=total), Budget("second", LIMITS, shared=total)
    assert spend(limiter, 4, first) == [True, True, True, False]
    clock.now += 7
    # What is left for the second is said by the window that is nearer to its end, and when that ends.
    assert limiter.charge(second, 0) == BudgetState(
        True, WindowLimits(4, 7), clock.now, 3, START + MINUTE, 3, START + DAY
    )
    assert spend(limiter, 2, second) == [True, False]
    refused = limiter.charge(second, 1)
    assert (refused.fits, refused.limits.minute, refused.minute_used) == (False, 4, 4)
    assert refused.retry_after(1) == MINUTE - 7
    clock.now += MINUTE
    assert spend(limiter, 3, second) == [True, True, True]
    # The day of both: five each, seven in all.
    clock.now += MINUTE
    assert spend(limiter, 3, first) == [False, False, False]
    assert limiter.charge(first, 0).limits == WindowLimits(3, 7)


def test_tokens_have_a_budget_of_their_own() -> None:
    limits = RateLimits(MemoryLimiter(), 300, 10_000)
    assert limits.of_caller(caller(None)).subject != limits.of_caller(caller()).subject


@pytest.mark.parametrize(
    ("client", "subject"),
    [
        (("192.0.2.7", 4711), "192.0.2.7"),
        (("::ffff:192.0.2.7", 4711), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 4711), "2001:db8:1:2::"),
        (("2001:db8:1:2::9", 4711), "2001:db8:1:2::"),
        (("fe80::1%eth0", 4711), "fe80::"),
        (("what a proxy made up" * 100, 0), "unknown"),
        (("", 0), "unknown"),
        (None, "unknown"),
    ],
)
def test_an_address_is_what_one_party_holds(client: tuple[str, int] | None, subject: str) -> None:
    budget = RateLimits(MemoryLimiter(), 300, 10_000).of_address(client)
    assert budget == Budget(subject, WindowLimits(300, 10_000), anonymous=True)


async def test_a_meter_says_what_a_document_costs_when_it_does_not_fit() -> None:
    meter = Meter(RateLimits(MemoryLimiter(Clock()), 4, 10), ("192.0.2.7", 1))
    await meter.charge(1)
    with pytest.raises(RateLimited, match="needs 4 more") as refused:
        await meter.charge(4)
    assert refused.value.retry_after == 60
    assert (await meter.ask()).minute_used == 1


@pytest.mark.parametrize("window", ["minute", "day"])
@pytest.mark.parametrize(
    ("left", "ends_later", "takes_shared"),
    [(-1, -1, True), (-1, 1, True), (0, 1, True), (0, 0, False), (0, -1, False), (1, 1, False), (1, -1, False)],
)
def test_of_two_standings_the_nearer_window_is_told(
    window: str, left: int, ends_later: int, takes_shared: bool
) -> None:
    own = BudgetState(True, WindowLimits(100, 1000), 0.0, 90, 60.0, 900, 86_400.0)
    # Of the organisation, with as much left in both windows; `left` and `ends_later` are the differences in one.
    shared = BudgetState(True, WindowLimits(300, 3000), 0.0, 290, 60.0, 2900, 86_400.0)
    shared = replace(
        shared,
        **{f"{window}_used": getattr(shared, f"{window}_used") - left},
        **{f"{window}_end": getattr(shared, f"{window}_end") + ends_later},
    )
    told = nearer(own, shared)
    chosen = shared if takes_shared else own
    for name in (f"{window}_used", f"{window}_end"):
        assert getattr(told, name) == getattr(chosen, name)
    assert getattr(told.limits, window) == getattr(chosen.limits, window)
