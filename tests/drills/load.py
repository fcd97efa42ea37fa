"""Callers who write and read while something is broken, and a ledger of what they were told."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Self

import httpx2
from sqlalchemy import select

from db.engine.opening import open_database
from db.sql.reads import Read
from db.sql.tables import products
from tests.processes import serving, succeeded

PRODUCTS = "/products/api/v1/products"
UNLIMITED = {"CERTGATE_RATE_LIMIT_PER_MINUTE": "1000000000", "CERTGATE_RATE_LIMIT_PER_DAY": "1000000000"}
# As in production: what PostgreSQL acknowledges is on the disk.
DURABLE = "\nfsync = on\nfull_page_writes = on\nsynchronous_commit = on\n"


def gtin_of(number: int) -> str:
    """A GTIN of fourteen digits."""
    digits = f"{950_600_000_000 + number:013d}"
    return f"{digits}{-sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits)) % 10}"


@dataclass
class Ledger:
    """What was sent, and what came back."""

    sent: int = 0
    written: set[str] = field(default_factory=set)
    """The products whose writes were acknowledged."""
    writes: Counter[int] = field(default_factory=Counter)
    reads: Counter[int] = field(default_factory=Counter)
    """By status; 0 for an answer that did not come."""
    wrong: list[str] = field(default_factory=list)

    def told(self) -> str:
        """The statuses, for people."""
        return ", ".join(
            f"{what} {' '.join(f'{status}: {count:,}' for status, count in sorted(counted.items()))}"
            for what, counted in (("writes", self.writes), ("reads", self.reads))
        )


class Callers:
    """Four who write products and two who read them, until told to stop."""

    def __init__(self, address: str, key: str, ledger: Ledger) -> None:
        self.ledger = ledger
        self.client = httpx2.AsyncClient(base_url=address, headers={"X-API-Key": key}, timeout=30)
        self._is_over = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._write()) for _ in range(4)]
        self._tasks += [asyncio.create_task(self._read()) for _ in range(2)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_over = True
        await asyncio.gather(*self._tasks)
        await self.client.aclose()
        assert not self.ledger.wrong, self.ledger.wrong[:3]

    async def _write(self) -> None:
        while not self._is_over:
            self.ledger.sent += 1
            gtin = gtin_of(self.ledger.sent)
            body = {"gtin": gtin, "product_name": f"Oats {gtin}"}
            await self._count(self.ledger.writes, "POST", PRODUCTS, gtin, {201, 503}, json=body)

    async def _read(self) -> None:
        while not self._is_over:
            gtin = max(self.ledger.written, default=gtin_of(0))
            await self._count(self.ledger.reads, "GET", f"{PRODUCTS}/{gtin}", gtin, {200, 404, 503})

    async def _count(
        self, counted: Counter[int], method: str, path: str, gtin: str, expected: set[int], **more: object
    ) -> None:
        known = gtin in self.ledger.written
        try:
            response = await self.client.request(method, path, **more)  # type: ignore[arg-type]
        except httpx2.TransportError:
            counted[0] += 1
            await asyncio.sleep(0.05)
            return
        status = response.status_code
        counted[status] += 1
        if status == 201:
            self.ledger.written.add(gtin)
        if status not in expected or (status == 404 and known):
            self.ledger.wrong.append(f"{method} {path}: {status} {response.text}")
        if status == 200 and response.json()["product_name"] != f"Oats {gtin}":
            self.ledger.wrong.append(f"{path} is another product")
        if status == 503:
            assert int(response.headers["retry-after"]) > 0
            await asyncio.sleep(0.02)

    async def acknowledged(self, number: int, seconds: float = 60) -> float:
        """Waits until so many more writes were acknowledged; how many seconds that took."""
        start, goal = perf_counter(), len(self.ledger.written) + number
        while len(self.ledger.written) < goal:
            assert perf_counter() - start < seconds, f"no write is acknowledged any more: {self.ledger.told()}"
            await asyncio.sleep(0.01)
        return perf_counter() - start

    async def refused(self, number: int, seconds: float = 60) -> None:
        """Waits until so many more writes were refused."""
        start, goal = perf_counter(), self.ledger.writes[503] + number
        while self.ledger.writes[503] < goal:
            assert perf_counter() - start < seconds, f"no write is refused: {self.ledger.told()}"
            await asyncio.sleep(0.01)

    async def readiness(self) -> str:
        """What `/readyz` says of the database."""
        return str((await self.client.get("/readyz")).json()["database"])


@asynccontextmanager
async def called(url: str, ledger: Ledger, key: str) -> AsyncIterator[Callers]:
    """A server of the database, under load."""
    with serving(url, CERTGATE_LOG_LEVEL="critical", **UNLIMITED) as (_, address):
        async with Callers(address, key, ledger) as callers:
            yield callers


def set_up(url: str) -> str:
    """Makes the tables, the demo's organisation and a key, which is answered."""
    for words in (("migrate",), ("seed", "demo")):
        succeeded(*words, CERTGATE_DATABASE_URL=url)
    return succeeded(
        "keys", "create", "--organization", "demo", "--role", "manager", "--quiet", CERTGATE_DATABASE_URL=url
    ).strip()


async def stored(url: str) -> dict[str, str]:
    """The names of the products by GTIN, as the database has them."""
    database = await open_database(url)
    read = Read(select(products.c.gtin, products.c.name), lambda row: (str(row[0]), str(row[1])))
    found = dict(await database.fetch(read))
    await database.close()
    return found


async def require_all(url: str, ledger: Ledger) -> int:
    """That every product whose write was acknowledged is there, as it was written; how many were."""
    found = await stored(url)
    lost = {gtin for gtin in ledger.written if found.get(gtin) != f"Oats {gtin}"}
    assert not lost, f"{len(lost)} of {len(ledger.written)} acknowledged writes are lost, {sorted(lost)[:3]}"
    return len(ledger.written)
