"""The log of changes: every change is a row of it, in the same transaction, and no row changes or goes."""

import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.catalogue import load_catalogue, load_demo
from db.engine.opening import driver_url, open_database
from db.migrate import downgrade, migrate
from db.sealing import verify
from db.sql import tables
from domain.commands import PatchClaimAssignment, RemoveClaim
from domain.vocabulary import KeyKind, Role
from resolvers import keys, organizations
from resolvers.claims import patch_claim_assignment, remove_claim
from resolvers.operation import Context
from resolvers.sessions import sign_in_with_address
from tests.files.importing import RICE, caller, put
from tests.log import Told, log, replay, settled, stored
from tests.operations.faces import Rest
from tests.operations.mutations import MUTATIONS, bulk, prepare, run, send
from tests.world import GTIN, NON_GMO, NOON, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, VEGAN, World

UNTOLD = {
    "createInvitation",
    "revokeInvitation",
    "endSession",
    "createCalendar",
    "revokeCalendar",
    "setLeadTimes",
    "setDigest",
}
"""What changes nothing that the log tells of."""
ENDING = {"removeView": ["removeWebhook"]}
"""What ends with a thing and is told of before it."""
OF_SENDING = (["testedAt"], ["replayedAt"], ["failingSince"], ["problem"])
"""What comes and goes with sending: that it was done is told, and no more."""
HOUR = timedelta(hours=1)


async def newly_told(world: World, before: list[Told]) -> list[Told]:
    return (await log(world))[len(before) :]


async def replays(world: World) -> None:
    found = await verify(world.database)
    assert (found.broken, found.differing) == (None, None)
    assert settled(replay(await log(world))) == settled(await stored(world))


@pytest.mark.parametrize("name", MUTATIONS)
async def test_every_mutation_is_told_of_once(world: World, name: str) -> None:
    await prepare(world)
    before = await log(world)
    answer = await run(world, name, MUTATIONS[name].input, key="one")
    assert answer["__typename"] == MUTATIONS[name].success
    await send(world, name, {"input": MUTATIONS[name].input}, key="one")
    told = await newly_told(world, before)
    await replays(world)
    if name in UNTOLD:
        assert told == []
        return
    assert [each.operation for each in told] == [*ENDING.get(name, []), name]
    for each in told:
        assert (each.face, each.credential) == ("graphql", "csb")
        assert (each.credential_id, each.acting_id, each.organization_id) == (
            world.key_ids["manager"],
            world.brand,
            world.brand,
        )
    one = told[-1]
    if one.members is not None:
        # Who has taken a lapse on is told as of any change, by ids.
        shown = [each["path"] for each in answer["changes"] if each["path"] not in (["by"], *OF_SENDING)]
        assert [len(path) for path, _, _ in one.members] == [len(path) for path in shown]


async def test_what_changes_nothing_is_not_told_of(world: World) -> None:
    await prepare(world)
    await run(world, "archiveProduct", {"gtin": GTIN})
    before = await log(world)
    for name, input in {
        "archiveProduct": {"gtin": GTIN},
        "patchApiKey": {"keyId": world.key_ids["editor"], "name": "editor"},
        "patchMember": {"userId": (await world.rows(tables.memberships))[0][0], "role": "READONLY"},
    }.items():
        answer = await run(world, name, input)
        assert answer["changes"] == []
    assert await log(world) == before


async def test_of_a_bulk_write_the_rows_that_were_done_are_told_of(world: World) -> None:
    before = await log(world)
    rows = [{"gtin": gtin, "claimId": VEGAN} for gtin in (GTIN, OTHERS_GTIN, RICE)]
    await bulk(world, "assignClaims", rows, "IGNORE_FAILED")
    assert [(each.operation, each.gtin) for each in await newly_told(world, before)] == [("assignClaim", GTIN)]
    await bulk(world, "assignClaims", [{"gtin": GTIN, "claimId": NON_GMO}, *rows], "REJECT_ALL")
    assert len(await newly_told(world, before)) == 1
    await replays(world)


