"""Reads by key at the same time share statements on PostgreSQL, and nobody notices but the server."""

import asyncio
import gc
import traceback
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import cast, func, select, update
from sqlalchemy.types import Integer

from db import definitions, products
from db.assignments import certifications, claims
from db.engine.gathering import _MOST, _TURNS
from db.engine.opening import open_database
from db.engine.postgresql import PostgresqlDatabase
from db.sql import tables
from db.sql.reads import KeyedRead
from domain.errors import Busy
from domain.gtin import Gtin
from tests.lent import heard, lent
from tests.world import FAIR_TRADE, GTIN, OTHERS_GTIN, OTHERS_PRIVATE, PRIVATE, USDA_ORGANIC, World

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

NOBODYS_GTIN = Gtin("40063813339314")
GTINS = [Gtin(f"{number:014d}") for number in range(10, 30)]
BY_GTIN = KeyedRead(select(tables.products.c.gtin, tables.products.c.name), tables.products.c.gtin, tuple)
HELD = KeyedRead(
    select(tables.products.c.gtin, tables.products.c.name, func.pg_advisory_xact_lock_shared(7)),
    tables.products.c.gtin,
    lambda row: tuple(row[:2]),
)
"""Looks at the products, and answers when nobody holds that lock."""
HELD_UP = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def postgresql(world: World) -> PostgresqlDatabase:
    assert isinstance(world.database, PostgresqlDatabase)
    return world.database


@pytest.fixture
async def shelf(world: World) -> World:
    """Twenty products more; definitions are at hand from now on."""
    assert isinstance(world.database, PostgresqlDatabase)
    await definitions.current(world.database)
    assert await world.database.hears()
    await definitions.current(world.database)
    for gtin in GTINS:
        await world.add_product(gtin, world.brand, f"Product {gtin}")
    return world


@asynccontextmanager
async def keys_sent(database: PostgresqlDatabase, table: str = "products") -> AsyncIterator[list[Any]]:
    """For each statement about the table that was sent in the block, its key or its keys; those with one key first."""
    sent: list[Any] = []

    def note(record: Any) -> None:
        if f"FROM {table}" in record.query:
            sent.append(record.args[0])

    async with heard(database._readers, note):
        yield sent
    # Which of two at the same time is noted first, is chance.
    sent.sort(key=str)


class Hold:
    """Holds up every `HELD`."""

    def __init__(self, database: PostgresqlDatabase) -> None:
        self._database = database

    async def begin(self) -> None:
        self._connection = await asyncpg.connect(self._database._dsn)
        await self._connection.execute("SELECT pg_advisory_lock(7)")

    async def end(self) -> None:
        """Lets them answer."""
        await self._connection.close()

    async def until(self, number: int) -> None:
        """Returns as soon as so many statements are held up."""
        for _ in range(1000):
            if len(await self.held_up()) == number:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it never came to pass")

    async def held_up(self) -> list[int]:
        return [row[0] for row in await self._connection.fetch(HELD_UP)]

    async def each(self, do: str) -> None:
        """Has the server do something to every process that is held up."""
        for pid in await self.held_up():
            await self._connection.execute(f"SELECT {do}({pid})")


@pytest.fixture
async def hold(postgresql: PostgresqlDatabase) -> AsyncIterator[Hold]:
    made = Hold(postgresql)
    await made.begin()
    yield made
    await made.end()


def asking(database: PostgresqlDatabase, read: KeyedRead[Any], *lists: Sequence[str]) -> list[asyncio.Task[list[Any]]]:
    return [asyncio.create_task(database.fetch(read, keys=keys)) for keys in lists]


async def sharing(
    database: PostgresqlDatabase, hold: Hold, *lists: Sequence[str]
) -> tuple[asyncio.Task[list[Any]], list[asyncio.Task[list[Any]]]]:
    """One that asks alone, and those who share the statement behind it, both held up."""
    first, *others = asking(database, HELD, [GTIN], *lists)
    await hold.until(2)
    return first, others


async def test_who_comes_while_another_is_under_way_shares_one_statement(
    shelf: World, postgresql: PostgresqlDatabase
) -> None:
    async with keys_sent(postgresql) as sent:
        found = await asyncio.gather(*(products.find(postgresql, gtin, [shelf.brand]) for gtin in GTINS))
    assert [product and product.name for product in found] == [f"Product {gtin}" for gtin in GTINS]
    assert sent == [GTINS[0], GTINS[1:]]


