"""`/`: what this is, what is in it, and the ways on. `/app/who`: who has signed in, for the header of other pages."""

from starlette.requests import Request
from starlette.responses import Response

from workbench.rendering import page


async def home(request: Request) -> Response:
    """The first page, for anybody."""
    return page(request, "home.html")


async def who(request: Request) -> Response:
    """The part of a header that says who has signed in; nothing where nobody has."""
    return page(request, "who.html") if hasattr(request.state, "context") else Response(status_code=204)
