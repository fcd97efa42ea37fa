"""Lapses that somebody has taken on, through both faces: who may, who sees it, and when it ends by itself."""

from datetime import date, timedelta
from typing import Any

import pytest

from db.sql import tables
from domain.vocabulary import KeyKind, Role
from resolvers.keys import create_key, set_member
from tests.operations.faces import Face, GraphQL, Rest
from tests.operations.mutations import give_ends
from tests.world import FAIR_TRADE, GTIN, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World

LATER = {"until": "2030-06-30", "reason": "The audit is on 20 January."}

QUERY = """query ($where: CertificationAssignmentWhere, $of: ProductWhere) {
  certificationAssignments(where: $where) { totalCount nodes { gtin acknowledgement { until reason by lapsesOn } } }
  certificationAssignmentStats(where: $where) { totalCount }
  products(where: $of) { nodes { gtin certifications(where: $where) { acknowledgement { reason } } } } }"""


@pytest.fixture
async def lapsing(world: World) -> World:
    await give_ends(world, GTIN)
    await world.add_certification(OTHERS_GTIN, FAIR_TRADE)
    await give_ends(world, OTHERS_GTIN)
    return world


async def ask(world: World, key: str = "readonly", **variables: Any) -> Any:
    # Operations are compiled from their second run.
    first, *others = [await GraphQL(world).run(QUERY, key, variables) for _ in range(3)]
    assert "errors" not in first, first
    assert others == [first, first]
    return first["data"]


async def taken_on(world: World, key: str = "readonly") -> list[Any]:
    page = (await ask(world, key))["certificationAssignments"]
    return [node["acknowledgement"] for node in page["nodes"]]


async def test_somebody_takes_a_lapse_on_and_lists_know(lapsing: World, face: Face) -> None:
    outcome = await face.acknowledge("certification", GTIN, USDA_ORGANIC, "editor", **LATER)
    assert outcome.ok, outcome
    said = {**LATER, "by": "editor", "lapsesOn": "2098-12-31"}
    assert {name: outcome.facts[name] for name in ("until", "reason", "by")} == {
        name: said[name] for name in ("until", "reason", "by")
    }
    assert await taken_on(lapsing) == [said, None]
    for value, gtins in ((True, [GTIN]), (False, [OTHERS_GTIN])):
        found = await ask(
            lapsing, where={"acknowledged": value}, of={"certifications": {"some": {"acknowledged": value}}}
        )
        assert [node["gtin"] for node in found["certificationAssignments"]["nodes"]] == gtins
        assert (
            found["certificationAssignments"]["totalCount"] == found["certificationAssignmentStats"]["totalCount"] == 1
        )
        assert [node["gtin"] for node in found["products"]["nodes"]] == gtins
    again = await face.acknowledge("certification", GTIN, USDA_ORGANIC, until="2031-01-01", reason="Still waiting.")
    assert (again.facts["until"], again.facts["by"]) == ("2031-01-01", "manager")
    assert len(await lapsing.rows(tables.ACKNOWLEDGED["certifications"])) == 1
    assert (await face.unacknowledge("certification", GTIN, USDA_ORGANIC, "editor")).ok
    assert await taken_on(lapsing) == [None, None]
    assert (await face.unacknowledge("certification", GTIN, USDA_ORGANIC)).code == "not_found"


async def test_others_know_nothing_of_it(lapsing: World, face: Face) -> None:
    assert (await face.acknowledge("certification", GTIN, USDA_ORGANIC, **LATER)).ok
    assert await taken_on(lapsing, "rival") == [None, None]
    assert await taken_on(lapsing, "publishable") == [None, None]
    for value, number in ((True, 0), (False, 2)):
        found = await ask(lapsing, "rival", where={"acknowledged": value})
        assert found["certificationAssignments"]["totalCount"] == number
    body = await GraphQL(lapsing).run(QUERY, "publishable", {"where": {"not": {"acknowledged": True}}})
    assert {error["extensions"]["problem"]["status"] for error in body["errors"]} == {403}
    path = f"/certifications/api/v1/products/{GTIN}/certifications/{USDA_ORGANIC}/acknowledgement"
    for key in ("rival", "publishable"):
        assert (await lapsing.client.get(path, headers={"X-API-Key": lapsing.keys[key]})).status_code == 404
    assert (await face.acknowledge("certification", GTIN, USDA_ORGANIC, "rival", **LATER)).status == 403


