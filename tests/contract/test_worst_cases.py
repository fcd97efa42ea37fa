"""A search for the accepted request that holds the process up longest.

Requests grow by chance; those that took most CPU go on growing. The search is led by the clock, but what is asserted is
counted: function calls in one turn of the event loop, and in the whole of a request. `CERTGATE_TEST_CASES` says how
many requests are tried; what was found is printed (`-s`), with its CPU time.
"""

import gc
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

from bench import data
from db.engine.opening import open_database
from domain.vocabulary import KeyKind, Role
from gateway.app import create_app
from resolvers.keys import create_key
from schema.schema import schema
from tests.conftest import SETTINGS
from tests.turns import TRACED, each_turn
from tests.worst_cases import Asked, Generator

CASES = int(os.environ.get("CERTGATE_TEST_CASES", "100"))
SEED = int(os.environ.get("CERTGATE_TEST_SEED", "1"))
KEPT = 12
"""How many of the worst requests go on growing."""
CALLS_A_TURN = 150_000
CALLS_A_REQUEST = 1_000_000
PRODUCTS = 2_000


SCALARS = (
    "id gtin certificateNumber verificationStatus scope certificateCountries expirationDate createdAt version metadata"
)
ASSIGNMENTS = "assignments(first: 100) { nodes { @ } }"
LONG = [
    f"{{ certifications(first: 100) {{ nodes {{ label {ASSIGNMENTS.replace('@', SCALARS)} }} }} }}",
    f"{{ claims(first: 90) {{ edges {{ cursor node {{ {ASSIGNMENTS.replace('@', 'product { name }')} }} }} }} }}",
    f"{{ certifications(first: 90) {{ nodes {{ {ASSIGNMENTS.replace('@', 'certification { body { name } }')} }} }} }}",
    f"{{ products(first: 100) {{ nodes {{ certifications {{ {SCALARS} product {{ claims {{ id }} }} }} }} }} }}",
    '{ certificationAssignments(first: 100, where: {or: [{country: {in: ["US", "DE"]}}]}) { totalCount } }',
    '{ nodes(ids: ["4PvT7omjSiHBwbg2L9QQRf"]) { ... on Product { id name } } }',
]
"""Where the search begins: what is long as it is."""


@dataclass
class Spent:
    """What a request took: in its longest turn of the loop, and altogether."""

    turn: float
    whole: float
    status: int


class Target:
    """The application, on a database with long lists."""

    def __init__(self, app: Any, keys: list[str]) -> None:
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://certgate.test")
        self.keys = keys

    async def ask(self, body: bytes, key: str) -> httpx2.Response:
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        return await self.client.post("/graphql", content=body, headers=headers)


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[Target]:
    path = tmp_path / "long.db"
    await data.fill_sqlite(path, PRODUCTS)
    database = await open_database(f"sqlite:///{path}")
    app = create_app(SETTINGS.model_copy(update={"database_url": f"sqlite:///{path}"}), database)
    made = [
        await create_key(database, data.ORGANIZATION, Role.READONLY, kind)
        for kind in (KeyKind.BUSINESS, KeyKind.PUBLISHABLE)
    ]
    target = Target(app, [each.secret for each in made])
    await target.ask(b'{"query": "{ viewer { role } }"}', target.keys[0])
    yield target
    await target.client.aclose()
    await database.close()


@contextmanager
def as_served() -> Iterator[None]:
    """The garbage collector as the server sets it."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


async def timed(target: Target, body: bytes, key: str) -> Spent:
    """The CPU time of a request in the loop's thread: that of the longest turn and of all turns.

    Statements that may take long run in threads of their own.
    """
    turns: list[float] = []
    last = time.thread_time()

    def turn() -> None:
        nonlocal last
        turns.append(time.thread_time() - last)
        last = time.thread_time()

    with each_turn(turn):
        response = await target.ask(body, key)
    turns.append(time.thread_time() - last)
    assert b"internal_error" not in response.content, (body, response.content[:500])
    # While nothing is to be done, the loop does nothing but turn.
    return Spent(max(turns), sum(turn for turn in turns if turn > 0.0001), response.status_code)


async def counted(target: Target, body: bytes, key: str) -> Spent:
    """The same in function calls of the loop's thread."""
    turns = [0]

    def count(_frame: Any, event: str, _argument: Any) -> None:
        turns[-1] += event in ("call", "c_call")

    def turn() -> None:
        # While nothing is to be done, the loop does nothing but turn.
        if turns[-1] > 100:
            turns.append(0)
        turns[-1] = 0

    previous = sys.getprofile()
    with each_turn(turn):
        sys.setprofile(count)
        try:
            response = await target.ask(body, key)
        finally:
            sys.setprofile(previous)
    return Spent(max(turns), sum(turns), response.status_code)


def renewed(body: dict[str, Any], number: int) -> bytes:
    """The same document in another text, which has to be read anew."""
    return json.dumps({**body, "query": f"{body['query']} #{number}"}).encode()


async def search(target: Target, cases: int, random: Random) -> list[tuple[float, Asked, str]]:
    """The worst requests that were found, each with a score, for which 50 ms in a turn are like 250 ms in all."""
    generator = Generator(schema._schema, random)
    worst: list[tuple[float, Asked, str]] = []
    waiting = [generator.read(text) for text in LONG]
    for number in range(cases):
        if waiting:
            request = waiting.pop()
        elif random.random() < 0.05:
            request = generator.new()
        else:
            request = generator.grown(random.choice(worst)[1])
        key = random.choice(target.keys)
        spent = await timed(target, renewed(generator.body(request), number), key)
        if spent.status != 200:
            continue
        score = max(spent.turn / 0.050, spent.whole / 0.250)
        if not worst or score > worst[0][0]:
            print(f"{number}: {1000 * spent.turn:.0f} ms in a turn, {1000 * spent.whole:.0f} ms in all", flush=True)
        worst = sorted([*worst, (score, request, key)], key=lambda each: -each[0])[:KEPT]
    return worst


@pytest.mark.skipif(TRACED, reason="a tracer's own work would be counted; ./certgate test runs this without one")
async def test_no_accepted_request_holds_the_process_up(target: Target) -> None:
    with as_served():
        worst = await search(target, CASES, Random(SEED))
        generator = Generator(schema._schema, Random(SEED))
        for rank, (_, request, key) in enumerate(worst[:3]):
            body = generator.body(request)
            tries = [await timed(target, renewed(body, -1 - each), key) for each in range(3)]
            calls = await counted(target, renewed(body, -10), key)
            turn, whole = min(each.turn for each in tries), min(each.whole for each in tries)
            print(
                f"{rank}: {1000 * turn:.0f} ms of CPU in a turn, {1000 * whole:.0f} ms in all;"
                f" {calls.turn:,} calls in a turn, {calls.whole:,} in all: {json.dumps(body)[:3000]}"
            )
            assert calls.turn < CALLS_A_TURN
            assert calls.whole < CALLS_A_REQUEST
