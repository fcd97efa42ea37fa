"""What is noted of the statements of a request, on both databases."""

import asyncio

import pytest

from db.engine.noting import MOST, Notes, notes
from db.products import find
from db.sql import tables
from domain.gtin import Gtin
from tests.world import GTIN, NOON, OTHERS_GTIN, World


def noting() -> Notes:
    """Where the statements of this test are noted from here on."""
    noted = Notes()
    notes.set(noted)
    return noted


def begun(noted: Notes) -> list[str]:
    """The first word of each statement."""
    assert noted.count == len(noted.statements)
    assert all(statement.began <= statement.ended for statement in noted.statements)
    return [statement.statement.sql.split()[0] for statement in noted.statements]


async def test_reads_and_writes_are_noted_with_their_commit(world: World) -> None:
    noted = noting()
    await find(world.database, Gtin(GTIN), [])
    await asyncio.gather(*(find(world.database, Gtin(gtin), []) for gtin in (GTIN, OTHERS_GTIN)))
    assert begun(noted) == ["SELECT"] * 3
    async with world.database.write() as transaction:
        await transaction.insert(tables.organizations, {"id": "x", "slug": "x", "name": "X", "created_at": NOON})
        await transaction.execute(tables.organizations.delete().where(tables.organizations.c.slug == "x"))
    assert begun(noted)[3:] == ["INSERT", "DELETE", "COMMIT"]
    assert 0 < noted.seconds(noted.statements[-1].ended) < 60


async def test_what_failed_has_no_end_and_lasts_until_the_request_ends(world: World) -> None:
    noted = noting()
    row = {"id": world.brand, "slug": "twice", "name": "X", "created_at": NOON}
    with pytest.raises(Exception, match=r"(?i)unique"):
        async with world.database.write() as transaction:
            await transaction.insert(tables.organizations, row)
    (failed, *_) = noted.statements
    assert failed.ended == 0
    assert noted.seconds(failed.began + 5) >= 5


async def test_many_are_counted_and_the_first_are_kept_and_none_behind_the_answer(world: World) -> None:
    noted = noting()
    for _ in range(MOST + 1):
        await find(world.database, Gtin(GTIN), [])
    assert (noted.count, len(noted.statements)) == (MOST + 1, MOST)
    noted.closed = True
    await find(world.database, Gtin(GTIN), [])
    assert noted.count == MOST + 1
