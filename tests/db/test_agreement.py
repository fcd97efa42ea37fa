"""Whether the tables are as the log tells: whatever was done past it is found, and named."""

from typing import Any

import pytest
from sqlalchemy import Insert, Table, Update, delete, insert, null, select, update

from db import agreement
from db.agreement import Differing
from db.sealing import Sealer, verify
from db.sql import tables
from db.sql.reads import Read
from db.sql.tables import changes, sealed
from domain.vocabulary import ObjectKind, Role
from resolvers import keys
from tests.log import by_hand, log
from tests.operations.mutations import prepare, run
from tests.world import GTIN, USDA_ORGANIC, VEGAN, World

CHANGED: dict[str, dict[str, Any]] = {
    "products": {"name": "Another"},
    "certification_assignments": {"scope": "Another"},
    "claim_assignments": {"evidence_note": "Another"},
    "certification_bodies": {"country": "DE"},
    "certifications": {"label": "Another"},
    "claims": {"label": "Another"},
    "organizations": {"name": "Another"},
    "certification_acknowledgements": {"reason": "Another"},
    "claim_acknowledgements": {"reason": "Another"},
    "views": {"where": "[]"},
    "webhooks": {"description": "Another"},
    "public_proofs": {"is_enabled": False},
    "memberships": {"role": Role.MANAGER},
    "api_keys": {"role": Role.MANAGER},
}
"""A member of each table that the log tells of."""


async def found(world: World, *, sealing: bool = True) -> Differing:
    """What differs, as long as the log is whole."""
    if sealing:
        await Sealer(world.database).seal()
    answer = await verify(world.database)
    assert answer.broken is None
    assert answer.differing is not None
    return answer.differing


async def whole(world: World) -> None:
    """Makes something of every kind, and all is as the log tells."""
    await prepare(world)
    await run(world, "setPublicProof", {"isEnabled": True})
    await keys.change_graphql_limits(world.database, world.key_ids["editor"], {"max_depth": 5})
    assert (await verify(world.database)).is_whole
    assert {row.kind for row in await log(world)} == {*ObjectKind}


def test_every_kind_is_looked_at() -> None:
    assert {kept.kind for kept in agreement.KEPT} == {*ObjectKind}
    assert {kept.table.name for kept in agreement.KEPT} == {*CHANGED}


@pytest.mark.parametrize("sealing", [True, False], ids=["sealed", "waiting"])
async def test_what_was_changed_past_the_log_is_named(world: World, database_url: str, sealing: bool) -> None:
    await whole(world)
    for name, values in CHANGED.items():
        table = tables.metadata.tables[name]
        (member,) = values
        before = await world.database.fetch(Read(select(table.c[member], *table.primary_key), tuple))
        await by_hand(database_url, update(table).values(values))
        differing = await found(world, sealing=sealing)
        assert (name, differing.member, differing.why) == (name, member, f"the table has another {member}")
        assert differing.kind in {kept.kind for kept in agreement.KEPT if kept.table is table}
        await by_hand(database_url, *(put_back(table, row, member) for row in before))
    assert (await verify(world.database)).is_whole


def put_back(table: Table, row: tuple[Any, ...], member: str) -> Update:
    """The member of that row as it was."""
    value, *key = row
    same = [column == part for column, part in zip(table.primary_key, key, strict=True)]
    return update(table).where(*same).values({member: value})


async def test_what_was_removed_past_the_log_is_named(world: World, database_url: str) -> None:
    await whole(world)
    for name in CHANGED:
        table = tables.metadata.tables[name]
        before = await inserts(world, table)
        await by_hand(database_url, delete(table))
        differing = await found(world)
        assert (name, differing.member, differing.why) == (name, "", "it is not in the table any more")
        await by_hand(database_url, *before)
        assert (name, (await verify(world.database)).differing) == (name, None)


async def inserts(world: World, table: Table) -> list[Insert]:
    """What puts all rows of the table back."""
    stored = [column for column in table.c if column.computed is None and column.name != "xid"]
    rows = await world.database.fetch(Read(select(*stored).order_by(*table.primary_key), tuple))
    names = [str(column.key) for column in stored]
    # None would be JSON's null where a column has JSON.
    parts = [[null() if part is None else part for part in row] for row in rows]
    return [insert(table).values(dict(zip(names, row, strict=True))) for row in parts]


async def test_what_the_log_never_told_of_is_named(world: World, database_url: str) -> None:
    await whole(world)
    for name in CHANGED:
        table = tables.metadata.tables[name]
        kinds = [kept.kind for kept in agreement.KEPT if kept.table is table]
        before = await inserts(world, changes)
        gone = [row.seq for row in await log(world) if row.kind in kinds]
        await by_hand(database_url, delete(changes).where(changes.c.seq.in_(gone)), delete(sealed))
        differing = await found(world)
        why = "it is in the table, and the log never told of it"
        assert (name, differing.kind in kinds, differing.why) == (name, True, why)
        await by_hand(database_url, delete(changes), delete(sealed), *before)
        assert (name, (await verify(world.database)).differing) == (name, None)


async def test_limits_of_a_key_that_were_changed_are_named(world: World, database_url: str) -> None:
    await whole(world)
    table = tables.api_keys
    for limits in ({"max_depth": 99}, None):
        await by_hand(
            database_url,
            update(table).where(table.c.id == world.key_ids["editor"]).values(graphql_limits=limits),
        )
        assert (await found(world)).kind == "graphql_limits"


async def test_what_went_with_something_else_is_as_told(world: World) -> None:
    await whole(world)
    await keys.create_key(world.database, "brand", Role.EDITOR, id=world.key_ids["editor"])
    await run(world, "removeClaim", {"gtin": "00012345678943", "claimId": VEGAN})
    assert (await verify(world.database)).is_whole


async def test_a_log_whose_end_was_taken_out_is_found_out_by_the_tables(world: World, database_url: str) -> None:
    await whole(world)
    input = {"gtin": GTIN, "certificationId": USDA_ORGANIC}
    await run(world, "patchCertificationAssignment", {**input, "scope": "Crop"})
    await Sealer(world.database).seal()
    last = (await log(world))[-1]
    await by_hand(database_url, *(delete(table).where(table.c.seq == last.seq) for table in (changes, sealed)))
    assert await found(world) == (
        "certification_assignment",
        last.object_id,
        GTIN,
        "scope",
        "the table has another scope",
        world.brand,
    )
    await run(world, "removeCertification", input)
    last = (await log(world))[-1]
    await by_hand(database_url, delete(changes).where(changes.c.seq == last.seq))
    assert (await found(world)).why == "it is not in the table any more"
