"""Reading products, definitions and assignments: what both faces tell, then what only one of them can be asked."""

import base64
from datetime import date
from typing import Any

import pytest

from db.sql import tables
from tests.operations.faces import Face, GraphQL, Rest
from tests.world import (
    BODY,
    FAIR_TRADE,
    GTIN,
    NON_GMO,
    NOTHING,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    PRIVATE,
    USDA_ORGANIC,
    VEGAN,
    World,
)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the database does not matter, one is enough."""

ORGANIC = {
    "id": USDA_ORGANIC,
    "label": "USDA Organic",
    "code": "USDA_ORGANIC",
    "description": "Of some description.",
    "url": "https://example.org/seal",
    "logo_url": None,
}


# --- Both faces ---


async def test_what_a_product_holds(face: Face) -> None:
    assert (await face.certifications(GTIN)).facts == [
        {
            **ORGANIC,
            "is_active": True,
            "metadata": {"kept": "yes"},
            "valid_from": None,
            "expiration_date": None,
            "certificate_number": "NOP-1",
            "issuing_body": "",
            "expiry_date": None,
            "verification_url": "",
            "verification_status": "unverified",
            "scope": "",
            "certification_value": "",
            "audit_date": None,
            "initial_certification_date": None,
            "certificate_countries": [],
        }
    ]


async def test_an_address_that_an_older_version_took_is_shown_as_it_is(face: Face, world: World) -> None:
    address = "https://exa\tmple.org\\@evil.example/100%"
    await world.add_certification(GTIN, FAIR_TRADE, verification_url=address)
    shown = {item["id"]: item["verification_url"] for item in (await face.certifications(GTIN)).facts}
    assert shown[FAIR_TRADE] == address
    outcome = await face.patch_certification(GTIN, FAIR_TRADE, scope="Product")
    assert (outcome.facts["scope"], outcome.facts["verification_url"]) == ("Product", address)


async def test_what_a_product_claims(face: Face) -> None:
    assert (await face.claims(GTIN)).facts == []
    for claim in (VEGAN, NON_GMO):
        assert (await face.assign_claim(GTIN, claim)).ok
    facts = (await face.claims(GTIN)).facts
    assert [(item["code"], item["category"]) for item in facts] == [
        ("NON_GMO", "INGREDIENT_ABSENCE"),
        ("VEGAN", "DIETARY"),
    ]


@pytest.mark.parametrize("gtin", ["12345678905", "012345678905", "0012345678905"])
async def test_shorter_forms_of_the_gtin_name_the_same_product(face: Face, gtin: str) -> None:
    assert (await face.certifications(gtin)).facts == (await face.certifications(GTIN)).facts != []


@pytest.mark.parametrize("gtin", ["40063813339314", "00000000", "12345678"])
async def test_a_product_that_is_not_there(face: Face, gtin: str) -> None:
    for outcome in (await face.certifications(gtin), await face.claims(gtin)):
        assert (outcome.status, outcome.code) == (404, "not_found")


@on_sqlite
@pytest.mark.parametrize("gtin", ["1234567", "123456789012345", "1234-5678", "１２３４５６７８", "ABCDEFGH"])
async def test_a_malformed_gtin(face: Face, gtin: str) -> None:
    for outcome in (await face.certifications(gtin), await face.claims(gtin)):
        assert (outcome.status, outcome.code) == (422, "validation_error")
        assert outcome.named() == {"gtin"}


@pytest.mark.parametrize("key", ["manager", "editor", "readonly", "publishable", "rival"])
async def test_any_credential_reads_any_product(face: Face, key: str) -> None:
    for gtin in (GTIN, OTHERS_GTIN):
        assert (await face.certifications(gtin, key=key)).ok
        assert (await face.claims(gtin, key=key)).ok


async def test_a_certification_by_its_id(face: Face) -> None:
    outcome = await face.definition("certification", USDA_ORGANIC)
    assert outcome.facts == {
        **ORGANIC,
        "certification_body_name": "United States Department of Agriculture",
        "program": "A programme",
        "standard": "A standard",
    }
    assert (await face.definition("certification", FAIR_TRADE)).facts["certification_body_name"] is None


async def test_a_claim_by_its_id(face: Face) -> None:
    assert (await face.definition("claim", NON_GMO)).facts == {
        "id": NON_GMO,
        "code": "NON_GMO",
        "label": "Non-GMO",
        "category": "INGREDIENT_ABSENCE",
        "requires_definition": False,
        "description": "",
    }


@pytest.mark.parametrize("kind", ["certification", "claim"])
async def test_an_id_of_something_else_finds_nothing(face: Face, kind: str) -> None:
    for id in (NOTHING, BODY, VEGAN if kind == "certification" else USDA_ORGANIC):
        outcome = await face.definition(kind, id)
        assert (outcome.status, outcome.code) == (404, "not_found")


@on_sqlite
@pytest.mark.parametrize("kind", ["certification", "claim"])
@pytest.mark.parametrize("id", ["z" * 22, "2" * 21, "{a1b2c3d4-e5f6-7890-abcd-ef1234567890}"])
async def test_a_malformed_id(face: Face, kind: str, id: str) -> None:
    outcome = await face.definition(kind, id)
    assert (outcome.status, outcome.code, outcome.named()) == (422, "validation_error", {"id"})


async def test_a_private_definition_is_its_organisations_alone(face: Face) -> None:
    for own, others, key in ((PRIVATE, OTHERS_PRIVATE, "readonly"), (OTHERS_PRIVATE, PRIVATE, "rival")):
        assert (await face.definition("certification", own, key=key)).facts["id"] == own
        outcome = await face.definition("certification", others, key=key)
        assert (outcome.status, outcome.code) == (404, "not_found")


async def test_assignments_of_a_private_definition_are_its_organisations_alone(face: Face, world: World) -> None:
    await world.add_certification(GTIN, PRIVATE)
    seen = {
        key: [item["id"] for item in (await face.certifications(GTIN, key=key)).facts]
        for key in ("manager", "publishable", "rival")
    }
    assert seen == {
        "manager": [PRIVATE, USDA_ORGANIC],
        "publishable": [USDA_ORGANIC],
        "rival": [USDA_ORGANIC],
    }


async def test_reading_changes_nothing(face: Face, world: World) -> None:
    before = [await world.rows(table) for table in tables.metadata.sorted_tables]
    await face.certifications(GTIN)
    await face.claims(GTIN)
    await face.definition("claim", VEGAN)
    assert [await world.rows(table) for table in tables.metadata.sorted_tables] == before


# --- REST alone: filters and orders of C7 ---


@pytest.fixture
async def rest(world: World) -> Rest:
    """The REST face, with a product that holds three certifications of different standing."""
    await world.add_certification(
        OTHERS_GTIN, USDA_ORGANIC, verification_status="verified", expiry_date=date.fromisoformat("2027-01-01")
    )
    await world.add_certification(
        OTHERS_GTIN, FAIR_TRADE, verification_status="expired", expiration_date=date.fromisoformat("2020-01-01")
    )
    await world.add_certification(OTHERS_GTIN, OTHERS_PRIVATE, expiry_date=date.fromisoformat("2025-01-01"))
    return Rest(world)


async def listed(rest: Rest, query: str) -> list[str]:
    outcome = await rest._send("GET", f"/products/{OTHERS_GTIN}/certifications?{query}", "rival")
    assert isinstance(outcome.facts, list)
    return [item["label"] for item in outcome.facts]


@on_sqlite
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", ["Fair Trade USA", "Rival's own seal", "USDA Organic"]),
        ("verification_status=verified", ["USDA Organic"]),
        ("verification_status=unverified", ["Rival's own seal"]),
        ("is_active=true", ["Rival's own seal", "USDA Organic"]),
        ("is_active=false", ["Fair Trade USA"]),
        ("is_active=false&verification_status=verified", []),
        ("ordering=label", ["Fair Trade USA", "Rival's own seal", "USDA Organic"]),
        ("ordering=-label", ["USDA Organic", "Rival's own seal", "Fair Trade USA"]),
        ("ordering=expiry_date", ["Rival's own seal", "USDA Organic", "Fair Trade USA"]),
        ("ordering=-expiry_date", ["USDA Organic", "Rival's own seal", "Fair Trade USA"]),
        ("is_active=true&ordering=-expiry_date", ["USDA Organic", "Rival's own seal"]),
        ("nothing=known", ["Fair Trade USA", "Rival's own seal", "USDA Organic"]),
    ],
)
async def test_rest_filters_and_orders(rest: Rest, query: str, wanted: list[str]) -> None:
    assert await listed(rest, query) == wanted


@on_sqlite
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("ordering=expiration_date", ["ordering"]),
        ("ordering=", ["ordering"]),
        ("ordering=label%0A", ["ordering"]),
        ("verification_status=VERIFIED", ["verification_status"]),
        ("is_active=perhaps", ["is_active"]),
        ("is_active=", ["is_active"]),
        ("is_active=2&ordering=x&verification_status=y", ["verification_status", "is_active", "ordering"]),
    ],
)
async def test_rest_names_the_query_parameters_it_cannot_take(rest: Rest, query: str, named: list[str]) -> None:
    outcome = await rest._send("GET", f"/products/{OTHERS_GTIN}/certifications?{query}", "rival")
    assert (outcome.status, outcome.code) == (422, "validation_error")
    assert [entry["loc"] for entry in outcome.problem["details"]] == [["query", name] for name in named]


@on_sqlite
async def test_rest_says_that_a_gtin_came_in_the_path(rest: Rest) -> None:
    outcome = await rest._send("GET", "/products/1/certifications", "rival")
    assert [entry["loc"] for entry in outcome.problem["details"]] == [["path", "gtin"]]


@on_sqlite
async def test_rest_takes_the_gtin_from_the_path_alone(rest: Rest) -> None:
    outcome = await rest._send("GET", f"/products/{OTHERS_GTIN}/certifications?gtin=1", "rival")
    assert len(outcome.facts) == 3


async def test_rest_shows_a_certification_body(rest: Rest) -> None:
    outcome = await rest._send("GET", f"/certification-bodies/{BODY}", "readonly")
    assert outcome.facts == {
        "id": BODY,
        "name": "United States Department of Agriculture",
        "website": "https://www.usda.gov",
        "description": "A ministry.",
        "logo_url": None,
    }
    missing = await rest._send("GET", f"/certification-bodies/{NOTHING}", "readonly")
    assert (missing.status, missing.code) == (404, "not_found")


# --- GraphQL alone: by code, pages, search, moments ---


@pytest.fixture
def graphql(world: World) -> GraphQL:
    return GraphQL(world)


async def data(graphql: GraphQL, query: str, key: str = "readonly", **variables: Any) -> dict[str, Any]:
    body = await graphql.run(query, key, variables)
    assert "errors" not in body
    found: dict[str, Any] = body["data"]
    return found


async def refusal(graphql: GraphQL, query: str, **variables: Any) -> dict[str, Any]:
    """The problem of a query that must be refused in its only field."""
    body = await graphql.run(query, "readonly", variables)
    (error,) = body["errors"]
    assert error["extensions"]["code"] == error["extensions"]["problem"]["errorCode"]
    problem: dict[str, Any] = error["extensions"]["problem"]
    return problem


async def test_graphql_finds_definitions_by_code(graphql: GraphQL) -> None:
    found = await data(
        graphql,
        '{ certification(code: "USDA_ORGANIC") { id isPrivate body { id code kind country } }'
        ' claim(code: "VEGAN") { id } none: claim(code: "vegans") { id } }',
    )
    assert found == {
        "certification": {
            "id": USDA_ORGANIC,
            "isPrivate": False,
            "body": {"id": BODY, "code": "USDA", "kind": "AUTHORITY", "country": "US"},
        },
        "claim": {"id": VEGAN},
        "none": None,
    }


async def test_graphql_prefers_the_organisations_own_definition_of_a_code(graphql: GraphQL, world: World) -> None:
    async with world.database.write() as transaction:
        await transaction.execute(
            tables.certifications.update().where(tables.certifications.c.id == PRIVATE).values(code="USDA_ORGANIC")
        )
    query = '{ certification(code: "USDA_ORGANIC") { id isPrivate } }'
    assert (await data(graphql, query))["certification"] == {"id": PRIVATE, "isPrivate": True}
    assert (await data(graphql, query, key="rival"))["certification"] == {
        "id": USDA_ORGANIC,
        "isPrivate": False,
    }


async def test_graphql_does_not_find_private_definitions_by_having_no_code(graphql: GraphQL) -> None:
    for kind in ("certification", "claim", "certificationBody"):
        assert await data(graphql, f'{{ {kind}(code: "") {{ id }} }}', key="rival") == {kind: None}


async def test_graphql_finds_by_code_whatever_the_case(graphql: GraphQL, world: World) -> None:
    for kind, code, id in (
        ("certification", "usda_Organic", USDA_ORGANIC),
        ("claim", "vegan", VEGAN),
        ("claim", "Vegan", VEGAN),
        ("certificationBody", "usda", BODY),
        ("certificationBody", "USDA", BODY),
        ("certificationBody", "usd", None),
    ):
        assert await data(graphql, f'{{ {kind}(code: "{code}") {{ id }} }}') == {kind: id and {"id": id}}, code
    # Where two differ in nothing else, what is spelt just so comes first.
    async with world.database.write() as transaction:
        await transaction.execute(tables.claims.update().where(tables.claims.c.id == NON_GMO).values(code="vegan"))
    for code, id in (("VEGAN", VEGAN), ("vegan", NON_GMO)):
        assert await data(graphql, f'{{ claim(code: "{code}") {{ id }} }}') == {"claim": {"id": id}}


@on_sqlite
@pytest.mark.parametrize("arguments", ["", f'(id: "{USDA_ORGANIC}", code: "USDA_ORGANIC")', "(id: null)"])
@pytest.mark.parametrize("kind", ["certification", "claim", "certificationBody"])
async def test_graphql_wants_either_id_or_code(graphql: GraphQL, kind: str, arguments: str) -> None:
    problem = await refusal(graphql, f"{{ {kind}{arguments} {{ id }} }}")
    assert (problem["status"], problem["violations"][0]["type"]) == (422, "id_or_code")


async def test_graphql_answers_null_where_nothing_is(graphql: GraphQL) -> None:
    query = """query ($id: ID!) { product(gtin: "40063813339314") { id }
                                   certification(id: $id) { id } claim(id: $id) { id } }"""
    assert await data(graphql, query, id=NOTHING) == {"product": None, "certification": None, "claim": None}


async def test_graphql_shows_a_product_and_what_hangs_on_it(graphql: GraphQL) -> None:
    found = await data(
        graphql,
        """query ($gtin: String!) { product(gtin: $gtin) {
             gtin name brand countryOfOrigin netContent metadata createdAt version organizationId
             certifications { gtin certification { code } product { gtin name } createdAt
                              isActive(asOf: "2000-01-01") } } }""",
        gtin="12345678905",
    )
    noon = "2026-11-22T12:00:00+00:00"
    assert found["product"] == {
        "gtin": GTIN,
        "name": "Oat drink",
        "brand": "Acme",
        "countryOfOrigin": "US",
        "netContent": "1 l",
        "metadata": {},
        "createdAt": noon,
        "version": 1,
        "organizationId": graphql.world.brand,
        "certifications": [
            {
                "gtin": GTIN,
                "certification": {"code": "USDA_ORGANIC"},
                "product": {"gtin": GTIN, "name": "Oat drink"},
                "createdAt": noon,
                "isActive": True,
            }
        ],
    }


async def test_graphql_ids_of_assignments_are_their_own(graphql: GraphQL, world: World) -> None:
    await world.add_certification(OTHERS_GTIN, USDA_ORGANIC)
    found = await data(graphql, "{ products { nodes { certifications { id certification { id } } } } }")
    held = [item for node in found["products"]["nodes"] for item in node["certifications"]]
    assert [item["certification"]["id"] for item in held] == [USDA_ORGANIC] * 2
    assert len({item["id"] for item in held} | {USDA_ORGANIC}) == 3


@on_sqlite
@pytest.mark.parametrize(("day", "active"), [("2024-04-30", False), ("2024-05-01", True), ("2025-05-01", False)])
async def test_graphql_judges_activity_on_any_day(graphql: GraphQL, day: str, active: bool) -> None:
    await graphql.patch_certification(GTIN, USDA_ORGANIC, valid_from="2024-05-01", expiration_date="2025-04-30")
    query = """query ($gtin: String!, $day: Date) {
                 product(gtin: $gtin) { certifications { isActive(asOf: $day) } } }"""
    found = await data(graphql, query, gtin=GTIN, day=day)
    assert found["product"]["certifications"] == [{"isActive": active}]


async def test_graphql_evidence_is_readable(graphql: GraphQL) -> None:
    await graphql.assign_claim(GTIN, VEGAN, evidence_url="https://example.org/e", evidence_note="lot 7")
    query = f'{{ product(gtin: "{GTIN}") {{ claims {{ evidenceUrl evidenceNote }} }} }}'
    assert (await data(graphql, query))["product"]["claims"] == [
        {"evidenceUrl": "https://example.org/e", "evidenceNote": "lot 7"}
    ]


PAGE = """query ($first: Int, $after: String, $search: String) {
  products(first: $first, after: $after, where: {search: $search}) {
    nodes { gtin } edges { cursor node { gtin } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


@pytest.fixture
async def shelf(world: World) -> list[str]:
    """60 more products; every GTIN there is, in order."""
    more = [f"{number:014d}" for number in range(7, 7 + 60)]
    for gtin in more:
        await world.add_product(gtin, world.brand, f"Product {gtin}")
    return [*more, GTIN, OTHERS_GTIN]


@pytest.mark.parametrize("first", [25, 31, 62, 100])
async def test_graphql_pages_to_the_end(graphql: GraphQL, shelf: list[str], first: int) -> None:
    seen: list[str] = []
    after = None
    while True:
        page = (await data(graphql, PAGE, first=first, after=after))["products"]
        gtins = [node["gtin"] for node in page["nodes"]]
        assert [edge["node"]["gtin"] for edge in page["edges"]] == gtins
        info = page["pageInfo"]
        assert (info["startCursor"], info["endCursor"]) == (
            page["edges"][0]["cursor"],
            page["edges"][-1]["cursor"],
        )
        assert info["hasPreviousPage"] is (after is not None)
        seen += gtins
        after = info["endCursor"]
        if not info["hasNextPage"]:
            break
        assert len(gtins) == first
    assert seen == shelf
    beyond = (await data(graphql, PAGE, first=first, after=after))["products"]
    assert beyond["nodes"] == beyond["edges"] == []
    assert beyond["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": True,
        "startCursor": None,
        "endCursor": None,
    }


@on_sqlite
@pytest.mark.parametrize("arguments", ["", "(first: null)", "(first: 25, after: null)", '(after: "")'])
async def test_graphql_pages_are_25_long(graphql: GraphQL, shelf: list[str], arguments: str) -> None:
    found = await data(graphql, f"{{ products{arguments} {{ nodes {{ gtin }} }} }}")
    assert [node["gtin"] for node in found["products"]["nodes"]] == shelf[:25]


@on_sqlite
@pytest.mark.parametrize("first", [0, -1, 101, 1_000])
async def test_graphql_limits_the_length_of_a_page(graphql: GraphQL, first: int) -> None:
    problem = await refusal(graphql, PAGE, first=first)
    assert (problem["status"], [entry["loc"] for entry in problem["violations"]]) == (422, [["first"]])


def _cursor(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


@on_sqlite
@pytest.mark.parametrize(
    "after",
    [
        "x",
        "====",
        GTIN,
        "é",
        _cursor(b"p1:"),
        _cursor(b"p2:00012345678905"),
        _cursor(b"p1:not digits"),
        _cursor(b"p1:\xff\xff\xff\xff\xff\xff\xff\xff"),
        _cursor(b"p1:00012345678905\n"),
        _cursor(b"\x01" * 40),
    ],
)
async def test_graphql_refuses_a_cursor_that_it_did_not_make(graphql: GraphQL, after: str) -> None:
    problem = await refusal(graphql, PAGE, after=after)
    assert (problem["status"], problem["errorCode"]) == (422, "validation_error")
    assert [entry["loc"] for entry in problem["violations"]] == [["after"]]


async def test_graphql_searches_name_brand_and_gtin(graphql: GraphQL) -> None:
    async def search(text: str) -> list[str]:
        page = (await data(graphql, PAGE, search=text))["products"]
        return [node["gtin"] for node in page["nodes"]]

    assert await search("OAT") == [GTIN]
    assert await search("ａｃｍｅ") == [GTIN, OTHERS_GTIN]
    assert await search("0614141") == [OTHERS_GTIN]
    # As it is printed below a barcode.
    assert await search("0 06 14141-12345 2") == [OTHERS_GTIN]
    assert await search("") == [GTIN, OTHERS_GTIN]
    assert await search("%") == await search("_") == []


@pytest.mark.parametrize("text", ["\0", "a\0", "x" * 100_000], ids=["NUL", "NUL inside", "long"])
async def test_graphql_refuses_a_text_that_no_product_can_have(graphql: GraphQL, text: str) -> None:
    for query, name in (
        ("query ($t: String) { products(where: {search: $t}) { nodes { gtin } } }", "where.search"),
        ("query ($t: String) { claim(code: $t) { id } }", "code"),
        ("query ($t: String) { certification(code: $t) { id } }", "code"),
    ):
        problem = await refusal(graphql, query, t=text)
        assert problem["status"] == 422
        assert [entry["loc"] for entry in problem["violations"]] == [name.split(".")]


@on_sqlite
async def test_graphql_says_who_asks(graphql: GraphQL) -> None:
    query = "{ viewer { role kind canWrite organization { id slug name } } }"
    brand = {"id": graphql.world.brand, "slug": "brand", "name": "Brand"}
    expected = {
        "manager": ("MANAGER", "BUSINESS", True),
        "readonly": ("READONLY", "BUSINESS", False),
        "publishable": ("EDITOR", "PUBLISHABLE", False),
    }
    for key, (role, kind, can_write) in expected.items():
        assert (await data(graphql, query, key=key))["viewer"] == {
            "role": role,
            "kind": kind,
            "canWrite": can_write,
            "organization": brand,
        }
