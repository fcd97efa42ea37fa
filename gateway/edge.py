"""What surrounds both faces, once: the request id, who asks, the headers every answer carries, the last net for errors.

Pure ASGI: Starlette's own middleware class would cost a task and a queue for every request.
"""

import logging
import re
from datetime import UTC, datetime
from secrets import token_hex

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.database import Database
from domain.access import Caller
from domain.errors import DomainError, Forbidden, Unauthorized
from domain.idempotency import read_key
from domain.problem import describe
from gateway.credentials import SAFE_METHODS, Credentials
from gateway.limit_headers import limit_headers
from gateway.limiter import Meter, RateLimits
from resolvers.operation import Context
from rest_compat.openapi import DOCUMENT_PATHS
from rest_compat.problem import INTERNAL, refusal, render, scope_challenge

GUARDED = ("/certifications/", "/products/", "/account/", "/graphql")
"""Where a credential is needed. Everything else (pages, health) is public and never sees a context."""

_request_id = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
# As the server sends them, so that nothing is encoded for a request that could be encoded once.
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
_GUARDED_HEADERS = [*_HEADERS, (b"cache-control", b"private, no-cache")]
_VARY = (b"vary", b"Accept, Authorization, X-API-Key, Cookie, Origin")

log = logging.getLogger("certgate")


class Edge:
    """Wraps the application. `database` is open by the time the first request arrives."""

    def __init__(
        self, app: ASGIApp, database: Database, limits: RateLimits, credentials: Credentials, type_base: str
    ) -> None:
        self.app = app
        self.database = database
        self.limits = limits
        self.type_base = type_base
        self.credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; other scopes pass through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        # Anything else than a plain short id could forge log lines.
        request_id = given if _request_id.match(given) else token_hex(16)
        is_api = scope["path"].startswith(GUARDED)
        if is_api and scope["path"].endswith("/"):
            # One path with or without the slash: a redirect would make clients drop the body, or the key.
            scope = {**scope, "path": scope["path"][:-1]}
        guarded = is_api and scope["path"] not in DOCUMENT_PATHS
        is_head = scope["method"] == "HEAD"
        meter = Meter(self.limits, scope.get("client"))
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                sent = [header for header in message["headers"] if not guarded or header[0] != b"vary"]
                names = {name for name, _ in sent}
                sent.append((b"x-request-id", request_id.encode()))
                sent += [header for header in (_GUARDED_HEADERS if guarded else _HEADERS) if header[0] not in names]
                if guarded:
                    sent.append(_VARY)
                    sent += limit_headers(await meter.standing())
                context = state.get("context")
                if context is not None and context.replayed:
                    sent.append((b"idempotent-replayed", b"true"))
                message = {**message, "headers": sent}
                if guarded and message["status"] in (401, 403) and self.credentials.tokens is not None:
                    self.credentials.tokens.challenge(message["status"], MutableHeaders(scope=message), scope, headers)
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        try:
            if guarded:
                now = datetime.now(UTC)
                caller = await self._charged_caller(scope, headers, now, meter)
                key = None if scope["method"] in SAFE_METHODS else read_key(headers.getlist("idempotency-key"))
                state["meter"] = meter
                state["context"] = Context(self.database, caller, now, idempotency_key=key)
            await self.app(scope, receive, send_with_headers)
        except DomainError as error:
            document = describe(error, at=datetime.now(UTC), type_base=self.type_base)
            response = render(document, headers=scope_challenge(error))
            await response(scope, receive, send_with_headers)
        except Exception:
            log.exception("request %s failed: %s %s", request_id, scope["method"], scope["path"])
            if not started:
                await refusal("internal_error", INTERNAL, self.type_base)(scope, receive, send_with_headers)

    async def _charged_caller(self, scope: Scope, headers: Headers, now: datetime, meter: Meter) -> Caller:
        """Who asks; the request has been charged to them, or to the address of whoever showed no valid credential."""
        try:
            caller = await self.credentials.of_request(scope, headers, now)
        except (Unauthorized, Forbidden):
            await meter.charge(1)
            raise
        meter.belongs_to(caller)
        await meter.charge(1)
        return caller
