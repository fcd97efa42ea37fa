"""What is counted: requests and how long they took, statements, and how the process is.

A request adds to a list of numbers and no more; once a second a process writes its figures where those who answer on
the same port find them (see `gateway.telemetry.board`). `gateway.telemetry.exposition` makes Prometheus' form of them
when somebody asks. The client library's own histograms would cost a request several times as much.
"""

import asyncio
import logging
import os
import time
from bisect import bisect_left
from collections import Counter
from time import perf_counter
from typing import Protocol

import msgspec
from starlette.types import Scope

from db.engine.database import Database
from db.engine.noting import Notes, sum_up
from execution.documents.document import Operation
from gateway.telemetry.board import Board
from gateway.telemetry.requests import GONE, asked_by

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: how many requests took so long at most is counted for each, and how many longer."""
SECONDS = len(BOUNDS) + 1
"""Where the sum of the seconds stands, behind the counts of a tally."""
LEVELS = {logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "critical"}

_TICK_SECONDS = 1.0
_MOST_KINDS = 5_000
"""Kinds of requests that are told apart; there are fewer unless something is wrong."""

Kind = tuple[str, str, int, str]
"""Of a request: its face, operation, status and code."""

log = logging.getLogger("certgate.metrics")


class Connected(Protocol):
    """What is asked of the server: `gateway.http_protocol.Http`."""

    under_way: int

    @property
    def connected(self) -> int:
        """How many connections there are."""
        ...


class Process(msgspec.Struct):
    """How a process is. Only its own figures, not those of who had its place before."""

    number: int
    alive: bool = True
    started: float = 0.0
    cpu_seconds: float = 0.0
    resident_bytes: int = 0
    open_files: int = 0
    loop_delay: float = 0.0
    """By how much the event loop was late, in seconds, the longest since a little while."""
    under_way: int = 0
    connections: int = 0
    waiting: int = 0
    """Who waits for a connection to the database."""


class Figures(msgspec.Struct):
    """What one place on the board has: sums, which only grow, and how the process is."""

    process: Process
    requests: list[tuple[Kind, list[float]]]
    troubles: dict[str, int]
    logged: dict[str, int]
    statements: int
    statement_seconds: float
    deliveries: dict[str, int]
    """Tries to deliver something to webhooks, by what came of them."""


class Logged(logging.Handler):
    """Counts what is logged from warnings on."""

    def __init__(self, counts: Counter[str]) -> None:
        super().__init__(logging.WARNING)
        self._counts = counts

    def emit(self, record: logging.LogRecord) -> None:
        """Counts it."""
        self._counts[LEVELS.get(record.levelno, "error")] += 1


class Metrics:
    """The figures of this process, and with a board those of all that answer on its port; `place` is its own there."""

    def __init__(self, database: Database, board: Board | None = None, place: int = 0) -> None:
        self._database = database
        self._board = board
        self._place = place
        self._tallies: dict[Kind, list[float]] = {}
        # Those of what went well by what is found in no time: endpoints, routes and kinds of operations, kept for that.
        self._well: dict[int, list[float]] = {}
        self._known: list[object] = []
        self._sums = sum_up()
        self._logged: Counter[str] = Counter()
        self.deliveries: Counter[str] = Counter()
        self._process = Process(place, started=time.time())
        self._before: Figures | None = None
        """What who had the place before has counted."""
        self._timer: asyncio.TimerHandle | None = None
        self._handler = Logged(self._logged)
        self.server: Connected | None = None

    def count(self, scope: Scope, status: int, began: float, notes: Notes | None) -> None:
        """Counts a request that was answered: a `gateway.http_protocol.Observe`."""
        seconds = perf_counter() - began
        state = scope["state"]
        operation = state.get("operation")
        if operation.__class__ is Operation:
            # Documents come and go; there are two kinds of what they do.
            operation = operation.kind
        key = id(operation) if status == 200 and "code" not in state else 0
        tally = self._well.get(key)
        if tally is None:
            tally = self._tally(scope, status)
            # What has no operation may be anything.
            if key and operation is not None:
                self._well[key] = tally
                self._known.append(operation)
        tally[bisect_left(BOUNDS, seconds)] += 1
        tally[SECONDS] += seconds

    def _tally(self, scope: Scope, status: int) -> list[float]:
        state = scope["state"]
        asked = asked_by(state.get("operation"), scope["path"])
        kind = asked.face, asked.operation, status or GONE, state.get("code", "")
        if kind not in self._tallies and len(self._tallies) >= _MOST_KINDS:
            kind = "", "", status, ""
        return self._tallies.setdefault(kind, [0] * (SECONDS + 1))

    def start(self) -> None:
        """To be called in the event loop, once the server answers."""
        logging.getLogger().addHandler(self._handler)
        self.take_over()
        self._tick(asyncio.get_running_loop().time())

    def take_over(self) -> None:
        """Goes on with what was counted by who had the place before."""
        if self._board is not None and (left := self._board.read(self._place)):
            self._before = msgspec.msgpack.decode(left, type=Figures)

    def stop(self) -> None:
        """To be called when the server stops."""
        logging.getLogger().removeHandler(self._handler)
        if self._timer is not None:
            self._timer.cancel()
        self._process.alive = False
        self._show()

    def all(self) -> list[Figures]:
        """The figures of every process, this one's as they are now."""
        own = self.figures()
        if self._board is None:
            return [own]
        self._board.write(self._place, msgspec.msgpack.encode(own))
        return [msgspec.msgpack.decode(text, type=Figures) for text in self._board.read_all() if text]

    def figures(self) -> Figures:
        """Those of this process and of who had its place before."""
        self._look()
        own = Figures(
            self._process,
            [*self._tallies.items()],
            dict(self._database.troubles),
            dict(self._logged),
            self._sums.count,
            self._sums.seconds,
            dict(self.deliveries),
        )
        before = self._before
        if before is not None:
            own.requests = _added(own.requests, before.requests)
            own.troubles = dict(Counter(own.troubles) + Counter(before.troubles))
            own.logged = dict(Counter(own.logged) + Counter(before.logged))
            own.deliveries = dict(Counter(own.deliveries) + Counter(before.deliveries))
            own.statements += before.statements
            own.statement_seconds += before.statement_seconds
        return own

    def _look(self) -> None:
        process, server = self._process, self.server
        process.cpu_seconds = time.process_time()
        process.resident_bytes, process.open_files = _memory_and_files()
        process.waiting = self._database.waiting
        if server is not None:
            process.under_way, process.connections = server.under_way, server.connected

    def _tick(self, due: float) -> None:
        loop = asyncio.get_running_loop()
        # What was long stays to be seen for as long as it takes somebody to look.
        self._process.loop_delay = max(loop.time() - due, self._process.loop_delay * 0.95)
        self._show()
        due = loop.time() + _TICK_SECONDS
        self._timer = loop.call_at(due, self._tick, due)

    def _show(self) -> None:
        if self._board is not None and not self._board.write(self._place, msgspec.msgpack.encode(self.figures())):
            log.error("There are too many kinds of requests for the other workers to be told of this one's.")


def _added(
    first: list[tuple[Kind, list[float]]], second: list[tuple[Kind, list[float]]]
) -> list[tuple[Kind, list[float]]]:
    sums = {kind: [*tally] for kind, tally in first}
    for kind, tally in second:
        own = sums.get(kind)
        sums[kind] = tally if own is None else [a + b for a, b in zip(own, tally, strict=True)]
    return [*sums.items()]


def _memory_and_files() -> tuple[int, int]:
    """Bytes of memory that are there and files that are open, where the system tells; else 0."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - half the time of a path's
            pages = int(file.read().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - likewise
    except OSError:
        return 0, 0
