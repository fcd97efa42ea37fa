"""Connections through GraphQL: cursors, directions, totals, who sees what, and how many statements that takes."""

import base64
from datetime import date
from typing import Any

import pytest

from db.sql import tables
from domain.short_id import ShortId
from tests.operations.faces import GraphQL, Rest
from tests.operations.test_statements import statements
from tests.world import (
    BODY,
    FAIR_TRADE,
    GTIN,
    NON_GMO,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    PRIVATE,
    USDA_ORGANIC,
    VEGAN,
    World,
)

GTINS = [f"{number:014d}" for number in range(1, 9)]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def shelf(world: World) -> World:
    """Eight more products, all with USDA Organic and, like `GTIN`, with a claim."""
    for gtin in GTINS:
        await world.add_product(gtin, world.brand, f"Product {gtin[-1]}")
        await world.add_certification(gtin, USDA_ORGANIC, certificate_number=f"N-{gtin[-1]}")
    for gtin in [*GTINS, GTIN]:
        assert (await Rest(world).assign_claim(gtin, NON_GMO)).ok
    return world


async def ask(world: World, query: str, key: str = "manager", **variables: Any) -> Any:
    body = await GraphQL(world).run(query, key, variables)
    assert "errors" not in body, body
    return body["data"]


async def refusal(world: World, query: str, key: str = "manager", **variables: Any) -> Any:
    body = await GraphQL(world).run(query, key, variables)
    return body["errors"][0]["extensions"]["problem"]


