"""GraphQL over HTTP: the route, from the request's bytes to the answer's.

Follows the GraphQL-over-HTTP draft as deployed and as its public audit suite asserts it:

- A request that is not a GraphQL request at all gets a problem document (RFC 9457), never a GraphQL response.
- A document that cannot be run gets `errors` without `data` and status 400. A client that names
`application/json`
  in Accept is an old one that reads errors from the body alone: it gets 200, as the draft asks for that media
  type.
- An operation that was run gets 200, with `errors` beside `data` if fields failed.
- What the server refuses by its own limits is 400 (too large a document) or 504 (stopped for its time) for
everyone.

No cross-site page can send anything here with a visitor's cookies: POST takes `application/json` alone, which
browsers send only after a preflight, and GET, which runs queries alone, is refused when a browser says that
the request comes from another site and cookies came with it.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from inspect import isawaitable
from typing import Any, Protocol

import msgspec
from graphql import GraphQLError, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from execution.documents import Document, Operation
from execution.errors import Refusal, RequestError
from execution.execute import Executor

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
ALLOW = "GET, HEAD, OPTIONS, POST"
# A browser sends any of these across sites only after a preflight, which the CORS policy decides.
PREFLIGHT_HEADERS = ("graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name")


class RenderProblem(Protocol):
    """Renders a refusal as a problem document; `code` is its public error code, `detail` one sentence."""

    def __call__(self, status: int, code: str, detail: str, headers: Mapping[str, str]) -> Response:
        """Render the refusal with this status and these headers beside the renderer's own."""


@dataclass(frozen=True, slots=True)
class GraphQLParameters:
    """The members of a well-formed GraphQL request; `extensions` are read and ignored."""

    query: str
    operation_name: str | None
    variables: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    """How to answer: the media type, and whether the client is one that expects 200 for refused documents."""

    media_type: str
    legacy: bool


class _NotGraphQL(Exception):
    """The request is refused before any GraphQL was looked at."""

    def __init__(self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}


