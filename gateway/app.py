"""The composition root: everything is put together here, by constructor."""

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from db.database import Database
from execution.execute import Executor
from gateway.edge import Edge
from gateway.health import health_routes
from gateway.pages import graphiql_routes
from gateway.settings import Settings
from gateway.sign_in import sign_in_routes
from rest_compat.problem import exception_handlers, refusal
from rest_compat.routes import routes as rest_routes
from schema.context import Context
from schema.errors import present
from schema.http import GraphQLEndpoint
from schema.schema import schema


def create_app(settings: Settings, database: Database) -> ASGIApp:
    """The application: both faces and the pages behind one edge. The caller opens and closes the database."""
    type_base = settings.problem_type_base

    app = Starlette(
        routes=[
            Route("/", _home),
            Route("/graphql", _graphql(type_base, settings.max_body_bytes)),
            *rest_routes(),
            *graphiql_routes(),
            *sign_in_routes(),
            *health_routes(),
        ],
        middleware=[Middleware(RequestBodyLimitMiddleware, max_body_size=settings.max_body_bytes)],
        exception_handlers=exception_handlers(type_base),
    )
    # A path with a slash too many is another path (contract 1.1 states no redirect).
    app.router.redirect_slashes = False
    app.state.database = database
    app.state.settings = settings
    return Edge(app, database, type_base)


async def _home(request: Request) -> Response:
    return RedirectResponse("/graphiql", 303)


def _graphql(type_base: str, max_body: int) -> GraphQLEndpoint:
    def make_context(request: Request) -> Context:
        return Context(request.state.context, request.state.request_id, type_base)

    def present_errors(request: Request, errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
        return present(errors, request.state.request_id, type_base)

    return GraphQLEndpoint(
        Executor(schema),
        make_context=make_context,
        present_errors=present_errors,
        problem=lambda status, code, detail, headers: refusal(code, detail, type_base, headers),
        max_body=max_body,
    )
