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
- An operation of which nothing could be done because the database is in trouble is 503 for everyone, with
`Retry-After`.

No cross-site page can send anything here with a visitor's cookies: POST takes `application/json` alone, which
browsers send only after a preflight, and GET, which runs queries alone, is refused when a browser says that
the request comes from another site and cookies came with it.

An answer has `extensions` where there is something to say in them: the cost of an operation that was refused for it or
that asked for it (`"extensions": {"cost": true}`, or `{"cost": {"breakdown": true}}` for the dearest fields too), and
what limits that only warn had to warn of.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
from graphql import GraphQLError, OperationType
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from domain.errors import Busy
from execution.documents.limits import DocumentLimits
from execution.errors import Refusal, RequestError, root_cause
from execution.executor import Admitted, Executor, TooCostly
from execution.run.stopping import Abandoned
from schema.context import OperationCharge
from schema.http_request import GraphQLRequest, NotGraphQL, read_body, read_query_string

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
ALLOW = "GET, HEAD, OPTIONS, POST"
# A browser sends any of these across sites only after a preflight, which the CORS policy decides.
PREFLIGHT_HEADERS = (b"graphql-require-preflight", b"apollo-require-preflight", b"x-apollo-operation-name")
# Who sends one wants nothing done unless it holds; those that only spare an answer to a query may be passed over.
CONDITIONS = frozenset((b"if-match", b"if-none-match", b"if-unmodified-since"))

DocumentMode = Literal["off", "prefer", "only"]
"""Whether registered documents are run by their ids, and whether others are run at all."""

# Until Python 3.12 a member of an enum is found by a function written in Python.
_MUTATION = OperationType.MUTATION

_encode_json = msgspec.json.Encoder().encode


class RenderProblem(Protocol):
    """Renders a refusal as a problem document; `code` is its public error code, `detail` one sentence."""

    def __call__(self, status: int, code: str, detail: str, headers: Mapping[str, str]) -> Response:
        """Render the refusal with this status and these headers beside the renderer's own."""


class RegisteredDocuments(Protocol):
    """The registered documents."""

    async def text(self, digest: str) -> str | None:
        """The document whose UTF-8 text has this SHA-256 digest, in hex; None if it is not registered."""


class Format(NamedTuple):
    """How to answer: the media type, and whether the client is one that expects 200 for refused documents."""

    media_type: str
    legacy: bool


