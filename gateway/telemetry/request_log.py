"""A line for each request that was answered."""

import asyncio
import sys
import time
from contextlib import suppress

import msgspec

from gateway.telemetry.logs import LogFormat, moment
from gateway.telemetry.requests import Request

LOGGER = "certgate.requests"
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is asked every few seconds to see whether the server is well: no line while it is."""

_encode = msgspec.json.Encoder().encode


class RequestLog:
    """Writes the lines, those of one turn of the event loop at once: the system is asked as seldom as can be."""

    def __init__(self, form: LogFormat, process: int) -> None:
        self._line = _json_line if form == "json" else _text_line
        self._process = process
        self._waiting: list[str] = []

    def __call__(self, request: Request) -> None:
        """Writes a line about it at the end of the turn."""
        if request.asked.operation in QUIET and request.status == 200:
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self._waiting.append(self._line(self._process, request))

    def _write(self) -> None:
        text = "".join(self._waiting)
        self._waiting.clear()
        # Where nobody takes the lines, requests are answered all the same.
        with suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()


def _json_line(process: int, request: Request) -> str:
    about = {"time": moment(time.time()), "level": "info", "logger": LOGGER, "process": process}
    return f"{_encode(about | request.told()).decode()}\n"


def _text_line(process: int, request: Request) -> str:
    told = " ".join(f"{name}={value}" for name, value in request.told().items() if value != "")
    return f"{moment(time.time())} {process} INFO {LOGGER}: {told}\n"
