"""How much memory the largest answers take that the limits allow."""

import tracemalloc
from typing import Any

import pytest

from db.sql import tables
from domain.short_id import catalogue_id, new_short_id
from tests.world import NOON, World

QUERY = """query { certifications(first: 100) { nodes { label assignments(first: 100) {
    edges { cursor node { id isActive expirationDate } } pageInfo { hasNextPage } } } } }"""
MOST = 64 * 1024 * 1024
"""Bytes that one request may take at its height, answer included."""

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def full(world: World) -> World:
    """A hundred certifications, each on a hundred products."""
    gtins = [f"{number:013d}0" for number in range(1, 101)]
    async with world.database.write() as transaction:
        rows = [
            {
                "id": catalogue_id("certification", f"MANY_{number}"),
                "code": f"MANY_{number}",
                "label": f"0 many {number:03d}",
                "description": "",
                "url": "",
                "logo_url": None,
                "program": "",
                "standard": "",
                "organization_id": None,
                "body_id": None,
            }
            for number in range(100)
        ]
        await transaction.upsert(tables.certifications, rows, key="id")
    for gtin in gtins:
        await world.add_product(gtin, world.brand)
    for gtin in gtins:
        # In a transaction each, since none may be held for long.
        async with world.database.write() as transaction:
            await transaction.insert_missing(
                tables.certification_assignments,
                [
                    {
                        "gtin": gtin,
                        "certification_id": row["id"],
                        "id": new_short_id(NOON),
                        "metadata": {},
                        "certificate_number": "",
                        "issuing_body": "",
                        "verification_url": "",
                        "verification_status": "unverified",
                        "scope": "",
                        "certification_value": "",
                        "certificate_countries": [],
                        "created_at": NOON,
                        "updated_at": NOON,
                        "version": 1,
                    }
                    for row in rows
                ],
            )
    return world


async def ask(world: World) -> Any:
    response = await world.client.post(
        "/graphql",
        json={"query": QUERY, "extensions": {"cost": True}},
        headers={"X-API-Key": world.keys["readonly"]},
    )
    return response.json()


async def test_a_page_of_pages_takes_bounded_memory(full: World) -> None:
    peaks: list[int] = []
    answer: Any = None
    for _ in range(3):  # by graphql-core, then compiled
        tracemalloc.start()
        try:
            answer = await ask(full)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    cost = answer["extensions"]["cost"]
    assert 10_000 < cost["requested"] <= cost["limit"]
    nodes = answer["data"]["certifications"]["nodes"]
    assert sum(len(node["assignments"]["edges"]) for node in nodes) == 100 * 100
    print([f"{peak / 2**20:.1f} MiB" for peak in peaks])
    assert max(peaks) < MOST
