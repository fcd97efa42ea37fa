"""Putting a certification on a product and taking it off again: contract C8 and C10."""

import asyncio
from typing import Any

import pytest

from db.sql import tables
from tests.operations.faces import Face
from tests.world import FAIR_TRADE, GTIN, NOTHING, OTHERS_GTIN, OTHERS_PRIVATE, PRIVATE, USDA_ORGANIC, World

EVERYTHING: dict[str, Any] = {
    "metadata": {"order_id": "6735"},
    "valid_from": "2024-05-01",
    "expiration_date": "2030-04-30",
    "expiry_date": "2029-12-31",
    "certificate_number": "FT-1",
    "issuing_body": "FLOCERT",
    "verification_url": "https://www.flocert.net/customers/",
    "verification_status": "verified",
    "scope": "Product",
    "certification_value": "Level 3",
    "audit_date": "2024-04-02",
    "initial_certification_date": "2019-04-01",
    "certificate_countries": ["US", "CA"],
}


async def test_the_assignment_is_answered_and_stored(face: Face) -> None:
    outcome = await face.assign_certification(GTIN, FAIR_TRADE, **EVERYTHING)
    assert {name: outcome.facts[name] for name in EVERYTHING} == EVERYTHING
    assert (outcome.facts["id"], outcome.facts["is_active"]) == (FAIR_TRADE, True)
    assert (await face.certifications(GTIN)).facts[0] == outcome.facts


async def test_members_left_out_have_their_defaults(face: Face) -> None:
    facts = (await face.assign_certification(GTIN, FAIR_TRADE)).facts
    assert {name: facts[name] for name in EVERYTHING} == {
        **dict.fromkeys(EVERYTHING),
        **dict.fromkeys(("certificate_number", "issuing_body", "verification_url", "scope", "certification_value"), ""),
        "metadata": {},
        "verification_status": "unverified",
        "certificate_countries": [],
    }


async def test_of_24_at_once_one_wins(face: Face, world: World) -> None:
    outcomes = await asyncio.gather(*(face.assign_certification(GTIN, FAIR_TRADE) for _ in range(24)))
    assert sorted(outcome.status for outcome in outcomes if not outcome.ok) == [409] * 23
    assert len(await world.rows(tables.certification_assignments)) == 2


async def test_a_private_certification_is_its_organisations_alone(face: Face, world: World) -> None:
    assert (await face.assign_certification(GTIN, PRIVATE)).ok
    before = await world.rows(tables.certification_assignments)
    outcome = await face.assign_certification(GTIN, OTHERS_PRIVATE)
    unknown = await face.assign_certification(GTIN, NOTHING)
    assert outcome.status == unknown.status == 404
    assert outcome.problem["detail"].replace(OTHERS_PRIVATE, NOTHING) == unknown.problem["detail"]
    assert await world.rows(tables.certification_assignments) == before


async def test_what_was_removed_is_gone_and_can_be_assigned_anew(face: Face, world: World) -> None:
    assert (await face.remove_certification(GTIN, USDA_ORGANIC)).status == 204
    assert (await face.certifications(GTIN)).facts == []
    assert (await face.remove_certification(GTIN, USDA_ORGANIC)).status == 404
    assert (await face.assign_certification(GTIN, USDA_ORGANIC)).ok


async def test_of_8_removals_at_once_one_wins(face: Face) -> None:
    outcomes = await asyncio.gather(*(face.remove_certification(GTIN, USDA_ORGANIC) for _ in range(8)))
    assert sorted(outcome.status for outcome in outcomes) == [204] + [404] * 7


@pytest.mark.parametrize(
    ("gtin", "key"), [(GTIN, "readonly"), (GTIN, "publishable"), (GTIN, "rival"), (OTHERS_GTIN, "manager")]
)
async def test_only_an_editor_or_manager_of_the_owner_may(face: Face, world: World, gtin: str, key: str) -> None:
    before = await world.rows(tables.certification_assignments)
    assert (await face.assign_certification(gtin, FAIR_TRADE, key=key)).code == "forbidden"
    assert (await face.remove_certification(gtin, USDA_ORGANIC, key=key)).code == "forbidden"
    assert await world.rows(tables.certification_assignments) == before


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"certification_id": "z" * 22}, {"certification_id"}),
        ({"valid_from": "2025-01-02", "expiration_date": "2025-01-01"}, {"expiration_date"}),
        ({"certificate_countries": ["us"], "metadata": {"a": 1}}, {"certificate_countries.0", "metadata.a"}),
    ],
)
async def test_bad_input_names_every_bad_member_and_stores_nothing(
    face: Face, world: World, members: dict[str, Any], named: set[str]
) -> None:
    before = await world.rows(tables.certification_assignments)
    outcome = await face.assign_certification(**{"gtin": GTIN, "certification_id": FAIR_TRADE, **members})
    assert (outcome.status, outcome.named()) == (422, named)
    assert await world.rows(tables.certification_assignments) == before
