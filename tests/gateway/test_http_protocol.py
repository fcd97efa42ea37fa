"""The quicker way for an answer, compared over sockets with uvicorn's own: the same bytes.

A new uvicorn that changes what the subclass leans on shows here.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http import httptools_impl

from gateway.http_protocol import QuickProtocol
from tests.served import served, until

Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LENGTH_4 = (b"content-length", b"4")
LAST = b"GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
"""Comes behind each request on its connection, so that the connection ends."""


async def start(send: Send, status: int, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def body(send: Send, content: bytes, *, more: bool = False) -> None:
    await send({"type": "http.response.body", "body": content, "more_body": more})


def whole(content: bytes, *headers: tuple[bytes, bytes], status: int = 200) -> Callable[[Send], Awaitable[None]]:
    async def answer(send: Send) -> None:
        await start(send, status, list(headers))
        await body(send, content)

    return answer


async def in_parts(send: Send) -> None:
    await start(send, 200, [LENGTH_4])
    await body(send, b"ab", more=True)
    await body(send, b"cd")


async def crashing(send: Send) -> None:
    raise LookupError("before the answer")


async def crashing_late(send: Send) -> None:
    await start(send, 200, [LENGTH_4])
    raise LookupError("within the answer")


async def silent(send: Send) -> None:
    pass


async def without_body(send: Send) -> None:
    await start(send, 200, [LENGTH_4])


async def starting_twice(send: Send) -> None:
    await start(send, 200, [LENGTH_4])
    await start(send, 200, [LENGTH_4])


async def starting_with_the_body(send: Send) -> None:
    await body(send, b"abcd")


async def going_on(send: Send) -> None:
    await whole(b"abcd", LENGTH_4)(send)
    await body(send, b"e")


ANSWERS: dict[str, Callable[[Send], Awaitable[None]]] = {
    "plain": whole(b"abcd", (b"content-type", b"text/plain"), LENGTH_4, (b"x-a", b"100 %s"), (b"x-a", b"tab\there")),
    "error": whole(b"abcd", LENGTH_4, status=404),
    "unusual-status": whole(b"abcd", LENGTH_4, status=299),
    "upper-case": whole(b"abcd", (b"Content-Length", b"4"), (b"X-Upper", b"Value")),
    "latin-1": whole(b"abcd", LENGTH_4, (b"x-name", "Müller".encode("latin-1"))),
    "percent-in-a-name": whole(b"abcd", LENGTH_4, (b"x%s", b"value")),
    "no-headers": whole(b"abcd"),
    "no-length": whole(b"abcd", (b"content-type", b"text/plain")),
    "two-lengths": whole(b"abcd", LENGTH_4, LENGTH_4),
    "no-number": whole(b"abcd", (b"content-length", b"four")),
    "signed-number": whole(b"abcd", (b"content-length", b"+4")),
    "chunked": whole(b"abcd", (b"transfer-encoding", b"chunked")),
    "closing": whole(b"abcd", LENGTH_4, (b"connection", b"close")),
    "keeping": whole(b"abcd", LENGTH_4, (b"connection", b"keep-alive")),
    "empty": whole(b"", (b"content-length", b"0")),
    "204": whole(b"", status=204),
    "304": whole(b"", (b"etag", b'"x"'), status=304),
    "in-parts": in_parts,
    "too-long": whole(b"abcde", LENGTH_4),
    "too-short": whole(b"abc", LENGTH_4),
    "crashing": crashing,
    "crashing-late": crashing_late,
    "silent": silent,
    "without-body": without_body,
    "starting-twice": starting_twice,
    "starting-with-the-body": starting_with_the_body,
    "going-on": going_on,
    # What would let a value become a header of its own, or a second answer.
    "line-end-in-a-value": whole(b"abcd", LENGTH_4, (b"x-a", b"b\r\nset-cookie: c")),
    "line-feed-in-a-value": whole(b"abcd", LENGTH_4, (b"x-a", b"b\nset-cookie: c")),
    "return-in-a-value": whole(b"abcd", LENGTH_4, (b"x-a", b"b\rset-cookie: c")),
    "null-in-a-value": whole(b"abcd", LENGTH_4, (b"x-a", b"b\0c")),
    "delete-in-a-value": whole(b"abcd", LENGTH_4, (b"x-a", b"b\x7fc")),
    "line-end-in-a-name": whole(b"abcd", LENGTH_4, (b"x-a: b\r\nset-cookie", b"c")),
    "blank-in-a-name": whole(b"abcd", LENGTH_4, (b"x a", b"c")),
}

REQUESTS = {
    **{name: b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % name.encode() for name in ANSWERS},
    **{f"HEAD {name}": b"HEAD /%b HTTP/1.1\r\nHost: x\r\n\r\n" % name.encode() for name in ("plain", "chunked", "204")},
    "two at once": b"GET /plain HTTP/1.1\r\nHost: x\r\n\r\nGET /error HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/1.0": b"GET /plain HTTP/1.0\r\n\r\n",
    "HTTP/1.0 kept": b"GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "closing client": b"GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "a body": b"POST /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "a chunked body": b"POST /plain HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "an expected body": b"POST /plain HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "no HTTP": b"hello\r\n\r\n",
}


class Application:
    """Reads the request and answers as its path says. While `gate` is given, it waits for that in between."""

    def __init__(self) -> None:
        self.gate: asyncio.Event | None = None
        self.waiting = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        if self.gate is not None:
            self.waiting.set()
            await self.gate.wait()
        await ANSWERS[scope["path"].removeprefix("/")](send)


class Running:
    """A server on a port of its own."""

    def __init__(self, application: Application, server: uvicorn.Server, port: int) -> None:
        self.application = application
        self.server = server
        self.port = port

    async def exchange(self, request: bytes) -> bytes:
        """All that comes back on one connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return re.sub(rb"date: [^\r]*", b"date: now", answer)


