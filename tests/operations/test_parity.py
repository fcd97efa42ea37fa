"""Both faces of one operation leave the same rows and refuse with the same problem."""

from typing import Any

import pytest
from sqlalchemy import Table

from db import tables
from tests.operations.faces import PROBLEM_MEMBERS, GraphQL, Outcome, Rest
from tests.world import (
    FAIR_TRADE,
    GTIN,
    NON_GMO,
    NOTHING,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    USDA_ORGANIC,
    VEGAN,
    World,
)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the database does not matter, one is enough."""

TWIN = "00000040170725"
"""A product like `GTIN` in everything else."""


@pytest.fixture
async def twins(world: World) -> World:
    await world.add_product(TWIN, world.brand)
    await world.add_certification(TWIN, USDA_ORGANIC, certificate_number="NOP-1", metadata={"kept": "yes"})
    return world


async def rows_of(world: World, table: Table, gtin: str) -> list[dict[str, Any]]:
    """A product's rows without what is bound to differ: its number, fresh ids, moments."""
    names = [column.name for column in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in await world.rows(table)]
    return [
        {name: value for name, value in row.items() if name not in ("gtin", "id", "created_at", "updated_at")}
        for row in rows
        if row["gtin"] == gtin
    ]


CLAIMS: list[dict[str, Any]] = [
    {},
    {
        "source": "THIRD_PARTY_VERIFIED",
        "valid_from": "2024-01-01",
        "expiration_date": "2025-12-31",
        "evidence_url": "HTTPS://Example.org/%20a?b=c#d",
        "evidence_note": "Zeile 1\nZeile 2 😀",
        "metadata": {"order_id": "6735", "ключ": "значение"},
    },
    {"valid_from": None, "expiration_date": None, "metadata": None},
    {"metadata": {"a": "", "b": None, "c": "1"}},
]


@pytest.mark.parametrize("members", CLAIMS)
async def test_assigning_a_claim_leaves_the_same_row(twins: World, members: dict[str, Any]) -> None:
    rest = await Rest(twins).assign_claim(GTIN, VEGAN, **members)
    graphql = await GraphQL(twins).assign_claim(TWIN, VEGAN, **members)
    assert rest.ok
    assert rest.facts == graphql.facts
    left = await rows_of(twins, tables.claim_assignments, GTIN)
    assert len(left) == 1
    assert left == await rows_of(twins, tables.claim_assignments, TWIN)


PATCHES: list[dict[str, Any]] = [
    {},
    {"metadata": {"kept": "", "new": "1"}, "scope": "Ä\t"},
    {"metadata": None, "valid_from": None, "scope": None, "certificate_countries": None},
    {
        "valid_from": "2024-05-01",
        "expiration_date": "2030-04-30",
        "certificate_number": "NOP-12345",
        "issuing_body": "CCOF",
        "verification_url": "https://example.org/Ä",
        "verification_status": "verified",
        "certification_value": "100% Organic",
        "audit_date": "2024-04-02",
        "initial_certification_date": "2019-04-01",
        "certificate_countries": ["US", "CA", "US"],
    },
]


@pytest.mark.parametrize("members", PATCHES)
async def test_patching_a_certification_leaves_the_same_row(twins: World, members: dict[str, Any]) -> None:
    rest = await Rest(twins).patch_certification(GTIN, USDA_ORGANIC, **members)
    graphql = await GraphQL(twins).patch_certification(TWIN, USDA_ORGANIC, **members)
    assert rest.ok
    assert rest.facts == graphql.facts
    left = await rows_of(twins, tables.certification_assignments, GTIN)
    assert len(left) == 1
    assert left[0]["version"] == (2 if members else 1)
    assert left == await rows_of(twins, tables.certification_assignments, TWIN)


def same_problem(rest: Outcome, graphql: Outcome) -> None:
    """The same members with the same values; only the moment may differ by the time between the two."""
    assert not rest.ok
    assert rest.status == rest.problem["status"]
    for name in PROBLEM_MEMBERS:
        if name != "timestamp":
            assert rest.problem[name] == graphql.problem[name], name
    assert len(rest.problem["timestamp"]) == len(graphql.problem["timestamp"]) == 25
    assert ("details" in rest.problem) is ("details" in graphql.problem)
    if "details" in rest.problem:
        assert rest.violations() == graphql.violations() != set()