async def test_after_a_crowd_the_first_waits_for_others_for_some_turns(
    shelf: World, postgresql: PostgresqlDatabase
) -> None:
    await asyncio.gather(*asking(postgresql, BY_GTIN, *([gtin] for gtin in GTINS)))
    for alone, statements in ((_TURNS - 1, [GTINS[:2]]), (_TURNS, GTINS[:2])):
        for _ in range(alone):
            await postgresql.fetch(BY_GTIN, keys=[GTIN])
        async with keys_sent(postgresql) as sent:
            await asyncio.gather(*asking(postgresql, BY_GTIN, [GTINS[0]], [GTINS[1]]))
        assert sent == statements


async def test_everybody_gets_the_rows_of_its_own_keys_in_their_order(
    shelf: World, postgresql: PostgresqlDatabase
) -> None:
    lists = [
        [GTINS[2], GTINS[1], GTINS[2]],
        [GTINS[1]],
        [],
        [NOBODYS_GTIN],
        [GTINS[3], NOBODYS_GTIN, GTINS[1]],
        [GTINS[1]],
    ]
    async with keys_sent(postgresql) as sent:
        _, *found = await asyncio.gather(*asking(postgresql, BY_GTIN, [GTIN], *lists))
    assert [[row[0] for row in rows] for rows in found] == [
        [GTINS[2], GTINS[1]],
        [GTINS[1]],
        [],
        [],
        [GTINS[3], GTINS[1]],
        [GTINS[1]],
    ]
    assert sent == [GTIN, [GTINS[2], GTINS[1], NOBODYS_GTIN, GTINS[3]]]
    # Nobody's list is another's.
    assert len({id(rows) for rows in found}) == len(found)


async def test_rows_are_shared_and_records_and_what_may_be_seen_of_them_are_not(
    shelf: World, postgresql: PostgresqlDatabase
) -> None:
    for held in (FAIR_TRADE, PRIVATE, OTHERS_PRIVATE):
        await shelf.add_certification(GTIN, held)
    await shelf.add_certification(OTHERS_GTIN, OTHERS_PRIVATE)
    own, others = [PRIVATE, FAIR_TRADE, USDA_ORGANIC], [FAIR_TRADE, OTHERS_PRIVATE, USDA_ORGANIC]
    cases = [
        ([GTIN], shelf.brand, own),
        ([GTIN], shelf.rival, others),
        ([OTHERS_GTIN], shelf.brand, []),
        ([OTHERS_GTIN], shelf.rival, [OTHERS_PRIVATE]),
        ([OTHERS_GTIN, GTIN], shelf.brand, own),
    ] * 3
    async with keys_sent(postgresql, "certification_assignments") as sent:
        found = await asyncio.gather(
            *(
                certifications.of_products(postgresql, [Gtin(gtin) for gtin in gtins], [organization])
                for gtins, organization, _ in cases
            )
        )
    assert len(sent) == 2
    assert [[item.certification.id for item in items] for items in found] == [expected for *_, expected in cases]
    items = [item for items in found for item in items]
    assert len({id(item) for item in items}) == len(items)


async def test_reads_of_other_members_are_other_statements(shelf: World, postgresql: PostgresqlDatabase) -> None:
    wanted = [frozenset({"name"}), frozenset({"brand"}), None] * 5
    async with keys_sent(postgresql) as sent:
        found = await asyncio.gather(
            *(
                postgresql.fetch(products.BY_GTIN.narrowed(names), None, [shelf.brand], keys=[gtin])
                for gtin, names in zip(GTINS, wanted, strict=False)
            )
        )
    assert len(sent) == 6
    for gtin, names, (product,) in zip(GTINS, wanted, found, strict=False):
        assert product.gtin == gtin
        assert product.name == (None if names and "name" not in names else f"Product {gtin}")
        assert product.brand == (None if names and "brand" not in names else "Acme")
        assert product.metadata == (None if names else {})


async def test_what_is_shared_is_bounded(shelf: World, postgresql: PostgresqlDatabase) -> None:
    many = [f"{number:014d}" for number in range(1000, 6000)]
    single = [[gtin] for gtin in (*many[:300], *GTINS * 5)]
    async with keys_sent(postgresql) as sent:
        found = await asyncio.gather(*asking(postgresql, BY_GTIN, [GTIN], *single[:150], many, *single[150:]))
    assert [len(rows) for rows in found] == [1] + [0] * 301 + [1] * 100
    lists = [len(keys) for keys in sent if isinstance(keys, list)]
    assert len(lists) == len(sent) - 1
    lists.sort()
    assert lists[-2:] == [_MOST, len(many)]
    assert len(lists) == 6


