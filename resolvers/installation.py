"""The installation, as managers of its organisations may know of it."""

from datetime import date, datetime
from typing import NamedTuple

from db import date_events, revision, sealing
from domain.access import require_management
from resolvers.operation import Context, read_operation


class Installation(NamedTuple):
    """What its database is, and how far it has come with what is done beside requests."""

    database: str
    """`sqlite` or `postgresql`."""
    revision: str | None
    """That of its tables."""
    newest: str
    """That of this version."""
    told_until: date | None
    """The last day of which all is told that it brought."""
    sealed: int
    """How many changes of the log are sealed."""
    waiting: int
    """How many are still to be, of the first so many that a sealer takes at once."""
    waiting_since: datetime | None


@read_operation
async def installation(context: Context) -> Installation:
    """How the installation is. Raises `Forbidden`."""
    require_management(context.caller, context.caller.organization.id, "The installation is looked at")
    database = context.database
    waiting = await sealing.waiting(database)
    return Installation(
        database.dialect.name,
        await revision.stored(database),
        revision.head(),
        await date_events.told_until(database),
        (await sealing.checkpoint(database)).size,
        waiting.number,
        waiting.since,
    )
