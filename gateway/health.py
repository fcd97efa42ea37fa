"""Is the process up, and can it answer: for load balancers and for operators at night."""

import hmac
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db import date_events, revision
from db.engine.database import Database
from domain.errors import Busy
from gateway.settings import Settings
from gateway.version import version
from rest_compat.problem import refusal

if TYPE_CHECKING:
    from gateway.telemetry.metrics import Metrics


async def healthz(request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The database answers too; 503 while it does not.

    What takes no changes, only costs more or is not counted is named, but is no reason: all who use the same would be
    taken away at once, and nobody could read any more.
    """
    answers, parts, _ = await dependencies(request.app)
    if not answers:
        return JSONResponse({"status": "unavailable", **parts}, 503)
    return JSONResponse({"status": "ok" if set(parts.values()) == {"ok"} else "degraded", **parts})


async def dependencies(app: Starlette) -> tuple[bool, dict[str, str], date | None]:
    """Whether requests can be answered, and how each thing is that they need: `ok`, or what is wrong with it.

    Last the day up to which it is told what days bring, if that is known.
    """
    database: Database = app.state.database
    try:
        told = await date_events.told_until(database)
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not now"
        return False, {"database": _why(error)}, None
    parts = {
        "database": "ok",
        "changes": "ok" if await database.hears() else "not heard",
        "rate_limits": "ok" if await app.state.limiter.check() else "not counted",
        "date_events": f"told up to {told}" if told is not None and told < _yesterday() else "ok",
    }
    if database.is_replicated:
        parts["replicas"] = f"{database.left_out} left out" if database.left_out else "ok"
    try:
        await database.check()
    except Exception as error:  # noqa: BLE001 - likewise
        parts["database"] = _why(error)
    return True, parts, told


def _yesterday() -> date:
    return (datetime.now(UTC) - timedelta(days=1)).date()


async def metrics(request: Request) -> Response:
    """Prometheus' metrics, for whoever knows the token."""
    from gateway.telemetry.exposition import About, exposition

    settings: Settings = request.app.state.settings
    sent = request.headers.get("authorization", "")
    if not hmac.compare_digest(sent.encode(), f"Bearer {settings.metrics_token}".encode()):
        detail = "The metrics are for monitoring: send CERTGATE_METRICS_TOKEN as a bearer token."
        challenge = {"WWW-Authenticate": 'Bearer realm="metrics"'}
        return refusal("unauthorized", detail, settings.error_pages, challenge)
    counted: Metrics = request.app.state.metrics
    _, parts, told_until = await dependencies(request.app)
    database: Database = request.app.state.database
    about = About(version(), database.dialect.name, revision.head())
    is_up = {name: said == "ok" for name, said in parts.items()}
    content, content_type = exposition(counted.all(), is_up, told_until, about, request.headers.get("accept", ""))
    return Response(content, headers={"Content-Type": content_type, "Cache-Control": "no-store"})


def _why(error: Exception) -> str:
    return error.reason if isinstance(error, Busy) else type(error).__name__


def health_routes(settings: Settings) -> list[Route]:
    """`/healthz` and `/readyz`, and `/metrics` where there is a token for it."""
    counted = [Route("/metrics", metrics)] if settings.metrics_token else []
    return [Route("/healthz", healthz), Route("/readyz", readyz), *counted]
