"""What surrounds both faces, once: the request id, who asks, the headers every answer carries, the last net for errors.

Pure ASGI: Starlette's own middleware class would cost a task and a queue for every request.
"""

import logging
import re
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from secrets import token_hex

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.database import Database
from domain.access import Caller
from domain.errors import DomainError, Forbidden, Unauthorized
from domain.problem import describe
from gateway.credentials import Credentials
from resolvers.operation import Context
from rest_compat.problem import INTERNAL, refusal, render

GUARDED = ("/certifications/", "/products/", "/account/", "/graphql")
"""Where a credential is needed. Everything else (pages, health) is public and never sees a context."""

SESSION_COOKIE = "sessionid"

_request_id = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_GUARDED_HEADERS = {
    **_HEADERS,
    "Cache-Control": "private, no-cache",
}
_VARY = "Accept, Authorization, X-API-Key, Cookie, Origin"

log = logging.getLogger("certgate")


class Edge:
    """Wraps the application. `database` is open by the time the first request arrives."""

    def __init__(self, app: ASGIApp, database: Database, type_base: str) -> None:
        self.app = app
        self.database = database
        self.type_base = type_base
        self.credentials = Credentials(database)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; other scopes pass through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        # Anything else than a plain short id could forge log lines.
        request_id = given if _request_id.match(given) else token_hex(16)
        guarded = scope["path"].startswith(GUARDED)
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                out = MutableHeaders(scope=message)
                out["X-Request-ID"] = request_id
                for name, value in (_GUARDED_HEADERS if guarded else _HEADERS).items():
                    out.setdefault(name, value)
                if guarded:
                    out["Vary"] = _VARY
            await send(message)

        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        try:
            if guarded:
                now = datetime.now(UTC)
                state["context"] = Context(self.database, await self._caller(scope, headers, now), now)
            await self.app(scope, receive, send_with_headers)
        except DomainError as error:
            response = render(describe(error, at=datetime.now(UTC), type_base=self.type_base))
            await response(scope, receive, send_with_headers)
        except Exception:
            log.exception("request %s failed: %s %s", request_id, scope["method"], scope["path"])
            if not started:
                await refusal("internal_error", INTERNAL, self.type_base)(scope, receive, send_with_headers)

    async def _caller(self, scope: Scope, headers: Headers, now: datetime) -> Caller:
        key = headers.get("x-api-key")
        if key is not None:
            return await self.credentials.of_key(key, now)
        cookie = _session(headers.get("cookie", ""))
        if cookie is None:
            raise Unauthorized("Send an API key in the X-API-Key header, or sign in.")
        if scope["method"] not in _SAFE_METHODS:
            _refuse_cross_site(headers)
        return await self.credentials.of_session(cookie, now)


def _session(header: str) -> str | None:
    if SESSION_COOKIE not in header:
        return None
    try:
        cookie = SimpleCookie(header).get(SESSION_COOKIE)
    except CookieError:
        return None
    return cookie.value if cookie else None


def _refuse_cross_site(headers: Headers) -> None:
    # A browser attaches the cookie to whatever another site makes it send, but it also says where that came from.
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    foreign = origin is not None and origin.partition("://")[2] != headers.get("host")
    if site not in (None, "same-origin", "none") or foreign:
        raise Forbidden(
            "A signed-in browser may change data from this site's own pages only; use an API key elsewhere."
        )
