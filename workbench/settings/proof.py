"""Whether anybody is shown what the products of the organisation hold."""

from typing import Any

from starlette.requests import Request

from domain.filter_input import parse_where
from domain.paging import Window
from domain.public_proof import GetPublicProof
from domain.vocabulary import ViewKind
from resolvers import public_proof
from resolvers.listed import LISTS
from resolvers.operation import Context
from workbench.settings.acts import ActedOn, SettingsAct


async def proof(context: Context, request: Request) -> dict[str, Any]:
    """Whether it is, and a product whose page shows how. Raises `Forbidden`."""
    of = LISTS[ViewKind.PRODUCTS]
    where = parse_where(of.of.fields, {"mine": True}, context.today)
    own = await of.page(context, where, of.of.orders.usual, Window(1))
    return {"is_shown": await is_shown(context), "example": own.items[0] if own.items else None, "site": context.site}


async def is_shown(context: Context) -> bool:
    """Whether it is. Raises `Forbidden`."""
    asked = GetPublicProof.parse({"organization_id": context.caller.organization.id})
    return (await public_proof.get_public_proof(context, asked)).is_enabled


async def _organization(context: Context, _id: str) -> ActedOn:
    return ActedOn(context.caller.organization.name)


ACTS = {
    "show": SettingsAct(public_proof.set_public_proof, _organization, fixed={"is_enabled": True}),
    "hide": SettingsAct(public_proof.set_public_proof, _organization, fixed={"is_enabled": False}),
}
