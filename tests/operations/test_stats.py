"""Counts of assignments, compared with counting in plain Python, on both databases."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import delete

from db.sql import tables
from domain.countries import ALPHA2
from domain.short_id import ShortId, catalogue_id, new_short_id
from domain.validity import is_active
from schema.stats import WEIGHT
from tests.operations.faces import GraphQL
from tests.operations.test_statements import statements
from tests.world import (
    BODY,
    FAIR_TRADE,
    NON_GMO,
    NOON,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    PRIVATE,
    USDA_ORGANIC,
    VEGAN,
    World,
)

Row = dict[str, Any]
Group = tuple[Any, ...]
Counts = tuple[int, int]
"""How many assignments there are, and how many products have them."""

GLOBAL = {USDA_ORGANIC, FAIR_TRADE}
SEEN = {"readonly": {*GLOBAL, PRIVATE}, "rival": {*GLOBAL, OTHERS_PRIVATE}, "publishable": GLOBAL}
BODIES = {USDA_ORGANIC: BODY}
CATEGORIES = {NON_GMO: "INGREDIENT_ABSENCE", VEGAN: "DIETARY"}

FIRST_MONTHS = {"MONTH": range(1, 13), "QUARTER": (1, 4, 7, 10), "YEAR": (1,)}


def period(bucket: str | None, day: date | None) -> tuple[str | None, str | None]:
    """First and last day of the period in which a day lies, found by walking through the days."""
    if bucket is None or day is None:
        return None, None
    first = day
    while first.day != 1 or first.month not in FIRST_MONTHS[bucket]:
        first -= timedelta(days=1)
    last = day
    while last < date.max and (
        (last + timedelta(days=1)).day != 1 or (last + timedelta(days=1)).month not in FIRST_MONTHS[bucket]
    ):
        last += timedelta(days=1)
    return first.isoformat(), last.isoformat()


def lapse(row: Row) -> date | None:
    """The earlier of the ends that are recorded."""
    ends = [row["expiration_date"], row.get("expiry_date")]
    return min((day for day in ends if day is not None), default=None)


def counted(
    rows: Iterable[Row], keys: dict[str, Callable[[Row], list[Any]]], by: Iterable[str], bucket: str | None
) -> list[tuple[Group, Counts]]:
    """The groups as they should be: the values of each key, null where not grouped by, the period, and how many."""
    groups: dict[Group, list[str]] = defaultdict(list)
    for row in rows:
        combined: list[Group] = [()]
        for name, values in keys.items():
            combined = [(*group, value) for group in combined for value in (values(row) if name in by else [None])]
        for group in combined:
            groups[*group, *period(bucket, lapse(row))].append(row["gtin"])

    def order(entry: tuple[Group, Counts]) -> Any:
        (*values, first, _), (size, _) = entry
        return (first is None, first or "", -size, [(value is None, value or "") for value in values])

    return sorted(((group, (len(gtins), len({*gtins}))) for group, gtins in groups.items()), key=order)


def owner_of(gtin: str) -> ShortId:
    return catalogue_id("organization", "rival" if gtin == OTHERS_GTIN else "brand")


def brand_of(gtin: str) -> str:
    return "Acme" if gtin == OTHERS_GTIN else ["Acme", "Bräu", ""][int(gtin) % 3]


CERTIFICATIONS: dict[str, Callable[[Row], list[Any]]] = {
    "STATUS": lambda row: [row["verification_status"].upper()],
    "BODY": lambda row: [BODIES.get(row["certification_id"])],
    "CERTIFICATION": lambda row: [row["certification_id"]],
    "COUNTRY": lambda row: row["certificate_countries"] or [None],
    "ISSUING_BODY": lambda row: [row["issuing_body"]],
    "ORGANIZATION": lambda row: [owner_of(row["gtin"])],
    "BRAND": lambda row: [brand_of(row["gtin"])],
}
CLAIMS: dict[str, Callable[[Row], list[Any]]] = {
    "SOURCE": lambda row: [row["source"]],
    "CATEGORY": lambda row: [CATEGORIES[row["claim_id"]]],
    "CLAIM": lambda row: [row["claim_id"]],
    "ORGANIZATION": lambda row: [owner_of(row["gtin"])],
    "BRAND": lambda row: [brand_of(row["gtin"])],
}
KINDS = {"certification": CERTIFICATIONS, "claim": CLAIMS}

GROUPINGS = [
    (kind, by, bucket)
    for kind, keys in KINDS.items()
    for size in (0, 1, 2, len(keys))
    for by in combinations(keys, size)
    for bucket in (None, *FIRST_MONTHS)
]

QUERIES = {
    "certification": """query (
      $where: CertificationAssignmentWhere, $by: [CertificationGrouping!], $bucket: ExpiryBucket) {
      stats: certificationAssignmentStats(where: $where, groupBy: $by, bucket: $bucket) {
        totalCount productCount truncated
        groups { verificationStatus body { id } certification { id } country issuingBody organizationId brand
          expiresFrom expiresTo count productCount } } }""",
    "claim": """query ($where: ClaimAssignmentWhere, $by: [ClaimGrouping!], $bucket: ExpiryBucket) {
      stats: claimAssignmentStats(where: $where, groupBy: $by, bucket: $bucket) {
        totalCount productCount truncated
        groups { source category claim { id } organizationId brand expiresFrom expiresTo count productCount } } }""",
}


COMMON: Row = {"created_at": NOON, "updated_at": NOON, "version": 1}
CERTIFIED: Row = {
    **COMMON,
    "certificate_number": "",
    "issuing_body": "",
    "verification_url": "",
    "scope": "",
    "certification_value": "",
}
CLAIMED: Row = {**COMMON, "evidence_url": "", "evidence_note": "", "metadata": {}}


def made() -> dict[str, list[Row]]:
    """Some dozen assignments of each kind, what is counted of them."""
    choose = random.Random(20_261_122)
    gtins = [OTHERS_GTIN, *(f"{number:014d}" for number in range(7, 32))]
    days = [None, *(NOON.date() + timedelta(days=31 * step) for step in range(-9, 18)), date(2024, 2, 29)]
    days += [date.min, date(1, 5, 31), date.max, date.max, date(9999, 10, 1), date(9999, 12, 1)]
    certified = [
        {
            "gtin": gtin,
            "certification_id": certification,
            "expiration_date": choose.choice(days),
            "expiry_date": choose.choice([None, *days]),
            "valid_from": choose.choice([None, NOON.date(), date(2027, 1, 1)]),
            "verification_status": choose.choice(["unverified", "verified", "expired"]),
            "issuing_body": ["", "Ecocert", "ecocert"][int(gtin) % 3],
            "certificate_countries": choose.sample(["US", "CA", "DE", "JP"], choose.choice([0, 1, 1, 3])),
            "metadata": {"lot": choose.choice("ab")},
        }
        for certification in (USDA_ORGANIC, FAIR_TRADE, PRIVATE, OTHERS_PRIVATE)
        for gtin in gtins
        if choose.random() < 0.8
    ]
    claimed = [
        {
            "gtin": gtin,
            "claim_id": claim,
            "expiration_date": choose.choice(days),
            "valid_from": None,
            "source": choose.choice(["BRAND_SELF_DECLARED", "THIRD_PARTY_VERIFIED"]),
        }
        for claim in (NON_GMO, VEGAN)
        for gtin in gtins
        if choose.random() < 0.8
    ]
    return {"certification": certified, "claim": claimed}


async def store(world: World, rows: dict[str, list[Row]]) -> None:
    """Puts them on products that are made where they are missing."""
    present = {row[0] for row in await world.rows(tables.products)}
    for gtin in sorted({row["gtin"] for kind in rows.values() for row in kind} - present):
        await world.add_product(gtin, owner_of(gtin), brand=brand_of(gtin))
    async with world.database.write() as transaction:
        for row in rows.get("certification", ()):
            values = {**CERTIFIED, **row, "id": new_short_id(NOON)}
            await transaction.insert(tables.certification_assignments, values)
        for row in rows.get("claim", ()):
            await transaction.insert(tables.claim_assignments, {**CLAIMED, **row, "id": new_short_id(NOON)})


@pytest.fixture
async def stock(world: World) -> dict[str, list[Row]]:
    """Those assignments, and no others."""
    async with world.database.write() as transaction:
        for table in (tables.certification_assignments, tables.claim_assignments):
            await transaction.execute(delete(table))
    rows = made()
    await store(world, rows)
    return rows


async def stats(world: World, kind: str, key: str = "readonly", **variables: Any) -> Any:
    body = await GraphQL(world).run(QUERIES[kind], key, variables)
    assert "errors" not in body, body
    return body["data"]["stats"]


def groups(answer: Any) -> list[tuple[Group, Counts]]:
    """The groups of an answer, definitions by their ids."""
    found = []
    for group in answer["groups"]:
        size = group.pop("count"), group.pop("productCount")
        found.append((tuple(value["id"] if isinstance(value, dict) else value for value in group.values()), size))
    return found


def visible(rows: list[Row], key: str = "readonly") -> list[Row]:
    return [row for row in rows if row.get("certification_id", NON_GMO) in {*SEEN[key], NON_GMO}]


async def test_every_grouping_counts_as_python_does(world: World, stock: dict[str, list[Row]]) -> None:
    for kind, by, bucket in GROUPINGS:
        rows = visible(stock[kind])
        answer = await stats(world, kind, by=by, bucket=bucket)
        assert groups(answer) == counted(rows, KINDS[kind], by, bucket), (kind, by, bucket)
        assert (answer["totalCount"], answer["truncated"]) == (len(rows), False)
        assert answer["productCount"] == len({row["gtin"] for row in rows}) < len(rows)


@pytest.mark.parametrize("key", SEEN)
async def test_what_the_caller_may_not_see_is_not_counted(world: World, stock: dict[str, list[Row]], key: str) -> None:
    rows = visible(stock["certification"], key)
    for by in ([], ["CERTIFICATION"], ["BODY", "COUNTRY"]):
        answer = await stats(world, "certification", key, by=by, bucket="YEAR")
        assert groups(answer) == counted(rows, CERTIFICATIONS, by, "YEAR")
        assert answer["totalCount"] == len(rows)


TODAY = datetime.now(UTC).date()
SOON = TODAY + timedelta(days=60)
FILTERS: list[tuple[str, Row, Callable[[Row], bool]]] = [
    ("certification", {"country": {"eq": "DE"}}, lambda row: "DE" in row["certificate_countries"]),
    ("certification", {"body": {"id": {"eq": BODY}}}, lambda row: row["certification_id"] == USDA_ORGANIC),
    (
        "certification",
        {"activeOn": "2027-01-01"},
        lambda row: is_active(row["valid_from"], row["expiration_date"], date(2027, 1, 1)),
    ),
    (
        "certification",
        {"expiringWithin": {"days": 60}, "not": {"verificationStatus": {"eq": "VERIFIED"}}},
        lambda row: TODAY <= (lapse(row) or date.max) <= SOON and row["verification_status"] != "verified",
    ),
    ("certification", {"standing": {"in": ["LAPSED"]}}, lambda row: (lapse(row) or date.max) < TODAY),
    ("claim", {"lapsesWithin": {"days": 60}}, lambda row: TODAY <= (lapse(row) or date.max) <= SOON),
    ("certification", {"metadata": {"key": "lot", "eq": "a"}}, lambda row: row["metadata"] == {"lot": "a"}),
    ("certification", {"gtin": {"in": []}}, lambda _: False),
    ("certification", {"mine": True}, lambda row: row["gtin"] != OTHERS_GTIN),
    (
        "certification",
        {"mine": True, "not": {"verificationStatus": {"eq": "VERIFIED"}}},
        lambda row: row["gtin"] != OTHERS_GTIN and row["verification_status"] != "verified",
    ),
    ("claim", {"organization": {"eq": owner_of(OTHERS_GTIN)}}, lambda row: row["gtin"] == OTHERS_GTIN),
    ("claim", {"category": {"eq": "DIETARY"}}, lambda row: row["claim_id"] == VEGAN),
    ("claim", {"source": {"eq": "THIRD_PARTY_VERIFIED"}}, lambda row: row["source"] == "THIRD_PARTY_VERIFIED"),
]


@pytest.mark.parametrize(("kind", "where", "passes"), FILTERS, ids=[str(where) for _, where, _ in FILTERS])
async def test_the_filter_of_the_list_narrows_what_is_counted(
    world: World, stock: dict[str, list[Row]], kind: str, where: Row, passes: Callable[[Row], bool]
) -> None:
    rows = [row for row in visible(stock[kind]) if passes(row)]
    assert len(rows) < len(visible(stock[kind]))
    for by in ([], [*KINDS[kind]]):
        answer = await stats(world, kind, where=where, by=by, bucket="MONTH")
        assert groups(answer) == counted(rows, KINDS[kind], by, "MONTH")
        assert answer["totalCount"] == len(rows)
    listed = await GraphQL(world).run(
        f"query ($where: {kind.title()}AssignmentWhere) {{ {kind}Assignments(where: $where) {{ totalCount }} }}",
        "readonly",
        {"where": where},
    )
    assert listed["data"][f"{kind}Assignments"]["totalCount"] == len(rows)


async def test_a_period_lists_what_it_counts(world: World, stock: dict[str, list[Row]]) -> None:
    answer = await stats(world, "certification", by=[], bucket="QUARTER")
    assert len(answer["groups"]) > 4
    for group in answer["groups"]:
        if group["expiresFrom"] is None:
            days: Row = {"isNull": True}
        else:
            days = {"range": {"from": group["expiresFrom"], "to": group["expiresTo"]}}
        listed = await GraphQL(world).run(
            "query ($where: CertificationAssignmentWhere) { certificationAssignments(where: $where) { totalCount } }",
            "readonly",
            {"where": {"lapsesOn": days}},
        )
        assert listed["data"]["certificationAssignments"]["totalCount"] == group["count"]


async def test_nothing_is_no_group(world: World) -> None:
    for by, bucket in (([], None), (["SOURCE"], None), ([], "MONTH")):
        assert await stats(world, "claim", where={"gtin": {"eq": OTHERS_GTIN}}, by=by, bucket=bucket) == {
            "totalCount": 0,
            "productCount": 0,
            "truncated": False,
            "groups": [],
        }


async def test_products_are_counted_where_that_is_selected(world: World, stock: dict[str, list[Row]]) -> None:
    plain = "{ claimAssignmentStats { totalCount groups { count } } }"
    deep = "{ claimAssignmentStats { groups { ...Counts } } } fragment Counts on ClaimAssignmentStatsGroup {"
    for query, expected in ((plain, False), (f"{deep} count productCount }}", True), (f"{deep} count }}", False)):
        for _ in range(3):
            async with statements(world) as seen:
                assert "errors" not in await GraphQL(world).run(query, "readonly", {})
            assert ["DISTINCT" in each.upper() for each in seen] == [expected]


async def test_more_than_a_thousand_groups_are_cut_and_said_to_be(world: World) -> None:
    everywhere = sorted(ALPHA2)
    rows: list[Row] = [
        {
            "gtin": f"{number:014d}",
            "certification_id": certification,
            "expiration_date": None,
            "valid_from": None,
            "verification_status": status,
            "certificate_countries": everywhere,
            "metadata": {},
        }
        for number, (certification, status) in enumerate(
            [
                (USDA_ORGANIC, "verified"),
                (USDA_ORGANIC, "verified"),
                (USDA_ORGANIC, "expired"),
                (FAIR_TRADE, "verified"),
                (FAIR_TRADE, "expired"),
                (PRIVATE, "verified"),
            ]
        )
    ]
    by = ["CERTIFICATION", "COUNTRY", "STATUS"]
    await store(world, {"certification": rows[:3]})
    whole = await stats(world, "certification", by=by)
    # One more is the group without country of the assignment that was there before.
    assert (len(whole["groups"]), whole["truncated"]) == (2 * len(everywhere) + 1, False)
    await store(world, {"certification": rows[3:]})
    cut = await stats(world, "certification", by=by)
    assert (len(cut["groups"]), cut["truncated"], cut["totalCount"]) == (1_000, True, 7)
    assert [group["count"] for group in cut["groups"]] == [2] * len(everywhere) + [1] * (1_000 - len(everywhere))


async def test_however_many_groups_one_statement_is_run(world: World, stock: dict[str, list[Row]]) -> None:
    await stats(world, "certification")
    for kind, by, bucket in (("certification", [], None), ("certification", [*CERTIFICATIONS], "MONTH")):
        async with statements(world) as seen:
            answer = await stats(world, kind, by=by, bucket=bucket)
        assert len(seen) == 1, seen
        assert (len(answer["groups"]) > 20) is bool(by)


async def test_a_publishable_key_may_not_count_by_metadata(world: World) -> None:
    where = {"not": {"metadata": {"key": "kept", "eq": "yes"}}}
    body = await GraphQL(world).run(QUERIES["certification"], "publishable", {"where": where})
    assert body["data"] == {"stats": None}
    assert body["errors"][0]["extensions"]["code"] == "forbidden"


async def test_a_document_has_a_few_at_most(world: World) -> None:
    """Each may have to look at every assignment there is."""
    limit = 15_000
    for number, refused in ((limit // WEIGHT - 1, False), (limit // WEIGHT + 1, True)):
        fields = " ".join(f"s{at}: claimAssignmentStats {{ totalCount }}" for at in range(number))
        body = await GraphQL(world).run(f"{{ {fields} }}", "readonly")
        assert ("errors" in body) is refused, body
