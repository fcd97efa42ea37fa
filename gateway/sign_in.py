"""Signing in from a one-use link, and out again.

The link is printed at the terminal. Opening it trades its token for a session whose secret travels in a
cookie that no script can read; from then on the browser acts with the authority of the API key behind it.
"""

import base64
import hashlib
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.edge import SESSION_COOKIE
from gateway.settings import Settings
from resolvers import keys

_STYLE = ":root{color-scheme:light dark} body{font:1.1rem/1.5 sans-serif;max-width:38rem;margin:15vh auto}"
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# The token is in the address: it must not be cached, and not be sent on to wherever the page links to.
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_REFUSED = f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sign in to certgate</title><style>{_STYLE}</style></head>
<body><h1>This link does not sign in</h1>
<p>A sign-in link works once and for an hour, and this one is used, expired or incomplete: start
<code>./certgate demo</code> again for a new link, or make an API key with <code>./certgate keys create</code>
and enter it in <a href="/graphiql">GraphiQL</a>.</p></body>
</html>
"""


def sign_in_routes() -> list[BaseRoute]:
    """GET `/sign-in?token=` and POST `/sign-out`; the app has `state.database` and `state.settings`."""
    return [Route("/sign-in", _sign_in, methods=["GET"]), Route("/sign-out", _sign_out, methods=["POST"])]


async def _sign_in(request: Request) -> Response:
    if request.method == "HEAD":
        # Starlette routes HEAD to whatever takes GET, but asking about a link must not use it up.
        raise HTTPException(405, "Open the sign-in link with GET.", {"Allow": "GET"})
    state = request.app.state
    settings: Settings = state.settings
    life = timedelta(hours=settings.session_hours)
    session = await keys.sign_in(state.database, request.query_params.get("token", ""), life)
    if session is None:
        policy = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"
        return HTMLResponse(_REFUSED, 410, {**_PRIVATE, "Content-Security-Policy": policy})
    response = RedirectResponse("/graphiql", 303, _PRIVATE)
    response.set_cookie(
        SESSION_COOKIE,
        session.secret,
        max_age=int(life.total_seconds()),
        path="/",
        secure=_is_secure(request, settings),
        httponly=True,
        samesite="lax",
    )
    return response


async def _sign_out(request: Request) -> Response:
    response = RedirectResponse("/graphiql", 303, _PRIVATE)
    secret = request.cookies.get(SESSION_COOKIE)
    # Another site's form arrives without the cookie (SameSite), so it can end nothing here.
    if secret is not None:
        await keys.sign_out(request.app.state.database, secret)
        response.delete_cookie(
            SESSION_COOKIE,
            path="/",
            secure=_is_secure(request, request.app.state.settings),
            httponly=True,
            samesite="lax",
        )
    return response


def _is_secure(request: Request, settings: Settings) -> bool:
    return request.url.scheme == "https" or settings.public_url.startswith("https://")
