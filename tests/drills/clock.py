"""The server's clock is stepped ahead and back: limits, sessions, idempotency keys, and what days bring."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select

from db import date_events
from db.engine.opening import open_database
from db.sql.reads import Read
from db.sql.tables import changes
from domain.lead_times import USUAL
from tests import postgresql, sweeper
from tests.drills.load import DURABLE, PRODUCTS, UNLIMITED, gtin_of, set_up
from tests.processes import started

LIBRARY = "libfaketimeMT.so.1"
DAY = timedelta(days=1)
STEPS = (1, 4, 1, 2, 30, 5, 6, 25, 50, 75)
"""Where the clock is set for the days, in days from now: ahead and back, and on."""
FEW_STEPS = (4, 1, 30)
"""The same in short: each is a server that starts anew."""
HELD = "/certifications/api/v1/products/{}/certifications"

Event = tuple[str, str, date]


class Clock:
    """That of the servers that are started with `settings`: so many days before or behind the true one."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.step(0)
        self.settings = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "CERTGATE_LOG_LEVEL": "error",
        }

    def step(self, days: int) -> None:
        """Sets it."""
        self._file.write_text(f"{days:+}d")


_ANEW = """
import os, sys
os.execv(sys.executable, [sys.executable, "-m", "gateway", "serve", "--port", "0"])
"""
"""A server that is not forked from this process: the library has to be there from the beginning."""


@asynccontextmanager
async def _asking(url: str, key: str, **settings: str) -> AsyncIterator[httpx2.AsyncClient]:
    with started("-c", _ANEW, CERTGATE_DATABASE_URL=url, CERTGATE_WORKERS="1", **settings) as process:
        said = next((line for line in process.output if "answers on" in line), "")
        assert said, process.complaints()
        (address,) = re.findall(r"http://\S+(?=;)", said)
        async with httpx2.AsyncClient(base_url=address, headers={"X-API-Key": key}, timeout=30) as client:
            yield client


async def _limits(url: str, key: str, clock: Clock) -> str:
    """Whoever is limited is let in again when the clock is stepped, whichever way."""
    async with _asking(url, key, **clock.settings, CERTGATE_RATE_LIMIT_PER_MINUTE="10") as client:

        async def until_refused() -> int:
            for number in range(100):
                if (await client.get(PRODUCTS)).status_code == 429:
                    return number
            raise AssertionError("nobody is limited")

        allowed = []
        for days in (0, 2, -3, 0):
            clock.step(days)
            allowed.append(await until_refused())
    assert allowed == [10] * len(allowed), allowed
    return f"limits: {len(allowed)} times {allowed[0]} requests a minute, none locked out"


async def _sessions_and_keys(url: str, key: str, clock: Clock) -> str:
    """A session ends early and not for good; a write under a key is not done twice within its life."""
    clock.step(0)
    async with _asking(url, key, **clock.settings, **UNLIMITED) as client:
        own = str(client.base_url).rstrip("/")

        async def signed_in() -> str:
            sent = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
            answer = await client.post("/sign-in", data={"api_key": key}, headers=sent)
            client.cookies.clear()
            return answer.headers["set-cookie"].partition(";")[0]

        async def seen(cookie: str) -> int:
            async with httpx2.AsyncClient(base_url=own, headers={"Cookie": cookie}) as browser:
                return (await browser.get(f"{PRODUCTS}/{gtin_of(1)}")).status_code

        async def made(number: int) -> httpx2.Response:
            headers = {"Idempotency-Key": f"one-{number}"}
            return await client.post(PRODUCTS, json={"gtin": gtin_of(number)}, headers=headers)

        before, first = await signed_in(), await made(1)
        assert (await seen(before), first.status_code) == (200, 201)
        clock.step(2)
        # The life of both is over: the session has ended, and the product is there already.
        assert (await seen(before), (await made(1)).status_code) == (401, 409)
        ahead, second = await signed_in(), await made(2)
        assert (await seen(ahead), second.status_code) == (200, 201)
        clock.step(0)
        # What was done while it was ahead is done.
        assert (await seen(before), await seen(ahead), (await made(2)).json()) == (200, 200, second.json())
        clock.step(-2)
        assert (await seen(before), (await made(2)).json()) == (200, second.json())
        # Its key may be remembered still.
        assert (await made(1)).json() == first.json() or (await made(1)).status_code == 409
    return "sessions end early and are good again; no write is done twice"


