"""What stands in a query: known parameters once each, written as in JSON; unknown ones as the client prefers."""

from typing import Any

import pytest

from db.sql import tables
from rest_compat.endpoint import Endpoint
from rest_compat.routes import ENDPOINTS
from tests.operations.mutations import SPARE_PEOPLE, add_people, give_ends, take_on
from tests.world import BODY, FAIR_TRADE, GTIN, IMPORT, NON_GMO, USDA_ORGANIC, VEGAN, World

API = "/certifications/api/v1"
HELD = f"{API}/products/{GTIN}/certifications"
CLAIMED = f"{API}/products/{GTIN}/claims"
ITEMS = "/products/api/v1/trade-items"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def send(world: World, method: str, path: str, body: Any = None, prefer: str | None = "handling=strict") -> Any:
    headers = {"X-API-Key": world.keys["manager"], **({} if prefer is None else {"Prefer": prefer})}
    return await world.client.request(method, path, headers=headers, **({} if body is None else {"json": body}))


def wrong(response: Any) -> list[tuple[list[str], str]]:
    return [(entry["loc"], entry["type"]) for entry in response.json()["details"]]


def filled(world: World, endpoint: Endpoint) -> str:
    """The path of an endpoint, and what has to be asked there."""
    ids = {"id": NON_GMO, "gtin": GTIN, "certification_id": USDA_ORGANIC, "claim_id": NON_GMO}
    if "bodies" in endpoint.path:
        ids["id"] = BODY
    elif "/imports/" in endpoint.path:
        ids["id"] = IMPORT
    elif "certifications/{id}" in endpoint.path:
        ids["id"] = FAIR_TRADE
    spare = {"user_id" if name == "member" else f"{name}_id": id for name, id in SPARE_PEOPLE.items()}
    path = endpoint.path.format(**ids, **spare, organization_id=world.brand, key_id=world.key_ids["readonly"])
    return path + (f"?organization_id={world.brand}&" if "organization_id" in endpoint.parameters else "?")


async def test_every_endpoint_refuses_strictly_what_it_does_not_know(world: World) -> None:
    """Reads and writes, with and without parameters of their own; nothing is done."""
    await send(world, "POST", CLAIMED, {"claim_id": NON_GMO})
    watched = (tables.certification_assignments, tables.claim_assignments, tables.products, tables.api_keys)
    before = [await world.rows(table) for table in watched]
    for endpoint in ENDPOINTS:
        path = f"{filled(world, endpoint)}search=organic&label[]=&nothing="
        body = None if endpoint.body is None else {"name": "x", "claim_id": VEGAN, "gtin": "04006381333931"}
        answer = await send(world, endpoint.method, path, body)
        assert answer.status_code == 422, path
        assert answer.headers["preference-applied"] == "handling=strict"
        assert wrong(answer) == [(["query", name], "extra_forbidden") for name in ("search", "label[]", "nothing")], (
            path
        )
    assert [await world.rows(table) for table in watched] == before


async def test_every_read_takes_what_it_knows_and_those_of_the_contract_ignore_the_rest_by_default(
    world: World,
) -> None:
    await send(world, "POST", CLAIMED, {"claim_id": NON_GMO})
    await give_ends(world, GTIN)
    await take_on(world, GTIN)
    async with world.database.write() as transaction:
        await add_people(transaction, world, "spare")
    for endpoint in ENDPOINTS:
        # The rows of the world's import are forgotten.
        if endpoint.method == "GET" and endpoint.name not in ("get_refused_rows", "get_import_report"):
            path = filled(world, endpoint)
            lenient = await send(world, "GET", f"{path}search=organic&label[]=&search=x", prefer=None)
            assert (lenient.status_code, "preference-applied" in lenient.headers) == (
                422 if endpoint.is_ours else 200,
                False,
            ), path
            known = "page=1&page_size=2" if "page" in endpoint.parameters else ""
            assert (await send(world, "GET", f"{path}{known}")).status_code == 200, path
    applied = await send(world, "GET", f"{HELD}?is_active=true")
    assert applied.headers["preference-applied"] == "handling=strict"


