"""Signing in from a one-use link, with an API key, by an invitation or elsewhere, and out again.

A link's token is traded for a session whose secret travels in a cookie that no script can read; from then on the
browser acts with the authority of the API key or the membership behind it. Links for people, printed or mailed, ask
first (`link`), as invitations do, because scanners of mails and previews of chats open them, too; only that of the
demo, which nobody sends, has the browser go on at once (`token`). Whoever has the key itself enters it in the form.
Every sign-in makes a new secret and ends the session that the browser had.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from domain.email_address import is_email
from domain.errors import Busy, RateLimited, Unauthorized
from domain.people import SignedInFrom
from gateway.auth.credentials import SESSION_COOKIE, Credentials, refuse_cross_site, session_cookie
from gateway.auth.openid import CALLBACK_PATH, Attempt, Identity, OpenIdProvider, SignInRefused
from gateway.limits.budgets import Budget, BudgetState, WindowLimits
from gateway.pages import plain as pages
from gateway.paths import below, own_path
from resolvers import sessions
from resolvers.sessions import Session

# The token is in the address: it must not be cached, and not be sent on to wherever the page links to.
_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
# Without a referrer a browser would not say either which site its form is from.
_FORM = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
_MAX_FORM_BYTES = 4096
_ATTEMPT_COOKIE = "signingin"
_ATTEMPT_SECONDS = 600
_GOING_TO_COOKIE = "goingto"
_WORKBENCH = "/app"
_DOORS = (_WORKBENCH, "/graphiql", "/docs")
"""What people sign in for: these pages, and what is below them."""

TRY_UNITS = 10
"""Units that an address spends with each try to sign in."""
LETTERS = WindowLimits(20, 20)
"""How many times a day links to sign in are sent to one e-mail address, whoever asks for them."""

Answer = Callable[[Request], Awaitable[Response]]


def sign_in_routes() -> list[BaseRoute]:
    """GET and POST `/sign-in` and `/invitation`, POST `/sign-out`, and the way to an OpenID provider and back.

    The app has `state.database`, `.settings`, `.credentials` and `.openid`; the request has `state.meter`.
    """
    return [
        Route("/sign-in", _counted(_sign_in, tries="POST"), methods=["GET", "POST"]),
        Route("/invitation", _counted(_invitation, tries="POST"), methods=["GET", "POST"]),
        Route("/openid", _counted(_to_provider, tries="GET"), methods=["GET"]),
        Route(CALLBACK_PATH, _counted(_from_provider, tries="GET"), methods=["GET"]),
        Route("/sign-out", _counted(_sign_out), methods=["POST"]),
    ]


def to_sign_in(request: Request) -> Response:
    """To the page where people sign in, whichever way they take, and from there back to the page that they wanted."""
    response = RedirectResponse(below(request, "/sign-in"), 303, _PRIVATE)
    query = request.scope["query_string"].decode("latin-1")
    return _remembering(request, response, quote(own_path(request.scope)) + (f"?{query}" if query else ""))


def _remembering(request: Request, response: Response, wanted: str) -> Response:
    """The answer, after which signing in leads to the page that somebody wanted."""
    if len(wanted) < _MAX_FORM_BYTES // 2:
        kept = {**_cookie_attributes(request), "path": below(request, "/")}
        response.set_cookie(_GOING_TO_COOKIE, quote(wanted, safe=""), max_age=_ATTEMPT_SECONDS, **kept)
    return response


def _going_to(request: Request) -> str:
    """The page that somebody wanted before signing in; without one, or for another's, the workbench."""
    wanted = unquote(request.cookies.get(_GOING_TO_COOKIE, ""))
    place = wanted.partition("?")[0]
    is_ours = any(place == door or place.startswith(f"{door}/") for door in _DOORS)
    return wanted if is_ours and wanted.isprintable() else _WORKBENCH


def _counted(answer: Answer, *, tries: str = "") -> Answer:
    """The same as long as the address has units left: these pages write, and whoever asks is not yet anybody.

    `tries` is the method that tries to sign somebody in, which costs more.
    """

    async def counted(request: Request) -> Response:
        try:
            await request.state.meter.charge(TRY_UNITS if request.method == tries else 1)
        except RateLimited as refusal:
            said = f"Too much was asked from your network address; try again in {refusal.retry_after} seconds."
            return _asking(request, said, 429, retry_after=refusal.retry_after)
        return await answer(request)

    return counted


