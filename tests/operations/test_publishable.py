"""A publishable key stands in the source of a web page: what its organisation keeps to itself is not shown with it.

Every read of both faces is asked here, also those that come later: the endpoints are those of the route table, and the
GraphQL documents are made of the schema.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from domain.short_id import catalogue_id
from domain.vocabulary import KeyKind, Role
from resolvers.keys import create_key
from rest_compat.routes import ENDPOINTS
from schema.schema import schema
from tests.conftest import UNLIMITED
from tests.operations.faces import Face, GraphQL
from tests.operations.mutations import SPARE_MEMBER, SPARE_VIEW, SPARE_WEBHOOK, add_people, give_ends, run
from tests.world import BODY, GTIN, IMPORT, NON_GMO, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, VEGAN, World

SECRET = "a-word-that-nobody-outside-may-read"
PRIVATE_LABEL = "Brand's own seal"


@pytest.fixture
async def secretive(world: World) -> World:
    """The world with a secret in every member that is private, on products of both organisations."""
    manager = GraphQL(world)
    notes: dict[str, Any] = {"metadata": {"note": SECRET}}
    for gtin, key in ((GTIN, "manager"), (OTHERS_GTIN, "rival")):
        evidence = {"evidence_url": f"https://{SECRET}.example", "evidence_note": SECRET}
        for outcome in (
            await manager.patch_product(gtin, key, **notes),
            await manager.assign_claim(gtin, VEGAN, key, **evidence, **notes),
        ):
            assert outcome.ok
    assert (await manager.patch_certification(GTIN, USDA_ORGANIC, **notes)).ok
    assert (await manager.assign_certification(GTIN, PRIVATE, **notes)).ok
    await give_ends(world, GTIN)
    said = {"gtin": GTIN, "until": "2030-12-31", "reason": SECRET}
    for name, definition in (("Certification", USDA_ORGANIC), ("Certification", PRIVATE), ("Claim", VEGAN)):
        answer = await run(world, f"acknowledge{name}", {**said, f"{name.lower()}Id": definition})
        assert answer["__typename"] == f"{name}Acknowledged", answer
    async with world.database.write() as transaction:
        await add_people(transaction, world, "spare")
    await run(world, "patchView", {"viewId": SPARE_VIEW, "name": SECRET})
    # Such a key may ask a hundred things a minute, fewer than are asked below.
    kind, limit = KeyKind.PUBLISHABLE, UNLIMITED
    made = await create_key(world.database, "brand", Role.EDITOR, kind, rate_limit_per_minute=limit)
    world.keys["publishable"] = made.secret
    return world


async def test_metadata_are_an_empty_map(face: Face, secretive: World) -> None:
    for own, read in (("manager", {"note": SECRET}), ("publishable", {})):
        (claim,) = (await face.claims(GTIN, key=own)).facts
        assert claim["metadata"] == read
        assert [item["metadata"] for item in (await face.certifications(GTIN, key=own)).facts][-1] == (
            {"kept": "yes", **read} if read else {}
        )


async def test_what_is_public_is_shown_as_to_everybody(face: Face, secretive: World) -> None:
    for read in (face.claims, face.certifications):
        shown = {item["id"]: item for item in (await read(GTIN, key="publishable")).facts}
        for item in (await read(GTIN, key="readonly")).facts:
            if item["id"] != PRIVATE:
                assert shown.pop(item["id"]) == {**item, "metadata": {}}
        assert shown == {}


async def test_private_definitions_do_not_exist(face: Face, secretive: World) -> None:
    assert (await face.definition("certification", PRIVATE)).ok
    outcome = await face.definition("certification", PRIVATE, key="publishable")
    assert (outcome.status, outcome.code) == (404, "not_found")
    assert PRIVATE in [item["id"] for item in (await face.certifications(GTIN)).facts]
    assert PRIVATE not in [item["id"] for item in (await face.certifications(GTIN, key="publishable")).facts]


# --- every read there is ---


def paths(organization_id: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every endpoint that reads, on things that have secrets: its path, and the organisation where one is asked for."""
    for endpoint in ENDPOINTS:
        if endpoint.method != "GET" or "{organization_id}" in endpoint.path:
            # Keys and people of an organisation are its managers' to see.
            continue
        if endpoint.tag == "Imports" and "{id}" in endpoint.path:
            # Each is its organisation's alone; see tests/files/test_jobs.py.
            continue
        path = endpoint.path.replace("{gtin}", GTIN)
        query = {"organization_id": organization_id} if "organization_id" in endpoint.parameters else {}
        for name, values in {
            "{certification_id}": [USDA_ORGANIC, PRIVATE],
            "{claim_id}": [VEGAN],
            "{id}": [BODY if "bodies" in path else NON_GMO if "/claims" in path else PRIVATE],
        }.items():
            if name in path:
                yield from ((path.replace(name, value), query) for value in values)
                break
        else:
            yield path, query


async def test_no_endpoint_tells_a_secret(secretive: World) -> None:
    telling = 0
    for path, query in paths(secretive.brand):
        assert "{" not in path
        full, public = [
            await secretive.client.get(path, params=query, headers={"X-API-Key": secretive.keys[key]})
            for key in ("manager", "publishable")
        ]
        assert full.status_code == 200, path
        is_hidden = PRIVATE in path or path.endswith("/acknowledgement")
        assert public.status_code == (404 if is_hidden else 200), path
        assert SECRET not in public.text, path
        assert PRIVATE_LABEL not in public.text, path
        if SECRET in full.text or PRIVATE_LABEL in full.text:
            telling += 1
            if "/exports/" not in path:
                # A file that is sent while it is read has no name.
                assert public.headers.get("etag") != full.headers["etag"], "one name for two different answers"
    assert telling > 10


