"""What seals cursors, so that nobody but this installation makes them."""

from db import secrets
from resolvers.operation import Context, read_operation


@read_operation
async def cursor_secret(context: Context) -> str:
    """The installation's secret; it never changes and never leaves."""
    return await secrets.cursor_secret(context.database)
