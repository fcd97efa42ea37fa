"""Changes leave for webhooks: each second a process looks where something is to be sent, and sends what no other does.

A webhook is taken on in the database for a minute at a time. Nothing is copied: it has a position in the sealed log,
which moves on once what is before it has arrived, in one commit for all that arrived within half a second. What is
killed in between is sent again by whoever takes it on next, with the same ids.
"""

import asyncio
import logging
import random
from collections import Counter, deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from db import deliveries, feed, history
from db.deliveries import Due, TakenOn
from db.engine.database import Database
from db.feed import Placed
from domain.changes import Change
from domain.deliveries import GONE, RESULTS, Answer, key_of, signature, wait_behind
from domain.errors import Busy, DomainError
from domain.history import DELIVERY
from domain.receivers import Network
from domain.webhooks import REMEMBERED, Delivery
from gateway.mail import Mailer
from gateway.regularly import Regularly
from gateway.webhooks.connection import Receiver
from gateway.webhooks.events import Message, body_of, of_change, of_test
from resolvers.cursors import cursor_secret
from resolvers.deliveries import managers_of, reader_of, wanted
from resolvers.feed import placed_behind
from resolvers.letters import Letter
from resolvers.operation import Context

EVERY_SECONDS = 1
LOOKS = 5
"""Where the log does not grow, only each fifth look asks for what is to be tried again."""
PATIENCE = timedelta(minutes=1)
"""How long what was taken on is left alone by others."""
BATCH = 25
"""How many changes are read at once, and how far what arrives may be ahead of what does not."""
LANES = 8
"""Requests to one receiver at a time. Changes of one product are in one lane, so that they arrive in their order."""
AT_ONCE = 4
"""How many requests are made in one turn of the event loop, in which those that the server answers wait for them."""
BATCH_SECONDS = 20
"""Behind so long, nothing more of a batch is begun, so that it ends within `PATIENCE`."""
STORE_SECONDS = 0.5
"""How long what has arrived may wait to be stored while more is sent: that costs as much as reading two batches."""
TURN_SECONDS = 10
"""How long a webhook with more to send keeps others from its place."""
PLACES = 32
"""Webhooks that a process sends to at a time."""
PLACES_OF_ONE = 4
"""The same of one organisation, so that receivers that hang keep nobody else's waiting."""
STOP_SECONDS = 5
"""How long what is on its way may take once the server is to stop."""

log = logging.getLogger("certgate.webhooks")


class Sent(NamedTuple):
    """What became of a batch."""

    arrived: set[int]
    """Positions."""
    failed: Answer | None
    tries: list[Delivery]


class _Outcome(NamedTuple):
    """What is to be stored behind a batch, when it is due again, and whether there is more to be sent at once."""

    state: dict[str, Any]
    due_at: datetime
    has_more: bool


