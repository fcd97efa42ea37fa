"""Counting in Redis or Valkey, for several workers or machines that share their callers.

Requests that arrive while a round trip is under way travel together in the next one, so that a crowd costs few round
trips and needs one connection, and a request on its own costs one. Each of them is counted by one script, which looks
at both windows and spends in one step, by the server's clock.

When the server does not count, requests are let through uncounted at once, and counting is tried in the background, by
the script itself: a primary that became a replica, or has no memory left, answers everything but what writes.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha1
from time import monotonic, time
from typing import Any

from valkey.asyncio import Connection, Valkey
from valkey.exceptions import ConnectionError as Disconnected
from valkey.exceptions import NoScriptError, ResponseError, ValkeyError

from db.engine.in_time import in_time
from gateway.limits.budgets import DAY, MINUTE, Budget, BudgetState, WindowLimits, nearer, unspent

PREFIX = "certgate:limit:"

TIMEOUT = 1.0
"""How many seconds a round trip may take. A server that is slower than that helps nobody."""

PAUSE = 1.0
"""How many seconds pass between two attempts at a server that did not count."""

SCRIPT = f"""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local units = tonumber(ARGV[1])
local lengths = {{{MINUTE * 1000}, {DAY * 1000}}}
local used, ends, fits = {{}}, {{}}, 1
-- Whoever spends, and what is spent from as well: of each the minute and the day.
for k, key in ipairs(KEYS) do
  local stored = redis.pcall('HMGET', key, 'minute_used', 'minute_end', 'day_used', 'day_end')
  if stored.err then
    -- It has our name and is no hash, so it is not ours; left there, it would turn the limit off.
    redis.call('DEL', key)
    stored = {{}}
  end
  for i = 1, 2 do
    local w = 2 * k - 2 + i
    used[w], ends[w] = tonumber(stored[2 * i - 1] or 0), tonumber(stored[2 * i] or 0)
    -- An end further away than the window is long means that the clock was set back.
    if ends[w] <= now or ends[w] - now > lengths[i] then
      used[w], ends[w] = 0, now + lengths[i]
    end
    if used[w] + units > tonumber(ARGV[w + 1]) then fits = 0 end
  end
end
local answer = string.format('%d %.0f', fits, now)
for k, key in ipairs(KEYS) do
  local m, d = 2 * k - 1, 2 * k
  if fits == 1 and units > 0 then
    used[m], used[d] = used[m] + units, used[d] + units
    redis.call('HSET', key,
      'minute_used', string.format('%d', used[m]), 'minute_end', string.format('%.0f', ends[m]),
      'day_used', string.format('%d', used[d]), 'day_end', string.format('%.0f', ends[d]))
    redis.call('PEXPIREAT', key, string.format('%.0f', math.max(ends[m], ends[d])))
  end
  answer = answer .. string.format(' %d %.0f %d %.0f', used[m], ends[m], used[d], ends[d])
end
return {{ok = answer}}
"""

_SHA = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()

log = logging.getLogger("certgate.limits")

_Charge = list[str | int]
"""How many keys, the keys, the units, and of each key the limit of the minute and that of the day."""

_Waiting = tuple[_Charge, "asyncio.Future[list[int] | None]"]

_PROBE: _Charge = [1, f"{PREFIX}probe", 1, 10**12, 10**12]
"""It writes, as every request does that is counted."""


def _packed(words: list[str | int]) -> bytes:
    """A command in the server's protocol."""
    encoded = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded])


def _charge(budget: Budget, units: int) -> _Charge:
    limits, shared = budget.limits, budget.shared
    if budget.anonymous:
        return [1, f"{PREFIX}address:{budget.subject}", units, limits.minute, limits.day]
    key = f"{PREFIX}caller:{budget.subject}"
    if shared is None:
        return [1, key, units, limits.minute, limits.day]
    total, most = f"{PREFIX}caller:{shared.subject}", shared.limits
    return [2, key, total, units, limits.minute, limits.day, most.minute, most.day]


def _standing(limits: WindowLimits, counted: list[int], place: int) -> BudgetState:
    """What the script counted for the key whose figures begin at that place of its answer."""
    minute_used, minute_end, day_used, day_end = counted[place : place + 4]
    return BudgetState(
        counted[0] == 1, limits, counted[1] / 1000, minute_used, minute_end / 1000, day_used, day_end / 1000
    )


