"""What the caller may still ask for."""

from datetime import datetime

import strawberry

from execution.markers import cost
from schema.context import Info, RateWindow

_FREE = cost(weight=0)
_LARGEST = 2**31 - 1
"""GraphQL's integers end here; a limit beyond it is none."""


@strawberry.type(
    description=(
        "One window of your rate limit. Every root field spends a unit, in bulk every row; a search, a total or a"
        " statistic spends five more when it is run."
    )
)
class RateLimitWindow:
    """A window as GraphQL shows it."""

    limit: int = strawberry.field(description="Units that you may spend in it.")
    used: int = strawberry.field(description="Units spent, those of this request included.")
    remaining: int = strawberry.field(description="Units left.")
    reset_at: datetime = strawberry.field(description="When it ends, and all units are back.")


@strawberry.type(
    description="Your rate limit, and what this request takes of it. What is not about a window is about this request."
)
class RateLimit:
    """Both windows, and the figures of the one that trips first at the top."""

    limit: int = strawberry.field(description="Units of the window, minute or day, in which fewer are left.")
    cost: int = strawberry.field(
        description="Units that this request has spent before it was run: one for each root field, in bulk each row."
    )
    remaining: int = strawberry.field(description="Units left in that window.")
    used: int = strawberry.field(description="Units spent in that window.")
    reset_at: datetime = strawberry.field(description="When that window ends, and all its units are back.")
    node_count: int = strawberry.field(
        description=(
            "What the operation costs: the objects that it may return at most, and 10 for each thing that it changes."
            " `extensions.cost` shows the limit and where the cost comes from."
        )
    )
    minute: RateLimitWindow = strawberry.field(description="The window of a minute.", metadata=_FREE)
    day: RateLimitWindow = strawberry.field(description="The window of a day.", metadata=_FREE)


def _shown(window: RateWindow) -> RateLimitWindow:
    return RateLimitWindow(
        limit=min(window.limit, _LARGEST),
        used=min(window.used, _LARGEST),
        remaining=min(max(0, window.limit - window.used), _LARGEST),
        reset_at=window.ends_at,
    )


@strawberry.type
class RateLimitQueries:
    """The root field about rate limits."""

    @strawberry.field(
        description="How much of your rate limit is left, as the headers of every answer say it too.",
        metadata=_FREE,
    )
    async def rate_limit(self, info: Info) -> RateLimit | None:
        """Where the caller stands after the charge for this request."""
        minute, day, nearest = await info.context.rate_limits()
        first = _shown(nearest)
        return RateLimit(
            limit=first.limit,
            cost=info.context.asked.units,
            remaining=first.remaining,
            used=first.used,
            reset_at=first.reset_at,
            node_count=info.context.asked.cost,
            minute=_shown(minute),
            day=_shown(day),
        )
