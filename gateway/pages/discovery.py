"""How programs find their way: OpenAPI documents, GraphQL's schema, the API catalogue (RFC 9727) and `llms.txt`.

Served to anybody: whoever has no credential yet may read how to get along with one. Nothing here depends on the
`Host` header, so that a shared cache can keep it: where the public address is not set, links are relative.
"""

import asyncio
from functools import cache

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.pages.assets import TYPES, WEB, Asset, answer, served
from gateway.pages.reference import headers_at
from gateway.settings import Settings
from rest_compat.endpoint import APIS
from rest_compat.openapi import DOCUMENT_PATHS, document_path, document_text
from rest_compat.routes import ENDPOINTS

SCHEMA = WEB.parent / "schema" / "schema.graphql"
SCHEMA_PATH = "/schema.graphql"
OPENAPI = "application/openapi+json"
CATALOGUE = 'application/linkset+json;profile="https://www.rfc-editor.org/info/rfc9727"'


def discovery_routes(settings: Settings) -> list[Route]:
    """The documents' own paths, `/schema.graphql`, `/.well-known/api-catalog` and `/llms.txt`, for GET and HEAD.

    Where introspection is switched off, GraphQL's schema is not served here either.
    """
    # A document takes some milliseconds to make, which a start that nobody asks for one does not pay.
    server, type_base = settings.public_url, settings.problem_type_base
    headers = headers_at(server)

    @cache
    def described(app: str) -> Asset:
        return Asset(document_text(app, server or "/", type_base), OPENAPI, headers=headers)

    def openapi(app: str) -> Route:
        async def told(request: Request) -> Response:
            # pydantic builds a command when it is first needed, which no thread may do beside another.
            for endpoint in ENDPOINTS:
                if endpoint.command.model_rebuild():
                    await asyncio.sleep(0)
            return await run_in_threadpool(lambda: answer(request, described(app)))

        return Route(document_path(app), told)

    open_schema = settings.graphql_introspection
    linkset = msgspec.json.format(msgspec.json.encode(catalogue(server, open_schema)))
    text = llms_txt(server, open_schema).encode()
    routes = [
        *map(openapi, DOCUMENT_PATHS.values()),
        served("/.well-known/api-catalog", Asset(linkset, CATALOGUE, headers=headers)),
        served("/llms.txt", Asset(text, TYPES[".txt"], headers=headers)),
    ]
    if open_schema:
        routes.append(served(SCHEMA_PATH, Asset(SCHEMA.read_bytes(), TYPES[".txt"], headers=headers)))
    return routes


def catalogue(server: str, tells_schema: bool) -> dict[str, list[dict[str, object]]]:
    """The APIs at that address as a linkset (RFC 9264), one entry each."""
    health = [{"href": f"{server}/readyz", "type": "application/json"}]
    entries: list[dict[str, object]] = [
        {
            "anchor": f"{server}/{app}/api/v1/",
            "service-desc": [{"href": f"{server}{path}", "type": OPENAPI}],
            "service-doc": [{"href": f"{server}/docs?api={app}", "type": "text/html"}],
            "status": health,
        }
        for path, app in DOCUMENT_PATHS.items()
    ]
    graphql: dict[str, object] = {
        "anchor": f"{server}/graphql",
        **({"service-desc": [{"href": f"{server}{SCHEMA_PATH}", "type": "text/plain"}]} if tells_schema else {}),
        "service-doc": [{"href": f"{server}/graphiql", "type": "text/html"}],
        "status": health,
    }
    return {"linkset": [*entries, graphql]}


def llms_txt(server: str, tells_schema: bool) -> str:
    """The site in Markdown for language models (the llms.txt proposal): what it is, and where what is."""
    about = (
        "A gateway for product certifications and claims: GraphQL and REST over the same operations. Every request"
        " needs a credential, for example an API key in the header X-API-Key; these pages need none."
    )
    parts = ["# certgate", f"> {about}", "## Documents"]
    links = [
        f"- [{APIS[app].title}]({server}{path}): OpenAPI 3.1. {APIS[app].summary}"
        for path, app in DOCUMENT_PATHS.items()
    ]
    links += [
        f"- [Refusals]({server}/docs/errors): every error code, what it means and what to do",
        f"- [API catalogue]({server}/.well-known/api-catalog): the APIs as a linkset (RFC 9727)",
        f"- [GraphQL]({server}/graphql): POST a query as JSON; the same operations as REST, and richer filters",
        f"- [GraphiQL]({server}/graphiql): the same for people, with examples",
    ]
    if tells_schema:
        links.append(
            f"- [GraphQL schema]({server}{SCHEMA_PATH}): everything that GraphQL can be asked, explained (SDL)"
        )
    parts.append("\n".join(links))
    for app in DOCUMENT_PATHS.values():
        rows = [f"- `{item.method} {item.path}`: {item.description}" for item in ENDPOINTS if item.app == app]
        parts += [f"## {APIS[app].title}", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"
