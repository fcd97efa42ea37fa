"""Requests at the same time, whose reads share statements on PostgreSQL: each caller sees what is its own to see."""

import asyncio

import pytest

from db.engine.postgresql import PostgresqlDatabase
from tests.operations.faces import Face, GraphQL
from tests.operations.test_statements import statements
from tests.world import GTIN, OTHERS_GTIN, OTHERS_PRIVATE, PRIVATE, USDA_ORGANIC, World

CALLERS = ("manager", "rival", "readonly", "publishable")
OWN, OTHERS = "Brand's own seal", "Rival's own seal"


@pytest.fixture
async def shelf(world: World) -> World:
    """Two products with the private certifications of both organisations and a public one."""
    await world.add_certification(OTHERS_GTIN, USDA_ORGANIC)
    for gtin in (GTIN, OTHERS_GTIN):
        for private in (PRIVATE, OTHERS_PRIVATE):
            await world.add_certification(gtin, private)
    return world


async def test_private_definitions_show_to_their_own_organisation_whoever_reads_beside_it(
    shelf: World, face: Face
) -> None:
    requests = [(gtin, caller) for gtin in (GTIN, OTHERS_GTIN) for caller in CALLERS]
    alone = {request: (await face.certifications(*request)).facts for request in requests}
    for (_, caller), facts in alone.items():
        assert (OWN in str(facts), OTHERS in str(facts)) == (caller in ("manager", "readonly"), caller == "rival")
    async with statements(shelf) as seen:
        found = await asyncio.gather(*(face.certifications(*request) for request in requests * 5))
    assert [outcome.facts for outcome in found] == [alone[request] for request in requests * 5]
    shared = isinstance(shelf.database.database, PostgresqlDatabase)
    assert len(seen) < len(found) if shared else len(seen) >= len(found)


async def test_each_document_gets_the_members_and_the_products_that_it_names(shelf: World) -> None:
    face = GraphQL(shelf)
    documents = [
        f'{{ product(gtin: "{gtin}") {{ {members} certifications {{ certification {{ label }} }} }} }}'
        for gtin in (GTIN, OTHERS_GTIN, "40063813339314")
        for members in ("name", "gtin brand", "id")
    ]
    requests = [(document, caller) for document in documents for caller in CALLERS]
    alone = [await face.run(*request) for request in requests]
    # By now each document is compiled.
    assert await asyncio.gather(*(face.run(*request) for request in requests)) == alone
