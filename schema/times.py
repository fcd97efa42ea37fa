"""The arguments by which is asked what held on a day, and what was known at a moment."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
import strawberry

from domain.commands import InTime
from execution.markers import Scoped
from schema.context import GraphQLContext

_ARGUMENTS: dict[str, Any] = {
    "as_of": Annotated[
        date | None,
        strawberry.argument(
            description="The day by which all below is judged: what is active then, how it stands; any day, also one to"
            " come. Today (UTC), or the day of `knownAt`, if left out."
        ),
    ],
    "known_at": Annotated[
        datetime | None,
        strawberry.argument(
            description="Answers, with all below, as it was known at that moment, by the log of changes. Before it"
            " began nothing was known, and what is still to come is as now. Definitions are as they are now. Not for a"
            " publishable key."
        ),
    ],
}


def _context(context: GraphQLContext, given: Mapping[str, Any]) -> GraphQLContext:
    as_of, known_at = given.get("as_of"), given.get("known_at")
    if as_of is None and known_at is None:
        return context
    # It is judged in UTC, in which a moment may be of no year that there is.
    asked = InTime.parse({"as_of": as_of, "known_at": known_at})
    return msgspec.structs.replace(context, operation=context.operation.at(asked.as_of, asked.known_at), loaders={})


IN_TIME = Scoped({"asOf": "as_of", "knownAt": "known_at"}, _context).metadata
"""The metadata of a field that is `in_time`."""


def in_time(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """A field that is asked as of a day or as known at a moment; its function is given a context in which it is so."""

    @functools.wraps(function)
    async def asked(*parents: Any, as_of: date | None = None, known_at: datetime | None = None, **others: Any) -> Any:
        return await function(*parents, **others)

    own = inspect.signature(function)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _ARGUMENTS.items()
    ]
    asked.__signature__ = own.replace(parameters=[*own.parameters.values(), *added])  # type: ignore[attr-defined]
    return asked
