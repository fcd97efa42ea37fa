"""HTTP/1.1 over sockets: our protocol beside uvicorn's own, never laxer; and the limits that uvicorn does not have."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from time import perf_counter
from typing import Any, cast

import pytest
import uvicorn

from db.engine.noting import Notes
from gateway.http_heads import Lines
from gateway.http_known import KNOWN, KNOWN_BYTES, Known
from gateway.http_protocol import PIPELINED, UNSENT, Http, HttpConnection, Limits
from gateway.settings import Settings
from tests.gateway.http_forms import FORMS, STRICTER
from tests.served import ours, served, until

Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LENGTH_4 = (b"content-length", b"4")
GET = b"GET /plain HTTP/1.1\r\nHost: x\r\n"
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

# What is no answer: nothing of it is sent, and the client is told so.
NONE = {
    "closing",
    "keeping",
    "two-lengths",
    "no-number",
    "signed-number",
    "chunked",
    "too-long",
    "too-short",
    "crashing",
    "crashing-late",
    "silent",
    "without-body",
    "starting-twice",
    "starting-with-the-body",
    "line-end-in-a-value",
    "line-feed-in-a-value",
    "return-in-a-value",
    "null-in-a-value",
    "delete-in-a-value",
    "line-end-in-a-name",
    "blank-in-a-name",
}


class Application:
    """Reads requests and answers as their paths say, plainly to others. `seen` is what it was asked.

    While `gate` is given, it waits for that in between.
    """

    def __init__(self) -> None:
        self.gate: asyncio.Event | None = None
        self.waiting = asyncio.Event()
        self.seen: list[tuple[Any, ...]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        content, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            content += message["body"]
            more = message["more_body"]
        headers = tuple((name, value.rstrip(b" \t")) for name, value in scope["headers"] if name != b"in-a-trailer")
        self.seen.append((scope["method"], scope["path"], scope["query_string"], headers, content))
        if self.gate is not None:
            self.waiting.set()
            await self.gate.wait()
        await ANSWERS.get(scope["path"].removeprefix("/"), ANSWERS["plain"])(send)


class Running:
    """A server on a port of its own."""

    def __init__(self, application: Application, server: uvicorn.Server, port: int) -> None:
        self.application = application
        self.server = server
        self.port = port

    async def exchange(self, request: bytes, *, is_all: bool = False) -> bytes:
        """All that comes back on one connection, on which the client may say that it sends no more."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        if is_all:
            writer.write_eof()
        try:
            async with asyncio.timeout(20):
                answer = await reader.read()
        except TimeoutError:
            raise AssertionError(f"{request!r} was not answered to the end") from None
        writer.close()
        await writer.wait_closed()
        return re.sub(rb"date: [^\r]*", b"date: now", answer)

    @property
    def connections(self) -> set[Any]:
        """The protocols of its connections."""
        return cast("set[Any]", self.server.server_state.connections)

    async def idle(self) -> None:
        """Returns when nobody is connected."""
        await until(lambda: not self.connections)


@asynccontextmanager
async def running(http: Any = None) -> AsyncIterator[Running]:
    application = Application()
    async with served(application, http or ours()) as (server, port):
        yield Running(application, server, port)


@pytest.fixture(scope="module")
async def servers() -> AsyncIterator[tuple[Running, Running]]:
    """uvicorn's own way, and ours."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    async with running("httptools") as own, running() as quick:
        yield own, quick
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)


def parsed(answer: bytes) -> tuple[bytes, set[bytes], bytes]:
    """The first line of an answer, its headers in no order, and what follows."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    return first, set(headers), rest


