"""Assignments at the same time share statements on PostgreSQL, and each is answered for itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import asyncpg
import pytest
from sqlalchemy import delete

from db import definitions, products
from db.assignments import certifications, claims
from db.engine.opening import open_database
from db.engine.postgresql import PostgresqlDatabase
from db.sql import tables
from domain.commands import AssignCertification, AssignClaim
from domain.gtin import Gtin
from domain.short_id import ShortId, new_short_id
from domain.vocabulary import ClaimSource
from resolvers.certifications import assign_certification
from resolvers.claims import assign_claim
from tests.db.test_postgresql import editor, end_writers
from tests.lent import heard
from tests.world import FAIR_TRADE, NON_GMO, NOON, NOTHING, OTHERS_GTIN, VEGAN, World, told

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

GTINS = [f"{number:014d}" for number in range(10, 30)]
COUNT = len(GTINS)


@pytest.fixture
def postgresql(world: World) -> PostgresqlDatabase:
    assert isinstance(world.database, PostgresqlDatabase)
    return world.database


@pytest.fixture
async def shelf(world: World) -> World:
    """Twenty products more, and nobody claims anything."""
    for gtin in GTINS:
        await world.add_product(gtin, world.brand)
    async with world.database.write() as transaction:
        await transaction.execute(delete(tables.claim_assignments))
    # Definitions are at hand from now on, so that nobody has to wait before its insert.
    assert await world.database.hears()
    await definitions.current(world.database)
    return world


@asynccontextmanager
async def rows_sent(database: PostgresqlDatabase) -> AsyncIterator[list[int]]:
    """For each insert that was sent in the block, of how many rows."""
    sent: list[int] = []

    def note(record: Any) -> None:
        if record.query.startswith("WITH"):
            sent.append(record.args[0].count('"owner"') if "recordset" in record.query else 1)

    async with heard(database._writers, note):
        yield sent


async def claim(world: World, gtin: str, claim_id: str = VEGAN, **members: Any) -> Any:
    """What was assigned, or by what name it was refused."""
    command = AssignClaim.parse({"gtin": gtin, "claim_id": claim_id, **members})
    try:
        return (await assign_claim(editor(world), command)).after
    except Exception as refusal:  # noqa: BLE001 - the tests compare them
        return type(refusal).__name__


async def insert(world: World, gtin: str, claim_id: str = VEGAN, owner: ShortId | None = None) -> bool:
    row: dict[str, Any] = {
        "gtin": gtin,
        "claim_id": claim_id,
        "id": new_short_id(NOON),
        "metadata": {},
        "evidence_note": "",
    }
    row |= {"source": ClaimSource.BRAND_SELF_DECLARED, "evidence_url": "", "valid_from": None}
    row |= {"created_at": NOON, "updated_at": NOON, "version": 1}
    async with world.database.write(single=True) as transaction:
        return await transaction.insert_alone(
            tables.claim_assignments, row, unless=("gtin", "claim_id"), owner=owner or world.brand, entry=told(row)
        )


async def test_who_comes_while_another_is_under_way_shares_one_statement(
    shelf: World, postgresql: PostgresqlDatabase
) -> None:
    async with rows_sent(postgresql) as sent:
        made = await asyncio.gather(*(claim(shelf, gtin, metadata={"of": gtin}) for gtin in GTINS))
    assert sorted(sent) == [1, COUNT - 1]
    assert [item.gtin for item in made] == GTINS
    stored = await claims.of_products(postgresql, [Gtin(gtin) for gtin in GTINS], [shelf.brand])
    assert sorted(stored, key=lambda item: item.gtin) == made
    assert len(await shelf.rows(tables.claim_assignment_metadata)) == COUNT


async def test_those_who_were_answered_together_come_back_in_one_statement(
    shelf: World, postgresql: PostgresqlDatabase
) -> None:
    async def claim_twice(gtin: str, turns: int) -> None:
        await claim(shelf, gtin)
        # Some turns later its client's next request is there.
        for _ in range(turns):
            await asyncio.sleep(0)
        await claim(shelf, gtin, NON_GMO)

    async with rows_sent(postgresql) as sent:
        others = (claim_twice(gtin, turns) for turns, gtin in enumerate(GTINS[1:7]))
        await asyncio.gather(claim(shelf, GTINS[0]), *others)
    assert sorted(sent) == [1, 6, 6]


async def test_every_member_is_stored_as_if_it_came_alone(shelf: World, postgresql: PostgresqlDatabase) -> None:
    filled = {
        "metadata": {"naïve \U0001f33e": 'a "quote", a \\ and a\nline'},
        "valid_from": date.min,
        "expiration_date": date.max,
        "certificate_number": "N'1",
        "verification_status": "verified",
        "scope": "x" * 5000,
        "certificate_countries": ["US", "DE"],
    }

    async def assign(gtin: str, members: dict[str, Any]) -> Any:
        command = AssignCertification.parse({"gtin": gtin, "certification_id": FAIR_TRADE, **members})
        return (await assign_certification(editor(shelf), command)).after

    made = await asyncio.gather(*(assign(gtin, filled if number % 2 else {}) for number, gtin in enumerate(GTINS)))
    stored = await certifications.of_products(postgresql, [Gtin(gtin) for gtin in GTINS], [shelf.brand])
    assert sorted(stored, key=lambda item: item.gtin) == made


async def test_each_is_answered_for_itself(shelf: World) -> None:
    await claim(shelf, GTINS[3])
    asked = [(GTINS[0], VEGAN), (OTHERS_GTIN, VEGAN), ("40063813339314", VEGAN), (GTINS[3], VEGAN)]
    asked += [(GTINS[1], NOTHING), (GTINS[2], NON_GMO), (GTINS[4], VEGAN)]
    outcomes = await asyncio.gather(*(claim(shelf, *one) for one in asked))
    refused = [outcome if isinstance(outcome, str) else outcome.gtin for outcome in outcomes]
    assert refused == [GTINS[0], "Forbidden", "NotFound", "AlreadyAssigned", "NotFound", GTINS[2], GTINS[4]]
    assert len(await shelf.rows(tables.claim_assignments)) == 4


async def test_of_equal_ones_in_a_statement_one_wins_and_the_others_do_not_suffer(shelf: World) -> None:
    asked = [GTINS[0], *GTINS[1:6], *GTINS[1:6], GTINS[6]]
    outcomes = await asyncio.gather(*(claim(shelf, gtin) for gtin in asked))
    assert sum(outcome == "AlreadyAssigned" for outcome in outcomes) == 5
    assert sorted(outcome.gtin for outcome in outcomes if outcome != "AlreadyAssigned") == GTINS[:7]


async def test_what_fails_is_asked_alone(shelf: World, postgresql: PostgresqlDatabase) -> None:
    asked = [(GTINS[0], VEGAN), (GTINS[1], VEGAN), (GTINS[2], NOTHING), (GTINS[3], VEGAN)]
    async with rows_sent(postgresql) as sent:
        outcomes = await asyncio.gather(*(insert(shelf, *one) for one in asked), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [bool, bool, asyncpg.ForeignKeyViolationError, bool]
    assert sorted(sent) == [1, 1, 1, 1, 3]
    assert len(await shelf.rows(tables.claim_assignments)) == 3


async def test_nobody_waits_for_a_product_that_is_locked_for_another(
    shelf: World, postgresql: PostgresqlDatabase
) -> None:
    async with postgresql.write() as transaction:
        await products.lock(transaction, Gtin(GTINS[1]), [shelf.brand])
        tasks = [asyncio.create_task(claim(shelf, gtin)) for gtin in GTINS]
        done, held_up = await asyncio.wait(tasks, timeout=2)
        assert len(done) == COUNT - 1
        assert held_up == {tasks[1]}
    assert [(await task).gtin for task in tasks] == GTINS


async def test_two_processes_with_the_same_rows_do_not_wait_for_each_other_for_ever(
    shelf: World, postgresql: PostgresqlDatabase
) -> None:
    other = await open_database(postgresql._dsn)
    twin = World(shelf.app, other)
    twin.key_ids = shelf.key_ids
    try:
        there = [claim(shelf, gtin) for gtin in GTINS]
        back = [claim(twin, gtin) for gtin in reversed(GTINS)]
        outcomes = await asyncio.gather(*there, *back)
    finally:
        await other.close()
    assert sum(outcome == "AlreadyAssigned" for outcome in outcomes) == COUNT
    assert sum(not isinstance(outcome, str) for outcome in outcomes) == COUNT
    assert len(await shelf.rows(tables.claim_assignments)) == COUNT


async def test_lost_connections_cost_nobody_its_answer(shelf: World, postgresql: PostgresqlDatabase) -> None:
    await asyncio.gather(*(claim(shelf, gtin, NON_GMO) for gtin in GTINS))
    assert await end_writers(postgresql) > 0
    outcomes = await asyncio.gather(*(claim(shelf, gtin) for gtin in GTINS))
    assert [outcome.gtin for outcome in outcomes] == GTINS
    assert len(await shelf.rows(tables.claim_assignments)) == 2 * COUNT


async def test_one_that_is_cancelled_disturbs_nobody(shelf: World) -> None:
    tasks = [asyncio.create_task(claim(shelf, gtin)) for gtin in GTINS]
    for _ in range(3):
        await asyncio.sleep(0)
    tasks[2].cancel()
    outcomes: list[Any] = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[2], asyncio.CancelledError)
    assert [outcome.gtin for outcome in [*outcomes[:2], *outcomes[3:]]] == [*GTINS[:2], *GTINS[3:]]
    assert len(await shelf.rows(tables.claim_assignments)) >= COUNT - 1
