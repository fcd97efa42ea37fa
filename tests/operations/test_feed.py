"""The feed of changes: each once and in one order for whoever goes on behind its last answer, whatever is written."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pytest

from db import feed, history
from db.sealing import Sealer
from db.sql.tables import sealed
from domain.history import OPERATOR
from domain.short_id import ShortId
from domain.vocabulary import ObjectKind
from resolvers.feed import MOST_WAITING, MOST_WAITING_OF_ONE, WAITING
from tests.log import log
from tests.operations.mutations import run
from tests.world import GTIN, NOON, OTHERS_GTIN, OTHERS_PRIVATE, VEGAN, World

PATH = "/certifications/api/v1/changes"
NODES = "nodes { at kind operation actor face requestId gtin objectId changes { path before after } } next"


async def seal(world: World) -> None:
    await Sealer(world.database).seal()


async def asked(world: World, who: str = "manager", **query: Any) -> Any:
    """What REST answers."""
    return (await world.client.get(PATH, params=query, headers={"X-API-Key": world.keys[who]})).json()


async def asked_by_graphql(world: World, arguments: str = "", who: str = "manager") -> Any:
    """What GraphQL answers; it has to answer."""
    document = f"{{ changes{arguments} {{ {NODES} }} }}"
    response = await world.client.post("/graphql", json={"query": document}, headers={"X-API-Key": world.keys[who]})
    body = response.json()
    assert "errors" not in body, body
    return body["data"]["changes"]


async def waited_for(number: int) -> None:
    """Until so many wait."""
    for _ in range(2_000):
        if WAITING.number == number:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{WAITING.number} wait, not {number}.")


async def name_it(world: World, name: str) -> None:
    await run(world, "patchProduct", {"gtin": GTIN, "name": name})


async def told_late(world: World, number: int) -> None:
    """A change that is written early and committed late."""
    product = {"id": f"late-{number}", "gtin": GTIN, "name": f"late {number}"}
    told = history.entry_of_row(ObjectKind.PRODUCT, None, product, world.brand, NOON, "late", OPERATOR)
    async with world.database.write() as transaction:
        await history.add(transaction, [told])
        await asyncio.sleep(0.005)


async def in_order(world: World, owner: str) -> list[int]:
    """The changes of an organisation's products, in the order in which they were sealed."""
    places = {seq: position for position, seq, *_ in await world.rows(sealed)}
    shown = ("product", "certification_assignment", "claim_assignment")
    own = [row.seq for row in await log(world) if row.organization_id == owner and row.kind in shown]
    return sorted(own, key=places.__getitem__)


@asynccontextmanager
async def writers(world: World) -> AsyncIterator[None]:
    """Writes and seals all the time."""
    done = False

    async def write(named: str) -> None:
        number = 0
        while not done:
            number += 1
            await name_it(world, f"{named} {number}")

    async def write_late() -> None:
        number = 0
        while not done:
            number += 1
            await told_late(world, number)

    async def seal_always() -> None:
        sealer = Sealer(world.database)
        while not done:
            await sealer.seal()
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        for task in (write("one"), write("another"), write_late(), seal_always()):
            group.create_task(task)
        try:
            yield
        finally:
            done = True


async def test_who_dies_and_resumes_has_each_change_once(world: World) -> None:
    chance = random.Random(7)
    kept: list[int] = []
    cursor: str | None = None
    async with writers(world):
        for _ in range(100):
            # Others have their turn.
            await asyncio.sleep(0.01)
            limit = chance.randint(1, 7)
            page = await asked(world, limit=limit, **({"since": cursor} if cursor else {}))
            if chance.random() < 0.3:
                # It died before it had kept the answer, and is told the same again, and perhaps more.
                again = await asked(world, limit=100, **({"since": cursor} if cursor else {}))
                assert again["data"][: len(page["data"])] == page["data"]
                continue
            kept += [each["seq"] for each in page["data"]]
            cursor = page["next"]
    await seal(world)
    while (page := await asked(world, limit=100, since=cursor))["data"]:
        kept += [each["seq"] for each in page["data"]]
        cursor = page["next"]
    expected = await in_order(world, world.brand)
    assert kept == expected
    assert len(set(kept)) == len(kept) > 50
    assert {"late", "patchProduct"} <= {row.operation for row in await log(world) if row.seq in set(kept)}


async def test_both_faces_tell_the_same_and_continue_each_other(world: World) -> None:
    await name_it(world, "Oats")
    await run(world, "assignClaim", {"gtin": GTIN, "claimId": VEGAN, "source": "BRAND_SELF_DECLARED"})
    await run(world, "removeClaim", {"gtin": GTIN, "claimId": VEGAN})
    assert (await asked(world))["data"] == []
    await seal(world)
    rest, graphql = await asked(world), await asked_by_graphql(world)
    told = [(each["operation"], each["actor"], each["object_id"]) for each in rest["data"]]
    assert told == [(node["operation"], node["actor"], node["objectId"]) for node in graphql["nodes"]]
    assert [operation for operation, *_ in told][-3:] == ["patchProduct", "assignClaim", "removeClaim"]
    assert (
        rest["data"][-3]["changes"]
        == graphql["nodes"][-3]["changes"]
        == [{"path": ["name"], "before": "Oat drink", "after": "Oats"}]
    )
    assert rest["next"] == graphql["next"]
    first = await asked_by_graphql(world, "(first: 2)")
    assert (await asked(world, since=first["next"]))["data"] == rest["data"][2:]
    nothing = await asked_by_graphql(world, f'(after: "{rest["next"]}")')
    assert nothing == {"nodes": [], "next": rest["next"]}


