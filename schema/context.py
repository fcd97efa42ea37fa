"""What one GraphQL operation carries along."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple, Self

import msgspec
from strawberry import Info as StrawberryInfo

from domain.preconditions import Expected
from domain.problem import ErrorPages
from resolvers.operation import Context as OperationContext


class RateWindow(NamedTuple):
    """One window of the caller's rate limit, in units."""

    limit: int
    used: int
    ends_at: datetime


class RateWindows(NamedTuple):
    """Where the caller's rate limits stand after the charge for this request."""

    minute: RateWindow
    day: RateWindow
    nearest: RateWindow
    """The one of them that trips first."""


class OperationCharge(msgspec.Struct, frozen=True, gc=False):
    """What one operation asks for."""

    units: int
    """What it spends of a rate limit: one for each root field."""
    cost: int
    """What it costs to run (see `execution.documents.cost`)."""


class GraphQLContext(msgspec.Struct, eq=False):
    """The context of one operation: the request's own, what its batched fields gather, and how problems are named.

    A mutation is run inside of it, as the block of an `async with`: at its end what dry runs did is undone.
    """

    operation: OperationContext
    request_id: str
    error_pages: ErrorPages
    asked: OperationCharge
    rate_limits: Callable[[], Awaitable[RateWindows]]
    loaders: dict[Any, Any] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        await self.operation.end_rehearsal(error)

    async def begin_mutation(self, info: "Info", if_match: int | None, *, dry_run: bool) -> None:
        """From here on the operations act for the mutation of that place, on that version if one is given.

        An idempotency key covers the whole document; the mutation's name in the answer tells what was done under it.
        """
        await self.operation.end_rehearsal()
        name = str(info.path.key) if self.operation.idempotency is not None else ""
        expected = None if if_match is None else Expected(version=if_match)
        self.operation = self.operation.for_part(name, expected, dry_run=dry_run)


Info = StrawberryInfo[GraphQLContext, None]
