"""Conditional requests on REST and their like on GraphQL: nobody overwrites what they have not seen."""

import asyncio
from typing import Any

import httpx2
import pytest

from db.sql import tables
from domain.short_id import catalogue_id
from tests.world import FAIR_TRADE, GTIN, NON_GMO, NOTHING, OTHERS_GTIN, OTHERS_PRIVATE, USDA_ORGANIC, VEGAN, World

API = "/certifications/api/v1"
HELD = f"{API}/products/{GTIN}/certifications"
ASSIGNMENT = f"{HELD}/{USDA_ORGANIC}"
PRODUCT = f"/products/api/v1/products/{GTIN}"

Headers = dict[str, str]


async def send(world: World, method: str, path: str, body: Any = None, who: str = "manager", **headers: str) -> Any:
    """The response; headers are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.client.request(
        method, path, headers={"X-API-Key": world.keys[who], **named}, **({} if body is None else {"json": body})
    )


def tag(response: httpx2.Response) -> str:
    value = response.headers["etag"]
    assert value.startswith('"'), "a weak tag could not be used in If-Match"
    assert value.endswith('"')
    return str(value)


READ = [
    f"{API}/certification-bodies",
    f"{API}/certifications/{USDA_ORGANIC}",
    f"{API}/claims",
    HELD,
    ASSIGNMENT,
    f"{API}/products/{GTIN}/claims",
    f"{API}/products/{GTIN}",
    PRODUCT,
    "/products/api/v1/trade-items",
]


@pytest.mark.parametrize("path", READ)
async def test_what_is_known_is_not_sent_again(world: World, path: str) -> None:
    full = await send(world, "GET", path)
    assert full.status_code == 200
    known = tag(full)
    for condition in (known, "*", f"W/{known}", f'"other", {known}'):
        answer = await send(world, "GET", path, If_None_Match=condition)
        assert (answer.status_code, answer.content) == (304, b""), condition
        assert tag(answer) == known
        assert "content-type" not in answer.headers
        assert "content-length" not in answer.headers
        for name in ("vary", "cache-control", "x-request-id", "x-content-type-options", "ratelimit-remaining"):
            assert answer.headers[name], name
    for condition in ('"other"', "unquoted", ""):
        assert (await send(world, "GET", path, If_None_Match=condition)).status_code == 200


async def test_a_refusal_has_no_tag_and_is_never_304(world: World) -> None:
    answer = await send(world, "GET", f"{API}/claims/{NOTHING}", If_None_Match="*")
    assert answer.status_code == 404
    assert "etag" not in answer.headers


async def test_a_list_has_a_new_tag_once_it_says_something_else(world: World) -> None:
    before = tag(await send(world, "GET", HELD))
    assert tag(await send(world, "GET", HELD)) == before
    assert tag(await send(world, "GET", f"{HELD}?is_active=false")) != before
    await send(world, "PATCH", ASSIGNMENT, {"scope": "new"})
    changed = await send(world, "GET", HELD, If_None_Match=before)
    assert changed.status_code == 200
    assert tag(changed) != before


async def test_reading_can_insist_on_one_state(world: World) -> None:
    now = tag(await send(world, "GET", PRODUCT))
    assert (await send(world, "GET", PRODUCT, If_Match=now)).status_code == 200
    assert (await send(world, "GET", PRODUCT, If_Match='"other"')).status_code == 412


# Of each kind: how to make it (None: it is there), where it is, and two changes of it.
CHANGED: list[tuple[str, str, dict[str, Any] | None, dict[str, Any], dict[str, Any]]] = [
    ("", ASSIGNMENT, None, {"metadata": {"zebra": "1", "ant": "2"}}, {"scope": "b"}),
    (
        f"{API}/products/{GTIN}/claims",
        f"{API}/products/{GTIN}/claims/{VEGAN}",
        {"claim_id": VEGAN, "metadata": {"zebra": "1", "ant": "2"}},
        # Evidence is never shown, but whoever changes it should know of the other's.
        {"evidence_note": "a"},
        {"evidence_note": "b"},
    ),
    (
        f"{HELD}",
        f"{HELD}/{FAIR_TRADE}",
        {"certification_id": FAIR_TRADE, "certificate_countries": ["US"]},
        {"scope": "a"},
        {"scope": "b"},
    ),
    ("", PRODUCT, None, {"product_name": "a", "metadata": {"zebra": "1", "ant": "2"}}, {"product_name": "b"}),
]


@pytest.mark.parametrize(("collection", "path", "made", "first", "second"), CHANGED)
async def test_the_second_of_two_editors_is_refused(
    world: World, collection: str, path: str, made: Any, first: dict[str, Any], second: dict[str, Any]
) -> None:
    seen = await send(world, "POST", collection, made) if made else await send(world, "PATCH", path, {})
    assert seen.is_success, seen.text
    mine = await send(world, "PATCH", path, first, If_Match=tag(seen))
    assert mine.status_code == 200
    assert tag(mine) != tag(seen)
    stale = await send(world, "PATCH", path, second, If_Match=tag(seen))
    assert (stale.status_code, stale.json()["error_code"]) == (412, "precondition_failed")
    assert stale.json()["retryable"] is False
    # The answer to a change names the state that the next change may build on.
    then = await send(world, "PATCH", path, second, If_Match=f'"other", {tag(mine)}')
    assert then.status_code == 200
    assert tag(then) not in (tag(seen), tag(mine))


CLAIM_OF_PRODUCT = f"{API}/products/{GTIN}/claims/{VEGAN}"


@pytest.mark.parametrize("path", [ASSIGNMENT, CLAIM_OF_PRODUCT, PRODUCT])
async def test_the_tag_of_a_change_is_the_tag_of_what_is_read(world: World, path: str) -> None:
    await send(world, "POST", f"{API}/products/{GTIN}/claims", {"claim_id": VEGAN})
    patched = await send(world, "PATCH", path, {"metadata": {"zebra": "1", "ant": "2"}})
    read = await send(world, "GET", path)
    assert tag(read) == tag(patched)
    assert read.content == patched.content
    assert tag(await send(world, "GET", path, who="readonly")) == tag(patched)


async def test_one_assignment_is_read_as_its_list_shows_it(world: World) -> None:
    await send(world, "POST", f"{API}/products/{GTIN}/claims", {"claim_id": VEGAN})
    assert [(await send(world, "GET", ASSIGNMENT)).json()] == (await send(world, "GET", HELD)).json()
    claims = (await send(world, "GET", f"{API}/products/{GTIN}/claims")).json()
    assert [(await send(world, "GET", CLAIM_OF_PRODUCT)).json()] == claims


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{HELD}/{FAIR_TRADE}", 404),
        (f"{HELD}/{OTHERS_PRIVATE}", 404),
        (f"{API}/products/12345678/certifications/{USDA_ORGANIC}", 404),
        (f"{HELD}/x", 422),
        (f"{API}/products/{GTIN}/claims/{NON_GMO}", 404),
        (f"{API}/products/x/claims/{NON_GMO}", 422),
    ],
)
async def test_one_assignment_that_is_not_there_or_not_for_me(world: World, path: str, status: int) -> None:
    await world.add_certification(GTIN, OTHERS_PRIVATE)
    answer = await send(world, "GET", path)
    assert answer.status_code == status
    assert "Rival" not in answer.text


async def test_of_8_editors_with_one_tag_one_wins(world: World) -> None:
    seen = tag(await send(world, "PATCH", ASSIGNMENT, {}))
    answers = await asyncio.gather(
        *(send(world, "PATCH", ASSIGNMENT, {"metadata": {f"k{n}": "v"}}, If_Match=seen) for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]
    (held,) = (await send(world, "GET", HELD)).json()
    assert len(held["metadata"]) == 2


@pytest.mark.parametrize("path", [ASSIGNMENT, PRODUCT])
async def test_any_state_will_do_but_a_weak_tag_will_not(world: World, path: str) -> None:
    seen = tag(await send(world, "PATCH", path, {}))
    for method in ("PATCH", "GET"):
        weak = await send(world, method, path, {}, If_Match=f"W/{seen}")
        assert weak.status_code == 412
        assert f"no weak tag; leave out the W/ that a proxy has put before it: {seen}." in weak.json()["detail"]
    assert (await send(world, "PATCH", path, {"metadata": {"a": "1"}}, If_Match="*")).status_code == 200
    # What is no longer stored is not mended by another form of its tag.
    outdated = await send(world, "PATCH", path, {}, If_Match=f"W/{seen}")
    assert (outdated.status_code, "at version 2" in outdated.json()["detail"]) == (412, True)


CONDITIONAL = [ASSIGNMENT, f"{API}/products/{GTIN}/claims/{NON_GMO}", PRODUCT]


@pytest.mark.parametrize("path", CONDITIONAL)
async def test_what_must_be_none_of_these_is_not_changed_if_it_is(world: World, path: str) -> None:
    await send(world, "POST", f"{API}/products/{GTIN}/claims", {"claim_id": NON_GMO})
    seen = tag(await send(world, "GET", path))
    methods = ("PATCH",) if path == PRODUCT else ("PATCH", "DELETE")
    for method in methods:
        for condition in ("*", seen, f"W/{seen}", f'"other", {seen}'):
            refused = await send(world, method, path, {"metadata": {"a": "1"}}, If_None_Match=condition)
            assert (refused.status_code, refused.json()["error_code"]) == (412, "precondition_failed"), condition
            assert "If-None-Match" in refused.json()["detail"]
        malformed = await send(world, method, path, {}, If_None_Match="1")
        assert (malformed.status_code, "If-None-Match" in malformed.json()["detail"]) == (400, True)
        both = await send(world, method, path, {}, If_Match=seen, If_None_Match="*")
        assert both.status_code == 412
    assert tag(await send(world, "GET", path)) == seen
    for method in methods:
        assert (await send(world, method, path, {}, If_None_Match='"other"')).is_success


KEYS = f"/account/api/v1/organizations/{catalogue_id('organization', 'brand')}/api-keys"
LATER = "Sun, 22 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("PATCH", ASSIGNMENT, {"If_Unmodified_Since": LATER}),
        ("DELETE", ASSIGNMENT, {"If_Unmodified_Since": LATER}),
        ("PATCH", PRODUCT, {"If_Unmodified_Since": LATER}),
        ("POST", f"{API}/products/{GTIN}/claims", {"If_Unmodified_Since": LATER}),
        ("POST", f"{API}/products/{GTIN}/claims", {"If_None_Match": '"1-a"'}),
        ("POST", f"{API}/products/{GTIN}/claims", {"If_Match": '"1-a"'}),
        ("POST", "/graphql", {"If_Unmodified_Since": LATER}),
        ("POST", "/graphql", {"If_None_Match": "*"}),
        ("POST", "/graphql", {"If_Match": '"1-a"'}),
    ],
)
async def test_a_condition_that_is_not_looked_at_is_refused(
    world: World, method: str, path: str, headers: Headers
) -> None:
    watched = (tables.certification_assignments, tables.claim_assignments, tables.products, tables.api_keys)
    before = [await world.rows(table) for table in watched]
    query = "mutation ($i: AssignClaimInput!) { assignClaim(input: $i) { __typename } }"
    body = {"claim_id": NON_GMO, "name": "x", "query": query, "variables": {"i": {"gtin": GTIN, "claimId": NON_GMO}}}
    answer = await send(world, method, path, body, **headers)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "bad_request")
    assert next(iter(headers)).replace("_", "-").lower() in answer.json()["detail"].lower()
    assert [await world.rows(table) for table in watched] == before


async def test_a_condition_that_means_nothing_here_is_passed_over(world: World) -> None:
    """RFC 9110 sections 13.1.3 to 13.1.5: without Last-Modified and ranges these say nothing."""
    now = tag(await send(world, "GET", ASSIGNMENT))
    for name in ("If_Modified_Since", "If_Unmodified_Since", "If_Range"):
        assert (await send(world, "GET", ASSIGNMENT, **{name: LATER})).status_code == 200
    assert (await send(world, "PATCH", ASSIGNMENT, {}, If_Unmodified_Since=LATER, If_Match=now)).status_code == 200


async def test_what_is_no_tag_is_refused_by_name(world: World) -> None:
    before = await world.rows(tables.certification_assignments)
    answer = await send(world, "PATCH", ASSIGNMENT, {"scope": "x"}, If_Match="1")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "bad_request")
    assert "If-Match" in answer.json()["detail"]
    assert await world.rows(tables.certification_assignments) == before


async def test_only_what_was_seen_is_removed(world: World) -> None:
    seen = tag(await send(world, "PATCH", ASSIGNMENT, {}))
    now = tag(await send(world, "PATCH", ASSIGNMENT, {"scope": "new"}))
    assert (await send(world, "DELETE", ASSIGNMENT, If_Match=seen)).status_code == 412
    assert (await send(world, "DELETE", ASSIGNMENT, If_Match=now)).status_code == 204
    # Without the condition it would be 404, so it is with it (RFC 9110 section 13.2.1).
    assert (await send(world, "DELETE", ASSIGNMENT, If_Match=now)).status_code == 404


async def test_a_publishable_key_learns_nothing_from_a_tag(world: World) -> None:
    before = {who: tag(await send(world, "GET", ASSIGNMENT, who=who)) for who in ("manager", "publishable")}
    assert before["manager"] != before["publishable"], "they name different answers"
    await send(world, "PATCH", ASSIGNMENT, {"metadata": {"note": "new"}})
    unseen = await send(world, "GET", ASSIGNMENT, who="publishable", If_None_Match=before["publishable"])
    assert (unseen.status_code, tag(unseen)) == (304, before["publishable"])
    assert tag(await send(world, "GET", ASSIGNMENT)) != before["manager"]
    await send(world, "PATCH", ASSIGNMENT, {"scope": "new"})
    seen = await send(world, "GET", ASSIGNMENT, who="publishable", If_None_Match=before["publishable"])
    assert (seen.status_code, seen.json()["scope"]) == (200, "new")


async def test_what_was_removed_and_made_again_is_another(world: World) -> None:
    body = {"claim_id": VEGAN}
    first = tag(await send(world, "POST", f"{API}/products/{GTIN}/claims", body))
    await send(world, "DELETE", f"{API}/products/{GTIN}/claims/{VEGAN}")
    second = tag(await send(world, "POST", f"{API}/products/{GTIN}/claims", body))
    assert first != second


async def test_what_may_not_be_seen_is_not_told_by_a_condition(world: World) -> None:
    await world.add_certification(OTHERS_GTIN, USDA_ORGANIC)
    path = f"{API}/products/{OTHERS_GTIN}/certifications/{USDA_ORGANIC}"
    assert (await send(world, "PATCH", path, {"scope": "x"}, If_Match='"other"')).status_code == 403


async def test_a_condition_that_is_not_understood_is_refused_and_nothing_is_done(world: World) -> None:
    answer = await send(world, "POST", f"{API}/products/{GTIN}/claims", {"claim_id": VEGAN}, If_Match="*")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "bad_request")
    assert await world.rows(tables.claim_assignments) == []


async def test_making_what_must_not_exist(world: World) -> None:
    path = f"{API}/products/{GTIN}/claims"
    assert (await send(world, "POST", path, {"claim_id": VEGAN}, If_None_Match="*")).status_code == 201
    again = await send(world, "POST", path, {"claim_id": VEGAN}, If_None_Match="*")
    assert (again.status_code, again.json()["error_code"]) == (412, "precondition_failed")
    assert (await send(world, "POST", path, {"claim_id": VEGAN})).status_code == 409
    product = {"gtin": GTIN, "product_name": "x"}
    assert (await send(world, "POST", "/products/api/v1/products", product, If_None_Match="*")).status_code == 412


async def test_a_repetition_is_answered_although_its_condition_is_outdated(world: World) -> None:
    seen = tag(await send(world, "PATCH", ASSIGNMENT, {}))
    first = await send(world, "PATCH", ASSIGNMENT, {"scope": "x"}, If_Match=seen, Idempotency_Key="k")
    again = await send(world, "PATCH", ASSIGNMENT, {"scope": "x"}, If_Match=seen, Idempotency_Key="k")
    assert (again.status_code, again.content, tag(again)) == (200, first.content, tag(first))
    assert again.headers["idempotent-replayed"] == "true"


async def mutate(world: World, field: str, kind: str, input: dict[str, Any], selection: str) -> dict[str, Any]:
    query = f"""mutation ($input: {kind}!) {{ result: {field}(input: $input) {{
        __typename {selection} ... on Problem {{ errorCode status detail }} }} }}"""
    response = await world.client.post(
        "/graphql",
        json={"query": query, "variables": {"input": input}},
        headers={"X-API-Key": world.keys["manager"]},
    )
    result: dict[str, Any] = response.json()["data"]["result"]
    return result


CERTIFICATION = {"gtin": GTIN, "certificationId": USDA_ORGANIC}
CLAIM = {"gtin": GTIN, "claimId": NON_GMO}
GRAPHQL: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "patchCertificationAssignment",
        "PatchCertificationAssignmentInput",
        {**CERTIFICATION, "scope": "new"},
        "... on CertificationAssignmentPatched { assignment { version } }",
    ),
    ("removeCertification", "RemoveCertificationInput", CERTIFICATION, ""),
    (
        "patchClaimAssignment",
        "PatchClaimAssignmentInput",
        {**CLAIM, "evidenceNote": "new"},
        "... on ClaimAssignmentPatched { assignment { version } }",
    ),
    ("removeClaim", "RemoveClaimInput", CLAIM, ""),
    (
        "patchProduct",
        "PatchProductInput",
        {"gtin": GTIN, "name": "new"},
        "... on ProductPatched { product { version } }",
    ),
    (
        "archiveProduct",
        "ArchiveProductInput",
        {"gtin": GTIN},
        "... on ProductArchived { product { version } }",
    ),
]


@pytest.mark.parametrize(("field", "kind", "input", "selection"), GRAPHQL, ids=[row[0] for row in GRAPHQL])
async def test_graphql_expects_a_version(
    world: World, field: str, kind: str, input: dict[str, Any], selection: str
) -> None:
    await send(world, "POST", f"{API}/products/{GTIN}/claims", {"claim_id": NON_GMO})
    refused = await mutate(world, field, kind, {**input, "ifMatch": 2}, selection)
    assert refused["__typename"] == "PreconditionFailedProblem"
    assert (refused["errorCode"], refused["status"]) == ("precondition_failed", 412)
    done = await mutate(world, field, kind, {**input, "ifMatch": 1}, selection)
    assert not done["__typename"].endswith("Problem"), done
    if selection:
        changed = done.get("assignment") or done["product"]
        assert changed["version"] == 2


async def test_the_version_of_graphql_begins_the_tag_of_rest(world: World) -> None:
    await send(world, "PATCH", ASSIGNMENT, {"scope": "a"})
    seen = tag(await send(world, "PATCH", ASSIGNMENT, {"scope": "b"}))
    version = int(seen.strip('"').partition("-")[0])
    patched = await mutate(
        world,
        "patchCertificationAssignment",
        "PatchCertificationAssignmentInput",
        {**CERTIFICATION, "scope": "c", "ifMatch": version},
        "... on CertificationAssignmentPatched { assignment { version } }",
    )
    assert patched["assignment"]["version"] == version + 1
    assert (await send(world, "PATCH", ASSIGNMENT, {"scope": "d"}, If_Match=seen)).status_code == 412


async def test_each_mutation_of_a_document_has_its_own_condition(world: World) -> None:
    query = """mutation ($a: PatchCertificationAssignmentInput!, $b: PatchCertificationAssignmentInput!) {
        a: patchCertificationAssignment(input: $a) { __typename }
        b: patchCertificationAssignment(input: $b) { __typename } }"""
    variables = {"a": {**CERTIFICATION, "scope": "a", "ifMatch": 9}, "b": {**CERTIFICATION, "scope": "b"}}
    response = await world.client.post(
        "/graphql", json={"query": query, "variables": variables}, headers={"X-API-Key": world.keys["manager"]}
    )
    assert response.json()["data"] == {
        "a": {"__typename": "PreconditionFailedProblem"},
        "b": {"__typename": "CertificationAssignmentPatched"},
    }
