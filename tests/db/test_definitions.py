"""Definitions in memory are those of the database, whoever changed it, and are read again only then."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete, update

from db import definitions
from db.assignments import certifications, claims
from db.engine.database import Database
from db.engine.opening import open_database
from db.sql import tables
from db.sql.reads import Read
from domain.gtin import Gtin
from domain.short_id import catalogue_id
from tests.world import BODY, GTIN, NON_GMO, USDA_ORGANIC, VEGAN, World

PRODUCT = Gtin(GTIN)


class Counted:
    """A database that notes what is read."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads: list[Read[Any]] = []
        fetch = database.fetch

        async def noted(read: Read[Any], found: Any = None, /, **values: Any) -> list[Any]:
            self.reads.append(read)
            return await fetch(read, found, **values)

        monkeypatch.setattr(database, "fetch", noted)

    def take(self) -> list[Read[Any]]:
        """What was read since the last time."""
        taken, self.reads = self.reads, []
        return taken


async def heard(database: Database) -> None:
    """PostgreSQL's notifications arrive by themselves, a moment after the commit; until then it is asked each time."""
    for _ in range(200):
        if database.epoch() == database.epoch():
            return
        await asyncio.sleep(0.01)


async def test_they_are_read_once_and_then_only_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await heard(world.database)
    first = await definitions.current(world.database)
    counted = Counted(world.database, monkeypatch)
    assert await definitions.current(world.database) is first
    assert counted.take() == []
    await world.add_product("00000000000017", world.brand)
    assert await definitions.current(world.database) is first
    assert set(counted.take()) <= {definitions.CHANGES}


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_every_change_is_seen_at_once(world: World, database_url: str, *, elsewhere: bool) -> None:
    await definitions.current(world.database)
    writer = await open_database(database_url) if elsewhere else world.database
    try:
        async with writer.write() as transaction:
            await transaction.execute(update(tables.certification_bodies).values(name="Another name"))
        await _arrives(world.database, "Another name")
        async with writer.write() as transaction:
            await transaction.execute(update(tables.claims).filter_by(id=VEGAN).values(label="Plant based"))
            await transaction.execute(delete(tables.claims).filter_by(id=NON_GMO))
        for _ in range(200):
            if await claims.find(world.database, NON_GMO) is None:
                break
            await asyncio.sleep(0.01)
        assert await claims.find(world.database, NON_GMO) is None
        assert [claim.label for claim in await claims.every(world.database)] == ["Plant based"]
    finally:
        if elsewhere:
            await writer.close()


async def _arrives(database: Database, name: str) -> None:
    """Across processes PostgreSQL tells within milliseconds; SQLite has nothing to tell, it is looked at."""
    for _ in range(200):
        body = await definitions.bodies.find(database, BODY)
        certification = await certifications.find(database, USDA_ORGANIC, [])
        assert body is not None
        assert certification is not None
        assert certification.body is body
        if body.name == name:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{name} never arrived")


async def test_an_assignment_of_a_definition_that_came_meanwhile_is_read(world: World) -> None:
    await heard(world.database)
    known = await definitions.current(world.database)
    new = catalogue_id("claim", "NEW")
    async with world.database.write() as transaction:
        await transaction.insert(
            tables.claims,
            {
                "id": new,
                "code": "NEW",
                "label": "New",
                "category": "OTHER",
                "requires_definition": False,
                "description": "",
            },
        )
    assert new not in known.claims
    tries = []

    async def read(found: definitions.Definitions) -> str:
        tries.append(found)
        # The first time with what was known before.
        return (known if len(tries) == 1 else found).claims[new].label

    assert await definitions.with_definitions(world.database, read) == "New"
    assert len(tries) == 2


async def test_their_order_is_by_label_and_id(world: World) -> None:
    found = await definitions.current(world.database)
    certified = [*found.certifications.values()]
    assert certified == sorted(certified, key=lambda item: (item.label, item.id))
    assert [found.ranks[item.id] for item in certified] == [*range(len(certified))]
    assert [claim.label for claim in found.claims.values()] == ["Non-GMO", "Vegan"]


async def test_what_was_rolled_back_was_never_there(world: World) -> None:
    before = await definitions.current(world.database)
    with pytest.raises(RuntimeError, match="undone"):
        await _rename_and_fail(world)
    assert await definitions.current(world.database) == before


async def _rename_and_fail(world: World) -> None:
    async with world.database.write() as transaction:
        await transaction.execute(update(tables.claims).values(label="Undone"))
        raise RuntimeError("undone")
