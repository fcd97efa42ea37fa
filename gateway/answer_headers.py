"""The headers that every answer carries, put around what the applications send."""

from collections.abc import Awaitable, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send

from gateway.auth.bearer import BearerTokens
from gateway.limits.headers import limit_headers
from gateway.limits.meter import Meter

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
_GUARDED_NAMES = frozenset(name for name, _ in _GUARDED_HEADERS)


class Blocked(tuple[tuple[bytes, bytes], ...]):  # noqa: SLOT001 - of what has no fixed size slots can hold nothing
    """The headers of an answer; those behind the first `own` are the same for many, and `block` is their lines."""

    own: int
    block = b"".join(b"%b: %b\r\n" % header for header in _GUARDED_HEADERS)


class DecoratedSend:
    """What an application sends, with the headers that every answer carries."""

    __slots__ = ("_guarded", "_meter", "_scope", "_send", "_tokens", "started")

    def __init__(self, send: Send, scope: Scope, meter: Meter, tokens: BearerTokens | None, *, guarded: bool) -> None:
        self._send = send
        self._scope = scope
        self._meter = meter
        self._tokens = tokens
        self._guarded = guarded
        self.started = False

    def __call__(self, message: Message) -> Awaitable[None]:
        """Sends a message of the application."""
        scope = self._scope
        if message["type"] != "http.response.start":
            return self._send({**message, "body": b""} if scope["method"] == "HEAD" else message)
        self.started = True
        state = scope["state"]
        sent = [(b"x-request-id", state["request_id"].encode())]
        if self._meter.standing is not None:
            sent += limit_headers(self._meter.standing)
        context = state.get("context")
        if context is not None and context.replayed:
            sent.append((b"idempotent-replayed", b"true"))
        given = message["headers"]
        headers = _guarded(sent, given) if self._guarded else [*sent, *public(given)]
        message = {**message, "headers": headers}
        if self._guarded and message["status"] in (401, 403) and self._tokens is not None:
            self._tokens.challenge(message["status"], MutableHeaders(scope=message), scope, Headers(scope=scope))
        return self._send(message)


def _guarded(sent: list[tuple[bytes, bytes]], given: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
    """The headers of an answer of the API: its own, and those of every such answer. `Vary` is always the edge's."""
    own = False
    for header in given:
        name = header[0]
        if name == b"vary":
            continue
        own = own or name in _GUARDED_NAMES
        sent.append(header)
    if own:
        names = {name for name, _ in sent}
        return sent + [header for header in _GUARDED_HEADERS if header[0] not in names]
    blocked = Blocked((*sent, *_GUARDED_HEADERS))
    blocked.own = len(sent)
    return blocked


def public(given: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of a public answer: its own, and those that it lacks."""
    names = {name for name, _ in given}
    return [*given, *(header for header in _HEADERS if header[0] not in names)]
