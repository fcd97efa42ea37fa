"""One connection to a receiver: HTTP/1.1 requests, one after the other, within bounds of time and size.

It is small for the sake of the thousand requests a second that it is to make beside those that the server answers, and
because the address that is dialled has to be the one that was judged.
"""

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple, cast

import httptools
from pydantic import AnyHttpUrl, TypeAdapter

from domain.deliveries import Answer
from domain.receivers import Network
from gateway.webhooks.addresses import NotAllowed, address_of

CONNECT_SECONDS = 5
ANSWER_SECONDS = 15
"""How long a receiver may take to answer."""
MOST_BYTES = 64 * 1024
"""So much of an answer is read at most, its head included."""
EXCERPT = 500
"""Characters of an answer that are kept."""
ENOUGH_BYTES = 2_000

_url: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


class Destination(NamedTuple):
    """Where requests go."""

    host: str
    port: int
    encrypted: bool
    head: bytes
    """The lines that each request begins with."""


@lru_cache(maxsize=1_000)
def destination_of(url: str) -> Destination:
    """What a URL says, as it is sent."""
    parts = _url.validate_python(url)
    host, encrypted = str(parts.host), parts.scheme == "https"
    usual = 443 if encrypted else 80
    port = parts.port or usual
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = host if port == usual else f"{host}:{port}"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {named}\r\nUser-Agent: certgate\r\nAccept: */*\r\n"
        "Content-Type: application/cloudevents+json\r\n"
    )
    return Destination(host.strip("[]"), port, encrypted, head.encode("ascii"))


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


class ReceiverConnection(asyncio.Protocol):
    """An open connection. It is good for another request while `is_open`."""

    def __init__(self) -> None:
        self.is_open = False
        self.is_new = True
        """Whether nothing was answered on it so far."""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._status: int | None = None
        self._after: timedelta | None = None
        self._text = b""
        self._bytes = 0

    async def ask(self, request: bytes) -> Answer:
        """What is answered to a request. Raises `ConnectionError` where the connection ends without any answer."""
        assert self._transport is not None
        self._begin()
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        late = loop.call_later(ANSWER_SECONDS, self._late)
        self._transport.write(request)
        try:
            answer = await self._answer
        finally:
            late.cancel()
            self._answer = None
        self.is_new = False
        return answer

    def close(self) -> None:
        """Ends it, whatever is still to come."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        # uvloop's are none of asyncio's.
        self._transport, self.is_open = cast("asyncio.Transport", transport), True

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended; an answer without a length ends so, too."""
        self.is_open = False
        if self._status is not None:
            self._done(Answer(*self._said()))
        elif self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc if isinstance(exc, OSError) else ConnectionError("it ended the connection"))

    def data_received(self, data: bytes) -> None:
        """A part of an answer, or what nobody asked for."""
        self._bytes += len(data)
        if self._answer is None or self._answer.done():
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, ValueError):
            self.close()
            self._done(Answer(None, "What it answered is no HTTP.", "unreadable"))
            return
        if self._bytes > MOST_BYTES and not self._answer.done():
            self.close()
            if self._status is None:
                self._done(Answer(None, "The head of its answer has no end.", "unreadable"))
            else:
                self._done(Answer(*self._said()))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        if name.lower() == b"retry-after":
            self._after = _wait(value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        status = self._parser.get_status_code()
        self._status = status if status >= 200 else None

    def on_body(self, part: bytes) -> None:
        """Called by the parser."""
        if len(self._text) < ENOUGH_BYTES:
            self._text += part[:ENOUGH_BYTES]

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._status is None:
            # It says that it goes on.
            return
        if not self._parser.should_keep_alive():
            self.close()
        self._done(Answer(*self._said()))

    def _said(self) -> tuple[int | None, str, str, timedelta | None]:
        text = "".join(c if c.isprintable() else " " for c in self._text.decode("utf-8", "replace")[:EXCERPT])
        result = "delivered" if self._status is not None and 200 <= self._status < 300 else "refused"
        return self._status, text, result, self._after

    def _late(self) -> None:
        self.close()
        if self._status is not None:
            self._done(Answer(*self._said()))
        else:
            self._done(Answer(None, f"It did not answer within {ANSWER_SECONDS} seconds.", "timeout"))

    def _done(self, answer: Answer) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


def _wait(text: str) -> timedelta | None:
    """What a `Retry-After` asks for (RFC 9110 section 10.2.3), none where it is no such thing."""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(at - datetime.now(UTC), timedelta(0))


class Receiver:
    """The connections to one URL, which are kept from one request to the next."""

    def __init__(self, url: str, networks: Sequence[Network]) -> None:
        self._destination = destination_of(url)
        self._networks = networks
        self._free: list[ReceiverConnection] = []

    async def post(self, headers: bytes, body: bytes) -> Answer:
        """What became of a request; `headers` are whole lines."""
        request = b"%s%sContent-Length: %d\r\n\r\n%s" % (self._destination.head, headers, len(body), body)
        while True:
            connection = None
            try:
                connection = await self._connection()
                answer = await connection.ask(request)
            except NotAllowed as refusal:
                return Answer(None, str(refusal), "forbidden")
            except TimeoutError:
                return Answer(None, f"It did not take a connection within {CONNECT_SECONDS} seconds.", "timeout")
            except (OSError, ValueError) as error:
                # The receiver may have ended a connection that was not used just when it was.
                if connection is not None and not connection.is_new:
                    continue
                why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                return Answer(None, f"It cannot be reached: {why}."[:EXCERPT], "unreachable")
            except asyncio.CancelledError:
                if connection is not None:
                    connection.close()
                raise
            if connection.is_open:
                self._free.append(connection)
            return answer

    def close(self) -> None:
        """Ends all connections."""
        while self._free:
            self._free.pop().close()

    async def _connection(self) -> ReceiverConnection:
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                return connection
        host, port, encrypted, _ = self._destination
        async with asyncio.timeout(CONNECT_SECONDS):
            address = await address_of(host, port, self._networks, encrypted=encrypted)
            _, connection = await asyncio.get_running_loop().create_connection(
                ReceiverConnection,
                address,
                port,
                ssl=_trusted() if encrypted else None,
                server_hostname=host if encrypted else None,
            )
        return connection
