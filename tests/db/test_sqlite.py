"""What is SQLite's own: durability, foreign keys, and that bounded reads are bounded."""

import asyncio
import re
import sqlite3
import threading
from contextlib import closing
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import column, func, literal, select, table, update

import db.engine.group_commit
from db import keys, lists, organizations, products, stats
from db.assignments import certifications, claims
from db.engine.opening import open_database
from db.engine.sqlite import SqliteDatabase
from db.sql import tables
from db.sql.compiled import SQLITE
from db.sql.filters import condition, take_apart
from db.sql.reads import Read
from domain.filter_input import parse_where
from domain.filters import EVERYTHING, Condition, Every
from domain.lists import CERTIFICATION_ASSIGNMENTS, PRODUCTS
from domain.paging import Window
from domain.stats import CertificationGrouping, ClaimGrouping, ExpiryBucket
from tests.world import GTIN, NOON, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def sqlite(world: World) -> SqliteDatabase:
    assert isinstance(world.database, SqliteDatabase)
    return world.database


@pytest.mark.parametrize(("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
async def test_an_acknowledged_write_survives_a_power_cut(world: World, pragma: str, value: object) -> None:
    assert sqlite(world)._writer._connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)


async def test_a_write_transaction_locks_before_it_reads(world: World) -> None:
    async with world.database.write():
        other = sqlite(world)._reader
        # The reader may not write, so the lock is seen from a connection that may.
        assert other.execute("PRAGMA query_only").fetchone() == (1,)
        blocked = await asyncio.create_subprocess_exec(
            "python3",
            "-c",
            "import sqlite3, sys\n"
            "connection = sqlite3.connect(sys.argv[1], timeout=0)\n"
            "try: connection.execute('BEGIN IMMEDIATE')\n"
            "except sqlite3.OperationalError as error: print(error)\n"
            "connection.close()",
            sqlite(world)._path,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await blocked.communicate()
    assert out == b"database is locked\n"


def plan(world: World, read: Read[Any], **values: Any) -> list[str]:
    compiled = read.compiled(SQLITE).statement
    connection = sqlite(world)._reader
    rows = connection.execute(f"EXPLAIN QUERY PLAN {compiled.sql}", compiled.bind(values))
    return [row[3] for row in rows]


PAGE = lists.page_read(products.LISTED, EVERYTHING, PRODUCTS.orders.usual, Window(24, position=("",)))
POINT_READS: list[tuple[Read[Any], dict[str, Any], str]] = [
    (certifications.by_product, {"keys": [GTIN, OTHERS_GTIN]}, "certification_assignments USING PRIMARY KEY"),
    (certifications.one, {"of": GTIN, "definition": USDA_ORGANIC}, "USING PRIMARY KEY"),
    (certifications.by_product.one, {"key": GTIN}, "certification_assignments USING PRIMARY KEY"),
    (claims.by_product, {"keys": [GTIN]}, "claim_assignments USING PRIMARY KEY"),
    (claims.by_product.one, {"key": GTIN}, "claim_assignments USING PRIMARY KEY"),
    (claims.one, {"of": GTIN, "definition": VEGAN}, "claim_assignments USING PRIMARY KEY"),
    (products.BY_GTIN.one, {"key": GTIN}, "products USING INDEX sqlite_autoindex_products_1"),
    (products.BY_GTIN, {"keys": [GTIN]}, "products USING INDEX sqlite_autoindex_products_1"),
    (PAGE, {"p0": GTIN, "limit": 25}, "products USING INDEX sqlite_autoindex_products_1"),
    (organizations.BY_SLUG, {"slug": "brand"}, "organizations USING INDEX"),
    (keys.BY_DIGEST, {"digest": "x"}, "api_keys USING INDEX"),
    (keys.BY_SESSION, {"digest": "x"}, "sessions USING INDEX"),
    (keys.BY_MEMBERS_SESSION, {"digest": "x"}, "sessions USING INDEX"),
]


@pytest.mark.parametrize(("read", "values", "step"), POINT_READS)
async def test_a_bounded_read_finds_its_rows_by_key(
    world: World, read: Read[Any], values: dict[str, Any], step: str
) -> None:
    assert not read.scans
    steps = plan(world, read, organization_ids=["", world.brand], **values)
    assert any(step in line for line in steps), steps
    scanned = [line for line in steps if re.match("SCAN (?!json_each|value)", line)]
    assert scanned == [], steps


async def test_a_page_is_read_in_the_order_of_its_key(world: World) -> None:
    assert not [line for line in plan(world, PAGE, p0="", limit=25) if "TEMP B-TREE" in line]


async def test_reads_before_the_loop_turns_see_one_state_with_one_lock(world: World) -> None:
    names = Read(select(tables.products.c.name).where(tables.products.c.gtin == GTIN), lambda row: str(row[0]))
    database = sqlite(world)
    run: list[str] = []
    await asyncio.sleep(0)
    database._reader.set_trace_callback(run.append)
    with closing(sqlite3.connect(database._path)) as other:
        (before,), epoch = await database.fetch(names), database.epoch()
        other.execute("UPDATE products SET name = 'Another' WHERE gtin = ?", (GTIN,))
        other.commit()
        assert (await database.fetch(names), database.epoch()) == ([before], epoch)
        assert [statement.partition(" ")[0] for statement in run] == ["BEGIN", "SELECT", "PRAGMA", "SELECT"]
        await asyncio.sleep(0)
        assert run[-1] == "COMMIT"
        assert await database.fetch(names) == ["Another"]
        assert database.epoch() != epoch


async def test_the_log_gives_back_the_room_that_a_large_write_took(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.engine.sqlite._LOG_BYTES", 100_000)
    database = await open_database(database_url)
    log = tmp_path / "certgate.db-wal"

    async def store(*names: str) -> int:
        rows = [{"digest": name, "name": "", "text": "x" * 10_000, "created_at": NOON} for name in names]
        async with database.write() as transaction:
            await transaction.insert_missing(tables.trusted_documents, rows)
        return log.stat().st_size

    # More than a thousand pages, after which SQLite writes the log into the database, and begins it anew.
    assert await store(*map(str, range(500))) > 4_000_000
    assert await store("one more") <= 100_000
    await database.close()


async def test_no_commit_of_another_process_is_taken_for_ones_own(world: World) -> None:
    """Whenever it comes: before a write here, after it, or in the moment in which its commit has just ended."""
    database = sqlite(world)
    rename = update(tables.products).where(tables.products.c.gtin == GTIN)
    interleaved = 0

    async def write(name: str) -> None:
        async with database.write() as transaction:
            await transaction.execute(rename, {"name": name})

    with closing(sqlite3.connect(database._path, timeout=0, isolation_level=None)) as other:
        for steps in range(60):
            writing = asyncio.create_task(write(f"n{steps}"))
            for _ in range(steps % 12):
                await asyncio.sleep(0)
            before = database.epoch()
            while True:
                try:
                    other.execute("UPDATE products SET brand = ? WHERE gtin = ?", (f"b{steps}", GTIN))
                    break
                except sqlite3.OperationalError:
                    # The write has the lock of the file.
                    await asyncio.sleep(0)
                    before = database.epoch()
            interleaved += not writing.done()
            if steps % 2:
                # Nobody looked until the write was done, too.
                await writing
            await asyncio.sleep(0)
            assert database.epoch() != before, steps
            await writing
    assert interleaved > 5


async def test_a_commit_that_is_known_of_but_not_yet_seen_counts_when_it_is_seen(world: World) -> None:
    database = sqlite(world)
    names = Read(select(tables.products.c.name).where(tables.products.c.gtin == GTIN), lambda row: str(row[0]))
    with closing(sqlite3.connect(database._path, isolation_level=None)) as other:
        other.execute("UPDATE products SET name = 'First' WHERE gtin = ?", (GTIN,))
        await asyncio.sleep(0)
        assert await database.fetch(names) == ["First"]
        other.execute("UPDATE products SET name = 'Second' WHERE gtin = ?", (GTIN,))
        # Of both the writing connection knows; what is read before the loop turns has the first alone.
        epoch = database.epoch()
        assert await database.fetch(names) == ["First"]
        await asyncio.sleep(0)
        assert await database.fetch(names) == ["Second"]
        assert database.epoch() != epoch


async def test_a_read_that_fails_leaves_the_next_ones_alone(world: World) -> None:
    database = sqlite(world)
    missing = Read(select(table("nowhere", column("id"))), tuple)
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await database.fetch(missing)
        database._reader.rollback()
        assert len(await database.fetch(Read(select(tables.products.c.gtin), tuple))) == 2
        await asyncio.sleep(0)


async def test_what_may_scan_runs_beside_the_loop(world: World) -> None:
    threads = []

    def watched(row: Any) -> None:
        threads.append(threading.current_thread())

    assert len(await world.database.fetch(Read(select(tables.products.c.gtin), watched, scans=True))) == 2
    assert threading.main_thread() not in threads
    assert len(threads) == 2


def counting_to(number: int) -> Read[Any]:
    """A read that takes ten seconds for every hundred million."""
    numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < number))
    return Read(select(func.count()).select_from(numbers), tuple, scans=True)


async def test_a_scan_ends_when_nobody_waits_for_it(world: World) -> None:
    endless = counting_to(10**12)
    # More than there are threads: some of them have not begun when they are given up.
    waiting = [asyncio.create_task(world.database.fetch(endless)) for _ in range(5)]
    await asyncio.sleep(0.1)
    for task in waiting:
        task.cancel()
    assert [type(end) for end in await asyncio.gather(*waiting, return_exceptions=True)] == [asyncio.CancelledError] * 5
    async with asyncio.timeout(10):
        assert await asyncio.gather(*(world.database.fetch(counting_to(1_000)) for _ in range(4))) == [[(1_000,)]] * 4


async def test_what_a_thread_does_with_the_writing_connection_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks whether something has changed asks in the loop's thread."""
    # However slow the machine is, the scan is not given up.
    monkeypatch.setattr(db.engine.group_commit, "HOLD_SECONDS", 3600)
    writer = sqlite(world)._writer
    async with world.database.write() as transaction:
        assert writer.commit_mark() is not None
        scan = asyncio.create_task(transaction.fetch(counting_to(1_000_000)))
        # Two tasks have to begin.
        for _ in range(3):
            await asyncio.sleep(0)
        assert writer.commit_mark() is None
        assert await scan == [(1_000_000,)]
        assert writer.commit_mark() is not None


STATS = [
    (counted, frozenset(by), bucket)
    for counted, keys in (
        (tables.certification_assignments, CertificationGrouping),
        (tables.claim_assignments, ClaimGrouping),
    )
    for size in range(len(keys) + 1)
    for by in combinations(keys, size)
    for bucket in (None, ExpiryBucket.MONTH)
]


async def test_counting_reads_rows_in_their_own_order(world: World) -> None:
    """In the order of an index that has not all of the columns, a million rows are a million searches."""
    active = Every((Condition("valid_from", "open_lte", "day"), Condition("expiration_date", "open_gte", "day")))
    for where, values in ((EVERYTHING, {}), (active, {"day": date(2026, 11, 26)})):
        for counted, by, bucket in STATS:
            steps = plan(world, stats._counts(counted, where, None, by, bucket, False), **values, limit=1)
            (first,) = (step for step in steps if "_assignments" in step)
            assert re.fullmatch(r"SCAN \w+_assignments( USING COVERING INDEX \w+)?", first), (by, bucket, first)


def test_a_span_is_searched_from_its_start_to_its_end(database_url: str) -> None:
    """And not to the last of what ends at all."""
    day = date(2026, 11, 26)
    spans = [{"from": day}, {"from": day, "to": day}]
    asked: list[dict[str, Any]] = [
        {member: {"range": span}} for member in ("expiration_date", "lapses_on") for span in spans
    ]
    for members in (*asked, {"lapses_within": {"days": 1}}):
        where = parse_where(CERTIFICATION_ASSIGNMENTS.fields, members, day)
        text = str(condition(take_apart(where).shape, tables.certification_assignments).compile(dialect=SQLITE))
        assert [len(re.findall(f"(ends|lapses) {side}", text)) for side in "<>"] == [1, 1], text
