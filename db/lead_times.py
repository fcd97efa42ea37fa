"""How early organisations want to hear that something lapses, as far as that is not as usual."""

from sqlalchemy import bindparam, delete, select

from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import lead_times
from domain.lead_times import LeadTimes
from domain.short_id import ShortId

_OTHERS = ""
"""What stands for the certification where the lead times are those of all others."""

OF_ORGANIZATION = Read(
    select(lead_times.c.organization_id, lead_times.c.certification_id, lead_times.c.days)
    .where(lead_times.c.organization_id == bindparam("organization_id"))
    .order_by(lead_times.c.certification_id),
    lambda row: LeadTimes(row[0], None if row[1] == _OTHERS else row[1], row[2]),
)
EVERY = Read(
    select(lead_times.c.organization_id, lead_times.c.certification_id, lead_times.c.days),
    OF_ORGANIZATION.build,
    scans=True,
)
_REMOVE = delete(lead_times).where(
    lead_times.c.organization_id == bindparam("owner"), lead_times.c.certification_id == bindparam("of")
)


async def of_organization(source: Database | Transaction, organization_id: ShortId) -> list[LeadTimes]:
    """Those of an organisation, first those of all that have no others, if they are not as usual."""
    return await source.fetch(OF_ORGANIZATION, organization_id=organization_id)


async def every(source: Database | Transaction) -> dict[ShortId, dict[ShortId | None, list[int]]]:
    """Those of all organisations, by certification, None for all that have no others."""
    found: dict[ShortId, dict[ShortId | None, list[int]]] = {}
    for each in await source.fetch(EVERY):
        found.setdefault(each.organization_id, {})[each.certification_id] = each.days
    return found


async def put(
    transaction: Transaction, organization_id: ShortId, certification_id: ShortId | None, days: list[int] | None
) -> None:
    """Stores lead times in the place of those that were there; None for as usual."""
    of = _OTHERS if certification_id is None else certification_id
    await transaction.execute(_REMOVE, {"owner": organization_id, "of": of})
    if days is not None:
        row = {"organization_id": organization_id, "certification_id": of, "days": days}
        await transaction.insert(lead_times, row)