async def _sign_in(request: Request) -> Response:
    if request.method == "POST":
        return await _entered(request)
    asked = request.query_params
    for name in ("link", "token"):
        if name in asked:
            response = await _link(request, asked[name], at_once=name == "token")
            break
    else:
        response = await _form(request)
    return _remembering(request, response, asked["to"]) if "to" in asked else response


async def _link(request: Request, token: str, *, at_once: bool) -> Response:
    """Asks whether to sign in, or has the browser answer that at once: only what is sent by the form uses a link up."""
    found = await sessions.find_link(request.app.state.database, token)
    if found is None:
        return pages.standalone(pages.LINK_REFUSED, 410, _PRIVATE)
    shown = pages.link(token, found.email or found.key, found.organization.name, found.role, at_once=at_once)
    return pages.standalone(shown, 200, _FORM)


async def _with_link(request: Request, token: str) -> Response:
    session = await sessions.sign_in(request.app.state.database, token, _life(request), place=_place(request))
    if session is None:
        return pages.standalone(pages.LINK_REFUSED, 410, _PRIVATE)
    return await _signed_in(request, session)


async def _form(request: Request) -> Response:
    """The form, or who is signed in already."""
    credentials: Credentials = request.app.state.credentials
    secret = session_cookie(request.headers)
    if secret is not None:
        try:
            caller = await credentials.of_session(secret, datetime.now(UTC))
        except Unauthorized:
            pass
        else:
            return pages.standalone(pages.signed_in(caller.organization.name, caller.role), 200, _FORM)
    return _asking(request)


def _asking(request: Request, refusal: str = "", status: int = 200, *, retry_after: int = 0) -> Response:
    """The form, with why the last try failed."""
    provider: OpenIdProvider | None = request.app.state.openid
    headers = {**_FORM, "Retry-After": str(retry_after)} if retry_after else _FORM
    by_mail = request.app.state.mailer.sends
    shown = pages.form(refusal, provider.name if provider else "", by_mail=by_mail)
    return pages.standalone(shown, status, headers)


async def _entered(request: Request) -> Response:
    """What becomes of the form: of the key or the address in it, or of the token that a mail had."""
    fields = await _fields(request)
    if "token" in fields:
        return await _with_link(request, fields["token"])
    if "email" in fields:
        return _mailed(request, fields["email"])
    return await _with_key(request, fields.get("api_key", ""))


def _mailed(request: Request, email: str) -> Response:
    """Says the same of every address, and as fast: whose it is, is looked up once that is said."""
    state = request.app.state
    if not state.mailer.sends:
        return _asking(request, "No mail is sent from here; ask a manager of your organisation for a link.", 400)
    if not is_email(email):
        return _asking(request, "That is no e-mail address such as ann@example.org.", 400)
    response = pages.standalone(pages.LINK_SENT, 202, _FORM)
    response.background = BackgroundTask(_send_links, request, email)
    return response


async def _send_links(request: Request, email: str) -> None:
    """Counted for every address, not for those of members alone: as fast, as above."""
    state = request.app.state
    charged = state.limiter.charge(Budget(f"letters to {email.lower()}", LETTERS, anonymous=True), 1)
    standing = charged if isinstance(charged, BudgetState) else await charged
    if standing.fits:
        await sessions.send_sign_in_links(state.database, state.mailer, email)


async def _with_key(request: Request, key: str) -> Response:
    session = await sessions.sign_in_with_key(request.app.state.database, key, _life(request), place=_place(request))
    if session is None:
        said = "That key is unknown, incomplete, revoked or expired, or a publishable one (cpk), which signs nobody in."
        return _asking(request, said, 401)
    return await _signed_in(request, session)


async def _invitation(request: Request) -> Response:
    database = request.app.state.database
    if request.method == "POST":
        token = (await _fields(request)).get("token", "")
        session = await sessions.accept_invitation(database, token, _life(request), place=_place(request))
        return _gone() if session is None else await _signed_in(request, session)
    token = request.query_params.get("token", "")
    found = await sessions.find_invitation(database, token)
    if found is None:
        return _gone()
    asked = pages.invitation(found.organization.name, found.invitation.role, found.invitation.email, token)
    return pages.standalone(asked, 200, _FORM)


def _gone() -> Response:
    return pages.standalone(pages.INVITATION_REFUSED, 410, _PRIVATE)


