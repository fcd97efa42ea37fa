"""A server in a process: uvicorn, uvloop and httptools, from a listening socket to a graceful stop."""

import asyncio
import errno
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, NoReturn, cast

from gateway.failures import Failure
from gateway.settings import Settings
from gateway.starting import collect_garbage
from gateway.telemetry import logs

if TYPE_CHECKING:
    from gateway.telemetry.telemetry import Telemetry
    from gateway.workers import Worker

_BACKLOG = 2048
_OTHER_FILES = 256
"""How many files a process has open besides its connections, and some to spare."""


def listen(settings: Settings) -> socket.socket:
    """The socket that the server will answer on, listening already. Raises `Failure`."""
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no host has such a name"
        raise Failure(f"{host!r} is no address of this machine ({why}): correct CERTGATE_HOST or --host.") from error
    opened = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # where it would let two servers share the port
            # A restart must not wait for the connections of the last run to time out.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        # Now, because two sockets that only bind may share an address.
        opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        raise Failure(_why(error, host, port)) from error
    return opened


def spread(listener: socket.socket, number: int) -> list[socket.socket]:
    """As many sockets on one port, of which each is for a process; the first is the one that listens already.

    Linux gives each of them about the same share of the connections. Of one socket that all listen on, whoever wakes
    first would take most, and clients that keep their connections would stay there. Elsewhere the system does not
    share, and it is the same one.
    """
    if sys.platform != "linux":
        return [listener] * number
    # Only now: nobody else may bind to the port, and no other program be bound to it already.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sockets = [listener]
    for _ in range(1, number):
        other = socket.socket(listener.family, listener.type, listener.proto)
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            other.setsockopt(socket.SOL_SOCKET, option, 1)
        other.bind(listener.getsockname())
        other.listen(_BACKLOG)
        sockets.append(other)
    return sockets


def address(settings: Settings, listener: socket.socket | None = None) -> str:
    """The URL that reaches the server, without a slash at its end: the public one, or this machine's.

    Without its socket it is where a server would listen.
    """
    if settings.public_url:
        return settings.public_url
    host, port = listener.getsockname()[:2] if listener is not None else (settings.host, settings.port)
    # The wildcard addresses are for listening only.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(
    settings: Settings,
    application: Any,
    listener: socket.socket,
    started: Callable[[], None],
    telemetry: "Telemetry | None" = None,
    worker: "Worker | None" = None,
) -> None:
    """Answers until SIGINT or SIGTERM, then finishes what is under way; `started` is called once it answers.

    `telemetry` is told of what was answered, if it wants to know. A worker tells its supervisor that it answers, and
    stops without it.
    Ends with `SystemExit(0)` in the caller after such a signal, so that the caller's `finally` blocks run.
    """
    import uvicorn

    from gateway.http_protocol import Http, Limits
    from gateway.workers import BEAT_SECONDS
    from resolvers.feed import FOLLOWING, WAITING

    logs.configure(settings.log_format, settings.log_level)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            collect_garbage()
            if worker is not None and self.started:
                asyncio.get_running_loop().add_reader(worker.life, self._end_without_supervisor, worker.life)
                await worker.beat()
            started()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            # Who waits for what may never come would be waited for.
            WAITING.end()
            FOLLOWING.end()
            await super().shutdown(sockets)

        def _end_without_supervisor(self, life: int) -> None:
            asyncio.get_running_loop().remove_reader(life)
            self.should_exit = True

    # uvicorn handles both while it runs, and repeats what it caught when it has stopped.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    _allow_files(settings.max_connections + _OTHER_FILES)
    limits = Limits(
        header_bytes=settings.max_header_bytes,
        keep_alive_seconds=settings.keep_alive_seconds,
        connections=settings.max_connections,
        requests=settings.max_requests,
    )
    http = Http(settings.error_pages, limits)
    if telemetry is not None:
        http = Http(settings.error_pages, limits, telemetry.observe, takes_notes=telemetry.takes_notes)
        telemetry.watch(http)
    config = uvicorn.Config(
        application,
        http=cast(
            "type[asyncio.Protocol]",
            http,
        ),  # called as the class would be
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        callback_notify=worker.beat if worker is not None else None,
        timeout_notify=BEAT_SECONDS,
    )
    await Server(config).serve([listener])


def run(main: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine to its end on the fastest event loop there is."""
    if sys.platform == "win32":
        loop_factory = None
    else:
        import uvloop

        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main)


def _allow_files(number: int) -> None:
    """Has the system let this process open so many files at a time, as far as it may ask for that."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        unlimited = resource.RLIM_INFINITY
        if soft != unlimited and soft < number:
            resource.setrlimit(resource.RLIMIT_NOFILE, (number if hard == unlimited else min(number, hard), hard))


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(0)


def _why(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} is taken by another program: stop that one, or choose another port with --port."
        case errno.EACCES:
            return f"Port {port} is reserved for administrators: choose one above 1023 with --port."
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine: correct CERTGATE_HOST or --host."
        case _:
            return f"Cannot listen on {host}, port {port} ({error.strerror}): correct --host and --port."
