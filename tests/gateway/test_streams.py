"""Server-sent events: each change once, whenever the client dies and resumes; bounded, and ended with the server."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from db.sealing import Sealer
from resolvers import feed
from rest_compat import streams
from tests.operations.mutations import run
from tests.processes import serving
from tests.served import ours, served, until
from tests.world import GTIN, World

PATH = "/certifications/api/v1/changes"
EVENTS = "text/event-stream"
RESUMED = 20


@asynccontextmanager
async def client(world: World, address: str, who: str = "manager") -> AsyncIterator[httpx2.AsyncClient]:
    headers = {"X-API-Key": world.keys[who], "Accept": EVENTS}
    async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=30) as made:
        yield made


async def name_it(world: World, *names: str) -> None:
    for name in names:
        await run(world, "patchProduct", {"gtin": GTIN, "name": name})
    await Sealer(world.database).seal()


@asynccontextmanager
async def following(asking: httpx2.AsyncClient, last: str) -> AsyncIterator[httpx2.Response]:
    """What comes behind an id; it is asked for again while the server does not know yet who has left before."""
    while True:
        async with asking.stream("GET", PATH, headers={"Last-Event-ID": last} if last else {}) as response:
            if response.status_code != 503:
                assert (response.status_code, response.headers["content-type"]) == (200, f"{EVENTS}; charset=utf-8")
                yield response
                return
        assert response.headers["retry-after"] == "5"
        await asyncio.sleep(0.2)


async def events(response: httpx2.Response) -> AsyncIterator[tuple[str, Any]]:
    """The ids and the data."""
    id = ""
    async for line in response.aiter_lines():
        if line.startswith("id: "):
            id = line[4:]
        elif line.startswith("data: "):
            yield id, json.loads(line[6:])


async def feed_of(world: World) -> list[Any]:
    """All of it, as it is asked for."""
    found: list[Any] = []
    query = {"limit": "100"}
    while True:
        answer = (await world.client.get(PATH, params=query, headers={"X-API-Key": world.keys["manager"]})).json()
        if not answer["data"]:
            return found
        found += answer["data"]
        query["since"] = answer["next"]


async def test_a_client_that_dies_and_resumes_sees_each_change_once(world: World, database_url: str) -> None:
    await name_it(world, "first")
    seen: list[Any] = []
    last = ""
    chance = random.Random(1)
    with serving(database_url) as (process, address):
        async with client(world, address) as asking:

            async def write() -> None:
                for number in range(RESUMED * 3):
                    await run(world, "patchProduct", {"gtin": GTIN, "name": f"name {number}"})
                    await asyncio.sleep(0.02)

            writing = asyncio.create_task(write())
            resumed = 0
            while not seen or seen[-1]["changes"][0]["after"] != f"name {RESUMED * 3 - 1}":
                resumed += 1
                left = chance.randrange(1, 6)
                async with following(asking, last) as response:
                    async for id, change in events(response):
                        last = id
                        seen.append(change)
                        left -= 1
                        if not left or change["changes"][0]["after"] == f"name {RESUMED * 3 - 1}":
                            break
            await writing
            assert resumed >= RESUMED / 2
            assert seen == await feed_of(world)
            # Whoever still waits is sent no more once the server is to stop, which does not wait for that.
            async with following(asking, last) as response:
                stopping = asyncio.create_task(asyncio.to_thread(process.stop))
                assert [line async for line in response.aiter_lines()] == ["retry: 1000", ""]
            assert await stopping == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_streams_have_an_end_and_a_heartbeat_and_are_few(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await name_it(world, "one")
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(streams, "EVERY_SECONDS", 0.05)
    monkeypatch.setattr(streams, "LIFE_SECONDS", 1)
    monkeypatch.setattr(feed, "MOST_WAITING_OF_ONE", 2)
    async with served(world.app, ours()) as server, client(world, f"http://127.0.0.1:{server.port}") as asking:
        following = [asyncio.create_task(asking.get(PATH)) for _ in range(2)]
        await until(lambda: feed.FOLLOWING.number == 2)
        refused = await asking.get(PATH)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        for answer in await asyncio.gather(*following):
            text = answer.text
            assert text.startswith("retry: 1000\n\nid: ")
            assert text.count("\n:\n") >= 3
        assert feed.FOLLOWING.number == 0
        # Who leaves makes room.
        async with asking.stream("GET", PATH):
            await until(lambda: feed.FOLLOWING.number == 1)
        await until(lambda: feed.FOLLOWING.number == 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_cannot_be_followed_is_refused_before_anything_is_sent(world: World) -> None:
    headers = {"X-API-Key": world.keys["manager"], "Accept": EVENTS, "Last-Event-ID": "x"}
    refused = await world.client.get(PATH, headers=headers)
    assert (refused.status_code, refused.json()["details"][0]["loc"][-1]) == (422, "Last-Event-ID")
    refused = await world.client.get(PATH, headers={"X-API-Key": world.keys["publishable"], "Accept": EVENTS})
    assert refused.status_code == 403
    both = {"X-API-Key": world.keys["manager"], "Accept": f"{EVENTS};q=0.5, application/json"}
    assert "data" in (await world.client.get(PATH, headers=both)).json()
