"""HTTP/1.1 on a connection (RFC 9112): what uvicorn's server calls for each, from bytes to ASGI and back.

httptools finds requests in the bytes, strictly. A connection answers one after the other; what a client sends before it
was answered waits, and so does the client once that becomes much. Nothing here is held for a client that is not there
or does not go on: heads, the pace of bodies, pauses, readers, connections and requests under way have limits, and one
timer for all connections looks after them once a second, so that a request costs none.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, NamedTuple, cast
from urllib.parse import unquote

import httptools
import uvicorn
from starlette.types import ASGIApp, Message, Scope
from uvicorn.server import ServerState

from db.engine.noting import Notes, notes
from domain.problem import ErrorPages, problem
from gateway.answer_headers import public
from gateway.http_heads import STATUS_LINES, Lines, length_of, lines_of
from gateway.http_known import Known, KnownHeaders, KnownRequest
from gateway.standby import Standby
from rest_compat.problem import INTERNAL, ProblemResponse, refusal, render

BUFFERED = 65_536
"""Bytes of a body that wait for the application before the client has to."""
PIECE = 16_384
"""Bytes that are looked at before it is asked whether they are too many."""
UNSENT = 64 << 20
"""Bytes of answers that wait until all clients together take them."""
PIPELINED = 32
"""Requests that wait on one connection; behind them it ends, and clients send again what was not answered."""
PATIENCE = 5
"""Seconds in which a client may take its last answer, and for one that was turned away, may send its request."""

FIRST_SECONDS = 1
"""For so long a server that stops waits for the first request on a connection."""

log = logging.getLogger("certgate")

_OVERLOADED = "The server is busy with as many requests as it takes at a time; try again in a second."
_TOO_LARGE = "The head of the request is too large: at most {0.header_bytes} bytes in {0.headers} headers; send less."
_NOT_HTTP = "This is no request of HTTP/1.1 as RFC 9112 has it; send one, with one Host and one length of its body."


class Limits(NamedTuple):
    """What a connection may take, and how many there may be. Seconds are whole ones."""

    header_bytes: int = 32_768
    """Of the names and values of headers, with the address that is asked for."""
    headers: int = 100
    head_seconds: int = 20
    """From the first byte of a request to the end of its headers."""
    body_seconds: int = 20
    """After so many seconds a body has to have come at this many bytes a second, on the average."""
    body_pace: int = 500
    write_seconds: int = 30
    """How long a client may take nothing of what waits for it."""
    keep_alive_seconds: int = 75
    connections: int = 4_096
    requests: int = 512
    """Under way at the same time."""


class Refused(Exception):
    """The request is answered here, and the connection ends."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


Observe = Callable[[Scope, int, float, Notes | None], None]
"""Is told of each request once it was answered: its scope, the status (0 if its client had gone before), when it had
come by `perf_counter`, and what was asked of the database for it if notes were taken."""


