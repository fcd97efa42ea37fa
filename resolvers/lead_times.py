"""How early an organisation wants to hear that something lapses: its members see it, editors and managers say it."""

from db import lead_times
from db.engine.database import Transaction
from domain.access import require_membership
from domain.changes import Change
from domain.lead_times import USUAL, LeadTimes, ListLeadTimes, SetLeadTimes
from domain.short_id import ShortId
from resolvers.certifications import KIND
from resolvers.operation import Context, read_operation, write_operation


@read_operation
async def list_lead_times(context: Context, command: ListLeadTimes) -> list[LeadTimes]:
    """Those of all that have no others, and of the certifications that have. Raises `NotFound` or `Forbidden`."""
    require_membership(context.caller, command.organization_id)
    found = await lead_times.of_organization(context.database, command.organization_id)
    return found if found and found[0].certification_id is None else [_usual(command.organization_id), *found]


@write_operation
async def set_lead_times(
    context: Context, transaction: Transaction, command: SetLeadTimes
) -> Change[LeadTimes, LeadTimes]:
    """Says how early. Raises `NotFound` or `Forbidden`."""
    owner = command.organization_id
    require_membership(context.caller, owner, writes=True)
    of: ShortId | None = None
    if command.for_certification is not None:
        of = await KIND.id_of(transaction, command.for_certification, [owner])
        if await KIND.stored.find(transaction, of, [owner]) is None:
            raise KIND.unknown(of)
    await transaction.serialize(f"lead times of {owner}")
    before = {each.certification_id: each for each in await lead_times.of_organization(transaction, owner)}
    await lead_times.put(transaction, owner, of, command.days)
    others = before.get(None, _usual(owner)).days if of is not None else USUAL
    after = LeadTimes(owner, of, others if command.days is None else command.days)
    return Change(before.get(of, LeadTimes(owner, of, others)), after)


def _usual(owner: ShortId) -> LeadTimes:
    return LeadTimes(owner, None, USUAL)
