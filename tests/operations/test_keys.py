"""API keys through both faces: made, shown once, changed and revoked by managers, and by nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db import keys
from db.sql import tables
from domain.account import ApiKey
from domain.api_keys import MAX_KEYS
from domain.short_id import catalogue_id
from domain.vocabulary import KeyKind, Role
from resolvers.keys import list_keys, set_member
from resolvers.sessions import sign_in_with_key
from tests.operations.faces import Face, GraphQL
from tests.operations.mutations import MUTATIONS, SPARE_KEY, prepare, run, send
from tests.world import GTIN, NON_GMO, NOON, NOTHING, VEGAN, World

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the database does not matter, one is enough."""


async def test_a_new_key_is_shown_once_works_at_once_and_is_stored_nowhere(world: World, face: Face) -> None:
    made = (await face.create_key(name="The shop", role="editor", metadata={"order": "7"}, description="Labels")).facts
    secret = made.pop("key")
    world.keys["new"] = secret
    assert made == {
        "id": made["id"],
        "name": "The shop",
        "role": "editor",
        "metadata": {"order": "7"},
        "description": "Labels",
    }
    assert (await face.assign_claim(GTIN, VEGAN, key="new")).ok
    assert secret not in repr([await world.rows(table) for table in tables.metadata.sorted_tables])
    listed = (await face.api_keys()).facts
    assert listed[-1] == {
        **made,
        "kind": "csb",
        "is_active": True,
        "expires_at": None,
        "last_used": None,
        "rate_limit_per_minute": 0,
        "rate_limit_per_day": 0,
    }


async def test_managers_make_no_more_keys_than_an_organisation_may_have(world: World, face: Face) -> None:
    """Of those who make the last ones at the same moment as many get theirs as there is room for."""
    valid = sum(key["is_active"] for key in (await face.api_keys()).facts)
    async with world.database.write() as transaction:
        for number in [*range(MAX_KEYS - valid - 2), "revoked", "expired"]:
            key = ApiKey(
                id=catalogue_id("key", f"{number}"),
                organization_id=world.brand,
                kind=KeyKind.BUSINESS,
                role=Role.READONLY,
                name="",
                created_at=NOON,
                expires_at=NOON - timedelta(days=400) if number == "expired" else None,
            )
            await keys.add_key(transaction, key, f"{number}")
        await keys.revoke_key(transaction, catalogue_id("key", "revoked"))
    made = await asyncio.gather(*(face.create_key(name=f"k{number}") for number in range(5)))
    refused = [outcome for outcome in made if not outcome.ok]
    assert [outcome.code for outcome in refused] == ["validation_error"] * 3
    assert {kind for outcome in refused for _, kind, _ in outcome.violations()} == {"too_many_keys"}
    await world.add_key("the operator's", "brand", Role.READONLY)
    assert not (await face.create_key(name="more")).ok
    for outcome in made:
        if outcome.ok:
            assert (await face.revoke_key(outcome.facts["id"])).ok
    assert (await face.create_key(name="more")).ok
    assert (await face.create_key("rival", name="of the rival", organization_id=world.rival)).ok


async def test_a_revoked_key_is_refused_at_once_and_cannot_be_revoked_again(world: World, face: Face) -> None:
    made = (await face.create_key(name="The shop", role="editor")).facts
    world.keys["new"] = made["key"]
    assert (await face.assign_claim(GTIN, VEGAN, key="new")).ok
    assert (await face.revoke_key(made["id"])).ok
    assert (await world.client.get("/account/api/v1/whoami", headers={"X-API-Key": made["key"]})).status_code == 401
    assert made["id"] not in [item["id"] for item in (await face.api_keys()).facts]
    assert (await face.revoke_key(made["id"])).code == "not_found"
    assert (await face.patch_key(made["id"], name="x")).code == "not_found"


async def test_what_a_key_is_called_can_be_changed_member_by_member(world: World, face: Face) -> None:
    made = (await face.create_key(name="The shop", metadata={"a": "1", "b": "2"})).facts
    changed = (await face.patch_key(made["id"], description="New", metadata={"a": ""})).facts
    assert (changed["name"], changed["description"], changed["metadata"]) == ("The shop", "New", {"b": "2"})
    changed = (await face.patch_key(made["id"], name=None, metadata={})).facts
    assert (changed["name"], changed["description"], changed["metadata"]) == ("", "New", {})


