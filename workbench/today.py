"""Today: what needs doing, exceptions first."""

from starlette.requests import Request
from starlette.responses import Response

from workbench.rendering import page


async def today(request: Request) -> Response:
    """The first page of the workbench."""
    return page(request, "today.html")
