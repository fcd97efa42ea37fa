"""Tables that lie on several servers: what is asked of them, and what becomes of those whose server is dead or frozen.

On partitions by the hash of the GTIN, and on a real Citus where CERTGATE_TEST_CITUS_URL names an empty database of one,
which is emptied afterwards. CERTGATE_TEST_LAYOUT=sharded has all other tests use such partitions on PostgreSQL.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx2
import pytest
from sqlalchemy import make_url

from db.engine.database import Pace, UnusableDatabase
from db.engine.opening import open_database
from db.engine.shards import SEVERAL, Placement, hash_of
from db.migrate import downgrade
from db.sharding import distribute, distributed
from db.sql.tables import metadata
from gateway.app import create_app
from tests.conftest import SETTINGS
from tests.moving import rows_for
from tests.postgresql import Databases
from tests.processes import certgate, succeeded
from tests.served import until
from tests.world import FAIR_TRADE, GTIN, USDA_ORGANIC, World, populate

CITUS = os.environ.get("CERTGATE_TEST_CITUS_URL", "")


@pytest.fixture(scope="module")
def partitioned(postgresql_server: str) -> Iterator[Databases]:
    """Databases whose tables are partitioned."""
    with Databases(postgresql_server, sharded=True) as databases:
        yield databases


@pytest.fixture(params=["partitions", "citus"])
def sharded_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database with sharded tables."""
    if request.param == "partitions":
        with request.getfixturevalue("partitioned").migrated() as url:
            yield url
        return
    if not CITUS:
        pytest.skip("CERTGATE_TEST_CITUS_URL names no Citus")
    succeeded("migrate", CERTGATE_DATABASE_URL=CITUS)
    assert "32 shards each of " in succeeded("distribute", CERTGATE_DATABASE_URL=CITUS)
    yield CITUS
    asyncio.run(downgrade(CITUS, "base"))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[World]:
    """The application on such a database."""
    database = await open_database(url, Pace(period=3600, bound=7200))
    assert database.sharded
    async with World(create_app(SETTINGS.model_copy(update={"database_url": url}), database), database) as world:
        yield world
    await database.close()


@pytest.fixture
async def world(sharded_url: str) -> AsyncIterator[World]:
    async with opened(sharded_url) as world:
        await populate(world)
        yield world


def held(gtin: str = GTIN) -> str:
    return f"/certifications/api/v1/products/{gtin}/certifications"


async def post(world: World, path: str, body: dict[str, Any]) -> httpx2.Response:
    return await world.client.post(path, json=body, headers={"X-API-Key": world.keys["manager"]})


async def get(world: World, path: str) -> httpx2.Response:
    return await world.client.get(path, headers={"X-API-Key": world.keys["manager"]})


async def ask(world: World, query: str) -> Any:
    headers = {"X-API-Key": world.keys["manager"]}
    response = await world.client.post("/graphql", json={"query": query}, headers=headers)
    assert response.status_code == 200, response.text
    assert "errors" not in response.json(), response.text
    return response.json()["data"]


def test_everything_with_the_gtin_in_its_key_is_spread_and_what_triggers_write_to_comes_first() -> None:
    names = distributed()
    assert {"products", "certification_assignments", "claim_assignments", "product_metadata"} <= {*names}
    assert names.index("products") < names.index("certification_assignments")
    assert max(names.index(name) for name in names if name.endswith(("metadata", "countries"))) < names.index(
        "products"
    )


async def test_of_those_who_assign_the_same_at_once_one_does(world: World) -> None:
    body = {"certification_id": FAIR_TRADE}
    answers = await asyncio.gather(*(post(world, held(), body) for _ in range(24)))
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [201] + [409] * 23
    assert (await post(world, held(), body)).status_code == 409


async def test_an_idempotency_key_lies_with_its_product(world: World) -> None:
    async def send(gtin: str) -> httpx2.Response:
        headers = {"X-API-Key": world.keys["manager"], "Idempotency-Key": "one"}
        return await world.client.post(held(gtin), json={"certification_id": FAIR_TRADE}, headers=headers)

    first = await asyncio.gather(*(send(GTIN) for _ in range(8)))
    assert {answer.status_code for answer in first} == {201}
    assert len({answer.text for answer in first}) == 1
    kept = await world.rows(metadata.tables["idempotency_keys"])
    assert [row[1] for row in kept] == [GTIN]
    # A refusal keeps none.
    assert (await send(DEAD)).status_code == 404
    assert len(await world.rows(metadata.tables["idempotency_keys"])) == 1


async def test_rows_that_are_there_are_not_counted_as_new(world: World) -> None:
    table = metadata.tables["products"]
    rows = [row | {"organization_id": world.brand} for row in rows_for(table, 6, 1)]
    async with world.database.write() as transaction:
        assert await transaction.insert_missing(table, rows[:4]) == 4
    async with world.database.write() as transaction:
        assert await transaction.insert_missing(table, rows) == 2


async def test_lists_below_definitions_have_the_first_of_each(world: World) -> None:
    gtins = [f"{number:014}" for number in range(9)]
    for gtin in gtins:
        await world.add_product(gtin, world.brand)
        await world.add_certification(gtin, USDA_ORGANIC)
        await world.add_certification(gtin, FAIR_TRADE)
    query = f"""{{ nodes(ids: ["{USDA_ORGANIC}", "{FAIR_TRADE}"]) {{ ... on Certification {{
      assignments(first: 3, orderBy: {{field: GTIN}}) {{ nodes {{ gtin }} pageInfo {{ hasNextPage }} }} }} }} }}"""
    for node in (await ask(world, query))["nodes"]:
        found = node["assignments"]
        assert [each["gtin"] for each in found["nodes"]] == gtins[:3]
        assert found["pageInfo"] == {"hasNextPage": True}


