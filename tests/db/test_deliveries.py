"""How far webhooks have come: what is to be sent is found by an index, whoever changed most of what is in the log."""

from db import deliveries
from db.sql.tables import sealed
from tests.world import NOON, World


async def test_what_an_organisation_changed_last_is_not_looked_for_among_what_others_did(world: World) -> None:
    rows = ({"position": at, "seq": at, "organization_id": "others", "hash": ""} for at in range(10**6, 10**6 + 3_000))
    async with world.database.write() as transaction:
        await transaction.insert_in_parts(sealed, rows)
        await transaction.count_anew([sealed])
    statement = deliveries.DUE.compiled(world.database.dialect).statement
    plan = await world.database.plan(statement, {"now": NOON})
    assert any("ix_sealed_organization" in line for line in plan), plan
    assert not any(way in line for line in plan for way in ("pk_sealed", "Seq Scan on sealed", "SCAN sealed")), plan