DEPTH = 4
ARGUMENTS: dict[str, list[str]] = {
    "product": [f'gtin: "{GTIN}"'],
    "certification": [f'id: "{PRIVATE}"', f'id: "{USDA_ORGANIC}"'],
    "claim": [f'id: "{VEGAN}"'],
    "certificationBody": [f'id: "{BODY}"'],
    "import": [f'id: "{IMPORT}"'],
    "view": [f'id: "{SPARE_VIEW}"'],
    "digest": [f'userId: "{SPARE_MEMBER}"'],
    "webhookDeliveries": [f'webhookId: "{SPARE_WEBHOOK}"'],
    "node": [f'id: "{catalogue_id("product", GTIN)}"', f'id: "{PRIVATE}"'],
    "nodes": [f'ids: ["{catalogue_id("product", GTIN)}", "{PRIVATE}"]'],
}
"""What the root fields are asked with; a field that needs nothing is asked for everything it has."""
NOT_PUBLIC = (
    "apiKeys",
    "members",
    "invitations",
    "sessions",
    "views",
    "calendars",
    "webhook",
    "leadTimes",
    "publicProof",
    "digest",
    "history",
    "verification",
)
"""What managers or members alone see."""


def selection(kind: Any, depth: int) -> str:
    """Every field of a type without required arguments, some levels deep."""
    kind = get_named_type(kind)
    if is_leaf_type(kind):
        return ""
    if not isinstance(kind, GraphQLObjectType):
        return "{ __typename }"
    parts = [
        f"{name} {selection(field.type, depth - 1)}"
        for name, field in kind.fields.items()
        if not any(map(is_required_argument, field.args.values()))
        # Of histories, each of which costs as much as a list, such a key sees none: see `test_history`.
        and name not in ("edges", "history")
        and (depth > 1 or is_leaf_type(get_named_type(field.type)))
    ]
    return f"{{ __typename {' '.join(parts)} }}"


def documents() -> Iterator[str]:
    """One document for each root field, and for each thing that it may be."""
    built = schema._schema
    assert built.query_type is not None
    for name, field in built.query_type.fields.items():
        kind = get_named_type(field.type)
        # Of what is refused as a whole its own members are enough; a list of views with all their pages would be dear.
        bodies = [selection(kind, 1 if name in NOT_PUBLIC else DEPTH)]
        if isinstance(kind, GraphQLInterfaceType):
            each = built.get_possible_types(kind)
            bodies = [f"{{ ... on {one.name} {selection(one, DEPTH - 1)} }}" for one in each]
        for arguments in ARGUMENTS.get(name, [""]):
            for body in bodies:
                yield f"{{ {name}{f'({arguments})' if arguments else ''} {body} }}"


async def test_no_root_field_tells_a_secret(secretive: World) -> None:
    face = GraphQL(secretive)
    telling = set()
    for document in documents():
        if SECRET in str(await face.run(document, "manager")):
            telling.add(document[2:].partition("{")[0].partition("(")[0].strip())
        for _ in range(3):  # Operations are compiled from their second run.
            public = await face.run(document, "publishable")
            refused = {error["extensions"]["code"] for error in public.get("errors", [])}
            assert refused == ({"forbidden"} if document[2:].startswith(NOT_PUBLIC) else set()), public
            assert SECRET not in str(public), document
            assert PRIVATE_LABEL not in str(public), document
    assert telling >= {"product", "products", "view", "views"}, "else this test could not fail"


async def test_evidence_is_empty(secretive: World) -> None:
    evidence = f'{{ product(gtin: "{GTIN}") {{ claims {{ evidenceUrl evidenceNote }} }} }}'
    face = GraphQL(secretive)
    seen = {key: await face.run(evidence, key) for key in ("manager", "publishable")}
    assert seen["manager"]["data"]["product"]["claims"] == [
        {"evidenceUrl": f"https://{SECRET}.example", "evidenceNote": SECRET}
    ]
    assert seen["publishable"]["data"]["product"]["claims"] == [{"evidenceUrl": "", "evidenceNote": ""}]


# --- what such a key is told about itself ---


async def test_whoami_says_nothing_that_the_manager_noted_about_the_key(world: World) -> None:
    path = f"/account/api/v1/organizations/{world.brand}/api-keys/{world.key_ids['publishable']}"
    manager = {"X-API-Key": world.keys["manager"]}
    changed = await world.client.patch(path, json={"metadata": {"note": SECRET}}, headers=manager)
    assert changed.status_code == 200
    headers = {"X-API-Key": world.keys["publishable"]}
    who = (await world.client.get("/account/api/v1/whoami", headers=headers)).json()
    assert who["organizations"] == [{"id": world.brand, "name": "Brand"}]
    assert who["api_key"]["id"] == world.key_ids["publishable"]
    assert who["api_key"]["metadata"] == {}


async def test_it_lists_the_products_of_its_organisation(world: World) -> None:
    """Products are public; which organisation it is for, the page knows."""
    await world.add_key("others", "rival", Role.READONLY, KeyKind.PUBLISHABLE)
    answers = {
        key: await world.client.get(
            "/products/api/v1/products",
            params={"organization_id": world.brand},
            headers={"X-API-Key": world.keys[key]},
        )
        for key in ("publishable", "others")
    }
    assert [item["gtin"] for item in answers["publishable"].json()["data"]] == [GTIN]
    assert answers["others"].status_code == 403
