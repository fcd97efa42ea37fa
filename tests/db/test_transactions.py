"""Write transactions: all or nothing, one after another where it matters, and `Busy` instead of waiting for ever."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace
from sqlalchemy import update

import db.engine.group_commit
import db.engine.lender
import db.engine.postgresql
import db.sql.copying
from db import products
from db.assignments import certifications, claims
from db.engine.database import Database
from db.engine.opening import open_database
from db.products import lock, owned
from db.sql import tables
from domain.errors import Busy
from domain.gtin import Gtin
from domain.records import ClaimAssignment
from domain.short_id import catalogue_id, new_short_id
from domain.vocabulary import ClaimSource, KeyKind, Role
from tests.lent import all_lent
from tests.world import GTIN, NOON, NOTHING, USDA_ORGANIC, VEGAN, World

PRODUCT = Gtin(GTIN)
IntegrityError = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)


async def assignment(database: Database, gtin: str = GTIN, note: str = "") -> ClaimAssignment:
    claim = await claims.find(database, VEGAN)
    assert claim is not None
    return ClaimAssignment(
        id=new_short_id(NOON),
        gtin=Gtin(gtin),
        organization_id=catalogue_id("organization", "brand"),
        metadata={},
        source=ClaimSource.BRAND_SELF_DECLARED,
        valid_from=None,
        expiration_date=None,
        evidence_url="",
        evidence_note=note,
        created_at=NOON,
        updated_at=NOON,
        version=1,
        claim=claim,
    )


async def test_an_error_rolls_everything_back(world: World) -> None:
    new = await assignment(world.database)

    async def fail_in_the_middle() -> None:
        async with world.database.write() as transaction:
            await claims.add(transaction, new)
            await transaction.execute(update(tables.products).values(name="changed"))
            assert await claims.lock(transaction, PRODUCT, VEGAN, [world.brand]) == new
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        await fail_in_the_middle()
    assert await claims.of_products(world.database, [PRODUCT], [world.brand]) == []
    assert "changed" not in str(await world.rows(tables.products))


async def test_a_savepoint_undoes_its_own_block_and_no_other(world: World) -> None:
    async def note(text: str) -> None:
        async with transaction.savepoint():
            await transaction.execute(update(tables.products).values(description=tables.products.c.description + text))
            if text.isupper():
                raise ValueError(text)

    async def twice() -> None:
        async with transaction.savepoint():
            await transaction.insert(tables.organizations, {**organization, "id": NOTHING})
            await transaction.insert(tables.organizations, organization)

    organization = {"id": world.brand, "slug": "third", "name": "Third", "created_at": NOON}
    async with world.database.write() as transaction:
        await transaction.execute(update(tables.products).values(description="0"))
        for text in ("A", "b", "C", "D", "e"):
            with suppress(ValueError):
                await note(text)
        # After an error of the database itself the transaction goes on.
        with pytest.raises(IntegrityError):
            await twice()
        await note("f")
    stored = await products.find(world.database, PRODUCT, [world.brand])
    assert stored is not None
    assert stored.description == "0bef"
    assert len(await world.rows(tables.organizations)) == 2


async def test_without_its_end_a_savepoint_is_undone_with_everything(world: World) -> None:
    before = await world.rows(tables.products)

    async def fail_behind_it() -> None:
        async with world.database.write() as transaction:
            async with transaction.savepoint():
                await transaction.execute(update(tables.products).values(name="changed"))
            raise RuntimeError("behind it")

    with pytest.raises(RuntimeError, match="behind it"):
        await fail_behind_it()
    assert await world.rows(tables.products) == before


async def test_a_cancelled_write_leaves_nothing_and_blocks_nobody(world: World) -> None:
    inside = asyncio.Event()

    async def write() -> None:
        async with world.database.write() as transaction:
            await transaction.execute(update(tables.products).values(name="changed"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with world.database.write() as transaction:
        product = await lock(transaction, PRODUCT, [world.brand])
    assert product is not None
    assert product.name == "Oat drink"


async def test_others_see_a_write_once_it_is_committed(world: World) -> None:
    new = await assignment(world.database)
    async with world.database.write() as transaction:
        assert await claims.add(transaction, new)
        # A reader neither waits for the writer nor sees what it has not committed.
        assert await claims.of_products(world.database, [PRODUCT], [world.brand]) == []
    assert await claims.of_products(world.database, [PRODUCT], [world.brand]) == [new]


async def test_of_24_inserts_of_one_key_one_wins(world: World) -> None:
    async def insert(number: int) -> bool:
        new = await assignment(world.database, note=str(number))
        async with world.database.write() as transaction:
            return await claims.add(transaction, new)

    answers = await asyncio.gather(*map(insert, range(24)))
    assert sorted(answers) == [False] * 23 + [True]
    stored = await claims.of_products(world.database, [PRODUCT], [world.brand])
    assert [item.evidence_note for item in stored] == [str(answers.index(True))]


async def test_a_broken_reference_is_an_error_and_not_a_conflict(world: World) -> None:
    orphan = await assignment(world.database, gtin="40063813339314")
    with pytest.raises(IntegrityError):
        async with world.database.write() as transaction:
            await claims.add(transaction, orphan)
    with pytest.raises(IntegrityError):
        await world.add_certification(GTIN, NOTHING)
    assert await world.rows(tables.claim_assignments) == []


async def test_another_unique_value_is_not_taken_for_the_expected_one(world: World) -> None:
    new = await assignment(world.database)
    await world.add_product("40063813339314", world.brand)
    async with world.database.write() as transaction:
        assert await claims.add(transaction, new)
    other = replace(await assignment(world.database, gtin="40063813339314"), id=new.id)
    with pytest.raises(IntegrityError):
        async with world.database.write() as transaction:
            await claims.add(transaction, other)


async def test_an_update_says_how_many_rows_it_touched(world: World) -> None:
    touch = update(tables.products).values(version=2)
    async with world.database.write() as transaction:
        assert await transaction.execute(touch) == 2
        assert await transaction.execute(touch.where(tables.products.c.gtin == GTIN)) == 1
        assert await transaction.execute(touch.where(tables.products.c.gtin == "0")) == 0


async def test_a_lock_puts_read_modify_write_in_a_row(world: World) -> None:
    async def count_up() -> None:
        async with world.database.write() as transaction:
            held = await certifications.lock(transaction, PRODUCT, USDA_ORGANIC, [world.brand])
            assert held is not None
            count = int(held.metadata.get("count", "0"))
            # Whoever did not lock would read the same count meanwhile.
            await asyncio.sleep(0)
            await certifications.change(transaction, held, {"metadata": {"count": str(count + 1)}}, NOON)

    await asyncio.gather(*(count_up() for _ in range(20)))
    held = (await certifications.of_products(world.database, [PRODUCT], [world.brand]))[0]
    assert held.metadata == {"count": "20"}
    assert held.version == 21


async def test_work_that_is_done_alone_is_done_by_one_at_a_time(world: World) -> None:
    inside = 0

    async def work() -> None:
        nonlocal inside
        async with world.database.write() as transaction:
            await transaction.serialize("this")
            inside += 1
            assert inside == 1
            await owned(transaction, PRODUCT)
            await asyncio.sleep(0.001)
            assert inside == 1
            inside -= 1

    await asyncio.gather(*(work() for _ in range(6)))


async def test_upsert_overwrites_and_insert_missing_does_not(world: World) -> None:
    id = catalogue_id("claim", "VEGAN")
    row = {"code": "VEGAN", "category": "DIETARY", "requires_definition": True, "description": ""}
    new = {**row, "id": catalogue_id("claim", "NEW"), "code": "NEW", "label": "New"}
    async with world.database.write() as transaction:
        assert await transaction.insert_missing(tables.claims, [{**row, "id": id, "label": "Ignored"}, new]) == 1
        assert await transaction.insert_missing(tables.claims, []) == 0
    found = await claims.find(world.database, id)
    assert found is not None
    assert found.label == "Vegan"
    assert await claims.find_by_code(world.database, "NEW") is not None
    async with world.database.write() as transaction:
        await transaction.upsert(tables.claims, [{**row, "id": id, "label": "Renewed"}], key="id")
    found = await claims.find(world.database, id)
    assert found is not None
    assert (found.label, found.requires_definition) == ("Renewed", True)


async def test_of_many_rows_those_in_whose_way_nothing_is_are_inserted(world: World) -> None:
    rows = [
        {"digest": f"{number:064}", "name": f"Row {number}", "text": "{ __typename }", "created_at": NOON}
        for number in range(250)
    ]
    async with world.database.write() as transaction:
        assert await transaction.insert_in_parts(tables.trusted_documents, [rows[7], rows[120]]) == 2
        assert await transaction.insert_in_parts(tables.trusted_documents, rows) == 248
    assert await world.rows(tables.trusted_documents) == [tuple(row.values()) for row in rows]


ODD = [
    "",
    "\\N",
    "\\",
    "\\.",
    "a\tb\nc\rd\\ne",
    "\b\f\v\x01\x7f",
    'quoted "so"',
    "é\u2028\u00a0\N{SMILING FACE WITH SUNGLASSES}",
]


@pytest.mark.parametrize("is_foreseen", [True, False])
async def test_new_rows_are_stored_as_they_are_whatever_is_in_them(
    world: World, is_foreseen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.sql.copying, "MOST", 30)
    given = [
        {
            "id": new_short_id(NOON),
            "organization_id": world.brand,
            "user_id": None,
            "kind": KeyKind.BUSINESS,
            "role": Role.EDITOR,
            "name": odd,
            "description": "",
            "digest": f"{number:064}",
            "is_active": bool(number % 2),
            "expires_at": None if number % 2 else NOON,
            "rate_limit_per_minute": number,
            "rate_limit_per_day": 0,
            "graphql_limits": None,
            "metadata": {odd: odd} if odd else {},
            "created_at": NOON,
        }
        for number, odd in enumerate(ODD * 7, start=500)
    ]
    rows = world.database.foreseen(tables.api_keys, given) if is_foreseen else given
    async with world.database.write() as transaction:
        assert await transaction.insert_new(tables.api_keys, rows)
    columns = [column.name for column in tables.api_keys.columns]
    stored = {row[0]: dict(zip(columns, row, strict=True)) for row in await world.rows(tables.api_keys)}
    assert [{name: stored[row["id"]][name] for name in row} for row in given] == given
    with pytest.raises(Taken):
        await insert_or_undo(world, given)


class Taken(Exception):
    """Undoes what was begun."""


async def insert_or_undo(world: World, rows: list[dict[str, Any]]) -> None:
    async with world.database.write() as transaction:
        if not await transaction.insert_new(tables.api_keys, rows):
            raise Taken


# --- Others in the way ---


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of production, shortened. Stands before the database among a test's fixtures."""
    monkeypatch.setattr(db.engine.group_commit, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(db.engine.postgresql, "_SERVER", {**db.engine.postgresql._SERVER, "lock_timeout": "200"})
    monkeypatch.setattr(db.engine.lender, "_WAIT_SECONDS", 0.2)


LOCK_SQLITE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
connection.close()
"""


@asynccontextmanager
async def locked_by_another_process(path: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", LOCK_SQLITE, path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"locked\n"
    try:
        yield
    finally:
        await process.communicate(b"go\n")


async def rename(database: Database, name: str) -> None:
    async with database.write() as transaction:
        await certifications.lock(transaction, PRODUCT, USDA_ORGANIC, [catalogue_id("organization", "brand")])
        await transaction.execute(
            update(tables.certification_assignments)
            .where(tables.certification_assignments.c.gtin == GTIN)
            .values(scope=name)
        )


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_sqlite_file_that_another_process_keeps_locked_is_busy(world: World, tmp_path: Path) -> None:
    async with locked_by_another_process(str(tmp_path / "certgate.db")):
        with pytest.raises(Busy, match="busy with other work"):
            await rename(world.database, "refused")
        # Readers are not in the way of a writer, nor it in theirs.
        assert len(await certifications.of_products(world.database, [PRODUCT], [world.brand])) == 1
    await rename(world.database, "taken")
    assert "taken" in str(await world.rows(tables.certification_assignments))
    assert "refused" not in str(await world.rows(tables.certification_assignments))


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_row_that_another_transaction_keeps_locked_is_busy(world: World, database_url: str) -> None:
    other = await open_database(database_url)
    try:
        async with other.write() as transaction:
            await certifications.lock(transaction, PRODUCT, USDA_ORGANIC, [world.brand])
            with pytest.raises(Busy, match="busy with other work"):
                await rename(world.database, "refused")
            assert len(await certifications.of_products(world.database, [PRODUCT], [world.brand])) == 1
        await rename(world.database, "taken")
    finally:
        await other.close()
    assert "taken" in str(await world.rows(tables.certification_assignments))


@pytest.mark.usefixtures("impatience")
async def test_too_many_writes_are_busy_and_the_next_one_works(world: World) -> None:
    hold = asyncio.Event()

    async def slow() -> None:
        async with world.database.write():
            await hold.wait()

    # SQLite has one writing connection, PostgreSQL eight.
    writers = world.database._writers.size if isinstance(world.database, db.engine.postgresql.PostgresqlDatabase) else 1
    slow_ones = [asyncio.create_task(slow()) for _ in range(writers)]
    await asyncio.sleep(0)
    try:
        with pytest.raises(Busy, match=r"Too many writes|no connection to spare"):
            await rename(world.database, "refused")
    finally:
        hold.set()
        await asyncio.gather(*slow_ones)
    await rename(world.database, "taken")


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_read_without_a_connection_to_spare_is_busy(world: World) -> None:
    assert isinstance(world.database, db.engine.postgresql.PostgresqlDatabase)
    async with all_lent(world.database._readers):
        with pytest.raises(Busy, match="no connection to spare"):
            await products.find(world.database, PRODUCT, [world.brand])
    assert await products.find(world.database, PRODUCT, [world.brand]) is not None
