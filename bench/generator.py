"""The load where wrk is not installed: `python -m bench.generator HOST PORT FILE SECONDS CONNECTIONS`.

Speaks as much HTTP as the servers answer, in a process of its own so that its time is not theirs. It needs several
times what wrk needs, and takes that from the servers where processors are few.
"""

import asyncio
import json
import re
import sys
from pathlib import Path
from time import perf_counter
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def read_requests(file: Path) -> list[bytes]:
    """The requests of a file: each is its length, a newline, and that many bytes."""
    content, place, found = file.read_bytes(), 0, []
    while place < len(content):
        end = content.index(b"\n", place)
        start, place = end + 1, end + 1 + int(content[place:end])
        found.append(content[start:place])
    return found


class Load:
    """What is to be sent, and what came of it."""

    def __init__(self, requests: list[bytes]) -> None:
        self.requests = requests
        self.asked = self.bytes = self.errors = 0
        self.times: list[float] = []
        self.stopped = False

    def next(self) -> bytes:
        """The next request."""
        self.asked += 1
        return self.requests[(self.asked - 1) % len(self.requests)]


class Connection(asyncio.Protocol):
    """Sends, waits for the whole answer, sends the next."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.received = b""
        self.awaited = 0
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.awaited:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self.received, 0, end)
            self.awaited = end + 4 + (int(length[1]) if length else 0)
        if len(self.received) < self.awaited:
            return
        load = self.load
        if not load.stopped:
            load.times.append(perf_counter() - self.sent)
            load.bytes += len(self.received)
            load.errors += self.received[9:10] not in b"23"
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self.load.errors += not self.load.stopped

    def _send(self) -> None:
        self.received, self.awaited = b"", 0
        self.sent = perf_counter()
        self.transport.write(self.load.next())


async def fire(host: str, port: int, requests: list[bytes], seconds: float, connections: int) -> dict[str, float]:
    """Sends the requests in turn for that long; the numbers as wrk's script prints them."""
    loop = asyncio.get_running_loop()
    load = Load(requests)
    start = perf_counter()
    opened = [await loop.create_connection(lambda: Connection(load), host, port) for _ in range(connections)]
    await asyncio.sleep(seconds)
    load.stopped = True
    elapsed = perf_counter() - start
    for transport, _ in opened:
        transport.close()
    times = sorted(load.times) or [0.0]
    return {
        "requests": len(load.times),
        "seconds": elapsed,
        "bytes": load.bytes,
        "errors": load.errors,
        "p50": times[len(times) // 2],
        "p99": times[len(times) * 99 // 100],
        "asked": load.asked,
    }


if __name__ == "__main__":
    import uvloop

    place, port, file, seconds, connections = sys.argv[1:]
    requests = read_requests(Path(file))
    print(json.dumps(uvloop.run(fire(place, int(port), requests, float(seconds), int(connections)))))