async def test_a_renewal_ends_it_and_so_does_its_day(lapsing: World, face: Face) -> None:
    assert (await face.acknowledge("certification", GTIN, USDA_ORGANIC, **LATER)).ok
    for changed, stands in ({"scope": "All"}, True), ({"expiration_date": "2099-12-31"}, False):
        assert (await face.patch_certification(GTIN, USDA_ORGANIC, **changed)).ok
        assert ((await taken_on(lapsing))[0] is not None) is stands
        found = await ask(lapsing, where={"acknowledged": True})
        assert found["certificationAssignments"]["totalCount"] == stands
    assert (await face.acknowledge("certification", GTIN, USDA_ORGANIC, **LATER)).ok
    yesterday = date.today() - timedelta(2)  # noqa: DTZ011 - it has passed everywhere
    async with lapsing.database.write() as transaction:
        await transaction.execute(tables.ACKNOWLEDGED["certifications"].update().values(until=yesterday))
    assert await taken_on(lapsing) == [None, None]
    assert (await ask(lapsing, where={"acknowledged": True}))["certificationAssignments"]["totalCount"] == 0
    # What is removed takes it along, and comes back without.
    assert (await face.remove_certification(GTIN, USDA_ORGANIC)).ok
    assert await lapsing.rows(tables.ACKNOWLEDGED["certifications"]) == []


async def test_a_person_is_named_by_address(lapsing: World, face: Face) -> None:
    await set_member(lapsing.database, "brand", "ann@example.org", Role.EDITOR)
    await lapsing.add_key("ann", "brand", Role.EDITOR, KeyKind.USER, "ann@example.org")
    assert (await face.acknowledge("certification", GTIN, USDA_ORGANIC, "ann", **LATER)).facts[
        "by"
    ] == "ann@example.org"


async def test_what_has_no_end_cannot_be_taken_on(lapsing: World, face: Face) -> None:
    assert (await face.assign_claim(GTIN, VEGAN)).ok
    refused = await face.acknowledge("claim", GTIN, VEGAN, **LATER)
    assert refused.violations() == {
        ("until", "no_lapse", "No end is recorded, so nothing lapses; record the end first")
    }
    assert (await face.patch_claim(GTIN, VEGAN, expiration_date="2030-01-31")).ok
    assert (await face.acknowledge("claim", GTIN, VEGAN, **LATER)).ok
    body = await GraphQL(lapsing).run("{ claimAssignments(where: {acknowledged: true}) { totalCount } }", "manager")
    assert body["data"]["claimAssignments"]["totalCount"] == 1


async def test_if_match_is_that_of_the_assignment(lapsing: World) -> None:
    headers = {"X-API-Key": lapsing.keys["editor"]}
    one = f"/certifications/api/v1/products/{GTIN}/certifications/{USDA_ORGANIC}"
    tag = (await lapsing.client.get(one, headers=headers)).headers["etag"]
    path = f"{one}/acknowledgement"
    stale = await lapsing.client.post(path, json=LATER, headers={**headers, "If-Match": '"0-x"'})
    assert stale.status_code == 412
    assert (await lapsing.client.post(path, json=LATER, headers={**headers, "If-Match": tag})).status_code == 200
    await Rest(lapsing).patch_certification(GTIN, USDA_ORGANIC, scope="All")
    assert (await lapsing.client.delete(path, headers={**headers, "If-Match": tag})).status_code == 412


async def test_a_key_without_a_name_is_told_of_by_its_id(world: World) -> None:
    await give_ends(world, GTIN)
    made = await create_key(world.database, "brand", Role.EDITOR)
    path = f"/certifications/api/v1/products/{GTIN}/certifications/{USDA_ORGANIC}/acknowledgement"
    said = {"until": "2030-12-31", "reason": "Audit"}
    answer = await world.client.post(path, json=said, headers={"X-API-Key": made.secret})
    assert answer.json()["by"] == made.entry.id
