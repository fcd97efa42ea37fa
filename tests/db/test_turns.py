"""Reads that may scan run in fair turns: what is counted is who runs when, never how long it takes."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import bindparam, func, literal_column, select

from db.engine import turns
from db.engine.database import Database
from db.engine.turns import Turns
from db.sql.reads import Read
from domain.errors import Busy

# Runs for a while, in a thread or on a connection of its own.
_numbers = select(literal_column("1").label("n")).cte("numbers", recursive=True)
_numbers = _numbers.union_all(
    select(literal_column("n + 1")).select_from(_numbers).where(literal_column("n") < bindparam("most"))
)
COUNT = Read(select(func.count()).select_from(_numbers), lambda row: int(row[0]), scans=True)


class Callers:
    """Callers whose reads last until they are told to end."""

    def __init__(self, line: Turns) -> None:
        self.line = line
        self.running: list[str] = []
        self.began: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, *names: str) -> None:
        """Reads of the callers whose names are the first letters."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._read(name))
        await self.settle()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def _read(self, name: str) -> None:
        turns.caller.set(name[0])
        async with self.line.turn():
            self.began.append(name)
            self.running.append(name)
            try:
                await self._ends[name].wait()
            finally:
                self.running.remove(name)


async def test_a_caller_has_half_of_the_places() -> None:
    callers = Callers(Turns(2))
    await callers.ask("a1", "a2", "a3", "a4", "a5", "a6")
    assert callers.running == ["a1"]
    await callers.ask("v1")
    assert callers.running == ["a1", "v1"]
    await callers.ask("v2")
    await callers.end("v1")
    assert callers.running == ["a1", "v2"]
    await callers.end("a1")
    assert callers.running == ["v2", "a2"]


async def test_callers_are_served_in_turn() -> None:
    callers = Callers(Turns(2))
    await callers.ask("a1", "b1", "a2", "a3", "a4", "b2", "b3", "v1", "a5", "v2", "w1")
    for name in ("a1", "b1", "a2", "b2", "v1", "w1", "a3", "b3", "v2", "a4"):
        await callers.end(name)
    await callers.end("a5")
    # Each of the others has its turn before one of them has its second.
    assert callers.began == ["a1", "b1", "a2", "b2", "v1", "w1", "a3", "b3", "v2", "a4", "a5"]
    await asyncio.gather(*callers.tasks.values())


async def test_who_goes_leaves_the_place_to_others() -> None:
    callers = Callers(Turns(2))
    await callers.ask("a1", "a2", "a3", "b1")
    callers.tasks["a2"].cancel()
    # In the moment of its turn, and as the next but gone.
    await callers.end("a1")
    assert callers.running == ["b1", "a3"]
    await callers.ask("a4", "a5")
    await callers.end("b1")
    callers._ends["a3"].set()
    callers.tasks["a3"].cancel()
    await callers.settle()
    callers.tasks["a4"].cancel()
    await callers.settle()
    assert callers.running == ["a5"]
    await callers.end("a5")
    await callers.ask("a6", "b2")
    assert callers.running == ["a6", "b2"]
    assert not callers.line._waiting


async def test_who_waits_for_too_long_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_WAIT_SECONDS", 0)
    callers = Callers(Turns(2))
    await callers.ask("a1", "a2")
    with pytest.raises(Busy, match="try again in a second"):
        await callers.tasks["a2"]
    await callers.ask("b1")
    assert callers.running == ["a1", "b1"]
    assert not callers.line._waiting


async def test_beyond_so_many_who_wait_one_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_WAITING", 2)
    callers = Callers(Turns(2))
    await callers.ask("a1", "a2", "b1", "b2")
    assert callers.running == ["a1", "b1"]
    await callers.ask("c1")
    with pytest.raises(Busy, match="Too many searches"):
        await callers.tasks["c1"]
    for name in ("a1", "b1", "a2", "b2"):
        await callers.end(name)
    assert callers.running == []


async def test_a_greedy_caller_keeps_nobody_waiting(database: Database) -> None:
    done: list[str] = []

    async def read(name: str, most: int) -> None:
        turns.caller.set(name)
        assert await database.fetch(COUNT, most=most) == [most]
        done.append(name)

    greedy = [asyncio.create_task(read("greedy", 300_000)) for _ in range(12)]
    await asyncio.sleep(0)
    for _ in range(3):
        await asyncio.create_task(read("victim", 1))
    # It waited for none that was there before it: on SQLite one ran beside it, on PostgreSQL three.
    assert done.count("greedy") < 6
    for task in greedy:
        task.cancel()
    for task in greedy:
        with suppress(asyncio.CancelledError):
            await task
    assert await database.fetch(COUNT, most=5) == [5]
