"""Lists, statistics and single objects as they were known: what is answered of tables that a plain replay has filled.

Whatever is asked with `knownAt` is asked again without it, of tables that hold just what the replay of the log up to
that moment says.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Table, delete

from db import products as stored_products
from db.definitions import current
from db.sql import tables
from db.sql.types import Day, UtcDateTime
from tests.log import Told, log, replay
from tests.operations.faces import Face, GraphQL, Rest
from tests.operations.test_known import posted
from tests.world import (
    BODY,
    FAIR_TRADE,
    GTIN,
    NON_GMO,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    PRIVATE,
    USDA_ORGANIC,
    VEGAN,
    World,
)

ARCHIVED = "09520000000028"
UNTIL = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
DAYS = ("2025-12-31", "2026-11-23", "2026-12-31", "2027-06-30")
_HELD = """
  id isActive standing lapsesOn validFrom expirationDate certificateNumber verificationStatus certificateCountries
  metadata version updatedAt createdAt standingReason certification { label isPrivate } product { gtin name brand }
  acknowledgement { until reason }
"""
_MADE = "id isActive standing source expirationDate evidenceUrl metadata version claim { label } product { gtin }"
_PRODUCT = f"""
  gtin id name brand metadata archivedAt updatedAt version certifications {{ {_HELD} }} claims {{ {_MADE} }}
