"""What is to be sent to a webhook: the changes of its organisation that it asks for, in the order of the feed."""

from collections.abc import Sequence

from db import accounts
from db.engine.database import Database
from db.feed import Placed
from domain.access import Caller
from domain.filters import every, one_of
from domain.history import PastChange
from domain.paging import Window
from domain.records import Organization
from domain.short_id import ShortId
from domain.views import SavedView, conditions_of
from domain.vocabulary import ObjectKind, Role, ViewKind
from domain.webhooks import Webhook
from resolvers.listed import LISTS
from resolvers.operation import Context, read_operation
from resolvers.views import view_if_any

PAGE = 100
"""How many records of a view are read at once."""

KINDS = {
    ViewKind.CERTIFICATIONS: ObjectKind.CERTIFICATION_ASSIGNMENT,
    ViewKind.CLAIMS: ObjectKind.CLAIM_ASSIGNMENT,
}
"""What views show of what products have."""

TAKEN_AWAY = ("removeCertification", "removeClaim", "archiveProduct")
"""What is in no view any more."""


def reader_of(webhook: Webhook, organization: Organization) -> Caller:
    """Who reads for a webhook: nobody in particular, who sees what the organisation does and changes nothing."""
    return Caller(None, None, Role.READONLY, organization, holder=f"webhook:{webhook.id}")


@read_operation
async def wanted(context: Context, webhook: Webhook, found: Sequence[Placed]) -> list[Placed]:
    """Those that a webhook asks for. Raises `InvalidInput` where its view does not parse any more."""
    asked = [placed for placed in found if webhook.takes(placed[1].kind, placed[1].operation)]
    view = None if webhook.view_id is None or not asked else await view_if_any(context, webhook.view_id)
    if view is None:
        return asked
    shown = await _shown(context, view, sorted({change.gtin for _, change in asked if change.gtin}))
    return [placed for placed in asked if _is_of(view, placed[1], shown)]


def _is_of(view: SavedView, change: PastChange, shown: set[str]) -> bool:
    if view.kind is ViewKind.PRODUCTS:
        return change.gtin in shown or change.operation in TAKEN_AWAY
    return change.kind is KINDS[view.kind] and (change.object_id in shown or change.operation in TAKEN_AWAY)


async def _shown(context: Context, view: SavedView, gtins: list[str]) -> set[str]:
    """What a view shows of these products: their GTINs, or the ids of what they have."""
    where = every([conditions_of(view, context.today), one_of("gtin", gtins)])
    listed, order = LISTS[view.kind], view.of.orders.usual
    shown: set[str] = set()
    window = Window(PAGE)
    while True:
        page = await listed.page(context, where, order, window)
        shown |= {each.gtin if view.kind is ViewKind.PRODUCTS else each.id for each in page.items}
        if not page.more:
            return shown
        window = window._replace(position=order.key(page.items[-1]))


async def managers_of(database: Database, organization_id: ShortId) -> list[str]:
    """The addresses of those who manage an organisation."""
    members = await accounts.members_of(database, organization_id)
    return [member.email for member in members if member.role is Role.MANAGER]
