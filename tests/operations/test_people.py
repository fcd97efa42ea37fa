"""People through both faces: invited, admitted, promoted, dismissed and signed out by managers, and by nobody else."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from db import invitations
from db.sql import tables
from domain.people import MAX_PEOPLE, Invitation
from domain.short_id import catalogue_id
from domain.vocabulary import Role
from resolvers.keys import set_member
from tests.operations.faces import Face
from tests.world import GTIN, NON_GMO, NOON, World

BOB = "bob@example.org"
HERE = {"Origin": "http://certgate.test", "Sec-Fetch-Site": "same-origin"}


async def opened(world: World, link: str) -> httpx2.Response:
    """The page behind a link, wherever the server is taken to be."""
    return await world.client.get(link[link.index("/invitation?") :])


async def accepted(world: World, link: str, **headers: str) -> httpx2.Response:
    """What the button of the page does."""
    response = await world.client.post(
        "/invitation", data={"token": link.partition("token=")[2]}, headers={**HERE, **headers}
    )
    world.client.cookies.clear()
    return response


def cookie_of(response: httpx2.Response) -> dict[str, str]:
    assert (response.status_code, response.headers["location"]) == (303, "/app")
    found = re.search(r"sessionid=([^;]+);", response.headers["set-cookie"])
    assert found
    return {"Cookie": f"sessionid={found[1]}"}


async def listed(world: World, what: str, **headers: str) -> list[dict[str, Any]]:
    path = f"/account/api/v1/organizations/{world.brand}/{what}"
    response = await world.client.get(path, headers=headers or {"X-API-Key": world.keys["manager"]})
    assert response.status_code == 200
    found: list[dict[str, Any]] = response.json()
    return found


async def test_who_is_invited_becomes_a_member_with_the_role_of_the_invitation(world: World, face: Face) -> None:
    made = (await face.people("invite", email="Bob@Example.org", role="editor")).facts
    link = made.pop("link")
    assert made == {"id": made["id"], "email": BOB, "role": "editor"}
    assert link.startswith("http://127.0.0.1:8000/invitation?token=")
    assert link.partition("token=")[2] not in repr([await world.rows(table) for table in tables.metadata.sorted_tables])
    assert [(each["id"], each["email"]) for each in await listed(world, "invitations")] == [(made["id"], BOB)]
    assert await listed(world, "members") == []

    # Looking at a link, as mail programs do, does not use it up.
    for _ in range(2):
        page = await opened(world, link)
        assert page.status_code == 200
        assert "<strong>Brand</strong> as editor" in page.text
        assert f"<strong>{BOB}</strong>" in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text
    cookie = cookie_of(await accepted(world, link))
    assert await listed(world, "invitations") == []
    (member,) = await listed(world, "members")
    assert (member["email"], member["role"]) == (BOB, "editor")
    (session,) = await listed(world, "sessions")
    assert (session["email"], session["api_key_id"]) == (BOB, None)
    claims = f"/certifications/api/v1/products/{GTIN}/claims"
    written = await world.client.post(claims, json={"claim_id": NON_GMO}, headers={**HERE, **cookie})
    assert written.status_code == 201

    for again in (await accepted(world, link), await opened(world, link)):
        assert again.status_code == 410
        assert "set-cookie" not in again.headers
        assert "ask who invited you" in again.text


async def test_managers_promote_dismiss_and_sign_out(world: World, face: Face) -> None:
    link = (await face.people("invite", email=BOB)).facts["link"]
    cookie = cookie_of(await accepted(world, link))
    (member,) = await listed(world, "members")
    assert member["role"] == "readonly"
    promoted = (await face.people("promote", user_id=member["user_id"], role="manager")).facts
    assert promoted == {"user_id": member["user_id"], "email": BOB, "role": "manager"}
    assert await reached(world, cookie, 200)
    # As a manager, Bob sees his own session, and ends it; but he cannot leave by a slip.
    (session,) = await listed(world, "sessions", **cookie)
    for method, body in (("PATCH", {"role": "readonly"}), ("DELETE", None)):
        path = f"/account/api/v1/organizations/{world.brand}/members/{member['user_id']}"
        own = await world.client.request(method, path, json=body, headers={**HERE, **cookie})
        assert own.status_code == 422
        assert {entry["type"] for entry in own.json()["details"]} == {"own_membership"}
    assert (await face.people("sign out", session_id=session["id"])).ok
    assert await reached(world, cookie, 401)
    assert (await face.people("sign out", session_id=session["id"])).code == "not_found"

    cookie = cookie_of(await accepted(world, (await face.people("invite", email=BOB)).facts["link"]))
    assert [each["role"] for each in await listed(world, "members")] == ["readonly"]
    pending = (await face.people("invite", email=BOB)).facts["link"]
    assert (await face.people("dismiss", user_id=member["user_id"])).ok
    assert await reached(world, cookie, 401)
    assert (await opened(world, pending)).status_code == 410
    assert await listed(world, "members") == await listed(world, "sessions") == await listed(world, "invitations") == []
    assert (await face.people("dismiss", user_id=member["user_id"])).code == "not_found"


async def reached(world: World, cookie: dict[str, str], status: int) -> bool:
    # PostgreSQL announces it by a message, which may take a moment to arrive.
    path = f"/account/api/v1/organizations/{world.brand}/members"
    for _ in range(500):
        if (await world.client.get(path, headers=cookie)).status_code == status:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_a_new_invitation_takes_the_place_of_the_old_one(world: World, face: Face) -> None:
    first = (await face.people("invite", email=BOB, role="manager")).facts
    second = (await face.people("invite", email="BOB@example.org", role="readonly")).facts
    assert (await accepted(world, first["link"])).status_code == 410
    assert [each["id"] for each in await listed(world, "invitations")] == [second["id"]]
    assert (await face.people("take back", invitation_id=first["id"])).code == "not_found"
    assert (await face.people("take back", invitation_id=second["id"])).ok
    assert (await accepted(world, second["link"])).status_code == 410
    assert await world.rows(tables.memberships) == await world.rows(tables.sessions) == []


async def test_of_many_who_accept_at_once_one_is_signed_in(world: World, face: Face) -> None:
    link = (await face.people("invite", email=BOB)).facts["link"]
    answers = await asyncio.gather(*(accepted(world, link) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [303] + [410] * 7
    assert len(await world.rows(tables.sessions)) == len(await world.rows(tables.memberships)) == 1


async def test_an_invitation_leads_into_its_organisation_only(world: World, face: Face) -> None:
    """Whoever invites the address of somebody else's manager does not become that manager."""
    await set_member(world.database, "rival", BOB, Role.MANAGER)
    cookie = cookie_of(await accepted(world, (await face.people("invite", email=BOB, role="manager")).facts["link"]))
    assert (await world.client.get("/account/api/v1/whoami", headers=cookie)).json()["organizations"] == [
        {"id": world.brand, "name": "Brand"}
    ]
    path = f"/account/api/v1/organizations/{world.rival}/members"
    assert (await world.client.get(path, headers=cookie)).status_code == 404


