"""Archived products: they leave every list with what they have, are kept, and come back."""

import asyncio
import json
from typing import Any

import pytest

from db.sql import tables
from domain.changes import Change
from domain.commands import ArchiveProduct, AssignClaim, RestoreProduct
from domain.errors import Archived
from resolvers.claims import assign_claim
from resolvers.operation import Context
from resolvers.products import archive_product, restore_product
from tests.files.importing import caller
from tests.operations.faces import Face, Outcome
from tests.operations.mutations import bulk, run
from tests.world import FAIR_TRADE, GTIN, NON_GMO, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World

OTHER = "00614141107346"
NOTED: dict[str, Any] = {"metadata": {"site": "7"}}
LISTS = """query ($where: ProductWhere, $held: CertificationAssignmentWhere, $made: ClaimAssignmentWhere,
                  $organic: String!, $gmo: String!) {
  products(where: $where) { totalCount nodes { gtin } }
  search: products(where: {search: "acme"}) { totalCount nodes { gtin } }
  organic: products(where: {certifications: {some: {certification: {code: {eq: $organic}}}}}) {
    totalCount nodes { gtin } }
  noted: products(where: {metadata: {key: "site", eq: "7"}}) { totalCount nodes { gtin } }
  certificationAssignments(where: $held) { totalCount nodes { gtin } }
  claimAssignments(where: $made) { totalCount nodes { gtin } }
  mine: claimAssignments(where: {mine: true}) { totalCount nodes { gtin } }
  certification(code: $organic) { assignments { totalCount nodes { gtin } } }
  claim(code: $gmo) { assignments { totalCount nodes { gtin } } }
  certificationAssignmentStats { totalCount productCount groups { verificationStatus count } }
  claimAssignmentStats { totalCount productCount groups { claim { code } count } }
}"""
ARCHIVED = {"isArchived": True}
LIVE = {"isArchived": False}


@pytest.fixture
async def stocked(face: Face, world: World) -> World:
    """Two products of the brand with a certificate and a claim each, beside those of others."""
    await world.add_product(OTHER, world.brand)
    await world.add_certification(OTHER, USDA_ORGANIC)
    for gtin in (GTIN, OTHER):
        assert (await face.assign_claim(gtin, NON_GMO, **NOTED)).ok
        assert (await face.patch_product(gtin, **NOTED)).ok
    return world


async def ask(world: World, query: str, variables: dict[str, Any], key: str = "manager") -> dict[str, Any]:
    sent = {"query": query, "variables": variables}
    body = (await world.client.post("/graphql", json=sent, headers={"X-API-Key": world.keys[key]})).json()
    assert "errors" not in body, body
    data: dict[str, Any] = body["data"]
    return data


async def lists(world: World, where: dict[str, Any] | None = None) -> dict[str, Any]:
    """What every list of GraphQL and REST has, by its name."""
    variables = {"where": where, "held": where, "made": where, "organic": "USDA_ORGANIC", "gmo": "NON_GMO"}
    found = await ask(world, LISTS, variables)
    for path in (f"products?organization_id={world.brand}", "trade-items", "trade-items?q=acme"):
        headers = {"X-API-Key": world.keys["manager"]}
        found[path] = (await world.client.get(f"/products/api/v1/{path}", headers=headers)).json()
    for name in ("products", "certifications", "claims"):
        path = f"/certifications/api/v1/exports/{name}?format=jsonl"
        lines = (await world.client.get(path, headers={"X-API-Key": world.keys["manager"]})).text.splitlines()
        found[f"file of {name}"] = [json.loads(line)["gtin"] for line in lines]
    return found


def gtins(found: dict[str, Any], name: str) -> list[str]:
    return [item["gtin"] for item in found[name]["nodes"]]


