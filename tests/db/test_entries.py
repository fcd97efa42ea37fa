"""What is inside JSON columns, in tables of its own: triggers keep them, whoever writes."""

from typing import Any

from db.sql import tables
from tests.world import FAIR_TRADE, GTIN, NON_GMO, USDA_ORGANIC, World

ENTRIES = [
    (tables.products, "metadata", tables.product_metadata, ["gtin"]),
    (
        tables.certification_assignments,
        "metadata",
        tables.certification_assignment_metadata,
        ["gtin", "certification_id"],
    ),
    (
        tables.certification_assignments,
        "certificate_countries",
        tables.certification_assignment_countries,
        ["gtin", "certification_id"],
    ),
    (tables.claim_assignments, "metadata", tables.claim_assignment_metadata, ["gtin", "claim_id"]),
]


async def rows(world: World, table: Any) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns if column.computed is None]
    return [dict(zip(names, row, strict=True)) for row in await world.rows(table)]


async def check(world: World, *sizes: int) -> None:
    """The entries are those of the rows, and so many."""
    for (table, column, entries, key), size in zip(ENTRIES, sizes, strict=True):
        expected = []
        for row in await rows(world, table):
            own = [row[name] for name in key]
            held = row[column]
            expected += [(*pair, *own) for pair in held.items()] if isinstance(held, dict) else []
            expected += [(item, *own) for item in dict.fromkeys(held)] if isinstance(held, list) else []
        assert sorted(await world.rows(entries)) == sorted(expected), entries.name
        assert len(expected) == size, entries.name


async def change(world: World, table: Any, **values: Any) -> None:
    async with world.database.write() as transaction:
        assert await transaction.execute(table.update().where(table.c.gtin == GTIN), values) >= 1


async def test_entries_are_those_of_the_rows(world: World) -> None:
    await check(world, 0, 1, 0, 0)
    await world.add_certification(GTIN, FAIR_TRADE, metadata={"a": "b", "": "c"}, certificate_countries=["US", "DE"])
    async with world.database.write() as transaction:
        claimed = {"gtin": GTIN, "claim_id": NON_GMO, "id": USDA_ORGANIC, "metadata": {"k": "v"}, "version": 1}
        moment = (await rows(world, tables.products))[0]["created_at"]
        claimed |= {"source": "BRAND_SELF_DECLARED", "evidence_url": "", "evidence_note": ""}
        await transaction.insert(tables.claim_assignments, {**claimed, "created_at": moment, "updated_at": moment})
    await check(world, 0, 3, 2, 1)

    await change(world, tables.products, metadata={"sku": "1", "Größe": "é'\"\n"})
    await change(world, tables.certification_assignments, certificate_countries=["FR", "FR"], version=2)
    await check(world, 2, 3, 2, 1)
    await change(world, tables.products, metadata={"sku": "2"}, name="Other")
    await change(world, tables.certification_assignments, metadata={"a": "c"}, certificate_countries=[])
    await change(world, tables.claim_assignments, metadata={})
    await check(world, 1, 2, 0, 0)
    await change(world, tables.claim_assignments, metadata={"k": "w"})
    await change(world, tables.certification_assignments, version=3)
    await check(world, 1, 2, 0, 1)

    async with world.database.write() as transaction:
        await transaction.execute(
            tables.certification_assignments.delete().where(
                tables.certification_assignments.c.certification_id == FAIR_TRADE
            )
        )
    await check(world, 1, 1, 0, 1)
    async with world.database.write() as transaction:
        # Its assignments go with it.
        await transaction.execute(tables.products.delete().where(tables.products.c.gtin == GTIN))
    await check(world, 0, 0, 0, 0)
