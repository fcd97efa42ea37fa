"""The day on which an assignment really ends: no end that is recorded can hide behind another."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.operations.faces import GraphQL
from tests.world import FAIR_TRADE, GTIN, NON_GMO, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, VEGAN, World

TODAY = datetime.now(UTC).date()
SOON = TODAY + timedelta(days=30)
YESTERDAY = TODAY - timedelta(days=1)

LISTED = """query ($where: CertificationAssignmentWhere, $field: AssignmentOrderField!, $on: Date) {
  certificationAssignments(where: $where, orderBy: { field: $field }) {
    totalCount
    edges { cursor node { gtin certification { id } lapsesOn isActive standing then: standing(on: $on) } } } }"""


async def listed(world: World, where: Any = None, field: str = "LAPSES_ON", on: str | None = None) -> list[Any]:
    """The assignments that are found, each with how it stands today and on another day."""
    body = await GraphQL(world).run(LISTED, "readonly", {"where": where, "field": field, "on": on})
    assert "errors" not in body, body
    found = body["data"]["certificationAssignments"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"] for edge in found["edges"]]


@pytest.fixture
async def stocked(world: World) -> World:
    """One that has lapsed by its printed expiry alone, one that will soon, one that is still to come."""
    await world.add_certification(OTHERS_GTIN, USDA_ORGANIC, expiry_date=YESTERDAY)
    await world.add_certification(OTHERS_GTIN, FAIR_TRADE, expiry_date=SOON, expiration_date=date.max)
    await world.add_certification(OTHERS_GTIN, PRIVATE, valid_from=date.max, expiration_date=date.max)
    return world


OTHERS = {"gtin": {"eq": OTHERS_GTIN}}


async def test_the_printed_expiry_cannot_hide(stocked: World) -> None:
    def told(node: Any) -> tuple[Any, ...]:
        return node["certification"]["id"], node["lapsesOn"], node["isActive"], node["standing"], node["then"]

    assert [told(node) for node in await listed(stocked, OTHERS, on="9999-12-31")] == [
        (USDA_ORGANIC, YESTERDAY.isoformat(), True, "LAPSED", "LAPSED"),
        (FAIR_TRADE, SOON.isoformat(), True, "CURRENT", "LAPSED"),
        (PRIVATE, "9999-12-31", False, "NOT_YET", "CURRENT"),
    ]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"lapsesWithin": {"days": 30}}, [FAIR_TRADE]),
        ({"lapsesWithin": {"days": 29}}, []),
        ({"expiringWithin": {"days": 30}}, [FAIR_TRADE]),
        ({"standing": {"eq": "LAPSED"}}, [USDA_ORGANIC]),
        ({"standing": {"in": ["LAPSED", "NOT_YET"]}}, [USDA_ORGANIC, PRIVATE]),
        ({"standing": {"eq": "LAPSED", "on": "9999-12-31"}}, [USDA_ORGANIC, FAIR_TRADE]),
        ({"standing": {"eq": "CURRENT", "on": "0001-01-01"}}, [USDA_ORGANIC, FAIR_TRADE]),
        ({"lapsesOn": {"eq": "9999-12-31"}}, [PRIVATE]),
        ({"lapsesOn": {"range": {"to": "9999-12-30"}}}, [USDA_ORGANIC, FAIR_TRADE]),
        ({"expirationDate": {"isNull": True}}, [USDA_ORGANIC]),
    ],
)
async def test_conditions_on_the_end(stocked: World, where: Any, found: list[str]) -> None:
    assert [node["certification"]["id"] for node in await listed(stocked, {**OTHERS, **where})] == found


async def test_statistics_count_by_the_day_on_which_they_lapse(stocked: World) -> None:
    query = """query ($where: CertificationAssignmentWhere) {
      certificationAssignmentStats(where: $where, bucket: YEAR) { groups { expiresFrom expiresTo count } } }"""
    body = await GraphQL(stocked).run(query, "readonly", {"where": OTHERS})
    counted = {
        int(group["expiresFrom"][:4]): group["count"]
        for group in body["data"]["certificationAssignmentStats"]["groups"]
    }
    expected: dict[int, int] = {}
    for day in (YESTERDAY, SOON, date.max):
        expected[day.year] = expected.get(day.year, 0) + 1
    assert counted == expected


async def test_a_claim_lapses_when_it_expires(world: World) -> None:
    face = GraphQL(world)
    await face.assign_claim(GTIN, NON_GMO, expiration_date=YESTERDAY.isoformat())
    await face.assign_claim(GTIN, VEGAN, valid_from=SOON.isoformat())
    query = """{ claimAssignments(where: { standing: { in: [LAPSED, NOT_YET] } }, orderBy: { field: LAPSES_ON }) {
      nodes { claim { id } lapsesOn standing } } }"""
    assert (await face.run(query, "readonly"))["data"]["claimAssignments"]["nodes"] == [
        {"claim": {"id": NON_GMO}, "lapsesOn": YESTERDAY.isoformat(), "standing": "LAPSED"},
        {"claim": {"id": VEGAN}, "lapsesOn": None, "standing": "NOT_YET"},
    ]


async def test_the_ends_of_time_are_days_like_others(world: World) -> None:
    for text in (
        'certificationAssignments(asOf: "9999-12-31", where: {lapsesWithin: {days: 3660}}) { totalCount }',
        'products(where: {certifications: {some: {lapsesWithin: {days: 60}}}}, asOf: "9999-12-01") { totalCount }',
        f'product(gtin: "{GTIN}", asOf: "0001-01-01") {{ certifications {{ isActive }} }}',
    ):
        answer = await world.client.post(
            "/graphql", json={"query": f"{{ {text} }}"}, headers={"X-API-Key": world.keys["editor"]}
        )
        assert "errors" not in answer.json(), answer.text
    # In UTC this is a moment of the year 0.
    early = f'{{ product(gtin: "{GTIN}", knownAt: "0001-01-01T00:00:00+14:00") {{ name }} }}'
    refused = await world.client.post("/graphql", json={"query": early}, headers={"X-API-Key": world.keys["editor"]})
    assert "knownAt: Input should be a moment of the years 1 to 9999 in UTC" in refused.text
