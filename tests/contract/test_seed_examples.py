"""The documented service's own example values, as literals: what a client written for it sends and expects."""

import re
from typing import Any

import pytest

from db.sql import tables
from domain.short_id import parse_short_id
from tests.world import GTIN, USDA_ORGANIC, World

UUID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
SHORT = "WmsG2qe2XXxacqiqo2MfnY"
PREFIX = "/certifications/api/v1"
ID_PATTERN = "^[23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz]{22}$"

CLAIM_MEMBERS = {"id", "label", "code", "category", "source", "metadata", "valid_from", "expiration_date"}
CERTIFICATION_MEMBERS = {
    "id",
    "label",
    "is_active",
    "metadata",
    "code",
    "description",
    "url",
    "logo_url",
    "valid_from",
    "expiration_date",
    "certificate_number",
    "issuing_body",
    "expiry_date",
    "verification_url",
    "verification_status",
    "scope",
    "certification_value",
    "audit_date",
    "initial_certification_date",
    "certificate_countries",
}


@pytest.fixture
async def documented(world: World) -> World:
    """The world with the claim of the examples under the id of the examples."""
    async with world.database.write() as transaction:
        await transaction.execute(tables.claims.delete().where(tables.claims.c.code == "NON_GMO"))
        await transaction.insert(
            tables.claims,
            {
                "id": SHORT,
                "code": "NON_GMO",
                "label": "Non-GMO",
                "category": "INGREDIENT_ABSENCE",
                "requires_definition": False,
                "description": "",
            },
        )
    world.client.headers["X-API-Key"] = world.keys["manager"]
    return world


async def assign(world: World, **body: Any) -> Any:
    return await world.client.post(f"{PREFIX}/products/{GTIN}/claims", json=body)


def test_the_two_forms_of_the_example_id_are_one() -> None:
    assert parse_short_id(UUID) == SHORT
    assert parse_short_id("d5e6f7a8-9012-3456-abcd-ef7890123456") == "g5JYoyhXAiyPL7wg6cSNzH"
    assert re.fullmatch(ID_PATTERN, SHORT)


async def test_the_example_request_is_assigned(documented: World) -> None:
    response = await assign(documented, claim_id=UUID, metadata={"order_id": "6735"})
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    assert "location" not in response.headers
    assert response.json() == {
        "id": SHORT,
        "label": "Non-GMO",
        "code": "NON_GMO",
        "category": "INGREDIENT_ABSENCE",
        "source": "BRAND_SELF_DECLARED",
        "metadata": {"order_id": "6735"},
        "valid_from": None,
        "expiration_date": None,
    }


@pytest.mark.parametrize("id", [UUID, UUID.upper(), SHORT])
async def test_the_example_response_has_its_members_and_values(documented: World, id: str) -> None:
    sent = {"valid_from": "2024-01-01", "expiration_date": "2025-12-31", "source": "BRAND_SELF_DECLARED"}
    response = await assign(documented, claim_id=id, metadata={"order_id": "6735"}, **sent)
    example = {
        "category": "INGREDIENT_ABSENCE",
        "code": "NON_GMO",
        "expiration_date": "2025-12-31",
        "id": SHORT,
        "label": "Non-GMO",
        "metadata": {"order_id": "6735"},
        "source": "BRAND_SELF_DECLARED",
        "valid_from": "2024-01-01",
    }
    assert response.json() == example
    assert response.json().keys() == CLAIM_MEMBERS
    listed = await documented.client.get(f"{PREFIX}/products/{GTIN}/claims")
    assert listed.json() == [example]


async def test_a_second_assignment_is_a_conflict(documented: World) -> None:
    await assign(documented, claim_id=UUID)
    response = await assign(documented, claim_id=SHORT)
    assert response.status_code == 409
    assert response.json()["error_code"] == "conflict"
    assert response.json()["type"] == "https://closient.com/docs/errors/conflict"


async def test_evidence_is_taken_and_never_shown(documented: World) -> None:
    evidence = {"evidence_url": "https://lab.example/report.pdf", "evidence_note": "lot 7"}
    response = await assign(documented, claim_id=UUID, **evidence)
    assert response.status_code == 201
    assert response.json().keys() == CLAIM_MEMBERS
    assert "lot 7" in str(await documented.rows(tables.claim_assignments))


async def test_a_certification_assignment_has_its_20_members(documented: World) -> None:
    path = f"{PREFIX}/products/{GTIN}/certifications"
    sent = {
        "certificate_number": "NOP-12345",
        "scope": "All organic dairy lines",
        "certification_value": "100% Organic",
        "verification_status": "verified",
        "certificate_countries": ["US", "CA"],
    }
    patched = await documented.client.patch(f"{path}/{USDA_ORGANIC}", json=sent)
    assert patched.status_code == 200
    assert patched.headers["content-type"] == "application/json"
    assert patched.json().keys() == CERTIFICATION_MEMBERS
    assert len(CERTIFICATION_MEMBERS) == 20
    assert patched.json()["id"] == USDA_ORGANIC
    assert {name: patched.json()[name] for name in sent} == sent
    listed = await documented.client.get(path)
    assert listed.json() == [patched.json()]


async def test_metadata_is_merged_as_documented(documented: World) -> None:
    path = f"{PREFIX}/products/{GTIN}/certifications/{USDA_ORGANIC}"

    async def patch(metadata: Any) -> Any:
        response = await documented.client.patch(path, json={"metadata": metadata})
        return response.json()["metadata"]

    assert await patch({"a": "1", "b": "2"}) == {"kept": "yes", "a": "1", "b": "2"}
    assert await patch({"a": None, "b": "3"}) == {"kept": "yes", "b": "3"}
    assert await patch({"kept": ""}) == {"b": "3"}
    assert await patch({}) == {}
    assert await patch({"c": "1"}) == {"c": "1"}
    assert await patch(None) == {}


async def test_the_documented_404(documented: World) -> None:
    response = await documented.client.post(f"{PREFIX}/products/00614141107346/claims", json={"claim_id": UUID})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document.keys() == {
        "type",
        "title",
        "status",
        "detail",
        "error_code",
        "retryable",
        "timestamp",
    }
    timestamp = document.pop("timestamp")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", timestamp)
    assert isinstance(document.pop("detail"), str)
    assert document == {
        "type": "https://closient.com/docs/errors/not_found",
        "title": "Not Found",
        "status": 404,
        "error_code": "not_found",
        "retryable": False,
    }


async def test_the_documented_422(documented: World) -> None:
    response = await assign(documented, metadata={"order_id": "6735"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["details"] == [{"loc": ["body", "claim_id"], "msg": "Field required", "type": "missing"}]
    assert document["detail"].startswith("Validation error.")
    assert (document["type"], document["title"], document["status"]) == (
        "https://closient.com/docs/errors/validation_error",
        "Validation Error",
        422,
    )
    assert (document["error_code"], document["retryable"]) == ("validation_error", False)
    assert await documented.rows(tables.claim_assignments) == []


@pytest.mark.parametrize("gtin", ["12345678905", "0012345678905", "00012345678905"])
async def test_gtins_are_padded(documented: World, gtin: str) -> None:
    response = await documented.client.get(f"{PREFIX}/products/{gtin}/certifications")
    assert response.status_code == 200
    assert [item["code"] for item in response.json()] == ["USDA_ORGANIC"]
