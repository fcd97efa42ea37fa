"""Workers are killed (SIGKILL) again and again while callers write and read, on both databases.

After each kill, while the callers go on, what came to the log of changes is verified, and the tables beside it.
"""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx2
import psutil
from sqlalchemy import select

from db.engine.opening import open_database
from db.sealing import Verified, verify, verify_chain
from db.sql.reads import Read
from db.sql.tables import changes, products
from domain.sealing import START
from tests import postgresql, sweeper
from tests.drills.load import DURABLE, PRODUCTS, UNLIMITED, gtin_of, set_up
from tests.processes import serving

WORKERS = 2
WRITERS = 8
READERS = 2
QUESTION = {"query": "query ($gtin: String!) { product(gtin: $gtin) { name version } }"}
_READ = Read(
    select(products.c.gtin, products.c.name, products.c.version), lambda row: (str(row[0]), (str(row[1]), int(row[2])))
)
_TOLD = Read(select(changes.c.gtin).where(changes.c.kind == "product"), lambda row: str(row[0]))


class Callers:
    """Two writers have a product in common, which they rename in turn; each asks again until it is answered."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self.acknowledged: Counter[str] = Counter()
        """How many writes to a product were."""
        self.latest: dict[str, set[str]] = {}
        """Of each product the last name that each of its writers has given it."""
        self.answers: Counter[int] = Counter()
        """By status; 0 where the connection broke, and 503 where it was asked again as well."""
        self.is_over = False

    async def write(self, number: int) -> None:
        """Makes a product, which the other writer finds made, and renames it until that is enough."""
        gtin = gtin_of(number // 2)
        made = {"gtin": gtin, "product_name": "Oats"}
        status = await self._until_answered("POST", PRODUCTS, f"made-{number}", made)
        assert status in (201, 409), status
        self.acknowledged[gtin] += status == 201
        self.latest.setdefault(gtin, set())
        name, count = "", 0
        while not self.is_over:
            self.latest[gtin].discard(name)
            count += 1
            name = f"Oats {number}-{count}"
            status = await self._until_answered("PATCH", f"{PRODUCTS}/{gtin}", name, {"product_name": name})
            assert status == 200, status
            self.acknowledged[gtin] += 1
            self.latest[gtin].add(name)

    async def read(self) -> None:
        """Asks in GraphQL: what was acknowledged before is what is seen, or something later."""
        while not self.is_over:
            gtin = gtin_of(random.randrange(WRITERS // 2))
            before = self.acknowledged[gtin]
            try:
                answer = await self._client.post("/graphql", json={**QUESTION, "variables": {"gtin": gtin}})
            except httpx2.TransportError:
                self.answers[0] += 1
                continue
            self.answers[answer.status_code] += 1
            if answer.status_code == 200:
                found = answer.json()["data"]["product"]
                assert (found["version"] if found else 0) >= before, (found, before)

    async def _until_answered(self, method: str, path: str, name: str, body: dict[str, Any]) -> int:
        headers = {"Idempotency-Key": name.replace(" ", "-")}
        while True:
            try:
                answer = await self._client.request(method, path, json=body, headers=headers)
            except httpx2.TransportError:
                self.answers[0] += 1
                continue
            self.answers[answer.status_code] += 1
            if answer.status_code != 503:
                return answer.status_code
            assert int(answer.headers["retry-after"]) > 0
            await asyncio.sleep(0.02)

    async def more(self, number: int) -> float:
        """Waits until that many more writes were acknowledged; how many seconds it took to the first one."""
        start, before, first = perf_counter(), self.acknowledged.total(), 0.0
        while (now := self.acknowledged.total()) < before + number:
            assert perf_counter() - start < 60, "no write is acknowledged any more"
            if now > before and not first:
                first = perf_counter() - start
            await asyncio.sleep(0.001)
        return first or perf_counter() - start


async def _killed(url: str, kills: int) -> str:
    key = set_up(url)
    settings = {**UNLIMITED, "CERTGATE_WORKERS": str(WORKERS), "CERTGATE_LOG_LEVEL": "critical"}
    pauses = []
    database = await open_database(url)
    found = Verified(START)
    with serving(url, **settings) as (process, address):
        async with httpx2.AsyncClient(base_url=address, headers={"X-API-Key": key}, timeout=30) as client:
            callers = Callers(client)
            async with asyncio.TaskGroup() as group:
                for number in range(WRITERS):
                    group.create_task(callers.write(number))
                for _ in range(READERS):
                    group.create_task(callers.read())
                await callers.more(20)
                for _ in range(kills):
                    await asyncio.sleep(random.uniform(0, 0.05))
                    workers = psutil.Process(process.pid).children()
                    # Now and then all of them at once.
                    for worker in workers if random.random() < 0.2 else workers[:1]:
                        worker.send_signal(signal.SIGKILL)
                    pauses.append(await callers.more(20))
                    found = await verify_chain(database, found.checkpoint)
                    assert found.is_whole, found
                callers.is_over = True
        assert process.stop() == 0
    stored = dict(await database.fetch(_READ))
    told = Counter(await database.fetch(_TOLD))
    found = await verify(database)
    await database.close()
    # All is sealed, and each row of the log once.
    assert (found.is_whole, found.waiting) == (True, 0), found
    for gtin, count in callers.acknowledged.items():
        # Each write that was acknowledged has counted once, however often it was sent.
        assert stored[gtin][1] == count, (gtin, stored[gtin], count)
        assert told[gtin] == count, (gtin, told[gtin], count)
        assert stored[gtin][0] in callers.latest[gtin], (gtin, stored[gtin], callers.latest[gtin])
    broken, later = callers.answers[0], callers.answers[503]
    most, half = max(pauses) * 1000, sorted(pauses)[len(pauses) // 2] * 1000
    return (
        f"{kills} kills, {callers.acknowledged.total():,} writes acknowledged, each there once and once among the"
        f" {found.checkpoint.size:,} rows of the log, which is whole and tells what the tables have; {broken} requests"
        f" were sent again since their connection broke, {later} since the answer was 503; the next write was"
        f" acknowledged {most:.0f} ms after a kill at most, {half:.0f} ms in half of the cases"
    )


def drill(short: bool) -> Iterator[str]:
    """Both databases."""
    kills = 5 if short else 50
    file = Path(sweeper.folder("workers")) / "certgate.db"
    yield f"SQLite: {asyncio.run(_killed(f'sqlite:///{file}', kills))}"
    with postgresql.started(DURABLE) as server:
        yield f"PostgreSQL: {asyncio.run(_killed(server.get_uri(), kills))}"
