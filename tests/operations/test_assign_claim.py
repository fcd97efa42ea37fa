"""Putting a claim on a product: contract C12."""

import asyncio
from typing import Any

import pytest
from strawberry.utils.str_converters import to_camel_case

from db.sql import tables
from domain.short_id import decode
from tests.operations.faces import Face
from tests.world import FAIR_TRADE, GTIN, NON_GMO, NOTHING, OTHERS_GTIN, VEGAN, World


async def test_the_assignment_is_answered_and_stored(face: Face) -> None:
    outcome = await face.assign_claim(
        GTIN,
        NON_GMO,
        metadata={"order_id": "6735"},
        source="THIRD_PARTY_VERIFIED",
        valid_from="2024-01-01",
        expiration_date="2025-12-31",
        evidence_url="https://lab.example/report.pdf",
        evidence_note="lot 7",
    )
    assert outcome.facts == {
        "id": NON_GMO,
        "label": "Non-GMO",
        "code": "NON_GMO",
        "category": "INGREDIENT_ABSENCE",
        "source": "THIRD_PARTY_VERIFIED",
        "metadata": {"order_id": "6735"},
        "valid_from": "2024-01-01",
        "expiration_date": "2025-12-31",
    }
    assert (await face.claims(GTIN)).facts == [outcome.facts]


async def test_members_left_out_have_their_defaults(face: Face) -> None:
    outcome = await face.assign_claim(GTIN, VEGAN)
    assert outcome.facts["source"] == "BRAND_SELF_DECLARED"
    assert outcome.facts["metadata"] == {}
    assert outcome.facts["valid_from"] is None
    assert outcome.facts["expiration_date"] is None


@pytest.mark.parametrize("gtin", ["12345678905", "012345678905", "0012345678905", GTIN])
async def test_shorter_forms_of_the_gtin_are_padded(face: Face, gtin: str) -> None:
    assert (await face.assign_claim(gtin, VEGAN)).ok


async def test_the_claim_may_be_named_by_its_uuid(face: Face, world: World) -> None:
    assert (await face.assign_claim(GTIN, str(decode(VEGAN)).upper())).facts["id"] == VEGAN


async def test_a_second_assignment_of_the_same_claim_is_a_conflict(face: Face, world: World) -> None:
    await face.assign_claim(GTIN, VEGAN, metadata={"a": "1"})
    before = await world.rows(tables.claim_assignments)
    outcome = await face.assign_claim(GTIN, VEGAN, metadata={"b": "2"})
    assert (outcome.status, outcome.code) == (409, "conflict")
    assert await world.rows(tables.claim_assignments) == before


async def test_of_24_at_once_one_wins(face: Face, world: World) -> None:
    outcomes = await asyncio.gather(*(face.assign_claim(GTIN, VEGAN) for _ in range(24)))
    assert sum(outcome.ok for outcome in outcomes) == 1
    assert [outcome.status for outcome in outcomes if not outcome.ok] == [409] * 23
    assert len(await world.rows(tables.claim_assignments)) == 1


@pytest.mark.parametrize(("gtin", "claim"), [("00000000000000", VEGAN), ("12345678", VEGAN), (GTIN, NOTHING)])
async def test_what_does_not_exist_is_not_found(face: Face, gtin: str, claim: str) -> None:
    outcome = await face.assign_claim(gtin, claim)
    assert (outcome.status, outcome.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("gtin", "key"), [(GTIN, "readonly"), (GTIN, "publishable"), (GTIN, "rival"), (OTHERS_GTIN, "manager")]
)
async def test_only_an_editor_or_manager_of_the_owner_may(face: Face, world: World, gtin: str, key: str) -> None:
    outcome = await face.assign_claim(gtin, VEGAN, key=key)
    assert (outcome.status, outcome.code) == (403, "forbidden")
    assert await world.rows(tables.claim_assignments) == []


@pytest.mark.parametrize("key", ["manager", "editor"])
async def test_editors_and_managers_of_the_owner_may(face: Face, key: str) -> None:
    assert (await face.assign_claim(GTIN, VEGAN, key=key)).ok


