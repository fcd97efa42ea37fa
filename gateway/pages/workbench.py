"""The workbench's pages behind the edge: who asks, what it costs, where to sign in, and the files that pages use."""

import gzip
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from db.engine import turns
from domain.errors import DomainError, Unauthorized
from domain.vocabulary import Face
from gateway.auth.sign_in import to_sign_in
from gateway.pages.assets import FOR_EVER, WEB, Asset, accepts_gzip, policy, read_asset, served_by_name
from resolvers.operation import Context
from workbench.forms import read_form
from workbench.rendering import page, refused
from workbench.routes import PAGES, WorkPage

WORKBENCH = WEB / "workbench"
FILES = "/app/files"

_HEADERS = {
    "content-security-policy": policy(),
    # Without a referrer a browser would not say where a form is from.
    "referrer-policy": "same-origin",
}
_SMALL = 1_000

MOST_UNITS = 20
"""What a page spends besides the unit of its request, though it asks for many figures at once."""


def workbench_routes() -> list[Route]:
    """The pages, and their files below `/app/files`. Raises `OSError` when a file is missing.

    The app has `state.database`, `.credentials` and `.mailer`; the request has `state.meter`.
    """
    return [
        served_by_name(FILES, "file of the pages", _files()),
        *(Route(each.path, _answered(each), methods=list(each.methods)) for each in PAGES),
    ]


def _files() -> Mapping[str, Asset]:
    names = ("app.css", "app.js", "header.css", "header.js", "favicon.svg")
    files = {name: read_asset(WORKBENCH / name, _HEADERS) for name in names}
    for entry in json.loads((WORKBENCH / "manifest.json").read_bytes())["files"]:
        file = WORKBENCH / entry["file"]
        files[file.name] = read_asset(file, _HEADERS, FOR_EVER)
    files["licences.txt"] = read_asset(WORKBENCH / "licences" / "THIRD_PARTY.txt", _HEADERS)
    return files


def _answered(of: WorkPage) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        try:
            response = await _signed_in(request, of)
        except DomainError as error:
            response = refused(request, error)
        return sent(request, response)

    return answered


async def _signed_in(request: Request, of: WorkPage) -> Response:
    state, meter, now = request.app.state, request.state.meter, datetime.now(UTC)
    try:
        caller = await state.credentials.of_request(request.scope, request.headers, now)
    except Unauthorized as error:
        if of.public:
            return await of.answer(request)
        await meter.charge(1)
        return await _to_sign_in(request, error)
    meter.belongs_to(caller)
    turns.caller.set(caller.principal)
    await meter.charge(1)
    request.state.context = Context(
        state.database,
        caller,
        now,
        charge=_at_most(MOST_UNITS, meter.charge),
        post=state.mailer,
        face=Face.PAGE.value,
        request_id=request.state.request_id,
    )
    return await of.answer(request)


def _at_most(most: int, charge: Callable[[int], Awaitable[None]]) -> Callable[[int], Awaitable[None]]:
    """Charges the same up to so many units."""
    left = most

    async def charged(units: int) -> None:
        nonlocal left
        units = min(units, left)
        left -= units
        if units:
            await charge(units)

    return charged


async def _to_sign_in(request: Request, error: Unauthorized) -> Response:
    """To the page where people sign in, and back; what was entered into a form is kept, but for files."""
    if request.method == "POST" and not request.headers.get("content-type", "").startswith("multipart/"):
        fields = await read_form(request)
        return page(request, "session_ended.html", status=401, error=error, fields=fields)
    response = to_sign_in(request)
    if "hx-request" in request.headers:
        # A part of a page is no place to sign in.
        return Response(status_code=204, headers={"HX-Redirect": response.headers["location"]})
    return response


def sent(request: Request, response: Response) -> Response:
    """The answer with what all pages have in common, compressed where the browser takes it."""
    response.headers.update({"cache-control": "no-store", **_HEADERS})
    if isinstance(response, HTMLResponse):
        response.headers["vary"] = "Accept-Encoding, Cookie, HX-Request"
        if len(response.body) > _SMALL and accepts_gzip(request.headers.get("accept-encoding", "")):
            response.body = gzip.compress(response.body, 5, mtime=0)
            response.headers["content-encoding"] = "gzip"
            response.headers["content-length"] = str(len(response.body))
    return response