async def _to_provider(request: Request) -> Response:
    provider = _provider(request)
    try:
        url, attempt = await provider.begin()
    except Busy as trouble:
        return _asking(request, trouble.detail, 503, retry_after=trouble.retry_after)
    response = RedirectResponse(url, 303, _PRIVATE)
    kept = {**_cookie_attributes(request), "path": below(request, CALLBACK_PATH)}
    response.set_cookie(_ATTEMPT_COOKIE, attempt.sealed(), max_age=_ATTEMPT_SECONDS, **kept)
    return response


async def _from_provider(request: Request) -> Response:
    provider = _provider(request)
    attempt = Attempt.read(request.cookies.get(_ATTEMPT_COOKIE, ""))
    try:
        who = await provider.finish(attempt, request.query_params)
    except SignInRefused as refusal:
        response = pages.standalone(pages.sign_in_refused(str(refusal)), refusal.status, _PRIVATE)
    except Busy as trouble:
        # The attempt is kept, and the code too: nobody has taken it.
        retry = {**_PRIVATE, "Retry-After": str(trouble.retry_after)}
        return pages.standalone(pages.sign_in_refused(trouble.detail), 503, retry)
    else:
        response = await _admitted(request, provider, who)
    response.delete_cookie(_ATTEMPT_COOKIE, **{**_cookie_attributes(request), "path": below(request, CALLBACK_PATH)})
    return response


async def _admitted(request: Request, provider: OpenIdProvider, who: Identity) -> Response:
    """Signs somebody in whose address the provider vouches for, as far as that address is a member's."""
    found = await sessions.sign_in_with_address(
        request.app.state.database,
        who.email,
        _life(request),
        organization=who.organization,
        role=provider.role,
        place=_place(request),
    )
    if isinstance(found, Session):
        return await _signed_in(request, found)
    if not found:
        said = f"{who.email} is no member of an organisation here: ask one of its managers to invite that address."
        return pages.standalone(pages.sign_in_refused(said), 403, _PRIVATE)
    choices = [(each.organization.name, each.role, each.token) for each in found]
    return pages.standalone(pages.choice(choices), 200, _FORM)


def _provider(request: Request) -> OpenIdProvider:
    provider: OpenIdProvider | None = request.app.state.openid
    if provider is None:
        raise HTTPException(404)
    return provider


async def _fields(request: Request) -> dict[str, str]:
    """What was entered into one of our forms. Raises `Forbidden` for a form of another site."""
    refuse_cross_site("POST", request.headers, request.app.state.settings.public_url)
    body = await request.body()
    try:
        fields = parse_qs(body[:_MAX_FORM_BYTES].decode("ascii", "replace"), max_num_fields=10)
    except ValueError:  # more of them than any form of ours has
        return {}
    return {name: values[0].strip() for name, values in fields.items()}


async def _signed_in(request: Request, session: Session) -> Response:
    former = session_cookie(request.headers)
    if former is not None:
        await sessions.sign_out(request.app.state.database, former)
    response = RedirectResponse(below(request, _going_to(request)), 303, _PRIVATE)
    if _GOING_TO_COOKIE in request.cookies:
        response.delete_cookie(_GOING_TO_COOKIE, path=below(request, "/"))
    response.set_cookie(
        SESSION_COOKIE, session.secret, max_age=int(_life(request).total_seconds()), **_cookie_attributes(request)
    )
    return response


async def _sign_out(request: Request) -> Response:
    response = RedirectResponse(below(request, "/"), 303, _PRIVATE)
    secret = session_cookie(request.headers)
    # Another site's form arrives without the cookie (SameSite), so it can end nothing here.
    if secret is not None:
        refuse_cross_site("POST", request.headers, request.app.state.settings.public_url)
        await sessions.sign_out(request.app.state.database, secret)
        response.delete_cookie(SESSION_COOKIE, **_cookie_attributes(request))
    return response


def _place(request: Request) -> SignedInFrom:
    """From where somebody signs in, for the list of sessions: cut to what is stored, without what cannot be shown."""
    browser = "".join(filter(str.isprintable, request.headers.get("user-agent", "")))
    return SignedInFrom(browser[:255], request.client.host[:50] if request.client is not None else "")


def _life(request: Request) -> timedelta:
    return timedelta(hours=request.app.state.settings.session_hours)


def _cookie_attributes(request: Request) -> dict[str, Any]:
    """What the cookie is set with, and has to be deleted with."""
    secure = request.url.scheme == "https" or request.app.state.settings.public_url.startswith("https://")
    return {"path": below(request, "") or "/", "secure": secure, "httponly": True, "samesite": "lax"}
