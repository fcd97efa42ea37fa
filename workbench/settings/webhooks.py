"""The webhooks, and what became of what was sent to them."""

from typing import Any

from starlette.requests import Request

from domain.errors import NotFound
from domain.vocabulary import ObjectKind
from domain.webhooks import ListDeliveries, ListWebhooks, Webhook
from resolvers import webhooks
from resolvers.operation import Context
from workbench.forms import FormMember
from workbench.settings import views
from workbench.settings.acts import ROOT, ActedOn, SettingsAct

PATH = f"{ROOT}/webhooks"
KINDS = (ObjectKind.PRODUCT, ObjectKind.CERTIFICATION_ASSIGNMENT, ObjectKind.CLAIM_ASSIGNMENT)


async def all_webhooks(context: Context, request: Request) -> dict[str, Any]:
    """The webhooks, with the names of their views. Raises `Forbidden`."""
    return {"webhooks": await every(context), "views": await _names(context)}


async def one(context: Context, request: Request) -> dict[str, Any]:
    """One webhook with its latest deliveries. Raises `NotFound` or `Forbidden`."""
    webhook = await _found(context, request.path_params["id"])
    asked = ListDeliveries.parse({"organization_id": webhook.organization_id, "webhook_id": webhook.id})
    return {
        "webhook": webhook,
        "views": await _names(context),
        "deliveries": await webhooks.list_deliveries(context, asked),
    }


async def every(context: Context) -> list[Webhook]:
    """All of the organisation. Raises `Forbidden`."""
    return await webhooks.list_webhooks(context, ListWebhooks(organization_id=context.caller.organization.id))


async def _names(context: Context) -> dict[str | None, str]:
    return {view.id: view.name for view in await views.every(context)}


async def _found(context: Context, id: str) -> Webhook:
    found = next((each for each in await every(context) if each.id == id), None)
    if found is None:
        raise NotFound("The organisation has no such webhook any more; go back to the list.")
    return found


async def _none(context: Context, _id: str) -> ActedOn:
    await every(context)
    return ActedOn(choices={"view_id": [(view.id, view.name) for view in await views.every(context)]})


async def _webhook(context: Context, id: str) -> ActedOn:
    of = await _found(context, id)
    values = {"url": of.url, "description": of.description, "types": " ".join(of.types)}
    return ActedOn(of.url, values, back=f"{PATH}/{id}")


async def _webhook_that_ends(context: Context, id: str) -> ActedOn:
    return (await _webhook(context, id))._replace(back="")


_URL, _TYPES = FormMember("url", "text", required=True), FormMember("types", "types", KINDS)
_DESCRIPTION = FormMember("description", "text")
_ID = "webhook_id"

ACTS = {
    "make": SettingsAct(
        webhooks.create_webhook,
        _none,
        fields=(_URL, _DESCRIPTION, FormMember("view_id", "view"), _TYPES),
        shows="secret",
    ),
    "edit": SettingsAct(webhooks.patch_webhook, _webhook, _ID, (_URL, _DESCRIPTION, _TYPES)),
    "pause": SettingsAct(webhooks.patch_webhook, _webhook, _ID, fixed={"is_enabled": False}),
    "go-on": SettingsAct(webhooks.patch_webhook, _webhook, _ID, fixed={"is_enabled": True}),
    "test": SettingsAct(webhooks.test_webhook, _webhook, _ID),
    "replay": SettingsAct(
        webhooks.replay_webhook, _webhook, _ID, (FormMember("since_moment", "moment"), FormMember("since", "cursor"))
    ),
    "secret": SettingsAct(webhooks.rotate_webhook_secret, _webhook, _ID, shows="secret"),
    "remove": SettingsAct(webhooks.remove_webhook, _webhook_that_ends, _ID, ends=True),
}
