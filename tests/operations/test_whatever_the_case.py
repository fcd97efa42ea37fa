"""Labels, names and brands are found and ordered whatever their case, on both faces and both databases alike."""

from typing import Any

import pytest

from db.sql import tables
from domain.short_id import catalogue_id, new_short_id
from tests.operations.faces import GraphQL
from tests.world import GTIN, NOON, World

# As they are ordered: neither by code point nor by how a database folds.
LABELS = ["Non-GMO", "rBST free", "STRASSE 1", "Straße 2", "Vegan", "Without pork", "élan", "Émeraude"]
BRANDS = ["", "acme", "Ferrero", "FERRERO Rocher", "ferrum", "Zott", "ÉLAN"]
PRODUCTS = [f"{number:014d}" for number in range(1, len(BRANDS) + 1)]


@pytest.fixture
async def shelf(world: World) -> World:
    """Claims with those labels, all of which one product makes, and a product of each brand."""
    async with world.database.write() as transaction:
        for label in {*LABELS} - {"Non-GMO", "Vegan"}:
            row: dict[str, Any] = {"id": catalogue_id("claim", label), "code": label, "label": label}
            row |= {"category": "DIETARY", "requires_definition": False, "description": ""}
            await transaction.insert_missing(tables.claims, [row])
    for gtin, brand in zip(PRODUCTS, reversed(BRANDS), strict=True):
        await world.add_product(gtin, world.brand, brand=brand)
    async with world.database.write() as transaction:
        stored = [row[0] for row in await world.rows(tables.claims)]
        for id in stored:
            claimed = {"gtin": GTIN, "claim_id": id, "id": new_short_id(NOON), "metadata": {}, "version": 1}
            claimed |= {"source": "BRAND_SELF_DECLARED", "evidence_url": "", "evidence_note": ""}
            await transaction.insert(tables.claim_assignments, {**claimed, "created_at": NOON, "updated_at": NOON})
    return world


async def get(world: World, path: str) -> Any:
    response = await world.client.get(path, headers={"X-API-Key": world.keys["readonly"]})
    assert response.status_code == 200, response.text
    return response.json()


async def ask(world: World, query: str, **variables: Any) -> Any:
    body = await GraphQL(world).run(query, "readonly", variables)
    assert "errors" not in body, body
    return body["data"]


async def test_labels_are_ordered(shelf: World) -> None:
    claims = "/certifications/api/v1/claims"
    assert [item["label"] for item in (await get(shelf, claims))["data"]] == LABELS
    assert [item["label"] for item in (await get(shelf, f"{claims}?ordering=-label"))["data"]] == LABELS[::-1]
    of_product = await get(shelf, f"/certifications/api/v1/products/{GTIN}/claims")
    assert [item["label"] for item in of_product] == LABELS
    product = (await ask(shelf, f'{{ product(gtin: "{GTIN}") {{ claims {{ claim {{ label }} }} }} }}'))["product"]
    assert [item["claim"]["label"] for item in product["claims"]] == LABELS
    # In pages of one, from either end.
    query = """query ($after: String, $first: Int, $before: String, $last: Int) {
      claims(first: $first, after: $after, last: $last, before: $before) {
        nodes { label } pageInfo { startCursor endCursor } } }"""
    for size, cursor, end, order in (("first", "after", "endCursor", 1), ("last", "before", "startCursor", -1)):
        seen: list[str] = []
        place: str | None = None
        while (page := (await ask(shelf, query, **{size: 1, cursor: place}))["claims"])["nodes"]:
            seen.append(page["nodes"][0]["label"])
            place = page["pageInfo"][end]
        assert seen == LABELS[::order]


@pytest.mark.parametrize(
    ("where", "brands"),
    [
        ('{brand: {startsWith: "FER"}}', ["Ferrero", "FERRERO Rocher", "ferrum"]),
        ('{brand: {startsWith: "fer"}}', ["Ferrero", "FERRERO Rocher", "ferrum"]),
        ('{brand: {eq: "FERRERO"}}', ["Ferrero"]),
        ('{brand: {in: ["élan", "ZOTT"]}}', ["Zott", "ÉLAN"]),
        ('{brand: {eq: ""}}', [""]),
        ('{not: {or: [{brand: {startsWith: "F"}}, {brand: {eq: "ACME"}}]}}', ["", "Zott", "ÉLAN"]),
    ],
)
async def test_brands_are_found_and_ordered(shelf: World, where: str, brands: list[str]) -> None:
    query = f"{{ products(where: {where}, orderBy: {{field: BRAND}}) {{ nodes {{ brand }} totalCount }} }}"
    found = (await ask(shelf, query))["products"]
    assert [item["brand"] for item in found["nodes"]] == brands
    assert found["totalCount"] == len(brands)


async def test_brands_are_found_and_ordered_on_rest(shelf: World) -> None:
    items = "/products/api/v1/trade-items"
    found = await get(shelf, f"{items}?brand=fErReRo")
    assert [item["brand"] for item in found["data"]] == ["Ferrero"]
    assert found["pagination"]["total_count"] == 1
    ordered = [item["brand"] for item in (await get(shelf, f"{items}?ordering=brand"))["data"]]
    assert [brand for brand in ordered if brand != "Acme"] == BRANDS


async def test_a_changed_brand_is_found_by_its_new_name(shelf: World) -> None:
    response = await shelf.client.patch(
        f"/products/api/v1/products/{PRODUCTS[0]}",
        json={"brand": "Größe"},
        headers={"X-API-Key": shelf.keys["manager"]},
    )
    assert response.status_code == 200, response.text
    found = await get(shelf, "/products/api/v1/trade-items?brand=GRÖSSE")
    assert [item["gtin"] for item in found["data"]] == [PRODUCTS[0]]
