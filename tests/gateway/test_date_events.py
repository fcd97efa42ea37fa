"""What days bring, under a clock that tests move: told of once and in order, as a plain model says."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from functools import partial
from operator import eq, ne
from pathlib import Path
from typing import Any

import pytest

from db import assignments, date_events, sealing
from db.engine.database import Database
from db.engine.known import known
from db.engine.opening import open_database
from db.sealing import Sealer
from db.sql import tables
from domain.access import Caller
from domain.commands import (
    ArchiveProduct,
    AssignCertification,
    AssignClaim,
    PatchCertificationAssignment,
    PatchClaimAssignment,
    ReinstateCertification,
    RemoveCertification,
    RenewCertification,
    RestoreProduct,
    SuspendCertification,
    WithdrawCertification,
)
from domain.errors import REFUSALS
from domain.gtin import Gtin
from domain.lead_times import USUAL, SetLeadTimes
from gateway.date_events import DOUBTS, DateEvents
from resolvers import certifications, claims, products
from resolvers.lead_times import set_lead_times
from resolvers.operation import Context
from tests.files.importing import RICE, RYE, caller
from tests.log import log, replay, settled, stored
from tests.processes import Process, started
from tests.world import FAIR_TRADE, GTIN, NON_GMO, OTHERS_GTIN, OTHERS_PRIVATE, PRIVATE, USDA_ORGANIC, VEGAN, World

FIRST = date(2027, 1, 10)
DAY = timedelta(days=1)
Event = tuple[str, str, date]
"""The operation, the assignment and the day."""


class Clock:
    """Shows what it is set to."""

    def __init__(self, day: date = FIRST) -> None:
        self.now = datetime(day.year, day.month, day.day, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    @property
    def today(self) -> date:
        return self.now.date()

    def set(self, day: date) -> None:
        self.now = self.now.replace(day.year, day.month, day.day)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def other(world: World, database_url: str) -> AsyncIterator[Database]:
    """What another process has of the same database."""
    database = await open_database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def teller(world: World, clock: Clock) -> DateEvents:
    """A process that has begun."""
    for gtin in (RICE, RYE):
        await world.add_product(gtin, world.brand)
    teller = DateEvents(world.database, clock)
    assert await teller.tell_due() == 0
    return teller


async def told(world: World) -> list[Event]:
    """All that is told, in its order."""
    return [(row.operation, row.object_id, row.day) for row in await log(world) if row.day is not None]


async def id_of(world: World, table: Any = tables.certification_assignments, gtin: str = GTIN) -> str:
    (row,) = [row for row in await rows(world, table) if row["gtin"] == gtin]
    return str(row["id"])


async def rows(world: World, table: Any) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns if column.computed is None]
    return [dict(zip(names, row, strict=True)) for row in await world.rows(table)]


class Model:
    """What a day brings, told in the plainest way: every assignment is looked at on every day."""

    def __init__(self, clock: Clock) -> None:
        self.until = clock.today
        self.events: set[Event] = set()

    async def go_on(self, world: World, today: date) -> None:
        """All days up to this one come, and what is there is as it is."""
        archived = {row["gtin"] for row in await rows(world, tables.products) if row["archived_at"]}
        leads = {(row["organization_id"], row["certification_id"]): row["days"] for row in await self._leads(world)}
        usual = leads.get((world.brand, ""), USUAL)
        held = [*await rows(world, tables.certification_assignments), *await rows(world, tables.claim_assignments)]
        while self.until < today:
            self.until += DAY
            for row in held:
                if row["gtin"] not in archived and row["created_at"].date() < self.until:
                    early = leads.get((world.brand, row.get("certification_id", "")), usual)
                    self._bring(row, self.until, early)

    async def _leads(self, world: World) -> list[dict[str, Any]]:
        return await rows(world, tables.lead_times)

    def _bring(self, row: dict[str, Any], day: date, early: list[int]) -> None:
        last = _last(row)
        if _has_ended(row, day) and not _has_ended(row, day - DAY):
            self.events.add(("lapsed", row["id"], day))
        if last is not None and (last - day).days in early:
            self.events.add(("lapsing", row["id"], day))
        if _holds(row, day) and not _holds(row, day - DAY):
            self.events.add(("becameActive", row["id"], day))


def _last(row: dict[str, Any]) -> date | None:
    withdrawn = row.get("withdrawn_on")
    ends = [row["expiration_date"], row.get("expiry_date"), withdrawn and withdrawn - DAY]
    return min((day for day in ends if day is not None), default=None)


def _holds(row: dict[str, Any], day: date) -> bool:
    first = row["valid_from"]
    spans = [(begins, ends) for begins, _, ends in row.get("earlier_days") or ()]
    spans.append((first and str(first), None))
    is_covered = any((begins or "") <= str(day) <= (ends or "~") for begins, ends in spans)
    return is_covered and not _has_ended(row, day) and not _halted(row, day)


def _has_ended(row: dict[str, Any], day: date) -> bool:
    last = _last(row)
    return (last is not None and last < day) or "withdrawn" in _halted(row, day)


def _halted(row: dict[str, Any], day: date) -> set[str]:
    found: set[str] = set()
    for first, last, what in row.get("halted_days") or ():
        if first <= str(day) <= (last or "~"):
            found = found | {what} if what in ("suspended", "withdrawn") else set()
    return found


class Writer:
    """Somebody of the brand who writes at random, as the clock says."""

    def __init__(self, world: World, clock: Clock, seed: int) -> None:
        self._world, self._clock, self._chance = world, clock, random.Random(seed)
        self._who: Caller = caller(world)
        self.done = 0

    async def do(self, operation: Any, command: Any, **members: Any) -> None:
        """Does it, unless it is refused."""
        context = Context(self._world.database, self._who, self._clock.now)
        members = {name: str(value) if isinstance(value, date) else value for name, value in members.items()}
        try:
            await operation(context, command.parse(members))
            self.done += 1
        except REFUSALS:
            pass

    def day(self, earliest: int, latest: int) -> date:
        return self._clock.today + timedelta(days=self._chance.randint(earliest, latest))

    def period(self) -> dict[str, date]:
        first = self.day(-60, 60)
        return {"valid_from": first, "expiration_date": first + timedelta(days=self._chance.randint(0, 250))}

    async def write(self) -> None:
        """Something."""
        chance = self._chance
        gtin = chance.choice([GTIN, RICE, RYE])
        held = {"gtin": gtin, "certification_id": chance.choice([USDA_ORGANIC, FAIR_TRADE, PRIVATE])}
        claimed = {"gtin": gtin, "claim_id": chance.choice([NON_GMO, VEGAN])}
        match chance.randint(0, 11):
            case 0 | 1:
                await self.do(certifications.assign_certification, AssignCertification, **held, **self.period())
            case 2:
                await self.do(claims.assign_claim, AssignClaim, **claimed, **self.period())
            case 3:
                command = PatchCertificationAssignment
                await self.do(certifications.patch_certification_assignment, command, **held, **self.period())
            case 4:
                await self.do(claims.patch_claim_assignment, PatchClaimAssignment, **claimed, **self.period())
            case 5 | 6:
                await self.do(certifications.renew_certification, RenewCertification, **held, **self.period())
            case 7:
                first = self.day(-5, 30)
                days = {"suspended_from": first, "suspended_until": first + timedelta(days=chance.randint(0, 40))}
                await self.do(certifications.suspend_certification, SuspendCertification, **held, **days)
            case 8:
                day = self.day(-5, 60)
                await self.do(certifications.withdraw_certification, WithdrawCertification, **held, withdrawn_on=day)
                day = self.day(0, 10)
                await self.do(certifications.reinstate_certification, ReinstateCertification, **held, reinstated_on=day)
            case 9:
                await self.do(certifications.remove_certification, RemoveCertification, **held)
            case 10:
                await self.do(products.archive_product, ArchiveProduct, gtin=gtin)
                if chance.random() < 0.9:
                    await self.do(products.restore_product, RestoreProduct, gtin=gtin)
            case 11:
                early = sorted(chance.sample(range(1, 120), chance.randint(0, 3)))
                of = {"for_certification": held["certification_id"]} if chance.random() < 0.5 else {}
                own = {"organization_id": self._world.brand, "days": early if chance.random() < 0.8 else None}
                await self.do(set_lead_times, SetLeadTimes, **of, **own)


async def is_in_order(world: World, expected: set[Event]) -> None:
    events = await told(world)
    assert sorted(events) == sorted(expected)
    days = [day for _, _, day in events]
    assert days == sorted(days)


async def test_two_years_with_stops_and_two_processes(
    world: World, other: Database, clock: Clock, teller: DateEvents
) -> None:
    writer, model, chance = Writer(world, clock, 5), Model(clock), random.Random(5)
    tellers = [teller, DateEvents(other, clock), DateEvents(world.database, clock)]
    while clock.today < FIRST + timedelta(days=730):
        for _ in range(chance.randint(0, 2)):
            await writer.write()
        # At night somebody looks, unless all stand still for a while.
        days = 1 if chance.random() < 0.7 else chance.randint(2, 12)
        clock.now += timedelta(days=days, hours=chance.randint(-3, 3))
        await model.go_on(world, clock.today)
        await asyncio.gather(*(each.tell_due() for each in chance.sample(tellers, chance.randint(1, 3))))
    await is_in_order(world, model.events)
    assert {event for event, _, _ in model.events} == {"becameActive", "lapsed", "lapsing"}
    assert len(model.events) > 70
    assert writer.done > 130
    assert settled(replay(await log(world))) == settled(await stored(world))


async def test_a_leap_of_two_years_is_believed_after_a_while(world: World, clock: Clock, teller: DateEvents) -> None:
    writer, model = Writer(world, clock, 3), Model(clock)
    for _ in range(80):
        await writer.write()
    begun = clock.now
    clock.set(FIRST + timedelta(days=730))
    for _ in range(DOUBTS):
        assert await teller.tell_due() == 0
    # Such as of a machine that has just started and asks for the time.
    clock.now = begun
    assert await teller.tell_due() == 0
    assert await told(world) == []
    clock.set(FIRST + timedelta(days=730))
    for _ in range(DOUBTS):
        assert await teller.tell_due() == 0
    await model.go_on(world, clock.today)
    assert await teller.tell_due() == len(model.events) > 3
    await is_in_order(world, model.events)


async def test_pages_of_a_day_are_shared_by_who_comes(
    world: World, other: Database, clock: Clock, teller: DateEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(date_events, "BATCH", 3)
    model = Model(clock)
    for number in range(20):
        gtin = f"{number:013}7"
        await world.add_product(gtin, world.brand)
        ends = FIRST + timedelta(days=number % 2 + 30)
        await world.add_certification(gtin, USDA_ORGANIC, expiration_date=ends, valid_from=FIRST + DAY)
    clock.set(FIRST + timedelta(days=30))
    await model.go_on(world, clock.today)
    assert len(model.events) == 30
    number = 0
    # Each dies after a part.
    for database in (world.database, other) * 200:
        number += await date_events.tell(database, clock.now) or 0
    assert number == 30
    await is_in_order(world, model.events)
    assert await date_events.tell(other, clock.now) is None


async def test_a_day_begins_with_what_was_there(world: World, clock: Clock, teller: DateEvents) -> None:
    writer = Writer(world, clock, 4)
    clock.now += timedelta(days=1, hours=1)
    tomorrow = clock.today + DAY
    held = {"gtin": GTIN, "certification_id": FAIR_TRADE}
    await writer.do(certifications.assign_certification, AssignCertification, **held, valid_from=clock.today)
    assert await teller.tell_due() == 0
    # What a write moves to a day that has come is told by the write.
    await writer.do(
        certifications.patch_certification_assignment,
        PatchCertificationAssignment,
        **held,
        valid_from=FIRST,
        expiration_date=FIRST + DAY,
    )
    assert await teller.tell_due() == 0
    clock.set(tomorrow)
    assert await teller.tell_due() == 1
    ((event, _, day),) = await told(world)
    assert (event, day) == ("lapsed", tomorrow)
    # Renewed, it lapses again later; what was told is not taken back.
    until = clock.today + timedelta(days=31)
    days = {"valid_from": clock.today, "expiration_date": until}
    await writer.do(certifications.renew_certification, RenewCertification, **held, **days)
    clock.set(clock.today + DAY)
    assert await teller.tell_due() == 1
    days = {"valid_from": until + DAY, "expiration_date": until + timedelta(days=400)}
    await writer.do(certifications.renew_certification, RenewCertification, **held, **days)
    clock.set(until + timedelta(days=5))
    for _ in range(DOUBTS + 1):
        assert await teller.tell_due() == 0
    assert [event for event, _, _ in await told(world)] == ["lapsed", "lapsing"]


async def test_a_clock_that_goes_back_brings_nothing_twice(world: World, clock: Clock, teller: DateEvents) -> None:
    await world.add_certification(GTIN, FAIR_TRADE, expiration_date=FIRST + timedelta(days=20))
    await world.add_certification(GTIN, PRIVATE, expiration_date=FIRST + timedelta(days=25))
    clock.set(FIRST + timedelta(days=21))
    assert await teller.tell_due() == 1
    early = await told(world)
    # It was ahead by ten days, and is right again.
    clock.set(FIRST + timedelta(days=11))
    for _ in range(12):
        assert await teller.tell_due() == 0
        clock.now += DAY
    assert await told(world) == early
    clock.set(FIRST + timedelta(days=26))
    assert await teller.tell_due() == 1
    await is_in_order(world, {*early, ("lapsed", (await told(world))[-1][1], FIRST + timedelta(days=26))})
    # A clock without a battery tells of a day before all.
    for day in (date(2000, 1, 1), date(1, 1, 1), date(2026, 11, 1)):
        clock.set(day)
        assert await teller.tell_due() == 0
        assert await date_events.told_until(world.database) == FIRST + timedelta(days=26)
    # Others' clocks differ a little.
    clock.set(FIRST + timedelta(days=25))
    assert await teller.tell_due() == 0
    assert await date_events.told_until(world.database) == FIRST + timedelta(days=26)


async def test_what_becomes_due_after_a_clock_was_ahead_is_told(world: World, clock: Clock, teller: DateEvents) -> None:
    clock.set(FIRST + timedelta(days=30))
    assert await teller.tell_due() == 0
    clock.set(FIRST + timedelta(days=5))
    assert await teller.tell_due() == 0
    await world.add_certification(GTIN, FAIR_TRADE, expiration_date=FIRST + timedelta(days=9))
    clock.set(FIRST + timedelta(days=10))
    assert await teller.tell_due() == 1


async def test_a_clock_that_is_ahead_at_the_beginning(world: World, clock: Clock) -> None:
    clock.set(FIRST + timedelta(days=400))
    teller = DateEvents(world.database, clock)
    await teller.tell_due()
    await world.add_certification(GTIN, FAIR_TRADE, expiration_date=FIRST)
    for days, told_of in ((0, 0), (1, 1)):
        clock.set(FIRST + timedelta(days=days))
        assert await teller.tell_due() == told_of
        assert await date_events.told_until(world.database) == clock.today


async def test_the_last_days_that_there_are(world: World, clock: Clock) -> None:
    clock.set(date.max - timedelta(days=3))
    teller = DateEvents(world.database, clock)
    await world.add_certification(GTIN, FAIR_TRADE, expiration_date=date.max)
    await teller.tell_due()
    clock.set(date.max)
    assert await teller.tell_due() == 0


async def test_both_faces_show_it_to_the_owner(world: World, clock: Clock, teller: DateEvents) -> None:
    # Rows of the log before have the hashes that they had.
    await Sealer(world.database).seal()
    sealed_before = await sealing.checkpoint(world.database)
    await world.add_certification(GTIN, OTHERS_PRIVATE, expiration_date=FIRST)
    await world.add_certification(OTHERS_GTIN, USDA_ORGANIC, expiration_date=FIRST)
    await world.add_certification(GTIN, FAIR_TRADE, expiration_date=FIRST)
    clock.now += timedelta(days=1, hours=2)
    assert await teller.tell_due() == 3
    await Sealer(world.database).seal()
    verified = await sealing.verify(world.database)
    assert (verified.broken, verified.waiting) == (None, 0)
    assert verified.checkpoint.size > sealed_before.size

    headers = {"X-API-Key": world.keys["manager"]}
    api = "/certifications/api/v1"
    feed = (await world.client.get(f"{api}/changes", params={"limit": 100}, headers=headers)).json()["data"]
    # Others' private certifications do not exist for it.
    (shown,) = [each for each in feed if each["day"]]
    expected: dict[str, Any] = {
        "at": "2027-01-11T02:00:00+00:00",
        "day": "2027-01-11",
        "kind": "certification_assignment",
        "gtin": GTIN,
        "operation": "lapsed",
        "actor": "calendar",
        "face": "calendar",
        "request_id": None,
        "changes": [],
    }
    assert {name: shown[name] for name in expected} == expected
    history = await world.client.get(f"{api}/products/{GTIN}/history", params={"whole": "true"}, headers=headers)
    assert history.json()[0] == shown

    query = f"""{{
      changes(first: 100) {{ nodes {{ day operation actor face changes {{ path }} }} daysUntil }}
      product(gtin: "{GTIN}") {{ history(whole: true, first: 1) {{ nodes {{ day operation actor objectId }} }} }}
    }}"""
    body = (await world.client.post("/graphql", json={"query": query}, headers=headers)).json()
    assert body["data"]["changes"]["daysUntil"] == "2027-01-11"
    told_of = {"day": "2027-01-11", "operation": "lapsed", "actor": "calendar"}
    assert body["data"]["changes"]["nodes"][-1] == {**told_of, "face": "CALENDAR", "changes": []}
    (node,) = body["data"]["product"]["history"]["nodes"]
    assert node == {**told_of, "objectId": shown["object_id"]}

    others = {"X-API-Key": world.keys["rival"]}
    history = await world.client.get(f"{api}/products/{GTIN}/history", params={"whole": "true"}, headers=others)
    latest = history.json()[0]
    assert (latest["operation"], latest["day"], latest["actor"], latest["face"]) == ("lapsed", "2027-01-11", None, None)


async def test_what_is_known_is_not_changed_by_a_day(world: World, clock: Clock, teller: DateEvents) -> None:
    writer = Writer(world, clock, 6)
    held = {"gtin": GTIN, "certification_id": FAIR_TRADE}
    made = certifications.assign_certification, AssignCertification
    await writer.do(*made, **held, valid_from=FIRST - DAY, expiration_date=FIRST)
    clock.now += timedelta(days=1, hours=2)
    assert await teller.tell_due() == 1
    # Who began before and came late has the earlier moment.
    clock.now -= timedelta(hours=1)
    patch = certifications.patch_certification_assignment, PatchCertificationAssignment
    await writer.do(*patch, **held, scope="Crop")
    then = known(world.database, clock.now + timedelta(hours=5))
    held_then = await assignments.certifications.of_products(then, [Gtin(GTIN)], [world.brand])
    assert {each.certification.id: each.scope for each in held_then} == {USDA_ORGANIC: "", FAIR_TRADE: "Crop"}


async def test_operators_see_how_far_it_is(world: World, clock: Clock) -> None:
    async def said() -> str:
        return str((await world.client.get("/readyz")).json()["date_events"])

    assert await said() == "ok"
    now = datetime.now(UTC)
    clock.set(now.date() - timedelta(days=2))
    teller = DateEvents(world.database, clock)
    await teller.tell_due()
    assert await said() == f"told up to {clock.today}"
    clock.set(now.date() - DAY)
    await teller.tell_due()
    assert await said() == "ok"


TELL = """
import asyncio, sys
from datetime import datetime
from pathlib import Path
from db import date_events
from db.engine.opening import open_database
from gateway.date_events import DateEvents