@on_sqlite
async def test_an_expiry_is_kept_and_has_to_lie_ahead(world: World, face: Face) -> None:
    made = (await face.create_key(name="a", expires_at="2099-01-01T00:00:00+02:00")).facts
    (listed,) = [item for item in (await face.api_keys()).facts if item["id"] == made["id"]]
    assert datetime.fromisoformat(listed["expires_at"]) == datetime(2098, 12, 31, 22, tzinfo=UTC)
    refused = await face.create_key(name="a", expires_at="2020-01-01T00:00:00Z")
    assert {(path, kind) for path, kind, _ in refused.violations()} == {("expires_at", "datetime_future")}


async def test_a_key_may_expire_at_the_end_of_time_and_not_behind_it(world: World, face: Face) -> None:
    # The largest moment of .NET, of Python, and one that is the next day in UTC's year.
    for last in ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999+00:00", "9999-12-31T23:59:59+14:00"):
        made = (await face.create_key(name="a", expires_at=last)).facts
        world.keys["new"] = made["key"]
        assert (await face.certifications(GTIN, key="new")).ok
        (listed,) = [item for item in (await face.api_keys()).facts if item["id"] == made["id"]]
        assert listed["is_active"] is True
        assert listed["expires_at"].startswith("9999-12-31T")
        assert listed["expires_at"].endswith("+00:00")
        assert (await face.revoke_key(made["id"])).ok
        who = await world.client.get("/account/api/v1/whoami", headers={"X-API-Key": made["key"]})
        assert who.status_code == 401
    entries = await list_keys(world.database)
    assert [entry.expires_at.year for entry in entries if entry.expires_at is not None] == [9999] * 3
    before = await world.rows(tables.api_keys)
    for outside in ("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59.9999999-00:01"):
        refused = await face.create_key(name="a", expires_at=outside)
        assert {(path, kind) for path, kind, _ in refused.violations()} == {("expires_at", "datetime_object_invalid")}
    refused = await face.create_key(name="a", expires_at="0001-01-01T00:00:00Z")
    assert {(path, kind) for path, kind, _ in refused.violations()} == {("expires_at", "datetime_future")}
    assert await world.rows(tables.api_keys) == before


@on_sqlite
@pytest.mark.parametrize("moment", ["2099-01-01", "2099-01-01T00:00:00", 4070908800, "4070908800", "soon", True, {}])
async def test_a_moment_is_a_text_with_its_offset(world: World, moment: Any) -> None:
    response = await send(world, "createApiKey", {"input": {"name": "a", "expiresAt": moment}})
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "'$input' has invalid value at .expiresAt: DateTime should be written with its offset" in error["message"]


VIEWER = """{ viewer { role kind user { id email metadata } organizations { id name }
  apiKey { id role description createdAt metadata } } }"""


async def test_the_viewer_is_who_whoami_says(world: World) -> None:
    for organization, role in (("brand", Role.EDITOR), ("rival", Role.READONLY)):
        await set_member(world.database, organization, "ann@example.org", role)
    await world.add_key("ann", "brand", Role.MANAGER, KeyKind.USER, "ann@example.org")
    seen = set()
    for who in ("manager", "publishable", "ann"):
        headers = {"X-API-Key": world.keys[who]}
        rest = (await world.client.get("/account/api/v1/whoami", headers=headers)).json()
        viewer = (await GraphQL(world).run(VIEWER, who))["data"]["viewer"]
        user, key = viewer["user"] or {}, viewer["apiKey"]
        assert (rest["user_id"], rest["email"]) == (user.get("id"), user.get("email"))
        assert rest["organizations"] == viewer["organizations"]
        assert {**rest["api_key"], "created": ""} == {
            "id": key["id"],
            "role": key["role"].lower(),
            "description": key["description"],
            "created": "",
            "metadata": key["metadata"],
        }
        seen.add((len(viewer["organizations"]), bool(user)))
    assert seen == {(1, False), (2, True)}
    session = await sign_in_with_key(world.database, world.keys["ann"], timedelta(hours=1))
    assert session is not None
    answer = await world.client.post(
        "/graphql",
        json={"query": VIEWER},
        headers={"Cookie": f"sessionid={session.secret}", "Sec-Fetch-Site": "same-origin"},
    )
    viewer = answer.json()["data"]["viewer"]
    assert (viewer["user"]["email"], viewer["apiKey"]) == ("ann@example.org", None)


# Who may is one table: everybody but a manager of the organisation is refused every operation.
CALLERS: dict[str, tuple[KeyKind, Role, Role | None]] = {
    **{f"csb {role}": (KeyKind.BUSINESS, role, None) for role in Role},
    **{f"cpk {role}": (KeyKind.PUBLISHABLE, role, None) for role in Role},
    **{f"csu manager, user {here}": (KeyKind.USER, Role.MANAGER, here) for here in Role},
    "csu editor, user manager": (KeyKind.USER, Role.EDITOR, Role.MANAGER),
}