async def test_an_archived_product_leaves_every_list_and_comes_back_as_it_was(face: Face, stocked: World) -> None:
    before = await lists(stocked)
    rows = {table: await stocked.rows(table) for table in (tables.claim_assignments, tables.certification_assignments)}
    assert (await face.archive_product(OTHER, key="editor")).ok
    found = await lists(stocked)
    assert OTHER not in str(found)
    for name in ("products", "search", "organic", "noted", "claimAssignments", "mine", "certificationAssignments"):
        assert found[name]["totalCount"] == before[name]["totalCount"] - 1 == len(gtins(found, name)), name
        assert gtins(found, name) == [gtin for gtin in gtins(before, name) if gtin != OTHER]
    for name in ("certification", "claim"):
        assert found[name]["assignments"]["totalCount"] == before[name]["assignments"]["totalCount"] - 1 == 1
    for name in ("certificationAssignmentStats", "claimAssignmentStats"):
        assert found[name]["totalCount"] == before[name]["totalCount"] - 1
        assert found[name]["productCount"] == before[name]["productCount"] - 1
        assert sum(group["count"] for group in found[name]["groups"]) == found[name]["totalCount"]
    for name in ("trade-items", f"products?organization_id={stocked.brand}"):
        was, now = (each[name]["pagination"]["total_count"] for each in (before, found))
        assert now == was - 1
    assert await lists(stocked, LIVE) == found
    archived = await lists(stocked, ARCHIVED)
    for name in ("products", "certificationAssignments", "claimAssignments"):
        assert gtins(archived, name) == [OTHER]
        assert archived[name]["totalCount"] == 1
    assert (await face.restore_product(OTHER)).ok
    assert await lists(stocked) == before
    for table, stored in rows.items():
        assert await stocked.rows(table) == stored


async def test_what_is_archived_is_still_found_by_its_gtin_and_by_ids(face: Face, stocked: World) -> None:
    query = """query ($gtin: String!) { product(gtin: $gtin) { id name archivedAt
        certifications { id certification { label } product { archivedAt } } claims { id claim { label } } } }"""
    before = (await ask(stocked, query, {"gtin": OTHER}))["product"]
    held, made = (await face.certifications(OTHER)).facts, (await face.claims(OTHER)).facts
    await face.archive_product(OTHER)
    found = (await ask(stocked, query, {"gtin": OTHER}))["product"]
    moment = found["archivedAt"]
    assert before["archivedAt"] is None
    assert moment is not None
    for each in (before, found):
        each["archivedAt"] = each["certifications"][0]["product"] = None
    assert found == before
    ids = [found["id"], found["certifications"][0]["id"], found["claims"][0]["id"]]
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Product { archivedAt } } }"
    assert (await ask(stocked, nodes, {"ids": ids}))["nodes"] == [
        {"__typename": "Product", "id": ids[0], "archivedAt": moment},
        {"__typename": "CertificationAssignment", "id": ids[1]},
        {"__typename": "ClaimAssignment", "id": ids[2]},
    ]
    assert (await face.certifications(OTHER)).facts == held
    assert (await face.claims(OTHER)).facts == made
    headers = {"X-API-Key": stocked.keys["readonly"]}
    for path in (f"products/{OTHER}", f"trade-items/{OTHER}"):
        shown = (await stocked.client.get(f"/products/api/v1/{path}", headers=headers)).json()
        assert shown["archived_at"][:19] == moment[:19]
    live = (await stocked.client.get(f"/products/api/v1/products/{GTIN}", headers=headers)).json()
    assert "archived_at" not in live


