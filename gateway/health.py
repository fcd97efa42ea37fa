"""Is the process up, and can it answer: for load balancers and for operators at night."""

from sqlalchemy import literal, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.database import Database
from db.reads import Read

PING = Read(select(literal(1)), lambda row: row[0])


async def healthz(request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The database answers too; 503 while it does not. What only costs more, or is not counted, is named."""
    database: Database = request.app.state.database
    try:
        await database.fetch(PING)
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not now"
        return JSONResponse({"status": "unavailable", "database": type(error).__name__}, 503)
    parts = {
        "database": "ok",
        "changes": "ok" if await database.hears() else "not heard",
        "rate_limits": "ok" if await request.app.state.limiter.check() else "not counted",
    }
    return JSONResponse({"status": "ok" if set(parts.values()) == {"ok"} else "degraded", **parts})


def health_routes() -> list[Route]:
    """`/healthz` and `/readyz`."""
    return [Route("/healthz", healthz), Route("/readyz", readyz)]
