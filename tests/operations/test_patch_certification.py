"""Changing what is recorded about a product's certification: contract C9."""

import asyncio
from typing import Any

import pytest

from db.sql import tables
from tests.operations.faces import Face
from tests.world import (
    FAIR_TRADE,
    GTIN,
    NOTHING,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    PRIVATE,
    USDA_ORGANIC,
    World,
)

EVERYTHING: dict[str, Any] = {
    "valid_from": "2024-05-01",
    "expiration_date": "2030-04-30",
    "certificate_number": "NOP-12345",
    "issuing_body": "CCOF",
    "verification_url": "https://organic.ams.usda.gov/integrity",
    "verification_status": "verified",
    "scope": "All organic dairy lines",
    "certification_value": "100% Organic",
    "audit_date": "2024-04-02",
    "initial_certification_date": "2019-04-01",
    "certificate_countries": ["US", "CA"],
}


async def test_every_member_is_changed_and_the_rest_stays(face: Face) -> None:
    outcome = await face.patch_certification(GTIN, USDA_ORGANIC, metadata={"new": "1"}, **EVERYTHING)
    assert outcome.facts == {
        "id": USDA_ORGANIC,
        "label": "USDA Organic",
        "code": "USDA_ORGANIC",
        "description": "Of some description.",
        "url": "https://example.org/seal",
        "logo_url": None,
        "is_active": True,
        "expiry_date": None,
        "metadata": {"kept": "yes", "new": "1"},
        **EVERYTHING,
    }
    assert (await face.certifications(GTIN)).facts == [outcome.facts]


@pytest.mark.parametrize("member", EVERYTHING)
async def test_one_member_leaves_the_others(face: Face, member: str) -> None:
    before = (await face.certifications(GTIN)).facts[0]
    outcome = await face.patch_certification(GTIN, USDA_ORGANIC, **{member: EVERYTHING[member]})
    assert outcome.facts == {**before, member: EVERYTHING[member]}


async def test_an_empty_patch_changes_nothing(face: Face, world: World) -> None:
    before = await world.rows(tables.certification_assignments)
    assert (await face.patch_certification(GTIN, USDA_ORGANIC)).ok
    assert await world.rows(tables.certification_assignments) == before


@pytest.mark.parametrize(
    ("member", "cleared"),
    [
        ("valid_from", None),
        ("expiration_date", None),
        ("audit_date", None),
        ("initial_certification_date", None),
        ("certificate_number", ""),
        ("issuing_body", ""),
        ("verification_url", ""),
        ("scope", ""),
        ("certification_value", ""),
        ("certificate_countries", []),
        ("metadata", {}),
    ],
)
async def test_null_clears_or_empties(face: Face, member: str, cleared: object) -> None:
    before = (await face.patch_certification(GTIN, USDA_ORGANIC, **EVERYTHING)).facts
    nothing: dict[str, Any] = {member: None}
    outcome = await face.patch_certification(GTIN, USDA_ORGANIC, **nothing)
    assert outcome.facts == {**before, member: cleared}


async def test_a_status_has_no_null(face: Face) -> None:
    outcome = await face.patch_certification(GTIN, USDA_ORGANIC, verification_status=None)
    assert (outcome.status, outcome.named()) == (422, {"verification_status"})


@pytest.mark.parametrize(
    ("update", "left"),
    [
        ({"new": "1"}, {"kept": "yes", "new": "1"}),
        ({"kept": "no"}, {"kept": "no"}),
        ({"kept": ""}, {}),
        ({"kept": None, "new": "1"}, {"new": "1"}),
        ({"absent": None}, {"kept": "yes"}),
        ({}, {}),
        (None, {}),
    ],
)
async def test_metadata_is_merged(face: Face, update: dict[str, str | None] | None, left: object) -> None:
    outcome = await face.patch_certification(GTIN, USDA_ORGANIC, metadata=update)
    assert outcome.facts["metadata"] == left


async def test_the_limit_on_keys_is_judged_on_the_merged_map(face: Face) -> None:
    assert (await face.patch_certification(GTIN, USDA_ORGANIC, metadata={f"k{n}": "v" for n in range(49)})).ok
    outcome = await face.patch_certification(GTIN, USDA_ORGANIC, metadata={"one more": "v"})
    assert (outcome.status, outcome.named()) == (422, {"metadata"})
    assert (await face.patch_certification(GTIN, USDA_ORGANIC, metadata={"k0": None, "one more": "v"})).ok


async def test_8_merges_at_once_keep_all_8_keys(face: Face) -> None:
    await asyncio.gather(*(face.patch_certification(GTIN, USDA_ORGANIC, metadata={f"k{n}": str(n)}) for n in range(8)))
    facts = (await face.certifications(GTIN)).facts[0]
    assert facts["metadata"] == {"kept": "yes", **{f"k{n}": str(n) for n in range(8)}}


