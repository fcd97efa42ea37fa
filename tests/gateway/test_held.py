"""Figures that are kept: found once for all who ask at the same time, and renewed without anybody waiting."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.access import Caller
from domain.records import Organization
from domain.short_id import ShortId
from domain.vocabulary import Role
from resolvers.operation import Context
from tests.world import NOON
from workbench.held import LATE, LIFE, held


class Counted:
    """Something to be found, which waits until it may be, and fails when told to."""

    def __init__(self) -> None:
        self.times = 0
        self.may = asyncio.Event()
        self.may.set()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        await self.may.wait()
        if self.error is not None:
            raise self.error
        self.times += 1
        return self.times


class Nothing:
    """A database that nobody asks."""


@pytest.fixture
def asked() -> Any:
    database: Any = Nothing()
    organization = Organization(id=ShortId("x"), slug="x", name="X")
    caller = Caller(key_id=ShortId("x"), kind=None, role=Role.EDITOR, organization=organization)

    async def ask(find: Counted, at: datetime, *, anew: bool = False) -> int:
        return (await held(Context(database, caller, at), "figures", find, anew=anew)).figures

    return ask


async def test_they_are_found_once_for_all_who_ask_at_the_same_time(asked: Any) -> None:
    find = Counted()
    find.may.clear()
    every = [asyncio.create_task(asked(find, NOON)) for _ in range(3)]
    await asyncio.sleep(0)
    every[0].cancel()  # its client left
    find.may.set()
    assert await asyncio.gather(*every[1:]) == [1, 1]
    assert await asked(find, NOON, anew=True) == 2


async def test_who_wants_them_anew_gets_a_search_that_began_no_earlier(asked: Any) -> None:
    find = Counted()
    find.may.clear()
    before = asyncio.create_task(asked(find, NOON))
    await asyncio.sleep(0)
    anew = [asyncio.create_task(asked(find, NOON, anew=True)) for _ in range(3)]
    await asyncio.sleep(0)
    anew[0].cancel()
    find.may.set()
    assert await asyncio.gather(before, *anew[1:]) == [1, 2, 2]
    # One that fails is no answer to who came behind it.
    find.may.clear()
    find.error = RuntimeError("The database is away.")
    before = asyncio.create_task(asked(find, NOON, anew=True))
    await asyncio.sleep(0)
    following = asyncio.create_task(asked(find, NOON, anew=True))
    await asyncio.sleep(0)
    find.may.set()
    with pytest.raises(RuntimeError):
        await before
    find.error = None
    assert await following == 3


async def test_they_are_renewed_while_nobody_waits(asked: Any) -> None:
    find, later = Counted(), NOON + LIFE + timedelta(seconds=1)
    assert await asked(find, NOON) == 1
    find.error = RuntimeError("The database is away.")
    assert await asked(find, later) == 1
    await asyncio.sleep(0.01)
    find.error = None
    assert await asked(find, later) == 1
    await asyncio.sleep(0.01)
    assert await asked(find, later) == 2
    # So old that they say nothing of today, they are waited for.
    assert await asked(find, later + 2 * LATE) == 3