async def test_what_was_committed_before_one_asks_is_seen(
    world: World, postgresql: PostgresqlDatabase, hold: Hold
) -> None:
    first, others = await sharing(postgresql, hold, [GTIN], [GTIN, OTHERS_GTIN])
    async with postgresql.write() as transaction:
        await transaction.execute(update(tables.products).where(tables.products.c.gtin == GTIN).values(name="New"))
    later = asking(postgresql, HELD, [GTIN], [GTIN])
    await hold.until(3)
    await hold.end()
    assert [(await asked)[0] for asked in (first, *others)] == [(GTIN, "Oat drink")] * 3
    assert [await asked for asked in later] == [[(GTIN, "New")]] * 2


async def test_in_a_transaction_nothing_is_shared(world: World, postgresql: PostgresqlDatabase) -> None:
    async def rename(name: str) -> list[Any]:
        async with postgresql.write() as transaction:
            await transaction.execute(update(tables.products).where(tables.products.c.gtin == GTIN).values(name=name))
            await asyncio.sleep(0)
            return await transaction.fetch(BY_GTIN, keys=[GTIN])

    names = [f"Name {number}" for number in range(5)]
    assert await asyncio.gather(*map(rename, names)) == [[(GTIN, name)] for name in names]


async def test_one_that_is_cancelled_disturbs_nobody(world: World, postgresql: PostgresqlDatabase, hold: Hold) -> None:
    first, (cancelled, *others) = await sharing(postgresql, hold, [GTIN], [OTHERS_GTIN], [GTIN])
    for asked in (first, cancelled):
        asked.cancel()
    await hold.until(1)
    await hold.end()
    found = await asyncio.gather(first, cancelled, *others, return_exceptions=True)
    assert [isinstance(rows, asyncio.CancelledError) for rows in found] == [True, True, False, False]
    assert found[2:] == [[(OTHERS_GTIN, "Soy drink")], [(GTIN, "Oat drink")]]


async def test_when_all_are_cancelled_the_statement_ends(postgresql: PostgresqlDatabase, hold: Hold) -> None:
    first, others = await sharing(postgresql, hold, [GTIN], [OTHERS_GTIN], [GTIN])
    for asked in others[:-1]:
        asked.cancel()
    await asyncio.wait(others[:-1])
    await hold.until(2)
    others[-1].cancel()
    await hold.until(1)
    await hold.end()
    assert await first == [(GTIN, "Oat drink")]
    assert postgresql._gathering(HELD)._under_way == 0


@contextmanager
def nothing_forgotten() -> Iterator[None]:
    """The loop has nothing to complain about, such as an exception that nobody looked at."""
    said: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    yield
    gc.collect()
    assert said == []


@pytest.mark.parametrize("turns", range(6))
async def test_askers_may_be_cancelled_in_any_turn(shelf: World, postgresql: PostgresqlDatabase, turns: int) -> None:
    async def cancel(some: slice) -> None:
        asked = asking(postgresql, BY_GTIN, *([gtin] for gtin in GTINS[:5]))
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in asked[some]:
            task.cancel()
        found = await asyncio.gather(*asked, return_exceptions=True)
        for gtin, rows in zip(GTINS, found, strict=False):
            assert rows == [(gtin, f"Product {gtin}")] or gtin in GTINS[:5][some]
        assert postgresql._gathering(BY_GTIN)._under_way == 0

    with nothing_forgotten():
        for some in (slice(0, 1), slice(1, 2), slice(1, 4), slice(0, 4), slice(2, 5), slice(0, 5)):
            await cancel(some)


async def test_an_error_reaches_everybody(postgresql: PostgresqlDatabase, hold: Hold) -> None:
    async def fail() -> None:
        first, others = await sharing(postgresql, hold, *[[GTIN], [OTHERS_GTIN, GTIN], []] * 10)
        others.pop(0).cancel()
        await hold.each("pg_cancel_backend")
        found = await asyncio.gather(first, *others, return_exceptions=True)
        assert [type(error) for error in found] == [Busy] * 30
        assert len({id(error) for error in found}) == 30
        # What they have in common does not collect everybody's frames.
        for error in found:
            assert isinstance(error, Busy)
            assert error.__cause__ is not None
            assert 0 < len(traceback.extract_tb(error.__cause__.__traceback__)) < 15

    with nothing_forgotten():
        await fail()
    await hold.end()
    assert await postgresql.fetch(HELD, keys=[GTIN]) == [(GTIN, "Oat drink")]