date_events.BATCH = 2

async def main(url, clock):
    database = await open_database(url)
    teller = DateEvents(database, lambda: datetime.fromisoformat(Path(clock).read_text()))
    print("tells", flush=True)
    while True:
        await teller.tell_due()
        await asyncio.sleep(0.002)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_that_are_killed_leave_nothing_out_and_tell_nothing_twice(
    world: World, database_url: str, clock: Clock, teller: DateEvents, tmp_path: Path
) -> None:
    for number in range(60):
        gtin = f"{number:013}7"
        await world.add_product(gtin, world.brand)
        ends = FIRST + timedelta(days=number // 10 + 31)
        await world.add_certification(gtin, USDA_ORGANIC, expiration_date=ends, valid_from=FIRST + DAY * (number // 10))
    model, file = Model(clock), tmp_path / "clock"

    def set_to(now: datetime) -> None:
        # At once: who looks just then would find an empty file.
        (tmp_path / "next").write_text(now.isoformat())
        (tmp_path / "next").replace(file)

    async def until(is_so: Callable[[tuple[date, str]], bool]) -> None:
        """Until that is so of the day up to which all is told, and of the turn in the next one."""
        for _ in range(10_000):
            ((_, _, day, turn, *_),) = await world.rows(tables.date_events)
            if is_so((day, turn)):
                return
            await asyncio.sleep(0.002)
        raise AssertionError("Nobody goes on.")

    with ExitStack() as stack:

        def begun() -> Process:
            process = stack.enter_context(started("-c", TELL, database_url, str(file)))
            assert process.output.readline() == "tells\n"
            return process

        set_to(clock.now)
        processes = [begun(), begun()]
        for killed in (1, 2) * 3:
            before = clock.today
            clock.now += DAY
            set_to(clock.now)
            await model.go_on(world, clock.today)
            await until(partial(ne, (before, "")))
            for _ in range(killed):
                process = processes.pop()
                process.signal(signal.SIGKILL)
                assert process.wait() == -signal.SIGKILL
            processes += [begun() for _ in range(killed)]
            await until(partial(eq, (clock.today, "")))
    assert len(model.events) > 100
    await is_in_order(world, model.events)
