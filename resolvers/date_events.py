"""How far the log tells of what days bring."""

from datetime import date

from db import date_events
from resolvers.operation import Context, read_operation


@read_operation
async def told_until(context: Context) -> date | None:
    """The last day of which all is told; None before the first look."""
    return await date_events.told_until(context.database)