REFUSED_CLAIMS: list[tuple[int, dict[str, Any]]] = [
    (404, {"gtin": "12345678"}),
    (404, {"claim_id": NOTHING}),
    (404, {"claim_id": USDA_ORGANIC}),
    (403, {"key": "readonly"}),
    (403, {"key": "publishable"}),
    (403, {"key": "rival"}),
    (403, {"gtin": OTHERS_GTIN}),
    (409, {"claim_id": NON_GMO}),
    (422, {"gtin": "1"}),
    (422, {"claim_id": "z" * 22}),
    (422, {"valid_from": "2025-01-02", "expiration_date": "2025-01-01"}),
    (422, {"metadata": {"order": 1, "b": True, "ok": "x"}, "evidence_url": "nowhere"}),
    (422, {"metadata": {f"k{number}": "v" for number in range(51)}}),
    (422, {"metadata": {"k" * 100: "v"}}),
    (422, {"metadata": []}),
    (422, {"evidence_note": "\0", "evidence_url": "x" * 2001}),
]


@on_sqlite
@pytest.mark.parametrize(("status", "members"), REFUSED_CLAIMS)
async def test_a_refused_claim_is_the_same_problem(twins: World, status: int, members: dict[str, Any]) -> None:
    assert (await Rest(twins).assign_claim(GTIN, NON_GMO)).ok
    before = await twins.rows(tables.claim_assignments)
    sent = {"gtin": GTIN, "claim_id": VEGAN, **members}
    rest = await Rest(twins).assign_claim(**sent)
    graphql = await GraphQL(twins).assign_claim(**sent)
    assert rest.status == status
    same_problem(rest, graphql)
    assert await twins.rows(tables.claim_assignments) == before


@on_sqlite
async def test_graphql_spells_members_its_way_and_keys_of_a_map_as_they_were_sent(world: World) -> None:
    body = await GraphQL(world).run(
        """mutation ($input: AssignClaimInput!) { assignClaim(input: $input) {
             ... on ValidationProblem { violations { loc } } } }""",
        "manager",
        {"input": {"gtin": GTIN, "claimId": VEGAN, "evidenceUrl": "x", "metadata": {"a_b": 1, "aB": 1}}},
    )
    assert body["data"]["assignClaim"]["violations"] == [
        {"loc": ["input", "evidenceUrl"]},
        {"loc": ["input", "metadata", "a_b"]},
        {"loc": ["input", "metadata", "aB"]},
    ]


REFUSED_PATCHES: list[tuple[int, dict[str, Any]]] = [
    (404, {"gtin": "12345678"}),
    (404, {"certification_id": FAIR_TRADE}),
    (404, {"certification_id": NOTHING}),
    (404, {"certification_id": OTHERS_PRIVATE}),
    (403, {"key": "readonly"}),
    (403, {"key": "rival"}),
    (403, {"gtin": OTHERS_GTIN}),
    (422, {"verification_status": None}),
    (422, {"valid_from": "2025-01-02", "expiration_date": "2025-01-01"}),
    (422, {"certificate_countries": ["US", "us", "XK"], "certificate_number": "x" * 101}),
    (422, {"metadata": {f"k{number}": "v" for number in range(50)}}),
    (422, {"gtin": "x" * 8, "certification_id": "x", "scope": "\0"}),
]


@on_sqlite
@pytest.mark.parametrize(("status", "members"), REFUSED_PATCHES)
async def test_a_refused_patch_is_the_same_problem(twins: World, status: int, members: dict[str, Any]) -> None:
    before = await twins.rows(tables.certification_assignments)
    sent = {"gtin": GTIN, "certification_id": USDA_ORGANIC, "scope": "new", **members}
    rest = await Rest(twins).patch_certification(**sent)
    graphql = await GraphQL(twins).patch_certification(**sent)
    assert rest.status == status
    same_problem(rest, graphql)
    assert await twins.rows(tables.certification_assignments) == before


@on_sqlite
@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "x"}, {"Cookie": "sessionid=x"}])
async def test_without_a_credential_both_faces_give_one_answer(world: World, headers: dict[str, str]) -> None:
    rest = await world.client.get(f"/certifications/api/v1/products/{GTIN}/claims", headers=headers)
    graphql = await world.client.post("/graphql", json={"query": "{ viewer { role } }"}, headers=headers)
    assert rest.status_code == graphql.status_code == 401
    for response in (rest, graphql):
        assert response.headers["content-type"] == "application/problem+json"
        assert "www-authenticate" in response.headers
    first, second = rest.json(), graphql.json()
    assert {**first, "timestamp": ""} == {**second, "timestamp": ""}