async def test_each_sees_what_its_organisations_own(world: World) -> None:
    await world.add_certification(GTIN, OTHERS_PRIVATE)
    await run(world, "assignCertification", {"gtin": OTHERS_GTIN, "certificationId": OTHERS_PRIVATE}, who="rival")
    await seal(world)
    private = {
        row.object_id for row in await log(world) if (row.record or {}).get("certification_id") == OTHERS_PRIVATE
    }
    assert len(private) == 2
    own, others = (await asked(world))["data"], (await asked(world, "rival"))["data"]
    assert {each["gtin"] for each in own} == {GTIN}
    assert {each["gtin"] for each in others} == {OTHERS_GTIN}
    assert others[-1]["operation"] == "assignCertification"
    assert (await asked(world, "readonly"))["data"] == own
    assert not private & {each["object_id"] for each in own}
    assert len(own) == len(await in_order(world, world.brand)) - 1
    none = await asked(world, "publishable", wait=30)
    assert none["data"] == []
    assert (await asked_by_graphql(world, who="publishable"))["nodes"] == []
    assert await asked(world, "publishable", since=none["next"]) == none


async def test_who_waits_is_answered_when_there_is_something(world: World) -> None:
    await seal(world)
    end = (await asked(world))["next"]
    waiting = asyncio.create_task(asked(world, since=end, wait=30))
    await waited_for(1)
    await name_it(world, "Oats")
    await seal(world)
    found = await asyncio.wait_for(waiting, 20)
    assert [each["operation"] for each in found["data"]] == ["patchProduct"]
    assert WAITING.number == 0
    assert (await asked(world, since=found["next"], wait=1)) == {"data": [], "next": found["next"]}


async def test_waiting_ends_with_the_client(world: World) -> None:
    await seal(world)
    query = f"since={(await asked(world))['next']}&wait=30".encode()
    has_gone = asyncio.Event()

    async def receive() -> Any:
        await has_gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(f"Nobody is there who could be answered {message}.")

    scope = {
        "type": "http",
        "method": "GET",
        "path": PATH,
        "raw_path": PATH.encode(),
        "root_path": "",
        "query_string": query,
        "headers": [(b"x-api-key", world.keys["manager"].encode())],
        "client": ("127.0.0.1", 1),
        "server": ("certgate.test", 80),
        "scheme": "http",
        "http_version": "1.1",
    }

    async def answer() -> None:
        await world.app(scope, receive, send)

    answering = asyncio.create_task(answer())
    await waited_for(1)
    has_gone.set()
    await asyncio.wait_for(answering, 20)
    assert WAITING.number == 0


@pytest.mark.parametrize(("number", "by_one"), [(MOST_WAITING, False), (MOST_WAITING_OF_ONE, True)])
async def test_who_finds_no_room_to_wait_is_answered_at_once(world: World, number: int, by_one: bool) -> None:
    await seal(world)
    end = (await asked(world))["next"]
    with ExitStack() as stack:
        for at in range(number):
            stack.enter_context(WAITING.one(world.key_ids["manager"] if by_one else str(at)))
        assert (await asyncio.wait_for(asked(world, since=end, wait=30), 20))["data"] == []
        assert WAITING.number == number


@pytest.mark.parametrize("query", [{"since": "x"}, {"limit": 0}, {"limit": 101}, {"wait": 31}, {"wait": "long"}])
async def test_bad_questions_are_refused(world: World, query: dict[str, Any]) -> None:
    refused = await asked(world, **query)
    assert refused["error_code"] == "validation_error"
    assert [entry["loc"][-1] for entry in refused["details"]] == [*query]


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    document = "{ products(first: 1) { pageInfo { endCursor } } }"
    headers = {"X-API-Key": world.keys["manager"]}
    page = (await world.client.post("/graphql", json={"query": document}, headers=headers)).json()["data"]["products"]
    refused = await asked(world, since=page["pageInfo"]["endCursor"])
    assert refused["details"][0]["type"] == "cursor_order"


async def test_who_belongs_to_several_organisations_has_all_in_one_order(world: World) -> None:
    await seal(world)
    for number in (2, feed.MANY + 1):
        owners = [world.brand, world.rival, *(ShortId(str(at)) for at in range(number - 2))]
        found = await feed.behind(world.database, owners, [OTHERS_PRIVATE], 0, 100)
        positions = [position for position, _ in found]
        assert positions == sorted(positions)
        both = await in_order(world, world.brand) + await in_order(world, world.rival)
        assert sorted(change.seq for _, change in found) == sorted(both)
        assert await feed.behind(world.database, owners, [], positions[1], 2) == found[2:4]
