"""Seven tenths of what two workers can do, for ten minutes: how memory, descriptors and answers' times go on."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from statistics import linear_regression
from time import perf_counter
from urllib.parse import urlsplit

import psutil

from tests import postgresql, sweeper
from tests.drills.load import DURABLE, PRODUCTS, UNLIMITED, gtin_of, set_up, stored
from tests.processes import serving

CONNECTIONS = 16
SHARE = 0.7
ROUNDS = 10
"""Before each it is seen how much that is."""
MOST_GROWTH = 2 << 20
"""Bytes of memory by which all processes together may grow in a minute, once a third of the time is over."""
ONE = """query ($gtin: String!) { product(gtin: $gtin) { name brand
  certifications { certificateNumber certification { label } } claims { claim { label } } } }"""
SOME = "{ products(first: 25) { nodes { gtin name certifications { id } } pageInfo { endCursor } } }"


class Load:
    """Of a hundred requests 90 ask for a product, 5 for a list, and 5 make a product."""

    def __init__(self, address: str, key: str, gtins: list[str]) -> None:
        target = urlsplit(address)
        self._host, self._port = str(target.hostname), target.port
        self._key = key
        self._gtins = gtins
        self._numbers = count()
        self.times: list[float] = []
        """How long answers took, in seconds."""
        self.late: list[float] = []
        """And with the time since each was due."""
        self.statuses: Counter[str] = Counter()

    def _next(self) -> bytes:
        number = next(self._numbers)
        path, body = "/graphql", {"query": ONE, "variables": {"gtin": self._gtins[number % len(self._gtins)]}}
        if number % 20 == 7:
            body = {"query": SOME}
        elif number % 20 == 13:
            path, body = PRODUCTS, {"gtin": gtin_of(number), "product_name": "Oats"}
        text = json.dumps(body)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {self._key}\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode()

    async def _ask(self, until: float, due: Callable[[], float]) -> None:
        """Asks over one connection when each request is due."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        while (at := due()) < until:
            await asyncio.sleep(at - perf_counter())
            sent = perf_counter()
            writer.write(self._next())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await reader.readexactly(int(head.partition("content-length:")[2].split("\r\n")[0]))
            self.times.append(perf_counter() - sent)
            self.late.append(perf_counter() - at)
            self.statuses[head.split()[1]] += 1
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def ask(self, seconds: float, rate: float = 0) -> float:
        """Asks for so long, so often a second, or as often as answers come; how many a second were answered."""
        start, before = perf_counter(), len(self.times)
        each = count()

        def due() -> float:
            return start + next(each) / rate if rate else perf_counter()

        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._ask(start + seconds, due))
        return (len(self.times) - before) / (perf_counter() - start)


def _memory_and_files(server: psutil.Process) -> tuple[int, int]:
    """Bytes that the processes of the server have to themselves, and descriptors."""
    family = [server, *server.children(recursive=True)]
    return sum(each.memory_full_info().uss for each in family), sum(each.num_fds() for each in family)


async def _watch(server: psutil.Process, seen: list[tuple[float, int, int]], period: float) -> None:
    start = perf_counter()
    while True:
        await asyncio.sleep(period)
        seen.append((perf_counter() - start, *await asyncio.to_thread(_memory_and_files, server)))


def _share(times: list[float], percent: int) -> str:
    return f"{times[len(times) * percent // 100] * 1000:.1f} ms"


async def _soaked(url: str, seconds: int) -> str:
    key = set_up(url)
    gtins = [*await stored(url)]
    seen: list[tuple[float, int, int]] = []
    with serving(url, CERTGATE_WORKERS="2", CERTGATE_LOG_LEVEL="critical", **UNLIMITED) as (process, address):
        load = Load(address, key, gtins)
        await load.ask(2)
        watching = asyncio.create_task(_watch(psutil.Process(process.pid), seen, seconds / 100))
        rates, times, late = [], [], []
        # What the machine has left for it changes.
        for _ in range(ROUNDS):
            most = await load.ask(seconds / ROUNDS * 0.1)
            load.times.clear()
            load.late.clear()
            rates.append(await load.ask(seconds / ROUNDS * 0.9, most * SHARE))
            times += load.times
            late += load.late
        watching.cancel()
    times.sort()
    late.sort()
    assert load.statuses.keys() <= {"200", "201"}, load.statuses
    later = seen[len(seen) // 3 :]
    at, memory, files = zip(*later, strict=True)
    growth = linear_regression(at, memory).slope * 60
    opened = linear_regression(at, files).slope * 60
    if seconds >= 600:
        assert growth < MOST_GROWTH, f"memory grows by {growth:,.0f} bytes a minute"
        assert abs(opened) < 1, f"descriptors grow by {opened:.1f} a minute"
    return (
        f"{len(times):,} requests in {seconds} s, {min(rates):.0f} to {max(rates):.0f} a second; half answered within"
        f" {_share(times, 50)}, 99 % within {_share(times, 99)}, since they were due {_share(late, 99)}; memory"
        f" {seen[0][1] / 2**20:.0f} MiB at first, {memory[-1] / 2**20:.0f} at the end, in the last two thirds"
        f" {growth / 1024:+.0f} KiB a minute; descriptors {seen[0][2]}, {files[-1]}, {opened:+.2f} a minute"
    )


def drill(short: bool) -> Iterator[str]:
    """Both databases, two workers."""
    seconds = 4 if short else 600
    file = f"sqlite:///{sweeper.folder('soak')}/certgate.db"
    yield f"SQLite: {asyncio.run(_soaked(file, seconds))}"
    with postgresql.started(DURABLE) as server:
        yield f"PostgreSQL: {asyncio.run(_soaked(server.get_uri(), seconds))}"
