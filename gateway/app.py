"""The composition root: everything is put together here, by constructor."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from db.engine.database import Database
from gateway.auth.bearer import BearerTokens, bearer_routes
from gateway.auth.credentials import Credentials
from gateway.auth.openid import OpenIdProvider
from gateway.auth.sign_in import sign_in_routes
from gateway.cors import cors
from gateway.date_events import DateEvents
from gateway.digests import Digests
from gateway.edge import GUARDED, GatewayEdge
from gateway.graphql import graphql_endpoint
from gateway.health import dependencies, health_routes
from gateway.limits.body_limit import BodyLimit
from gateway.limits.budgets import Limiter
from gateway.limits.memory import MemoryLimiter
from gateway.limits.meter import RateLimits
from gateway.mail import Mailer
from gateway.pages.calendar import calendar_routes
from gateway.pages.discovery import discovery_routes
from gateway.pages.graphiql import graphiql_routes
from gateway.pages.proof import proof_routes
from gateway.pages.reference import reference_routes
from gateway.pages.refusals import shown_to_browsers
from gateway.pages.workbench import workbench_routes
from gateway.positions import Positions, SharedPositions
from gateway.sealer import Sealing
from gateway.server import address
from gateway.settings import Settings, split
from gateway.telemetry.telemetry import Telemetry
from gateway.version import version
from gateway.webhooks.sending import Sending
from rest_compat.application import Rest
from rest_compat.imports import Importing
from rest_compat.problem import exception_handlers, refusals
from rest_compat.routes import CERTIFICATIONS
from workbench import importing

IMPORTS = f"{CERTIFICATIONS}/imports"
"""Where whole files are taken."""


def create_app(
    settings: Settings,
    database: Database,
    limiter: Limiter | None = None,
    site: str = "",
    telemetry: Telemetry | None = None,
    positions: Positions | None = None,
) -> ASGIApp:
    """The application: both faces and the pages behind one edge. The caller opens and closes the database.

    `limiter` counts the requests instead of the one that the settings ask for. `site` is the address that links start
    with, where the settings do not tell it. `telemetry` is what is told of the requests that the application answers.
    `positions` is where workers note together who has written.
    """
    telemetry = telemetry or Telemetry(settings, database)
    error_pages = settings.error_pages
    origins = split(settings.cors_origins)
    counting = limiter or _limiter(settings)
    credentials = Credentials(
        database,
        tokens=BearerTokens(settings) if settings.oauth_issuer else None,
        idle=timedelta(minutes=settings.session_idle_minutes),
        public_url=settings.public_url,
        origins=origins,
    )
    mailer = Mailer(settings, site or address(settings))
    imports = Importing(database, Path(settings.import_folder))
    if database.is_replicated and positions is None:
        positions = Positions(SharedPositions())
    edge = GatewayEdge(
        _pages(settings, database, credentials, counting, mailer, imports, telemetry),
        BodyLimit(
            Rest(error_pages, imports),
            settings.max_body_bytes,
            refusals(error_pages)[HTTPException],
            {IMPORTS: settings.max_import_bytes},
        ),
        {"/graphql": graphql_endpoint(settings, database)},
        database,
        RateLimits(counting, settings.rate_limit_per_minute, settings.rate_limit_per_day),
        credentials,
        error_pages,
        mailer,
        settings.public_path,
        positions,
    )
    return cors(edge, origins, GUARDED, split(settings.cors_headers)) if origins else edge


def _pages(
    settings: Settings,
    database: Database,
    credentials: Credentials,
    counting: Limiter,
    mailer: Mailer,
    imports: Importing,
    telemetry: Telemetry,
) -> Starlette:
    """What anybody may ask for. It is told when the server starts and stops, too."""
    error_pages = settings.error_pages
    digests = Digests(database, mailer)
    sealing = Sealing(database)
    date_events = DateEvents(database)
    counts = telemetry.metrics.deliveries if telemetry.metrics is not None else None
    sending = Sending(database, mailer, mailer.networks, counts)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        telemetry.start()
        credentials.last_used.start()
        # Says so if it does not, before the first request.
        await database.hears()
        await imports.resume()
        digests.start()
        await digests.warn()
        sealing.start()
        date_events.start()
        sending.start()
        yield
        await sending.stop()
        await date_events.stop()
        await digests.stop()
        await imports.stop()
        await sealing.stop()
        await credentials.last_used.stop()
        await counting.close()
        telemetry.stop()

    handlers = {kind: shown_to_browsers(refuse) for kind, refuse in exception_handlers(error_pages).items()}
    pages = Starlette(
        routes=[
            *workbench_routes(),
            *graphiql_routes(),
            *reference_routes(settings.public_url, settings.problem_type_base),
            *discovery_routes(settings),
            *sign_in_routes(),
            *calendar_routes(),
            *proof_routes(),
            *bearer_routes(settings),
            *health_routes(settings),
        ],
        middleware=[
            Middleware(
                BodyLimit,
                max_body=settings.max_body_bytes,
                refuse=handlers[HTTPException],
                others={importing.PATH: settings.max_import_bytes},
            )
        ],
        exception_handlers=handlers,
        lifespan=lifespan,
    )
    # The edge answers the API's paths with and without a last slash; elsewhere it makes another path.
    pages.router.redirect_slashes = False
    pages.state.database = database
    pages.state.settings = settings
    pages.state.imports = imports
    pages.state.metrics = telemetry.metrics
    pages.state.credentials = credentials
    pages.state.limiter = counting
    pages.state.mailer = mailer
    pages.state.version = version
    pages.state.dependencies = dependencies
    pages.state.openid = OpenIdProvider(settings) if settings.oidc_issuer else None
    return pages


def _limiter(settings: Settings) -> Limiter:
    if not settings.redis_url:
        return MemoryLimiter()
    # The client costs a fifth of a second of import, which only those pay who use it.
    from gateway.limits.redis import RedisLimiter

    return RedisLimiter(settings.redis_url)