class RedisLimiter:
    """Counts on the server at `url`, which is reached when first needed. Belongs to one event loop.

    `timeout` and `pause` are in seconds; `clock` says when the pause is over.
    """

    def __init__(
        self, url: str, *, timeout: float = TIMEOUT, pause: float = PAUSE, clock: Callable[[], float] = monotonic
    ) -> None:
        # A round trip has a time limit of its own: a busy event loop must not look like a silent server.
        pool: Any = Valkey.from_url(url, socket_connect_timeout=None, socket_timeout=None).connection_pool
        # Used directly: what the client does around a command costs more than everything else about it.
        self._connection: Connection = pool.make_connection()
        self._timeout = timeout
        self._pause = pause
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._sending: asyncio.Task[None] | None = None
        self._probe: asyncio.Task[bool] | None = None
        self._down = False
        self._next_probe = 0.0
        self.round_trips = 0

    async def charge(self, budget: Budget, units: int) -> BudgetState:
        """Spends units if they fit into both windows; fits whatever it is when the server does not count."""
        limits, shared = budget.limits, budget.shared
        if self._down:
            if self._clock() >= self._next_probe:
                self._start_probe()
            return unspent(limits, time())
        counted = await self._queue(_charge(budget, units))
        if counted is None:
            return unspent(limits, time())
        own = _standing(limits, counted, 2)
        return own if shared is None else nearer(own, _standing(shared.limits, counted, 6))

    async def check(self) -> bool:
        """Whether the server counts now; counting starts again if it does."""
        return await asyncio.shield(self._start_probe())

    async def close(self) -> None:
        """Ends the connection and what is under way on it."""
        for task in (self._sending, self._probe):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._disconnect()

    def _queue(self, charge: _Charge) -> "asyncio.Future[list[int] | None]":
        """What the script will answer; None when the server does not count."""
        answer: asyncio.Future[list[int] | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((charge, answer))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        return answer

    async def _send_all(self) -> None:
        """Sends what waits, batch after batch, until nothing waits any more."""
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                answers: list[Any] = [None] * len(batch)
                try:
                    answers = await in_time(self._ask([charge for charge, _ in batch]), self._timeout)
                except (OSError, ValkeyError) as error:
                    self._lost(error)
                    # Its name may lead to another server by now, and answers may be left unread.
                    await self._disconnect()
                finally:
                    for (_, answer), counted in zip(batch, answers, strict=True):
                        if not answer.done():  # its client went away
                            answer.set_result(counted)
        finally:
            self._sending = None

    async def _ask(self, charges: list[_Charge]) -> list[Any]:
        try:
            answers = await self._send(["EVALSHA", _SHA], charges)
        except Disconnected:
            # A connection that was idle may have been closed from the other side long ago.
            await self._disconnect()
            answers = await self._send(["EVALSHA", _SHA], charges)
        # A server that was started anew has forgotten the script, and has counted nothing for those.
        again = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if again:
            counted = await self._send(["EVAL", SCRIPT], [charges[place] for place in again])
            for place, answer in zip(again, counted, strict=True):
                answers[place] = answer
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    async def _send(self, command: list[str], charges: list[_Charge]) -> list[Any]:
        self.round_trips += 1
        connection = self._connection
        await connection.send_packed_command(b"".join([_packed([*command, *charge]) for charge in charges]))
        answers: list[Any] = []
        for _ in charges:
            # Each of them is read, also after a refusal, so that the next question meets its own answer.
            try:
                answers.append([*map(int, (await connection.read_response()).split())])
            except ResponseError as error:
                answers.append(error)
        return answers

    def _start_probe(self) -> "asyncio.Task[bool]":
        if self._probe is None:
            self._probe = asyncio.create_task(self._run_probe())
        return self._probe

    async def _run_probe(self) -> bool:
        try:
            if await self._queue(_PROBE) is None:
                return False
            if self._down:
                self._down = False
                log.warning("The server of CERTGATE_REDIS_URL counts again: rate limits are kept.")
            return True
        finally:
            self._probe = None

    async def _disconnect(self) -> None:
        with suppress(OSError, ValkeyError):
            await in_time(self._connection.disconnect(), self._timeout)

    def _lost(self, error: Exception) -> None:
        self._next_probe = self._clock() + self._pause
        if not self._down:
            self._down = True
            log.warning(
                "The server of CERTGATE_REDIS_URL does not count (%s: %s): rate limits are not kept and requests are"
                " let through until it does.",
                type(error).__name__,
                error,
            )