class Http:
    """What the connections of one server have in common; uvicorn calls it for each as it calls a protocol class."""

    def __init__(
        self,
        error_pages: ErrorPages,
        limits: Limits = Limits(),  # noqa: B008 - it is immutable
        observe: Observe | None = None,
        *,
        takes_notes: bool = True,
    ) -> None:
        self.limits = limits
        self.observe = observe
        self.takes_notes = observe is not None and takes_notes
        self.error_pages = error_pages
        self.under_way = 0
        """Requests that have come and are being answered."""
        self.unsent: dict[HttpConnection, int] = {}
        """What clients have not taken, in bytes; those who wait longest first."""
        self.connections: set[HttpConnection] = set()
        self.known = KnownHeaders()
        """Of this second."""
        self.standby = Standby()
        self._timer: asyncio.TimerHandle | None = None
        self._dated: tuple[list[tuple[bytes, bytes]], bytes] = ([], b"")

    def __call__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> "HttpConnection":
        """The protocol of a connection."""
        return HttpConnection(self, config, server_state, app_state, _loop or asyncio.get_running_loop())

    @property
    def connected(self) -> int:
        """How many connections there are."""
        return len(self.connections)

    def common_lines(self, state: ServerState) -> bytes:
        """The lines of what uvicorn adds to every answer, the date, which are made once a second."""
        headers = state.default_headers
        if self._dated[0] is not headers:
            self._dated = headers, b"".join(b"%b: %b\r\n" % header for header in headers)
        return self._dated[1]

    def keep_unsent(self, connection: "HttpConnection", size: int) -> None:
        """Takes note of what a client does not take; others who do not are cut off when all of it becomes too much."""
        self.unsent[connection] = size
        while sum(self.unsent.values()) > UNSENT and (first := next(iter(self.unsent))) is not connection:
            del self.unsent[first]
            first.transport.abort()

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Looks after the connections from now on, as long as there are any."""
        if self._timer is None:
            self._timer = loop.call_later(1, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        self.known.by_text.clear()
        for connection in tuple(self.connections):
            connection.a_second_passed()
        if self.connections:
            self.watch(loop)
        else:
            self.standby.end()


class Exchange:
    """A request and its answer, as the application sees them."""

    body: bytes | bytearray = b""
    """What came of the body and was not asked for."""
    received = 0
    more = True
    """Whether more of the body is to come."""
    taken = False
    """Whether the application has all of it."""
    status = 0
    headers: Iterable[tuple[bytes, bytes]] = ()
    head = False
    """Whether the head of the answer was sent."""
    chunked = False
    left: int | None = 0
    """Bytes of the answer that are to come; None if the end of the connection is to tell."""
    complete = False
    counts = False
    """Whether it is among those under way: not while the client still sends it."""
    changed: asyncio.Event | None = None
    is_proxied = False
    task: asyncio.Task[None] | None = None
    began = 0.0
    """When its turn came; 0 unless somebody observes."""
    notes: Notes | None = None

    def __init__(self, connection: "HttpConnection", scope: Scope, *, is_kept: bool, expects: bool) -> None:
        self.connection = connection
        self.scope = scope
        self.is_kept = is_kept
        """Whether the connection goes on behind the answer."""
        self.expects = expects
        """Whether the client waits for a word before it sends the body."""

    def wake(self) -> None:
        """Lets `receive` look again."""
        if self.changed is not None:
            self.changed.set()

    async def run(self, app: ASGIApp) -> None:
        """Has the application answer."""
        connection = self.connection
        if self.notes is not None:
            notes.set(self.notes)
        try:
            if not connection.ending:
                await app(self.scope, self.receive, self)
            if not (self.complete or connection.gone or connection.ending):
                log.error("%s %s was not answered to its end", self.scope["method"], self.scope["path"])
        except asyncio.CancelledError:
            # The server stops, and its patience with what is under way has ended.
            connection.transport.abort()
        except Exception:
            log.exception("%s %s failed in the server", self.scope["method"], self.scope["path"])
        finally:
            connection.answered(self)

    async def receive(self) -> Message:
        """The next part of the body; then, as soon as that is so, that the client has gone or was answered."""
        connection = self.connection
        if not self.taken:
            if self.expects and not self.body and not self.complete:
                self.expects = False
                connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            while self.more and not self.body and not self.complete and not connection.gone:
                await self._change()
            if not self.complete and not connection.gone:
                body, self.body, self.taken = self.body, b"", not self.more
                if connection.paused:
                    connection.regulate()
                return {"type": "http.request", "body": bytes(body), "more_body": self.more}
        while not self.complete and not connection.gone:
            await self._change()
        return {"type": "http.disconnect"}

    async def _change(self) -> None:
        if self.changed is None:
            self.changed = asyncio.Event()
        self.changed.clear()
        await self.changed.wait()

    def __call__(self, message: Message) -> Awaitable[None]:
        """Sends a part of the answer. Raises `RuntimeError` for what is none."""
        if self.connection.full is not None:
            return self._send_later(message)
        self.send_now(message)
        return self.connection.done

    async def _send_later(self, message: Message) -> None:
        while self.connection.full is not None:
            await asyncio.wait([self.connection.full])
        self.send_now(message)

    def send_now(self, message: Message) -> None:
        """The same, however much waits already."""
        connection, type_ = self.connection, message["type"]
        if connection.gone or connection.ending:
            return
        if self.complete or type_ != ("http.response.body" if self.status else "http.response.start"):
            raise RuntimeError(f"{type_} is not what comes next of an answer.")
        if not self.status:
            # The head waits for the first part of the body, so that a whole answer is one call of the system.
            self.headers = message.get("headers", ())
            self.status = message["status"]
            return
        self._send_body(message.get("body", b""), more=message.get("more_body", False))

    def whole(self, status: int, headers: Lines, body: bytes) -> None:
        """Sends all of an answer, as a start and a body would."""
        connection = self.connection
        if connection.gone or connection.ending:
            return
        if self.status:
            raise RuntimeError("The answer was begun before it is sent as a whole.")
        self.status, self.headers = status, headers
        if (
            not self.is_kept
            or self.more
            or connection.stopping
            or status in (204, 304)
            or self.scope["method"] == "HEAD"
            or headers.length != b"%d" % len(body)
        ):
            self._send_body(body, more=False)
            return
        self.head = self.complete = True
        common = connection.http.common_lines(connection.server_state)
        connection.transport.write(b"".join((STATUS_LINES[status], common, headers.text, b"\r\n", body)))
        if self.changed is not None:
            self.changed.set()

    def _send_body(self, body: bytes, *, more: bool) -> None:
        head = b"" if self.head else self._head(len(body))
        if self.scope["method"] == "HEAD":
            body, self.left = b"", 0
        elif self.chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        elif self.left is not None:
            self.left -= len(body)
            if self.left < 0 or (self.left and not more):
                raise RuntimeError("The body of an answer is not as long as its Content-Length says.")
        self.head = True
        if head or body:
            self.connection.transport.write(head + body)
        if not more:
            self.complete = True
            if self.changed is not None:
                self.changed.set()

    def _head(self, size: int) -> bytes:
        """The head of the answer, the first part of whose body has this size."""
        connection, status = self.connection, self.status
        if self.more or connection.stopping:
            # Where the body would end and the next request begin, only its end would tell.
            self.is_kept = False
        lines = lines_of(self.headers)
        # Mostly there is one part.
        is_known = type(self.headers) is Lines and self.headers.length == b"%d" % size
        length = size if is_known else length_of(lines)
        end = b"\r\n"
        if length is not None:
            self.left = 0 if status == 304 else length
        elif status not in (204, 304) and self.scope["method"] != "HEAD":
            self.chunked = self.scope["http_version"] == "1.1"
            self.is_kept = self.is_kept and self.chunked
            self.left = None
            end = b"transfer-encoding: chunked\r\n\r\n" if self.chunked else end
        if not self.is_kept:
            end = b"connection: close\r\n" + end
        return b"".join((STATUS_LINES[status], connection.http.common_lines(connection.server_state), lines, end))

    def tell(self, observe: Observe) -> None:
        """Tells of it, now that it was answered. A mistake there is not the client's."""
        if self.notes is not None:
            self.notes.closed = True
        try:
            observe(self.scope, self.status, self.began or perf_counter(), self.notes)
        except Exception:
            log.exception("A request could not be told of")


