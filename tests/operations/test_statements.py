"""One level of one relation is one statement, whatever the number of parents: counted at the driver."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from threading import Barrier
from typing import Any

import pytest

from db import definitions
from db.engine.sqlite import SqliteDatabase
from tests.lent import heard
from tests.operations.faces import GraphQL, Rest
from tests.replicas import servers_of
from tests.world import FAIR_TRADE, GTIN, NON_GMO, USDA_ORGANIC, VEGAN, World

Statements = list[str]


async def _open_scanners(database: SqliteDatabase) -> None:
    """Has every thread that scans open its connection."""
    number = database._scanners._max_workers
    together = Barrier(number)

    def open_one() -> None:
        database._scanner()
        together.wait(10)

    loop = asyncio.get_running_loop()
    await asyncio.gather(*(loop.run_in_executor(database._scanners, open_one) for _ in range(number)))


@asynccontextmanager
async def _traced(world: World, note: Callable[[str], None]) -> AsyncIterator[None]:
    """Everything that the reading connections run."""
    database = world.database
    if isinstance(database, SqliteDatabase):
        await _open_scanners(database)
        for connection in database._readers:
            connection.set_trace_callback(note)
        yield
        for connection in database._readers:
            connection.set_trace_callback(None)
        return
    async with AsyncExitStack() as stack:
        # Sibling fields read at the same time, each on a connection of its own.
        for server in servers_of(database):
            await stack.enter_async_context(heard(server._readers, lambda record: note(record.query)))
        yield


@asynccontextmanager
async def statements(world: World) -> AsyncIterator[Statements]:
    """The SELECTs of the block, but for those that look whether what is held in memory is still right, or fill it."""
    seen: Statements = []

    def note(sql: str) -> None:
        if (
            sql.startswith(("SELECT", "WITH counted", "WITH asked", "WITH RECURSIVE asked"))
            and "api_keys" not in sql
            and "definition_changes" not in sql
            and "secrets" not in sql
            and "_lsn" not in sql
        ):
            seen.append(sql)

    await definitions.current(world.database)
    async with _traced(world, note):
        yield seen


@pytest.fixture
async def shelf(world: World) -> World:
    """25 products in all, each with two certifications and two claims."""
    gtins = [GTIN, *(f"{number:014d}" for number in range(7, 30))]
    for gtin in gtins[1:]:
        await world.add_product(gtin, world.brand)
        await world.add_certification(gtin, USDA_ORGANIC)
    face = Rest(world)
    for gtin in gtins:
        await world.add_certification(gtin, FAIR_TRADE)
        for claim in (NON_GMO, VEGAN):
            assert (await face.assign_claim(gtin, claim)).ok
    return world


RELATIONS = """gtin name
  certifications { certificateNumber certification { code body { name } } }
  claims { source claim { code } }"""


async def data(world: World, query: str) -> dict[str, Any]:
    body = await GraphQL(world).run(query, "manager")
    assert "errors" not in body
    found: dict[str, Any] = body["data"]
    return found


async def test_a_product_with_both_relations_is_3_statements_for_1_and_for_25(shelf: World) -> None:
    async with statements(shelf) as one:
        found = await data(shelf, f'{{ product(gtin: "{GTIN}") {{ {RELATIONS} }} }}')
    assert len(found["product"]["certifications"]) == len(found["product"]["claims"]) == 2
    async with statements(shelf) as many:
        found = await data(shelf, f"{{ products(first: 25) {{ nodes {{ {RELATIONS} }} }} }}")
    nodes = found["products"]["nodes"]
    assert len(nodes) == 25
    assert sum(len(node["certifications"]) for node in nodes) == 48
    assert len(one) == len(many) == 3


@pytest.mark.parametrize("first", [1, 5, 25])
async def test_the_way_back_to_the_product_is_one_statement_more_for_both_relations(shelf: World, first: int) -> None:
    async with statements(shelf) as seen:
        await data(
            shelf,
            f"""{{ products(first: {first}) {{ nodes {{
                   certifications {{ product {{ name }} }} claims {{ product {{ name }} }} }} }} }}""",
        )
    assert len(seen) == 4


async def test_every_further_level_is_one_statement(shelf: World) -> None:
    async with statements(shelf) as seen:
        await data(
            shelf,
            """{ products { nodes { certifications { product { claims { product { brand } } } } } } }""",
        )
    assert len(seen) == 5


async def test_fields_of_the_parents_alone_ask_for_nothing_more(shelf: World) -> None:
    async with statements(shelf) as seen:
        await data(shelf, "{ products { nodes { gtin name metadata } edges { cursor node { brand } } } }")
    assert len(seen) == 1


async def test_rest_lists_are_1_statement(shelf: World) -> None:
    rest = Rest(shelf)
    for read in (rest.certifications, rest.claims):
        async with statements(shelf) as seen:
            assert len((await read(GTIN)).facts) == 2
        # What a product holds says that the product is there.
        assert len(seen) == 1


async def test_no_parents_are_no_statement(shelf: World) -> None:
    async with statements(shelf) as seen:
        found = await data(shelf, f'{{ product(gtin: "40063813339314") {{ {RELATIONS} }} }}')
    assert found == {"product": None}
    assert len(seen) == 1
