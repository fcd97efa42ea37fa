"""uvicorn's protocol with a quicker way for an answer.

uvicorn looks at each name and value of a header by itself, which was a third of what it does for a request. Here the
names of an answer, which repeat from one to the next, are judged once, and its values together. The head waits for the
first part of the body, as ASGI asks for, so that a whole answer is one call of the system instead of two. And a
connection has one timer for as long as it is used, not one for each pause between two requests.

What is not as plain as an answer of known length on a connection that stays open goes uvicorn's own way: HEAD, chunks,
HTTP/1.0, `Connection: close`, an access log, a client that reads slowly, and headers that have to be refused.
"""

from functools import lru_cache
from typing import NamedTuple

from uvicorn._types import ASGI3Application, ASGISendEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

# What may not stand in a value (RFC 9110 section 5.5): the control characters, but for the tab.
_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09})


class Form(NamedTuple):
    """What answers with the same header names have in common."""

    lines: bytes
    """The header lines, to be filled with the values."""
    length_at: int
    """Where among the values that of Content-Length is."""


@lru_cache(maxsize=128)
def _form(names: tuple[bytes, ...]) -> Form | None:
    """The form of answers with these header names; None if they are uvicorn's to judge."""
    lower = [name.lower() for name in names]
    if any(HEADER_RE.search(name) or b"%" in name for name in lower) or lower.count(b"content-length") != 1:
        return None
    if b"connection" in lower or b"transfer-encoding" in lower:
        return None
    return Form(b"".join(b"%b: %%b\r\n" % name for name in lower) + b"\r\n", lower.index(b"content-length"))


class QuickCycle(RequestResponseCycle):
    """One request and its answer."""

    head = b""
    """The head of the answer until it is sent."""

    async def send(self, message: ASGISendEvent) -> None:
        """Sends a part of the answer."""
        if not self.response_started:
            if message["type"] == "http.response.start" and self._head_made(message):
                return
        elif self.head:
            head, self.head = self.head, b""
            if self._whole_sent(head, message):
                return
            if not self.disconnected:
                self.transport.write(head)
        await super().send(message)

    def _head_made(self, message: HTTPResponseStartEvent) -> bool:
        """Whether the head of the answer goes the quick way; nothing was done if not."""
        if self.disconnected or self.flow.write_paused:
            return False
        if not self.keep_alive or self.access_log or self.scope["method"] == "HEAD":
            return False
        names, values = zip(*self.default_headers, *message.get("headers", ()), strict=True)
        form = _form(names)
        if form is None or not values[form.length_at].isdigit():
            return False
        head = form.lines % values
        # As many line ends as there are lines, and no other control character: no value gets out of its line.
        if len(head) - len(head.translate(None, _CONTROLS)) != 2 * len(names) + 2:
            return False
        self.response_started = True
        self.waiting_for_100_continue = False
        self.chunked_encoding = False
        self.expected_content_length = int(values[form.length_at])
        self.head = STATUS_LINE[message["status"]] + head
        return True

    def _whole_sent(self, head: bytes, message: ASGISendEvent) -> bool:
        """Whether this is the whole body and was sent with the head; nothing was done if not."""
        if message["type"] != "http.response.body" or message.get("more_body", False):
            return False
        body = message.get("body", b"")
        if len(body) != self.expected_content_length or self.disconnected or self.flow.write_paused:
            return False
        self.expected_content_length = 0
        self.transport.write(head + body)
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
        return True


class QuickProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with answers that go the quick way."""

    idle_since: float | None = None
    """Since when the connection waits for its next request, in the loop's time."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # uvicorn has no place to name the class. What this one adds to its state begins as the class has it.
        cycle.__class__ = QuickCycle
        super()._start_asgi_task(cycle, app)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header, without the blanks behind its value, which are no part of it (RFC 9110 section 5.5).

        uvicorn's own once more, because a call of it for each header costs more than all that it does.
        """
        name, value = name.lower(), value.rstrip(b" \t")
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def _unset_keepalive_if_required(self) -> None:
        """Called when the pause ends: the timer goes on, and finds out by itself."""
        self.idle_since = None

    def on_response_complete(self) -> None:
        """Begins the next request, or the pause before it."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self.idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._wait(self.timeout_keep_alive)

    def _wait(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Closes a connection whose pause has become too long."""
        self.timeout_keep_alive_task = None
        if self.idle_since is None:
            # The next pause begins with the next answer.
            return
        left = self.idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._wait(left)
        else:
            super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends what belongs to the connection."""
        super().connection_lost(exc)
        # The timer, too, which ours leaves running.
        super()._unset_keepalive_if_required()