async def _days(url: str, key: str, clock: Clock, number: int, steps: tuple[int, ...]) -> str:
    """Each thing that a day brings is told once, and in its order where the clock is right."""
    clock.step(0)
    today = datetime.now(UTC).date()
    expected: set[Event] = set()
    latest = today + DAY * max(steps)
    database = await open_database(url)
    async with _asking(url, key, **clock.settings, **UNLIMITED) as client:
        await _looked(database, clock, today)
        for each in range(100, 100 + number):
            first, last = today + DAY * (each % 50 + 1), today + DAY * (each % 50 + each % 40 + 1)
            assert (await client.post(PRODUCTS, json={"gtin": gtin_of(each)})).status_code == 201
            body = {"certification_id": "USDA_ORGANIC", "valid_from": str(first), "expiration_date": str(last)}
            assert (await client.post(HELD.format(gtin_of(each)), json=body)).status_code == 201
            gtin = gtin_of(each)
            expected |= {("becameActive", gtin, first), ("lapsed", gtin, last + DAY)}
            expected |= {("lapsing", gtin, last - DAY * days) for days in USUAL if last - DAY * days > today}
    expected = {event for event in expected if event[2] <= latest}
    for days in steps:
        clock.step(days)
        async with _asking(url, key, **clock.settings, **UNLIMITED):
            await _looked(database, clock, today + DAY * days)
    own = {gtin for _, gtin, _ in expected}
    # The demo has products of its own.
    told = [event for event in await database.fetch(_TOLD) if event[1] in own]
    await database.close()
    assert len(told) == len({*told}), "something was told twice"
    assert {*told} == expected, f"{len(expected - {*told})} were not told, {len({*told} - expected)} are wrong"
    back = sum(after < before for before, after in pairwise(steps))
    return f"days: {len(told):,} events of {max(steps)} days, each told once; times that the clock went back: {back}"


_TOLD: Read[Event] = Read(
    select(changes.c.operation, changes.c.gtin, changes.c.day).where(changes.c.day.is_not(None)),
    lambda row: (row[0], row[1], row[2]),
    scans=True,
)


async def _looked(database: Any, clock: Clock, today: date) -> None:
    """Waits until all is told up to that day; tomorrow is as good, for clocks differ a little."""
    told: date | None = None
    for _ in range(600):
        told = await date_events.told_until(database)
        if told is not None and today <= told <= today + DAY:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"it is told up to {told} and not {today}")


async def _stepped(url: str, clock: Clock, number: int, steps: tuple[int, ...]) -> str:
    key = set_up(url)
    said = await _limits(url, key, clock), await _sessions_and_keys(url, key, clock)
    return "; ".join([*said, await _days(url, key, clock, number, steps)])


def drill(short: bool) -> Iterator[str]:
    """Both databases, whose own clock is right."""
    library = next(Path("/usr/lib").rglob(LIBRARY), None)
    if library is None:
        yield "left out: it needs libfaketime; on Debian: apt-get install libfaketime"
        return
    number, steps = (10, FEW_STEPS) if short else (200, STEPS)
    folder = Path(sweeper.folder("clock"))
    clock = Clock(library, folder / "clock")
    yield f"SQLite: {asyncio.run(_stepped(f'sqlite:///{folder}/certgate.db', clock, number, steps))}"
    with postgresql.started(DURABLE) as server:
        yield f"PostgreSQL: {asyncio.run(_stepped(server.get_uri(), clock, number, steps))}"
