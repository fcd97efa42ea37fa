"""Anything by its id: what clients with a normalised cache ask again, one thing or many."""

from collections.abc import Sequence
from typing import Any

import graphql
import pytest

from db.engine.sqlite import SqliteDatabase
from db.sql import tables
from domain.short_id import catalogue_id, decode
from schema.schema import schema
from tests.operations.faces import GraphQL, Rest
from tests.operations.test_statements import statements
from tests.world import BODY, FAIR_TRADE, GTIN, NON_GMO, NOTHING, OTHERS_PRIVATE, PRIVATE, USDA_ORGANIC, VEGAN, World

PRODUCT = catalogue_id("product", GTIN)

ANYTHING = """__typename id
  ... on Product { gtin claims { claim { code } } }
  ... on Certification { label isPrivate body { name } }
  ... on Claim { code }
  ... on CertificationBody { name }
  ... on CertificationAssignment { certificateNumber certification { label } product { gtin } }
  ... on ClaimAssignment { source claim { code } product { name } }
  ... on Organization { slug }"""
NODE = f"query ($id: ID!) {{ node(id: $id) {{ {ANYTHING} }} }}"
NODES = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ {ANYTHING} }} }}"


@pytest.fixture
def face(world: World) -> GraphQL:
    return GraphQL(world)


@pytest.fixture
async def assigned(world: World) -> dict[str, str]:
    """The ids of an assignment of each kind, and of one of a private definition."""
    await world.add_certification(GTIN, PRIVATE)
    assert (await Rest(world).assign_claim(GTIN, VEGAN)).ok
    # Of both tables: product, definition, own id.
    ids = {
        row[1]: row[2]
        for table in (tables.certification_assignments, tables.claim_assignments)
        for row in await world.rows(table)
    }
    return {"certified": ids[USDA_ORGANIC], "private": ids[PRIVATE], "claimed": ids[VEGAN]}


async def node(face: GraphQL, id: str, key: str = "readonly") -> Any:
    body = await face.run(NODE, key, {"id": id})
    assert "errors" not in body
    return body["data"]["node"]


async def nodes(face: GraphQL, ids: Sequence[str], key: str = "readonly") -> Any:
    body = await face.run(NODES, key, {"ids": ids})
    assert "errors" not in body
    return body["data"]["nodes"]


async def test_each_kind_of_thing_is_found_by_its_id(face: GraphQL, assigned: dict[str, str], world: World) -> None:
    expected: list[dict[str, Any]] = [
        {"__typename": "Product", "id": PRODUCT, "gtin": GTIN, "claims": [{"claim": {"code": "VEGAN"}}]},
        {
            "__typename": "Certification",
            "id": USDA_ORGANIC,
            "label": "USDA Organic",
            "isPrivate": False,
            "body": {"name": "United States Department of Agriculture"},
        },
        {"__typename": "Claim", "id": VEGAN, "code": "VEGAN"},
        {"__typename": "CertificationBody", "id": BODY, "name": "United States Department of Agriculture"},
        {
            "__typename": "CertificationAssignment",
            "id": assigned["certified"],
            "certificateNumber": "NOP-1",
            "certification": {"label": "USDA Organic"},
            "product": {"gtin": GTIN},
        },
        {
            "__typename": "ClaimAssignment",
            "id": assigned["claimed"],
            "source": "BRAND_SELF_DECLARED",
            "claim": {"code": "VEGAN"},
            "product": {"name": "Oat drink"},
        },
        {"__typename": "Organization", "id": world.brand, "slug": "brand"},
    ]
    for _ in range(2):  # The second run is compiled.
        for thing in expected:
            assert await node(face, thing["id"]) == thing
        assert await nodes(face, [thing["id"] for thing in expected]) == expected


async def test_every_type_with_an_id_is_a_node() -> None:
    built = schema._schema
    interface = built.type_map["Node"]
    assert isinstance(interface, graphql.GraphQLInterfaceType)
    with_id = {
        name
        for name, kind in built.type_map.items()
        if isinstance(kind, graphql.GraphQLObjectType) and "id" in kind.fields
    }
    # A user is read as `viewer` alone, keys and people by the managers of their organisation, in their lists, and
    # imports, saved views, calendars and webhooks where they are listed. An acknowledgement has its assignment's id.
    listed = {"ApiKey", "User", "Invitation", "BrowserSession", "Import", "SavedView", "Calendar", "Webhook"}
    assert with_id - listed - {"Acknowledgement"} == {kind.name for kind in built.get_possible_types(interface)}