async def test_expired_unknown_and_broken_links_are_refused(world: World) -> None:
    now = datetime.now(UTC)
    expired = Invitation(catalogue_id("invitation", "x"), world.brand, BOB, Role.MANAGER, NOON, now - timedelta(1))
    async with world.database.write() as transaction:
        await invitations.add(transaction, expired, "d" * 64)
    assert await listed(world, "invitations") == []
    for token in ("", "x", "é" * 5000, "a&b=c", "\0", "&" * 40):
        link = f"/invitation?token={token}"
        assert (await world.client.get("/invitation", params={"token": token})).status_code == 410
        assert (await accepted(world, link)).status_code == 410
    assert (await world.client.get("/invitation")).status_code == 410
    assert (await world.client.post("/invitation", content=b"&" * 4000, headers=HERE)).status_code == 410
    assert await world.rows(tables.memberships) == []


async def test_another_site_accepts_nothing(world: World, face: Face) -> None:
    link = (await face.people("invite", email=BOB)).facts["link"]
    for headers in ({"Origin": "https://elsewhere.test"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await accepted(world, link, **headers)).status_code == 403
    assert await world.rows(tables.memberships) == []


async def test_an_organisation_has_no_more_people_than_it_may(world: World, face: Face) -> None:
    async with world.database.write() as transaction:
        for number in range(MAX_PEOPLE - 2):
            later = NOON.replace(year=2099)
            email = f"{number}@example.org"
            invitation = Invitation(catalogue_id("invitation", email), world.brand, email, Role.READONLY, NOON, later)
            await transaction.insert(
                tables.invitations,
                {**{name: getattr(invitation, name) for name in invitation.__struct_fields__}, "digest": email},
            )
    made = await asyncio.gather(*(face.people("invite", email=f"new{number}@example.org") for number in range(4)))
    refused = [outcome for outcome in made if not outcome.ok]
    assert [outcome.code for outcome in refused] == ["validation_error"] * 2
    assert {kind for outcome in refused for _, kind, _ in outcome.violations()} == {"too_many_people"}
    assert (await face.people("invite", "rival", email=BOB, organization_id=world.rival)).ok


async def test_sessions_of_keys_are_seen_and_ended_too(world: World, face: Face) -> None:
    signed = await world.client.post("/sign-in", data={"api_key": world.keys["editor"]}, headers=HERE)
    world.client.cookies.clear()
    cookie = cookie_of(signed)
    (session,) = await listed(world, "sessions")
    assert (session["email"], session["api_key_id"]) == (None, world.key_ids["editor"])
    assert (await face.people("sign out", "rival", session_id=session["id"], organization_id=world.rival)).code == (
        "not_found"
    )
    assert (await face.people("sign out", session_id=session["id"])).ok
    assert await reached(world, cookie, 401)


async def test_names_are_shown_as_they_are_and_not_as_markup(world: World, face: Face) -> None:
    async with world.database.write() as transaction:
        await transaction.execute(tables.organizations.update().values(name="<b>Brand</b> & Co"))
    link = (await face.people("invite", email="o'bob&co@example.org")).facts["link"]
    page = (await opened(world, link)).text
    assert "Join &lt;b&gt;Brand&lt;/b&gt; &amp; Co" in page
    assert "o&#x27;bob&amp;co@example.org" in page
    assert "<b>" not in page
