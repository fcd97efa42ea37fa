"""Is the process up, and can it answer: for load balancers and for operators at night."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.engine.database import Database
from db.secrets import BY_NAME
from domain.errors import Busy


async def healthz(request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The database answers too; 503 while it does not.

    What takes no changes, only costs more or is not counted is named, but is no reason: all who use the same would be
    taken away at once, and nobody could read any more.
    """
    database: Database = request.app.state.database
    try:
        await database.fetch(BY_NAME, name="cursors")
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not now"
        return JSONResponse({"status": "unavailable", "database": _why(error)}, 503)
    parts = {
        "database": "ok",
        "changes": "ok" if await database.hears() else "not heard",
        "rate_limits": "ok" if await request.app.state.limiter.check() else "not counted",
    }
    try:
        await database.check()
    except Exception as error:  # noqa: BLE001 - likewise
        parts["database"] = _why(error)
    return JSONResponse({"status": "ok" if set(parts.values()) == {"ok"} else "degraded", **parts})


def _why(error: Exception) -> str:
    return error.reason if isinstance(error, Busy) else type(error).__name__


def health_routes() -> list[Route]:
    """`/healthz` and `/readyz`."""
    return [Route("/healthz", healthz), Route("/readyz", readyz)]