async def test_the_answer_is_in_the_order_of_the_ids(face: GraphQL) -> None:
    ids = [VEGAN, PRODUCT, NOTHING, USDA_ORGANIC, VEGAN, str(decode(NON_GMO))]
    found = await nodes(face, ids)
    assert [item and item["id"] for item in found] == [VEGAN, PRODUCT, None, USDA_ORGANIC, VEGAN, NON_GMO]
    assert await nodes(face, []) == []
    assert await node(face, NOTHING) is None


async def test_what_the_caller_may_not_see_is_not_there(face: GraphQL, assigned: dict[str, str], world: World) -> None:
    asked = [PRIVATE, OTHERS_PRIVATE, assigned["private"], world.brand, world.rival, FAIR_TRADE]
    seen = {
        key: [item is not None for item in await nodes(face, asked, key)]
        for key in ("readonly", "rival", "publishable")
    }
    assert seen == {
        "readonly": [True, False, True, True, False, True],
        "rival": [False, True, False, False, True, True],
        "publishable": [False, False, False, True, False, True],
    }


@pytest.mark.parametrize("id", ["", "z" * 22, "UHJvZHVjdDox", GTIN, "\u0000"])
async def test_what_cannot_be_an_id_is_an_error_at_its_place(face: GraphQL, id: str) -> None:
    body = await face.run(NODE, "readonly", {"id": id})
    assert body["data"] == {"node": None}
    assert body["errors"][0]["extensions"]["code"] == "validation_error"
    assert body["errors"][0]["path"] == ["node"]
    for _ in range(2):
        body = await face.run(NODES, "readonly", {"ids": [VEGAN, id, NOTHING, PRODUCT]})
        assert [item and item["id"] for item in body["data"]["nodes"]] == [VEGAN, None, None, PRODUCT]
        (error,) = body["errors"]
        assert error["path"] == ["nodes", 1]
        assert error["extensions"]["problem"]["violations"][0]["loc"] == ["ids", "1"]


async def test_a_hundred_ids_are_looked_up_at_once(face: GraphQL) -> None:
    assert await nodes(face, [PRODUCT] * 50 + [NOTHING] * 50) != []
    body = await face.run(NODES, "readonly", {"ids": [PRODUCT] * 101})
    assert body["data"] == {"nodes": None}
    assert body["errors"][0]["extensions"]["problem"]["violations"] == [
        {"loc": ["ids"], "msg": "List should have at most 100 items, not 101", "type": "too_long"}
    ]


def reads(sql: str, table: str) -> bool:
    """Whether it is a statement of that table. Whose product an assignment is of is looked up in its own one."""
    return f"FROM {table}" in " ".join(sql.split()).replace("organization_id FROM products WHERE", "")


async def test_however_many_ids_each_table_is_asked_once(face: GraphQL, assigned: dict[str, str], world: World) -> None:
    ids = [PRODUCT, *assigned.values(), VEGAN, USDA_ORGANIC, BODY, *(catalogue_id("no", str(n)) for n in range(90))]
    shallow = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for asked in (ids[:1], ids):
        async with statements(world) as seen:
            assert "errors" not in await face.run(shallow, "readonly", {"ids": asked})
        for table in tables.metadata.tables:
            assert sum(reads(sql, table) for sql in seen) <= 1, seen
        assert len(seen) <= 6


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("table", [tables.products, tables.certification_assignments, tables.claim_assignments])
async def test_ids_are_found_by_their_index(world: World, table: Any) -> None:
    """A search of any of these tables from end to end would take half a second on a million rows."""
    assert isinstance(world.database, SqliteDatabase)
    async with statements(world) as seen:
        await nodes(GraphQL(world), [NOTHING])
    (sql,) = (sql for sql in seen if reads(sql, table.name))
    plan = world.database._readers[0].execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    (own,) = (step[3] for step in plan if table.name in step[3])
    assert own.startswith(f"SEARCH {table.name} USING INDEX"), plan
    assert own.endswith("(id=?)"), plan
