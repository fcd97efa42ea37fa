"""The pages of the settings: one for each section, with what there is and the ways to change it."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.access import Caller, manages, require_membership
from domain.errors import Forbidden
from resolvers.operation import Context
from workbench.rendering import page

Reads = Callable[[Context, Request], Awaitable[dict[str, Any]]]


def section(name: str, reads: Reads, template: str = "") -> Callable[[Request], Awaitable[Response]]:
    """The page of a section. Who may not see what it shows is told so, in its place."""

    async def answer(request: Request) -> Response:
        context: Context = request.state.context
        caller = context.caller
        try:
            values = await reads(context, request)
        except Forbidden as error:
            return page(request, "settings/forbidden.html", status=403, section=name, error=error)
        return page(
            request,
            f"settings/{template or name}.html",
            section=name,
            done=request.query_params.get("done", ""),
            may_write=_may_write(caller),
            may_manage=manages(caller, caller.organization.id),
            **values,
        )

    return answer


def _may_write(caller: Caller) -> bool:
    try:
        require_membership(caller, caller.organization.id, writes=True)
    except Forbidden:
        return False
    return True
