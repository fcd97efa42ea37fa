"""Operations that wait share a commit, and nothing else: not their failures, nor an answer before it is durable."""

import asyncio
import gc
import resource
import sqlite3
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update

import db.engine.group_commit
from db.assignments import claims
from db.engine.database import Transaction
from db.engine.group_commit import GroupCommit
from db.engine.opening import open_database
from db.engine.sqlite import SqliteDatabase
from db.engine.sqlite_transaction import SqliteTransaction
from db.sql import tables
from db.sql.reads import Read
from domain.errors import AlreadyAssigned, Busy
from domain.vocabulary import ClaimSource
from tests.world import GTIN, NON_GMO, World, told

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CODES = Read(select(tables.claims.c.code).order_by(tables.claims.c.code), lambda row: str(row[0]))
RELABEL = update(tables.claims).where(tables.claims.c.code == bindparam("of"))


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a busy machine does slowly is a group all the same."""
    monkeypatch.setattr(db.engine.group_commit, "GROUP_SECONDS", 60.0)


@pytest.fixture
def writer(world: World) -> GroupCommit:
    assert isinstance(world.database, SqliteDatabase)
    return world.database._writer


async def add(transaction: Transaction, code: str) -> bool:
    row = {"id": code, "code": code, "label": code, "category": "DIETARY"}
    return await transaction.insert(
        tables.claims, {**row, "requires_definition": False, "description": ""}, unless=("code",)
    )


async def store(world: World, code: str) -> bool:
    async with world.database.write() as transaction:
        return await add(transaction, code)


async def claim_alone(world: World, name: str, claim: str = NON_GMO, owner: str | None = None, **entry: Any) -> bool:
    """An operation that is a single insert; `name` is the note on the claim."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    row: dict[str, Any] = {
        "gtin": GTIN,
        "claim_id": claim,
        "id": name,
        "metadata": {"noted": name},
        "evidence_note": name,
    }
    row |= {"source": ClaimSource.BRAND_SELF_DECLARED, "evidence_url": ""}
    row |= {"created_at": moment, "updated_at": moment, "version": 1}
    async with world.database.write(single=True) as transaction:
        key = ("gtin", "claim_id")
        of = world.brand if owner is None else owner
        return await transaction.insert_alone(
            tables.claim_assignments, row, unless=key, owner=of, entry={**told(row), **entry}
        )


async def claimed(world: World) -> list[tuple[str, str | None]]:
    """The notes on the claims, each with what the triggers have written beside it."""
    made, entries = tables.claim_assignments, tables.claim_assignment_metadata
    beside = made.outerjoin(entries, made.c.claim_id == entries.c.claim_id)
    notes = select(made.c.evidence_note, entries.c.value).select_from(beside).where(made.c.evidence_note != "")
    return await world.database.fetch(Read(notes, lambda row: (row[0], row[1])))


async def stored(world: World) -> list[str]:
    """The codes that a test made, as a reader sees them."""
    return [code for code in await world.database.fetch(CODES) if code.islower()]


@contextmanager
def traced(writer: GroupCommit) -> Iterator[list[str]]:
    """What the writing connection runs, by its first word."""
    seen: list[str] = []
    writer._connection.set_trace_callback(lambda sql: seen.append(sql.split()[0]))
    yield seen
    writer._connection.set_trace_callback(None)


@asynccontextmanager
async def slow_disk(writer: GroupCommit) -> AsyncIterator[None]:
    """Until the end of the block no commit gets through: the thread that commits is busy."""
    go = threading.Event()
    waiting = asyncio.ensure_future(writer._thread.connection._execute(go.wait))  # type: ignore[no-untyped-call]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        go.set()
        await waiting


