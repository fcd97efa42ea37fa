"""The Account API, users and their memberships, and when keys were last used."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from db import keys
from db.engine.database import Database
from db.engine.opening import open_database
from db.sql import tables
from domain.api_keys import digest, is_well_formed
from domain.errors import InvalidInput, NotFound
from domain.short_id import ShortId
from domain.vocabulary import KeyKind, Role
from gateway.app import create_app
from gateway.auth.credentials import Credentials
from gateway.auth.last_used import LastUsed
from gateway.settings import Settings
from resolvers.keys import create_key, list_keys, list_members, remove_member, set_member
from resolvers.sessions import sign_in_with_key
from tests.processes import serving
from tests.world import GTIN, NON_GMO, World

ROOT = Path(__file__).resolve().parents[2]
WHOAMI = "/account/api/v1/whoami"
LIST = f"/certifications/api/v1/products/{GTIN}/certifications"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def elsewhere(database_url: str, world: World) -> AsyncIterator[World]:
    """The same data as another worker serves them."""
    database = await open_database(database_url)
    async with World(create_app(Settings(database_url=database_url), database), database) as other:
        yield other
    await database.close()


def keys_path(organization: str, key: str = "") -> str:
    return f"/account/api/v1/organizations/{organization}/api-keys{'/' if key else ''}{key}"


async def ask(world: World, key: str, method: str, path: str, **more: Any) -> httpx2.Response:
    headers = {"X-API-Key": world.keys.get(key, key), **more.pop("headers", {})}
    return await world.client.request(method, path, headers=headers, **more)


async def create(world: World, key: str = "manager", **members: Any) -> httpx2.Response:
    return await ask(world, key, "POST", keys_path(world.brand), json={"name": "The shop", **members})


async def eventually(world: World, key: str, status: int) -> bool:
    """Whether the key is answered so from now on; what another process tells takes a moment to arrive."""
    for _ in range(500):
        if (await ask(world, key, "GET", WHOAMI)).status_code == status:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_a_key_is_shown_once_and_works_everywhere_at_once(world: World, elsewhere: World) -> None:
    response = await create(world, role="editor", description="Labels", metadata={"order": "7"})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    made = response.json()
    assert made.keys() == {"id", "name", "role", "created", "key", "metadata", "description"}
    assert (made["name"], made["role"], made["description"]) == ("The shop", "editor", "Labels")
    assert made["metadata"] == {"order": "7"}
    assert made["key"].startswith("csb_")
    assert is_well_formed(made["key"])
    assert (await ask(elsewhere, made["key"], "GET", LIST)).status_code == 200
    assert made["key"] not in repr([await world.rows(table) for table in tables.metadata.sorted_tables])

    listed = (await ask(world, "manager", "GET", keys_path(world.brand))).json()
    assert [item["name"] for item in listed] == ["manager", "editor", "readonly", "publishable", "The shop"]
    assert listed[-1] == {
        **{name: value for name, value in made.items() if name != "key"},
        "kind": "csb",
        "is_active": True,
        "expires_at": None,
        "last_used": None,
        "rate_limit_per_minute": 0,
        "rate_limit_per_day": 0,
    }


async def test_a_new_key_permits_the_least_unless_told_otherwise(world: World) -> None:
    made = (await create(world)).json()
    assert made["role"] == "readonly"
    claim = {"claim_id": NON_GMO}
    path = f"/certifications/api/v1/products/{GTIN}/claims"
    assert (await ask(world, made["key"], "POST", path, json=claim)).status_code == 403
    publishable = (await create(world, kind="cpk", role="manager")).json()
    assert publishable["key"].startswith("cpk_")
    assert (await ask(world, publishable["key"], "POST", path, json=claim)).status_code == 403
    assert (await ask(world, publishable["key"], "GET", keys_path(world.brand))).status_code == 403


async def test_what_a_key_is_called_can_be_changed(world: World) -> None:
    made = (await create(world, metadata={"a": "1", "b": "2"})).json()
    path = keys_path(world.brand, made["id"])
    changed = (await ask(world, "manager", "PATCH", path, json={"metadata": {"a": ""}, "description": "New"})).json()
    assert (changed["name"], changed["description"], changed["metadata"]) == ("The shop", "New", {"b": "2"})
    changed = (await ask(world, "manager", "PATCH", path, json={"name": None, "metadata": None})).json()
    assert (changed["name"], changed["description"], changed["metadata"]) == ("", "New", {})
    assert (await ask(world, "manager", "PATCH", path, json={"role": "manager"})).json()["role"] == "readonly"
    too_long = await ask(world, "manager", "PATCH", path, json={"name": "x" * 256, "description": "x" * 256})
    assert too_long.status_code == 422
    assert {entry["loc"][-1] for entry in too_long.json()["details"]} == {"name", "description"}


async def test_a_deleted_key_is_refused_in_every_worker(world: World, elsewhere: World) -> None:
    made = (await create(world, role="manager")).json()
    session = await sign_in_with_key(world.database, made["key"], timedelta(hours=1))
    assert session
    assert (await ask(elsewhere, made["key"], "GET", WHOAMI)).status_code == 200
    path = keys_path(world.brand, made["id"])
    gone = await ask(world, "manager", "DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert await eventually(world, made["key"], 401)
    assert await eventually(elsewhere, made["key"], 401)
    cookie = {"Cookie": f"sessionid={session.secret}"}
    assert (await elsewhere.client.get(WHOAMI, headers=cookie)).status_code == 401
    assert made["id"] not in [
        item["id"] for item in (await ask(world, "manager", "GET", keys_path(world.brand))).json()
    ]
    for method in ("DELETE", "PATCH"):
        assert (await ask(world, "manager", method, path, json={"name": "x"})).status_code == 404
    # The operator still sees that it was there.
    assert [entry.is_active for entry in await list_keys(world.database) if entry.id == made["id"]] == [False]


@pytest.mark.parametrize(
    ("key", "own", "others"),
    [
        ("manager", 200, 404),
        ("editor", 403, 404),
        ("readonly", 403, 404),
        ("publishable", 403, 404),
        ("rival", 404, 200),
    ],
)
async def test_who_may_manage_keys(world: World, key: str, own: int, others: int) -> None:
    async def stored() -> list[tuple[Any, ...]]:
        return sorted(tuple(map(repr, row)) for row in await world.rows(tables.api_keys))

    before = await stored()
    for organization, status in ((world.brand, own), (world.rival, others)):
        assert (await ask(world, key, "GET", keys_path(organization))).status_code == status
        if status == 200:
            continue
        target = keys_path(organization, world.key_ids["editor" if organization == world.brand else "rival"])
        # Who never writes is told so before anything is looked for.
        refused = {status, 403} if key in ("readonly", "publishable") else {status}
        for method, path in (("POST", keys_path(organization)), ("PATCH", target), ("DELETE", target)):
            response = await ask(world, key, method, path, json={"name": "Mine now"})
            assert response.status_code in refused, (method, organization)
            assert "key" not in response.json()
    assert await stored() == before


async def test_a_key_is_managed_in_its_own_organisation_alone(world: World) -> None:
    path = keys_path(world.brand, world.key_ids["rival"])
    assert (await ask(world, "manager", "DELETE", path)).status_code == 404
    assert (await ask(world, "manager", "PATCH", path, json={"name": "x"})).status_code == 404
    assert (await ask(world, "rival", "GET", WHOAMI)).status_code == 200


async def test_what_a_new_key_may_not_be(world: World) -> None:
    before = len(await world.rows(tables.api_keys))
    for members, named in (
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"role": "owner"}, "role"),
        ({"kind": "xyz"}, "kind"),
        ({"kind": "csu"}, "kind"),
        ({"expires_at": "2020-01-01T00:00:00+00:00"}, "expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"metadata": {"x" * 41: "y"}}, "metadata"),
    ):
        response = await create(world, **members)
        assert response.status_code == 422, members
        assert named in response.json()["details"][0]["loc"]
    assert len(await world.rows(tables.api_keys)) == before


async def test_an_expiring_key_is_refused_from_then_on(world: World) -> None:
    made = (await create(world, expires_at="2030-03-31T14:00:00.25+02:00")).json()
    listed = (await ask(world, "manager", "GET", keys_path(world.brand))).json()[-1]
    assert listed["expires_at"] == "2030-03-31T12:00:00+00:00"
    assert listed["created"] == made["created"]
    async with world.database.write() as transaction:
        await transaction.execute(
            update(tables.api_keys).where(tables.api_keys.c.id == made["id"]).values(expires_at=NOW)
        )
        await keys.announce(transaction)
    assert await eventually(world, made["key"], 401)
    assert (await ask(world, "manager", "GET", keys_path(world.brand))).json()[-1]["is_active"] is False


async def test_the_same_request_twice_makes_one_key_and_no_copy_of_it(world: World) -> None:
    before = len(await world.rows(tables.api_keys))
    headers = {"Idempotency-Key": "once"}
    path, body = keys_path(world.brand), {"name": "Once"}
    first = await ask(world, "manager", "POST", path, json=body, headers=headers)
    second = await ask(world, "manager", "POST", path, json=body, headers=headers)
    assert (first.status_code, second.status_code) == (200, 409)
    assert len(await world.rows(tables.api_keys)) == before + 1
    assert first.json()["key"] not in repr(await world.rows(tables.idempotency_keys))


async def test_who_am_i(world: World) -> None:
    who = (await ask(world, "editor", "GET", WHOAMI)).json()
    assert who["organizations"] == [{"id": world.brand, "name": "Brand"}]
    assert (who["user_id"], who["email"], who["metadata"]) == (None, None, {})
    assert who["api_key"].keys() == {"id", "role", "description", "created", "metadata"}
    assert (who["api_key"]["id"], who["api_key"]["role"]) == (world.key_ids["editor"], "editor")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", who["api_key"]["created"])
    session = await sign_in_with_key(world.database, world.keys["editor"], timedelta(hours=1))
    assert session
    signed_in = await world.client.get(WHOAMI, headers={"Cookie": f"sessionid={session.secret}"})
    assert signed_in.json() == {**who, "api_key": None}
    assert (await world.client.get(WHOAMI)).status_code == 401


async def test_a_user_has_the_organisations_of_its_memberships(world: World) -> None:
    await set_member(world.database, "rival", "Ann@Example.org", Role.MANAGER)
    await set_member(world.database, "brand", "ann@example.org", Role.READONLY)
    await world.add_key("ann", "brand", Role.MANAGER, KeyKind.USER, "ANN@example.org")
    assert world.keys["ann"].startswith("csu_")
    who = (await ask(world, "ann", "GET", WHOAMI)).json()
    assert who["email"] == "ann@example.org"
    assert len(who["user_id"]) == 22
    # The organisation that issued the key comes first.
    assert [item["name"] for item in who["organizations"]] == ["Brand", "Rival"]
    # The user manages keys there, where the membership says so.
    assert (await ask(world, "ann", "GET", keys_path(world.brand))).status_code == 403
    made = await ask(world, "ann", "POST", keys_path(world.rival), json={"name": "Ann's", "kind": "csu"})
    assert made.status_code == 200
    again = (await ask(world, made.json()["key"], "GET", WHOAMI)).json()
    assert (again["user_id"], [item["name"] for item in again["organizations"]]) == (who["user_id"], ["Rival", "Brand"])


async def test_a_membership_ends_in_every_worker_at_once(world: World, elsewhere: World) -> None:
    await set_member(world.database, "brand", "ann@example.org", Role.EDITOR)
    await world.add_key("ann", "brand", Role.EDITOR, KeyKind.USER, "ann@example.org")
    assert (await ask(elsewhere, world.keys["ann"], "GET", WHOAMI)).status_code == 200
    await remove_member(world.database, "brand", "ann@example.org")
    assert await eventually(elsewhere, world.keys["ann"], 401)
    assert await list_members(world.database) == []


async def test_what_the_operator_cannot_do(world: World) -> None:
    await set_member(world.database, "rival", "ann@example.org", Role.EDITOR)
    with pytest.raises(NotFound, match="no member of the organisation brand"):
        await create_key(world.database, "brand", Role.EDITOR, KeyKind.USER, user="ann@example.org")
    with pytest.raises(NotFound, match="no member of the organisation brand"):
        await create_key(world.database, "brand", Role.EDITOR, KeyKind.USER, user="bob@example.org")
    for kind, user in ((KeyKind.USER, None), (KeyKind.BUSINESS, "ann@example.org")):
        with pytest.raises(InvalidInput):
            await create_key(world.database, "brand", Role.EDITOR, kind, user=user)
    with pytest.raises(NotFound, match="organisation has the slug 'none'"):
        await set_member(world.database, "none", "ann@example.org", Role.EDITOR)
    with pytest.raises(NotFound):
        await remove_member(world.database, "brand", "ann@example.org")


async def test_limits_of_a_key_are_known_to_whoever_counts(world: World) -> None:
    made = await create_key(
        world.database, "brand", Role.READONLY, rate_limit_per_minute=7, rate_limit_per_day=70, name="slow"
    )
    caller = await Credentials(world.database).of_key(made.secret, NOW)
    assert (caller.rate_limit_per_minute, caller.rate_limit_per_day) == (7, 70)
    answer = await ask(world, made.secret, "GET", LIST)
    assert answer.headers["ratelimit-policy"] == "7;w=60, 70;w=86400"


async def last_used(world: World, name: str) -> datetime | None:
    return next(entry.last_used for entry in await list_keys(world.database) if entry.id == world.key_ids[name])


async def test_use_is_gathered_and_written_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials(world.database)
    transactions: list[int] = []
    write = world.database.write

    def counted() -> Any:
        transactions.append(1)
        return write()

    monkeypatch.setattr(world.database, "write", counted)
    for second in range(100):
        for name in ("manager", "editor"):
            await credentials.of_key(world.keys[name], NOW + timedelta(seconds=second))
    assert transactions == []
    assert await last_used(world, "manager") is None
    await credentials.last_used.flush()
    assert transactions == [1]
    assert await last_used(world, "manager") == await last_used(world, "editor") == NOW + timedelta(seconds=99)
    assert await last_used(world, "readonly") is None
    await credentials.last_used.flush()
    assert transactions == [1]


async def test_it_never_moves_back_whoever_writes_last(world: World, elsewhere: World) -> None:
    early, late = LastUsed(world.database), LastUsed(elsewhere.database)
    id = world.key_ids["manager"]
    early.key(id, NOW)
    late.key(id, NOW + timedelta(seconds=40))
    await late.flush()
    await early.flush()
    assert await last_used(world, "manager") == NOW + timedelta(seconds=40)
    # Both at once, each with keys that the other has too.
    for number in range(20):
        for worker, at in ((early, 2 * number), (late, 2 * number + 1)):
            for key in world.key_ids.values():
                worker.key(key, NOW + timedelta(seconds=100 + at))
        await asyncio.gather(early.flush(), late.flush())
    # What one had to give up because of the other is written the next time.
    await early.flush()
    await late.flush()
    assert {await last_used(world, name) for name in world.key_ids} == {NOW + timedelta(seconds=139)}


async def test_what_cannot_be_written_is_kept(world: World) -> None:
    gathered = LastUsed(world.database)
    gathered.key(world.key_ids["manager"], NOW)
    gathered.key(ShortId("2" * 22), NOW)  # deleted meanwhile: nobody minds
    write = world.database.write

    def down(**_: Any) -> Any:
        raise OSError("no disk")

    world.database.write = down  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no disk"):
        await gathered.flush()
    gathered.key(world.key_ids["editor"], NOW + timedelta(seconds=9))
    world.database.write = write  # type: ignore[method-assign]
    await gathered.flush()
    assert await last_used(world, "manager") == NOW
    assert await last_used(world, "editor") == NOW + timedelta(seconds=9)


async def test_a_refused_key_was_not_used(world: World) -> None:
    credentials = world.app.credentials  # type: ignore[attr-defined]
    await ask(world, "manager", "GET", LIST)
    await ask(world, "csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_84041098", "GET", LIST)
    await credentials.last_used.flush()
    assert await last_used(world, "manager") is not None
    used = [entry.id for entry in await list_keys(world.database) if entry.last_used]
    assert used == [world.key_ids["manager"]]
    assert digest(world.keys["manager"]) not in repr(credentials.last_used._sessions)


async def test_two_servers_write_what_is_left_when_they_stop(world: World, database_url: str) -> None:
    database: Database = world.database
    started = datetime.now(UTC).replace(microsecond=0)
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(database_url, CERTGATE_LOG_LEVEL="warning")) for _ in range(2)]
        async with httpx2.AsyncClient(trust_env=False) as client:
            for (_, address), name in zip(servers, ("manager", "editor"), strict=True):
                for key in (name, "readonly"):
                    answer = await client.get(address + LIST, headers={"X-API-Key": world.keys[key]})
                    assert answer.status_code == 200
    assert [process.code for process, _ in servers] == [0, 0]
    used = {entry.name: entry.last_used for entry in await list_keys(database) if entry.last_used}
    assert used.keys() == {"manager", "editor", "readonly"}
    assert all(moment >= started for moment in used.values())