@asynccontextmanager
async def running(http: Any) -> AsyncIterator[Running]:
    application = Application()
    async with served(application, http) as (server, port):
        yield Running(application, server, port)


@pytest.fixture(scope="module")
async def servers() -> AsyncIterator[tuple[Running, Running]]:
    """uvicorn's own way, and ours."""
    async with running("httptools") as own, running(QuickProtocol) as quick:
        yield own, quick


# Their bodies never come, and ASGI has the head wait for the body.
UNFINISHED = ("crashing-late", "without-body")


@pytest.mark.parametrize("name", sorted(REQUESTS.keys() - UNFINISHED))
async def test_the_bytes_are_those_of_uvicorns_own_way(servers: tuple[Running, Running], name: str) -> None:
    own, quick = [await server.exchange(REQUESTS[name] + LAST) for server in servers]
    assert quick == own
    assert b"set-cookie" not in quick


@pytest.mark.parametrize("name", UNFINISHED)
async def test_an_answer_that_never_gets_a_body_is_none(servers: tuple[Running, Running], name: str) -> None:
    own, quick = [await server.exchange(REQUESTS[name]) for server in servers]
    assert own.endswith(b"content-length: 4\r\n\r\n")
    assert not quick


class Listened:
    """A transport that notes what is written."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Timed:
    """A loop that counts the timers."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.timers = 0

    def call_later(self, delay: float, callback: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        self.timers += 1
        return self._loop.call_later(delay, callback, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


@asynccontextmanager
async def connected(server: Running) -> AsyncIterator[tuple[Any, Listened, Timed, Callable[[str], Awaitable[bytes]]]]:
    """A connection: the server's protocol, its transport, its loop, and what asks on it and gives the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    connections = server.server.server_state.connections
    await until(lambda: len(connections) == 1)
    protocol: Any = next(iter(connections))
    protocol.transport = transport = Listened(protocol.transport)
    protocol.loop = loop = Timed(protocol.loop)

    async def ask(name: str) -> bytes:
        writer.write(REQUESTS[name])
        head = await reader.readuntil(b"\r\n\r\n")
        return head + await reader.readexactly(4)

    yield protocol, transport, loop, ask
    writer.close()
    await writer.wait_closed()
    await until(lambda: not connections)


async def test_a_whole_answer_is_one_piece() -> None:
    async with running(QuickProtocol) as server, connected(server) as (_, transport, _, ask):
        answer = await ask("plain")
        assert transport.written == [answer]
        await ask("in-parts")
        assert [piece[-2:] for piece in transport.written[1:]] == [b"\r\n", b"ab", b"cd"]


async def test_pauses_between_requests_share_a_timer() -> None:
    async with running(QuickProtocol) as server, connected(server) as (protocol, _, loop, ask):
        for _ in range(5):
            await ask("plain")
        assert loop.timers == 1
        # It comes too early for this pause, and once more while a request is under way.
        protocol.timeout_keep_alive_handler()
        assert loop.timers == 2
        protocol.idle_since = None
        protocol.timeout_keep_alive_handler()
        assert loop.timers == 2
        await ask("plain")
        assert loop.timers == 3
        timer: Any = protocol.timeout_keep_alive_task
    assert timer.cancelled()


async def test_a_connection_that_is_not_used_is_closed() -> None:
    async with running(QuickProtocol) as server:
        server.server.config.timeout_keep_alive = 0
        assert (await server.exchange(REQUESTS["plain"])).endswith(b"abcd")


async def test_a_plain_answer_goes_the_quick_way(
    servers: tuple[Running, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httptools_impl, "HEADER_VALUE_RE", None)
    own, quick = [await server.exchange(REQUESTS["plain"] + LAST) for server in servers]
    assert not own
    assert quick.startswith(b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n")


@pytest.mark.parametrize("http", ["httptools", QuickProtocol])
async def test_who_is_answered_while_the_server_stops_is_told_that_the_connection_ends(http: Any) -> None:
    async with running(http) as server:
        server.application.gate = asyncio.Event()
        answer = asyncio.create_task(server.exchange(REQUESTS["plain"]))
        await server.application.waiting.wait()
        server.server.should_exit = True
        connections: Any = server.server.server_state.connections
        await until(lambda: not any(protocol.cycle.keep_alive for protocol in connections))
        server.application.gate.set()
        assert (await answer).partition(b"\r\n\r\n")[0].endswith(b"\r\nconnection: close")


async def test_blanks_around_a_value_are_not_part_of_it() -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(scope["headers"])
        await ANSWERS["plain"](send)

    async with served(application, QuickProtocol) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nX-API-Key: \tkey \t\r\nAuthorization:Bearer a b\t\r\nPrefer: \t\r\n"
            b"Connection: close \r\n\r\n"
        )
        assert (await reader.read()).endswith(b"abcd")
        writer.close()
        await writer.wait_closed()
    assert seen == [
        (b"host", b"x"),
        (b"x-api-key", b"key"),
        (b"authorization", b"Bearer a b"),
        (b"prefer", b""),
        (b"connection", b"close"),
    ]
