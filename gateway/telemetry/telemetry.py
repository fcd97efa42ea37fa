"""What a process tells of its work, put together from the settings."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import Scope

from db.engine.database import Database
from db.engine.noting import Notes
from gateway.failures import Failure
from gateway.http_protocol import Observe
from gateway.settings import Settings
from gateway.version import version

if TYPE_CHECKING:
    from gateway.telemetry.board import Board
    from gateway.telemetry.metrics import Connected, Metrics
    from gateway.telemetry.requests import Request
    from gateway.telemetry.traces import Traces

Tell = Callable[["Request"], None]
"""What is done with a request that was answered."""


class Telemetry:
    """What is done with each request once it was answered. `observe` is None where nobody wants to know.

    Several workers share a `board`, on which each has a `place`.
    """

    def __init__(self, settings: Settings, database: Database, board: "Board | None" = None, place: int = 0) -> None:
        # What nobody wants is not imported, which would be a part of every start.
        self.metrics: Metrics | None = None
        if settings.metrics_token:
            from gateway.telemetry import metrics

            self.metrics = metrics.Metrics(database, board, place)
        self._tells: list[Tell] = []
        if settings.access_log:
            from gateway.telemetry.request_log import RequestLog

            self._tells.append(RequestLog(settings.log_format, os.getpid()))
        if settings.slow_seconds:
            from gateway.telemetry.slow import Slow

            self._tells.append(Slow(database, settings.slow_seconds))
        self._traces = _traces(settings, database) if settings.traces_url else None
        if self._traces is not None:
            self._tells.append(self._traces)
        if self._tells:
            from gateway.telemetry import requests

            self._request = requests.Request
        self.takes_notes = bool(self._tells)
        """Whether somebody wants to know the statements of each request."""
        self.observe: Observe | None = None
        if self._tells:
            self.observe = self._observe
        elif self.metrics is not None:
            self.observe = self.metrics.count

    def start(self) -> None:
        """To be called in the event loop when the server starts."""
        if self.metrics is not None:
            self.metrics.start()

    def stop(self) -> None:
        """To be called when it stops."""
        if self.metrics is not None:
            self.metrics.stop()
        if self._traces is not None:
            self._traces.stop()

    def watch(self, server: "Connected") -> None:
        """Has it tell of this server's connections."""
        if self.metrics is not None:
            self.metrics.server = server

    def _observe(self, scope: Scope, status: int, began: float, notes: Notes | None) -> None:
        if self.metrics is not None:
            self.metrics.count(scope, status, began, notes)
        request = self._request(scope, status, began, notes)
        for tell in self._tells:
            tell(request)


def _traces(settings: Settings, database: Database) -> "Traces":
    try:
        from gateway.telemetry.traces import Traces
    except ImportError as error:
        raise Failure(
            "CERTGATE_TRACES_URL needs OpenTelemetry, which is not installed here: run ./certgate install tracing, or"
            " unset it."
        ) from error
    return Traces(settings.traces_url, version(), database.dialect.name)
