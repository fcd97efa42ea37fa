"""`/`: what this is, what is in it, and the ways on."""

from starlette.requests import Request
from starlette.responses import Response

from workbench.rendering import page


async def home(request: Request) -> Response:
    """The first page, for anybody."""
    return page(request, "home.html")
