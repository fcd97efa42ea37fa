"""Refusals and failures of what browsers ask for, as pages; programs are sent problem documents."""

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.pages.workbench import sent
from rest_compat.problem import ProblemResponse, Show
from workbench.rendering import page, refusal_page


def shown_to_browsers(refuse: Show) -> Show:
    """The same refusals, but as a page where a browser asks for one."""

    def shown(request: Request, error: Exception) -> Response:
        refused = refuse(request, error)
        if not isinstance(refused, ProblemResponse) or "text/html" not in request.headers.get("accept", ""):
            return refused
        request.state.code = refused.code
        if isinstance(error, HTTPException) and refused.status_code == 404:
            return not_found(request)
        document = msgspec.json.decode(refused.body)
        kept = {"Allow": refused.headers["allow"]} if "allow" in refused.headers else {}
        response = refusal_page(
            request, refused.status_code, document["title"], document["detail"], document.get("retry_after"), kept
        )
        return sent(request, response)

    return shown


def not_found(request: Request) -> Response:
    """The page that says that there is none, with ways on."""
    return sent(request, page(request, "not_found.html", status=404))
