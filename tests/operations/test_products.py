"""Making and changing products: contract 8."""

import asyncio
from typing import Any

import pytest

from db.sql import tables
from tests.operations.faces import Face
from tests.world import GTIN, OTHERS_GTIN, World

NEW = "04006381333931"
EVERYTHING: dict[str, Any] = {
    "product_name": "Pencil",
    "brand": "Stabilo",
    "manufacturer": "Schwan-Stabilo",
    "description": "Graphite.",
    "country_of_origin": "DE",
    "net_content": "1 piece",
    "image_url": "https://example.org/pencil.png",
    "metadata": {"sku": "1"},
}


async def test_a_product_is_made_and_belongs_to_the_caller(face: Face, world: World) -> None:
    outcome = await face.create_product("4006381333931", ingredients="wood", **EVERYTHING)
    assert {name: outcome.facts[name] for name in EVERYTHING} == EVERYTHING
    assert (outcome.facts["gtin"], outcome.facts["data_source"]) == (NEW, "claimed")
    assert (await face.patch_product(NEW, brand="Other")).ok
    assert (await face.patch_product(NEW, key="rival", brand="Mine")).code == "forbidden"


async def test_of_24_at_once_one_wins(face: Face, world: World) -> None:
    outcomes = await asyncio.gather(*(face.create_product(NEW) for _ in range(24)))
    assert [outcome.status for outcome in outcomes if not outcome.ok] == [409] * 23


async def test_a_product_of_another_organisation_is_a_conflict_too(face: Face) -> None:
    assert (await face.create_product(OTHERS_GTIN)).code == "conflict"


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"gtin": "4006381333930"}, {"gtin"}),
        ({"gtin": "400638133393"}, {"gtin"}),
        ({"gtin": "123456789"}, {"gtin"}),
        ({"gtin": "00000000000000"}, {"gtin"}),
        ({"gtin": "x"}, {"gtin"}),
        ({"product_name": "x" * 256, "country_of_origin": "de"}, {"product_name", "country_of_origin"}),
        ({"image_url": "data:,", "metadata": {"a": 1}}, {"image_url", "metadata.a"}),
    ],
)
async def test_bad_input_names_every_bad_member_and_stores_nothing(
    face: Face, world: World, members: dict[str, Any], named: set[str]
) -> None:
    before = await world.rows(tables.products)
    outcome = await face.create_product(**{"gtin": NEW, **members})
    assert (outcome.status, outcome.named()) == (422, named)
    assert await world.rows(tables.products) == before


@pytest.mark.parametrize("key", ["readonly", "publishable"])
async def test_a_key_that_only_reads_makes_none(face: Face, world: World, key: str) -> None:
    before = await world.rows(tables.products)
    assert (await face.create_product(NEW, key=key)).code == "forbidden"
    assert (await face.patch_product(GTIN, key=key, brand="x")).code == "forbidden"
    assert await world.rows(tables.products) == before


async def test_null_leaves_a_member_as_it_is_and_empty_empties_it(face: Face) -> None:
    before = (await face.create_product(NEW, **EVERYTHING)).facts
    nothing: dict[str, Any] = dict.fromkeys(EVERYTHING)
    assert (await face.patch_product(NEW, **nothing)).facts == before
    outcome = await face.patch_product(NEW, description="", metadata={})
    assert outcome.facts == {**before, "description": "", "metadata": {}}


async def test_a_gtin_may_be_written_with_hyphens_and_blanks(face: Face) -> None:
    assert (await face.create_product("4-006381-33393-1")).ok
    assert (await face.patch_product("4 006381 333931", brand="x")).ok


async def test_a_changed_name_is_found_by_its_new_words(face: Face, world: World) -> None:
    await face.patch_product(GTIN, product_name="Straße 7", metadata={"k": "v"})
    headers = {"X-API-Key": world.keys["readonly"]}
    answer = await world.client.get("/products/api/v1/trade-items?q=STRASSE", headers=headers)
    assert [item["gtin"] for item in answer.json()["data"]] == [GTIN]


async def test_an_organisation_lists_its_own(world: World) -> None:
    headers = {"X-API-Key": world.keys["readonly"]}

    async def listed(organization: str) -> Any:
        url = f"/products/api/v1/products?organization_id={organization}"
        return await world.client.get(url, headers=headers)

    own = (await listed(world.brand)).json()
    assert [item["gtin"] for item in own["data"]] == [GTIN]
    assert own["data"][0]["owner_id"] == world.brand
    assert (await listed(world.rival)).status_code == 403