class HttpConnection(asyncio.Protocol):
    """One connection, and what comes on it."""

    # Of the request that is being read.
    url = b""
    headers: list[tuple[bytes, bytes]]
    incoming: Exchange | None = None
    """The last request whose headers have come; its body may be on its way."""
    in_head = False
    """Whether a request has begun whose headers have not all come."""
    framing = 0
    """Bytes that came since it began and are no part of its body."""
    arriving = 0
    """Bytes that came just now."""

    exchange: Exchange | None = None
    """What is being answered."""
    full: asyncio.Future[None] | None = None
    """While the client does not take what is sent to it: done when it does again."""
    unsent = 0
    paused = False
    """Whether the client has to wait before it sends more."""
    quiet = 0
    """Seconds since something happened that is awaited now."""
    refusal: Refused | None = None
    """Why the parser was stopped."""
    is_beyond = False
    """Whether something came behind the last request."""
    resuming = False
    """Whether a request that was begun is begun once more, for its body."""
    gone = False
    ending = False
    """Whether the last answer was given: what still comes is not looked at."""
    stopping = False
    turned_away = False

    def __init__(
        self,
        http: Http,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.http = http
        self.server_state = server_state
        self.app_state = app_state
        self.loop = loop
        self.app: Any = config.app
        # uvicorn puts in front of it what believes the headers of a proxy.
        self.behind_proxy: Any = config.loaded_app
        self.queue: deque[Exchange] = deque()
        self.parser = httptools.HttpRequestParser(self)
        self.done: asyncio.Future[None] = loop.create_future()
        self.done.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins; beyond as many as there may be, only to be told so."""
        self.transport = cast("asyncio.Transport", transport)
        self.client = _address(transport.get_extra_info("peername"))
        self.server = _address(transport.get_extra_info("sockname"))
        self.turned_away = len(self.http.connections) >= self.http.limits.connections
        self.http.connections.add(self)
        self.server_state.connections.add(self)  # type: ignore[arg-type]
        self.http.watch(self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells whoever answers that nobody is there."""
        self.gone = True
        self.http.connections.discard(self)
        self.server_state.connections.discard(self)
        self.queue.clear()
        self.resume_writing()
        if self.exchange is not None:
            self.exchange.wake()
        # They know each other; without this, only the garbage collector would part them.
        del self.parser

    def data_received(self, data: bytes) -> None:
        """Takes what came."""
        if len(data) > PIECE:
            for at in range(0, len(data), PIECE):
                self.data_received(data[at : at + PIECE])
            return
        if self._is_over():
            return
        went_on = self.in_head
        is_first = not (went_on or self.exchange or self.queue or self.full)
        if is_first and (request := self.http.known.find(data)) is not None:
            self._answer_known(request)
            return
        self.arriving = len(data)
        self.framing += self.arriving
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._stay(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            # What comes behind the last request of a connection is not looked at.
            if not self.is_beyond:
                self._require_no_defect(error)
                self._refuse(self.refusal or Refused("bad_request", _NOT_HTTP))
            self._go_on()
            return
        if is_first and len(self.queue) == 1:
            self._learn(data, self.queue[0])
        self._go_on()
        if self._is_over():
            return
        incoming = self.incoming
        if self.in_head:
            if went_on and self.framing > self.http.limits.header_bytes:
                self._refuse(self._too_large())
        elif incoming is not None and incoming.more:
            # Chunks of a byte each are five times as long; more is not about the body.
            if self.framing > self.http.limits.header_bytes + len(data) + 8 * incoming.received:
                self._refuse(self._too_large())
            self.regulate()
        if self.queue:
            self.regulate()

    def _is_over(self) -> bool:
        return self.ending or self.gone

    def _answer_known(self, request: KnownRequest) -> None:
        """Has a request answered whose headers are known, and before which there is nothing."""
        method, url, query, body, known = request
        scope = self._scope("1.1", method, url, query, known.headers, known.memo)
        scope["body"] = body
        self.incoming = exchange = Exchange(self, scope, is_kept=True, expects=False)
        exchange.body, exchange.more, exchange.is_proxied = body, False, known.is_proxied
        self.quiet = 0
        self._begin(exchange)

    def _learn(self, data: bytes, exchange: Exchange) -> None:
        """Remembers the headers of a request that came as a whole, if they say nothing of the connection."""
        # What comes at once is at most a piece; whether that is too much is not looked at where they are known.
        if exchange.is_kept and not exchange.more and self.http.limits.header_bytes >= PIECE:
            scope = exchange.scope
            known = Known(scope["headers"], len(exchange.body), exchange.is_proxied, scope["memo"])
            self.http.known.learn(data, known)

    def _scope(
        self,
        version: str,
        method: str,
        url: bytes,
        query: bytes,
        headers: list[tuple[bytes, bytes]],
        memo: dict[Any, Any],
    ) -> Scope:
        """ASGI's scope, and in `memo` what its reader works out of the headers alone: others may have the same."""
        path = url.decode("ascii")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": "http",
            "method": method,
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": url,
            "query_string": query,
            "headers": headers,
            "state": self.app_state.copy(),
            "memo": memo,
        }

    def _require_no_defect(self, error: httptools.HttpParserError) -> None:
        """What is raised while the parser runs comes out as its own error; of a defect the log has to know."""
        cause = error.__context__
        if not isinstance(cause, Refused | UnicodeDecodeError | httptools.HttpParserError | None):
            log.error("A request could not be read", exc_info=cause)

    def _stay(self, rest: bytes) -> None:
        """Goes on with a client that would rather speak something else behind this request (RFC 9110 section 7.8).

        The parser has left out its body. Another one finds it behind a head that only says how long it is.
        """
        assert self.incoming is not None
        framing = [header for header in self.headers if header[0] in (b"content-length", b"transfer-encoding")]
        head = b"".join(b"%b: %b\r\n" % header for header in framing)
        self.incoming.more = True
        self.parser = httptools.HttpRequestParser(self)
        self.resuming = True
        self.data_received(b"POST / HTTP/1.1\r\n%b\r\n%b" % (head, rest))

    def on_message_begin(self) -> None:
        """Called with the first byte of a request."""
        if self.resuming:
            return
        if self.incoming is not None and not self.incoming.is_kept:
            self.is_beyond = True
            raise Refused("bad_request", _NOT_HTTP)
        self.url = b""
        self.headers = []
        self.in_head = True
        self.framing = self.quiet = 0

    def on_url(self, url: bytes) -> None:
        """Called with a part of what is asked for."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header, without the blanks behind its value, which are no part of it (RFC 9110 section 5.5)."""
        # What comes behind a body is not looked at.
        if self.in_head:
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Has the request answered, or wait until others are. Raises `Refused`."""
        if not self.in_head:
            self.resuming = False
            return
        self.in_head = False
        parser, headers = self.parser, self.headers
        found = dict(headers)
        is_kept = parser.should_keep_alive()
        # Nothing but 1.1 goes on without saying so.
        version = "1.1" if is_kept and b"connection" not in found else parser.get_http_version()
        method = parser.get_method().decode("ascii")
        self._judge(version, method, found)
        url = self.url
        query = b""
        if not url.startswith(b"/") or b"?" in url or b"#" in url:
            parsed = httptools.parse_url(url)
            if parsed.path is None:
                raise self._refused(Refused("bad_request", _NOT_HTTP))
            url, query = parsed.path, parsed.query or b""
        scope = self._scope(version, method, url, query, headers, {})
        expects = b"expect" in found and found[b"expect"].lower() == b"100-continue" and version == "1.1"
        self.incoming = exchange = Exchange(self, scope, is_kept=is_kept and version == "1.1", expects=expects)
        exchange.is_proxied = b"x-forwarded-for" in found or b"x-forwarded-proto" in found
        self.quiet = 0
        self.queue.append(exchange)
        # One that nobody is before does not wait.
        if len(self.queue) == PIPELINED + (self.exchange is None):
            exchange.is_kept = False

    def _judge(self, version: str, method: str, found: Mapping[bytes, bytes]) -> None:
        """Raises `Refused` for what the parser lets pass and nobody should (RFC 9112 sections 2.3, 3.2, 6.1)."""
        limits, headers = self.http.limits, self.headers
        if len(headers) > limits.headers or (
            # Mostly far less has come at all.
            self.framing + self.arriving > limits.header_bytes
            and sum(len(name) + len(value) for name, value in headers) + len(self.url) > limits.header_bytes
        ):
            raise self._refused(self._too_large())
        coding = found.get(b"transfer-encoding")
        if (
            version not in ("1.1", "1.0")
            or method == "CONNECT"
            or (b"host" not in found and version == "1.1")
            or (len(found) < len(headers) and sum(name == b"host" for name, _ in headers) > 1)
            or (coding is not None and (version == "1.0" or coding.lower() != b"chunked"))
        ):
            raise self._refused(Refused("bad_request", _NOT_HTTP))

    def _too_large(self) -> Refused:
        return Refused("request_header_fields_too_large", _TOO_LARGE.format(self.http.limits))

    def _refused(self, refusal: Refused) -> Refused:
        """To be raised to the parser, which stops at it and raises its own."""
        self.refusal = refusal
        return refusal

    def on_body(self, data: bytes) -> None:
        """Keeps a part of a body until it is asked for."""
        incoming = self.incoming
        assert incoming is not None
        self.framing -= len(data)
        incoming.received += len(data)
        if incoming.complete:
            return
        if not incoming.body:
            incoming.body = data
        elif isinstance(incoming.body, bytearray):
            incoming.body += data
        else:
            incoming.body = bytearray(incoming.body) + data
        incoming.wake()

    def on_message_complete(self) -> None:
        """Called at the end of a request."""
        assert self.incoming is not None
        self.incoming.more = False
        if self.incoming is self.exchange:
            self.incoming.counts = True
            self.http.under_way += 1
        self.incoming.wake()

    def regulate(self) -> None:
        """Has the client wait, or no longer: while requests wait, or much of a body."""
        incoming = self.incoming
        full = bool(self.queue) or (incoming is not None and len(incoming.body) > BUFFERED)
        if full is not self.paused and not self.gone:
            self.paused = full
            if full:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def _begin(self, exchange: Exchange) -> None:
        """Has a request answered, unless there are too many."""
        self.exchange = exchange
        if self.http.observe is not None:
            exchange.began = perf_counter()
            if self.http.takes_notes:
                exchange.notes = Notes()
        if self.turned_away or self.http.under_way >= self.http.limits.requests:
            exchange.is_kept = exchange.is_kept and not self.turned_away
            self._answer(exchange, self._problem("service_unavailable", _OVERLOADED, retry_after=1))
            if self.http.observe is not None:
                exchange.tell(self.http.observe)
            self._end_or_go_on(exchange)
            return
        app = self.behind_proxy if exchange.is_proxied else self.app
        exchange.task = self.http.standby.run(exchange.run(app), self.loop)
        if exchange.task is not None:
            self.server_state.tasks.add(exchange.task)
            if not exchange.more:
                exchange.counts = True
                self.http.under_way += 1

    def answered(self, exchange: Exchange) -> None:
        """To be called when the application has done what it does for a request."""
        self.http.under_way -= exchange.counts
        self.server_state.total_requests += 1
        if exchange.task is not None:
            self.server_state.tasks.discard(exchange.task)
        if not self.gone and not self.ending:
            if not exchange.complete and not exchange.head:
                exchange.status, exchange.is_kept = 0, False
                self._answer(exchange, refusal("internal_error", INTERNAL, self.http.error_pages))
            self._end_or_go_on(exchange)
        if self.http.observe is not None:
            exchange.tell(self.http.observe)

    def _end_or_go_on(self, exchange: Exchange) -> None:
        self.exchange = None
        if not exchange.complete or not exchange.is_kept:
            self._end()
            return
        self.quiet = 0
        if self.queue:
            # Others have a turn in between.
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Begins the next request that waits, as soon as the one before it is answered and that was taken."""
        if self.queue and self.exchange is None and self.full is None:
            self._begin(self.queue.popleft())
            if self.paused:
                self.regulate()

    def _refuse(self, refused: Refused) -> None:
        """Answers a request that is none, or will not be one, and ends the connection."""
        scope: Scope = {"method": "GET", "http_version": "1.1", "path": "", "query_string": b"", "client": self.client}
        # Its headers may have been good, and its body not.
        own = self.incoming if self.incoming is not None and self.incoming.more else None
        before = self.queue[-1] if self.queue else self.exchange
        if own is not None and own is before:
            before = None
            if self.queue:
                self.queue.pop()
                before = self.queue[-1] if self.queue else self.exchange
        if before is not None:
            # Others are answered first, and the connection ends behind them: that says enough.
            before.is_kept = False
            self.incoming = before
            self.is_beyond = True
            return
        exchange = own or Exchange(self, scope, is_kept=False, expects=False)
        if exchange.head:
            self.transport.close()
            return
        exchange.status, exchange.is_kept = 0, False
        self._answer(exchange, self._problem(refused.code, refused.detail))
        if self.http.observe is not None and not exchange.began:
            exchange.tell(self.http.observe)
        self._end()

    def _problem(self, code: str, detail: str, retry_after: int | None = None) -> ProblemResponse:
        at = datetime.now(UTC)
        return render(problem(code, detail, at=at, error_pages=self.http.error_pages, retry_after=retry_after))

    def _answer(self, exchange: Exchange, response: ProblemResponse) -> None:
        exchange.scope.setdefault("state", {})["code"] = response.code
        headers = public(response.raw_headers)
        exchange.send_now({"type": "http.response.start", "status": response.status_code, "headers": headers})
        exchange.send_now({"type": "http.response.body", "body": response.body})

    def _end(self) -> None:
        """Ends the connection behind what was sent; what a client is still sending does not make it lose that."""
        self.ending = True
        self.quiet = 0
        self.queue.clear()
        self.headers, self.url = [], b""
        if self.incoming is not None and not (self.incoming.more or self.in_head or self.is_beyond or self.refusal):
            self.transport.close()
        elif not self.transport.is_closing():
            # What is closed with something unread loses what was sent, too.
            self.incoming = None
            self.regulate()
            self.transport.write_eof()

    def shutdown(self) -> None:
        """Called by uvicorn when the server stops: what is under way is the last.

        So is what a client is about to send that has connected and not yet been answered: another one would not know
        whether that was done.
        """
        self.stopping = True
        if self.exchange is not None:
            self.exchange.is_kept = False
        elif self.incoming is None or self.in_head:
            self.quiet = 0
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """Called when much of what was sent was not taken."""
        self.full = self.loop.create_future()
        self.quiet = 0
        self.unsent = self.transport.get_write_buffer_size()
        self.http.keep_unsent(self, self.unsent)

    def resume_writing(self) -> None:
        """Called when it was."""
        full, self.full = self.full, None
        if full is not None:
            self.http.unsent.pop(self, None)
            full.set_result(None)
            self._go_on()

    def a_second_passed(self) -> None:
        """Ends what takes too long."""
        limits, incoming = self.http.limits, self.incoming
        self.quiet += 1
        if self.full is not None:
            unsent = self.transport.get_write_buffer_size()
            self.quiet = 0 if unsent < self.unsent else self.quiet
            self.unsent = unsent
            if self.quiet > limits.write_seconds:
                self.transport.abort()
        elif self.ending or self.turned_away:
            if self.quiet > PATIENCE:
                self.transport.close()
        elif self.in_head:
            if self.quiet > limits.head_seconds:
                self._refuse(Refused("request_timeout", "The headers of the request took too long; send it again."))
        elif incoming is not None and incoming.more:
            if self.paused:
                self.quiet -= 1
            elif self.quiet > limits.body_seconds + incoming.received // limits.body_pace:
                self._refuse(Refused("request_timeout", "The body of the request took too long; send it again."))
        elif self.exchange is None and self.quiet > (FIRST_SECONDS if self.stopping else limits.keep_alive_seconds):
            self.transport.close()


_ASGI = {"version": "3.0", "spec_version": "2.3"}


def _address(of_socket: Any) -> tuple[str, int] | None:
    """ASGI's form of a socket's address; None for one without a host."""
    return (str(of_socket[0]), int(of_socket[1])) if isinstance(of_socket, tuple) else None