class GraphQLEndpoint:
    """An ASGI application for one path.

    `make_context` is called once per operation, after it was admitted; a mutation runs in the block of an `async with`
    of what it gives. What either raises is left to the application's exception handlers. So is what `charge` raises,
    which is told before that how many units the operation costs beyond the one of every request: for its root fields
    and, once its variables are known, for the rows of bulk mutations.
    `present` gives the wire form of errors and is where unexpected ones are masked and logged;
    `present_warnings` does the same for what limits that only warn let pass. `limits_of` are the limits of a request,
    the same object for equal ones; without it everybody has the executor's. `max_body` is in bytes.
    """

    def __init__(
        self,
        executor: Executor,
        *,
        make_context: Callable[[Scope, OperationCharge], Any],
        present: Callable[[Scope, Sequence[GraphQLError]], list[dict[str, Any]]],
        problem: RenderProblem,
        present_warnings: Callable[[Scope, Sequence[GraphQLError]], list[dict[str, Any]]] | None = None,
        charge: Callable[[Scope, int], Awaitable[None]] | None = None,
        limits_of: Callable[[Scope], DocumentLimits] | None = None,
        documents: RegisteredDocuments | None = None,
        mode: DocumentMode = "off",
        max_body: int = 1_048_576,
    ) -> None:
        self._executor = executor
        self._make_context = make_context
        self._present = present
        self._present_warnings = present_warnings or present
        self._problem = problem
        self._charge = charge
        self._limits_of = limits_of
        self._documents = documents
        self._mode = mode if documents is not None else "off"
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        try:
            headers = _headers(scope)
            method = scope["method"]
            answer_format = _answer_format(method, headers.get(b"accept", b""), headers.get(b"content-type", b""))
            if answer_format is None:
                response = Response(status_code=204, headers={"Allow": ALLOW, "Accept-Post": JSON})
            else:
                if method == "POST":
                    if not CONDITIONS.isdisjoint(headers):
                        raise _not_looked_at(headers)
                    request = read_body(await self._body(headers, receive))
                else:
                    _refuse_cross_site_cookies(headers)
                    request = read_query_string(scope["query_string"])
                retry_after = 0
                try:
                    status, answer = 200, await self._run(scope, request, receive)
                except RequestError as error:
                    status, answer = _status(error.refusal, answer_format), self._refused(scope, request, error)
                    retry_after = _retry_after(error.errors)
                body = _encode_json(answer)
                await send(_start(status, answer_format, len(body), retry_after))
                await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
                return
        except NotGraphQL as refusal:
            response = self._problem(refusal.status, refusal.code, refusal.detail, refusal.headers)
        except (ClientDisconnect, Abandoned):
            return
        response.headers.add_vary_header("Accept")
        if scope["method"] == "HEAD":
            # The headers, Content-Length among them, stay those of the answer to GET.
            response.body = b""
        await response(scope, receive, send)

    def _refused(self, scope: Scope, request: GraphQLRequest, error: RequestError) -> dict[str, Any]:
        """The answer to a request that was not run, or not to its end."""
        answer: dict[str, Any] = {"errors": self._present(scope, error.errors)}
        if isinstance(error, TooCostly):
            asked = request.extensions.get("cost")
            answer["extensions"] = {"cost": _cost(asked, error.operation, self._limits(scope))}
        return answer

    async def _run(self, scope: Scope, request: GraphQLRequest, receive: Receive) -> dict[str, Any]:
        executor = self._executor
        limits = self._limits(scope)
        text = request.query
        if text is None or self._mode == "only":
            text = await self._text(request)
        document = executor.prepare(text, limits)
        operation = document.select(request.operation_name)
        if operation.kind is _MUTATION and scope["method"] != "POST":
            raise NotGraphQL(405, "method_not_allowed", "A mutation changes data; send it by POST.", {"Allow": "POST"})
        units = operation.measure.root_fields
        if self._charge is not None and units > 1:
            await self._charge(scope, units - 1)
        admitted = executor.admit(document, operation, request.variables, limits)
        rows = admitted.charge.further_changes
        if self._charge is not None and rows:
            await self._charge(scope, rows)
        context = self._make_context(scope, OperationCharge(units + rows, admitted.charge.cost))
        if operation.kind is _MUTATION:
            async with context:
                result = await executor.run_admitted(admitted, context)
        else:
            result = await executor.run_admitted(admitted, context, gone=lambda: disconnected(receive))
        answer: dict[str, Any] = {}
        if result.errors:
            nothing = all(value is None for value in (result.data or {}).values())
            if nothing and _retry_after(result.errors):
                raise RequestError(Refusal.UNAVAILABLE, result.errors)
            answer["errors"] = self._present(scope, result.errors)
        answer["data"] = result.data
        extensions: dict[str, Any] = {}
        if admitted.warnings:
            extensions["warnings"] = self._present_warnings(scope, admitted.warnings)
        if request.extensions.get("cost"):
            extensions["cost"] = _cost(request.extensions["cost"], admitted, limits)
        if extensions:
            answer["extensions"] = extensions
        return answer

    def _limits(self, scope: Scope) -> DocumentLimits:
        return self._executor.limits if self._limits_of is None else self._limits_of(scope)

    async def _text(self, request: GraphQLRequest) -> str:
        """The text of a document that has to be registered. Raises `RequestError` if it is not."""
        if request.persisted_query:
            return await self._persisted(request.document_id or "")
        if self._documents is None or self._mode == "off":
            raise RequestError.of(
                Refusal.OPERATION,
                "DOCUMENT_IDS_NOT_SUPPORTED",
                "Documents are not run by their ids here; send the text in query.",
            )
        text = request.query
        if text is not None:
            # Trusted is what may be run, however it was named.
            if await self._documents.text(sha256(text.encode()).hexdigest()) == text:
                return text
            raise RequestError.of(
                Refusal.OPERATION,
                "TRUSTED_DOCUMENTS_ONLY",
                "Only registered documents are run here, and this is none; ask the operator to register it.",
            )
        return await self._registered(request.document_id or "", self._documents)

    async def _persisted(self, document_id: str) -> str:
        if self._documents is not None and self._mode != "off":
            try:
                return await self._registered(document_id, self._documents)
            except RequestError:
                pass
        # The links of Apollo and urql look for this very text, and then send the documents themselves.
        raise RequestError.of(Refusal.OPERATION, "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")

    async def _registered(self, document_id: str, documents: RegisteredDocuments) -> str:
        scheme, _, digest = document_id.partition(":")
        if scheme != "sha256" or len(digest) != 64 or digest.strip("0123456789abcdef"):
            raise RequestError.of(
                Refusal.OPERATION,
                "DOCUMENT_NOT_FOUND",
                "A documentId is sha256: and the 64 hexadecimal digits, in lower case, of the document's digest.",
            )
        text = await documents.text(digest)
        if text is None:
            raise RequestError.of(
                Refusal.OPERATION,
                "DOCUMENT_NOT_FOUND",
                f"No document is registered under {document_id}; register it, or send the text in query.",
            )
        return text

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The body, refused as soon as it is known to be too long, whether it is announced or streamed."""
        announced = headers.get(b"content-length", b"")
        if announced.isdigit() and int(announced[:20]) > self._max_body:
            raise self._too_large()
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._max_body:
                raise self._too_large()
            chunks.append(chunk)
            if not message.get("more_body", False):
                return chunk if len(chunks) == 1 else b"".join(chunks)

    def _too_large(self) -> NotGraphQL:
        detail = f"The body is larger than {self._max_body} bytes; send less in one request."
        return NotGraphQL(413, "payload_too_large", detail)


async def disconnected(receive: Receive) -> None:
    """Returns once the client has gone; the request has been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _cost(asked: Any, admitted: Admitted, limits: DocumentLimits) -> dict[str, Any]:
    cost: dict[str, Any] = {"requested": admitted.charge.cost, "limit": limits.max_cost}
    if isinstance(asked, dict) and asked.get("breakdown"):
        cost["breakdown"] = admitted.operation.cost.breakdown(admitted.values.coerced)
    return cost


