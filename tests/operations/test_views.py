"""Saved views through both faces: saved, changed and removed by editors, read by members, and by nobody else."""

import asyncio
import json
from datetime import date
from typing import Any

import pytest

from db import views
from db.sql import tables
from domain.short_id import ShortId, catalogue_id
from domain.views import MAX_VIEWS, SavedView, conditions_of
from domain.vocabulary import ViewKind
from tests.operations.faces import Face, GraphQL, Outcome, Rest
from tests.world import FAIR_TRADE, GTIN, NOON, OTHERS_GTIN, VEGAN, World

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LISTS = """query ($id: ID!, $first: Int, $after: String) { view(id: $id) { name problem
  products(first: $first, after: $after) { totalCount nodes { gtin } pageInfo { endCursor hasNextPage } }
  certifications(first: $first, after: $after) { totalCount nodes { gtin certification { id } } }
  claims { nodes { gtin } } } }"""


async def saved(face: Face, key: str = "editor", **members: Any) -> ShortId:
    outcome = await face.people("save view", key, **members)
    assert outcome.ok, outcome
    return ShortId(outcome.facts["id"])


async def shown(world: World, id: ShortId, key: str = "readonly", **variables: Any) -> Any:
    body = await GraphQL(world).run(LISTS, key, {"id": id, **variables})
    assert "errors" not in body, body
    return body["data"]["view"]


async def test_a_view_shows_its_list_in_its_order(world: World, face: Face) -> None:
    other = "00000040170725"
    await world.add_product(other, world.brand, "Zwieback")
    id = await saved(face, name="Ours", kind="products", where='{"mine": true}', ordering="-name")
    view = await shown(world, id)
    assert (view["certifications"], view["claims"], view["problem"]) == (None, None, None)
    assert [node["gtin"] for node in view["products"]["nodes"]] == [other, GTIN]
    assert view["products"]["totalCount"] == 2
    first = (await shown(world, id, first=1))["products"]
    assert first["pageInfo"]["hasNextPage"]
    second = (await shown(world, id, first=1, after=first["pageInfo"]["endCursor"]))["products"]
    assert [node["gtin"] for page in (first, second) for node in page["nodes"]] == [other, GTIN]


async def test_what_is_seen_is_what_the_reader_may_see(world: World, face: Face) -> None:
    """The list is that of whoever reads it: `mine` is the reader's."""
    await world.add_certification(OTHERS_GTIN, FAIR_TRADE)
    id = await saved(face, name="All", kind="certifications")
    assert [node["gtin"] for node in (await shown(world, id))["certifications"]["nodes"]] == [GTIN, OTHERS_GTIN]
    for key in ("rival", "publishable"):
        assert await shown(world, id, key) is None
    path = f"/account/api/v1/organizations/{world.brand}/views"
    for key, status in (("rival", 404), ("publishable", 403)):
        for at in (path, f"{path}/{id}"):
            assert (await world.client.get(at, headers={"X-API-Key": world.keys[key]})).status_code == status


async def test_the_filter_stays_as_it_was_sent_and_is_counted_from_each_day(world: World, face: Face) -> None:
    where = '{ "lapses_within" : {"days": 30},"mine":true }'
    id = await saved(face, name="Soon", kind="certifications", where=where, ordering="lapsesOn")
    (row,) = await world.rows(tables.views)
    assert where in row
    view = await views.find(world.database, id)
    assert view is not None
    assert conditions_of(view, date(2027, 3, 2)) != conditions_of(view, date(2027, 3, 3))
    assert await shown(world, id)


async def test_a_view_is_renamed_and_narrowed_down(world: World, face: Face) -> None:
    await saved(face, name="Taken", kind="claims")
    id = await saved(face, name="Old", kind="certifications")
    changed = await face.people("change view", "editor", view_id=id, name="New", where='{"mine": false}')
    assert (changed.facts["name"], changed.facts["where"]) == ("New", '{"mine": false}')
    assert (await shown(world, id))["certifications"]["nodes"] == []
    assert (await face.people("change view", view_id=id, name="Taken")).code == "conflict"
    assert (await face.people("remove view", "editor", view_id=id)).ok
    assert await shown(world, id) is None


