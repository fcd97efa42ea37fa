"""JSON-LD where the documented API has a product: by `format`, or by what the client would rather have."""

import json
from typing import Any

import pytest

from tests.files.linked import graph_of, judge
from tests.world import FAIR_TRADE, GTIN, NON_GMO, OTHERS_GTIN, OTHERS_PRIVATE, PRIVATE, World

PATH = f"/certifications/api/v1/products/{GTIN}"
LD = "application/ld+json"


async def get(world: World, path: str = PATH, key: str = "readonly", **headers: str) -> Any:
    return await world.client.get(path, headers={"X-API-Key": world.keys[key]} | headers)


@pytest.mark.anyio
async def test_it_is_json_unless_asked_otherwise(world: World) -> None:
    plain = await get(world)
    for accept in ("*/*", "application/json", f"{LD};q=0.5, application/json", f"{LD};q=0", "text/html", f"{LD};q=no"):
        answer = await get(world, accept=accept)
        assert answer.headers["content-type"] == "application/json", accept
        assert answer.content == plain.content
    assert (await get(world, PATH + "?format=json", accept=LD)).content == plain.content


@pytest.mark.anyio
@pytest.mark.parametrize("accept", [LD, f"application/json;q=0.8, {LD}", f"text/turtle, {LD.upper()};q=0.1"])
async def test_a_client_can_prefer_json_ld(world: World, accept: str) -> None:
    answer = await get(world, accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == LD
    assert "Accept" in answer.headers["vary"]
    assert answer.json()["@id"] == f"https://id.gs1.org/01/{GTIN}"


@pytest.mark.anyio
@pytest.mark.parametrize("form", ["jsonld", "gs1us"])
async def test_what_the_product_holds_and_claims_is_told(world: World, form: str) -> None:
    await world.add_certification(
        GTIN, FAIR_TRADE, verification_status="verified", issuing_body="Flocert", metadata={"lot": "secret"}
    )
    await assign_claim(world)
    answer = await get(world, f"{PATH}?format={form}")
    assert answer.headers["content-type"] == LD
    judge(graph_of(answer.content))
    assert "Flocert" in answer.text
    assert "secret" not in answer.text
    assert ("NON_GMO" in answer.text) is (form == "jsonld")
    again = await get(world, f"{PATH}?format={form}", **{"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.anyio
async def test_nobody_sees_more_than_elsewhere(world: World) -> None:
    await world.add_certification(GTIN, PRIVATE)
    await world.add_certification(OTHERS_GTIN, OTHERS_PRIVATE)
    others = f"/certifications/api/v1/products/{OTHERS_GTIN}?format=jsonld"
    assert "Brand's own seal" in (await get(world, PATH + "?format=jsonld")).text
    assert "Brand's own seal" not in (await get(world, PATH + "?format=jsonld", key="publishable")).text
    assert "Rival's own seal" not in (await get(world, others)).text


@pytest.mark.anyio
async def test_a_format_that_there_is_not_is_refused(world: World) -> None:
    answer = await get(world, PATH + "?format=rdfxml")
    assert answer.status_code == 422
    (detail,) = answer.json()["details"]
    assert detail["loc"] == ["query", "format"]
    assert detail["type"] == "enum"
    missing = await get(world, "/certifications/api/v1/products/00000000000017?format=jsonld")
    assert missing.status_code == 404
    assert json.loads(missing.text)["error_code"] == "not_found"


async def assign_claim(world: World) -> None:
    answer = await world.client.post(
        PATH + "/claims",
        json={"claim_id": NON_GMO, "evidence_note": "secret"},
        headers={"X-API-Key": world.keys["manager"]},
    )
    assert answer.status_code == 201