"""
_PAGE = "pageInfo { hasNextPage hasPreviousPage } totalCount"
QUERIES = {
    "product": f'product(gtin: "{GTIN}" IN_TIME) {{ {_PRODUCT} }}',
    "others": f'product(gtin: "{OTHERS_GTIN}" IN_TIME) {{ {_PRODUCT} }}',
    "products": f"products(first: 2, orderBy: {{field: UPDATED_AT, direction: DESC}} IN_TIME) {{"
    f" nodes {{ {_PRODUCT} }} {_PAGE} }}",
    "branded": f'products(where: {{brand: {{eq: "acme"}}}} IN_TIME) {{ nodes {{ gtin }} {_PAGE} }}',
    "noted": f'products(where: {{metadata: {{key: "a", eq: "1"}}}} IN_TIME) {{ nodes {{ gtin }} {_PAGE} }}',
    "found": f'products(where: {{search: "oat"}} IN_TIME) {{ nodes {{ gtin }} {_PAGE} }}',
    "archived": f"products(where: {{isArchived: true}} IN_TIME) {{ nodes {{ gtin archivedAt }} {_PAGE} }}",
    "having": "products(where: {certifications: {some: {verificationStatus: {eq: VERIFIED}}}}"
    f" IN_TIME) {{ nodes {{ gtin }} {_PAGE} }}",
    "claiming": f"products(where: {{claims: {{none: {{}}}}}} IN_TIME) {{ nodes {{ gtin }} {_PAGE} }}",
    "held": f"certificationAssignments(orderBy: {{field: LAPSES_ON}} IN_TIME) {{ nodes {{ {_HELD} }} {_PAGE} }}",
    "last": "certificationAssignments(last: 2, where: {mine: true} IN_TIME) {" + f" nodes {{ {_HELD} }} {_PAGE} }}",
    "standing": f"certificationAssignments(where: {{standing: {{in: [CURRENT, NOT_YET]}}}} IN_TIME)"
    f" {{ nodes {{ id standing }} {_PAGE} }}",
    "lapsed": f"certificationAssignments(where: {{standing: {{eq: LAPSED}}}} IN_TIME) {{ nodes {{ id }} {_PAGE} }}",
    "soon": f"certificationAssignments(where: {{lapsesWithin: {{days: 60}}}} IN_TIME) {{ nodes {{ id }} {_PAGE} }}",
    "abroad": 'certificationAssignments(where: {country: {in: ["DE", "US"]}} IN_TIME)'
    f" {{ nodes {{ id }} {_PAGE} }}",
    "at home": f'certificationAssignments(where: {{country: {{eq: "DE"}}}} IN_TIME) {{ nodes {{ id }} {_PAGE} }}',
    "taken": f"certificationAssignments(where: {{acknowledged: true}} IN_TIME) {{ nodes {{ id }} {_PAGE} }}",
    "lots": 'certificationAssignments(where: {metadata: {key: "a", eq: "1"}} IN_TIME)'
    f" {{ nodes {{ id }} {_PAGE} }}",
    "of brand": 'claimAssignments(where: {not: {claim: {code: {eq: "VEGAN"}}}} IN_TIME)'
    f" {{ nodes {{ {_MADE} }} {_PAGE} }}",
    "of body": f'certificationBody(id: "{BODY}") {{ assignments(first: 2 IN_TIME) {{ nodes {{ {_HELD} }} {_PAGE} }} }}',
    "of one": f'claim(id: "{NON_GMO}") {{ assignments(first: 2 IN_TIME) {{ nodes {{ {_MADE} }} {_PAGE} }} }}',
    "stats": "certificationAssignmentStats(groupBy: [STATUS, CERTIFICATION, COUNTRY], bucket: MONTH IN_TIME)"
    " { totalCount productCount groups { verificationStatus certification { label } country expiresFrom count } }",
    "brands": "certificationAssignmentStats(groupBy: [BRAND, ORGANIZATION] IN_TIME)"
    " { totalCount productCount groups { brand organizationId count productCount } }",
    "claimed": "claimAssignmentStats(where: {activeOn: $day}, groupBy: [CLAIM] IN_TIME)"
    " { totalCount groups { claim { label } count } }",
}


async def act(face: Face, dice: random.Random) -> None:
    """Some change or other, which may be refused."""
    gtin, key = dice.choice(((GTIN, "manager"), (GTIN, "manager"), (OTHERS_GTIN, "rival")))
    noted: dict[str, Any] = {"metadata": {dice.choice("ab"): dice.choice(("1", "2", ""))}}
    members: list[dict[str, Any]] = [
        {"expiration_date": dice.choice(DAYS)},
        {"certificate_countries": dice.choice((["DE"], ["US", "CA"], []))},
        {"verification_status": dice.choice(("verified", "verified", "pending"))},
        noted,
    ]
    said = {name: value for each in dice.sample(members, 3) for name, value in each.items()}
    held = (gtin, dice.choice((USDA_ORGANIC, FAIR_TRADE, PRIVATE, OTHERS_PRIVATE)), key)
    made = (gtin, dice.choice((NON_GMO, VEGAN)), key)
    match dice.randrange(14):
        case 0:
            await face.patch_product(gtin, key, brand=dice.choice(("Acme", "Ümit", "ACME")), **noted)
        case 1:
            await face.archive_product(gtin, key)
        case 2:
            await face.restore_product(gtin, key)
        case 3:
            await face.assign_claim(*made, **noted)
        case 4:
            await face.patch_claim(*made, expiration_date=dice.choice(DAYS))
        case 5:
            await face.remove_claim(*made)
        case 6:
            await face.remove_certification(*held)
        case 7:
            await face.patch_certification(*held, expiration_date="2026-12-31")
            await face.acknowledge("certification", *held, until=UNTIL, reason="It can")
        case 8:
            await face.create_product("09520000000011", key, product_name="Oats", brand="Acme")
        case 9:
            await face.restore_product(gtin, key)
            await face.assign_certification(*held, expiration_date=dice.choice(DAYS))
        case _:
            await face.assign_certification(*held, **said)
            await face.patch_certification(*held, **said)


async def begin(face: Face) -> None:
    """Changes by which each query has an answer that it would not have without them."""
    members = {"expiration_date": "2026-12-31", "verification_status": "verified", "certificate_countries": ["DE"]}
    for name, key in ((GTIN, "manager"), (OTHERS_GTIN, "rival")):
        outcomes = [
            await face.patch_product(name, key, brand="Acme", metadata={"a": "1"}),
            await face.assign_certification(name, FAIR_TRADE, key, **members, metadata={"a": "1"}),
            await face.acknowledge("certification", name, FAIR_TRADE, key, until=UNTIL, reason="It can wait"),
            await face.assign_certification(name, FAIR_TRADE, key, expiration_date="2025-12-31"),
            await face.assign_claim(name, NON_GMO, key),
        ]
        assert [outcome.ok for outcome in outcomes] == [True, True, True, False, True]
    assert (await face.patch_certification(GTIN, USDA_ORGANIC, expiration_date="2025-12-31")).ok
    assert (await face.create_product(ARCHIVED)).ok
    assert (await face.archive_product(ARCHIVED)).ok


async def answers(world: World, key: str, at: datetime | None, day: date) -> Mapping[str, Any]:
    """The answer to each query; without a moment of the tables as they are."""
    found = {}
    for name, query in QUERIES.items():
        given = "asOf: $day" + (", knownAt: $at" if at is not None else "")
        text = query.replace(" IN_TIME", f", {given}")
        declared = "($day: Date, $at: DateTime)" if at is not None else "($day: Date)"
        variables = {"day": day.isoformat()} | ({} if at is None else {"at": at.isoformat()})
        found[name] = await posted(world, f"query {declared} {{ {text} }}", key, **variables)
        assert "errors" not in found[name], found[name]
    return found


_TABLES = {
    "product": tables.products,
    "certification_assignment": tables.certification_assignments,
    "claim_assignment": tables.claim_assignments,
}


def typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the log with the values that the table takes."""
    read = {Day: date.fromisoformat, UtcDateTime: datetime.fromisoformat}
    made = {name: read.get(type(table.c[name].type)) for name in row}
    return {name: value if value is None or (of := made[name]) is None else of(value) for name, value in row.items()}


