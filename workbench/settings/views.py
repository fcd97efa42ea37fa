"""The saved views, and what each is besides a list: a calendar, files, and what webhooks send."""

from typing import Any

from starlette.requests import Request

from domain.calendars import Calendar, ListCalendars
from domain.errors import Forbidden, NotFound
from domain.views import GetView, ListViews, SavedView, problem_of
from domain.webhooks import ListWebhooks, Webhook
from resolvers import calendars, webhooks
from resolvers import views as saved
from resolvers.operation import Context
from workbench.filters import FIELDS
from workbench.forms import FormMember
from workbench.lists import NAMES, choices, filter_in_words
from workbench.settings.acts import ROOT, ActedOn, SettingsAct

PATH = f"{ROOT}/views"
LIST_OF = {kind: name for name, kind in NAMES.items()}
"""What the list of a kind is called in the address."""


async def views(context: Context, request: Request) -> dict[str, Any]:
    """The views, and how many calendars and webhooks each has. Raises `Forbidden`."""
    found = await every(context)
    return {
        "views": found,
        "problems": {each.id: problem_of(each, context.today) for each in found},
        "calendars": [each.view_id for each in await _calendars(context)],
        "webhooks": [each.view_id for each in await _webhooks(context)],
        "list_of": LIST_OF,
    }


async def one(context: Context, request: Request) -> dict[str, Any]:
    """One view with its addresses. Raises `NotFound` or `Forbidden`."""
    view = await _found(context, request.path_params["id"])
    known = await choices(context, [field.name for field in FIELDS[view.kind]])
    return {
        "view": view,
        "told": filter_in_words(view, known, context.today),
        "problem": problem_of(view, context.today),
        "calendars": [each for each in await _calendars(context) if each.view_id == view.id],
        "webhooks": [each for each in await _webhooks(context) if each.view_id == view.id],
        "site": context.site,
        "list_of": LIST_OF,
    }


async def every(context: Context) -> list[SavedView]:
    """All of the organisation, by name. Raises `Forbidden`."""
    return await saved.list_views(context, ListViews(organization_id=context.caller.organization.id))


async def _calendars(context: Context) -> list[Calendar]:
    return await calendars.list_calendars(context, ListCalendars(organization_id=context.caller.organization.id))


async def _webhooks(context: Context) -> list[Webhook]:
    try:
        return await webhooks.list_webhooks(context, ListWebhooks(organization_id=context.caller.organization.id))
    except Forbidden:
        return []


async def _found(context: Context, id: str) -> SavedView:
    asked = GetView.parse({"organization_id": context.caller.organization.id, "view_id": id})
    return await saved.saved_view(context, asked)


async def _view(context: Context, id: str) -> ActedOn:
    view = await _found(context, id)
    values = {"name": view.name, "where": view.where, "ordering": view.ordering}
    return ActedOn(view.name, values, back=f"{PATH}/{id}")


async def _view_that_ends(context: Context, id: str) -> ActedOn:
    # Where it was there is nothing to go back to.
    return (await _view(context, id))._replace(back="")


async def _calendar(context: Context, id: str) -> ActedOn:
    found = next((each for each in await _calendars(context) if each.id == id), None)
    if found is None:
        raise NotFound("That calendar has ended already; go back to its view.")
    return (await _view(context, found.view_id))._replace(values={})


ACTS = {
    "edit": SettingsAct(
        saved.patch_view,
        _view,
        "view_id",
        (FormMember("name", "text", required=True), FormMember("where", "code"), FormMember("ordering", "text")),
    ),
    "calendar": SettingsAct(calendars.create_calendar, _view, "view_id", shows="url"),
    "end-calendar": SettingsAct(calendars.revoke_calendar, _calendar, "calendar_id", ends=True),
    "remove": SettingsAct(saved.remove_view, _view_that_ends, "view_id", ends=True),
}