async def test_a_day_is_taken_or_refused_and_never_passed_over(world: World) -> None:
    await send(world, "POST", CLAIMED, {"claim_id": NON_GMO})
    for endpoint in ENDPOINTS:
        if "as_of" in endpoint.parameters:
            continue
        body = None if endpoint.body is None else {"name": "x", "claim_id": VEGAN, "gtin": "04006381333931"}
        path = f"{filled(world, endpoint)}as_of=2026-01-01&known_at=2026-01-01T00:00:00Z"
        answer = await send(world, endpoint.method, path, body, prefer=None)
        assert answer.status_code == 422, path
        assert wrong(answer) == [(["query", name], "extra_forbidden") for name in ("as_of", "known_at")], path
    await send(world, "PATCH", f"{HELD}/{USDA_ORGANIC}", {"valid_from": "2026-01-01", "expiration_date": "2026-01-31"})
    stood = [
        (await send(world, "GET", f"{HELD}/{USDA_ORGANIC}/standing?as_of={day}", prefer=None)).json()["standing"]
        for day in ("2025-12-31", "2026-01-31", "2026-02-01")
    ]
    assert stood == ["not_yet", "current", "lapsed"]


async def test_unknown_parameters_are_named_beside_bad_ones(world: World) -> None:
    answer = await send(world, "GET", f"{API}/products/x/certifications?is_active=perhaps&lable=x")
    assert wrong(answer) == [
        (["path", "gtin"], "string_too_short"),
        (["query", "is_active"], "bool_parsing"),
        (["query", "lable"], "extra_forbidden"),
    ]
    many = "&".join(f"{'x' * 70}{number}=1" for number in range(300))
    flood = await send(world, "GET", f"{HELD}?{many}")
    assert (len(flood.json()["details"]), len(flood.json()["details"][0]["loc"][1])) == (100, 60)


async def test_a_part_of_the_path_is_one_too_many_in_the_query(world: World) -> None:
    answer = await send(world, "GET", f"{HELD}?gtin={GTIN}")
    assert wrong(answer) == [(["query", "gtin"], "extra_forbidden")]


async def test_a_parameter_is_given_once(world: World) -> None:
    for path, names in (
        (f"{HELD}?is_active=true&is_active=false", ["is_active"]),
        (f"{ITEMS}?page=1&q=a&page=2&q=", ["page", "q"]),
    ):
        answer = await send(world, "GET", path, prefer=None)
        assert answer.status_code == 422
        assert wrong(answer) == [(["query", name], "given_twice") for name in names]


@pytest.mark.parametrize("number", ["1_0", "%2B1", "+1", "%201", "1.0", "01", "1e0", "0x1", "%EF%BC%91", "", "true"])
@pytest.mark.parametrize("name", ["page", "page_size"])
async def test_a_number_is_written_as_in_json(world: World, name: str, number: str) -> None:
    answer = await send(world, "GET", f"{API}/claims?{name}={number}", prefer=None)
    assert answer.status_code == 422
    assert wrong(answer) == [(["query", name], "int_parsing")]


async def test_a_flag_is_true_or_false(world: World) -> None:
    for path in (f"{HELD}?is_active=", f"{ITEMS}?is_claimed="):
        for flag in ("true", "false", "True", "FALSE", "1", "0"):
            assert (await send(world, "GET", path + flag)).status_code == 200
        for flag in ("yes", "on", "t", "N", "2", "", "true%20", "1_"):
            answer = await send(world, "GET", path + flag)
            assert [kind for _, kind in wrong(answer)] == ["bool_parsing"], flag


@pytest.mark.parametrize(
    ("method", "path", "body", "places"),
    [
        ("GET", "/products/api/v1/products", None, [["query", "organization_id"]]),
        ("PATCH", f"{HELD}/{USDA_ORGANIC}?scope=x", {"scope": 1}, [["body", "scope"]]),
        ("POST", f"{CLAIMED}?claim_id=x", {}, [["body", "claim_id"]]),
        ("PATCH", f"/products/api/v1/products/{GTIN}?brand=x", {"brand": 1}, [["body", "brand"]]),
        ("POST", f"{API}/products/1/claims?gtin=x", {"claim_id": "x"}, [["path", "gtin"], ["body", "claim_id"]]),
        ("DELETE", f"{HELD}/x?certification_id={USDA_ORGANIC}", None, [["path", "certification_id"]]),
        ("GET", f"{HELD}/x?certification_id={USDA_ORGANIC}", None, [["path", "certification_id"]]),
        ("GET", f"{API}/claims/x?id={NON_GMO}", None, [["path", "id"]]),
        ("POST", f"{CLAIMED}?x=1", [], [["body"]]),
    ],
)
async def test_the_place_is_where_the_bad_value_came_from(
    world: World, method: str, path: str, body: Any, places: list[list[str]]
) -> None:
    answer = await send(world, method, path, body, prefer=None)
    assert answer.status_code == 422
    assert [loc for loc, _ in wrong(answer)] == places
