"""Asking for what one's own organisations own, and for what others do: the same question from whoever asks."""

import csv
import io
import json
from typing import Any

import pytest

from domain.vocabulary import KeyKind, Role
from resolvers.keys import set_member
from tests.operations.faces import Rest
from tests.operations.test_connections import ask, refusal
from tests.operations.test_statements import statements
from tests.world import FAIR_TRADE, GTIN, NON_GMO, OTHERS_GTIN, OTHERS_PRIVATE, PRIVATE, USDA_ORGANIC, VEGAN, World

ANN = "ann@example.org"
QUERY = """query ($products: ProductWhere, $held: CertificationAssignmentWhere, $made: ClaimAssignmentWhere) {
  products(where: $products) { totalCount nodes { gtin } }
  certificationAssignments(where: $held) { totalCount nodes { gtin certification { id } } }
  claimAssignments(where: $made) { totalCount nodes { gtin } }
  certificationAssignmentStats(where: $held) { totalCount }
  claimAssignmentStats(where: $made) { totalCount } }"""


@pytest.fixture
async def shared(world: World) -> World:
    """What either organisation owns holds and claims something, private certifications included."""
    await world.add_certification(GTIN, PRIVATE)
    await world.add_certification(OTHERS_GTIN, OTHERS_PRIVATE)
    await world.add_certification(OTHERS_GTIN, FAIR_TRADE)
    for gtin, claim, key in ((GTIN, VEGAN, "manager"), (OTHERS_GTIN, NON_GMO, "rival"), (OTHERS_GTIN, VEGAN, "rival")):
        assert (await Rest(world).assign_claim(gtin, claim, key)).ok
    for organization in ("rival", "brand"):
        await set_member(world.database, organization, ANN, Role.READONLY)
    await world.add_key("ann", "brand", Role.READONLY, KeyKind.USER, user=ANN)
    return world


async def owned(world: World, where: dict[str, Any], key: str) -> tuple[list[int], set[str]]:
    """How many of each list pass the filter, and the GTINs of all of them."""
    found = await ask(world, QUERY, key, products=where, held=where, made=where)
    pages = [found[name] for name in ("products", "certificationAssignments", "claimAssignments")]
    totals = [page["totalCount"] for page in pages]
    assert totals == [len(page["nodes"]) for page in pages]
    assert totals[1:] == [found[f"{name}AssignmentStats"]["totalCount"] for name in ("certification", "claim")]
    return totals, {node["gtin"] for page in pages for node in page["nodes"]}


async def test_what_is_mine_depends_on_who_asks(shared: World) -> None:
    for key in ("manager", "readonly"):
        assert await owned(shared, {"mine": True}, key) == ([1, 2, 1], {GTIN})
        assert await owned(shared, {"not": {"mine": False}}, key) == ([1, 2, 1], {GTIN})
        # The rival's private seal does not exist here.
        assert await owned(shared, {"mine": False}, key) == ([1, 1, 2], {OTHERS_GTIN})
    assert await owned(shared, {"mine": True}, "ann") == ([2, 4, 3], {GTIN, OTHERS_GTIN})
    assert await owned(shared, {"mine": True}, "rival") == ([1, 2, 2], {OTHERS_GTIN})
    # What belongs to whom is public; which definitions are private is not.
    assert await owned(shared, {"mine": True}, "publishable") == ([1, 1, 1], {GTIN})


async def test_whose_is_asked_for_by_id(shared: World) -> None:
    assert await owned(shared, {"organization": {"eq": shared.rival}}, "manager") == ([1, 1, 2], {OTHERS_GTIN})
    assert await owned(shared, {"organization": {"eq": shared.rival}}, "rival") == ([1, 2, 2], {OTHERS_GTIN})
    both = {"organization": {"in": [shared.brand, shared.rival]}}
    assert await owned(shared, both, "manager") == ([2, 3, 3], {GTIN, OTHERS_GTIN})
    assert await owned(shared, {"organization": {"eq": shared.rival}, "mine": True}, "manager") == ([0, 0, 0], set())


async def test_exports_take_the_same_filter(shared: World) -> None:
    for key, own in (("readonly", GTIN), ("rival", OTHERS_GTIN)):
        for name in ("products", "certifications", "claims"):
            answer = await shared.client.get(
                f"/certifications/api/v1/exports/{name}",
                params={"where": json.dumps({"mine": True}), "format": "csv"},
                headers={"X-API-Key": shared.keys[key]},
            )
            assert answer.status_code == 200, answer.text
            rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
            assert {row["gtin"] for row in rows} == {own}


PRODUCTS = "query ($where: ProductWhere) { products(where: $where) { totalCount nodes { gtin } } }"


