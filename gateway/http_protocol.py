"""uvicorn's protocol with a quicker way for the head of an answer.

uvicorn looks at each name and value of a header by itself, which was a third of what it does for a request. Here the
names of an answer, which repeat from one to the next, are judged once, and its values together. What is not as plain as
an answer of known length on a connection that stays open goes uvicorn's own way: HEAD, chunks, HTTP/1.0, `Connection:
close`, an access log, a client that reads slowly, and headers that have to be refused.
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

    async def send(self, message: ASGISendEvent) -> None:
        """Sends a part of the answer."""
        if message["type"] != "http.response.start" or not self._head_sent(message):
            await super().send(message)

    def _head_sent(self, message: HTTPResponseStartEvent) -> bool:
        """Whether the head of the answer went the quick way; nothing was done if not."""
        if self.response_started or self.disconnected or self.flow.write_paused:
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
        self.transport.write(STATUS_LINE[message["status"]] + head)
        return True


class QuickProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with answers that go the quick way."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # uvicorn has no place to name the class, which has no state of its own.
        cycle.__class__ = QuickCycle
        super()._start_asgi_task(cycle, app)
