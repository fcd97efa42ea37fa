"""GraphQL over HTTP: the route, from the request's bytes to the answer's.

Follows the GraphQL-over-HTTP draft as deployed and as its public audit suite asserts it:

- A request that is not a GraphQL request at all gets a problem document (RFC 9457), never a GraphQL response.
- A document that cannot be run gets `errors` without `data` and status 400. A client that names `application/json` in
  Accept is an old one that reads errors from the body alone: it gets 200, as the draft asks for that media type.
- An operation that was run gets 200, with `errors` beside `data` if fields failed.
- What the server refuses by its own limits is 400 (too large a document) or 504 (stopped for its time) for everyone.
- An operation of which nothing could be done because of trouble with the database is 503 for everyone, with
  `Retry-After`.

No cross-site page can send anything here with a visitor's cookies: POST takes `application/json` alone, which
browsers send only after a preflight, and GET, which runs queries alone, is refused when a browser says that
the request comes from another site and cookies came with it.

An answer has `extensions` where there is something to say in them: the cost of an operation that was refused for it or
that asked for it (`"extensions": {"cost": true}`, or `{"cost": {"breakdown": true}}` for the dearest fields too), and
what limits that only warn had to warn of.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from graphql import GraphQLError, OperationType
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from domain.errors import Busy
from execution.documents.limits import DocumentLimits
from execution.errors import Refusal, RequestError, root_cause
from execution.executor import Admitted, Executor, TooCostly
from execution.run.stopping import Abandoned
from schema.context import OperationCharge
from schema.http_documents import DocumentMode, DocumentTexts, RegisteredDocuments
from schema.http_format import ALLOW, GRAPHQL_RESPONSE, JSON, Format, answer_format, status_of
from schema.http_request import GraphQLRequest, NotGraphQL, read_body, read_query_string

# A browser sends any of these across sites only after a preflight, which the CORS policy decides.
PREFLIGHT_HEADERS = (b"graphql-require-preflight", b"apollo-require-preflight", b"x-apollo-operation-name")
# Who sends one wants nothing done unless it holds; those that only spare an answer to a query may be passed over.
CONDITIONS = frozenset((b"if-match", b"if-none-match", b"if-unmodified-since"))

# Until Python 3.12 a member of an enum is found by a function written in Python.
_MUTATION = OperationType.MUTATION

_encode_json = msgspec.json.Encoder().encode


RenderProblem = Callable[[int, str, str, Mapping[str, str]], Response]
"""Renders a refusal by its status, its public error code and one sentence, with headers beside the renderer's own."""