class Sending(Regularly):
    """What one process sends; `counts` is how often which of `RESULTS` came of it."""

    def __init__(
        self,
        database: Database,
        mailer: Mailer,
        networks: Sequence[Network],
        counts: Counter[str] | None = None,
    ) -> None:
        super().__init__("Sending to webhooks", self._look, EVERY_SECONDS)
        self._database = database
        self._mailer = mailer
        self._networks = networks
        self._counts = Counter(dict.fromkeys(RESULTS, 0)) if counts is None else counts
        self._turns: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._end = self._looks = 0
        self.gate = asyncio.Semaphore(AT_ONCE)

    async def stop(self) -> None:
        """Ends it once what is on its way has arrived, or after some seconds."""
        await super().stop()
        turns = [turn for _, turn in self._turns.values()]
        if turns:
            _, late = await asyncio.wait(turns, timeout=STOP_SECONDS)
            for turn in late:
                turn.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def send_due(self, now: datetime) -> None:
        """Sends all that is due and that no other process sends, as far as there are places, and waits for it."""
        await self._begin(now)
        await asyncio.gather(*(turn for _, turn in self._turns.values()))

    async def _look(self) -> None:
        if self.is_stopping():
            return
        end, self._looks = await feed.end(self._database), self._looks + 1
        if end != self._end or self._looks % LOOKS == 0:
            await self._begin(datetime.now(UTC))
            # What had no place now has one later.
            self._end = end if len(self._turns) < PLACES else 0

    async def _begin(self, now: datetime) -> None:
        organizations = Counter(organization for organization, _ in self._turns.values())
        for due in await deliveries.due(self._database, now):
            if due.id in self._turns or organizations[due.organization_id] >= PLACES_OF_ONE:
                continue
            if len(self._turns) >= PLACES:
                break
            organizations[due.organization_id] += 1
            self._turns[due.id] = due.organization_id, asyncio.create_task(self._turn(due))

    async def _turn(self, due: Due) -> None:
        try:
            await self._send_to(due)
        except Busy as error:
            log.warning("A webhook could not be sent to (%s); it is tried again.", error.detail)
        except Exception:  # what befalls one webhook befalls no other
            log.exception("A webhook could not be sent to; it is tried again.")
        finally:
            del self._turns[due.id]

    async def _send_to(self, due: Due) -> None:
        ends = perf_counter() + TURN_SECONDS
        now = datetime.now(UTC)
        until = now + PATIENCE
        async with self._database.write() as transaction:
            taken = await deliveries.take_on(transaction, due, until, now)
        if taken is None:
            return
        receiver = Receiver(taken.webhook.url, self._networks)
        try:
            is_well, stored = False, perf_counter()
            while taken is not None:
                batch = await self._batch(taken, receiver, is_well=is_well)
                # Where more is due at once, it stays taken on, in the commit that says how far it has come.
                goes_on = batch.has_more and not self.is_stopping() and perf_counter() < ends
                if goes_on and perf_counter() < stored + STORE_SECONDS:
                    taken, is_well = taken.behind(batch.state), True
                    continue
                before, until, stored = until, datetime.now(UTC) + PATIENCE, perf_counter()
                is_ours = await self._store(taken, before, until if goes_on else batch.due_at, batch.state)
                taken = taken.behind(batch.state) if goes_on and is_ours else None
                is_well = True
        finally:
            receiver.close()

    async def _batch(self, taken: TakenOn, receiver: Receiver, *, is_well: bool) -> _Outcome:
        """Sends some of what waits."""
        webhook = taken.webhook
        context = Context(self._database, reader_of(webhook, taken.organization))
        secret = await cursor_secret(context)
        problem, found = "", list[Placed]()
        events: list[Message] = []
        try:
            if webhook.is_enabled:
                found = await placed_behind(context, taken.position, BATCH)
                events = [of_change(secret, *placed) for placed in await wanted(context, webhook, found)]
        except DomainError as error:
            problem = f"Its view cannot be shown: {error.detail}"
        courier = _Courier(self, taken, receiver, secret)
        if taken.test_id:
            await courier.deliver(of_test(taken.test_id, datetime.now(UTC)), 1)
        ahead = set(taken.ahead)
        sent = await courier.send([event for event in events if event.position not in ahead], is_well=is_well)
        now = datetime.now(UTC)
        state = _state_behind(taken, [position for position, _ in found], events, sent, problem, now)
        due_at = state.pop("due_at")
        return _Outcome(state, due_at, len(found) == BATCH and due_at <= now)

    async def _store(self, taken: TakenOn, until: datetime, again: datetime, state: dict[str, Any]) -> bool:
        """Stores how far it has come, and when it is due again; False where it is no longer this process's.

        That moment is another one each time, by which others see that it has changed.
        """
        webhook = taken.webhook
        async with self._database.write() as transaction:
            is_ours = await deliveries.moved(transaction, webhook.id, until, again, **state)
            is_disabled = is_ours and state.get("is_enabled") is False
            if is_disabled:
                disabled = msgspec.structs.replace(webhook, is_enabled=False)
                change = Change(webhook, disabled)
                await history.tell(transaction, change, datetime.now(UTC), "disableWebhook", DELIVERY)
        if is_disabled:
            await self._tell(taken, state["problem"])
        return is_ours

    def count(self, answer: Answer) -> None:
        """Counts a try."""
        self._counts[answer.result] += 1

    @property
    def site(self) -> str:
        """The address of this server."""
        return self._mailer.site

    async def _tell(self, taken: TakenOn, problem: str) -> None:
        webhook = taken.webhook
        log.warning("The webhook %s is disabled: %s", webhook.id, problem)
        if not self._mailer.sends:
            return
        for email in await managers_of(self._database, webhook.organization_id):
            text = (
                f"Nothing is sent any more to the webhook {webhook.id} ({webhook.description or 'without description'})"
                f" of {taken.organization.name}: {problem}\n\n"
                "Nothing is lost: once it is enabled again, it goes on where it was.\n"
            )
            mark = f"webhook.{webhook.id}.{taken.position}.{taken.attempts}"
            await self._mailer.send(Letter(email, f"{taken.organization.name}: a webhook was disabled", text, mark))