class GraphQLEndpoint:
    """An ASGI application for `Route("/graphql", endpoint)`.

    `make_context` is called once per operation, after its document was accepted; what it raises is left to
    the application's exception handlers. So is what `charge` raises, which is told before that how many units
    the operation costs beyond the one of every request: one for each further root field. `present_errors`
    gives the wire form of errors and is where unexpected ones are masked and logged. `max_body` is in bytes.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        make_context: Callable[[Request], Awaitable[Any] | Any],
        present_errors: Callable[[Request, Sequence[GraphQLError]], list[dict[str, Any]]],
        problem: RenderProblem,
        charge: Callable[[Request, int], Awaitable[None]] | None = None,
        max_body: int = 1_048_576,
    ) -> None:
        self._executor = executor
        self._make_context = make_context
        self._present_errors = present_errors
        self._problem = problem
        self._charge = charge
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except _NotGraphQL as refusal:
            response = self._problem(refusal.status, refusal.code, refusal.detail, refusal.headers)
        except ClientDisconnect:
            return
        response.headers.add_vary_header("Accept")
        if request.method == "HEAD":
            # The headers, Content-Length among them, stay those of the answer to GET.
            response.body = b""
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ALLOW, "Accept-Post": JSON})
        if request.method not in ("GET", "HEAD", "POST"):
            raise _NotGraphQL(405, "method_not_allowed", "GraphQL is asked by GET or POST; use POST.", {"Allow": ALLOW})
        answer_format = negotiate(", ".join(request.headers.getlist("accept")))
        if answer_format is None:
            raise _NotGraphQL(
                406,
                "not_acceptable",
                f"The answer is {GRAPHQL_RESPONSE} or {JSON}; name one of them in the Accept header.",
            )
        if request.method == "POST":
            _require_json(request)
            parameters = read_body(await self._body(request))
        else:
            _refuse_cross_site_cookies(request)
            parameters = read_query(request.query_params.multi_items())
        try:
            document = self._executor.prepare(parameters.query)
            operation = document.select(parameters.operation_name)
            if request.method != "POST" and operation.kind is OperationType.MUTATION:
                raise _NotGraphQL(
                    405, "method_not_allowed", "A mutation changes data; send it by POST.", {"Allow": "POST"}
                )
            if self._charge is not None and operation.measure.root_fields > 1:
                await self._charge(request, operation.measure.root_fields - 1)
            return await self._run(request, document, operation, parameters.variables, answer_format)
        except RequestError as error:
            errors = self._present_errors(request, error.errors)
            return _response(_status(error.refusal, answer_format), {"errors": errors}, answer_format)

    async def _run(
        self,
        request: Request,
        document: Document,
        operation: Operation,
        variables: dict[str, Any],
        answer_format: Format,
    ) -> Response:
        context = self._make_context(request)
        if isawaitable(context):
            context = await context
        result = await self._executor.run(document, operation, variables, context)
        answer: dict[str, Any] = {}
        if result.errors:
            answer["errors"] = self._present_errors(request, result.errors)
        answer["data"] = result.data
        return _response(200, answer, answer_format)

    async def _body(self, request: Request) -> bytes:
        """The body, refused as soon as it is known to be too long, whether it is announced or streamed."""
        too_large = _NotGraphQL(
            413,
            "payload_too_large",
            f"The body is larger than {self._max_body} bytes; send less in one request.",
        )
        announced = request.headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:20]) > self._max_body:
            raise too_large
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._max_body:
                raise too_large
        return bytes(body)


def _response(status: int, answer: dict[str, Any], answer_format: Format) -> Response:
    content_type = f"{answer_format.media_type}; charset=utf-8"
    return Response(msgspec.json.encode(answer), status, headers={"Content-Type": content_type})


def _status(refusal: Refusal, answer_format: Format) -> int:
    if refusal is Refusal.TIMEOUT:
        return 504
    if refusal is Refusal.LIMIT:
        return 400
    return 200 if answer_format.legacy else 400


# Clients send few different values; parsing one takes longer than the rest of this module.
@lru_cache(maxsize=64)
def negotiate(accept: str) -> Format | None:
    """The format that an Accept header asks for (RFC 9110 section 12.5.1); None when it takes neither.

    Without a preference the answer is `application/json`, as the audit suite wants, but with true statuses.
    """
    if not accept.strip():
        return Format(JSON, legacy=False)
    # For each of ours: (how precisely the best matching range names it, that range's quality).
    matches: dict[str, tuple[int, float]] = {}
    for media_range in accept.split(","):
        name, parameters = _parse_header(media_range)
        if parameters.get("charset", "utf-8").lower() != "utf-8":
            continue
        for media_type in (GRAPHQL_RESPONSE, JSON):
            precision = {media_type: 3, "application/*": 2, "*/*": 1}.get(name, 0)
            quality = _quality(parameters.get("q", "1"))
            if precision and quality is not None:
                matches[media_type] = max(matches.get(media_type, (0, 0.0)), (precision, quality))
    best: tuple[float, int, bool] | None = None
    chosen: Format | None = None
    for media_type, (precision, quality) in matches.items():
        named = precision == 3
        rank = (quality, precision, (media_type == GRAPHQL_RESPONSE) is named)
        if quality > 0 and (best is None or rank > best):
            best, chosen = rank, Format(media_type, legacy=named and media_type == JSON)
    return chosen


def _quality(text: str) -> float | None:
    try:
        quality = float(text)
    except ValueError:
        return None
    return quality if 0 <= quality <= 1 else None


def _parse_header(value: str) -> tuple[str, dict[str, str]]:
    """A media type or range and its parameters, names in lower case; quoted separators are not expected."""
    name, *rest = value.split(";")
    pairs = (parameter.partition("=") for parameter in rest)
    return name.strip().lower(), {key.strip().lower(): text.strip().strip('"') for key, _, text in pairs}


def _require_json(request: Request) -> None:
    name, parameters = _parse_header(", ".join(request.headers.getlist("content-type")))
    if name != JSON:
        detail = f"The body must be JSON; send it with the header Content-Type: {JSON}."
    elif parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        detail = "The body must be encoded in UTF-8; send it without a charset or with charset=utf-8."
    else:
        return
    raise _NotGraphQL(415, "unsupported_media_type", detail, {"Accept-Post": JSON})


def _refuse_cross_site_cookies(request: Request) -> None:
    headers = request.headers
    if headers.get("sec-fetch-site", "").lower() not in ("cross-site", "same-site") or "cookie" not in headers:
        return
    if not any(name in headers for name in PREFLIGHT_HEADERS):
        raise _NotGraphQL(
            403,
            "forbidden",
            "A page of another site cannot ask with a visitor's cookies; send an API key, or use POST.",
        )


def read_body(body: bytes) -> GraphQLParameters:
    """The parameters in a POST body; null is the same as absent, unknown members are ignored."""
    if not body:
        raise _bad_request("The body is empty; send a JSON object with the member query.")
    members = _decode(body, "The body")
    if not isinstance(members, dict):
        raise _bad_request("The body must be one JSON object with the member query; batches are not supported.")
    return _parameters(members)


def read_query(items: Iterable[tuple[str, str]]) -> GraphQLParameters:
    """The parameters in a URL, where an empty string is the same as absent and maps are JSON texts."""
    members: dict[str, Any] = {}
    for name, text in items:
        if name not in ("query", "operationName", "variables", "extensions") or not text:
            continue
        if name in members:
            raise _bad_request(f"The parameter {name} is given twice; give it once.")
        is_map = name in ("variables", "extensions")
        members[name] = _decode(text.encode(), f"The parameter {name}") if is_map else text
    return _parameters(members)


def _parameters(members: dict[str, Any]) -> GraphQLParameters:
    query = members.get("query")
    if query is None:
        raise _bad_request("The member query is missing; put the GraphQL document into it.")
    if not isinstance(query, str):
        raise _bad_request("The member query must be a string, the GraphQL document.")
    operation_name = members.get("operationName")
    if not isinstance(operation_name, str | None):
        raise _bad_request("The member operationName must be a string; leave it out if there is one operation.")
    for name in ("variables", "extensions"):
        if not isinstance(members.get(name), dict | None):
            raise _bad_request(f"The member {name} must be a JSON object; leave it out if there are none.")
    return GraphQLParameters(query, operation_name or None, members.get("variables") or {})


def _decode(text: bytes, what: str) -> Any:
    """Strict JSON: UTF-8, no NaN, no lone surrogates, no name twice in an object, no nesting without end."""
    try:
        value = msgspec.json.decode(text)
        # msgspec keeps the last of several members of one name, another reader may keep the first.
        json.loads(text, object_pairs_hook=_refuse_duplicates)
    except _DuplicateName as error:
        raise _bad_request(f"{what} has the name {error} twice in one object; give it once.") from None
    except RecursionError:
        raise _bad_request(f"{what} is nested too deeply; nest fewer levels.") from None
    except (msgspec.DecodeError, ValueError):
        raise _bad_request(f"{what} is not valid JSON in UTF-8; check its quotes, commas and encoding.") from None
    return value


class _DuplicateName(Exception):
    pass


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1:
        names: set[str] = set()
        for name, _ in pairs:
            if name in names:
                raise _DuplicateName(json.dumps(name[:100]))
            names.add(name)


def _bad_request(detail: str) -> _NotGraphQL:
    return _NotGraphQL(400, "bad_request", detail)