async def test_the_order_of_dates_is_judged_on_the_merged_result(face: Face) -> None:
    await face.patch_certification(GTIN, USDA_ORGANIC, valid_from="2024-05-01")
    outcome = await face.patch_certification(GTIN, USDA_ORGANIC, expiration_date="2024-04-30")
    assert (outcome.status, outcome.named()) == (422, {"expiration_date"})
    assert (await face.patch_certification(GTIN, USDA_ORGANIC, expiration_date="2024-05-01")).ok
    both = {"valid_from": "2020-01-01", "expiration_date": "2020-12-31"}
    assert (await face.patch_certification(GTIN, USDA_ORGANIC, **both)).ok


@pytest.mark.parametrize(
    ("bounds", "active"),
    [
        ({}, True),
        ({"valid_from": "2000-01-01"}, True),
        ({"valid_from": "2999-01-01"}, False),
        ({"expiration_date": "2999-01-01"}, True),
        ({"expiration_date": "2000-01-01"}, False),
    ],
)
async def test_activity_follows_from_the_dates(face: Face, bounds: dict[str, str], active: bool) -> None:
    outcome = await face.patch_certification(GTIN, USDA_ORGANIC, **bounds)
    assert outcome.facts["is_active"] is active


@pytest.mark.parametrize(
    ("gtin", "certification"),
    [("12345678", USDA_ORGANIC), (GTIN, FAIR_TRADE), (GTIN, NOTHING), (GTIN, OTHERS_PRIVATE)],
)
async def test_what_is_not_assigned_is_not_found(face: Face, gtin: str, certification: str) -> None:
    outcome = await face.patch_certification(gtin, certification, scope="x")
    assert (outcome.status, outcome.code) == (404, "not_found")


async def test_an_organisation_may_patch_its_private_certification(face: Face, world: World) -> None:
    await world.add_certification(GTIN, PRIVATE)
    assert (await face.patch_certification(GTIN, PRIVATE, scope="x")).facts["scope"] == "x"


async def test_a_private_certification_that_was_put_on_my_product_stays_unknown_to_me(face: Face, world: World) -> None:
    await world.add_certification(GTIN, OTHERS_PRIVATE)
    assert [item["id"] for item in (await face.certifications(GTIN)).facts] == [USDA_ORGANIC]
    outcome = await face.patch_certification(GTIN, OTHERS_PRIVATE, scope="x")
    assert outcome.status == 404
    assert "Rival" not in str(outcome.problem)


@pytest.mark.parametrize("key", ["readonly", "publishable", "rival"])
async def test_only_an_editor_or_manager_of_the_owner_may(face: Face, world: World, key: str) -> None:
    before = await world.rows(tables.certification_assignments)
    outcome = await face.patch_certification(GTIN, USDA_ORGANIC, key=key, scope="mine now")
    assert (outcome.status, outcome.code) == (403, "forbidden")
    assert await world.rows(tables.certification_assignments) == before


async def test_the_product_of_another_organisation_is_not_mine_to_change(face: Face, world: World) -> None:
    await world.add_certification(OTHERS_GTIN, USDA_ORGANIC)
    assert (await face.patch_certification(OTHERS_GTIN, USDA_ORGANIC, scope="x")).status == 403


BAD: list[tuple[dict[str, Any], set[str]]] = [
    ({"certification_id": "z" * 22}, {"certification_id"}),
    ({"gtin": "12345"}, {"gtin"}),
    ({"certificate_number": "x" * 101}, {"certificate_number"}),
    ({"issuing_body": "x" * 256}, {"issuing_body"}),
    ({"certification_value": "x" * 256}, {"certification_value"}),
    ({"verification_url": "ftp://example.org"}, {"verification_url"}),
    (
        {"certificate_countries": ["US", "us", "EU", "XK", ""]},
        {f"certificate_countries.{n}" for n in (1, 2, 3, 4)},
    ),
    ({"valid_from": "2025-01-02", "expiration_date": "2025-01-01"}, {"expiration_date"}),
    ({"metadata": {"a": 1}, "scope": "\0"}, {"metadata.a", "scope"}),
]


@pytest.mark.parametrize(("members", "named"), BAD)
async def test_bad_input_names_every_bad_member_and_changes_nothing(
    face: Face, world: World, members: dict[str, Any], named: set[str]
) -> None:
    before = await world.rows(tables.certification_assignments)
    outcome = await face.patch_certification(**{"gtin": GTIN, "certification_id": USDA_ORGANIC, **members})
    assert (outcome.status, outcome.code) == (422, "validation_error")
    assert outcome.named() == named
    assert await world.rows(tables.certification_assignments) == before