async def test_a_view_whose_filter_no_longer_parses_says_so(world: World, face: Face) -> None:
    id = await saved(face, name="Old", kind="claims")
    async with world.database.write() as transaction:
        await transaction.execute(tables.views.update().values(where='{"taste": {"eq": "sweet"}}', ordering="taste"))
    body = await GraphQL(world).run(LISTS, "readonly", {"id": id})
    view = body["data"]["view"]
    assert view["claims"] is None
    assert view["problem"].startswith("Validation error. where.taste: Input should be one of ")
    (error,) = body["errors"]
    assert error["path"] == ["view", "claims"]
    assert [entry["loc"] for entry in error["extensions"]["problem"]["violations"]] == [["view", "where", "taste"]]
    export = await world.client.get(
        f"/certifications/api/v1/exports/claims?view={id}", headers={"X-API-Key": world.keys["readonly"]}
    )
    assert export.status_code == 422
    assert export.json()["details"][0]["loc"][-3:] == ["view", "where", "taste"]
    # It can be mended, and until then it is listed.
    assert (await face.people("change view", view_id=id, where="{}")).code == "validation_error"
    mended = await face.people("change view", view_id=id, where="{}", ordering="")
    assert mended.facts["problem"] is None
    assert (await shown(world, id))["claims"]["nodes"] == []


@on_sqlite
async def test_an_export_of_a_view_is_the_list_s(world: World, face: Face) -> None:
    assert (await Rest(world).assign_claim(GTIN, VEGAN)).ok
    where = json.dumps({"claim": {"code": {"eq": "VEGAN"}}, "mine": True})
    id = await saved(face, name="Vegan", kind="claims", where=where)
    headers = {"X-API-Key": world.keys["readonly"]}
    path = "/certifications/api/v1/exports/claims"
    by_view = await world.client.get(path, params={"view": id, "format": "csv"}, headers=headers)
    by_filter = await world.client.get(path, params={"where": where, "format": "csv"}, headers=headers)
    assert by_view.status_code == 200
    assert by_view.content == by_filter.content
    both = await world.client.get(
        path,
        params={"view": id, "where": '{"source": {"eq": "THIRD_PARTY_VERIFIED"}}', "format": "jsonl"},
        headers=headers,
    )
    assert both.content == b""
    wrong = await world.client.get(f"/certifications/api/v1/exports/products?view={id}", headers=headers)
    assert (wrong.status_code, wrong.json()["details"][0]["type"]) == (422, "kind_of_view")
    for key in ("rival", "publishable"):
        hidden = await world.client.get(path, params={"view": id}, headers={"X-API-Key": world.keys[key]})
        assert hidden.status_code == 404


async def test_names_are_unique_whoever_is_quickest(world: World, face: Face) -> None:
    made = await asyncio.gather(*(face.people("save view", name="Ours", kind="products") for _ in range(5)))
    assert sorted(outcome.ok for outcome in made) == [False] * 4 + [True]
    assert {outcome.code for outcome in made if not outcome.ok} == {"conflict"}
    # Another organisation has names of its own.
    assert (await face.people("save view", "rival", name="Ours", kind="products", organization_id=world.rival)).ok


async def test_an_organisation_has_no_more_views_than_it_may(world: World, face: Face) -> None:
    async with world.database.write() as transaction:
        for number in range(MAX_VIEWS - 1):
            id = catalogue_id("view", str(number))
            view = SavedView(id, world.brand, str(number), ViewKind.CLAIMS, "{}", "", NOON, NOON)
            await views.add(transaction, view)
    made: list[Outcome] = await asyncio.gather(
        *(face.people("save view", name=f"new {number}", kind="claims") for number in range(3))
    )
    refused = [outcome for outcome in made if not outcome.ok]
    assert len(refused) == 2
    assert {kind for outcome in refused for _, kind, _ in outcome.violations()} == {"too_many_views"}