async def test_a_connection_that_is_lost_is_replaced_for_all(
    world: World, postgresql: PostgresqlDatabase, hold: Hold
) -> None:
    first, others = await sharing(postgresql, hold, [GTIN], [OTHERS_GTIN, GTIN], [GTIN])
    lost = await hold.held_up()
    await hold.each("pg_terminate_backend")
    # Asked again, on others.
    for _ in range(1000):
        if len(again := await hold.held_up()) == 2 and not {*again} & {*lost}:
            break
        await asyncio.sleep(0.01)
    await hold.end()
    assert await first == [(GTIN, "Oat drink")]
    assert await asyncio.gather(*others) == [
        [(GTIN, "Oat drink")],
        [(OTHERS_GTIN, "Soy drink"), (GTIN, "Oat drink")],
        [(GTIN, "Oat drink")],
    ]


async def test_a_key_that_the_server_does_not_take_fails_for_its_asker_alone(
    shelf: World, postgresql: PostgresqlDatabase
) -> None:
    async with keys_sent(postgresql) as sent:
        found = await asyncio.gather(
            *asking(postgresql, BY_GTIN, [GTIN], [GTINS[0]], ["\0"], [GTINS[1], GTINS[2]], ["\ud800"]),
            return_exceptions=True,
        )
    assert [len(rows) if isinstance(rows, list) else type(rows) for rows in found] == [
        1,
        1,
        asyncpg.CharacterNotInRepertoireError,
        2,
        asyncpg.DataError,
    ]
    # The first by itself, the others together, and then each by itself.
    assert (len(sent), sum(isinstance(keys, list) for keys in sent)) == (6, 2)


async def test_what_depends_on_a_row_fails_for_its_asker_alone(shelf: World, postgresql: PostgresqlDatabase) -> None:
    inverse = func.div(1, cast(tables.products.c.gtin, Integer) - 10)
    read = KeyedRead(select(tables.products.c.gtin, inverse), tables.products.c.gtin, tuple)
    found = await asyncio.gather(
        *asking(postgresql, read, [GTINS[1]], [GTINS[1]], [GTINS[0]], [GTINS[1]]), return_exceptions=True
    )
    assert [len(rows) if isinstance(rows, list) else type(rows) for rows in found] == [
        1,
        1,
        asyncpg.DivisionByZeroError,
        1,
    ]


async def test_a_database_that_is_closed_answers_those_who_have_asked(world: World, database_url: str) -> None:
    database = await open_database(database_url)
    assert isinstance(database, PostgresqlDatabase)
    asked = asking(database, BY_GTIN, [GTIN], [GTIN], [OTHERS_GTIN])
    await asyncio.sleep(0)
    await database.close()
    assert [len(await task) for task in asked] == [1, 1, 1]


async def test_claims_and_nodes_are_shared_too(shelf: World, postgresql: PostgresqlDatabase) -> None:
    async with keys_sent(postgresql, "claim_assignments") as sent:
        await asyncio.gather(*(claims.of_products(postgresql, [gtin], [shelf.brand]) for gtin in GTINS))
    assert sent == [GTINS[0], GTINS[1:]]
    ids = [product.id for product in await products.find_many(postgresql, GTINS, [shelf.brand])]
    async with keys_sent(postgresql) as sent:
        found = await asyncio.gather(*(products.of_ids(postgresql, [id], [shelf.brand]) for id in ids))
    assert [product.id for (product,) in found] == ids
    assert sent == [ids[0], ids[1:]]


async def test_a_read_after_another_takes_no_second_connection(shelf: World, postgresql: PostgresqlDatabase) -> None:
    async with lent(postgresql._readers) as connection:
        before = connection.get_server_pid()
    async with keys_sent(postgresql) as sent:
        for gtin in GTINS[:5]:
            await products.find(postgresql, gtin, [shelf.brand])
    assert sent == GTINS[:5]
    async with lent(postgresql._readers) as connection:
        assert connection.get_server_pid() == before