def _retry_after(errors: Sequence[GraphQLError]) -> int:
    """After how many seconds the same may succeed; 0 where anything but trouble around us is among the errors."""
    causes = [root_cause(error) for error in errors]
    waits = [cause.retry_after for cause in causes if type(cause) is Busy]
    return max(waits, default=0) if len(waits) == len(causes) else 0


def _start(status: int, answer_format: Format, length: int, retry_after: int) -> Message:
    headers = [
        (b"content-type", _CONTENT_TYPES[answer_format.media_type]),
        (b"content-length", b"%d" % length),
        (b"vary", b"Accept"),
    ]
    if retry_after:
        headers.append((b"retry-after", b"%d" % retry_after))
    return {"type": "http.response.start", "status": status, "headers": headers}


_CONTENT_TYPES = {name: f"{name}; charset=utf-8".encode() for name in (GRAPHQL_RESPONSE, JSON)}


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """The headers by name; those given several times as one list."""
    found: dict[bytes, bytes] = dict(scope["headers"])
    if len(found) < len(scope["headers"]):
        found.clear()
        for name, value in scope["headers"]:
            found[name] = found[name] + b", " + value if name in found else value
    return found


# Clients send few different values; judging them takes longer than the rest of this module.
@lru_cache(maxsize=64)
def _answer_format(method: str, accept: bytes, content_type: bytes) -> Format | None:
    """How to answer; None to a question about methods. Raises `NotGraphQL` for what cannot be read or answered."""
    if method not in ("GET", "HEAD", "POST"):
        if method == "OPTIONS":
            return None
        raise NotGraphQL(405, "method_not_allowed", "GraphQL is asked by GET or POST; use POST.", {"Allow": ALLOW})
    answer_format = negotiate(accept.decode("latin-1"))
    if answer_format is None:
        detail = f"The answer is {GRAPHQL_RESPONSE} or {JSON}; name one of them in the Accept header."
        raise NotGraphQL(406, "not_acceptable", detail)
    if method == "POST":
        _require_json(content_type.decode("latin-1"))
    return answer_format


def _status(refusal: Refusal, answer_format: Format) -> int:
    if refusal is Refusal.TIMEOUT:
        return 504
    if refusal is Refusal.UNAVAILABLE:
        return 503
    if refusal is Refusal.LIMIT:
        return 400
    return 200 if answer_format.legacy else 400


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


def _require_json(content_type: str) -> None:
    name, parameters = _parse_header(content_type)
    refused = ""
    if name != JSON:
        refused = f"The body must be JSON; send it with the header Content-Type: {JSON}."
    elif parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        refused = "The body must be encoded in UTF-8; send it without a charset or with charset=utf-8."
    if refused:
        raise NotGraphQL(415, "unsupported_media_type", refused, {"Accept-Post": JSON})


def _not_looked_at(headers: Mapping[bytes, bytes]) -> NotGraphQL:
    name = min(CONDITIONS & headers.keys()).decode()
    detail = f"GraphQL does not look at the header {name}; put ifMatch into the input of a mutation."
    return NotGraphQL(400, "bad_request", detail)


def _refuse_cross_site_cookies(headers: Mapping[bytes, bytes]) -> None:
    site = headers.get(b"sec-fetch-site", b"").lower()
    if site not in (b"cross-site", b"same-site") or b"cookie" not in headers:
        return
    if not any(name in headers for name in PREFLIGHT_HEADERS):
        raise NotGraphQL(
            403,
            "forbidden",
            "A page of another site cannot ask with a visitor's cookies; send an API key, or use POST.",
        )