DEAD, FROZEN = "00000000000017", "00000000000024"
# What Citus says of a server that is gone, and a server that says nothing; and how often they were asked.
BROKEN = f"""
CREATE SEQUENCE asked;
CREATE FUNCTION is_alive(gtin text) RETURNS boolean VOLATILE LANGUAGE plpgsql AS $$ BEGIN
  IF gtin IN ('{DEAD}', '{FROZEN}') THEN PERFORM nextval('asked'); END IF;
  IF gtin = '{DEAD}' THEN
    RAISE EXCEPTION 'connection to the remote node failed' USING ERRCODE = '08006';
  END IF;
  IF gtin = '{FROZEN}' THEN PERFORM pg_sleep(60); END IF;
  RETURN true;
END $$;
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
CREATE POLICY alive ON products USING (is_alive(gtin));
CREATE ROLE caller LOGIN;
GRANT ALL ON ALL TABLES IN SCHEMA public TO caller;
GRANT ALL ON SEQUENCE asked TO caller;
"""


@pytest.fixture
def partitioned_url(partitioned: Databases) -> Iterator[str]:
    with partitioned.migrated() as url:
        yield url


@pytest.fixture
async def broken(partitioned_url: str) -> AsyncIterator[tuple[World, asyncpg.Connection]]:
    """The application as somebody for whom two products lie on servers that are dead and frozen."""
    async with opened(partitioned_url) as world:
        await populate(world)
        for gtin in (DEAD, FROZEN):
            await world.add_product(gtin, world.brand)
        keys = world.keys
    connection = await asyncpg.connect(partitioned_url)
    await connection.execute(BROKEN)
    as_caller = make_url(partitioned_url).set(username="caller").render_as_string(hide_password=False)
    async with opened(as_caller) as world:
        world.keys |= keys
        yield world, connection
    await connection.execute("DROP OWNED BY caller; DROP ROLE caller")
    await connection.close()


async def connections(connection: asyncpg.Connection) -> set[int]:
    """The connections that callers have."""
    found = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE usename = 'caller'")
    return {pid for (pid,) in found}


async def test_a_dead_server_fails_those_alone_whose_product_it_has(
    broken: tuple[World, asyncpg.Connection],
) -> None:
    world, connection = broken
    dead, living = f"/products/api/v1/products/{DEAD}", f"/products/api/v1/products/{GTIN}"
    assert (await get(world, living)).status_code == 200
    before = await connections(connection)
    refused = await get(world, dead)
    assert (refused.status_code, refused.json()["error_code"]) == (503, "service_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    # It was asked once, on a connection that stays: another one would lead to the same server.
    assert await connection.fetchval("SELECT last_value FROM asked") == 1
    assert (await post(world, held(DEAD), {"certification_id": FAIR_TRADE})).status_code == 503
    assert await connection.fetchval("SELECT last_value FROM asked") == 2
    assert before <= await connections(connection)
    # Those who ask at once share statements, and still each has its own answer.
    paths = [living, dead] * 24
    answers = await asyncio.gather(*(get(world, path) for path in paths))
    assert {path: answer.status_code for path, answer in zip(paths, answers, strict=True)} == {living: 200, dead: 503}
    assert [answer.status_code for answer in answers] == [200, 503] * 24
    writes = await asyncio.gather(
        *(post(world, held(gtin), {"certification_id": FAIR_TRADE}) for gtin in (DEAD, GTIN, DEAD, DEAD))
    )
    assert [answer.status_code for answer in writes] == [503, 201, 503, 503]
    assert before <= await connections(connection)


async def test_a_frozen_server_holds_those_alone_who_ask_it(
    broken: tuple[World, asyncpg.Connection],
) -> None:
    world, _ = broken
    placement = world.database._placement  # type: ignore[attr-defined]
    server = placement.server_of([FROZEN])
    gtins = (f"{number:014}" for number in range(100, 1000))
    elsewhere = next(gtin for gtin in gtins if placement.server_of([gtin]) != server)
    frozen, missing = f"/products/api/v1/products/{FROZEN}", f"/products/api/v1/products/{elsewhere}"
    waiting = [asyncio.create_task(get(world, frozen)) for _ in range(30)]
    await until(lambda: placement.turn(server)._value < 4)
    # It sleeps for a minute, and others are answered meanwhile.
    for _ in range(20):
        assert (await get(world, missing)).status_code == 404
    assert not any(each.done() for each in waiting)
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {503}


async def test_a_product_is_looked_for_where_citus_has_it(postgresql_server: str) -> None:
    connection = await asyncpg.connect(postgresql_server)
    texts = ["0123456789äß"[:length] * times for length in range(13) for times in range(4)] + [GTIN, DEAD, FROZEN]
    found = await connection.fetchval("SELECT array_agg(hashtext(each)) FROM unnest($1::text[]) AS each", texts)
    await connection.close()
    assert [*map(hash_of, texts)] == found
    placement = Placement([(-(2**31), 1), (0, 2)], 8)
    assert {gtin: placement.server_of([gtin]) for gtin in texts} == {gtin: 1 + (hash_of(gtin) >= 0) for gtin in texts}
    assert placement.server_of(texts) == SEVERAL


async def test_distribute_refuses_what_it_cannot_spread(database_url: str, empty_postgresql_url: str) -> None:
    done = certgate("distribute", "--shards", "4", CERTGATE_DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (1, "")
    said = "SQLite is one file: " if database_url.startswith("sqlite") else "The database has no Citus: "
    assert done.stderr.startswith(f"certgate: {said}")
    with pytest.raises(UnusableDatabase, match="The database is empty, and is spread at revision"):
        await distribute(empty_postgresql_url, 4)
