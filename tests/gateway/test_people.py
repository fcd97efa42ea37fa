"""People who are signed in: for one membership, with its rights, and as long as it lasts."""

import asyncio
from typing import Any

import httpx2
import pytest

from db.sql import tables
from domain.errors import NotFound
from domain.vocabulary import KeyKind, Role
from resolvers.keys import remove_member, set_member
from resolvers.sessions import create_members_link
from tests.gateway.test_sessions import HERE, secret_of
from tests.operations.mutations import send
from tests.world import GTIN, NON_GMO, OTHERS_GTIN, OTHERS_PRIVATE, PRIVATE, World

ANN = "ann@example.org"


async def signed_in(world: World, organization: str = "brand", role: Role = Role.EDITOR, email: str = ANN) -> str:
    """The cookie of a member who has opened a link."""
    await set_member(world.database, organization, email, role)
    token = await create_members_link(world.database, organization, email.upper())
    response = await world.client.post("/sign-in", data={"token": token}, headers={"Origin": "http://certgate.test"})
    world.client.cookies.clear()
    assert (response.status_code, response.headers["location"]) == (303, "/app")
    return secret_of(response)


async def ask(world: World, cookie: str, method: str, path: str, **more: Any) -> httpx2.Response:
    return await world.client.request(method, path, headers={**HERE, "Cookie": f"sessionid={cookie}"}, **more)


async def claim(world: World, cookie: str, gtin: str = GTIN) -> int:
    path = f"/certifications/api/v1/products/{gtin}/claims"
    return (await ask(world, cookie, "POST", path, json={"claim_id": NON_GMO})).status_code


@pytest.mark.parametrize(("role", "expected"), [(Role.MANAGER, 201), (Role.EDITOR, 201), (Role.READONLY, 403)])
async def test_a_member_has_the_rights_of_the_membership(world: World, role: Role, expected: int) -> None:
    cookie = await signed_in(world, role=role)
    assert await claim(world, cookie) == expected
    assert await claim(world, cookie, OTHERS_GTIN) == 403
    keys = await ask(world, cookie, "GET", f"/account/api/v1/organizations/{world.brand}/api-keys")
    assert keys.status_code == (200 if role is Role.MANAGER else 403)
    query = "{ viewer { role kind organization { slug } organizations { slug } user { email } apiKey { id } } }"
    answer = await ask(world, cookie, "POST", "/graphql", json={"query": query})
    assert answer.json()["data"]["viewer"] == {
        "role": role.name,
        "kind": "USER",
        "organization": {"slug": "brand"},
        "organizations": [{"slug": "brand"}],
        "user": {"email": ANN},
        "apiKey": None,
    }
    page = await ask(world, cookie, "GET", "/sign-in")
    assert f"<strong>Brand</strong> ({role})" in page.text


async def test_a_link_of_one_organisation_opens_no_other(world: World) -> None:
    """Whoever hands out links can open them: they must not lead into what the person has elsewhere."""
    await set_member(world.database, "rival", ANN, Role.MANAGER)
    cookie = await signed_in(world, role=Role.MANAGER)
    who = (await ask(world, cookie, "GET", "/account/api/v1/whoami")).json()
    assert [each["name"] for each in who["organizations"]] == ["Brand"]
    assert await claim(world, cookie, OTHERS_GTIN) == 403
    for id, expected in ((PRIVATE, 200), (OTHERS_PRIVATE, 404)):
        found = await ask(world, cookie, "GET", f"/certifications/api/v1/certifications/{id}")
        assert found.status_code == expected
    path = "/account/api/v1/organizations/{}/api-keys"
    assert (await ask(world, cookie, "GET", path.format(world.rival))).status_code == 404
    # Such a key would act in all organisations of the person.
    made = await ask(world, cookie, "POST", path.format(world.brand), json={"name": "mine", "kind": "csu"})
    assert made.status_code == 422
    assert {entry["type"] for entry in made.json()["details"]} == {"user_of_kind"}
    made = await ask(world, cookie, "POST", path.format(world.brand), json={"name": "mine"})
    assert made.status_code == 200