class _Courier:
    """Takes events to one receiver."""

    def __init__(self, sending: Sending, taken: TakenOn, receiver: Receiver, secret: str) -> None:
        self._sending = sending
        self._taken = taken
        self._keys = [key_of(each) for each in taken.secrets]
        self._receiver = receiver
        self._secret = secret
        self._arrived: set[int] = set()
        self._failed: Answer | None = None
        self._tries: deque[Delivery] = deque(maxlen=REMEMBERED)

    async def send(self, events: Sequence[Message], *, is_well: bool) -> Sent:
        """Sends events, those of each lane one after the other, until one does not arrive."""
        ends = perf_counter() + BATCH_SECONDS
        # Whether the receiver is well is found out by one request, and not by one in each lane.
        if is_well or (events and await self.deliver(events[0], self._taken.attempts + 1)):
            lanes: dict[int, list[Message]] = {}
            for event in events if is_well else events[1:]:
                lanes.setdefault(crc32(event.lane.encode()) % LANES, []).append(event)
            await asyncio.gather(*(self._lane(lane, ends) for lane in lanes.values()))
        return Sent(self._arrived, self._failed, [*self._tries])

    async def _lane(self, events: Sequence[Message], ends: float) -> None:
        for event in events:
            if self._failed is not None or self._sending.is_stopping() or perf_counter() > ends:
                return
            if not await self.deliver(event, 1):
                return

    async def deliver(self, event: Message, attempt: int) -> bool:
        """Sends one event; whether it has arrived."""
        # A request that asks the database several times would else wait each time for one of each lane of all webhooks.
        async with self._sending.gate:
            await asyncio.sleep(0)
        body = body_of(event, self._taken.webhook, self._sending.site, self._secret)
        at, began = datetime.now(UTC), perf_counter()
        timestamp = int(at.timestamp())
        signed = signature(self._keys, event.id, timestamp, body)
        headers = f"webhook-id: {event.id}\r\nwebhook-timestamp: {timestamp}\r\nwebhook-signature: {signed}\r\n"
        answer = await self._receiver.post(headers.encode(), body)
        milliseconds = round((perf_counter() - began) * 1000)
        self._sending.count(answer)
        self._tries.append(Delivery(at, event.id, event.type, attempt, answer.status, milliseconds, answer.text))
        if event.position == 0:
            return answer.arrived
        if answer.arrived:
            self._arrived.add(event.position)
        elif self._failed is None:
            self._failed = answer
        return answer.arrived


def _state_behind(
    taken: TakenOn, found: Sequence[int], events: Sequence[Message], sent: Sent, problem: str, now: datetime
) -> dict[str, Any]:
    """What is stored once a batch was sent of what was found at these positions."""
    arrived = sent.arrived | set(taken.ahead)
    missing = [event.position for event in events if event.position not in arrived]
    tries = msgspec.to_builtins([*reversed(sent.tries)])
    state: dict[str, Any] = {"test_id": "", "deliveries": [*tries, *taken.deliveries][:REMEMBERED], "due_at": now}
    if missing:
        position = max((each for each in found if each < missing[0]), default=taken.position)
        ahead = sorted(each for each in arrived if each > position)
    else:
        position, ahead = found[-1] if found else taken.position, []
    state |= {"position": position, "ahead": ahead}
    if sent.failed is None and not problem:
        return state | ({"attempts": 0, "failing_since": None, "problem": ""} if found else {})
    return state | _failed(taken, sent.failed or Answer(None, problem, "refused"), position > taken.position, now)


def _failed(taken: TakenOn, answer: Answer, moved: bool, now: datetime) -> dict[str, Any]:
    """The same where something did not arrive."""
    attempts = 1 if moved else taken.attempts + 1
    wait = None if answer.status == GONE else wait_behind(attempts, answer.after, random.random())  # noqa: S311
    why = f"The receiver answered {answer.status}." if answer.status else answer.text
    state: dict[str, Any] = {
        "attempts": attempts,
        "failing_since": now if moved else taken.webhook.failing_since or now,
        "problem": why[:255],
    }
    if wait is None:
        ended = "it wants nothing more" if answer.status == GONE else f"so it was tried {attempts} times"
        return state | {"is_enabled": False, "attempts": 0, "problem": f"{why[:200].rstrip('.')}: {ended}."}
    return state | {"due_at": now + wait}
