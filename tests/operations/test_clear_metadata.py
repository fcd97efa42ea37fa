"""GraphQL clears metadata only where that is asked for by name: an empty map is what forms send for nothing."""

from typing import Any

import pytest

from db.sql import tables
from tests.operations.mutations import MUTATIONS, prepare, run
from tests.operations.test_dry_run import everything
from tests.world import GTIN, USDA_ORGANIC, World

PATCHES = [
    name for name in MUTATIONS if name.startswith("patch") and name not in ("patchMember", "patchView", "patchWebhook")
]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def target(name: str) -> dict[str, Any]:
    return {member: value for member, value in MUTATIONS[name].input.items() if member in IDENTITY}


IDENTITY = {"gtin", "claimId", "certificationId", "keyId"}


@pytest.mark.parametrize("name", PATCHES)
async def test_empty_metadata_are_refused_and_clear_metadata_clears(world: World, name: str) -> None:
    await prepare(world)
    await run(world, name, {**target(name), "metadata": {"a": "1"}})
    before = await everything(world)
    refusals: list[dict[str, Any]] = [{"metadata": {}}, {"metadata": {"b": "1"}, "clearMetadata": True}]
    for sent in refusals:
        refused = await run(world, name, {**target(name), **sent})
        assert [(entry["loc"], entry["type"]) for entry in refused["violations"]] == [
            (["input", "metadata"], "clear_metadata")
        ]
    nothing: list[dict[str, Any]] = [{}, {"clearMetadata": False}]
    for harmless in nothing:
        assert (await run(world, name, {**target(name), **harmless}))["changes"] == []
    assert await everything(world) == before
    cleared = await run(world, name, {**target(name), "clearMetadata": True})
    assert {"path": ["metadata", "a"], "before": "1", "after": None} in cleared["changes"]
    assert {change["path"][0] for change in cleared["changes"]} == {"metadata"}
    assert (await run(world, name, {**target(name), "clearMetadata": True, "metadata": {}}))["changes"] == []


@pytest.mark.parametrize("name", [name for name in PATCHES if name != "patchProduct"])
async def test_null_is_as_empty(world: World, name: str) -> None:
    await prepare(world)
    refused = await run(world, name, {**target(name), "metadata": None})
    assert refused["violations"][0]["type"] == "clear_metadata"


async def test_null_leaves_a_product_s_metadata(world: World) -> None:
    await run(world, "patchProduct", {"gtin": GTIN, "metadata": {"a": "1"}})
    assert (await run(world, "patchProduct", {"gtin": GTIN, "metadata": None}))["changes"] == []


async def test_rest_clears_as_its_contract_says(world: World) -> None:
    path = f"/certifications/api/v1/products/{GTIN}/certifications/{USDA_ORGANIC}"
    response = await world.client.patch(path, json={"metadata": {}}, headers={"X-API-Key": world.keys["manager"]})
    assert response.json()["metadata"] == {}
    assert len(await world.rows(tables.certification_assignments)) == 1