async def test_the_session_and_the_links_end_with_the_membership(world: World) -> None:
    cookie = await signed_in(world)
    unused = await create_members_link(world.database, "brand", ANN)
    elsewhere = await signed_in(world, "rival")
    await remove_member(world.database, "brand", ANN)
    assert await gone(world, cookie)
    assert (await world.client.get("/sign-in", params={"token": unused})).status_code == 410
    assert (await ask(world, elsewhere, "GET", "/account/api/v1/whoami")).status_code == 200
    assert len(await world.rows(tables.sessions)) == 1


async def gone(world: World, cookie: str) -> bool:
    # PostgreSQL announces it by a message, which may take a moment to arrive.
    for _ in range(500):
        if (await ask(world, cookie, "GET", "/account/api/v1/whoami")).status_code == 401:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_another_role_holds_at_once(world: World) -> None:
    cookie = await signed_in(world, role=Role.READONLY)
    assert await claim(world, cookie) == 403
    await set_member(world.database, "brand", ANN, Role.EDITOR)
    for _ in range(500):
        if await claim(world, cookie) in (201, 409):
            break
        await asyncio.sleep(0.01)
    assert len(await world.rows(tables.claim_assignments)) == 1


async def test_the_same_person_elsewhere_is_another_caller(world: World) -> None:
    """What was answered under an idempotency key in one organisation is not told in another."""
    first, second = await signed_in(world, role=Role.MANAGER), await signed_in(world, "rival", Role.MANAGER)
    answers = []
    for cookie in (first, second):
        headers = {**HERE, "Cookie": f"sessionid={cookie}", "Idempotency-Key": "one"}
        body = {"gtin": "00614141107346", "product_name": "Rye"}
        answers.append(await world.client.post("/products/api/v1/products", json=body, headers=headers))
    assert [answer.status_code for answer in answers] == [201, 409]


async def test_a_member_signed_in_is_counted_apart_from_others(world: World) -> None:
    cookie = await signed_in(world)
    before = (await ask(world, cookie, "GET", "/account/api/v1/whoami")).headers["x-ratelimit-remaining"]
    await send(world, "createProduct", {"input": {"gtin": "1"}})
    after = (await ask(world, cookie, "GET", "/account/api/v1/whoami")).headers["x-ratelimit-remaining"]
    assert int(after) == int(before) - 1


async def test_a_link_is_for_members(world: World) -> None:
    await set_member(world.database, "rival", ANN, Role.MANAGER)
    for organization, email in (("brand", ANN), ("nobody", ANN), ("rival", "bob@example.org")):
        with pytest.raises(NotFound):
            await create_members_link(world.database, organization, email)


async def test_a_csu_key_signs_in_to_all_organisations_of_its_user(world: World) -> None:
    await set_member(world.database, "brand", ANN, Role.EDITOR)
    await set_member(world.database, "rival", ANN, Role.EDITOR)
    await world.add_key("ann", "brand", Role.EDITOR, KeyKind.USER, user=ANN)
    response = await world.client.post("/sign-in", data={"api_key": world.keys["ann"]}, headers=HERE)
    world.client.cookies.clear()
    who = (await ask(world, secret_of(response), "GET", "/account/api/v1/whoami")).json()
    assert [each["name"] for each in who["organizations"]] == ["Brand", "Rival"]


async def test_a_member_who_only_reads_is_told_of_the_role_on_both_faces(world: World) -> None:
    cookie = await signed_in(world, role=Role.READONLY)
    path = f"/certifications/api/v1/products/{GTIN}/claims"
    rest = await ask(world, cookie, "POST", path, json={"claim_id": NON_GMO})
    query = (
        f'mutation {{ assignClaim(input: {{gtin: "{GTIN}", claimId: "{NON_GMO}"}}) {{ ... on Problem {{ detail }} }} }}'
    )
    answer = await ask(world, cookie, "POST", "/graphql", json={"query": query})
    told = "You are signed in as readonly, which may not write; ask a manager of the organisation for the role editor."
    assert (rest.status_code, rest.json()["detail"]) == (403, told)
    assert answer.json()["data"]["assignClaim"] == {"detail": told}
