"""The server is killed in the middle of its writes, again and again; what it acknowledged is there, once and whole.

SIGKILL gives no process a chance to tidy up. Five rounds by default; CERTGATE_TEST_KILL_ROUNDS asks for more.
"""

import asyncio
import os
import random
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest

from db.sql import tables
from domain.short_id import catalogue_id
from tests.processes import Process, serving
from tests.world import USDA_ORGANIC, World

ROUNDS = int(os.environ.get("CERTGATE_TEST_KILL_ROUNDS", "5"))
CONNECTIONS = 16
CLAIMS = 50
KEYS_A_PRODUCT = 40

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def gtin(number: int) -> str:
    return f"1{number:013}"


@dataclass(frozen=True)
class Write:
    """One request. Each writes something that no other does: a claim on a product, or a key of its metadata."""

    method: str
    path: str
    body: dict[str, Any]
    name: str

    async def send(self, client: httpx2.AsyncClient) -> httpx2.Response:
        headers = {"Idempotency-Key": self.name}
        return await client.request(self.method, self.path, json=self.body, headers=headers)


def writes() -> Iterator[Write]:
    """Assignments and metadata merges in turn; the merges of some forty requests meet in the same row."""
    for number in count():
        of, claim = divmod(number, CLAIMS)
        name = f"w{number:06}"
        products = "/certifications/api/v1/products"
        body = {"claim_id": catalogue_id("claim", f"c{claim}"), "evidence_note": name, "metadata": {"written": name}}
        yield Write("POST", f"{products}/{gtin(of)}/claims", body, name)
        merged = f"{products}/{gtin(number // KEYS_A_PRODUCT)}/certifications/{USDA_ORGANIC}"
        yield Write("PATCH", merged, {"metadata": {name: name}}, f"m{number:06}")


@dataclass
class Ledger:
    """What was sent, and what the server acknowledged."""

    upcoming: Iterator[Write] = field(default_factory=writes)
    sent: list[Write] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def write_until_it_dies(self, client: httpx2.AsyncClient) -> None:
        while True:
            write = next(self.upcoming)
            self.sent.append(write)
            try:
                response = await write.send(client)
            except httpx2.TransportError:
                return
            assert response.status_code in (200, 201), response.text
            async with self.changed:
                self.acknowledged.add(write.name)
                self.changed.notify_all()

    async def acknowledge(self, number: int) -> None:
        """Waits until that many more were acknowledged."""
        goal = len(self.acknowledged) + number
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.acknowledged) >= goal)

    def unanswered(self) -> list[Write]:
        return [write for write in self.sent if write.name not in self.acknowledged]


@asynccontextmanager
async def server(world: World, url: str) -> AsyncIterator[tuple[Process, httpx2.AsyncClient]]:
    settings = {
        "CERTGATE_LOG_LEVEL": "warning",
        "CERTGATE_RATE_LIMIT_PER_MINUTE": "1000000000",
        "CERTGATE_RATE_LIMIT_PER_DAY": "1000000000",
    }
    with serving(url, **settings) as (process, address):
        async with httpx2.AsyncClient(base_url=address, headers={"X-API-Key": world.keys["manager"]}) as client:
            yield process, client


@pytest.fixture
async def shelf(world: World) -> World:
    """Definitions and products enough for every round; closed, so that the server is alone with the file."""
    rows = [
        {
            "id": catalogue_id("claim", f"c{number}"),
            "code": f"C{number}",
            "label": f"Claim {number}",
            "category": "DIETARY",
            "requires_definition": False,
            "description": "",
        }
        for number in range(CLAIMS)
    ]
    async with world.database.write() as transaction:
        await transaction.insert_missing(tables.claims, rows)
    # Each request of the client above takes the server a millisecond or so, and a round lasts less than half a second.
    numbers = range(1 + ROUNDS * 500 // min(CLAIMS, KEYS_A_PRODUCT))
    await asyncio.gather(*(world.add_product(gtin(number), world.brand) for number in numbers))
    await asyncio.gather(*(world.add_certification(gtin(number), USDA_ORGANIC) for number in numbers))
    await world.database.close()
    return world


def check(file: Path, ledger: Ledger) -> None:
    """Compares the file with the ledger."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        claims = connection.execute("SELECT gtin, claim_id, evidence_note, metadata FROM claim_assignments").fetchall()
        held = connection.execute("SELECT gtin, metadata, version FROM certification_assignments").fetchall()
        answered = connection.execute("SELECT count(*) FROM idempotency_keys WHERE result IS NOT NULL").fetchone()[0]
        told = connection.execute(
            "SELECT operation, json_extract(record, '$.evidence_note'), json_extract(members, '$[0][0][1]')"
            " FROM changes WHERE face = 'rest'"
        ).fetchall()
    sent = {write.name: write for write in ledger.sent}
    found = set()
    for of, claim, note, metadata in claims:
        write = sent[note]
        assert write.path.endswith(f"/{of}/claims")
        assert write.body["claim_id"] == claim
        assert metadata == f'{{"written":"{note}"}}'
        found.add(note)
    assert len(found) == len(claims)
    merges = 0
    for of, metadata, version in held:
        if not of.startswith("1"):
            continue
        keys = re.findall(r'"(w\d+)":"\1"', metadata)
        names = {key.replace("w", "m") for key in keys}
        assert all(f"/{of}/" in sent[name].path for name in names)
        # Each merge that counted the version up left its key, and none was counted twice.
        assert version == 1 + len(keys) == 1 + len(names)
        merges += len(keys)
        found |= names
    assert ledger.acknowledged <= found <= set(sent)
    # The answer to each write was stored with its effect, or neither was; and the log tells of it once.
    assert answered == len(claims) + merges
    assert sorted(note if operation == "assignClaim" else f"m{key[1:]}" for operation, note, key in told) == sorted(
        found
    )


async def test_sigkill_loses_nothing_that_was_acknowledged(shelf: World, tmp_path: Path, database_url: str) -> None:
    ledger = Ledger()
    file = tmp_path / "certgate.db"
    for _ in range(ROUNDS):
        async with server(shelf, database_url) as (process, client):
            # What the last crash left open is sent once more, under the same key: done once, whether it was or not.
            for write in ledger.unanswered():
                assert (await write.send(client)).status_code in (200, 201)
                ledger.acknowledged.add(write.name)
            for write in ledger.sent[-20:]:
                if write.method == "POST":
                    again = await client.post(write.path, json=write.body)
                    assert (again.status_code, again.json()["error_code"]) == (409, "conflict")
            check(file, ledger)
            clients = [asyncio.create_task(ledger.write_until_it_dies(client)) for _ in range(CONNECTIONS)]
            # The load runs until the server is gone, or until a client was answered what it should not be.
            under_way = asyncio.create_task(ledger.acknowledge(10))
            await asyncio.wait([under_way, *clients], return_when=asyncio.FIRST_COMPLETED)
            under_way.cancel()
            await asyncio.sleep(random.uniform(0, 0.3))
            process.signal(signal.SIGKILL)
            await asyncio.gather(*clients)
        check(file, ledger)
    assert len(ledger.acknowledged) >= 10 * ROUNDS
    print(f"{ROUNDS} kills, {len(ledger.sent)} writes, {len(ledger.acknowledged)} acknowledged")
