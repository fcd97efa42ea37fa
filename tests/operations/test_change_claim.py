"""Changing a claim of a product and taking it off: contract C13 and C14."""

import asyncio
from typing import Any

import pytest

from db.sql import tables
from tests.operations.faces import Face
from tests.world import GTIN, NON_GMO, NOTHING, VEGAN, World


@pytest.fixture(autouse=True)
async def assigned(face: Face) -> None:
    outcome = await face.assign_claim(GTIN, VEGAN, metadata={"kept": "yes"}, valid_from="2024-01-01")
    assert outcome.ok


async def test_what_is_sent_changes_and_the_rest_stays(face: Face) -> None:
    changes = {"source": "THIRD_PARTY_VERIFIED", "expiration_date": "2030-12-31"}
    outcome = await face.patch_claim(GTIN, VEGAN, metadata={"new": "1"}, **changes)
    assert outcome.facts == {
        "id": VEGAN,
        "label": "Vegan",
        "code": "VEGAN",
        "category": "DIETARY",
        "valid_from": "2024-01-01",
        "metadata": {"kept": "yes", "new": "1"},
        **changes,
    }
    assert (await face.claims(GTIN)).facts == [outcome.facts]


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ({"valid_from": None}, {"valid_from": None}),
        ({"metadata": None}, {"metadata": {}}),
        ({"metadata": {"kept": ""}}, {"metadata": {}}),
        ({"evidence_note": None, "evidence_url": None}, {}),
    ],
)
async def test_null_clears_or_empties(face: Face, members: dict[str, Any], shown: dict[str, Any]) -> None:
    before = (await face.claims(GTIN)).facts[0]
    assert (await face.patch_claim(GTIN, VEGAN, **members)).facts == {**before, **shown}


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"source": None}, {"source"}),
        ({"expiration_date": "2023-12-31"}, {"expiration_date"}),
        ({"evidence_url": "mailto:lab@example.org"}, {"evidence_url"}),
    ],
)
async def test_bad_input_changes_nothing(face: Face, world: World, members: dict[str, Any], named: set[str]) -> None:
    before = await world.rows(tables.claim_assignments)
    outcome = await face.patch_claim(GTIN, VEGAN, **members)
    assert (outcome.status, outcome.named()) == (422, named)
    assert await world.rows(tables.claim_assignments) == before


async def test_what_was_removed_is_gone(face: Face) -> None:
    outcomes = await asyncio.gather(*(face.remove_claim(GTIN, VEGAN) for _ in range(4)))
    assert sorted(outcome.status for outcome in outcomes) == [204, 404, 404, 404]
    assert (await face.claims(GTIN)).facts == []


@pytest.mark.parametrize("claim", [NON_GMO, NOTHING])
async def test_what_is_not_assigned_is_not_found(face: Face, claim: str) -> None:
    assert (await face.patch_claim(GTIN, claim, evidence_note="x")).status == 404
    assert (await face.remove_claim(GTIN, claim)).status == 404


@pytest.mark.parametrize("key", ["readonly", "publishable", "rival"])
async def test_only_an_editor_or_manager_of_the_owner_may(face: Face, world: World, key: str) -> None:
    before = await world.rows(tables.claim_assignments)
    assert (await face.patch_claim(GTIN, VEGAN, key=key, evidence_note="x")).code == "forbidden"
    assert (await face.remove_claim(GTIN, VEGAN, key=key)).code == "forbidden"
    assert await world.rows(tables.claim_assignments) == before
