"""What is known of a request once it was answered."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple

from graphql import OperationType
from starlette.routing import Route
from starlette.types import Scope

from db.engine.noting import Notes
from domain.access import Caller
from execution.documents.document import Operation
from gateway.edge import GUARDED
from gateway.telemetry.logs import redacted
from rest_compat.endpoint import Endpoint

GONE = 499
"""The status of a request whose client had gone before it was answered, as proxies call it."""


class Asked(NamedTuple):
    """What a request asked for, without anything that its client chose but for a name of its own operation."""

    face: str
    """`rest`, `graphql`, `page`; empty for what was refused before anybody looked what it is."""
    operation: str
    """The endpoint, the kind of a GraphQL operation, or the path of a page: one of a few."""
    name: str = ""
    """How a client calls its GraphQL operation."""


_MUTATION = OperationType.MUTATION


def asked_by(operation: object, path: str) -> Asked:
    """What the faces leave in the state of a request: an endpoint, an operation of a document, the route of a page."""
    match operation:
        case Operation():
            return Asked("graphql", "mutation" if operation.kind is _MUTATION else "query", operation.name or "")
        case Endpoint():
            return Asked("rest", operation.name)
        case Route():
            return Asked("page", operation.path)
    if path.startswith(GUARDED):
        return Asked("graphql" if path.startswith("/graphql") else "rest", "")
    return Asked("page" if path else "", "")


class Request:
    """A request that was answered; `seconds` long, until the end of its answer was handed over."""

    __slots__ = ("asked", "began", "code", "ended", "notes", "scope", "status")

    def __init__(self, scope: Scope, status: int, began: float, notes: Notes | None) -> None:
        self.scope = scope
        self.status = status or GONE
        self.began = began
        self.notes = notes or Notes()
        self.ended = perf_counter()
        state = scope.get("state") or {}
        self.asked = asked_by(state.get("operation"), scope["path"])
        self.code: str = state.get("code", "")
        """What it was refused for, or the first of the errors of its answer."""

    @property
    def seconds(self) -> float:
        """From when it had come to when it was answered."""
        return self.ended - self.began

    @property
    def _state(self) -> Mapping[str, Any]:
        return self.scope.get("state") or {}

    @property
    def id(self) -> str:
        """The request id, empty for what was refused before it had one."""
        return str(self._state.get("request_id", ""))

    @property
    def caller(self) -> Caller | None:
        """Who asked, where that was known."""
        context = self._state.get("context")
        return None if context is None else context.caller

    @property
    def address(self) -> str:
        """The address of the client."""
        client = self.scope.get("client")
        return client[0] if client else ""

    def told(self) -> dict[str, str | int | float]:
        """What a line says of it: names and figures, no path, no header, no value."""
        caller = self.caller
        return {
            # A client may call either what it should not.
            "request": redacted(self.id),
            "address": self.address,
            "key": (caller and caller.key_id) or "",
            "person": (caller and (caller.user_id or caller.holder)) or "",
            "organization": caller.organization.slug if caller else "",
            "face": self.asked.face,
            "operation": self.asked.operation,
            "name": redacted(self.asked.name),
            "method": self.scope["method"],
            "status": self.status,
            "code": self.code,
            "ms": round(self.seconds * 1000, 1),
            "statements": self.notes.count,
            "database_ms": round(self.notes.seconds(self.ended) * 1000, 1),
        }