async def test_nothing_of_an_archived_product_is_changed_until_it_is_restored(face: Face, stocked: World) -> None:
    async def writes() -> list[Outcome]:
        return [
            await face.patch_product(OTHER, brand="New"),
            await face.assign_claim(OTHER, VEGAN),
            await face.patch_claim(OTHER, NON_GMO, valid_from="2026-01-01"),
            await face.remove_claim(OTHER, NON_GMO),
            await face.assign_certification(OTHER, FAIR_TRADE),
            await face.patch_certification(OTHER, USDA_ORGANIC, scope="All"),
            await face.remove_certification(OTHER, USDA_ORGANIC),
        ]

    await face.archive_product(OTHER)
    changing = (tables.products, tables.claim_assignments, tables.certification_assignments)
    before = [await stocked.rows(table) for table in changing]
    for outcome in await writes():
        assert (outcome.status, outcome.code) == (409, "conflict")
        assert outcome.problem["detail"] == (
            f"The product {OTHER} is archived, so nothing of it can be changed; restore it first."
        )
    made = await face.create_product(OTHER)
    assert made.status == 409
    assert made.problem["detail"].endswith("and is archived; restore that one instead.")
    assert [await stocked.rows(table) for table in changing] == before
    await face.restore_product(OTHER)
    assert [outcome.ok for outcome in await writes()] == [True] * 7


async def test_a_second_time_changes_nothing(face: Face, stocked: World) -> None:
    before = await stocked.rows(tables.products)
    assert (await face.restore_product(OTHER)).ok
    assert await stocked.rows(tables.products) == before
    for act in (face.archive_product, face.restore_product):
        assert (await act(OTHER)).ok
        once = await stocked.rows(tables.products)
        assert once != before
        assert (await act(OTHER)).ok
        assert await stocked.rows(tables.products) == once
    shown = await ask(
        stocked, "query ($gtin: String!) { product(gtin: $gtin) { version archivedAt } }", {"gtin": OTHER}
    )
    # It was made, got its notes, and went and came.
    assert shown["product"] == {"version": 4, "archivedAt": None}


@pytest.mark.parametrize("policy", ["REJECT_ALL", "IGNORE_FAILED"])
async def test_many_at_once(face: Face, stocked: World, policy: str) -> None:
    rows = [{"gtin": OTHER}, {"gtin": OTHERS_GTIN}, {"gtin": GTIN}]
    answer = await bulk(stocked, "archiveProducts", rows, policy)
    done = policy == "IGNORE_FAILED"
    other = "ProductArchived" if done else "NotAppliedProblem"
    assert [row["result"]["__typename"] for row in answer["rows"]] == [other, "ForbiddenProblem", other]
    assert gtins(await lists(stocked, ARCHIVED), "products") == ([GTIN, OTHER] if done else [])
    again = await bulk(stocked, "restoreProducts", [{"gtin": GTIN}, {"gtin": OTHER}], dry=True)
    changes = [row["result"]["changes"] for row in again["rows"]]
    assert [[change["path"] for change in each] for each in changes] == ([[["archivedAt"]]] * 2 if done else [[], []])
    assert gtins(await lists(stocked, ARCHIVED), "products") == ([GTIN, OTHER] if done else [])


async def test_the_same_idempotency_key_archives_once(face: Face, stocked: World) -> None:
    first = await run(stocked, "archiveProduct", {"gtin": OTHER}, key="one")
    await face.restore_product(OTHER)
    again = await run(stocked, "archiveProduct", {"gtin": OTHER}, key="one")
    assert again["product"] == first["product"]
    assert OTHER in str(await lists(stocked))


async def test_who_assigns_while_it_is_archived_is_refused_or_was_first(world: World, face: Face) -> None:
    manager = caller(world)

    async def assigned(definition: str) -> object:
        try:
            return await assign_claim(
                Context(world.database, manager), AssignClaim.parse({"gtin": GTIN, "claim_id": definition})
            )
        except Archived as refusal:
            return refusal

    for _ in range(10):
        done = await asyncio.gather(
            assigned(VEGAN),
            archive_product(Context(world.database, manager), ArchiveProduct.parse({"gtin": GTIN})),
            assigned(NON_GMO),
        )
        assert isinstance(done[1], Change)
        found = await lists(world)
        assert GTIN not in str(found["claimAssignments"]), done
        assert found["claimAssignments"]["totalCount"] == found["claimAssignmentStats"]["totalCount"] == 0
        await restore_product(Context(world.database, manager), RestoreProduct.parse({"gtin": GTIN}))
        async with world.database.write() as transaction:
            await transaction.execute(tables.claim_assignments.delete())