BAD: list[tuple[dict[str, Any], set[str]]] = [
    ({"gtin": "1234567"}, {"gtin"}),
    ({"gtin": "123456789012345"}, {"gtin"}),
    ({"gtin": "１２３４５６７０"}, {"gtin"}),
    ({"gtin": "4006381333931%0A"}, {"gtin"}),
    ({"gtin": "1234-5678"}, {"gtin"}),
    ({"claim_id": "z" * 22}, {"claim_id"}),
    ({"claim_id": "2" * 21}, {"claim_id"}),
    ({"claim_id": "0" * 22}, {"claim_id"}),
    ({"claim_id": "{a1b2c3d4-e5f6-7890-abcd-ef1234567890}"}, {"claim_id"}),
    ({"claim_id": ""}, {"claim_id"}),
    ({"valid_from": "2025-01-02", "expiration_date": "2025-01-01"}, {"expiration_date"}),
    ({"evidence_url": "javascript:alert(1)"}, {"evidence_url"}),
    ({"evidence_url": "https://user:secret@example.org"}, {"evidence_url"}),
    ({"evidence_note": "nul \0"}, {"evidence_note"}),
    ({"metadata": {"n": 1, "ok": "x", "b": True, "l": []}}, {"metadata.n", "metadata.b", "metadata.l"}),
    ({"metadata": []}, {"metadata"}),
    ({"metadata": "text"}, {"metadata"}),
    ({"metadata": {"k" * 41: "v"}}, {f"metadata.{'k' * 41}.[key]"}),
    ({"metadata": {"": "v"}}, {"metadata..[key]"}),
    ({"metadata": {"k": "v" * 501}}, {"metadata.k"}),
    ({"metadata": {f"k{n}": "v" for n in range(51)}}, {"metadata"}),
    ({"gtin": "1", "claim_id": "1", "evidence_url": "nowhere"}, {"gtin", "claim_id", "evidence_url"}),
]


@pytest.mark.parametrize(("members", "named"), BAD)
async def test_bad_input_names_every_bad_member_and_stores_nothing(
    face: Face, world: World, members: dict[str, Any], named: set[str]
) -> None:
    outcome = await face.assign_claim(**{"gtin": GTIN, "claim_id": VEGAN, **members})
    assert (outcome.status, outcome.code) == (422, "validation_error")
    assert outcome.named() == named
    assert await world.rows(tables.claim_assignments) == []


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("valid_from", "20240101"),
        ("valid_from", "2024-W01-1"),
        ("valid_from", "2024-02-30"),
        ("valid_from", "2024-01-01T00:00:00Z"),
        ("expiration_date", 1704067200),
        ("source", "SOMEBODY"),
        ("evidence_note", 5),
    ],
)
async def test_a_value_of_the_wrong_kind_is_refused(face: Face, world: World, member: str, value: Any) -> None:
    outcome = await face.assign_claim(GTIN, VEGAN, **{member: value})
    if "details" in outcome.problem:
        assert (outcome.status, outcome.named()) == (422, {member})
    else:
        # GraphQL's own types refuse these before the operation, and say at which member.
        assert outcome.status == 400
        assert f"at .{to_camel_case(member)}:" in outcome.problem["message"]
    assert await world.rows(tables.claim_assignments) == []


async def test_what_is_made_is_at_its_first_version_and_a_change_at_its_second(face: Face, world: World) -> None:
    assert (await face.create_product("00614141107346")).ok
    assert (await face.assign_claim(GTIN, VEGAN)).ok
    assert (await face.assign_certification(GTIN, FAIR_TRADE)).ok

    async def versions() -> list[int]:
        found = []
        for table, of in (
            (tables.products, {"gtin": "00614141107346"}),
            (tables.claim_assignments, {"claim_id": VEGAN}),
            (tables.certification_assignments, {"certification_id": FAIR_TRADE}),
        ):
            names = [column.name for column in table.columns if column.computed is None]
            rows = [dict(zip(names, row, strict=True)) for row in await world.rows(table)]
            found += [row["version"] for row in rows if of.items() <= row.items()]
        return found

    assert await versions() == [1, 1, 1]
    assert (await face.patch_product("00614141107346", brand="New")).ok
    assert (await face.patch_claim(GTIN, VEGAN, evidence_note="New")).ok
    assert (await face.patch_certification(GTIN, FAIR_TRADE, scope="New")).ok
    assert await versions() == [2, 2, 2]
