"""Which pages of other sites may use the API from a browser: off, unless `CERTGATE_CORS_ORIGINS` names them."""

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.paths import own_path
from gateway.positions import HEADER as POSITION
from rest_compat.openapi import HEADERS, OF_FILES

METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE")
ACCEPTED = (
    "Authorization",
    "Content-Type",
    "X-API-Key",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Prefer",
    "X-Request-ID",
    POSITION,
    "GraphQL-Require-Preflight",
    # What tracing adds to a page's requests by itself (W3C Trace Context, W3C Baggage).
    "traceparent",
    "tracestate",
    "baggage",
)
"""What a page may send, beside what the operator names."""

EXPOSED = (*sorted(name for name in HEADERS if name != OF_FILES and not name.startswith("Accept-")), POSITION)
"""What a page may read of an answer, beside the few headers that browsers always show."""

PREFLIGHT_SECONDS = 600


def cors(app: ASGIApp, origins: tuple[str, ...], paths: tuple[str, ...], headers: tuple[str, ...] = ()) -> ASGIApp:
    """Wraps the edge, because a preflight carries no credential. Pages for people (sign-in, GraphiQL) stay closed.

    A page of an origin that is named may use the session cookie; `*` opens the API to every page, without cookies:
    for publishable keys.
    """
    opened = CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=(*ACCEPTED, *headers),
        allow_credentials="*" not in origins,
        expose_headers=EXPOSED,
        max_age=PREFLIGHT_SECONDS,
    )

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not own_path(scope).startswith(paths):
            await app(scope, receive, send)
            return

        async def send_once(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The middleware adds Origin to the Vary of the edge, which names it already.
                headers = MutableHeaders(scope=message)
                names = dict.fromkeys(name.strip() for name in headers.get("vary", "").split(","))
                headers["Vary"] = ", ".join(names)
            await send(message)

        await opened(scope, receive, send_once)

    return answer
