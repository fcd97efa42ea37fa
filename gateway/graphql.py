"""The GraphQL face put together: its limits from the settings, its context from the edge."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from graphql import GraphQLError, OperationType
from starlette.types import Scope

from db.engine.database import Database
from execution.documents.limits import PER_CALLER, DocumentLimits, too_costly
from execution.errors import RequestError
from execution.executor import Executor
from gateway.limits.meter import Meter
from gateway.settings import Settings
from gateway.trusted_documents import TrustedDocuments, UnreadableDocuments
from resolvers.trusted_documents import NamedDocument
from rest_compat.problem import refusal
from schema.context import GraphQLContext, OperationCharge, RateWindow, RateWindows
from schema.errors import present, present_warnings
from schema.http import GraphQLEndpoint
from schema.schema import schema


def limits_of(settings: Settings) -> DocumentLimits:
    """What a GraphQL document may ask for: each limit is the setting of its name."""
    named = {
        field.name: getattr(settings, f"graphql_{field.name}") for field in fields(DocumentLimits) if field.type is int
    }
    return DocumentLimits(**named, warn_only=settings.graphql_limits == "warn")


def executor_of(settings: Settings) -> Executor:
    """What runs GraphQL documents under these settings."""
    return Executor(
        schema,
        limits_of(settings),
        timeout=settings.graphql_timeout_seconds,
        introspection=settings.graphql_introspection,
    )


def callers_limits(usual: DocumentLimits) -> Callable[[Scope], DocumentLimits]:
    """Tells the limits of who sends a request: the usual ones, but for what the caller's key has of its own."""

    # The same object for equal limits: documents remember by it what they were judged by.
    @lru_cache(maxsize=1000)
    def replaced(own: tuple[tuple[str, int], ...]) -> DocumentLimits:
        # What another version has stored may have another name.
        known: dict[str, Any] = {name: limit for name, limit in own if name in PER_CALLER}
        return replace(usual, **known)

    def of_request(scope: Scope) -> DocumentLimits:
        own: tuple[tuple[str, int], ...] = scope["state"]["context"].caller.graphql_limits
        return replaced(own) if own else usual

    return of_request


def graphql_endpoint(settings: Settings, database: Database) -> GraphQLEndpoint:
    """The application behind `/graphql`."""
    error_pages = settings.error_pages
    executor = executor_of(settings)

    def make_context(scope: Scope, asked: OperationCharge) -> GraphQLContext:
        state = scope["state"]
        if "following" in state and state["operation"].kind is OperationType.QUERY:
            state["context"].database = state["following"]
        return GraphQLContext(
            state["context"], state["request_id"], error_pages, asked, lambda: _rate_limits(state["meter"])
        )

    def present_errors(scope: Scope, errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
        entries = present(errors, scope["state"]["request_id"], error_pages)
        if entries:
            scope["state"]["code"] = entries[0]["extensions"]["code"]
        return entries

    return GraphQLEndpoint(
        executor,
        make_context=make_context,
        charge=lambda scope, units: scope["state"]["meter"].charge(units),
        present=present_errors,
        present_warnings=lambda scope, warnings: present_warnings(warnings, scope["state"]["request_id"]),
        problem=lambda status, code, detail, headers: refusal(code, detail, error_pages, headers),
        limits_of=callers_limits(executor.limits),
        documents=TrustedDocuments(database),
        mode=settings.graphql_documents,
        max_body=settings.max_body_bytes,
    )


async def _rate_limits(meter: Meter) -> RateWindows:
    standing = await meter.ask()
    _, _, minute_trips_first = standing.windows()
    minute = RateWindow(standing.limits.minute, standing.minute_used, datetime.fromtimestamp(standing.minute_end, UTC))
    day = RateWindow(standing.limits.day, standing.day_used, datetime.fromtimestamp(standing.day_end, UTC))
    return RateWindows(minute, day, minute if minute_trips_first else day)


def check_documents(settings: Settings, documents: Sequence[NamedDocument]) -> None:
    """Judges documents as a request with them would be judged. Raises `UnreadableDocuments`."""
    executor = executor_of(settings)
    reasons: list[str] = []
    for name, text in documents:
        try:
            document = executor.prepare(text)
            if not document.operations:
                reasons.append(
                    f"{name}: The document holds no operation; register it with the operation it belongs to."
                )
            for operation in document.operations.values():
                cost = operation.cost.of({}).cost
                if cost > executor.limits.max_cost:
                    reasons.append(f"{name}: {too_costly(operation.node, cost, executor.limits).message}")
        except RequestError as error:
            reasons += [f"{name}: {entry.message}" for entry in error.errors]
    if reasons:
        raise UnreadableDocuments("\n".join(reasons))
