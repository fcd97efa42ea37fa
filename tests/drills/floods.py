"""Floods of connections, slow clients, invalid keys, large heads and new documents, while a caller asks."""

import asyncio
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from itertools import count
from time import perf_counter
from typing import Any

import httpx2

from tests import postgresql, sweeper
from tests.drills.load import UNLIMITED, set_up
from tests.processes import serving, started

GTIN = "00000080050698"
QUESTION = {
    "query": "query ($gtin: String!) { product(gtin: $gtin) { name certifications { certification { label } } } }",
    "variables": {"gtin": GTIN},
}
_numbers = count()

Flood = Callable[[str, int, asyncio.Event], Coroutine[Any, Any, None]]


async def _opened(host: str, port: int, sent: bytes, over: asyncio.Event) -> None:
    """A connection on which something is sent, once, and nothing more."""
    _, writer = await asyncio.open_connection(host, port)
    writer.write(sent)
    await over.wait()
    writer.close()


async def _asked(host: str, port: int, request: Callable[[], bytes], over: asyncio.Event) -> None:
    """One request after the other, each on a connection of its own."""
    while not over.is_set():
        try:
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(request())
            await reader.read(65536)
            writer.close()
        except OSError:
            await asyncio.sleep(0.01)


def _post(key: str, body: str) -> bytes:
    return (
        f"POST /graphql HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    ).encode()


FLOODS = ("idle connections", "slow heads", "invalid keys", "large heads", "new documents")


def _floods(key: str, size: int) -> dict[str, list[Flood]]:
    """Of each kind as many clients as it takes."""

    def opened(sent: bytes) -> Flood:
        return lambda host, port, over: _opened(host, port, sent, over)

    def asked(request: Callable[[], bytes]) -> Flood:
        return lambda host, port, over: _asked(host, port, request, over)

    def new_document() -> bytes:
        return _post(key, f'{{"query": "{{ a{next(_numbers)}: product(gtin: \\"{GTIN}\\") {{ name }} }}"}}')

    return {
        "idle connections": [opened(b"")] * size,
        "slow heads": [opened(b"POST /graphql HTTP/1.1\r\nHost: x\r\n")] * size,
        "invalid keys": [asked(lambda: _post(f"csb_{next(_numbers):032}", "{}"))] * 8,
        "large heads": [asked(lambda: b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"a" * 60_000 + b"\r\n\r\n")] * 8,
        "new documents": [asked(new_document)] * 4,
    }


async def _measured(client: httpx2.AsyncClient, requests: int, answers: Counter[int]) -> str:
    """Asks so often, one after the other, and says how long half and 99 of a hundred took."""
    seconds = []
    for _ in range(requests):
        start = perf_counter()
        answer = await client.post("/graphql", json=QUESTION)
        seconds.append(perf_counter() - start)
        answers[answer.status_code] += 1
    seconds.sort()
    return f"{seconds[len(seconds) // 2] * 1000:.1f}/{seconds[len(seconds) * 99 // 100] * 1000:.1f} ms"


async def _flooded(url: str, size: int, requests: int) -> str:
    key, answers, told = set_up(url), Counter[int](), []
    with serving(url, CERTGATE_WORKERS="2", CERTGATE_LOG_LEVEL="critical", **UNLIMITED) as (_, address):
        host, port = address.removeprefix("http://").split(":")
        async with httpx2.AsyncClient(base_url=address, headers={"X-API-Key": key}, timeout=30) as client:
            await _measured(client, 50, answers)
            told.append(f"nothing {await _measured(client, requests, answers)}")
            for name in FLOODS:
                # In a process of its own, so that the caller does not wait for the flood's clients.
                words = ("-m", "tests.drills.floods", host, port, key, str(size), name)
                with started(*words) as flood:
                    assert flood.output.readline() == "flooding\n"
                    told.append(f"{name} {await _measured(client, requests, answers)}")
    assert answers.keys() == {200}, answers
    return f"half and 99 % of {requests:,} answers to a caller came within, beside {', '.join(told)}"


async def _flood(host: str, port: str, key: str, size: str, name: str) -> None:
    """Floods until it is told to stop."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    clients = _floods(key, int(size))[name]
    flooding = [asyncio.create_task(begin(host, int(port), over)) for begin in clients]
    await asyncio.sleep(0.5)
    print("flooding", flush=True)
    await asyncio.gather(*flooding)


def drill(short: bool) -> Iterator[str]:
    """Both databases, two workers."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    size = min(200 if short else 2_000, most - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    requests = 20 if short else 300
    yield f"SQLite, {size:,} connections: {asyncio.run(_flooded(_file(), size, requests))}"
    with postgresql.started() as server:
        yield f"PostgreSQL, {size:,} connections: {asyncio.run(_flooded(server.get_uri(), size, requests))}"


def _file() -> str:
    return f"sqlite:///{sweeper.folder('floods')}/certgate.db"


if __name__ == "__main__":
    asyncio.run(_flood(*sys.argv[1:]))