async def have(world: World, where: dict[str, Any], key: str = "manager") -> set[str]:
    """The GTINs of the products that pass the filter."""
    page = (await ask(world, PRODUCTS, key, where=where))["products"]
    assert page["totalCount"] == len(page["nodes"])
    return {node["gtin"] for node in page["nodes"]}


async def test_products_are_asked_for_by_what_they_hold_and_claim(shared: World) -> None:
    fair = {"certification": {"code": {"eq": "FAIR_TRADE_USA"}}}
    assert await have(shared, {"certifications": {"some": fair}}) == {OTHERS_GTIN}
    assert await have(shared, {"certifications": {"none": fair}}) == {GTIN}
    assert await have(shared, {"certifications": {"some": fair}, "mine": True}) == set()
    assert await have(shared, {"claims": {"some": {"claim": {"id": {"eq": NON_GMO}}}}}) == {OTHERS_GTIN}
    assert await have(shared, {"claims": {"every": {"claim": {"id": {"eq": VEGAN}}}}}) == {GTIN}
    assert await have(shared, {"claims": {"some": {"mine": True}}}, "rival") == {OTHERS_GTIN}
    assert await have(shared, {"certifications": {"none": {"metadata": {"key": "kept", "eq": "yes"}}}}) == {OTHERS_GTIN}


async def test_a_private_certification_of_others_is_none_that_a_product_holds(shared: World) -> None:
    private = {"certification": {"isPrivate": True}}
    by_id = {"certification": {"id": {"in": [PRIVATE, OTHERS_PRIVATE]}}}
    for where in (private, by_id):
        assert await have(shared, {"certifications": {"some": where}}) == {GTIN}
        assert await have(shared, {"certifications": {"some": where}}, "rival") == {OTHERS_GTIN}
        assert await have(shared, {"certifications": {"some": where}}, "publishable") == set()
        assert await have(shared, {"certifications": {"none": where}}, "publishable") == {GTIN, OTHERS_GTIN}
    # All that anybody but the rival sees of it is fair trade.
    every = {"certifications": {"every": {"certification": {"id": {"eq": FAIR_TRADE}}}}}
    assert await have(shared, every) == await have(shared, every, "publishable") == {OTHERS_GTIN}
    assert await have(shared, every, "rival") == set()


async def test_what_a_publishable_key_may_not_ask_by_is_refused_inside_as_well(shared: World) -> None:
    for quantifier in ("some", "none", "every"):
        where = {"or": [{"claims": {quantifier: {"not": {"metadata": {"key": "kept", "eq": "yes"}}}}}]}
        problem = await refusal(shared, PRODUCTS, "publishable", where=where)
        assert (problem["status"], problem["errorCode"]) == (403, "forbidden")
        await have(shared, where)


async def test_conditions_inside_count_as_all_others(world: World) -> None:
    listed = [{"certificateNumber": {"eq": str(number)}} for number in range(26)]
    problem = await refusal(world, PRODUCTS, where={"certifications": {"some": {"or": listed}}})
    assert [entry["loc"] for entry in problem["violations"]] == [["where"]]
    deep: dict[str, Any] = {"certifications": {"some": {"not": {"not": {"not": {"not": {"not": {}}}}}}}}
    problem = await refusal(world, PRODUCTS, where=deep)
    assert problem["violations"][0]["type"] == "too_deep"


EVIDENCE = """query ($where: ClaimAssignmentWhere) {
  claimAssignments(where: $where) { totalCount nodes { gtin evidenceUrl } }
  claimAssignmentStats(where: $where) { totalCount }
  claims(first: 1) { nodes { assignments(where: $where) { totalCount } } } }"""


async def test_what_lacks_evidence(shared: World) -> None:
    link = "https://example.org/report.pdf"
    assert (await Rest(shared).assign_claim(GTIN, NON_GMO, evidence_url=link)).ok
    for empty, shown in ((True, {""}), (False, {link})):
        found = await ask(shared, EVIDENCE, where={"mine": True, "evidenceUrl": {"isEmpty": empty}})
        assert [{node["evidenceUrl"]} for node in found["claimAssignments"]["nodes"]] == [shown]
        assert found["claimAssignmentStats"]["totalCount"] == found["claimAssignments"]["totalCount"] == 1
    lacking = {"claims": {"some": {"evidenceNote": {"isEmpty": True}}, "none": {"evidenceUrl": {"isEmpty": False}}}}
    assert await have(shared, lacking) == {OTHERS_GTIN}