async def test_who_did_it_and_from_where(world: World) -> None:
    before = await log(world)
    response = await world.client.post(
        f"/certifications/api/v1/products/{GTIN}/claims",
        json={"claim_id": VEGAN},
        headers={"X-API-Key": world.keys["editor"], "X-Request-ID": "our.own-name"},
    )
    assert response.status_code == 201
    (one,) = await newly_told(world, before)
    assert (one.face, one.request_id, one.credential_id) == ("rest", "our.own-name", world.key_ids["editor"])
    assert (one.kind, one.gtin, one.object_id) == ("claim_assignment", GTIN, one.record and one.record["id"])


async def test_files_are_told_of_row_by_row(world: World) -> None:
    before = await log(world)
    await put(world, f"gtin,name,claim\n{RICE},Rice,VEGAN\n{GTIN},Oats,VEGAN\n")
    told = await newly_told(world, before)
    assert [(each.operation, each.gtin) for each in told] == [
        ("createProduct", RICE),
        ("assignClaim", RICE),
        ("patchProduct", GTIN),
        ("assignClaim", GTIN),
    ]
    await put(world, f"gtin,name,claim\n{RICE},Rice,VEGAN\n{GTIN},Oats,VEGAN\n")
    assert len(await newly_told(world, before)) == 4
    await replays(world)


async def test_what_the_operator_does_is_told_of(world: World) -> None:
    before = await log(world)
    made = await organizations.create(world.database, "third", "Third")
    await organizations.rename(world.database, "third", "The third")
    await keys.set_member(world.database, "third", "Ann@example.org", Role.EDITOR)
    await keys.set_member(world.database, "third", "ann@example.org", Role.MANAGER)
    key = await keys.create_key(world.database, "third", Role.EDITOR, KeyKind.USER, user="ann@example.org", name="one")
    await keys.change_graphql_limits(world.database, key.entry.id, {"max_depth": 5})
    await keys.change_graphql_limits(world.database, key.entry.id, {"max_depth": None})
    await keys.create_key(world.database, "third", Role.READONLY, id=key.entry.id, life=-HOUR, name="old")
    await keys.forget_expired_keys(world.database, "third", "old")
    other = await keys.create_key(world.database, "third", Role.READONLY)
    await keys.revoke_key(world.database, other.entry.id)
    await keys.revoke_key(world.database, other.entry.id)
    await keys.remove_member(world.database, "third", "ann@example.org")
    told = await newly_told(world, before)
    assert [each.operation for each in told] == [
        "createOrganization",
        "renameOrganization",
        "setMember",
        "setMember",
        "createApiKey",
        "limitApiKey",
        "limitApiKey",
        "createApiKey",
        "createApiKey",
        "forgetApiKey",
        "createApiKey",
        "revokeApiKey",
        "removeMember",
    ]
    assert {(each.credential, each.face, each.organization_id) for each in told} == {
        ("operator", "command_line", made.id)
    }
    assert told[1].members == [[["name"], "Third", "The third"]]
    assert not any(secret in str(told) for secret in (key.secret, "digest", "ann@example.org"))
    await replays(world)


async def test_who_is_let_in_by_an_address_that_was_proved_is_told_of(world: World) -> None:
    before = await log(world)
    for _ in range(2):
        await sign_in_with_address(world.database, "bob@example.org", HOUR, organization="brand")
    (one,) = await newly_told(world, before)
    assert (one.operation, one.face, one.credential) == ("signIn", "page", "member")
    assert one.user_id is not None
    assert one.object_id == f"{world.brand}/{one.user_id}"
    await replays(world)


async def test_the_catalogue_and_the_demo_are_told_of(world: World) -> None:
    await load_catalogue(world.database)
    await load_demo(world.database, NOON)
    before = await log(world)
    assert {"loadCatalogue", "loadDemo"} <= {each.operation for each in before}
    await load_catalogue(world.database)
    await load_demo(world.database, NOON)
    assert await log(world) == before
    await replays(world)


