"""Lists of definitions and products in numbered pages: contract C1, C3, C5 and 8. REST's own; GraphQL has cursors."""

from typing import Any

import pytest

from tests.world import BODY, GTIN, NON_GMO, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, World

CERTIFICATIONS = "/certifications/api/v1"
PRODUCTS = "/products/api/v1"


async def get(world: World, path: str, key: str = "readonly") -> Any:
    response = await world.client.get(path, headers={"X-API-Key": world.keys[key]})
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("/certifications", ["Brand's own seal", "Fair Trade USA", "USDA Organic"]),
        ("/certifications?ordering=-label", ["USDA Organic", "Fair Trade USA", "Brand's own seal"]),
        ("/certifications?ordering=code", ["Brand's own seal", "Fair Trade USA", "USDA Organic"]),
        ("/certifications?label=usa", ["Fair Trade USA"]),
        ("/certifications?code=usda_organic", ["USDA Organic"]),
        ("/certifications?code=USDA", []),
        (f"/certifications?certification_body_id={BODY}", ["USDA Organic"]),
        (f"/certifications?certification_body_id={BODY}&label=fair", []),
        ("/certifications?label=rival", []),
        ("/claims", ["Non-GMO", "Vegan"]),
        ("/claims?ordering=-code", ["Vegan", "Non-GMO"]),
        ("/claims?category=DIETARY", ["Vegan"]),
        ("/claims?label=GMO&category=DIETARY", []),
    ],
)
async def test_definitions_are_filtered_and_ordered(world: World, path: str, labels: list[str]) -> None:
    page = await get(world, CERTIFICATIONS + path)
    assert [item["label"] for item in page["data"]] == labels
    assert page["pagination"]["total_count"] == len(labels)


async def test_bodies(world: World) -> None:
    page = await get(world, f"{CERTIFICATIONS}/certification-bodies?name=AGRI")
    assert [item["id"] for item in page["data"]] == [BODY]
    assert set(page["data"][0]) == {"id", "name", "website", "description", "logo_url"}
    assert (await get(world, f"{CERTIFICATIONS}/certification-bodies?name=nobody"))["data"] == []


async def test_private_definitions_are_in_nobody_elses_list_or_count(world: World) -> None:
    own = await get(world, f"{CERTIFICATIONS}/certifications")
    other = await get(world, f"{CERTIFICATIONS}/certifications", key="rival")
    assert PRIVATE in {item["id"] for item in own["data"]}
    assert PRIVATE not in {item["id"] for item in other["data"]}
    assert other["pagination"]["total_count"] == 3


async def test_the_envelope_counts_pages(world: World) -> None:
    first = await get(world, f"{CERTIFICATIONS}/certifications?page_size=2")
    assert first["pagination"] == {
        "page": 1,
        "page_size": 2,
        "total_count": 3,
        "total_pages": 2,
        "has_next": True,
        "has_previous": False,
    }
    last = await get(world, f"{CERTIFICATIONS}/certifications?page_size=2&page=2")
    assert [item["id"] for item in last["data"]] == [USDA_ORGANIC]
    assert (last["pagination"]["has_next"], last["pagination"]["has_previous"]) == (False, True)
    beyond = await get(world, f"{CERTIFICATIONS}/certifications?page_size=2&page=9")
    assert (beyond["data"], beyond["pagination"]["total_count"]) == ([], 3)


@pytest.mark.parametrize(
    ("path", "member"),
    [
        (f"{CERTIFICATIONS}/certifications?page=0", "page"),
        (f"{CERTIFICATIONS}/certifications?page=x", "page"),
        (f"{CERTIFICATIONS}/claims?page_size=101", "page_size"),
        (f"{CERTIFICATIONS}/claims?page_size=0", "page_size"),
        (f"{CERTIFICATIONS}/claims?ordering=id", "ordering"),
        (f"{CERTIFICATIONS}/claims?category=FOOD", "category"),
        (f"{CERTIFICATIONS}/certifications?certification_body_id=1", "certification_body_id"),
        (f"{CERTIFICATIONS}/certification-bodies?ordering=label", "ordering"),
        (f"{PRODUCTS}/products", "organization_id"),
        (f"{PRODUCTS}/trade-items?data_source=hearsay", "data_source"),
        (f"{PRODUCTS}/trade-items?country_of_origin=USA", "country_of_origin"),
        (f"{PRODUCTS}/trade-items?country_of_origin=%00%00", "country_of_origin"),
        (f"{PRODUCTS}/trade-items?page=99999999999999999999", "page"),
    ],
)
async def test_a_bad_parameter_is_named(world: World, path: str, member: str) -> None:
    response = await world.client.get(path, headers={"X-API-Key": world.keys["readonly"]})
    assert response.status_code == 422
    assert [entry["loc"][1] for entry in response.json()["details"]] == [member]


@pytest.mark.parametrize(
    ("query", "gtins"),
    [
        ("", [GTIN, OTHERS_GTIN]),
        ("?ordering=-product_name", [OTHERS_GTIN, GTIN]),
        ("?q=soy", [OTHERS_GTIN]),
        ("?q=%25", []),
        ("?q=0614141", [OTHERS_GTIN]),
        ("?brand=Acme&q=oat", [GTIN]),
        ("?brand=ACME", [GTIN, OTHERS_GTIN]),
        ("?brand=acm", []),
        ("?is_claimed=true", [GTIN, OTHERS_GTIN]),
        ("?is_claimed=false", []),
        ("?country_of_origin=US&data_source=claimed", [GTIN, OTHERS_GTIN]),
        ("?country_of_origin=CA", []),
        ("?category_id=1", []),
        ("?ordering=created", [GTIN, OTHERS_GTIN]),
        ("?ordering=-confidence_score&page_size=1&page=2", [GTIN]),
    ],
)
async def test_trade_items_are_filtered_and_ordered(world: World, query: str, gtins: list[str]) -> None:
    page = await get(world, f"{PRODUCTS}/trade-items{query}")
    assert [item["gtin"] for item in page["data"]] == gtins


async def test_a_products_lists_in_pages_hold_the_same_items(world: World) -> None:
    await world.client.post(
        f"{CERTIFICATIONS}/products/{GTIN}/claims",
        json={"claim_id": NON_GMO},
        headers={"X-API-Key": world.keys["manager"]},
    )
    for kind in ("certifications", "claims"):
        bare = await get(world, f"{CERTIFICATIONS}/products/{GTIN}/{kind}")
        page = await get(world, f"{PRODUCTS}/products/0-00123-45678905/{kind}")
        assert page["data"] == bare
        assert page["pagination"]["total_count"] == len(bare) == 1


async def test_a_product_with_everything(world: World) -> None:
    shown = await get(world, f"{CERTIFICATIONS}/products/{GTIN}")
    assert (shown["gtin"], shown["product_name"]) == (GTIN, "Oat drink")
    assert [item["id"] for item in shown["certifications"]] == [USDA_ORGANIC]
    trade_item = await get(world, f"{PRODUCTS}/trade-items/{GTIN}")
    assert "certifications" not in trade_item
    assert trade_item == await get(world, f"{PRODUCTS}/products/{GTIN}")
