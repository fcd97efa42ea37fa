"""A crowd in front of a served process: idle, slow and greedy connections, and what is no request.

A hundred here; `CERTGATE_TEST_CASES=2000 ./certgate test tests/gateway/test_http_crowd.py` asks for as many.
"""

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psutil

from tests.gateway.http_forms import FORMS
from tests.processes import demo_database, serving, succeeded

CASES = int(os.environ.get("CERTGATE_TEST_CASES", "100"))
ROUNDS = 5
MiB = 1 << 20

# What each kind sends first, and then again and again.
KINDS = {
    "idle": (b"", b""),
    "slow head": (b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"b"),
    "slow body": (b"POST /graphiql/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b"b"),
    "endless head": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n" * 100_000),
    "greedy": (b"", b"GET /certifications/api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 50),
}


@contextmanager
def many_files() -> Iterator[None]:
    """A block in which this process may open as many files as the system lets it, and what it starts, too."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def send(connection: socket.socket, data: bytes) -> None:
    """Sends as much as goes without waiting; the other side may have ended it."""
    with suppress(BlockingIOError, ConnectionError):
        connection.send(data)


def test_a_crowd_keeps_nobody_from_being_answered(tmp_path: Path) -> None:
    url = demo_database(tmp_path)
    words = ("keys", "create", "--organization", "demo", "--role", "readonly", "--quiet")
    key = succeeded(*words, CERTGATE_DATABASE_URL=url).strip()
    with ExitStack() as stack:
        stack.enter_context(many_files())
        process, base = stack.enter_context(serving(url))
        place = urlsplit(base)
        client = stack.enter_context(httpx2.Client(base_url=base, headers={"X-API-Key": key}))

        def answered() -> None:
            product = client.get("/certifications/api/v1/products/00000080050698/certifications")
            typename = client.post("/graphql", json={"query": "{ __typename }"})
            assert (product.status_code, typename.json()) == (200, {"data": {"__typename": "Query"}})

        answered()
        before = psutil.Process(process.pid).memory_info().rss
        crowd: list[tuple[socket.socket, bytes]] = []
        for number in range(CASES):
            first, again = list(KINDS.values())[number % len(KINDS)]
            connection = stack.enter_context(socket.create_connection((place.hostname, place.port), timeout=60))
            connection.setblocking(False)
            send(connection, first)
            crowd.append((connection, again))
        for form in FORMS.values():
            connection = stack.enter_context(socket.create_connection((place.hostname, place.port), timeout=60))
            connection.setblocking(False)
            send(connection, form)
        for _ in range(ROUNDS):
            for connection, again in crowd:
                send(connection, again)
            answered()
        grown = psutil.Process(process.pid).memory_info().rss - before
        print(f"{CASES} in the crowd and {len(FORMS)} forms: {grown / MiB:.0f} MiB more")
        assert grown < 100 * MiB + CASES * 0.1 * MiB
        assert "Traceback" not in process.complaints()
