"""Who may do what: every kind of key with every role, on every operation, on one's own product and on another's.

Each cell is a request through the face; what is refused must leave no trace in any table.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from db.sql import tables
from domain.vocabulary import KeyKind, Role
from resolvers.keys import remove_member, set_member
from tests.operations.faces import Face, Outcome, Rest
from tests.world import (
    FAIR_TRADE,
    GTIN,
    NON_GMO,
    NOTHING,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    PRIVATE,
    USDA_ORGANIC,
    VEGAN,
    World,
)

FREE_GTIN = "00614141107346"
OPERATIONS: dict[str, Callable[[Face, str, str], Awaitable[Outcome]]] = {
    "assign a claim": lambda face, gtin, key: face.assign_claim(gtin, VEGAN, key=key),
    "patch a claim": lambda face, gtin, key: face.patch_claim(gtin, NON_GMO, key=key, valid_from="2024-01-01"),
    "remove a claim": lambda face, gtin, key: face.remove_claim(gtin, NON_GMO, key=key),
    "assign a certification": lambda face, gtin, key: face.assign_certification(gtin, FAIR_TRADE, key=key),
    "patch a certification": lambda face, gtin, key: face.patch_certification(
        gtin, USDA_ORGANIC, key=key, scope="Product"
    ),
    "remove a certification": lambda face, gtin, key: face.remove_certification(gtin, USDA_ORGANIC, key=key),
    "patch a product": lambda face, gtin, key: face.patch_product(gtin, key=key, brand="Another"),
    "archive a product": lambda face, gtin, key: face.archive_product(gtin, key=key),
}
READS: dict[str, Callable[[Face, str, str], Awaitable[Outcome]]] = {
    "certifications": lambda face, gtin, key: face.certifications(gtin, key=key),
    "claims": lambda face, gtin, key: face.claims(gtin, key=key),
}

# The role of the key, and of its user in the two organisations; None: no user, or no member there.
CALLERS: dict[str, tuple[KeyKind, Role, Role | None, Role | None]] = {
    **{f"csb {role}": (KeyKind.BUSINESS, role, None, None) for role in Role},
    **{f"cpk {role}": (KeyKind.PUBLISHABLE, role, None, None) for role in Role},
    **{
        f"csu {role}, user {here} here, {there or 'nobody'} there": (KeyKind.USER, role, here, there)
        for role in Role
        for here in Role
        for there in ((None, Role.READONLY, Role.EDITOR) if role is Role.EDITOR else (Role.EDITOR,))
    },
}


def writes(kind: KeyKind, key: Role, member: Role | None, *, home: bool) -> bool:
    """The rule in one place: the key's role allows it, and so does the user's in the owning organisation."""
    if kind is KeyKind.PUBLISHABLE or key is Role.READONLY:
        return False
    if kind is KeyKind.BUSINESS:
        return home
    return member is not None and member is not Role.READONLY


async def everything(world: World) -> dict[str, Any]:
    changing = (tables.products, tables.claim_assignments, tables.certification_assignments, tables.idempotency_keys)
    return {table.name: await world.rows(table) for table in changing}


async def prepare(world: World) -> None:
    for gtin, key in ((GTIN, "manager"), (OTHERS_GTIN, "rival")):
        assert (await Rest(world).assign_claim(gtin, NON_GMO, key=key)).ok
    await world.add_certification(OTHERS_GTIN, USDA_ORGANIC)


async def make_caller(world: World, caller: str) -> None:
    kind, role, here, there = CALLERS[caller]
    user = None
    if here is not None:
        user = "ann@example.org"
        await set_member(world.database, "brand", user, here)
        if there is not None:
            await set_member(world.database, "rival", user, there)
    await world.add_key("asked", "brand", role, kind, user)


# The rules know nothing of the database; what is visible is decided in SQL, below.
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_one_database
@pytest.mark.parametrize("caller", CALLERS)
async def test_every_cell(world: World, face: Face, caller: str) -> None:
    await prepare(world)
    await make_caller(world, caller)
    kind, role, here, there = CALLERS[caller]
    refusals = 0
    before = await everything(world)
    for gtin, member, home in ((GTIN, here, True), (OTHERS_GTIN, there, False)):
        may = writes(kind, role, member, home=home)
        for name, read in READS.items():
            assert (await read(face, gtin, "asked")).ok, (name, gtin)
        for name, operate in OPERATIONS.items():
            if not may:
                outcome = await operate(face, gtin, "asked")
                assert (outcome.status, outcome.code) == (403, "forbidden"), (name, gtin)
                refusals += 1
    assert await everything(world) == before
    for gtin, member, home in ((GTIN, here, True), (OTHERS_GTIN, there, False)):
        if writes(kind, role, member, home=home):
            for name, operate in OPERATIONS.items():
                former = await everything(world)
                outcome = await operate(face, gtin, "asked")
                assert outcome.ok, (name, gtin, outcome.problem)
                assert await everything(world) != former, (name, gtin)
                refusals += 1
    assert refusals == 2 * len(OPERATIONS)


def named(owner: str | None) -> dict[str, str]:
    return {} if owner is None else {"organization_id": owner}


@on_one_database
@pytest.mark.parametrize("caller", CALLERS)
async def test_who_makes_products_and_for_whom(world: World, face: Face, caller: str) -> None:
    await make_caller(world, caller)
    kind, role, here, there = CALLERS[caller]
    before = await everything(world)
    allowed = []
    for owner, member, home in ((None, here, True), (world.rival, there, False)):
        if owner is not None and not isinstance(face, Rest):
            continue  # GraphQL makes products of the organisation that the credential acts for
        if writes(kind, role, member, home=home):
            allowed.append(owner)
            continue
        outcome = await face.create_product(FREE_GTIN, key="asked", **named(owner))
        assert (outcome.status, outcome.code) == (403, "forbidden"), owner
    assert await everything(world) == before
    # The second could not be made, because the GTIN is taken by then.
    for owner in allowed[-1:]:
        assert (await face.create_product(FREE_GTIN, key="asked", **named(owner))).ok
        created = next(row for row in await world.rows(tables.products) if row[0] == FREE_GTIN)
        assert (owner or world.brand) in created


@pytest.mark.parametrize("caller", CALLERS)
async def test_private_definitions_exist_for_their_organisations_alone(world: World, face: Face, caller: str) -> None:
    await make_caller(world, caller)
    await world.add_certification(GTIN, PRIVATE)
    await world.add_certification(OTHERS_GTIN, OTHERS_PRIVATE)
    kind, role, here, there = CALLERS[caller]
    for gtin, id, visible, member, home in (
        # A publishable key shows nothing private to anybody (`test_publishable.py`).
        (GTIN, PRIVATE, kind is not KeyKind.PUBLISHABLE, here, True),
        (OTHERS_GTIN, OTHERS_PRIVATE, there is not None, there, False),
    ):
        assert (await face.definition("certification", id, key="asked")).ok is visible
        held = await face.certifications(gtin, key="asked")
        assert (id in [item["id"] for item in held.facts]) is visible
        if writes(kind, role, member, home=home):
            assert (await face.assign_certification(gtin, id, key="asked")).code == "conflict"
            assert (await face.remove_certification(gtin, id, key="asked")).ok
    # Another's private definition on one's own product is as one that does not exist, on writing too.
    if writes(kind, role, here, home=True):
        for id in (OTHERS_PRIVATE, NOTHING):
            for outcome in (
                await face.assign_certification(GTIN, id, key="asked"),
                await face.patch_certification(GTIN, id, key="asked", scope="x"),
                await face.remove_certification(GTIN, id, key="asked"),
            ):
                assert (outcome.status, outcome.code) == (404, "not_found")
                assert "seal" not in outcome.problem["detail"].lower()


async def test_leaving_an_organisation_takes_its_rights_at_once(world: World, face: Face) -> None:
    for organization in ("brand", "rival"):
        await set_member(world.database, organization, "Ann@Example.org", Role.EDITOR)
    await world.add_key("ann", "brand", Role.MANAGER, KeyKind.USER, "ann@example.org")
    assert (await face.assign_claim(OTHERS_GTIN, VEGAN, key="ann")).ok
    await set_member(world.database, "rival", "ann@example.org", Role.READONLY)
    assert (await face.assign_claim(OTHERS_GTIN, NON_GMO, key="ann")).code == "forbidden"
    assert (await face.definition("certification", OTHERS_PRIVATE, key="ann")).ok
    await remove_member(world.database, "rival", "ann@example.org")
    assert not (await face.definition("certification", OTHERS_PRIVATE, key="ann")).ok
    assert (await face.assign_claim(GTIN, VEGAN, key="ann")).ok
    # Without the organisation that issued it, the key is nobody's.
    await remove_member(world.database, "brand", "ann@example.org")
    answer = await world.client.get("/account/api/v1/whoami", headers={"X-API-Key": world.keys["ann"]})
    assert answer.status_code == 401
