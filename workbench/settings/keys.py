"""The API keys of the organisation."""

from datetime import timedelta
from typing import Any

from starlette.requests import Request

from domain.account import ApiKey, ListApiKeys
from domain.errors import NotFound
from domain.vocabulary import KeyKind
from resolvers import account
from resolvers.operation import Context
from workbench.forms import FormMember
from workbench.settings.acts import ActedOn, SettingsAct
from workbench.settings.people import ROLES

SOON = timedelta(days=14)
"""A key that ends within it is pointed out."""
UNUSED = timedelta(days=90)
"""So is one that nobody has used for so long."""


async def keys(context: Context, request: Request) -> dict[str, Any]:
    """The keys. Raises `Forbidden`."""
    return {
        "keys": await every(context),
        "now": context.now,
        "soon": context.now + SOON,
        "unused": context.now - UNUSED,
        "own": context.caller.key_id,
    }


async def every(context: Context) -> list[ApiKey]:
    """All of the organisation. Raises `Forbidden`."""
    return await account.list_api_keys(context, ListApiKeys(organization_id=context.caller.organization.id))


async def _none(context: Context, _id: str) -> ActedOn:
    await every(context)
    # Nobody makes a key that acts as somebody else, nor one for all organisations by a link into one of them.
    stands_for_user = context.caller.user_id is not None and context.caller.key_id is not None
    kinds = [KeyKind.BUSINESS, KeyKind.PUBLISHABLE, *([KeyKind.USER] if stands_for_user else [])]
    values = {"kind": KeyKind.BUSINESS.value, "role": ROLES[0]}
    return ActedOn(values=values, choices={"kind": [(each.value, "") for each in kinds]})


async def _key(context: Context, id: str) -> ActedOn:
    found = next((each for each in await every(context) if each.id == id), None)
    if found is None:
        raise NotFound("The organisation has no such key any more; go back to the list.")
    return ActedOn(found.name, {"name": found.name, "description": found.description})


_NAME, _DESCRIPTION = FormMember("name", "text", required=True), FormMember("description", "text")

ACTS = {
    "make": SettingsAct(
        account.create_api_key,
        _none,
        fields=(
            _NAME,
            FormMember("kind", "choice", required=True),
            FormMember("role", "choice", ROLES, required=True),
            FormMember("expires_at", "moment"),
            _DESCRIPTION,
        ),
        shows="secret",
    ),
    "edit": SettingsAct(account.patch_api_key, _key, "key_id", (_NAME, _DESCRIPTION)),
    "revoke": SettingsAct(account.revoke_api_key, _key, "key_id", ends=True),
}