@on_sqlite
@pytest.mark.parametrize("caller", CALLERS)
async def test_who_manages_keys(world: World, face: Face, caller: str) -> None:
    kind, role, here = CALLERS[caller]
    if here is not None:
        await set_member(world.database, "brand", "ann@example.org", here)
    await world.add_key("asked", "brand", role, kind, None if here is None else "ann@example.org")
    may = kind is not KeyKind.PUBLISHABLE and role is Role.MANAGER and here in (None, Role.MANAGER)
    before = await world.rows(tables.api_keys)
    outcomes = [
        await face.api_keys(key="asked"),
        await face.create_key(key="asked", name="a"),
        await face.patch_key(world.key_ids["editor"], key="asked", name="b"),
        await face.revoke_key(world.key_ids["editor"], key="asked"),
    ]
    assert [outcome.ok for outcome in outcomes] == [may] * 4
    if not may:
        assert {outcome.code for outcome in outcomes} == {"forbidden"}
        assert await world.rows(tables.api_keys) == before


async def test_an_empty_id_names_no_organisation(world: World) -> None:
    assert (await GraphQL(world).api_keys(organization_id="")).code == "validation_error"
    assert (await GraphQL(world).api_keys(organization_id=None)).ok
    for people in ("members", "invitations", "sessions"):
        answer = await GraphQL(world).run(f'{{ {people}(organizationId: "") {{ organizationId }} }}', "manager")
        assert answer["errors"][0]["extensions"]["code"] == "validation_error", people


async def test_another_organisation_s_keys_do_not_exist(world: World, face: Face) -> None:
    before = await world.rows(tables.api_keys)
    outcomes = [
        await face.api_keys(organization_id=world.rival),
        await face.create_key(organization_id=world.rival, name="a"),
        await face.create_key(organization_id=NOTHING, name="a"),
        await face.patch_key(world.key_ids["rival"], name="b"),
        await face.patch_key(world.key_ids["rival"], organization_id=world.rival, name="b"),
        await face.revoke_key(world.key_ids["rival"]),
        await face.revoke_key(world.key_ids["rival"], organization_id=world.rival),
        await face.revoke_key(NOTHING),
    ]
    assert {outcome.code for outcome in outcomes} == {"not_found"}
    assert await world.rows(tables.api_keys) == before


async def test_a_key_is_never_shown_twice_and_never_in_the_changes(world: World) -> None:
    sample = MUTATIONS["createApiKey"]
    query = """mutation ($input: CreateApiKeyInput!, $dryRun: Boolean!) {
      createApiKey(input: $input, dryRun: $dryRun) {
        ... on ApiKeyCreated { key apiKey { id } changes { path before after } } ... on Problem { errorCode } } }"""

    async def create(*, dry: bool) -> dict[str, Any]:
        response = await world.client.post(
            "/graphql",
            json={"query": query, "variables": {"input": sample.input, "dryRun": dry}},
            headers={"X-API-Key": world.keys["manager"], "Idempotency-Key": "one"},
        )
        result: dict[str, Any] = response.json()["data"]["createApiKey"]
        return result

    before = await world.rows(tables.api_keys)
    assert (await create(dry=True))["key"] is None
    assert await world.rows(tables.api_keys) == before
    made = await create(dry=False)
    assert made["key"].startswith("csb_")
    assert {change["path"][0] for change in made["changes"]} == {"name", "kind", "role", "metadata"}
    assert made["key"] not in repr(made["changes"])
    assert await create(dry=False) == {"errorCode": "conflict"}
    assert len(await world.rows(tables.api_keys)) == len(before) + 1


async def test_a_dry_revocation_leaves_the_key_at_work(world: World) -> None:
    await prepare(world)
    face = GraphQL(world)
    made = (await face.create_key(name="The shop", role="editor")).facts
    world.keys["new"] = made["key"]
    assert (await run(world, "revokeApiKey", {"keyId": made["id"]}, dry=True))["dryRun"] is True
    assert (await face.assign_claim(GTIN, VEGAN, key="new")).ok
    # One that is known to be good stays so beside the rollback; one that is really revoked does not.
    assert (await run(world, "revokeApiKey", {"keyId": SPARE_KEY}))["dryRun"] is False
    assert (await run(world, "revokeApiKey", {"keyId": made["id"]}))["dryRun"] is False
    response = await send(world, "assignClaim", {"input": {"gtin": GTIN, "claimId": NON_GMO}}, who="new")
    assert response.status_code == 401
