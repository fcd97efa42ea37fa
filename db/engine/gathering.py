"""Who asks PostgreSQL in the same turn of the event loop shares a statement with those like it.

A statement costs both sides many times what one more key or row in it costs. What reads share are rows: everybody gets
those of its own keys, and makes its own records of them with its own definitions. Inserts share a commit, too, and each
is answered for itself. Nobody joins a statement that was sent before it asked, so what was committed by then is seen.

Who comes alone pays nothing for the others: it asks at once. It waits for the end of the turn only while one like it is
under way, or when others came along lately. Without the latter the first of a crowd would leave it each time and take
others along; under 16 connections there were three times as many statements. If everybody always waited, a lone
request for a product with what it holds would cost 8 % more, most of it for three more turns of the loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Generic, TypeVar

import asyncpg
from sqlalchemy import Dialect

from db.sql.compiled import Compiled
from db.sql.reads import KeyedRead, Row

A = TypeVar("A")

_MOST = 100
"""Keys or rows in one shared statement, so that nobody waits for much more than it asked for."""
_TURNS = 8
"""For so many more in which somebody waited in vain, others are expected."""
_FILL_TURNS = 8
"""For so many more those wait who insert: for the database, a commit of many costs little more than one of few."""
_ONE_IS_WRONG = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    # Two rows with the same key.
    asyncpg.CardinalityViolationError,
    # The product of one lies on a server that is gone (see `db.sharding`).
    asyncpg.ConnectionFailureError,
    # One has waited for what somebody else inserts.
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.TransactionRollbackError,
)
"""What befell all of a statement, and may befall only one of its rows alone."""
_ONE_KEY_IS_WRONG = (
    asyncpg.DataError,
    # Its rows lie on a server that is gone (see `db.sharding`).
    asyncpg.ConnectionFailureError,
)

Rows = list[Row]
Run = Callable[[Compiled, Mapping[str, Any]], Awaitable[Rows]]
Asked = Sequence[Any]
"""Keys or rows."""


class _Together(Generic[A]):
    """Those who share a statement: what each waits for, and what it asks. None for an answer stands for: ask alone."""

    def __init__(self) -> None:
        self.asks: dict[asyncio.Future[A | None], Asked] = {}
        self.size = 0
        self.answering: asyncio.Task[None] | None = None

    def waiting(self) -> list[tuple["asyncio.Future[A | None]", Asked]]:
        """Those who have not given up, even if they have not been told so yet."""
        return [ask for ask in self.asks.items() if not ask[0].done()]


class Gathering(Generic[A]):
    """Who asks the same of different keys or rows.

    `alone` answers one of them; `together` all, or each with None where they have to ask alone. For so many `turns`
    more they wait for those who have just been answered: they come back together.
    """

    def __init__(
        self,
        alone: Callable[[Asked], Awaitable[A]],
        together: Callable[[list[Asked]], Awaitable[Sequence[A | None]]],
        turns: int = 0,
    ) -> None:
        self._alone = alone
        self._together = together
        self._turns = turns
        # How many have asked and have no answer yet, and how many did when a statement was last shared.
        self._under_way = 0
        self._around = 0
        # For how many turns others are expected.
        self._crowded = 0
        self._next: _Together[A] | None = None

    async def ask(self, asked: Asked) -> A:
        """The answer for these keys or rows."""
        if self._under_way or self._crowded:
            answer = await self._share(asked)
            if answer is not None:
                return answer
        self._under_way += 1
        try:
            return await self._alone(asked)
        finally:
            self._under_way -= 1

    async def _share(self, asked: Asked) -> A | None:
        """None stands for asking by oneself."""
        loop = asyncio.get_running_loop()
        together = self._next
        if together is None or together.size + len(asked) > _MOST:
            together = self._next = _Together()
            loop.call_soon(self._end_turn, together, self._turns)
        answer: asyncio.Future[A | None] = loop.create_future()
        together.asks[answer] = asked
        together.size += len(asked)
        try:
            return await answer
        except asyncio.CancelledError:
            del together.asks[answer]
            if together.answering is not None and not together.asks:
                together.answering.cancel()
            raise

    def _end_turn(self, together: _Together[A], turns: int) -> None:
        if turns and self._next is together and len(together.asks) < self._around:
            asyncio.get_running_loop().call_soon(self._end_turn, together, turns - 1)
            return
        self._around = len(together.asks) + self._under_way
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

    async def _answer(self, together: _Together[A]) -> None:
        asks = dict(together.waiting())
        self._under_way += len(asks)
        try:
            answers = await self._together([*asks.values()])
        except Exception as error:  # noqa: BLE001 - it is everybody's
            for answer, _ in together.waiting():
                answer.set_exception(error)
        else:
            for answer, result in zip(asks, answers, strict=True):
                if not answer.done():
                    answer.set_result(result)
        finally:
            self._under_way -= len(asks)


def rows_of(dialect: Dialect, run: Run, read: KeyedRead[Any]) -> Gathering[Rows]:
    """Who asks for the rows of one read: those of its keys; `run` runs a statement."""

    async def alone(keys: Asked) -> Rows:
        of_keys, values = read.of(keys)
        return await run(of_keys.compiled(dialect).statement, values)

    async def together(asks: list[Asked]) -> list[Rows | None]:
        by_key: dict[Any, list[Row]] = {key: [] for key in chain.from_iterable(asks)}
        try:
            rows = await run(read.compiled(dialect).statement, {"keys": [*by_key]})
        except _ONE_KEY_IS_WRONG:
            # With which the others should not fail.
            return [None] * len(asks)
        row: Any
        for row in rows:
            by_key[row[read.key]].append(row)
        return [
            by_key[own[0]] if len(own) == 1 else [row for key in dict.fromkeys(own) for row in by_key[key]]
            for own in asks
        ]

    return Gathering(alone, together)


def inserts_into(run: Run, alone: Compiled, together: Compiled) -> Gathering[bool]:
    """Who inserts a row (see `db.sql.writes.insert_owned`): whether it was done; `run` runs a statement.

    Without a statement for those who come `together` each inserts alone.
    """

    async def insert(rows: Asked) -> bool:
        return bool(await run(alone, rows[0]))

    async def insert_all(asks: list[Asked]) -> list[bool | None]:
        try:
            done = {row[0] for row in await run(together, {"rows": [row for rows in asks for row in rows]})}
        except _ONE_IS_WRONG:
            return [None] * len(asks)
        return [rows[0]["id"] in done for rows in asks]

    return Gathering(insert, insert_all, _FILL_TURNS)
