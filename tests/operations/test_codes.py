"""Wherever an assignment's definition is named by its id, its code does as well."""

import pytest

from db.sql import tables
from tests.operations.faces import Face
from tests.operations.mutations import bulk, run
from tests.world import FAIR_TRADE, GTIN, NON_GMO, USDA_ORGANIC, VEGAN, World

OWN = "OWN_SEAL"


async def test_what_a_code_names_is_put_on_changed_and_taken_off(face: Face) -> None:
    assert (await face.assign_certification(GTIN, "fair_trade_usa", scope="Oats")).facts["id"] == FAIR_TRADE
    assert (await face.patch_certification(GTIN, "FAIR_TRADE_USA", scope="Rye")).facts["scope"] == "Rye"
    assert (await face.remove_certification(GTIN, "FAIR_TRADE_USA")).ok
    assert (await face.assign_claim(GTIN, "vegan")).facts["id"] == VEGAN
    assert (await face.patch_claim(GTIN, "VEGAN", valid_from="2026-01-01")).facts["valid_from"] == "2026-01-01"
    assert (await face.remove_claim(GTIN, "VEGAN")).ok
    assert [item["id"] for item in (await face.certifications(GTIN)).facts] == [USDA_ORGANIC]


async def test_a_code_that_nobody_knows_is_not_found_and_the_nearest_are_named(face: Face, world: World) -> None:
    before = await world.rows(tables.certification_assignments)
    for named, meant in (("USDA_ORGANC", "did you mean USDA_ORGANIC?"), ("fairtrade", "FAIR_TRADE_USA?")):
        refused = await face.assign_certification(GTIN, named)
        assert (refused.status, refused.code) == (404, "not_found")
        assert refused.problem["detail"].startswith(f"No certification has the code {named}; ")
        assert meant in refused.problem["detail"]
    refused = await face.assign_claim(GTIN, "XYLOPHONE")
    assert refused.problem["detail"] == "No claim has the code XYLOPHONE; take it from the list of claims."
    assert await world.rows(tables.certification_assignments) == before


async def test_a_private_code_is_its_organisations_alone_and_comes_first(face: Face, world: World) -> None:
    async with world.database.write() as transaction:
        for owner in (world.brand, world.rival):
            row = {"id": owner[::-1], "code": OWN, "label": "Own", "description": "", "url": "", "logo_url": None}
            row |= {"program": "", "standard": "", "organization_id": owner, "body_id": None}
            await transaction.insert(tables.certifications, row)
    assert (await face.assign_certification(GTIN, OWN)).facts["id"] == world.brand[::-1]


@pytest.mark.parametrize("named", [{}, {"claimId": VEGAN, "claimCode": "VEGAN"}])
async def test_graphql_wants_the_id_or_the_code(world: World, named: dict[str, str]) -> None:
    (violation,) = (await run(world, "assignClaim", {"gtin": GTIN, **named}))["violations"]
    assert (violation["loc"], violation["type"]) == (["input", "claimId"], "id_or_code")


async def test_graphql_takes_codes_in_members_of_their_own(world: World) -> None:
    rows = [{"gtin": GTIN, "claimCode": "VEGAN"}, {"gtin": GTIN, "claimCode": "non_gmo"}]
    answer = await bulk(world, "assignClaims", rows)
    assert [row["result"]["assignment"]["claim"]["id"] for row in answer["rows"]] == [VEGAN, NON_GMO]
    assert (await run(world, "removeClaim", {"gtin": GTIN, "claimCode": "VEGAN"}))["__typename"] == "ClaimRemoved"
    changed = await run(
        world,
        "patchCertificationAssignment",
        {"gtin": GTIN, "certificationCode": "USDA_ORGANIC", "scope": "Oats"},
    )
    assert changed["changes"] == [{"path": ["scope"], "before": "", "after": "Oats"}]
