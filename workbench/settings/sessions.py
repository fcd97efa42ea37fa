"""The browsers that are signed in."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import DomainError, Forbidden, NotFound
from domain.people import BrowserSession, EndSession, ListSessions
from domain.vocabulary import BulkPolicy
from resolvers import people
from resolvers.operation import BulkRow, Context
from workbench.rendering import moved, page
from workbench.settings import keys
from workbench.settings.acts import ROOT, ActedOn, SettingsAct

OTHERS = f"{ROOT}/sessions/others"

_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
    "curl": "curl",
}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}
"""What browsers call themselves: each names those that it is like as well, which come after it."""


async def sessions(context: Context, request: Request) -> dict[str, Any]:
    """The sessions, with the names of the keys that they stand for. Raises `Forbidden`."""
    found = await _every(context)
    return {
        "sessions": found,
        "names": await _names(context),
        "called": {each.id: called(each.browser) for each in found},
        "others": len(_others(found)),
    }


def called(agent: str) -> tuple[str, str]:
    """What a browser and its system are called, by its `User-Agent`; "" for one that nobody here knows."""
    browser = next((name for mark, name in _BROWSERS.items() if f"{mark}/" in agent), "")
    return browser, next((name for mark, name in _SYSTEMS.items() if mark in agent), "")


def _others(found: list[BrowserSession]) -> list[BrowserSession]:
    """Those that stand for the same as the one that asks, without it."""
    own = next((each for each in found if each.is_current), None)
    if own is None:
        return []
    who = own.email, own.api_key_id
    return [each for each in found if (each.email, each.api_key_id) == who and not each.is_current]


async def _every(context: Context) -> list[BrowserSession]:
    return await people.list_sessions(context, ListSessions(organization_id=context.caller.organization.id))


async def _names(context: Context) -> dict[str, str]:
    try:
        return {key.id: key.name for key in await keys.every(context)}
    except Forbidden:
        return {}


async def _session(context: Context, id: str) -> ActedOn:
    found = next((each for each in await _every(context) if each.id == id), None)
    if found is None:
        raise NotFound("That session has ended already; go back to the list.")
    return ActedOn(found.email or (await _names(context)).get(found.api_key_id or "", ""))


async def others(request: Request) -> Response:
    """Asks whether to sign out everywhere else, and does it. Raises `NotFound` or `Forbidden`."""
    context: Context = request.state.context
    found = _others(await _every(context))
    if not found:
        raise NotFound("You are signed in nowhere else; go back to the list.")
    if request.method == "GET":
        return page(request, "settings/others.html", section="sessions", number=len(found))
    owner = context.caller.organization.id
    rows = [BulkRow(EndSession(organization_id=owner, session_id=each.id), None) for each in found]
    outcomes = await people.end_session.in_bulk(context, rows, BulkPolicy.IGNORE_FAILED)
    # One that has ended meanwhile is as it should be.
    if refused := [each for each in outcomes if isinstance(each, DomainError) and not isinstance(each, NotFound)]:
        raise refused[0]
    return moved(request, f"{ROOT}/sessions?done=sessions.others")


ACTS = {"end": SettingsAct(people.end_session, _session, "session_id", ends=True)}
