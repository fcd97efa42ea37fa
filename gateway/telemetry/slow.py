"""Operations that took too long: what they had the database do, and how it goes about it."""

import asyncio
import logging
import re

from db.engine.database import Database
from db.engine.noting import Statement
from gateway.telemetry.logs import redacted
from gateway.telemetry.requests import Request

_PAUSE_SECONDS = 10
"""Between two lines about one operation."""
_SHOWN = 5
"""Statements that are told of, the longest."""
_PLAN_SECONDS = 5

log = logging.getLogger("certgate.slow")


class Slow:
    """Logs what took longer than so many `seconds`, with the plan of its longest statement."""

    def __init__(self, database: Database, seconds: float) -> None:
        self._database = database
        self._seconds = seconds
        self._silent_until: dict[tuple[str, str], float] = {}
        self._telling: set[asyncio.Task[None]] = set()

    def __call__(self, request: Request) -> None:
        """Logs a request that was slow, unless one for the same was just logged."""
        of = request.asked.face, request.asked.operation
        if request.seconds < self._seconds or self._silent_until.get(of, 0) > request.ended:
            return
        self._silent_until[of] = request.ended + _PAUSE_SECONDS
        task = asyncio.get_running_loop().create_task(self._tell(request))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, request: Request) -> None:
        told = " ".join(f"{name}={value}" for name, value in request.told().items() if value != "")
        longest = sorted(request.notes.statements, key=lambda each: _seconds(each, request), reverse=True)[:_SHOWN]
        parts = [f"{_seconds(each, request) * 1000:.1f} ms: {_one_line(each.statement.sql)}" for each in longest]
        plan = await self._plan(longest[0]) if longest else ""
        log.warning("%s", redacted("; ".join([told, *parts, *([f"plan of the first: {plan}"] if plan else [])])))

    async def _plan(self, noted: Statement) -> str:
        if noted.statement.sql.split(maxsplit=1)[0] not in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            return ""
        try:
            async with asyncio.timeout(_PLAN_SECONDS):
                lines = await self._database.plan(noted.statement, noted.values)
        except Exception as error:  # noqa: BLE001 - the line is worth more than its plan
            return f"none ({type(error).__name__})"
        # Plans of PostgreSQL quote what was asked for.
        return " / ".join(re.sub(r"'(?:[^']|'')*'", "'?'", line) for line in lines)


def _seconds(noted: Statement, request: Request) -> float:
    return (noted.ended or request.ended) - noted.began


def _one_line(sql: str) -> str:
    return " ".join(sql.split())
