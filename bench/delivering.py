"""Webhooks: what a delivery takes, and what readers notice of a thousand a second."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec

from bench import accounting, data, load
from bench.questions import WORKLOADS, Question
from bench.servers import ROOT, Server, ServerError

WEBHOOKS = 4
"""As many as a process sends to at a time, of one organisation."""
ROWS = 100
PAUSE = 0.4
"""One mutation of so many rows in so many seconds makes a thousand deliveries a second."""
READERS = 4
_PATIENCE = 120
_rounds = count(1)

_RENAME = """mutation Rename($rows: [PatchProductInput!]!) {
  patchProducts(input: $rows) { ... on PatchProductRows { done } }
}"""


class Delivered(msgspec.Struct, frozen=True):
    """Deliveries to webhooks on loopback, made as fast as they can be; and the p99 of reads in milliseconds.

    These are asked while rows are changed at a pace: without webhooks, and with a thousand deliveries a second.
    """

    server: str
    deliveries: int
    seconds: float
    cpu_seconds: float
    database_seconds: float
    without_ms: float
    meanwhile_ms: float


class _Receiver:
    """A process that takes all deliveries."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = self._number()

    def taken(self) -> int:
        """How many it has taken."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._number()

    def wait(self, number: int) -> None:
        """Returns once it has taken so many. Raises `ServerError`."""
        end = time.perf_counter() + _PATIENCE
        while (taken := self.taken()) < number:
            if time.perf_counter() > end:
                raise ServerError(f"Of {number} deliveries to webhooks {taken} arrived within {_PATIENCE} seconds.")
            time.sleep(0.01)

    def _number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def measure(servers: Sequence[Server], changes: int, seconds: float, folder: Path) -> list[Delivered]:
    """Has each tell webhooks of so many changes, and of others for that long at a pace.

    Raises `ServerError` and `LoadError`.
    """
    return [_measure(server, changes, seconds, folder) for server in servers]


def _measure(server: Server, changes: int, seconds: float, folder: Path) -> Delivered:
    with _receiver() as receiver:
        without_ms, _ = _at_pace(server, seconds, folder)
        ids = [_make(server, receiver.port) for _ in range(WEBHOOKS)]
        meanwhile_ms, number = _at_pace(server, seconds, folder)
        receiver.wait(number := number * WEBHOOKS)
        _enable(server, ids, is_enabled=False)
        rows = -(-changes // ROWS) * ROWS
        for _ in range(rows // ROWS):
            _rename(server)
        # Until the log is sealed.
        time.sleep(3)
        cpu, database = accounting.cpu_seconds(server.process), server.database_seconds()
        began = time.perf_counter()
        _enable(server, ids, is_enabled=True)
        receiver.wait(number + rows * WEBHOOKS)
        took = time.perf_counter() - began
        cpu, database = accounting.cpu_seconds(server.process) - cpu, server.database_seconds() - database
        for id in ids:
            server.ask(Question("DELETE", f"{_address(server)}/{id}"))
    return Delivered(server.name, rows * WEBHOOKS, took, cpu, database, without_ms, meanwhile_ms)


def _at_pace(server: Server, seconds: float, folder: Path) -> tuple[float, int]:
    """The p99 of reads in milliseconds while rows are changed, and of how many."""
    file, changed, stopped = folder / "readers", 0, False
    asker = server.asker(1)
    load.write_requests(file, (WORKLOADS["Q1"].write(asker, 0).to_bytes(server.headers) for _ in range(1_000)))

    def change() -> None:
        nonlocal changed
        due = time.perf_counter()
        while not stopped:
            changed += _rename(server)
            due += PAUSE
            time.sleep(max(0.0, due - time.perf_counter()))

    changing = Thread(target=change)
    changing.start()
    try:
        # The log is sealed each second, and what it has is sent within another one.
        time.sleep(min(seconds, 2))
        found = load.fire(server.port, file, seconds, READERS, wrk=False)
    finally:
        stopped = True
        changing.join()
    return found.p99 * 1e3, changed


def _rename(server: Server) -> int:
    """Changes the next products; how many."""
    rows = [
        {"gtin": data.gtin(number % server.products), "name": f"Product {each}"}
        for each in [next(_rounds)]
        for number in range(each * ROWS, (each + 1) * ROWS)
    ]
    body = json.dumps({"query": _RENAME, "variables": {"rows": rows}}).encode()
    answer = server.ask(Question("POST", "/graphql", body))["data"]["patchProducts"]
    if answer.get("done") != ROWS:
        raise ServerError(f"{server.name} refused to change products: {answer}")
    return ROWS


def _make(server: Server, port: int) -> str:
    body = json.dumps({"url": f"http://127.0.0.1:{port}/"}).encode()
    made: dict[str, Any] = server.ask(Question("POST", _address(server), body))
    return str(made["id"])


def _enable(server: Server, ids: Sequence[str], *, is_enabled: bool) -> None:
    for id in ids:
        server.ask(Question("PATCH", f"{_address(server)}/{id}", json.dumps({"is_enabled": is_enabled}).encode()))


def _address(server: Server) -> str:
    whoami = server.ask_graphql("{ viewer { organization { id } } }")["data"]["viewer"]
    return f"/account/api/v1/organizations/{whoami['organization']['id']}/webhooks"


@contextmanager
def _receiver() -> Iterator[_Receiver]:
    command = [sys.executable, "-m", "bench.receiver"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _Receiver(process)
        finally:
            process.kill()