async def fill(world: World, rows: Sequence[Told], until: datetime) -> None:
    """Has the tables hold what the replay says."""
    there = replay(list(rows), until)
    async with world.database.write() as transaction:
        for table in (*tables.ACKNOWLEDGED.values(), *reversed(_TABLES.values())):
            await transaction.execute(delete(table))
        for kind, table in _TABLES.items():
            for row in there[kind].values():
                await transaction.insert(table, typed(table, row))
        await stored_products.mark(transaction, [row["gtin"] for row in there["product"].values()])
        for id, said in there["acknowledgement"].items():
            for kind, of in (("certification", "certifications"), ("claim", "claims")):
                named = there[f"{kind}_assignment"].get(id)
                if named is not None:
                    table, own = tables.ACKNOWLEDGED[of], {f"{kind}_id": named[f"{kind}_id"]}
                    await transaction.insert(table, {**typed(table, said), **own})


@pytest.mark.parametrize("seed", range(2))
async def test_what_was_known_is_what_is_answered_of_replayed_tables(world: World, seed: int) -> None:
    await current(world.database)
    dice = random.Random(seed)
    faces = (Rest(world), GraphQL(world))
    await begin(dice.choice(faces))
    begun = max(row.at for row in await log(world))
    for _ in range(40):
        await act(dice.choice(faces), dice)
    rows = await log(world)
    moments = sorted({row.at for row in rows if row.at >= begun})
    assert len(moments) > 15
    chosen = [begun - timedelta(days=9), begun, *dice.sample(moments, 3), moments[-1] + timedelta(microseconds=1)]
    days = [at.date() for at in chosen[:2]] + [date.fromisoformat(dice.choice(DAYS)) for _ in chosen[2:]]
    asked = [
        (key, at, day, await answers(world, key, at, day))
        for at, day in zip(chosen, days, strict=True)
        for key in ("manager", "rival")
    ]
    for key, at, day, found in asked:
        await fill(world, rows, at)
        wanted = await answers(world, key, None, day)
        for name in QUERIES:
            assert found[name] == wanted[name], (name, key, at)
    # What never differs would prove nothing.
    same = [name for name in QUERIES if len({msgspec.json.encode(found[name]) for _, _, _, found in asked}) == 1]
    assert same == []
