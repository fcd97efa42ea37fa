"""Which endpoint is where."""

from collections.abc import Awaitable, Callable
from itertools import groupby
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rest_compat import certifications, claims

PREFIX = "/certifications/api/v1"

Handler = Callable[[Request], Awaitable[Response]]


class Endpoint(NamedTuple):
    """One method on one path, as the contract lists it."""

    path: str
    method: str
    handler: Handler


# Endpoints of one path stand together.
ENDPOINTS = (
    Endpoint(f"{PREFIX}/certification-bodies/{{id}}", "GET", certifications.get_certification_body),
    Endpoint(f"{PREFIX}/certifications/{{id}}", "GET", certifications.get_certification),
    Endpoint(f"{PREFIX}/claims/{{id}}", "GET", claims.get_claim),
    Endpoint(f"{PREFIX}/products/{{gtin}}/certifications", "GET", certifications.list_product_certifications),
    Endpoint(
        f"{PREFIX}/products/{{gtin}}/certifications/{{certification_id}}",
        "PATCH",
        certifications.patch_product_certification,
    ),
    Endpoint(f"{PREFIX}/products/{{gtin}}/claims", "GET", claims.list_product_claims),
    Endpoint(f"{PREFIX}/products/{{gtin}}/claims", "POST", claims.create_product_claim),
)


def routes() -> list[Route]:
    """One route a path, so that a wrong method is answered with every method the path has."""
    return [
        _route(path, {endpoint.method: endpoint.handler for endpoint in group})
        for path, group in groupby(ENDPOINTS, key=lambda endpoint: endpoint.path)
    ]


def _route(path: str, handlers: dict[str, Handler]) -> Route:
    async def dispatch(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await handlers[method](request)

    return Route(path, dispatch, methods=list(handlers))