async def test_for_one_object_time_does_not_go_back(world: World) -> None:
    who = caller(world)
    early, late = NOON - HOUR, NOON + HOUR

    async def noted(note: str, now: Any) -> None:
        command = PatchClaimAssignment.parse({"gtin": GTIN, "claim_id": VEGAN, "evidence_note": note})
        await patch_claim_assignment(Context(world.database, who, now), command)

    before = await log(world)
    await run(world, "assignClaim", {"gtin": GTIN, "claimId": VEGAN})
    (made,) = await newly_told(world, before)
    for note, now in (("late", made.at + HOUR), ("early", NOON - HOUR)):
        await noted(note, now)
    await remove_claim(Context(world.database, who, early), RemoveClaim.parse({"gtin": GTIN, "claim_id": VEGAN}))
    told = await newly_told(world, before)
    assert late < made.at
    assert [each.at for each in told] == [made.at, made.at + HOUR, made.at + HOUR, made.at + HOUR]
    assert told[2].record is not None
    assert told[2].record["updated_at"] == (made.at + HOUR).isoformat().replace("+00:00", "Z")
    assert told[3].members is not None
    assert [["evidence_note"], "early", None] in told[3].members


@pytest.fixture
async def by_hand(world: World, database_url: str) -> AsyncIterator[Any]:
    """Somebody who works on the database itself."""
    engine = create_async_engine(driver_url(database_url), poolclass=NullPool)
    yield engine
    await engine.dispose()


@pytest.mark.parametrize(
    "change", [update(tables.changes).values(operation="nothing"), delete(tables.changes), "TRUNCATE changes"]
)
async def test_the_database_refuses_to_change_the_log(world: World, by_hand: Any, change: Any) -> None:
    if isinstance(change, str):
        if by_hand.dialect.name == "sqlite":
            # It has no such statement.
            return
        change = text(change)
    before = await log(world)
    assert before
    with pytest.raises(IntegrityError, match="only added to"):
        async with by_hand.begin() as connection:
            await connection.execute(change)
    assert await log(world) == before


async def test_an_upgrade_begins_the_log_with_what_is_there(world: World, database_url: str) -> None:
    await prepare(world)
    await keys.change_graphql_limits(world.database, world.key_ids["editor"], {"max_depth": 5})
    await run(world, "patchProduct", {"gtin": GTIN, "name": "naïve \U0001f33e", "metadata": {"quoted": '"\\\n'}})
    filled = {"validFrom": "0001-01-01", "expirationDate": "9999-12-31", "certificateCountries": ["DE", "US"]}
    await run(world, "patchCertificationAssignment", {"gtin": GTIN, "certificationId": USDA_ORGANIC, **filled})
    await run(world, "assignCertification", {"gtin": GTIN, "certificationId": PRIVATE, "auditDate": "2026-02-03"})
    wanted, ends = replay(await log(world)), {(each.kind, each.object_id): each for each in await log(world)}
    await downgrade(database_url, "0020")
    await migrate(database_url)
    database = await open_database(database_url)
    told = await log(World(world.app, database))
    await database.close()
    # What came later than the log is not in its beginning, and webhooks do not outlast the way down.
    assert wanted["webhook"]
    wanted["webhook"] = {}
    for record in wanted["certification_assignment"].values():
        record |= {"earlier_days": None, "halted_days": None}
    assert settled(replay(told)) == settled(wanted)
    assert {each.operation for each in told} == {"baseline"}
    for each in told:
        last = ends[each.kind, each.object_id]
        assert (each.gtin, each.organization_id) == (last.gtin, last.organization_id)
        if each.gtin:
            # It has been so since then, which is what can be known.
            assert each.at == last.at


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_done_in_whatever_order_the_log_tells_of_it(world: World, seed: int) -> None:
    await prepare(world)
    dice = random.Random(seed)
    rest, brand = Rest(world), f"/account/api/v1/organizations/{world.brand}"
    headers = {"X-API-Key": world.keys["manager"]}
    for name in dice.sample([*MUTATIONS] * 2, 60):
        # Many are refused by then, and some are done by REST.
        await run(world, name, MUTATIONS[name].input)
        match dice.randrange(6):
            case 0:
                await rest.patch_certification(GTIN, USDA_ORGANIC, scope=dice.choice(("", "Crop")))
            case 1:
                await rest.assign_claim(GTIN, VEGAN)
            case 2:
                await rest.remove_claim(GTIN, VEGAN)
            case 3:
                await world.client.post(f"{brand}/api-keys", json={"name": str(seed)}, headers=headers)
    await replays(world)
