"""The headers that every answer carries, put around what the applications send."""

from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send

from gateway.auth.bearer import BearerTokens
from gateway.http_heads import Form, Lines, form_of, lines_of
from gateway.limits.headers import limit_lines
from gateway.limits.meter import Meter
from gateway.positions import HEADER, shown

Given = Collection[tuple[bytes, bytes]]

# As the server sends them, so that nothing is encoded for a request that could be encoded once.
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
_GUARDED_HEADERS = [
    *_HEADERS,
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Accept, Authorization, X-API-Key, Cookie, Origin"),
]


_POSITION = HEADER.lower().encode() + b": %b\r\n"


class DecoratedSend:
    """What an application sends, with the headers that every answer carries."""

    __slots__ = ("_guarded", "_meter", "_scope", "_send", "_tokens", "_whole", "started")

    def __init__(self, send: Send, scope: Scope, meter: Meter, tokens: BearerTokens | None, *, guarded: bool) -> None:
        self._send = send
        # Our own server takes an answer as a whole.
        self._whole: Callable[[int, Lines, bytes], None] | None = getattr(send, "whole", None)
        self._scope = scope
        self._meter = meter
        self._tokens = tokens
        self._guarded = guarded
        self.started = False

    def __call__(self, message: Message) -> Awaitable[None]:
        """Sends a message of the application."""
        if message["type"] != "http.response.start":
            return self._send({**message, "body": b""} if self._scope["method"] == "HEAD" else message)
        self.started = True
        return self._send({**message, "headers": self._headers(message["status"], message["headers"])})

    async def whole(self, status: int, headers: Given, body: bytes) -> None:
        """Sends a whole answer."""
        if self._whole is not None:
            self.started = True
            self._whole(status, self._headers(status, headers), body)
            return
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": body})

    def _headers(self, status: int, given: Given) -> Lines:
        scope = self._scope
        state = scope["state"]
        text = b"x-request-id: %b\r\n" % state["request_id"].encode()
        if self._meter.standing is not None:
            text += limit_lines(self._meter.standing)
        context = state.get("context")
        if context is not None and context.replayed:
            text += b"idempotent-replayed: true\r\n"
        if "position" in state:
            text += _POSITION % shown(state["position"])
        if not self._guarded:
            given = public(given)
        elif self._tokens is not None and status in (401, 403):
            given = list(given)
            self._tokens.challenge(status, MutableHeaders(raw=given), scope, Headers(scope=scope))
        names, values = zip(*given, strict=True) if given else ((), ())
        return (_guarded_form if self._guarded else form_of)(names).judged(text, values)


@lru_cache(maxsize=128)
def _guarded_form(names: tuple[bytes, ...]) -> Form:
    """The form of an answer of the API with these names, with what it lacks behind. `Vary` is always the edge's."""
    form = form_of(names)
    # To print no byte of a value is to leave it out.
    lines = form.lines.replace(b"vary: %b\r\n", b"%.0b")
    further = lines_of([header for header in _GUARDED_HEADERS if header[0] not in names or header[0] == b"vary"])
    return Form(lines, lines.count(b"\r\n"), further, form.length_at)


def public(given: Given) -> Given:
    """The headers of a public answer: its own, and those that it lacks."""
    names = {name for name, _ in given}
    return [*given, *(header for header in _HEADERS if header[0] not in names)]
