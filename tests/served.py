"""An application on a port of its own, served by uvicorn in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import uvicorn

from gateway.http_protocol import Http, Limits
from gateway.settings import Settings


class Served(NamedTuple):
    """The server and its port."""

    server: uvicorn.Server
    port: int


def ours(limits: Limits = Limits()) -> Http:  # noqa: B008 - it is immutable
    """Our own protocol."""
    return Http(Settings().error_pages, limits)


async def until(condition: Callable[[], bool]) -> None:
    """Returns when it is so."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come to that")


@asynccontextmanager
async def served(application: Any, http: Any) -> AsyncIterator[Served]:
    """Serves the application by that protocol, without a lifespan."""
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            http=http,
            ws="none",
            interface="asgi3",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listener]))
    await until(lambda: server.started)
    try:
        yield Served(server, listener.getsockname()[1])
    finally:
        server.should_exit = True
        await serving
