"""What a process tells of its work, put together from the settings."""

import os
from collections.abc import Callable

from starlette.types import Scope

from db.engine.noting import Notes
from gateway.settings import Settings
from gateway.telemetry.request_log import RequestLog
from gateway.telemetry.requests import Request

Tell = Callable[[Request], None]
"""What is done with a request that was answered."""


class Telemetry:
    """What is done with each request once it was answered. `observe` is None where nobody wants to know."""

    def __init__(self, settings: Settings) -> None:
        self._tells: list[Tell] = []
        if settings.access_log:
            self._tells.append(RequestLog(settings.log_format, os.getpid()))
        self.observe = self._observe if self._tells else None

    def _observe(self, scope: Scope, status: int, began: float, notes: Notes) -> None:
        request = Request(scope, status, began, notes)
        for tell in self._tells:
            tell(request)