class GraphQLEndpoint:
    """An ASGI application for one path.

    `make_context` is called once per operation, after it was admitted; a mutation runs in the block of an `async with`
    of what it gives. What either raises is left to the application's exception handlers. So is what `charge` raises,
    which is told before that how many units the operation costs beyond the one of every request: for its root fields
    and, once its variables are known, for the rows of bulk mutations.
    Which operation it is stands in the request's state then. `present` gives the wire form of errors and is where
    unexpected ones are masked and logged; `present_warnings` does the same for what limits that only warn let pass.
    `limits_of` are the limits of a request, the same object for equal ones; without it everybody has the executor's.
    `max_body` is in bytes.
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
        self._limits = limits_of or (lambda _: executor.limits)
        self._texts = DocumentTexts(documents, mode)
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        try:
            method = scope["method"]
            # The server hands the same memo to all requests with the same headers.
            memo = scope.get("memo", {})
            form = memo.get(("graphql", method)) or memo.setdefault(("graphql", method), _form(method, _headers(scope)))
            if form is None:
                response = Response(status_code=204, headers={"Allow": ALLOW, "Accept-Post": JSON})
            else:
                if method == "POST":
                    body: bytes | None = scope.get("body")
                    if body is None or len(body) > self._max_body:
                        body = await self._body(_headers(scope), receive)
                    request = read_body(body)
                else:
                    request = read_query_string(scope["query_string"])
                retry_after = 0
                try:
                    status, answer = 200, await self._run(scope, request, receive)
                except RequestError as error:
                    status, answer = status_of(error.refusal, form), self._refused(scope, request, error)
                    retry_after = _retry_after(error.errors)
                content = _encode_json(answer)
                headers = _answer_headers(form, len(content), retry_after)
                whole = getattr(send, "whole", None)
                if whole is not None:
                    await whole(status, headers, content)
                    return
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": b"" if method == "HEAD" else content})
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
            answer["extensions"] = {"cost": _cost(request, error.operation, self._limits(scope))}
        return answer

    async def _run(self, scope: Scope, request: GraphQLRequest, receive: Receive) -> dict[str, Any]:
        executor = self._executor
        limits = self._limits(scope)
        text = request.query
        if text is None or self._texts.only_registered:
            text = await self._texts.of(request)
        document = executor.prepare(text, limits)
        operation = document.select(request.operation_name or None)
        scope["state"]["operation"] = operation
        if operation.kind is _MUTATION and scope["method"] != "POST":
            raise NotGraphQL(405, "method_not_allowed", "A mutation changes data; send it by POST.", {"Allow": "POST"})
        units = operation.measure.root_fields
        if self._charge is not None and units > 1:
            await self._charge(scope, units - 1)
        admitted = executor.admit(document, operation, request.variables or {}, limits)
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
        if request.extensions and request.extensions.get("cost"):
            extensions["cost"] = _cost(request, admitted, limits)
        if extensions:
            answer["extensions"] = extensions
        return answer

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The body, refused as soon as it is known to be too long, whether it is announced or streamed."""
        announced = headers.get(b"content-length", b"")
        size = int(announced[:20]) if announced.isdigit() else 0
        body: bytes | bytearray = b""
        more = True
        while more and size <= self._max_body:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            part = message.get("body", b"")
            if not body:
                # Mostly it comes in one piece.
                body = part
            else:
                body = body if isinstance(body, bytearray) else bytearray(body)
                body += part
            size = max(size, len(body))
        if size > self._max_body:
            detail = f"The body is larger than {self._max_body} bytes; send less in one request."
            raise NotGraphQL(413, "payload_too_large", detail)
        return bytes(body)


async def disconnected(receive: Receive) -> None:
    """Returns once the client has gone; the request has been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _cost(request: GraphQLRequest, admitted: Admitted, limits: DocumentLimits) -> dict[str, Any]:
    asked = (request.extensions or {}).get("cost")
    cost: dict[str, Any] = {"requested": admitted.charge.cost, "limit": limits.max_cost}
    if isinstance(asked, dict) and asked.get("breakdown"):
        cost["breakdown"] = admitted.operation.cost.breakdown(admitted.values.coerced)
    return cost


def _retry_after(errors: Sequence[GraphQLError]) -> int:
    """After how many seconds the same may succeed; 0 where anything but trouble around us is among the errors."""
    causes = [root_cause(error) for error in errors]
    waits = [cause.retry_after for cause in causes if type(cause) is Busy]
    return max(waits, default=0) if len(waits) == len(causes) else 0


def _answer_headers(form: Format, length: int, retry_after: int) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", _CONTENT_TYPES[form.media_type]),
        (b"content-length", b"%d" % length),
        (b"vary", b"Accept"),
    ]
    if retry_after:
        headers.append((b"retry-after", b"%d" % retry_after))
    return headers


def _form(method: str, headers: Mapping[bytes, bytes]) -> Format | None:
    """How to answer; None to a question about methods. Raises `NotGraphQL` for what its headers ask for."""
    form = answer_format(method, headers.get(b"accept", b""), headers.get(b"content-type", b""))
    if method == "POST":
        if not CONDITIONS.isdisjoint(headers):
            raise _not_looked_at(headers)
    elif form is not None:
        _refuse_cross_site_cookies(headers)
    return form


_CONTENT_TYPES = {name: f"{name}; charset=utf-8".encode() for name in (GRAPHQL_RESPONSE, JSON)}


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """The headers by name; those given several times as one list."""
    found: dict[bytes, bytes] = dict(scope["headers"])
    if len(found) < len(scope["headers"]):
        found.clear()
        for name, value in scope["headers"]:
            found[name] = found[name] + b", " + value if name in found else value
    return found


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
