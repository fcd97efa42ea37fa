"""Refusals as `application/problem+json` (RFC 9457, contract 1.8). Status and headers of refusals exist only here."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from domain.errors import DomainError, Forbidden, InvalidInput, Violation
from domain.problem import BY_STATUS, ErrorPages, Problem, describe, problem
from domain.strict_json import NotJson
from rest_compat.outputs import DetailOut, ErrorOut

MEDIA_TYPE = "application/problem+json"


class ProblemResponse(Response):
    """A problem document; what it is about is left in the request's state."""

    code = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        scope.setdefault("state", {})["code"] = self.code
        await super().__call__(scope, receive, send)


def render(
    document: Problem,
    *,
    source: str = "body",
    in_path: Collection[str] = (),
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """The response for a problem. `in_path` are the members that the path gave; the others came in `source`."""
    body = ErrorOut(
        type=document.type,
        title=document.title,
        status=document.status,
        detail=document.detail,
        error_code=document.error_code,
        retryable=document.retryable,
        timestamp=document.timestamp.isoformat(timespec="seconds"),
    )
    sent = {**(headers or {}), "Link": f'<{document.help}>; rel="help"'}
    if document.retry_after is not None:
        body.retry_after = body.retry_after_seconds = document.retry_after
        sent["Retry-After"] = str(document.retry_after)
    if document.violations is not None:
        body.details = _details(document.violations, source, in_path)
    if document.status == 401:
        sent.setdefault("WWW-Authenticate", 'ApiKey realm="certgate", header="X-API-Key"')
    response = ProblemResponse(msgspec.json.encode(body), document.status, sent, MEDIA_TYPE)
    response.code = document.error_code
    return response


def example(code: str, detail: str, type_base: str, retry_after: int | None = None) -> dict[str, Any]:
    """What a refusal looks like, for descriptions."""
    moment, pages = datetime(2026, 11, 22, 12, tzinfo=UTC), ErrorPages(type_base, "")
    shown = render(problem(code, detail, at=moment, error_pages=pages, retry_after=retry_after))
    return dict(msgspec.json.decode(shown.body))


class UnfitQuery(InvalidInput):
    """What is wrong with a query, also where the command's members come in the body."""


def _details(violations: Sequence[Violation], source: str, in_path: Collection[str]) -> list[DetailOut]:
    details = []
    for path, message, kind in violations:
        # What is one too many may have the name of a part of the path, but never is that.
        place = "path" if path and path[0] in in_path and kind != "extra_forbidden" else source
        details.append(DetailOut([place, *path], message, kind))
    return details


def scope_challenge(error: DomainError) -> dict[str, str]:
    """The header that tells a client which scope its token lacks (RFC 6750, section 3.1), if that is the reason."""
    scope = error.scope if isinstance(error, Forbidden) else None
    return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'} if scope else {}


def applied(request: Request) -> dict[str, str]:
    """The header that says which preference was honoured, which a refusal may have been (RFC 7240)."""
    return {"Preference-Applied": "handling=strict"} if getattr(request.state, "strict", False) else {}


def refusal(
    code: str,
    detail: str,
    error_pages: ErrorPages,
    headers: Mapping[str, str] | None = None,
    violations: list[Violation] | None = None,
) -> ProblemResponse:
    """The response for a refusal that is no domain error: of the transport, of the server, of the edge."""
    document = problem(code, detail, at=datetime.now(UTC), error_pages=error_pages, violations=violations)
    return render(document, headers=headers)


_BY_STATUS = {
    404: "No such path; see the list of endpoints in the documentation.",
    405: "This path does not support the method; see the Allow header.",
}


Show = Callable[[Request, Any], Response]


def refusals(error_pages: ErrorPages) -> dict[type[Exception], Show]:
    """By the kind of exception with which a request is refused: what shows it as a problem document."""

    def domain_error(request: Request, error: DomainError) -> Response:
        is_query = request.method in ("GET", "HEAD") or isinstance(error, UnfitQuery)
        headers = applied(request) | scope_challenge(error)
        document = describe(error, at=datetime.now(UTC), error_pages=error_pages)
        source = "query" if is_query else "body"
        return render(document, source=source, in_path=request.path_params, headers=headers)

    def bad_body(request: Request, error: NotJson) -> Response:
        detail = f"The body cannot be read as JSON ({error}); correct it, and send one object."
        return refusal("bad_request", detail, error_pages, violations=[Violation((), str(error), "json_invalid")])

    def http_exception(request: Request, error: HTTPException) -> Response:
        headers = error.headers
        if error.status_code == 405 and headers is not None:
            # Starlette tells the methods of a page in the order of a set, and does not know that we answer OPTIONS.
            headers = {**headers, "Allow": ", ".join(sorted({*headers["Allow"].split(", "), "OPTIONS"}))}
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
        code = BY_STATUS.get(error.status_code, "bad_request")
        detail = _BY_STATUS.get(error.status_code, error.detail)
        return refusal(code, detail, error_pages, headers)

    return {DomainError: domain_error, NotJson: bad_body, HTTPException: http_exception}


def exception_handlers(error_pages: ErrorPages) -> dict[Any, Show]:
    """The same for Starlette, crashes included."""

    def crash(request: Request, error: Exception) -> Response:
        # Starlette raises it again once this answer is sent; the edge logs it there, with the request id.
        return refusal("internal_error", INTERNAL, error_pages)

    return {**refusals(error_pages), Exception: crash}


INTERNAL = "Something went wrong on our side; try again, and report the X-Request-ID of this answer if it stays."
