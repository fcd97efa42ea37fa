"""Commands that serve."""

import importlib
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from gateway.cli.common import read_settings
from gateway.starting import begin_quickly

if TYPE_CHECKING:
    from gateway.limits.budgets import Limiter
    from gateway.positions import Positions
    from gateway.settings import Settings
    from gateway.telemetry.board import Board
    from gateway.workers import Handover, Worker

_host = click.option("--host", help="The address to listen on, instead of CERTGATE_HOST.")
_port = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port to listen on, instead of CERTGATE_PORT; 0: any free one.",
)


@click.command()
@_host
@_port
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="How many processes answer, instead of CERTGATE_WORKERS: one on SQLite, on PostgreSQL one a core.",
)
@click.option("--rehearse", is_flag=True, hidden=True)
@click.option("--handover", hidden=True)
def serve(host: str | None, port: int | None, workers: int | None, rehearse: bool, handover: str | None) -> None:
    """Serve both faces until told to stop.

    With several workers, one that ends is replaced, and SIGHUP starts new ones before the old ones stop.
    """
    begin_quickly()
    from gateway import server, storage
    from gateway.workers import Handover, number_of_workers

    settings = read_settings(host=host, port=port, workers=workers)
    storage.require_folder(settings)
    number = number_of_workers(settings)
    if rehearse:
        server.run(_rehearse(settings))
    elif number > 1:
        _serve_together(settings, number, Handover.read(handover) if handover else None)
    else:
        with server.listen(settings) as listener:
            _answer(settings, listener, _announcement(settings, listener))


def _announcement(settings: "Settings", listener: socket.socket) -> Callable[[], None]:
    """What says that the server answers."""
    from gateway import server, storage

    text = (
        f"certgate answers on {server.address(settings, listener)}; its database is"
        f" {storage.shown(settings.database_url)}; stop it with Ctrl+C."
    )
    return lambda: print(text, flush=True)


def _answer(
    settings: "Settings",
    listener: socket.socket,
    started: Callable[[], None],
    worker: "Worker | None" = None,
    limiter: "Limiter | None" = None,
    board: "Board | None" = None,
    positions: "Positions | None" = None,
) -> None:
    """Answers in this process until told to stop."""
    from gateway import server, storage

    async def work() -> None:
        async with storage.opened(settings) as database:
            from gateway.app import create_app
            from gateway.telemetry.telemetry import Telemetry

            telemetry = Telemetry(settings, database, board, worker.number if worker is not None else 0)
            site = server.address(settings, listener)
            application = create_app(settings, database, limiter, site, telemetry, positions)
            await server.serve(settings, application, listener, started, telemetry, worker)

    server.run(work())


def _serve_together(settings: "Settings", number: int, before: "Handover | None") -> None:
    """Answers in several processes until told to stop."""
    from gateway import server
    from gateway.limits.shared import SharedCounts, SharedLimiter
    from gateway.positions import Positions, SharedPositions
    from gateway.telemetry import logs
    from gateway.telemetry.board import Board
    from gateway.workers import Supervisor

    if before is None:
        listeners = server.spread(server.listen(settings), number)
    else:
        listeners = [socket.socket(fileno=file) for file in before.listeners]
    supervisor = Supervisor(
        listeners,
        stop_seconds=settings.shutdown_seconds,
        command=lambda handover: _again("--handover", handover.written()),
        rehearsal=_again("--rehearse"),
        before=before,
    )
    logs.configure(settings.log_format, settings.log_level)
    _import_all(settings)
    counts = None if settings.redis_url else SharedCounts(number)
    written = SharedPositions(number) if settings.database_read_urls else None
    board = Board(number) if settings.metrics_token else None
    worker = supervisor.run(_announcement(settings, listeners[0]))
    # From here on it is a worker.
    limiter = None if counts is None else SharedLimiter(counts, worker.number)
    positions = None if written is None else Positions(written, worker.number)
    _answer(settings, worker.listener, lambda: None, worker, limiter, board, positions)


def _import_all(settings: "Settings") -> None:
    """Imports what a server of these settings needs, before it becomes several processes."""
    names = ["gateway.app", "gateway.http_protocol", "gateway.storage", "uvicorn.lifespan.on"]
    names.append("db.engine.sqlite" if settings.database_url.startswith("sqlite") else "db.engine.postgresql")
    if settings.redis_url:
        names.append("gateway.limits.redis")
    if settings.metrics_token:
        names.append("gateway.telemetry.exposition")
    for name in names:
        importlib.import_module(name)


def _again(option: str, *value: str) -> list[str]:
    """The command line of this program, with another such option than it has."""
    words = [word for word in sys.argv[1:] if word != "--rehearse"]
    if "--handover" in words:
        at = words.index("--handover")
        del words[at : at + 2]
    return [sys.executable, "-m", "gateway", *words, option, *value]


async def _rehearse(settings: "Settings") -> None:
    """All that is done at a start, but for listening."""
    from gateway import storage
    from gateway.app import create_app

    async with storage.opened(settings) as database:
        create_app(settings, database)


@click.command()
@_host
@_port
def demo(host: str | None, port: int | None) -> None:
    """Set up whatever is missing, serve the demo products and print how to sign in."""
    from gateway import server
    from gateway.demo import demo as run_demo

    server.run(run_demo(read_settings(host=host, port=port)))
