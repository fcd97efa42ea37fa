"""Metadata are the notes of the organisation that owns the product: nobody else reads them or finds by them.

Every read of both faces is asked here, also those that come later (see `test_publishable`).
"""

from datetime import timedelta
from typing import Any

import pytest
from httpx2 import Response

from domain.vocabulary import KeyKind, Role
from resolvers.keys import set_member
from resolvers.sessions import sign_in_with_key
from tests.operations.faces import Face, GraphQL
from tests.operations.test_publishable import documents, paths
from tests.world import GTIN, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, VEGAN, World

SECRET = "a-note-that-only-its-owner-may-read"
PRODUCT = f"/products/api/v1/products/{GTIN}"
HELD = f"/certifications/api/v1/products/{GTIN}/certifications/{USDA_ORGANIC}"
CLAIMED = f"/certifications/api/v1/products/{GTIN}/claims/{VEGAN}"


@pytest.fixture
async def noted(world: World) -> World:
    """The world with notes on a product, a certification and a claim of either organisation; one note is the same."""
    owner = GraphQL(world)
    for gtin, key, note in ((GTIN, "manager", SECRET), (OTHERS_GTIN, "rival", "another")):
        notes: dict[str, Any] = {"metadata": {"note": note, "both": "yes"}}
        assert (await owner.patch_product(gtin, key, **notes)).ok
        assert (await owner.assign_claim(gtin, VEGAN, key, **notes)).ok
        if key == "rival":
            assert (await owner.assign_certification(gtin, USDA_ORGANIC, key, **notes)).ok
        else:
            assert (await owner.patch_certification(gtin, USDA_ORGANIC, **notes)).ok
    return world


async def read(world: World, path: str, key: str, **headers: str) -> Response:
    return await world.client.get(path, headers={"X-API-Key": world.keys[key], **headers})


async def test_both_kinds_of_assignments_come_without_them(face: Face, noted: World) -> None:
    for key, note in (("manager", SECRET), ("readonly", SECRET), ("rival", None)):
        for item in (*(await face.claims(GTIN, key=key)).facts, *(await face.certifications(GTIN, key=key)).facts):
            assert item["metadata"].get("note") == note
            assert bool(item["metadata"]) == (note is not None)


async def test_no_read_of_either_face_tells_them(noted: World) -> None:
    face = GraphQL(noted)
    telling = 0
    for path, _ in paths(noted.brand):
        full, others = [await read(noted, path, key) for key in ("manager", "rival")]
        assert SECRET not in others.text, path
        if SECRET in full.text:
            telling += 1
            assert others.status_code == 200, path
            # What is streamed has no tag.
            if "/exports/" not in path:
                assert others.headers["etag"] != full.headers["etag"], "one name for two different answers"
    for document in documents():
        telling += SECRET in str(await face.run(document, "manager"))
        for _ in range(3):  # Operations are compiled from their second run.
            assert SECRET not in str(await face.run(document, "rival")), document
    assert telling > 12, "else this test could not fail"


async def test_a_session_and_a_members_key_see_those_of_their_organisations(noted: World) -> None:
    await set_member(noted.database, "rival", "ann@example.org", Role.EDITOR)
    await noted.add_key("ann", "rival", Role.EDITOR, KeyKind.USER, "ann@example.org")
    session = await sign_in_with_key(noted.database, noted.keys["ann"], timedelta(hours=1))
    assert session is not None
    cookie = {"Cookie": f"sessionid={session.secret}"}
    for tells in (False, True):
        for answer in (await read(noted, PRODUCT, "ann"), await noted.client.get(PRODUCT, headers=cookie)):
            assert (SECRET in answer.text) is tells
        # The key still acts for the rival; its user has joined the brand as well.
        await set_member(noted.database, "brand", "ann@example.org", Role.READONLY)


