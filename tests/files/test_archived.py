"""Archived products and files: exports leave them out, rows about them are refused, and what was archived stays so."""

from typing import Any

import pytest

from db.sql import tables
from db.sql.types import among
from domain.commands import ArchiveProduct, RestoreProduct
from domain.filter_input import read_where
from domain.vocabulary import FileFormat
from files.export import export
from resolvers.listed import LISTS
from resolvers.operation import Context
from resolvers.products import archive_product, restore_product
from tests.files.importing import RICE, RYE, caller, put
from tests.world import GTIN, World

SHEET = f"gtin,name,brand,certifications,claims\n{RICE},Rice,Acme,USDA_ORGANIC,VEGAN\n{RYE},Rye,Acme,,VEGAN\n"
LIVE = '{"mine": true}'
ARCHIVED = '{"mine": true, "isArchived": true}'
CHANGING = (tables.products, tables.certification_assignments, tables.claim_assignments)


async def archive(world: World, gtin: str) -> None:
    await archive_product(Context(world.database, caller(world)), ArchiveProduct.parse({"gtin": gtin}))


async def exported(world: World, where: str = LIVE, form: FileFormat = FileFormat.JSON_LINES) -> dict[str, bytes]:
    context = Context(world.database, caller(world))
    return {
        name: b"".join(
            [part async for part in export(context, of, read_where(of.of.fields, where, context.today), form)]
        )
        for name, of in LISTS.items()
    }


async def everything(world: World) -> list[Any]:
    return [await world.rows(table) for table in CHANGING]


@pytest.mark.parametrize("form", [FileFormat.CSV, FileFormat.JSON_LINES, FileFormat.JSON_LD])
async def test_exports_have_what_is_archived_only_where_it_is_asked_for(world: World, form: FileFormat) -> None:
    await put(world, SHEET)
    before = await exported(world, form=form)
    await archive(world, RICE)
    found, archived = await exported(world, form=form), await exported(world, ARCHIVED, form)
    for name in LISTS:
        assert RICE.encode() in before[name]
        assert RICE.encode() not in found[name]
        assert RICE.encode() in archived[name]
        assert RYE.encode() not in archived[name]


async def test_rows_that_would_change_what_is_archived_are_refused(world: World) -> None:
    await put(world, SHEET)
    await archive(world, RICE)
    before = await everything(world)
    rows = [
        f"gtin,name\n{RICE},Another name\n",
        f"gtin,claims\n{RICE},NON_GMO\n",
        f"gtin,certification,scope\n{RICE},USDA_ORGANIC,All of it\n",
    ]
    for row in rows:
        totals, heard = await put(world, row)
        assert totals.rows == {"refused": 1}
        assert f"The product {RICE} is archived" in heard.refusals[2]
        assert heard.refusals[2].endswith("restore it first.")
        assert totals.refusals == {'column "gtin": the product is archived (archived)': 1}
    assert await everything(world) == before
    # What says the same as is there changes nothing, and is no reason to refuse anything.
    totals, _ = await put(world, SHEET)
    assert totals.rows == {"left": 2}
    assert await everything(world) == before
    await restore_product(Context(world.database, caller(world)), RestoreProduct.parse({"gtin": RICE}))
    for row in rows:
        assert (await put(world, row))[0].rows["refused"] == 0


async def test_what_was_archived_elsewhere_is_archived_here_with_all_that_it_has(world: World) -> None:
    await put(world, SHEET)
    await archive(world, RICE)
    first = [await exported(world), await exported(world, ARCHIVED)]
    async with world.database.write() as transaction:
        for table in reversed(CHANGING):
            await transaction.execute(table.delete().where(among(table.c.gtin, "gtins")), {"gtins": [RICE, RYE, GTIN]})
    files = [each[name] for name in LISTS for each in first]
    for dry_run in (True, False):
        _, heard = await put(world, *files, dry_run=dry_run)
        assert heard.refusals == {}
    assert [await exported(world), await exported(world, ARCHIVED)] == first
    # What an export has of claims alone says nothing of their product, which is archived.
    async with world.database.write() as transaction:
        await transaction.execute(tables.claim_assignments.delete())
    totals, heard = await put(world, first[1]["claims"])
    assert totals.rows == {"refused": 1}
    assert "is archived" in heard.refusals[1]