async def test_a_publishable_key_may_not_ask_by_evidence(shared: World) -> None:
    for member, quantifier in (("evidenceUrl", "none"), ("evidenceNote", "every")):
        where = {"or": [{"mine": True}, {"not": {member: {"isEmpty": False}}}]}
        for name in ("claimAssignments", "claimAssignmentStats"):
            query = f"query ($where: ClaimAssignmentWhere) {{ {name}(where: $where) {{ totalCount }} }}"
            assert "evidence" in (await refusal(shared, query, "publishable", where=where))["detail"]
        problem = await refusal(shared, PRODUCTS, "publishable", where={"claims": {quantifier: where}})
        assert (problem["status"], "evidence" in problem["detail"]) == (403, True)
        answer = await shared.client.get(
            "/certifications/api/v1/exports/claims",
            params={"where": json.dumps({member: {"isEmpty": True}}), "format": "csv"},
            headers={"X-API-Key": shared.keys["publishable"]},
        )
        assert answer.status_code == 403, answer.text


async def test_certificates_by_issuer_and_their_other_days(shared: World) -> None:
    query = """query ($where: CertificationAssignmentWhere, $field: AssignmentOrderField!) {
      certificationAssignments(where: $where, orderBy: {field: $field}) { nodes { certification { id } } } }"""
    rest = Rest(shared)
    for id, day, body in ((PRIVATE, "2026-03-01", "Öko"), (USDA_ORGANIC, "2025-03-01", "Ecocert")):
        changed = await rest.patch_certification(
            GTIN, id, issuing_body=body, audit_date=day, valid_from=day, expiration_date="2099-12-31"
        )
        assert changed.ok, changed

    async def found(where: dict[str, Any], field: str) -> list[str]:
        page = await ask(shared, query, where={"mine": True, **where}, field=field)
        return [node["certification"]["id"] for node in page["certificationAssignments"]["nodes"]]

    for field in ("AUDIT_DATE", "VALID_FROM", "ISSUING_BODY"):
        assert await found({}, field) == [USDA_ORGANIC, PRIVATE]
    assert await found({"issuingBody": {"startsWith": "Ö"}}, "GTIN") == [PRIVATE]
    for member in ("auditDate", "validFrom"):
        assert await found({member: {"range": {"to": "2025-12-31"}}}, "EXPIRY_DATE") == [USDA_ORGANIC]
    assert await found({"expiryDate": {"isNull": False}}, "GTIN") == []


HELD = """query ($where: CertificationAssignmentWhere, $made: ClaimAssignmentWhere) {
  products { nodes {
    gtin
    all: certifications { certification { id } }
    fair: certifications(where: {certification: {code: {eq: "FAIR_TRADE_USA"}}}) { certification { id } }
    asked: certifications(where: $where) { certification { id } }
    claims(where: $made) { claim { id } } } } }"""


async def test_what_one_product_holds_is_narrowed_down(shared: World) -> None:
    async def held(key: str, **variables: Any) -> list[list[Any]]:
        answers = []
        for _ in range(3):  # Operations are compiled from their second run.
            nodes = (await ask(shared, HELD, key, **variables))["products"]["nodes"]
            answers.append(
                [
                    [[each["certification"]["id"] for each in node[name]] for name in ("all", "fair", "asked")]
                    for node in nodes
                ]
                + [[each["claim"]["id"] for each in node["claims"]] for node in nodes]
            )
        assert answers[0] == answers[1] == answers[2]
        return answers[0]

    private = {"certification": {"isPrivate": True}}
    vegan = {"claim": {"code": {"eq": "VEGAN"}}}
    everything = [[[PRIVATE, USDA_ORGANIC], [], [PRIVATE]], [[FAIR_TRADE], [FAIR_TRADE], []], [VEGAN], [VEGAN]]
    assert await held("manager", where=private, made=vegan) == everything
    rival = await held("rival", where=private)
    assert [names[2] for names in rival[:2]] == [[], [OTHERS_PRIVATE]]
    assert [len(names) for names in rival[2:]] == [1, 2]
    assert [names[2] for names in (await held("publishable", where=private))[:2]] == [[], []]
    assert [names[2] for names in (await held("manager", where={"or": []}))[:2]] == [[], []]
    mine = await held("manager", where={"mine": True})
    assert [names[2] for names in mine[:2]] == [[PRIVATE, USDA_ORGANIC], []]


async def test_what_a_product_holds_is_not_narrowed_down_by_what_is_kept_secret(shared: World) -> None:
    query = """{ products { nodes { claims(where: {evidenceUrl: {isEmpty: true}}) { source } } } }"""
    assert (await refusal(shared, query, "publishable"))["status"] == 403
    assert await ask(shared, query)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_narrowed_relations_are_one_statement_each(shared: World) -> None:
    for _ in range(3):
        async with statements(shared) as seen:
            await ask(shared, "{ products { nodes { claims(where: {mine: true}) { source } } } }")
        assert len(seen) == 2
