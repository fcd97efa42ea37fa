"""The one way from a request to its answer, and what HTTP asks of every endpoint on the way: conditional requests,
preferences, and which methods there are.
"""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from domain.changes import Change
from domain.commands import InTime
from domain.errors import AlreadyAssigned, AlreadyExists, BadRequest, InvalidInput, PreconditionFailed
from domain.preconditions import Expected, Versioned, digest, entity_tag, is_known, read_tags
from domain.validation import Command
from resolvers.operation import Context
from rest_compat.asking import BODY_TYPES, check_query, preferred, read_command, read_query
from rest_compat.endpoint import Endpoint
from rest_compat.problem import UnfitQuery, applied
from rest_compat.streams import EVENTS
from rest_compat.wire import JSON, Found, encode, encoded

_STREAMED = {JSON: False, EVENTS: True}


async def respond(request: Request, endpoint: Endpoint) -> Response:
    """The endpoint's answer, under the conditions and with the preferences of the request."""
    asks = bool(request.scope["query_string"])
    command: Command | None = None
    try:
        if asks:
            check_query(request, endpoint)
        if endpoint.send is not None:
            command = read_query(request, endpoint)
    except InvalidInput as error:
        # Where the body is a file, all else stands in the query.
        raise (UnfitQuery(error.violations) if endpoint.takes else error) from None
    if endpoint.send is not None:
        response = await endpoint.send(request, command, await endpoint.operation(request.state.context, command))
    elif endpoint.stream is not None and request.method == "GET" and preferred(request, _STREAMED):
        response = await endpoint.stream(request, read_query(request, endpoint))
    elif endpoint.method == "GET":
        response = _read(request, *await _done(request, endpoint))
    else:
        response = await _written(request, endpoint)
    if asks or endpoint.body:
        response.headers.update(applied(request))
    return response


async def _written(request: Request, endpoint: Endpoint) -> Response:
    """The answer to a write, which is done if the conditions hold."""
    matching = read_tags("If-Match", request.headers.getlist("if-match"))
    others = read_tags("If-None-Match", request.headers.getlist("if-none-match"))
    if matching is None and "if-unmodified-since" in request.headers:
        raise BadRequest(
            "Nothing here has a Last-Modified for If-Unmodified-Since; send If-Match with an ETag instead."
        )
    is_new = endpoint.is_made
    if is_new and others is not None and not (others.anything and endpoint.app != "account"):
        raise BadRequest(
            "If-None-Match is understood, as *, where an assignment or a product is made; leave it out here."
        )
    if matching is not None or (others is not None and not is_new):
        request.state.context.expected = Expected(matching, others)
    try:
        body, media_type, tag = await _done(request, endpoint)
    except (AlreadyAssigned, AlreadyExists) as error:
        if others is None or not is_new:
            raise
        raise PreconditionFailed(error.detail) from None
    if not body:
        return Response(status_code=endpoint.status)
    headers = {"Cache-Control": "no-store"} if endpoint.is_shown_once else {}
    if tag is not None:
        headers["ETag"] = f'"{tag}"'
    return Response(body, endpoint.status, headers, media_type)


async def _done(request: Request, endpoint: Endpoint) -> tuple[bytes, str, str | None]:
    """Asks the operation. What it answers, for a write what is there now, with its media type and its entity tag."""
    context: Context = request.scope["state"]["context"]
    command = read_query(request, endpoint) if endpoint.body is None else await read_command(request, endpoint)
    if isinstance(command, InTime) and (command.as_of or command.known_at):
        context = request.scope["state"]["context"] = context.at(command.as_of, command.known_at)
    if endpoint.rows is not None and endpoint.answer is not None and not request.scope["query_string"]:
        return encode(await endpoint.rows(context, command, endpoint.answer.rows)), JSON, None
    answer = await endpoint.operation(context, command)
    change = answer if endpoint.shows_change else None
    if isinstance(answer, Change):
        answer = answer.after
    if endpoint.write is not None:
        content, media_type = endpoint.write(request, command, answer)
        return content, media_type, None
    if endpoint.answer is None:
        return b"", "", None
    content = encoded(endpoint.answer, endpoint.form, command, change or answer, context.now)
    return content, JSON, _tag(context, answer) if endpoint.form == "one" else None


def _tag(context: Context, answer: object) -> str | None:
    """The entity tag of a record that has versions, for who sees all of it. For anybody else the answer is named by
    what it says: its owner's notes would otherwise change the name of what stays the same.
    """
    if not isinstance(answer, Versioned) or not context.caller.sees_all_of(answer):
        return None
    return entity_tag(answer, context.today)


def _read(request: Request, body: bytes, media_type: str, tag: str | None) -> Response:
    """The answer to a GET, or 304 when the client has it already (RFC 9110 section 13)."""
    if tag is None:
        # No single record stands behind it, a list for example, or only a part of one: it is named by what it says,
        # byte for byte.
        tag = digest(body)
    conditions = dict(request.scope["headers"])
    if b"if-match" in conditions:
        wanted = read_tags("If-Match", request.headers.getlist("if-match"))
        if wanted is not None:
            wanted.require(tag, "This is no longer what If-Match names; read it again without that header.")
    if b"if-none-match" in conditions and is_known(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": f'"{tag}"'})
    return Found(body, media_type, tag)


def options(methods: Mapping[str, Endpoint]) -> Response:
    """The answer to OPTIONS: what the path can do (RFC 9110 section 9.3.7, RFC 5789 section 3.1)."""
    allowed = {*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}
    headers = {"Allow": ", ".join(sorted(allowed))}
    for method, name in (("PATCH", "Accept-Patch"), ("POST", "Accept-Post")):
        endpoint = methods.get(method)
        if endpoint is not None and (endpoint.body or endpoint.takes):
            headers[name] = ", ".join(endpoint.takes or BODY_TYPES)
    return Response(status_code=204, headers=headers)
