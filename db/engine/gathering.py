"""Reads by key share a statement with those like them that come in the same turn of the event loop.

A statement costs both sides many times what one more key in it costs. What is shared are rows: everybody gets those of
its own keys, and makes its own records of them with its own definitions. Nobody joins a statement that was sent before
it asked, so what was committed by then is seen.

Who comes alone pays nothing for the others: its read goes out at once. It waits for the end of the turn only while one
like it is under way, or when others came along lately. Without the latter the first of a crowd would leave it each time
and take others along; under 16 connections there were three times as many statements. If everybody always waited, a
lone request for a product with what it holds would cost 8 % more, most of it for three more turns of the loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Generic

import asyncpg
from sqlalchemy import Dialect

from db.sql.compiled import Compiled
from db.sql.reads import Built, KeyedRead, R, Row

_MOST_KEYS = 100
"""In one shared statement, so that nobody waits for much more than it asked for."""
_TURNS = 8
"""For so many more in which somebody waited in vain, others are expected."""

Rows = Sequence[Row]


class _Together:
    """Those who share a statement: what each waits for, and its keys. None for an answer stands for: ask alone."""

    def __init__(self) -> None:
        self.asks: dict[asyncio.Future[Rows | None], Sequence[Any]] = {}
        self.keys = 0
        self.answering: asyncio.Task[None] | None = None

    def waiting(self) -> list[tuple["asyncio.Future[Rows | None]", Sequence[Any]]]:
        """Those who have not given up, even if they have not been told so yet."""
        return [ask for ask in self.asks.items() if not ask[0].done()]


class Gathering(Generic[R]):
    """Who asks for the rows of one read; `run` runs a statement."""

    def __init__(
        self, dialect: Dialect, run: Callable[[Compiled, Mapping[str, Any]], Awaitable[Rows]], read: KeyedRead[R]
    ) -> None:
        self._dialect = dialect
        self._run = run
        self._read = read
        # How many statements have no answer yet.
        self._under_way = 0
        # For how many turns others are expected.
        self._crowded = 0
        self._next: _Together | None = None

    async def rows(self, keys: Sequence[Any]) -> tuple[Built[R], Rows]:
        """The rows of these keys, and what makes records of them."""
        if self._under_way or self._crowded:
            rows = await self._share(keys)
            if rows is not None:
                return self._read.compiled(self._dialect), rows
        read, values = self._read.of(keys)
        built = read.compiled(self._dialect)
        self._under_way += 1
        try:
            return built, await self._run(built.statement, values)
        finally:
            self._under_way -= 1

    async def _share(self, keys: Sequence[Any]) -> Rows | None:
        """None stands for asking by oneself."""
        loop = asyncio.get_running_loop()
        together = self._next
        if together is None or together.keys + len(keys) > _MOST_KEYS:
            together = self._next = _Together()
            loop.call_soon(self._end_turn, together)
        answer: asyncio.Future[Rows | None] = loop.create_future()
        together.asks[answer] = keys
        together.keys += len(keys)
        try:
            return await answer
        except asyncio.CancelledError:
            del together.asks[answer]
            if together.answering is not None and not together.asks:
                together.answering.cancel()
            raise

    def _end_turn(self, together: _Together) -> None:
        if self._next is together:
            self._next = None
        waiting = together.waiting()
        if len(waiting) > 1:
            self._crowded = _TURNS
            # In a task, because each of those who wait may be cancelled.
            together.answering = asyncio.get_running_loop().create_task(self._answer(together))
            return
        self._crowded = max(self._crowded - 1, 0)
        if waiting:
            waiting[0][0].set_result(None)

    async def _answer(self, together: _Together) -> None:
        keys = list(dict.fromkeys(chain.from_iterable(together.asks.values())))
        self._under_way += 1
        try:
            rows = await self._run(self._read.compiled(self._dialect).statement, {"keys": keys})
        except asyncpg.DataError:
            # One of the keys is the reason, with which the others should not fail.
            for answer, _ in together.waiting():
                answer.set_result(None)
        except Exception as error:  # noqa: BLE001 - it is everybody's
            for answer, _ in together.waiting():
                answer.set_exception(error)
        else:
            name = self._read.key
            by_key: dict[Any, list[Row]] = {key: [] for key in keys}
            row: Any
            for row in rows:
                by_key[row[name]].append(row)
            for answer, own in together.waiting():
                answer.set_result(
                    by_key[own[0]] if len(own) == 1 else [row for key in dict.fromkeys(own) for row in by_key[key]]
                )
        finally:
            self._under_way -= 1