def problem(answer: bytes, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer that has to be one, and ends the connection."""
    first, headers, content = parsed(answer)
    assert first.startswith(b"HTTP/1.1 %d " % status), answer
    assert {
        b"content-type: application/problem+json",
        b"connection: close",
        b"x-content-type-options: nosniff",
    } < headers
    assert b"content-length: %d" % len(content) in headers
    document: dict[str, Any] = json.loads(content)
    assert (document["status"], document["error_code"]) == (status, code)
    return document


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", sorted(ANSWERS.keys() - NONE))
async def test_an_answer_is_as_uvicorn_sends_it(servers: tuple[Running, Running], name: str, method: str) -> None:
    request = f"{method} /{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    own, quick = [await server.exchange(request) for server in servers]
    assert parsed(quick) == parsed(own)


@pytest.mark.parametrize("name", sorted(NONE))
async def test_what_is_no_answer_is_an_error(servers: tuple[Running, Running], name: str) -> None:
    answer = await servers[1].exchange(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b"set-cookie" not in answer
    problem(answer, 500, "internal_error")


@pytest.mark.parametrize("name", sorted(FORMS))
async def test_a_request_is_never_taken_where_uvicorn_refuses_it(servers: tuple[Running, Running], name: str) -> None:
    seen, answers = [], []
    for server in servers:
        server.application.seen.clear()
        answers.append(await server.exchange(FORMS[name] + LAST * 3))
        await server.idle()
        seen.append([*server.application.seen])
    own, quick = seen
    statuses = [re.findall(rb"HTTP/1\.1 ([2-5]\d\d)", answer) for answer in answers]
    if name in STRICTER:
        assert quick == own[: len(quick)] != own
        assert statuses[1][-1] == b"400"
    else:
        assert quick == own
        # Where uvicorn answers what is no request before the one in front of it, ours only ends the connection.
        assert statuses[0] == statuses[1] or (quick and statuses[0] == [b"400"])


@pytest.mark.parametrize("name", sorted(FORMS))
async def test_a_request_with_headers_that_are_known_is_taken_as_any_other(
    servers: tuple[Running, Running], name: str
) -> None:
    """Without them; with those of its plain neighbour, whose headers may be all the same; and with its own."""
    _, quick = servers
    results = []
    for before in (b"", GET + b"\r\n", FORMS[name]):
        known_to(quick).clear()
        await quick.exchange(before, is_all=True)
        quick.application.seen.clear()
        answer = await quick.exchange(FORMS[name], is_all=True)
        results.append((re.sub(rb'"timestamp":"[^"]*', b"", answer), [*quick.application.seen]))
        await quick.idle()
    assert results[1:] == results[:1] * 2


class Closed:
    """A parser that is not to be used."""

    def feed_data(self, data: bytes) -> None:
        raise AssertionError(f"{data!r} was read once more")


async def test_headers_that_are_known_are_not_read_again() -> None:
    async with running() as server, connected(server) as (connection, reader, writer):
        for at, (line, content) in enumerate([(b"POST /plain", b"ab"), (b"POST /a%20b?c=d", b"cd")] * 3):
            writer.write(line + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n" + content)
            assert (await reader.readuntil(b"abcd")).startswith(b"HTTP/1.1 200 OK\r\n")
            if not at:
                assert [known.length for known in known_to(server).values()] == [2]
                connection.parser = cast("Any", Closed())
        seen = [(path, query, content) for _, path, query, _, content in server.application.seen]
        assert seen == [("/plain", b"", b"ab"), ("/a b", b"c=d", b"cd")] * 3


@pytest.mark.parametrize(
    "header",
    [
        b"Connection: close",
        b"Expect: 100-continue",
        b"Transfer-Encoding: chunked",
        b"A: " + KNOWN_BYTES * b"a",
    ],
)
async def test_headers_about_a_connection_and_large_ones_are_not_kept(header: bytes) -> None:
    async with running() as server:
        await server.exchange(GET + b"%b\r\n\r\n%b" % (header, b"0\r\n\r\n" * (b"chunked" in header)), is_all=True)
        assert known_to(server) == {}


async def test_headers_are_kept_for_a_second_and_only_so_many() -> None:
    http = ours()
    async with running(http) as server, connected(server) as (_, reader, writer):
        for number in range(KNOWN + 2):
            writer.write(GET + b"A: %d\r\n\r\n" % number)
            await reader.readuntil(b"abcd")
            assert len(http.known.by_text) <= KNOWN
        assert http.known.by_text
        # There are credentials among them.
        await until(lambda: not http.known.by_text)


async def test_what_never_waits_has_no_task_of_its_own() -> None:
    """What waits goes on in the task in which it began, is timed in it, and leaves it to nobody."""
    tasks: list[list[Any]] = []
    caller: ContextVar[str] = ContextVar("caller", default="nobody")

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen = [asyncio.current_task(), caller.get()]
        tasks.append(seen)
        if scope["path"] == "/late":
            caller.set("late")
            with suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await asyncio.Event().wait()
            seen += [asyncio.current_task(), caller.get()]
        await ANSWERS["plain"](send)

    async with served(application, ours()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path in (b"/", b"/", b"/late", b"/late", b"/"):
            writer.write(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
            await reader.readuntil(b"abcd")
        writer.close()
    (first, _), (second, _), *late, (last, _) = tasks
    assert first is second is late[0][0]
    assert late[0] == [first, "nobody", first, "late"]
    assert late[1] == [late[1][0], "nobody", late[1][0], "late"]
    assert len({first, late[1][0], last}) == 3


async def test_a_client_that_would_rather_speak_something_else_keeps_its_body(servers: tuple[Running, Running]) -> None:
    _, quick = servers
    for length, content in ((b"Content-Length: 3", b"abc"), (b"Transfer-Encoding: chunked", b"3\r\nabc\r\n0\r\n\r\n")):
        quick.application.seen.clear()
        asked = b"POST /plain HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n%b\r\n\r\n" % length
        answer = await quick.exchange(asked + content + LAST)
        assert answer.count(b"HTTP/1.1 200 OK") == 2
        assert [(method, content) for method, *_, content in quick.application.seen] == [("POST", b"abc"), ("GET", b"")]


async def test_a_body_is_asked_for_only_when_it_is_read(servers: tuple[Running, Running]) -> None:
    head = b"POST /plain HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
    for server in servers:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(head)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")
        assert (await reader.read()).endswith(b"abcd")
        writer.close()


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


Client = tuple[HttpConnection, asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(server: Running, sent: bytes = b"") -> AsyncIterator[Client]:
    """A connection: the server's side, and the client's."""
    before = set(server.connections)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await until(lambda: bool(server.connections - before))
    (connection,) = server.connections - before
    if sent:
        writer.write(sent)
        await until(lambda: bool(connection.arriving))
    try:
        yield connection, reader, writer
    finally:
        writer.close()
        await until(lambda: connection not in server.connections)


def known_to(server: Running) -> dict[bytes, Known]:
    """The headers that the server knows."""
    return cast("dict[bytes, Known]", cast("Any", server.server.config.http).known.by_text)


def pass_seconds(connection: HttpConnection, seconds: int) -> None:
    """What happens in so many seconds."""
    for _ in range(seconds):
        connection.a_second_passed()


async def test_a_whole_answer_is_one_piece() -> None:
    async with running() as server, connected(server) as (connection, reader, writer):
        transport: Any = Listened(connection.transport)
        connection.transport = transport
        for name, pieces in (("plain", [b"abcd"]), ("in-parts", [b"ab", b"cd"])):
            transport.written.clear()
            writer.write(b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % name.encode())
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(4)
            assert [piece.rpartition(b"\r\n")[2] for piece in transport.written] == pieces


@pytest.mark.parametrize(
    "sent",
    [
        GET + b"\r\n",
        GET.replace(b"GET", b"HEAD") + b"\r\n",
        GET.replace(b"1.1", b"1.0") + b"\r\n",
        GET + b"Connection: close\r\n\r\n",
        GET + b"Content-Length: 5\r\n\r\nabc",
    ],
)
@pytest.mark.parametrize(
    ("status", "lines", "content"),
    [
        (200, b"a: b\r\ncontent-length: 4\r\n", b"abcd"),
        (200, b"a: b\r\ncontent-length: 3\r\n", b"abcd"),
        (200, b"a: b\r\ncontent-length: 4\r\ncontent-length: 4\r\n", b"abcd"),
        (400, b"content-length: 4\r\n", b"abcd"),
        (200, b"a: b\r\n", b"abcd"),
        (204, b"a: b\r\n", b""),
        (304, b"a: b\r\ncontent-length: 4\r\n", b""),
    ],
)
async def test_an_answer_as_a_whole_is_that_in_two_parts(
    caplog: pytest.LogCaptureFixture, sent: bytes, status: int, lines: bytes, content: bytes
) -> None:
    caplog.set_level(logging.CRITICAL)
    is_whole = False

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if is_whole:
            send.whole(status, Lines(lines), content)
        else:
            await start(send, status, list(Lines(lines)))
            await body(send, content)

    async with served(application, ours()) as (server, port):
        apart = Running(Application(), server, port)
        answers = [await apart.exchange(sent, is_all=True)]
        is_whole = True
        answers += [await apart.exchange(sent, is_all=True) for _ in range(2)]
    shown = [re.sub(rb'"timestamp":"[^"]*', b"", answer) for answer in answers]
    assert shown[1:] == shown[:1] * 2
    assert shown[0].startswith(b"HTTP/1.1 ")


async def test_blanks_around_a_value_are_not_part_of_it(servers: tuple[Running, Running]) -> None:
    _, quick = servers
    quick.application.seen.clear()
    await quick.exchange(
        b"GET / HTTP/1.1\r\nHost: x\r\nX-API-Key: \tkey \t\r\nAuthorization:Bearer a b\t\r\nPrefer: \t\r\n"
        b"Connection: close \r\n\r\n"
    )
    assert quick.application.seen[0][3] == (
        (b"host", b"x"),
        (b"x-api-key", b"key"),
        (b"authorization", b"Bearer a b"),
        (b"prefer", b""),
        (b"connection", b"close"),
    )


LIMITS = Limits(header_bytes=1000, headers=10, connections=3, requests=2)


@pytest.mark.parametrize(
    "head",
    [
        GET + b"A: %b\r\n\r\n" % (b"b" * 1000),
        GET + b"".join(b"A%d: b\r\n" % number for number in range(10)) + b"\r\n",
        b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"b" * 1000),
        GET + b"A: %b" % (b"b" * 300_000),
        b"GET /" + b"b" * 300_000,
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;%b" % (b"b" * 300_000),
    ],
    ids=["long", "many", "address", "endless", "endless address", "endless extension of a chunk"],
)
async def test_a_head_that_is_too_large_is_refused(head: bytes) -> None:
    async with running(ours(LIMITS)) as server:
        problem(await server.exchange(head), 431, "request_header_fields_too_large")
        just_fits = GET + b"A: %b\r\nConnection: close\r\n\r\n" % (b"b" * 900)
        assert (await server.exchange(just_fits)).endswith(b"abcd")


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (GET, 20),
        (b"G", 20),
        (b"POST /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + b"a" * 1000, 22),
        (b"POST /plain HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", 20),
    ],
)
async def test_who_is_too_slow_is_told_so(sent: bytes, seconds: int) -> None:
    async with running() as server, connected(server, sent) as (connection, reader, _):
        pass_seconds(connection, seconds)
        assert not connection.ending
        pass_seconds(connection, 1)
        problem(await reader.read(), 408, "request_timeout")
        assert server.application.seen == []


async def test_a_pause_between_requests_is_ended() -> None:
    async with running() as server, connected(server, GET + b"\r\n") as (connection, reader, _):
        await reader.readuntil(b"abcd")
        await until(lambda: connection.exchange is None)
        pass_seconds(connection, 75)
        assert not connection.transport.is_closing()
        pass_seconds(connection, 1)
        assert await reader.read() == b""


async def large(scope: Any, receive: Any, send: Any) -> None:
    await whole(b"a" * 30_000_000, (b"content-length", b"30000000"))(send)


async def test_who_does_not_read_is_cut_off() -> None:
    http = ours()
    async with served(large, http) as (server, port):
        running_ = Running(Application(), server, port)
        async with connected(running_, (GET + b"\r\n") * 3) as (connection, _, _):
            await until(lambda: connection.full is not None)
            # What it asks for besides waits, and takes nothing from others.
            assert (len(connection.queue), http.under_way) == (2, 0)
            await asyncio.sleep(0.1)
            pass_seconds(connection, 32)
            await running_.idle()
        assert not http.unsent


async def test_who_waits_longest_is_cut_off_when_it_becomes_too_much() -> None:
    http = ours()
    async with served(large, http) as (server, port):
        running_ = Running(Application(), server, port)
        clients = []
        for _ in range(6):
            clients.append(await asyncio.open_connection("127.0.0.1", port))
            clients[-1][1].write(GET + b"\r\n")
            await until(lambda: any(connection.full for connection in running_.connections))
            await until(lambda: http.under_way == 0)
        await until(lambda: len(running_.connections) < 4)
        assert sum(http.unsent.values()) <= UNSENT
        for _, writer in clients:
            writer.close()
        await running_.idle()


async def test_a_body_that_is_on_its_way_takes_no_place() -> None:
    http = ours(LIMITS)
    async with running(http) as server:
        slow = b"POST /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na"
        async with connected(server, slow) as (first, reader, writer), connected(server, slow) as (second, _, _):
            await until(lambda: first.exchange is not None and second.exchange is not None)
            assert (await server.exchange(LAST)).endswith(b"abcd")
            writer.write(b"a")
            assert (await reader.readuntil(b"abcd")).startswith(b"HTTP/1.1 200 OK")
        assert http.under_way == 0


async def test_beyond_the_limit_of_requests_the_answer_is_at_once() -> None:
    async with running(ours(LIMITS)) as server:
        server.application.gate = asyncio.Event()
        asked = [asyncio.create_task(server.exchange(LAST)) for _ in range(2)]
        await until(lambda: len(server.application.seen) == 2)
        answer = await server.exchange(LAST)
        assert problem(answer, 503, "service_unavailable")["retry_after"] == 1
        assert b"retry-after: 1" in parsed(answer)[1]
        server.application.gate.set()
        assert [(await answer).endswith(b"abcd") for answer in asked] == [True, True]
        assert (await server.exchange(LAST)).endswith(b"abcd")


async def test_beyond_the_limit_of_connections_requests_are_refused_at_once() -> None:
    async with running(ours(LIMITS)) as server:
        async with connected(server), connected(server), connected(server):
            problem(await server.exchange(GET + b"\r\n"), 503, "service_unavailable")
            # Who says nothing does not stay.
            async with connected(server) as (connection, reader, _):
                pass_seconds(connection, 6)
                assert await reader.read() == b""
        assert (await server.exchange(LAST)).endswith(b"abcd")


async def test_only_so_many_requests_wait_on_a_connection() -> None:
    async with running() as server:
        server.application.gate = asyncio.Event()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write((GET + b"\r\n") * 10_000)
        await server.application.waiting.wait()
        (connection,) = server.connections
        assert len(connection.queue) == PIPELINED
        server.application.gate.set()
        answer = await reader.read()
        assert answer.count(b"HTTP/1.1 200 OK") == PIPELINED + 1
        assert answer.count(b"connection: close") == 1
        writer.close()


async def test_a_client_waits_while_its_body_is_not_read() -> None:
    begun = asyncio.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await begun.wait()
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message["body"])
            more = message["more_body"]
        await whole(b"%d" % size, (b"content-length", b"8"))(send)

    async with served(application, ours()) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\nConnection: close\r\n\r\n")
        writer.write(b"a" * 20_000_000)
        connections: Any = server.server_state.connections
        await until(lambda: any(connection.paused for connection in connections))
        (connection,) = connections
        assert len(connection.incoming.body) < 1_000_000
        # Its slowness is ours.
        pass_seconds(connection, 1000)
        begun.set()
        assert (await reader.read()).endswith(b"\r\n\r\n20000000")
        writer.close()


async def test_an_answer_before_the_end_of_the_body_is_the_last() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await ANSWERS["plain"](send)

    async with served(application, ours()) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n" + b"a" * 1_000_000)
        first, headers, rest = parsed(await reader.read())
        assert (first, rest) == (b"HTTP/1.1 200 OK", b"abcd")
        assert b"connection: close" in headers
        # It may go on sending for a while, so that it finds the answer.
        (connection,) = server.server_state.connections
        writer.write(b"a" * 1_000_000)
        await writer.drain()
        pass_seconds(cast("Any", connection), 6)
        writer.close()
        await until(lambda: not server.server_state.connections)


async def test_who_is_answered_while_the_server_stops_is_told_that_the_connection_ends() -> None:
    async with running() as server:
        server.application.gate = asyncio.Event()
        async with connected(server) as (_, reader, _):
            answer = asyncio.create_task(server.exchange(GET + b"\r\n"))
            await server.application.waiting.wait()
            server.server.should_exit = True
            # Who asks for nothing is gone soon.
            assert await reader.read() == b""
            server.application.gate.set()
            assert b"connection: close" in parsed(await answer)[1]


async def test_who_has_connected_before_the_server_stops_is_answered_once() -> None:
    async with (
        running() as server,
        connected(server) as (asking, reader, writer),
        connected(server) as (silent, others, _),
        connected(server) as (_, kept, before),
    ):
        before.write(GET + b"\r\n")
        assert (await kept.readline()).startswith(b"HTTP/1.1 200 ")
        server.server.should_exit = True
        await until(lambda: asking.stopping)
        # Who was answered before knows that a connection may end.
        assert b"HTTP/1.1" not in await kept.read()
        writer.write(GET + b"\r\n")
        first, headers, _ = parsed(await reader.read())
        assert first == b"HTTP/1.1 200 OK"
        assert b"connection: close" in headers
        pass_seconds(silent, 2)
        assert await others.read() == b""


async def test_a_stop_within_an_answer_breaks_it_off_and_logs_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await start(send, 200, [])
        while True:
            await body(send, b"a" * 100, more=True)
            await asyncio.sleep(0.01)

    async with served(endless, ours()) as (server, port):
        server.config.timeout_graceful_shutdown = 0
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET + b"\r\n")
        await reader.readuntil(b"a" * 100)
    assert not (await reader.read()).endswith(b"0\r\n\r\n")
    writer.close()
    assert [record for record in caplog.records if record.exc_info] == []


async def test_whoever_observes_is_told_of_each_request_once_with_its_status_and_its_end() -> None:
    told: list[tuple[str, int]] = []

    def observe(scope: Any, status: int, began: float, notes: Notes | None) -> None:
        assert 0 < began <= perf_counter()
        # What was never begun had nothing to ask of a database.
        assert notes is None or notes.closed
        told.append((scope["path"], status))
        if status == 404:
            raise LookupError("a defect")

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await start(send, 404 if scope["path"] == "/missing" else 200, [(b"content-length", b"0")])
        await body(send, b"")

    async with served(application, Http(Settings().error_pages, Limits(requests=1), observe)) as (_, port):

        async def exchange(sent: bytes) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            await reader.read()
            writer.close()

        await exchange(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /missing HTTP/1.1\r\nHost: x\r\n\r\n" + LAST)
        await exchange(b"hello\r\n\r\n")
        await exchange(b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n")
    assert told == [("/a", 200), ("/missing", 404), ("/plain", 200), ("", 400), ("/b", 400)]


async def test_a_defect_while_a_request_is_read_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object) -> None:
        raise LookupError("a defect")

    monkeypatch.setattr(HttpConnection, "_judge", failing)
    async with running() as server:
        problem(await server.exchange(LAST), 400, "bad_request")
        assert not [record for record in caplog.records if record.exc_info and record.exc_info[0] is not LookupError]
        assert [record.getMessage() for record in caplog.records if record.exc_info] == ["A request could not be read"]
        caplog.clear()
        problem(await server.exchange(b"hello\r\n\r\n"), 400, "bad_request")
        assert not [record for record in caplog.records if record.exc_info]