LISTS = """query Found($p: ProductWhere!, $h: CertificationAssignmentWhere!, $c: ClaimAssignmentWhere!) {
  products(where: $p) { totalCount nodes { gtin } }
  certificationAssignments(where: $h) { totalCount nodes { gtin } }
  claimAssignments(where: $c) { totalCount nodes { gtin } }
  certificationAssignmentStats(where: $h, groupBy: [STATUS]) { totalCount }
  claimAssignmentStats(where: $c, groupBy: [SOURCE]) { totalCount }
  certifications { nodes { assignments(where: $h) { totalCount nodes { gtin } } } }
  claims { nodes { assignments(where: $c) { totalCount nodes { gtin } } } }
}"""


@pytest.mark.parametrize(
    ("where", "own", "others"),
    [
        ({"metadata": {"key": "both", "eq": "yes"}}, True, False),
        ({"metadata": {"key": "note", "eq": SECRET}}, False, False),
        ({"not": {"metadata": {"key": "both", "eq": "yes"}}}, False, True),
        ({"not": {"metadata": {"key": "note", "eq": SECRET}}}, True, True),
        (
            {"or": [{"metadata": {"key": "both", "eq": "yes"}}, {"metadata": {"key": "note", "eq": SECRET}}]},
            True,
            False,
        ),
    ],
)
async def test_what_is_asked_for_by_them_is_ones_own(noted: World, where: Any, own: bool, others: bool) -> None:
    answer = await GraphQL(noted).run(LISTS, "rival", dict.fromkeys("phc", where))
    assert "errors" not in answer, answer
    expected = {gtin for gtin, found in ((OTHERS_GTIN, own), (GTIN, others)) if found}
    for name, found in answer["data"].items():
        if "nodes" in found and name in ("certifications", "claims"):
            within = [item["assignments"] for item in found["nodes"]]
            assert {node["gtin"] for each in within for node in each["nodes"]} == expected, name
            assert sum(each["totalCount"] for each in within) == len(expected), name
            continue
        assert found["totalCount"] == len(expected), name
        assert {node["gtin"] for node in found.get("nodes", ())} in (expected, set()), name


async def test_a_tag_says_nothing_of_them(noted: World) -> None:
    """What others are shown keeps its name when only the notes change, and says so when anything else does."""
    paths = (PRODUCT, HELD, CLAIMED)
    before = {key: [(await read(noted, path, key)).headers["etag"] for path in paths] for key in ("manager", "rival")}
    owner = GraphQL(noted)
    for outcome in (
        await owner.patch_product(GTIN, metadata={"note": "new"}),
        await owner.patch_certification(GTIN, USDA_ORGANIC, metadata={"note": "new"}),
        await owner.patch_claim(GTIN, VEGAN, metadata={"note": "new"}),
    ):
        assert outcome.ok
    for path, own, others in zip(paths, before["manager"], before["rival"], strict=True):
        assert (await read(noted, path, "manager")).headers["etag"] != own
        assert (await read(noted, path, "rival", **{"If-None-Match": others})).status_code == 304
    assert (await owner.patch_product(GTIN, name="Another name")).ok
    assert (await owner.patch_certification(GTIN, USDA_ORGANIC, scope="Another scope")).ok
    assert (await owner.patch_claim(GTIN, VEGAN, valid_from="2020-02-02")).ok
    for path, others in zip(paths, before["rival"], strict=True):
        assert (await read(noted, path, "rival", **{"If-None-Match": others})).status_code == 200


async def test_a_write_keeps_what_it_does_not_name(face: Face, noted: World) -> None:
    """Notes are merged with those that are stored, which only their owner's read gives."""
    assert (await face.patch_product(GTIN, metadata={"more": "1"})).facts["metadata"] == {
        "note": SECRET,
        "both": "yes",
        "more": "1",
    }
    changed = await face.patch_certification(GTIN, USDA_ORGANIC, "editor", metadata={"more": "1"})
    assert changed.facts["metadata"] == {"kept": "yes", "note": SECRET, "both": "yes", "more": "1"}
    assert (await face.patch_claim(GTIN, VEGAN, "editor", metadata={"both": ""})).facts["metadata"] == {"note": SECRET}
    assert (await face.assign_certification(GTIN, PRIVATE, metadata={"own": "1"})).facts["metadata"] == {"own": "1"}
