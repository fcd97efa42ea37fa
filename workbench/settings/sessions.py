"""The browsers that are signed in."""

from typing import Any

from starlette.requests import Request

from domain.errors import Forbidden, NotFound
from domain.people import BrowserSession, ListSessions
from resolvers import people
from resolvers.operation import Context
from workbench.settings import keys
from workbench.settings.acts import ActedOn, SettingsAct


async def sessions(context: Context, request: Request) -> dict[str, Any]:
    """The sessions, with the names of the keys that they stand for. Raises `Forbidden`."""
    return {"sessions": await _every(context), "names": await _names(context)}


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


ACTS = {"end": SettingsAct(people.end_session, _session, "session_id", ends=True)}
