"""The GraphQL face put together: its limits from the settings, its context from the edge."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError
from starlette.types import Scope

from execution.execute import Executor
from execution.limits import Limits
from gateway.limiter import Meter
from gateway.settings import Settings
from rest_compat.problem import refusal
from schema.context import Asked, Context, RateLimits, Window
from schema.errors import present, present_warnings
from schema.http import GraphQLEndpoint
from schema.schema import schema


def limits_of(settings: Settings) -> Limits:
    """What a GraphQL document may ask for: each limit is the setting of its name."""
    named = {field.name: getattr(settings, f"graphql_{field.name}") for field in fields(Limits) if field.type is int}
    return Limits(**named, warn_only=settings.graphql_limits == "warn")


def executor_of(settings: Settings) -> Executor:
    """What runs GraphQL documents under these settings."""
    return Executor(
        schema,
        limits_of(settings),
        timeout=settings.graphql_timeout_seconds,
        introspection=settings.graphql_introspection,
    )


def graphql_endpoint(settings: Settings) -> GraphQLEndpoint:
    """The application behind `/graphql`."""
    type_base = settings.problem_type_base

    def make_context(scope: Scope, asked: Asked) -> Context:
        state = scope["state"]
        return Context(state["context"], state["request_id"], type_base, asked, lambda: _rate_limits(state["meter"]))

    def present_errors(scope: Scope, errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
        return present(errors, scope["state"]["request_id"], type_base)

    return GraphQLEndpoint(
        executor_of(settings),
        make_context=make_context,
        charge=lambda scope, units: scope["state"]["meter"].charge(units),
        present=present_errors,
        present_warnings=lambda scope, warnings: present_warnings(warnings, scope["state"]["request_id"]),
        problem=lambda status, code, detail, headers: refusal(code, detail, type_base, headers),
        max_body=settings.max_body_bytes,
    )


async def _rate_limits(meter: Meter) -> RateLimits:
    standing = await meter.standing()
    minute = Window(standing.limits.minute, standing.minute_used, datetime.fromtimestamp(standing.minute_end, UTC))
    day = Window(standing.limits.day, standing.day_used, datetime.fromtimestamp(standing.day_end, UTC))
    return RateLimits(minute, day, minute if standing.minute_trips_first else day)
