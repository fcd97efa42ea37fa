"""Endpoints that change what is there with POST: none of the contract does, and the next one may.

Two are added to the table: one with a body, and one without.
"""

import json
from typing import Any

import pytest

from gateway.app import create_app
from resolvers import certifications
from rest_compat import application, openapi, outputs
from rest_compat.endpoint import Endpoint
from rest_compat.routes import CERTIFICATIONS, ENDPOINTS
from tests.conftest import SETTINGS
from tests.world import GTIN, USDA_ORGANIC, World

_ONE = f"{CERTIFICATIONS}/products/{{gtin}}/certifications/{{certification_id}}"
ADDED = (
    Endpoint(
        "POST",
        f"{_ONE}/renewal",
        certifications.patch_certification_assignment,
        name="renew_product_certification",
        summary="Renew",
        description="Changes what is there.",
        answer=outputs.CERTIFICATION_ASSIGNMENT,
        body="CertificationAssignmentUpdateIn",
    ),
    Endpoint(
        "POST",
        f"{_ONE}/removal",
        certifications.remove_certification,
        name="end_product_certification",
        summary="End",
        description="Takes it off.",
    ),
)
HELD = f"{CERTIFICATIONS}/products/{GTIN}/certifications/{USDA_ORGANIC}"


@pytest.fixture(autouse=True)
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (application, openapi):
        monkeypatch.setattr(module, "ENDPOINTS", (*ENDPOINTS, *ADDED))


@pytest.fixture
async def served(added: None, world: World) -> Any:
    async with World(create_app(SETTINGS, world.database), world.database) as other:
        other.keys = world.keys
        yield other


def documented(path: str) -> dict[str, Any]:
    document = json.loads(json.dumps(openapi.document("certifications", "/", "/docs/errors/")))
    found: dict[str, Any] = document["paths"][path]["post"]
    return found


def test_the_document_tells_of_conditions_on_what_is_changed() -> None:
    for endpoint, success in zip(ADDED, ("200", "204"), strict=True):
        shown = documented(endpoint.path)
        named = [item["$ref"].rpartition("/")[2] for item in shown["parameters"] if "$ref" in item]
        assert named == ["Idempotency-Key", "If-Match", "If-None-Match-On-Change", "Prefer"]
        assert min(shown["responses"]) == success
        assert {"404", "409", "412"} <= shown["responses"].keys()
        assert ("requestBody" in shown) == ({"413", "415"} <= shown["responses"].keys()) == (success == "200")
    assert "ETag" in documented(ADDED[0].path)["responses"]["200"]["headers"]
    made = documented(f"{CERTIFICATIONS}/products/{{gtin}}/certifications")
    assert "#/components/parameters/If-None-Match-On-Create" in [item.get("$ref") for item in made["parameters"]]


async def test_it_is_done_unless_the_conditions_fail(served: World) -> None:
    key = {"X-API-Key": served.keys["manager"]}

    async def post(path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await served.client.post(
            f"{HELD}/{path}", headers=key | named, **({} if body is None else {"json": body})
        )

    seen = (await served.client.get(HELD, headers=key)).headers["etag"]
    for path, body in (("renewal", {"scope": "Oats"}), ("removal", None)):
        for conditions in ({"If_None_Match": seen}, {"If_None_Match": "*"}, {"If_Match": '"other"'}):
            refused = await post(path, body, **conditions)
            assert (refused.status_code, refused.json()["error_code"]) == (412, "precondition_failed"), conditions
    renewed = await post("renewal", {"scope": "Oats"}, If_Match=seen)
    assert (renewed.status_code, renewed.json()["scope"]) == (200, "Oats")
    again = renewed.headers["etag"]
    assert again != seen
    assert (await post("removal", If_Match=seen)).status_code == 412
    assert (await post("removal", If_None_Match=seen)).status_code == 204
    assert (await served.client.get(HELD, headers=key)).status_code == 404


async def test_what_takes_no_body_names_no_types_of_one(served: World) -> None:
    key = {"X-API-Key": served.keys["manager"]}
    for path, takes in (("renewal", True), ("removal", False)):
        told = await served.client.options(f"{HELD}/{path}", headers=key)
        assert (told.headers["allow"], "accept-post" in told.headers) == ("OPTIONS, POST", takes)
