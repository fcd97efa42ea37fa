"""What was known of a product is found by the indexes of the log, on both databases."""

from datetime import timedelta

from db import products
from db.acknowledgements import certifications as taken_on
from db.assignments import certifications, claims
from db.engine.known import KnownDatabase, known, rewritten
from db.sql import tables
from db.sql.tables import changes
from domain.vocabulary import ObjectKind
from tests.world import NOON, World, told


async def test_what_is_asked_by_gtin_is_found_by_index(world: World) -> None:
    gtins = [f"{number:014d}" for number in range(1000, 3000)]
    async with world.database.write() as transaction:
        kinds = (tables.products, tables.certification_assignments, tables.claim_assignments)
        rows = [
            told({"id": f"{gtin}{number}", "gtin": gtin}, table) for gtin in gtins for number, table in enumerate(kinds)
        ]
        rows += [row | {"kind": ObjectKind.ACKNOWLEDGEMENT.value} for row in rows[::3]]
        await transaction.insert_in_parts(changes, rows)
        await transaction.count_anew([changes])
    then = known(world.database, NOON + timedelta(hours=1))
    assert isinstance(then, KnownDatabase)
    for read in (products.BY_GTIN, certifications.by_product, claims.by_product, taken_on._by_product):
        for keys in (gtins[:1], gtins[:3]):
            asked, values = read.of(keys)
            statement = rewritten(asked, next(iter(values))).compiled(then.dialect).statement
            plan = await then.plan(statement, values)
            assert any("ix_changes_object" in line for line in plan)
            # Of each object the last version alone: not each of its versions, for which another one is looked for.
            for way in ("Seq Scan on changes", "SCAN changes", "Anti Join", "Sort"):
                assert not any(way in line for line in plan), plan
            assert "EXISTS" not in statement.sql
            # Where nothing has to be waited for, it is not either.
            at_once = then.at_once(read, {"keys": keys})
            assert at_once == (None if then.waits else await then.read(read, list, keys=keys))