@contextmanager
def full_disk(database_file: Path) -> Iterator[None]:
    """The system lets no file grow beyond the log's present size."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{database_file}-wal").stat().st_size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


async def until(condition: Any) -> None:
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


async def test_operations_that_wait_share_one_commit(world: World, writer: GroupCommit) -> None:
    codes = [f"c{number:02}" for number in range(50)]
    with traced(writer) as seen:
        assert all(await asyncio.gather(*(store(world, code) for code in codes)))
    assert await stored(world) == codes
    assert (seen.count("BEGIN"), seen.count("COMMIT")) == (1, 1)
    assert (seen.count("SAVEPOINT"), seen.count("RELEASE")) == (50, 50)


async def test_who_comes_during_a_commit_is_in_the_next_group(world: World, writer: GroupCommit) -> None:
    with traced(writer) as seen:
        async with slow_disk(writer):
            first = asyncio.create_task(store(world, "a"))
            await until(lambda: "RELEASE" in seen)
            others = [asyncio.create_task(store(world, code)) for code in "bcd"]
            await asyncio.sleep(0.01)
            assert seen.count("SAVEPOINT") == 1
        await asyncio.gather(first, *others)
    assert (seen.count("BEGIN"), seen.count("COMMIT")) == (2, 2)


async def test_those_who_were_answered_together_share_the_next_commit_with_whoever_waited(
    world: World, writer: GroupCommit
) -> None:
    async def store_five(name: str) -> None:
        for number in range(5):
            assert await store(world, f"{name}{number}")
            # Some turns later its client's next request is there.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    with traced(writer) as seen:
        async with slow_disk(writer):
            callers = [asyncio.create_task(store_five(name)) for name in "abcdefg"]
            await until(lambda: writer._thread.busy)
            callers.append(asyncio.create_task(store_five("late")))
            await until(lambda: writer._waiting)
        await asyncio.gather(*callers)
    assert seen.count("RELEASE") == 40
    assert seen.count("COMMIT") == 6


async def test_a_group_waits_for_those_who_do_not_come_back_for_some_turns_only(
    world: World, writer: GroupCommit
) -> None:
    await asyncio.gather(*(store(world, code) for code in "abc"))
    await store(world, "d")
    with traced(writer) as seen:
        await store(world, "e")
        assert seen.count("COMMIT") == 1
    assert await stored(world) == [*"abcde"]


async def test_nobody_is_answered_and_nothing_seen_before_the_commit(world: World, writer: GroupCommit) -> None:
    async def refuse() -> None:
        async with world.database.write() as transaction:
            assert not await add(transaction, "a")
            raise AlreadyAssigned("It was there.")

    async with slow_disk(writer):
        success, refusal = asyncio.create_task(store(world, "a")), asyncio.create_task(refuse())
        done, _ = await asyncio.wait([success, refusal], timeout=0.05)
        assert done == set()
        assert await stored(world) == []
    assert await success
    with pytest.raises(AlreadyAssigned):
        await refusal
    assert await stored(world) == ["a"]


async def test_whoever_finds_nobody_before_it_begins_at_once(world: World, writer: GroupCommit) -> None:
    with traced(writer) as seen:
        tasks = [asyncio.create_task(store(world, code)) for code in "ab"]
        # One turn of the loop, in which both take their first step.
        await asyncio.sleep(0)
        assert [seen[0], seen.count("RELEASE"), seen.count("COMMIT")] == ["BEGIN", 2, 0]
        assert await asyncio.gather(*tasks) == [True, True]
    assert seen.count("COMMIT") == 1
    assert await stored(world) == ["a", "b"]


async def test_those_that_wait_have_their_turns_before_the_loop_turns(world: World, writer: GroupCommit) -> None:
    """Whatever else the loop does in a turn, a write does not wait for it once for each write before it."""
    turns = 0
    met: list[int] = []

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    async with slow_disk(writer):
        tasks = [asyncio.create_task(store(world, "first"))]
        await until(lambda: writer._thread.busy)
        tasks += [
            asyncio.create_task(store(world, f"c{number:03}")) for number in range(2 * db.engine.group_commit.AT_ONCE)
        ]
        await until(lambda: len(writer._waiting) == len(tasks) - 1)
        writer._connection.set_trace_callback(lambda sql: met.append(turns) if sql.startswith("RELEASE") else None)
    assert all(await asyncio.gather(*tasks))
    writer._connection.set_trace_callback(None)
    counting.cancel()
    assert len(met) == 2 * db.engine.group_commit.AT_ONCE
    assert len(set(met)) == 2


async def test_who_was_called_in_vain_keeps_its_place(world: World) -> None:
    order: list[str] = []

    async def operation(name: str, turns: int) -> None:
        async with world.database.write() as transaction:
            for _ in range(turns):
                await asyncio.sleep(0)
            await add(transaction, name)
            order.append(name)

    names = [f"c{number:02}" for number in range(40)]
    tasks = []
    for number, name in enumerate(names):
        tasks.append(asyncio.create_task(operation(name, 3 if number < 5 else number % 2)))
        await asyncio.sleep(0)
    tasks[30].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[30], asyncio.CancelledError)
    assert order == [name for name in names if name != "c30"]


async def test_a_single_insert_takes_no_savepoint(world: World, writer: GroupCommit) -> None:
    with traced(writer) as seen:
        works = claim_alone(world, "a", owner="other"), claim_alone(world, "b"), claim_alone(world, "c")
        answers = await asyncio.gather(*works, store(world, "d"))
    assert list(answers) == [False, True, False, True]
    assert (seen.count("BEGIN"), seen.count("COMMIT")) == (1, 1)
    # The other operation's.
    assert (seen.count("SAVEPOINT"), seen.count("RELEASE")) == (1, 1)
    assert await claimed(world) == [("b", "b")]
    assert await stored(world) == ["d"]


async def test_a_single_insert_that_fails_leaves_nothing(world: World) -> None:
    works = store(world, "a"), claim_alone(world, "b", "nobody's"), claim_alone(world, "c"), store(world, "d")
    answers = await asyncio.gather(*works, return_exceptions=True)
    assert [type(answer) for answer in answers] == [bool, sqlite3.IntegrityError, bool, bool]
    assert await claimed(world) == [("c", "c")]
    assert await world.rows(tables.claim_assignment_metadata) == [("noted", "c", GTIN, NON_GMO)]
    assert await stored(world) == ["a", "d"]


async def test_operations_have_their_turns_in_the_order_they_came(world: World) -> None:
    order = []

    async def operation(number: int) -> None:
        async with world.database.write() as transaction:
            order.append(number)
            if number % 3 == 0:
                await asyncio.sleep(0.001)
            await add(transaction, f"c{number}")
            order.append(number)

    await asyncio.gather(*(operation(number) for number in range(20)))
    assert order == [number for number in range(20) for _ in range(2)]


async def test_a_group_does_not_grow_for_ever(
    world: World, writer: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.engine.group_commit, "GROUP_SECONDS", 0.0)
    with traced(writer) as seen:
        await asyncio.gather(*(store(world, code) for code in "abc"))
    assert seen.count("COMMIT") == 3
    assert await stored(world) == ["a", "b", "c"]


# --- Neighbours ---


@pytest.mark.parametrize("error", [RuntimeError("broken"), AlreadyAssigned("There.")])
async def test_an_operation_that_fails_leaves_its_neighbours_alone(
    world: World, writer: GroupCommit, error: Exception
) -> None:
    async def fail() -> None:
        async with world.database.write() as transaction:
            await add(transaction, "b")
            await transaction.execute(RELABEL, {"of": "a", "label": "changed"})
            raise error

    with traced(writer) as seen:
        answers = await asyncio.gather(store(world, "a"), fail(), store(world, "c"), return_exceptions=True)
    assert list(answers) == [True, error, True]
    assert seen.count("COMMIT") == 1
    assert await stored(world) == ["a", "c"]
    labels = await world.database.fetch(Read(select(tables.claims.c.label).filter_by(code="a"), tuple))
    assert labels == [("a",)]


async def test_an_integrity_error_undoes_its_operation_alone(world: World) -> None:
    async def twice() -> None:
        async with world.database.write() as transaction:
            await add(transaction, "b")
            await transaction.execute(RELABEL, {"of": "a", "code": "VEGAN"})

    answers = await asyncio.gather(store(world, "a"), twice(), store(world, "c"), return_exceptions=True)
    assert isinstance(answers[1], sqlite3.IntegrityError)
    assert await stored(world) == ["a", "c"]


async def test_an_operation_without_changes_costs_no_commit(world: World, writer: GroupCommit) -> None:
    async def look() -> None:
        async with world.database.write() as transaction:
            assert "VEGAN" in await transaction.fetch(CODES)

    async with slow_disk(writer):
        await look()


async def test_a_cancelled_operation_leaves_its_neighbours_alone(world: World, writer: GroupCommit) -> None:
    inside = asyncio.Event()

    async def hang() -> None:
        async with world.database.write() as transaction:
            await add(transaction, "b")
            inside.set()
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(work) for work in (store(world, "a"), hang(), store(world, "c"), store(world, "d"))]
    await inside.wait()
    # One runs, one waits for its turn.
    tasks[1].cancel()
    tasks[2].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [bool, asyncio.CancelledError, asyncio.CancelledError, bool]
    assert await stored(world) == ["a", "d"]
    assert not writer._waiting


async def test_an_operation_may_be_cancelled_in_the_moment_of_its_turn(world: World) -> None:
    """At every step of the loop from the first on, one of three is cancelled; it is stored whole or not at all."""
    for steps in range(12):
        codes = [f"{name}{steps:02}" for name in "xyz"]
        tasks = [asyncio.create_task(store(world, code)) for code in codes]
        for _ in range(steps):
            await asyncio.sleep(0)
        tasks[1].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [answers[0], answers[2]] == [True, True]
        assert {codes[0], codes[2]} <= set(await stored(world)), steps
    assert await store(world, "last")


async def test_cancelled_during_the_commit_it_is_stored_whole(world: World, writer: GroupCommit) -> None:
    async with slow_disk(writer):
        with traced(writer) as seen:
            tasks = [asyncio.create_task(store(world, code)) for code in "ab"]
            await until(lambda: seen.count("RELEASE") == 2)
        tasks[0].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[0]
        assert not tasks[1].done()
    assert await tasks[1]
    assert await stored(world) == ["a", "b"]


async def test_cancelled_while_a_thread_runs_its_statement(world: World, writer: GroupCommit) -> None:
    rows = [
        {
            "id": f"r{number}",
            "code": f"r{number}",
            "label": "",
            "category": "DIETARY",
            "requires_definition": False,
            "description": "",
        }
        for number in range(5000)
    ]

    async def many() -> None:
        async with world.database.write() as transaction:
            await transaction.insert_missing(tables.claims, rows)

    with traced(writer) as seen:
        task = asyncio.create_task(many())
        await until(lambda: len(seen) > 20)
        neighbour = asyncio.create_task(store(world, "a"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await neighbour
    # None of the statements that were still to run ended up in the neighbour's savepoint.
    assert await stored(world) == ["a"]


# --- Failures of the database ---


async def test_when_the_commit_fails_nobody_is_told_success(world: World, tmp_path: Path) -> None:
    async def refuse() -> None:
        async with world.database.write():
            raise AlreadyAssigned("Because of what the neighbour wrote.")

    with full_disk(tmp_path / "certgate.db"):
        answers = await asyncio.gather(store(world, "a"), refuse(), store(world, "c"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Busy] * 3
    # Each has an error of its own, which still says what it was.
    causes = [answer.__cause__ for answer in answers if isinstance(answer, Busy)]
    assert len({id(cause) for cause in causes}) == 3
    assert {type(cause) for cause in causes} == {sqlite3.OperationalError}
    assert await stored(world) == []
    assert await store(world, "d")
    assert await stored(world) == ["d"]


async def test_what_no_longer_fits_is_told_and_the_rest_is_stored(world: World, writer: GroupCommit) -> None:
    pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
    writer._connection.execute(f"PRAGMA max_page_count={pages + 2}")
    answers = await asyncio.gather(
        *(store(world, f"c{number:03}" * 40) for number in range(40)), return_exceptions=True
    )
    writer._connection.execute("PRAGMA max_page_count=1000000")
    assert {type(answer) for answer in answers} == {bool, Busy}
    assert {answer.reason for answer in answers if isinstance(answer, Busy)} == {"full"}
    assert len(await stored(world)) == answers.count(True)


async def test_when_sqlite_gives_up_the_transaction_the_whole_group_is_told(world: World, writer: GroupCommit) -> None:
    async def interrupted() -> None:
        async with world.database.write() as transaction:
            await add(transaction, "b")
            writer._connection.set_progress_handler(lambda: 1, 1)
            try:
                await add(transaction, "y")
            except sqlite3.OperationalError:
                # Whoever swallows the error may not write beside the transaction either.
                writer._connection.set_progress_handler(None, 1)
                await add(transaction, "z")

    answers = await asyncio.gather(store(world, "a"), interrupted(), store(world, "c"), return_exceptions=True)
    assert isinstance(answers[0], sqlite3.OperationalError)
    assert isinstance(answers[1], sqlite3.OperationalError)
    assert answers[2] is True
    assert await stored(world) == ["c"]


async def test_when_sqlite_gives_up_at_a_single_insert_the_whole_group_is_told(
    world: World, writer: GroupCommit
) -> None:
    async def interrupted() -> None:
        try:
            # Not at the first step: asking for the owner changes nothing that could be given up.
            writer._connection.set_progress_handler(lambda: 1, 60)
            await claim_alone(world, "b")
        finally:
            writer._connection.set_progress_handler(None, 1)

    answers = await asyncio.gather(store(world, "a"), interrupted(), store(world, "c"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [sqlite3.OperationalError, sqlite3.OperationalError, bool]
    assert await stored(world) == ["c"]
    assert await claimed(world) == []


async def test_what_the_log_cannot_tell_of_is_not_kept(world: World, writer: GroupCommit) -> None:
    works = store(world, "a"), claim_alone(world, "b", operation=None), claim_alone(world, "c")
    answers = await asyncio.gather(*works, return_exceptions=True)
    # Nobody's work is kept that shared a commit with it: there was no savepoint to go back to.
    assert [type(answer) for answer in answers] == [sqlite3.IntegrityError, sqlite3.IntegrityError, bool]
    assert await stored(world) == []
    assert await claimed(world) == [("c", "c")]


async def test_a_connection_that_is_of_no_use_is_said_to_everybody(world: World, writer: GroupCommit) -> None:
    writer._connection.close()
    answers = await asyncio.gather(store(world, "a"), store(world, "b"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [sqlite3.ProgrammingError] * 2


# --- Bounds ---


async def test_a_full_queue_is_busy(world: World, writer: GroupCommit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.engine.group_commit, "MAX_WAITING", 3)
    async with slow_disk(writer):
        tasks = [asyncio.create_task(store(world, "a"))]
        await until(lambda: writer._thread.busy)
        tasks += [asyncio.create_task(store(world, code)) for code in "bcdefg"]
        await asyncio.wait(tasks[4:])
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers] == [bool] * 4 + [Busy] * 3
    assert await stored(world) == ["a", "b", "c", "d"]
    assert await store(world, "h")


async def test_an_operation_that_takes_too_long_is_undone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.engine.group_commit, "HOLD_SECONDS", 0.05)

    async def slow() -> None:
        async with world.database.write() as transaction:
            await add(transaction, "b")
            await asyncio.Event().wait()

    answers = await asyncio.gather(store(world, "a"), slow(), store(world, "c"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [bool, Busy, bool]
    assert "took too long" in str(answers[1])
    assert await stored(world) == ["a", "c"]


async def test_an_operations_own_timeout_stays_its_own(world: World) -> None:
    async def impatient() -> None:
        async with world.database.write() as transaction, asyncio.timeout(0.01):
            await add(transaction, "b")
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await impatient()
    async with world.database.write() as transaction:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        await add(transaction, "c")
    assert await stored(world) == ["c"]


async def test_a_transaction_ends_with_its_block(world: World) -> None:
    async with world.database.write() as transaction:
        pass
    with pytest.raises(sqlite3.ProgrammingError, match="ended"):
        await add(transaction, "a")

    async def leak() -> SqliteTransaction:
        async with world.database.write() as leaked:
            assert isinstance(leaked, SqliteTransaction)
            return leaked

    leaked = await leak()
    async with world.database.write() as other:
        # It may not write into the savepoint of another operation either.
        with pytest.raises(sqlite3.ProgrammingError, match="ended"):
            await add(leaked, "b")
        await add(other, "c")
    assert await stored(world) == ["c"]


async def test_an_operation_keeps_its_own_context(world: World) -> None:
    name: ContextVar[str] = ContextVar("name")

    async def operation(code: str) -> str:
        name.set(code)
        async with world.database.write() as transaction:
            await add(transaction, name.get())
            name.set(name.get() * 2)
        return name.get()

    answers = await asyncio.gather(*(asyncio.create_task(operation(code)) for code in "abc"))
    assert answers == ["aa", "bb", "cc"]
    assert await stored(world) == ["a", "b", "c"]


async def test_the_writer_keeps_nothing_of_the_request_that_started_it(world: World, writer: GroupCommit) -> None:
    # This is the first write.
    assert writer._alarm is None

    class Request:
        pass

    current: ContextVar[Request] = ContextVar("current")

    async def operation() -> weakref.ref[Request]:
        request = Request()
        current.set(request)
        assert await store(world, "a")
        return weakref.ref(request)

    request = await asyncio.create_task(operation())
    # Until then the loop itself still has the task in hand.
    await asyncio.sleep(0)
    gc.collect()
    assert request() is None


async def test_closing_lets_those_that_wait_finish_and_takes_no_others(world: World, database_url: str) -> None:
    waiting = [asyncio.create_task(store(world, code)) for code in "abc"]
    await asyncio.sleep(0)
    closing = asyncio.create_task(world.database.close())
    await asyncio.sleep(0)
    with pytest.raises(Busy, match="stopping"):
        await store(world, "d")
    assert await asyncio.gather(*waiting) == [True] * 3
    await closing
    again = await open_database(database_url)
    try:
        assert [code for code in await again.fetch(CODES) if code.islower()] == ["a", "b", "c"]
    finally:
        await again.close()


async def test_two_writers_of_one_file_take_turns(world: World, database_url: str) -> None:
    other = await open_database(database_url)
    version = Read(select(tables.products.c.version).where(tables.products.c.gtin == GTIN), lambda row: int(row[0]))
    raise_to = update(tables.products).where(tables.products.c.gtin == GTIN)

    async def count_up(database: Any) -> None:
        async with database.write() as transaction:
            current = (await transaction.fetch(version))[0]
            await asyncio.sleep(0)
            await transaction.execute(raise_to, {"version": current + 1})

    try:
        await asyncio.gather(*(count_up(database) for _ in range(20) for database in (world.database, other)))
        assert await claims.every(other) == await claims.every(world.database)
    finally:
        await other.close()
    assert await world.database.fetch(version) == [41]