PAGE = """query ($first: Int, $after: String, $last: Int, $before: String, $order: AssignmentOrder) {
  certificationAssignments(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
    totalCount edges { cursor node { gtin } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def page(world: World, **variables: Any) -> Any:
    return (await ask(world, PAGE, **variables))["certificationAssignments"]


def gtins(page: Any) -> list[str]:
    return [edge["node"]["gtin"] for edge in page["edges"]]


async def test_forward_and_backward(shelf: World) -> None:
    everything = await page(shelf)
    assert gtins(everything) == [*GTINS, GTIN]
    assert everything["totalCount"] == 9
    first = await page(shelf, first=4)
    assert (gtins(first), first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (
        GTINS[:4],
        True,
        False,
    )
    after = await page(shelf, first=4, after=first["pageInfo"]["endCursor"])
    assert gtins(after) == GTINS[4:]
    back = await page(shelf, last=3, before=after["pageInfo"]["startCursor"])
    assert gtins(back) == GTINS[1:4]
    assert (back["pageInfo"]["hasNextPage"], back["pageInfo"]["hasPreviousPage"]) == (True, True)
    rest = await page(shelf, last=3, before=back["pageInfo"]["startCursor"])
    assert (gtins(rest), rest["pageInfo"]["hasPreviousPage"]) == (GTINS[:1], False)
    end = await page(shelf, last=2)
    assert (gtins(end), end["pageInfo"]["hasNextPage"]) == ([GTINS[7], GTIN], False)


async def test_rows_that_come_and_go_move_no_page(shelf: World) -> None:
    order = {"field": "UPDATED_AT", "direction": "DESC"}
    first = await page(shelf, first=3, order=order)
    async with shelf.database.write() as transaction:
        # The very row at which the cursor stands.
        gone = tables.certification_assignments.c.gtin == gtins(first)[-1]
        await transaction.execute(tables.certification_assignments.delete().where(gone))
    rest = await page(shelf, first=100, after=first["pageInfo"]["endCursor"], order=order)
    assert sorted(gtins(first) + gtins(rest)) == sorted([*GTINS, GTIN])


@on_sqlite
@pytest.mark.parametrize(
    ("variables", "member", "kind"),
    [
        ({"first": 1, "last": 1}, "last", "two_directions"),
        ({"first": 1, "before": "x"}, "before", "two_directions"),
        ({"last": 1, "after": "x"}, "last", "two_directions"),
        ({"after": "x", "before": "x"}, "before", "two_directions"),
        ({"first": 0}, "first", "out_of_range"),
        ({"last": 101}, "last", "out_of_range"),
        ({"after": "x"}, "after", "cursor"),
        ({"before": "!!!!"}, "before", "cursor"),
        ({"after": "é" * 10}, "after", "cursor"),
        ({"after": base64.urlsafe_b64encode(b"p1:00012345678905").decode()}, "after", "cursor"),
    ],
)
async def test_a_bad_window_is_a_typed_error(world: World, variables: dict[str, Any], member: str, kind: str) -> None:
    problem = await refusal(world, PAGE, **variables)
    assert problem["status"] == 422
    assert [(entry["loc"], entry["type"]) for entry in problem["violations"]] == [([member], kind)]


@on_sqlite
async def test_a_cursor_is_of_one_list_in_one_order_of_one_installation(shelf: World) -> None:
    cursor = (await page(shelf, first=1))["pageInfo"]["endCursor"]
    assert gtins(await page(shelf, first=1, after=cursor)) == [GTINS[1]]

    async def kind(query: str, **variables: Any) -> str:
        problem = await refusal(shelf, query, **variables)
        return str(problem["violations"][0]["type"])

    assert await kind(PAGE, after=cursor, order={"field": "UPDATED_AT"}) == "cursor_order"
    assert await kind(PAGE, after=cursor, order={"direction": "DESC"}) == "cursor_order"
    for name in ("claimAssignments", "products", "certifications", "certificationBodies"):
        query = f"query ($after: String) {{ {name}(after: $after) {{ pageInfo {{ endCursor }} }} }}"
        assert await kind(query, after=cursor) == "cursor_order"
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for at in range(len(raw)):
        changed = bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]])
        assert await kind(PAGE, after=base64.urlsafe_b64encode(changed).decode()) == "cursor"
    shelf.database.cursor_secret = "f" * 64
    assert await kind(PAGE, after=cursor) == "cursor"
    shelf.database.cursor_secret = None
    assert gtins(await page(shelf, first=1, after=cursor)) == [GTINS[1]]


async def test_which_products_hold_it_and_what_a_body_certifies(shelf: World) -> None:
    found = await ask(
        shelf,
        """query ($body: ID!) {
          certificationAssignments(first: 2, where: {certification: {code: {eq: "USDA_ORGANIC"}}}) {
            totalCount nodes { product { name } } }
          claimAssignments(where: {claim: {label: {startsWith: "non"}}, gtin: {in: ["00000000000003"]}}) {
            nodes { product { gtin } } }
          certification(code: "USDA_ORGANIC") {
            assignments(first: 3, where: {certificateNumber: {startsWith: "N-"}}) {
              totalCount nodes { certificateNumber } } }
          certificationBody(id: $body) {
            certifications { totalCount nodes { code } }
            assignments(last: 1) { totalCount nodes { gtin } pageInfo { hasPreviousPage } } }
          claim(code: "NON_GMO") { assignments(first: 1) { totalCount nodes { product { gtin } } } }
        }""",
        body=BODY,
    )
    assert found == {
        "certificationAssignments": {
            "totalCount": 9,
            "nodes": [{"product": {"name": "Product 1"}}, {"product": {"name": "Product 2"}}],
        },
        "claimAssignments": {"nodes": [{"product": {"gtin": GTINS[2]}}]},
        "certification": {
            "assignments": {"totalCount": 8, "nodes": [{"certificateNumber": f"N-{n}"} for n in (1, 2, 3)]}
        },
        "certificationBody": {
            "certifications": {"totalCount": 1, "nodes": [{"code": "USDA_ORGANIC"}]},
            "assignments": {"totalCount": 9, "nodes": [{"gtin": GTIN}], "pageInfo": {"hasPreviousPage": True}},
        },
        "claim": {"assignments": {"totalCount": 9, "nodes": [{"product": {"gtin": GTINS[0]}}]}},
    }


NESTED = """query ($id: ID, $first: Int, $after: String, $last: Int, $order: NestedAssignmentOrder) {
  %s(id: $id) { assignments(first: $first, after: $after, last: $last, orderBy: $order) {
    nodes { gtin } pageInfo { endCursor } } } }"""


@pytest.mark.parametrize(("kind", "id"), [("claim", NON_GMO), ("certification", USDA_ORGANIC)])
async def test_a_definitions_assignments_come_by_gtin_unless_asked_otherwise(
    shelf: World, kind: str, id: ShortId
) -> None:
    async def nodes(**variables: Any) -> tuple[list[str], str]:
        found = (await ask(shelf, NESTED % kind, id=id, **variables))[kind]["assignments"]
        return [node["gtin"] for node in found["nodes"]], found["pageInfo"]["endCursor"]

    everyone = sorted([*GTINS, GTIN])
    assert (await nodes(first=100))[0] == everyone
    assert (await nodes(first=100, order={"direction": "DESC"}))[0] == everyone[::-1]
    assert (await nodes(last=2))[0] == everyone[-2:]
    half, cursor = await nodes(first=4)
    assert half + (await nodes(first=100, after=cursor))[0] == everyone
    # The second and the seventh end, the others never do.
    table = tables.claim_assignments if kind == "claim" else tables.certification_assignments
    for gtin, day in ((everyone[1], date(2031, 1, 1)), (everyone[6], date(2030, 1, 1))):
        async with shelf.database.write() as transaction:
            await transaction.execute(
                table.update().where(table.c.gtin == gtin, table.c[f"{kind}_id"] == id).values(expiration_date=day)
            )
    ends = [everyone[6], everyone[1], *(gtin for gtin in everyone if gtin not in (everyone[1], everyone[6]))]
    assert (await nodes(first=100, order={"field": "EXPIRATION_DATE"}))[0] == ends


@on_sqlite
async def test_definitions_are_filtered_ordered_and_paged(world: World) -> None:
    query = """query ($where: CertificationWhere, $order: DefinitionOrder, $after: String) {
      certifications(first: 2, where: $where, orderBy: $order, after: $after) {
        totalCount nodes { label } pageInfo { endCursor hasNextPage } } }"""

    async def found(**variables: Any) -> Any:
        return (await ask(world, query, **variables))["certifications"]

    first = await found()
    assert [item["label"] for item in first["nodes"]] == ["Brand's own seal", "Fair Trade USA"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    rest = await found(after=first["pageInfo"]["endCursor"])
    assert [item["label"] for item in rest["nodes"]] == ["USDA Organic"]
    down = await found(order={"field": "CODE", "direction": "DESC"})
    assert [item["label"] for item in down["nodes"]] == ["USDA Organic", "Fair Trade USA"]
    usa = await found(where={"or": [{"label": {"contains": "usa"}}, {"body": {"code": {"eq": "usda"}}}]})
    assert [item["label"] for item in usa["nodes"]] == ["Fair Trade USA", "USDA Organic"]
    assert (await found(where={"id": {"in": []}}))["totalCount"] == 0
    bodies = await ask(
        world,
        """{ certificationBodies(where: {name: {contains: "AGRI"}, kind: {eq: "AUTHORITY"}}) { nodes { id } }
        claims(where: {category: {eq: DIETARY}}) { nodes { code } } }""",
    )
    assert bodies == {"certificationBodies": {"nodes": [{"id": BODY}]}, "claims": {"nodes": [{"code": "VEGAN"}]}}


async def test_what_is_private_to_others_is_in_no_list_and_no_count(world: World) -> None:
    await world.add_certification(GTIN, PRIVATE)
    await world.add_certification(OTHERS_GTIN, OTHERS_PRIVATE)
    query = """query ($id: ID!, $hidden: ID!) {
      all: certificationAssignments { totalCount nodes { certification { id } } }
      asked: certificationAssignments(where: {certification: {id: {eq: $hidden}}}) { totalCount nodes { id } }
      others: certificationAssignments(where: {not: {certification: {id: {eq: $id}}}}) { totalCount nodes { id } }
      either: certificationAssignments(where: {or: [{certification: {isPrivate: true}}, {gtin: {eq: "1234567890"}}]}) {
        totalCount nodes { certification { id } } } }"""
    found = await ask(world, query, id=USDA_ORGANIC, hidden=OTHERS_PRIVATE)
    assert {node["certification"]["id"] for node in found["all"]["nodes"]} == {USDA_ORGANIC, PRIVATE}
    assert found["all"]["totalCount"] == 2
    assert found["asked"] == {"totalCount": 0, "nodes": []}
    assert found["others"]["totalCount"] == len(found["others"]["nodes"]) == 1
    assert found["either"] == {"totalCount": 1, "nodes": [{"certification": {"id": PRIVATE}}]}
    rival = await ask(world, query, "rival", id=USDA_ORGANIC, hidden=OTHERS_PRIVATE)
    assert {node["certification"]["id"] for node in rival["all"]["nodes"]} == {USDA_ORGANIC, OTHERS_PRIVATE}
    public = await ask(world, query, "publishable", id=USDA_ORGANIC, hidden=PRIVATE)
    assert (public["all"]["totalCount"], public["asked"]["totalCount"], public["others"]["totalCount"]) == (1, 0, 0)


@on_sqlite
async def test_a_publishable_key_may_not_ask_by_what_it_may_not_see(world: World) -> None:
    for name in ("certificationAssignments", "claimAssignments", "products"):
        where = '{or: [{gtin: {eq: "12345678"}}, {not: {metadata: {key: "kept", eq: "yes"}}}]}'
        query = f"{{ {name}(where: {where}) {{ totalCount }} }}"
        problem = await refusal(world, query, "publishable")
        assert (problem["status"], problem["errorCode"]) == (403, "forbidden")
        assert await ask(world, query)


@on_sqlite
@pytest.mark.parametrize(
    ("where", "loc"),
    [
        ({"gtin": {"eq": "x"}}, ["where", "gtin", "eq"]),
        (
            {"and": [{}, {"certificateNumber": {"startsWith": "\0"}}]},
            ["where", "and", "1", "certificateNumber", "startsWith"],
        ),
        ({"expiringWithin": {"days": -1}}, ["where", "expiringWithin", "days"]),
        ({"id": {"in": ["2" * 22] * 101}}, ["where", "id", "in"]),
        ({"not": {"not": {"not": {"not": {"not": {"not": {}}}}}}}, ["where"] + ["not"] * 6),
        ({"or": [{}] * 51}, ["where"]),
        ({"updatedAt": {"range": {"from": "0001-01-01T00:00:00+14:00"}}}, ["where", "updatedAt", "range", "from"]),
    ],
)
async def test_a_bad_condition_is_named(world: World, where: dict[str, Any], loc: list[str]) -> None:
    query = "query ($where: CertificationAssignmentWhere) { certificationAssignments(where: $where) { totalCount } }"
    problem = await refusal(world, query, where=where)
    assert problem["status"] == 422
    assert [entry["loc"] for entry in problem["violations"]] == [loc]


async def test_a_total_is_counted_only_where_it_is_asked_for(shelf: World) -> None:
    for selected, expected in (
        ("nodes { gtin }", 1),
        ("totalCount", 2),
        ("nodes { gtin } edges { cursor } totalCount", 2),
    ):
        for name in ("products", "claimAssignments", "certificationAssignments"):
            async with statements(shelf) as seen:
                await ask(shelf, f"{{ {name}(first: 2) {{ {selected} }} }}")
            assert len(seen) == expected, (name, selected, seen)


async def test_every_level_of_lists_is_one_statement(shelf: World) -> None:
    for definition in (FAIR_TRADE, PRIVATE):
        await shelf.add_certification(GTIN, definition)
    for claim in (VEGAN,):
        assert (await Rest(shelf).assign_claim(GTIN, claim)).ok
    async with statements(shelf) as seen:
        found = await ask(
            shelf,
            """{ certifications { nodes { assignments(first: 2) { nodes { gtin } } } }
                 claims { nodes { assignments(first: 2) { totalCount nodes { gtin } } } }
                 certificationBodies {
                   nodes { certifications { totalCount nodes { code } } assignments { totalCount } } } }""",
        )
    assert [len(node["assignments"]["nodes"]) for node in found["certifications"]["nodes"]] == [1, 1, 2]
    assert [node["assignments"]["totalCount"] for node in found["claims"]["nodes"]] == [9, 1]
    assert len(seen) == 5, seen


async def test_a_page_of_products_with_both_relations_is_at_most_4_statements(shelf: World) -> None:
    async with statements(shelf) as seen:
        found = await ask(
            shelf,
            """{ products(first: 100, where: {name: {startsWith: "pro"}}, orderBy: {field: NAME, direction: DESC}) {
              nodes { name certifications { certification { code body { name } } } claims { claim { code } } } } }""",
        )
    assert [node["name"] for node in found["products"]["nodes"]] == [f"Product {n}" for n in range(8, 0, -1)]
    assert all(node["certifications"] and node["claims"] for node in found["products"]["nodes"])
    assert len(seen) <= 4
