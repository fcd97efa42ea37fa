"""Long lists: every page of every order, and every condition, against plain Python over the same rows."""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Dialect

from db import definitions, lists, paths, products, stats
from db.assignments import certifications, claims
from db.engine.postgresql import POSTGRESQL
from db.engine.sqlite import SqliteDatabase
from db.lists import Listed
from db.sql import tables
from db.sql.compiled import SQLITE
from db.sql.filters import COLUMN_OF, positive, take_apart
from db.sql.reads import Read
from domain import halts
from domain.countries import ALPHA2
from domain.filter_input import MAX_LIST, Fields, parse_where
from domain.filters import EVERYTHING, NOTHING, Where, changed_below, owned, settled
from domain.lists import CERTIFICATION_ASSIGNMENTS, CLAIM_ASSIGNMENTS, PRODUCTS
from domain.paging import (
    AssignmentOrderField,
    ClaimAssignmentOrderField,
    NestedAssignmentOrderField,
    Order,
    ProductOrderField,
    Window,
)
from domain.records import CertificationAssignment, ClaimAssignment, Product
from domain.short_id import catalogue_id, new_short_id
from domain.stats import ExpiryBucket
from domain.text import fold
from domain.vocabulary import ClaimCategory, ClaimSource, DataSource, Standing, VerificationStatus
from tests.world import BODY, FAIR_TRADE, NON_GMO, PRIVATE, USDA_ORGANIC, VEGAN, World

TODAY = date(2026, 11, 22)
SOON = TODAY + timedelta(60)
OWNER = catalogue_id("organization", "brand")
BRANDS: dict[str, str] = {}
"""By GTIN, as `stocked` has drawn them."""
NOBODY = new_short_id(datetime(2026, 1, 1, tzinfo=UTC))
MOMENTS = [datetime(2026, 3, day, 12, 0, 0, day, tzinfo=UTC) for day in (1, 2, 3)]
DAYS = [None, date.min, date.max, *(TODAY + timedelta(days) for days in (-400, -1, 0, 1, 30, 60, 61))]
TAKEN_ON: dict[str, tuple[date, date]] = {}
"""Until when somebody has taken lapses on, and of which day, by the id of the assignment."""
NAMES = ["Oat drink", "oat bar", "Straße", "STRASSE 2", "Zebra", "", "Ärger", "émile", "💚"]


def gtin(number: int) -> str:
    return f"{number:014d}"


def assigned(choose: random.Random, code: str) -> dict[str, Any]:
    """What assignments of either kind have in common."""
    return {
        "gtin": code,
        "id": new_short_id(choose.choice(MOMENTS)),
        "metadata": choose.choice([{}, {"lot": "1"}, {"lot": "2", "site": "1"}]),
        "valid_from": choose.choice(DAYS),
        "expiration_date": choose.choice(DAYS),
        "created_at": MOMENTS[0],
        "updated_at": choose.choice(MOMENTS),
        "version": 1,
    }


def halted(choose: random.Random, of: dict[str, Any]) -> dict[str, Any]:
    """The same with what renewals, suspensions and withdrawals may have left of a certificate."""
    days = [day for day in DAYS if day is not None and day != date.min]
    said: Any = None
    for _ in range(choose.choice([0, 0, 1, 2, 3])):
        what = choose.choice(halts.WHATS)
        last = choose.choice([None, *days]) if what == Standing.SUSPENDED else None
        said = halts.said(said, choose.choice(days), last, what)
    ends = [None, *map(str, days)]
    earlier = [[choose.choice(ends) for _ in range(3)] for _ in range(choose.choice([0, 0, 1, 2]))]
    return {**of, **halts.members(said), "earlier_days": earlier or None}


@pytest.fixture
async def stocked(world: World) -> World:
    """40 products whose facts are drawn by chance, the same each time; most values occur several times."""
    choose, halting = random.Random(7), random.Random(8)
    async with world.database.write() as transaction:
        for table in (tables.certification_assignments, tables.products):
            await transaction.execute(table.delete())
        for number in range(1, 41):
            code, name, brand = gtin(number), choose.choice(NAMES), choose.choice(["Acme", "acme", "Bräu", ""])
            moment = choose.choice(MOMENTS)
            BRANDS[code] = brand.lower()
            await transaction.insert(
                tables.products,
                {
                    "gtin": code,
                    "id": new_short_id(moment),
                    "organization_id": choose.choice([world.brand, world.rival]),
                    "name": name,
                    "brand": brand,
                    "description": "",
                    "country_of_origin": choose.choice(["US", "DE", ""]),
                    "net_content": "",
                    "ingredients": "",
                    "manufacturer": "",
                    "image_url": "",
                    "data_source": choose.choice(["claimed", "imported"]),
                    "metadata": choose.choice([{}, {"a": "b"}, {"a": "b", "c": "d"}, {"a=b": "", 'x"': "y\n"}]),
                    "created_at": moment,
                    "updated_at": moment,
                    "version": 1,
                    **products.searched(name, brand, code),
                },
            )
            for definition in choose.sample([USDA_ORGANIC, FAIR_TRADE, PRIVATE], choose.randrange(4)):
                await transaction.insert(
                    tables.certification_assignments,
                    {
                        **halted(halting, assigned(choose, code)),
                        "certification_id": definition,
                        "certificate_number": choose.choice(["", "NOP-1", "NOP-2", "nop-1", "N%P"]),
                        "issuing_body": choose.choice(["", "Ecocert", "ecocert", "Öko"]),
                        "expiry_date": choose.choice(DAYS),
                        "verification_url": choose.choice(["", "https://example.org/1"]),
                        "verification_status": choose.choice(list(VerificationStatus)),
                        "scope": "",
                        "certification_value": "",
                        "audit_date": choose.choice(DAYS),
                        "initial_certification_date": None,
                        "certificate_countries": choose.choice([[], ["US"], ["DE", "FR"], ["US", "DE"]]),
                    },
                )
            for definition in choose.sample([NON_GMO, VEGAN], choose.randrange(3)):
                await transaction.insert(
                    tables.claim_assignments,
                    {
                        **assigned(choose, code),
                        "claim_id": definition,
                        "source": choose.choice(list(ClaimSource)),
                        "evidence_url": choose.choice(["", "https://example.org/report"]),
                        "evidence_note": choose.choice(["", "Lab report 7"]),
                    },
                )
    for of, (listed, orders) in zip(KNOWN, LISTS[1:], strict=True):
        of.clear()
        for each in await whole(world, listed, EVERYTHING, orders[0]):
            of.setdefault(each.gtin, []).append(each)
    await take_on(world, choose)
    return world


async def take_on(world: World, choose: random.Random) -> None:
    """Some lapses, until days that have passed or not; some of another day than that of now."""
    TAKEN_ON.clear()
    async with world.database.write() as transaction:
        for of, (listed, _), table in zip(KNOWN, LISTS[1:], tables.ACKNOWLEDGED.values(), strict=True):
            for each in [each for some in of.values() for each in some]:
                known = lapse(each)
                if known is None or choose.random() < 0.4:
                    continue
                said = TAKEN_ON[each.id] = (
                    choose.choice([TODAY, SOON, TODAY - timedelta(1)]),
                    choose.choice([known, SOON]),
                )
                key = dict(zip(listed.key, (each.gtin, listed.definition_of(each)), strict=True))
                members = {
                    "id": each.id,
                    "until": said[0],
                    "lapses_on": said[1],
                    "reason": "",
                    "created_at": MOMENTS[0],
                }
                await transaction.insert(table, key | members)


async def whole(world: World, listed: Listed[Any], where: Where, order: Order) -> list[Any]:
    """All records at once: no list here has more."""
    return list(
        (await lists.page(world.database, listed, [world.brand, world.rival], where, order, Window(1000))).items
    )


LISTS: list[tuple[Listed[Any], list[Order]]] = [
    (
        products.LISTED,
        [PRODUCTS.orders.by(by, descending=down) for by in ProductOrderField for down in (False, True)],
    ),
    (
        certifications.listed,
        [
            CERTIFICATION_ASSIGNMENTS.orders.by(by, descending=down)
            for by in AssignmentOrderField
            for down in (False, True)
        ],
    ),
    (
        claims.listed,
        [
            CLAIM_ASSIGNMENTS.orders.by(by, descending=down)
            for by in ClaimAssignmentOrderField
            for down in (False, True)
        ],
    ),
]


async def test_pages_in_either_direction_are_the_whole_list_in_its_order(stocked: World) -> None:
    for listed, orders in LISTS:
        for order in orders:
            everything = await whole(stocked, listed, EVERYTHING, order)
            assert len(everything) > 30
            assert everything == order.arranged(everything), order
            assert len({order.key(item) for item in everything}) == len(everything)
            for size in (1, 7, 100):
                for backward in (False, True):
                    seen: list[Any] = []
                    window = Window(size, backward=backward)
                    while True:
                        page = await lists.page(
                            stocked.database, listed, [stocked.brand, stocked.rival], EVERYTHING, order, window
                        )
                        seen = [*page.items, *seen] if backward else [*seen, *page.items]
                        if not page.more:
                            break
                        assert len(page.items) == size
                        last = page.items[0] if backward else page.items[-1]
                        window = Window(size, backward=backward, position=order.key(last))
                    assert seen == everything, (order, size, backward)


Case = tuple[dict[str, Any], Callable[[Any], object]]


def is_in(value: date | None, first: date, last: date) -> bool:
    return value is not None and first <= value <= last


def lapse(item: Any) -> date | None:
    """The earliest of the ends that are recorded."""
    withdrawn = getattr(item, "withdrawn_on", None)
    ends = [item.expiration_date, getattr(item, "expiry_date", None), withdrawn and withdrawn - timedelta(1)]
    return min((day for day in ends if day is not None), default=None)


def is_over(first: str | None, last: str | None, day: date) -> bool:
    return (first or "") <= str(day) <= (last or "~")


def halted_on(item: Any, day: date) -> set[str]:
    """What is so on a day, after all that was said of it."""
    found: set[str] = set()
    for first, last, what in getattr(item, "halted_days", None) or ():
        if is_over(first, last, day):
            found = found | {what} if what in ("suspended", "withdrawn") else set()
    return found


def has_begun(item: Any, day: date, end: int) -> bool:
    earlier = getattr(item, "earlier_days", None) or ()
    return (item.valid_from or date.min) <= day or any(is_over(each[0], each[end], day) for each in earlier)


def is_active(item: Any, day: date) -> bool:
    return has_begun(item, day, 1) and day <= (item.expiration_date or date.max) and not halted_on(item, day)


def stands(item: Any, day: date) -> Standing:
    last, halted = lapse(item), halted_on(item, day)
    if "withdrawn" in halted:
        return Standing.WITHDRAWN
    if last is not None and last < day:
        return Standing.LAPSED
    if not has_begun(item, day, 2):
        return Standing.NOT_YET
    return Standing.SUSPENDED if halted else Standing.CURRENT


def is_taken_on(item: Any) -> bool:
    """Whether somebody has taken on that it lapses, until today or later, and of the day on which it does now."""
    until, lapses_on = TAKEN_ON.get(item.id, (date.min, None))
    return until >= TODAY and lapses_on == lapse(item)


def of_assignments() -> list[Case]:
    soon = SOON
    return [
        ({}, lambda a: True),
        ({"gtin": {"eq": gtin(3)}}, lambda a: a.gtin == gtin(3)),
        ({"gtin": {"in": [gtin(3), gtin(4), gtin(99)]}}, lambda a: a.gtin in (gtin(3), gtin(4))),
        ({"gtin": {"in": []}}, lambda a: False),
        ({"not": {"gtin": {"in": []}}}, lambda a: True),
        ({"not": {"gtin": {"in": [gtin(3), gtin(4)]}}}, lambda a: a.gtin not in (gtin(3), gtin(4))),
        ({"expiration_date": {"eq": TODAY}}, lambda a: a.expiration_date == TODAY),
        ({"expiration_date": {"range": {}}}, lambda a: a.expiration_date is not None),
        ({"expiration_date": {"eq": date.max}}, lambda a: a.expiration_date == date.max),
        ({"expiration_date": {"eq": date.min}}, lambda a: a.expiration_date == date.min),
        ({"expiration_date": {"range": {"from": date.max}}}, lambda a: a.expiration_date == date.max),
        ({"expiration_date": {"range": {"to": date.max}}}, lambda a: a.expiration_date is not None),
        ({"active_on": date.max}, lambda a: is_active(a, date.max)),
        ({"active_on": date.min}, lambda a: is_active(a, date.min)),
        ({"expiration_date": {"range": {"from": TODAY}}}, lambda a: is_in(a.expiration_date, TODAY, date.max)),
        ({"expiration_date": {"range": {"to": TODAY}}}, lambda a: is_in(a.expiration_date, date.min, TODAY)),
        (
            {"expiration_date": {"range": {"from": TODAY, "to": soon}}},
            lambda a: is_in(a.expiration_date, TODAY, soon),
        ),
        (
            {"not": {"expiration_date": {"range": {"from": TODAY, "to": soon}}}},
            lambda a: not is_in(a.expiration_date, TODAY, soon),
        ),
        ({"expiration_date": {"is_null": True}}, lambda a: a.expiration_date is None),
        ({"expiration_date": {"is_null": False}}, lambda a: a.expiration_date is not None),
        ({"not": {"expiration_date": {"is_null": True}}}, lambda a: a.expiration_date is not None),
        ({"not": {"expiration_date": {"eq": TODAY}}}, lambda a: a.expiration_date != TODAY),
        ({"valid_from": {"eq": TODAY}}, lambda a: a.valid_from == TODAY),
        ({"valid_from": {"range": {"from": TODAY}}}, lambda a: is_in(a.valid_from, TODAY, date.max)),
        ({"valid_from": {"range": {"to": TODAY}}}, lambda a: is_in(a.valid_from, date.min, TODAY)),
        ({"valid_from": {"is_null": True}}, lambda a: a.valid_from is None),
        ({"not": {"valid_from": {"range": {"to": TODAY}}}}, lambda a: not is_in(a.valid_from, date.min, TODAY)),
        ({"expiring_within": {"days": 60}}, lambda a: is_in(lapse(a), TODAY, soon)),
        ({"expiring_within": {"days": 0}}, lambda a: lapse(a) == TODAY),
        ({"active_on": TODAY}, lambda a: is_active(a, TODAY)),
        ({"not": {"active_on": TODAY}}, lambda a: not is_active(a, TODAY)),
        ({"acknowledged": True}, is_taken_on),
        ({"acknowledged": False}, lambda a: not is_taken_on(a)),
        (
            {"acknowledged": True, "lapses_within": {"days": 60}},
            lambda a: is_taken_on(a) and is_in(lapse(a), TODAY, soon),
        ),
        (
            {"acknowledged": False, "lapses_within": {"days": 60}, "mine": True},
            lambda a: not is_taken_on(a) and is_in(lapse(a), TODAY, soon) and a.organization_id == OWNER,
        ),
        ({"or": [{"acknowledged": True}, {"mine": True}]}, lambda a: is_taken_on(a) or a.organization_id == OWNER),
        ({"lapses_on": {"eq": TODAY}}, lambda a: lapse(a) == TODAY),
        ({"lapses_on": {"range": {"from": TODAY}}}, lambda a: is_in(lapse(a), TODAY, date.max)),
        ({"lapses_on": {"is_null": True}}, lambda a: lapse(a) is None),
        ({"not": {"lapses_on": {"is_null": True}}}, lambda a: lapse(a) is not None),
        ({"lapses_within": {"days": 60}}, lambda a: is_in(lapse(a), TODAY, soon)),
        ({"standing": {"eq": Standing.LAPSED}}, lambda a: stands(a, TODAY) is Standing.LAPSED),
        ({"standing": {"eq": Standing.NOT_YET}}, lambda a: stands(a, TODAY) is Standing.NOT_YET),
        ({"standing": {"eq": Standing.CURRENT, "on": soon}}, lambda a: stands(a, soon) is Standing.CURRENT),
        ({"standing": {"eq": Standing.LAPSED, "on": date.max}}, lambda a: stands(a, date.max) is Standing.LAPSED),
        (
            {"standing": {"in": [Standing.LAPSED, Standing.NOT_YET, Standing.LAPSED], "on": TODAY}},
            lambda a: stands(a, TODAY) in (Standing.LAPSED, Standing.NOT_YET),
        ),
        ({"standing": {"eq": Standing.SUSPENDED}}, lambda a: stands(a, TODAY) is Standing.SUSPENDED),
        ({"standing": {"eq": Standing.WITHDRAWN}}, lambda a: stands(a, TODAY) is Standing.WITHDRAWN),
        (
            {"not": {"standing": {"in": [Standing.SUSPENDED, Standing.WITHDRAWN], "on": soon}}},
            lambda a: stands(a, soon) not in (Standing.SUSPENDED, Standing.WITHDRAWN),
        ),
        ({"not": {"standing": {"eq": Standing.CURRENT}}}, lambda a: stands(a, TODAY) is not Standing.CURRENT),
        ({"standing": {"in": []}}, lambda a: False),
        ({"updated_at": {"range": {"from": MOMENTS[1]}}}, lambda a: a.updated_at >= MOMENTS[1]),
        ({"updated_at": {"range": {"to": MOMENTS[1]}}}, lambda a: a.updated_at <= MOMENTS[1]),
        ({"mine": True}, lambda a: a.organization_id == OWNER),
        ({"mine": False}, lambda a: a.organization_id != OWNER),
        ({"mine": True, "lapses_on": {"eq": TODAY}}, lambda a: a.organization_id == OWNER and lapse(a) == TODAY),
        ({"brand": {"eq": "ACME"}}, lambda a: BRANDS[a.gtin] == "acme"),
        ({"not": {"brand": {"in": ["Acme", "Bräu"]}}}, lambda a: BRANDS[a.gtin] == ""),
        ({"brand": {"starts_with": "b"}}, lambda a: BRANDS[a.gtin] == "bräu"),
        (
            {"brand": {"eq": "acme"}, "mine": True},
            lambda a: BRANDS[a.gtin] == "acme" and a.organization_id == OWNER,
        ),
        ({"organization": {"eq": OWNER}}, lambda a: a.organization_id == OWNER),
        ({"organization": {"in": [OWNER, NOBODY]}}, lambda a: a.organization_id == OWNER),
        ({"not": {"organization": {"eq": OWNER}}}, lambda a: a.organization_id != OWNER),
        (
            {"or": [{"mine": True}, {"gtin": {"eq": gtin(3)}}]},
            lambda a: a.organization_id == OWNER or a.gtin == gtin(3),
        ),
        ({"metadata": {"key": "lot", "eq": "2"}}, lambda a: a.metadata.get("lot") == "2"),
        ({"metadata": {"key": "site", "eq": "2"}}, lambda a: False),
        ({"not": {"metadata": {"key": "lot", "eq": "1"}}}, lambda a: a.metadata.get("lot") != "1"),
        (
            {"or": [{"gtin": {"eq": gtin(3)}}, {"metadata": {"key": "site", "eq": "1"}, "active_on": TODAY}]},
            lambda a: a.gtin == gtin(3) or (a.metadata.get("site") == "1" and is_active(a, TODAY)),
        ),
        (
            {"and": [{"gtin": {"in": [gtin(1), gtin(2), gtin(3)]}}, {"not": {"gtin": {"eq": gtin(2)}}}]},
            lambda a: a.gtin in (gtin(1), gtin(3)),
        ),
    ]


OF_CERTIFICATIONS: list[Case] = [
    *of_assignments(),
    ({"certification": {"code": {"eq": "usda_organic"}}}, lambda a: a.certification.id == USDA_ORGANIC),
    (
        {"certification": {"id": {"in": [USDA_ORGANIC, FAIR_TRADE]}}},
        lambda a: a.certification.id in (USDA_ORGANIC, FAIR_TRADE),
    ),
    ({"not": {"certification": {"code": {"eq": "usda_organic"}}}}, lambda a: a.certification.id != USDA_ORGANIC),
    ({"certification": {"is_private": True}}, lambda a: a.certification.id == PRIVATE),
    ({"body": {"id": {"eq": BODY}}}, lambda a: a.certification.id == USDA_ORGANIC),
    (
        {"body": {"country": {"eq": "US"}}, "expiring_within": {"days": 60}},
        lambda a: a.certification.id == USDA_ORGANIC and is_in(lapse(a), TODAY, TODAY + timedelta(60)),
    ),
    ({"certificate_number": {"eq": "NOP-1"}}, lambda a: a.certificate_number == "NOP-1"),
    ({"certificate_number": {"in": ["NOP-1", "nop-1"]}}, lambda a: a.certificate_number in ("NOP-1", "nop-1")),
    ({"certificate_number": {"starts_with": "NOP"}}, lambda a: a.certificate_number.startswith("NOP")),
    ({"certificate_number": {"starts_with": "N%"}}, lambda a: a.certificate_number.startswith("N%")),
    ({"certificate_number": {"starts_with": ""}}, lambda a: True),
    ({"certificate_number": {"eq": ""}}, lambda a: a.certificate_number == ""),
    (
        {"verification_status": {"eq": VerificationStatus.EXPIRED}},
        lambda a: a.verification_status is VerificationStatus.EXPIRED,
    ),
    (
        {"verification_status": {"in": [VerificationStatus.EXPIRED, VerificationStatus.VERIFIED]}},
        lambda a: a.verification_status is not VerificationStatus.UNVERIFIED,
    ),
    (
        {"not": {"verification_status": {"eq": VerificationStatus.EXPIRED}}},
        lambda a: a.verification_status is not VerificationStatus.EXPIRED,
    ),
    ({"country": {"eq": "US"}}, lambda a: "US" in a.certificate_countries),
    ({"country": {"in": ["FR", "US"]}}, lambda a: {"FR", "US"} & {*a.certificate_countries}),
    ({"not": {"country": {"eq": "US"}}}, lambda a: "US" not in a.certificate_countries),
    ({"country": {"is_empty": True}}, lambda a: not a.certificate_countries),
    ({"country": {"is_empty": False}}, lambda a: a.certificate_countries),
    ({"not": {"country": {"is_empty": True, "in": ["US"]}}}, lambda a: True),
    ({"issuing_body": {"eq": "Ecocert"}}, lambda a: a.issuing_body == "Ecocert"),
    ({"issuing_body": {"in": ["", "Öko"]}}, lambda a: a.issuing_body in ("", "Öko")),
    ({"issuing_body": {"starts_with": "E"}}, lambda a: a.issuing_body.startswith("E")),
    ({"expiry_date": {"range": {"from": TODAY, "to": SOON}}}, lambda a: is_in(a.expiry_date, TODAY, SOON)),
    ({"expiry_date": {"range": {"from": TODAY}}}, lambda a: is_in(a.expiry_date, TODAY, date.max)),
    ({"expiry_date": {"is_null": True}}, lambda a: a.expiry_date is None),
    ({"audit_date": {"range": {"to": TODAY}}}, lambda a: is_in(a.audit_date, date.min, TODAY)),
    (
        {"audit_date": {"is_null": False}, "mine": True},
        lambda a: a.audit_date is not None and a.organization_id == OWNER,
    ),
    ({"verification_url": {"is_empty": True}}, lambda a: not a.verification_url),
    ({"verification_url": {"is_empty": False}}, lambda a: a.verification_url),
    ({"body": {}}, lambda a: a.certification.id == USDA_ORGANIC),
    ({"not": {"body": {}}}, lambda a: a.certification.id != USDA_ORGANIC),
    (
        {"country": {"eq": "DE"}, "verification_status": {"eq": VerificationStatus.VERIFIED}},
        lambda a: "DE" in a.certificate_countries and a.verification_status is VerificationStatus.VERIFIED,
    ),
]

OF_CLAIMS: list[Case] = [
    *of_assignments(),
    ({"claim": {"label": {"contains": "GMO"}}}, lambda a: a.claim.id == NON_GMO),
    ({"category": {"eq": ClaimCategory.DIETARY}}, lambda a: a.claim.category is ClaimCategory.DIETARY),
    ({"evidence_url": {"is_empty": True}}, lambda a: not a.evidence_url),
    (
        {"evidence_url": {"is_empty": False}, "evidence_note": {"is_empty": True}},
        lambda a: a.evidence_url > a.evidence_note == "",
    ),
    ({"evidence_note": {"is_empty": True}, "mine": True}, lambda a: not a.evidence_note and a.organization_id == OWNER),
    ({"source": {"eq": ClaimSource.THIRD_PARTY_VERIFIED}}, lambda a: a.source is ClaimSource.THIRD_PARTY_VERIFIED),
]

HELD: dict[str, list[CertificationAssignment]] = {}
MADE: dict[str, list[ClaimAssignment]] = {}
KNOWN: tuple[dict[str, list[Any]], ...] = HELD, MADE
"""What the products of the tests hold and claim, by GTIN."""


def held(product: Product) -> list[CertificationAssignment]:
    return HELD.get(product.gtin, [])


def claimed(product: Product) -> list[ClaimAssignment]:
    return MADE.get(product.gtin, [])


def is_verified(held: CertificationAssignment) -> bool:
    return held.verification_status is VerificationStatus.VERIFIED


VERIFIED = {"verification_status": {"eq": VerificationStatus.VERIFIED}}
ORGANIC = {"certification": {"code": {"eq": "usda_organic"}}}
OF_WHAT_PRODUCTS_HAVE: list[Case] = [
    ({"certifications": {"some": {}}}, held),
    ({"certifications": {"none": {}}}, lambda p: not held(p)),
    ({"not": {"certifications": {"none": {}}}}, held),
    ({"certifications": {"every": {}}}, lambda p: True),
    ({"certifications": {"some": {"gtin": {"in": []}}}}, lambda p: False),
    ({"certifications": {"some": VERIFIED}}, lambda p: any(map(is_verified, held(p)))),
    ({"certifications": {"none": VERIFIED}}, lambda p: not any(map(is_verified, held(p)))),
    ({"certifications": {"every": VERIFIED}}, lambda p: all(map(is_verified, held(p)))),
    (
        {"certifications": {"some": {**ORGANIC, **VERIFIED}}},
        lambda p: any(is_verified(each) and each.certification.id == USDA_ORGANIC for each in held(p)),
    ),
    (
        {"certifications": {"some": {}, "every": {"not": ORGANIC}}, "brand": {"eq": "acme"}},
        lambda p: (
            held(p) and all(each.certification.id != USDA_ORGANIC for each in held(p)) and p.brand.lower() == "acme"
        ),
    ),
    (
        {"certifications": {"some": {"or": [{"country": {"in": ["FR", "US"]}}, {"lapses_on": {"eq": TODAY}}]}}},
        lambda p: any({"FR", "US"} & {*each.certificate_countries} or lapse(each) == TODAY for each in held(p)),
    ),
    (
        {"certifications": {"some": {"mine": True, "country": {"eq": "DE"}}}},
        lambda p: p.organization_id == OWNER and any("DE" in each.certificate_countries for each in held(p)),
    ),
    (
        {"certifications": {"every": {"metadata": {"key": "lot", "eq": "1"}}}},
        lambda p: all(each.metadata.get("lot") == "1" for each in held(p)),
    ),
    (
        {"claims": {"some": {"claim": {"label": {"contains": "gmo"}}}}},
        lambda p: any(each.claim.id == NON_GMO for each in claimed(p)),
    ),
    (
        {"claims": {"none": {"source": {"eq": ClaimSource.BRAND_SELF_DECLARED}}}, "mine": True},
        lambda p: (
            p.organization_id == OWNER
            and all(each.source is not ClaimSource.BRAND_SELF_DECLARED for each in claimed(p))
        ),
    ),
    (
        {"or": [{"claims": {"some": {"claim": {"id": {"eq": VEGAN}}}}}, {"certifications": {"some": ORGANIC}}]},
        lambda p: (
            any(each.claim.id == VEGAN for each in claimed(p))
            or any(each.certification.id == USDA_ORGANIC for each in held(p))
        ),
    ),
]

OF_PRODUCTS: list[Case] = [
    *OF_WHAT_PRODUCTS_HAVE,
    ({"gtin": {"in": [gtin(3), gtin(4)]}}, lambda p: p.gtin in (gtin(3), gtin(4))),
    ({"name": {"starts_with": "OAT"}}, lambda p: fold(p.name).startswith("oat")),
    ({"name": {"eq": "strasse"}}, lambda p: p.name == "Straße"),
    ({"name": {"starts_with": "💚"}}, lambda p: p.name == "💚"),
    ({"name": {"eq": ""}}, lambda p: p.name == ""),
    ({"mine": True}, lambda p: p.organization_id == OWNER),
    ({"not": {"mine": True}}, lambda p: p.organization_id != OWNER),
    ({"organization": {"eq": OWNER}}, lambda p: p.organization_id == OWNER),
    ({"brand": {"eq": "Acme"}}, lambda p: p.brand in ("Acme", "acme")),
    ({"brand": {"in": ["ACME", ""]}}, lambda p: p.brand in ("Acme", "acme", "")),
    ({"brand": {"starts_with": "BRÄ"}}, lambda p: p.brand == "Bräu"),
    ({"not": {"brand": {"eq": "bräu"}}}, lambda p: p.brand != "Bräu"),
    ({"search": "ACME"}, lambda p: p.brand.lower() == "acme"),
    ({"not": {"search": "ACME"}}, lambda p: p.brand.lower() != "acme"),
    ({"country_of_origin": {"eq": "DE"}}, lambda p: p.country_of_origin == "DE"),
    ({"country_of_origin": {"is_empty": True}}, lambda p: p.country_of_origin == ""),
    ({"country_of_origin": {"is_empty": False}}, lambda p: p.country_of_origin != ""),
    ({"data_source": {"eq": DataSource.IMPORTED}}, lambda p: p.data_source is DataSource.IMPORTED),
    ({"updated_at": {"range": {"from": MOMENTS[2]}}}, lambda p: p.updated_at >= MOMENTS[2]),
    ({"metadata": {"key": "a", "eq": "b"}}, lambda p: p.metadata.get("a") == "b"),
    ({"metadata": {"key": 'x"', "eq": "y\n"}}, lambda p: p.metadata.get('x"') == "y\n"),
    (
        {"or": [{"brand": {"eq": "Acme"}}, {"name": {"starts_with": "z"}}]},
        lambda p: p.brand.lower() == "acme" or p.name == "Zebra",
    ),
]

FILTERED: list[tuple[Listed[Any], Fields, Sequence[Order], list[Case]]] = [
    (products.LISTED, PRODUCTS.fields, LISTS[0][1], OF_PRODUCTS),
    (certifications.listed, CERTIFICATION_ASSIGNMENTS.fields, LISTS[1][1], OF_CERTIFICATIONS),
    (claims.listed, CLAIM_ASSIGNMENTS.fields, LISTS[2][1], OF_CLAIMS),
]


async def asked(world: World, fields: Fields, members: dict[str, Any]) -> Where:
    known = await definitions.current(world.database)
    where = parse_where(fields, members, TODAY)
    for kind, name in (("certifications", "certification"), ("claims", "claim")):
        found = list(getattr(known, kind).values())
        where = changed_below(where, kind, partial(settled, member=name, definitions=found))
        where = settled(changed_below(where, kind, partial(owned, organization_ids=[world.brand])), name, found)
    return owned(where, [world.brand])


@pytest.fixture
async def either_way(request: pytest.FixtureRequest, stocked: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """SQLite finds the rows by keys of a condition, or by walking in the order asked for; PostgreSQL by itself."""
    if request.param == "by order":
        monkeypatch.setattr(paths, "FEW", 0)
    return stocked


WAYS = [("sqlite", "by key"), ("sqlite", "by order"), ("postgresql", "by itself")]
in_every_way = pytest.mark.parametrize(("database_url", "either_way"), WAYS, indirect=True)
in_either_way = pytest.mark.parametrize(("database_url", "either_way"), WAYS[:2], indirect=True)


@in_every_way
async def test_every_condition_finds_what_python_finds(either_way: World) -> None:
    for listed, fields, orders, cases in FILTERED:
        everything = await whole(either_way, listed, EVERYTHING, orders[0])
        for number, (members, holds) in enumerate(cases):
            where = await asked(either_way, fields, members)
            expected = [item for item in everything if holds(item)]
            assert await lists.count(either_way.database, listed, where) == len(expected), members
            order = orders[number % len(orders)]
            assert await whole(either_way, listed, where, order) == order.arranged(expected), (members, order)
            # In pages, in the next order and the other direction.
            order = orders[(number + 1) % len(orders)]
            window, seen = Window(3, backward=True), list[Any]()
            while True:
                page = await lists.page(
                    either_way.database, listed, [either_way.brand, either_way.rival], where, order, window
                )
                seen = [*page.items, *seen]
                if not page.more:
                    break
                window = Window(3, backward=True, position=order.key(page.items[0]))
            assert seen == order.arranged(expected), (members, order)


@in_every_way
async def test_conditions_are_right_together_by_chance(either_way: World) -> None:
    choose = random.Random(3)
    for listed, fields, orders, cases in FILTERED:
        everything = await whole(either_way, listed, EVERYTHING, orders[0])
        for _ in range(40):
            (first, one), (second, other) = choose.sample(cases, 2)
            joined: list[Case] = [
                ({"and": [first, second]}, lambda x, a=one, b=other: a(x) and b(x)),  # type: ignore[misc]
                ({"or": [first, second]}, lambda x, a=one, b=other: a(x) or b(x)),  # type: ignore[misc]
                ({"not": {"or": [first, second]}}, lambda x, a=one, b=other: not (a(x) or b(x))),  # type: ignore[misc]
                ({"and": [first, {"not": second}]}, lambda x, a=one, b=other: a(x) and not b(x)),  # type: ignore[misc]
            ]
            members, holds = choose.choice(joined)
            order = choose.choice(orders)
            found = await whole(either_way, listed, await asked(either_way, fields, members), order)
            assert found == order.arranged([item for item in everything if holds(item)]), (members, order)


@in_every_way
async def test_filters_that_are_counted_together_pass_what_each_of_them_passes(either_way: World) -> None:
    """Also by the last and the first day there are, where certificates are looked at by the days they lapse by."""
    choose, days = random.Random(5), sorted(str(day) for day in DAYS if day is not None)
    spans = [{"lapses_on": {"range": ends}} for day in days for ends in ({"from": day}, {"to": day})]
    stood = [{"standing": {"eq": each.value, "on": day}} for each in Standing for day in days[1:]]
    for listed, fields, orders, cases in FILTERED:
        several = [members for members, _ in cases]
        for common in ({"mine": True}, {}, {"brand": {"eq": "acme"}}, choose.choice(several)):
            together = choose.sample(several, 9)
            if listed is not products.LISTED:
                together += [*spans, *choose.sample(stood, 4)]
            wheres = [await asked(either_way, fields, {"and": [common, members]}) for members in together]
            numbers = await lists.counted_together(either_way.database, listed, [*wheres, NOTHING])
            # Pages look at the days in another way.
            expected = [len(await whole(either_way, listed, where, orders[0])) for where in wheres]
            assert numbers == [*expected, 0], (common, together)


@in_every_way
async def test_what_lapses_is_counted_by_month_for_one_owner(either_way: World) -> None:
    for listed, fields, orders, _ in FILTERED[1:]:
        span = {"from": str(TODAY - timedelta(500)), "to": str(date.max)}
        where = await asked(either_way, fields, {"mine": True, "lapses_on": {"range": span}})
        counted = await stats.of_assignments(either_way.database, listed.table, where, (), ExpiryBucket.MONTH)
        found = await whole(either_way, listed, where, orders[0])
        months = Counter(day.replace(day=1) for each in found if (day := lapse(each)) is not None)
        assert {group.expires_from: group.count for group in counted.groups} == months


ARCHIVED: dict[str, Any] = {"is_archived": True}
EITHER: dict[str, Any] = {"or": [{"is_archived": True}, {"is_archived": False}]}


@in_every_way
async def test_what_is_archived_is_found_where_it_is_asked_for_and_nowhere_else(either_way: World) -> None:
    world, own = either_way, [either_way.brand, either_way.rival]
    stored = await whole(world, *LISTS[0][:1], EVERYTHING, LISTS[0][1][0])
    gone = {product.gtin for product in random.Random(5).sample(stored, 15)}
    async with world.database.write() as transaction:
        for product in stored:
            if product.gtin in gone:
                await products.archive(transaction, product, {"archived_at": MOMENTS[2]}, MOMENTS[2])
    for listed, fields, orders, cases in FILTERED:
        live = await whole(world, listed, EVERYTHING, orders[0])
        archived = await whole(world, listed, await asked(world, fields, ARCHIVED), orders[0])
        assert {item.gtin for item in archived} <= gone
        assert not {item.gtin for item in live} & gone
        assert await lists.count(world.database, listed, EVERYTHING) == len(live)
        for number, (members, holds) in enumerate(cases):
            order = orders[number % len(orders)]
            for among, items in (({}, live), (ARCHIVED, archived), (EITHER, [*live, *archived]))[
                : 2 + (number % 3 == 0)
            ]:
                where = await asked(world, fields, {"and": [members, among]} if among else members)
                expected = order.arranged([item for item in items if holds(item)])
                assert await whole(world, listed, where, order) == expected, (members, among, order)
                assert await lists.count(world.database, listed, where) == len(expected), (members, among)
                if listed.definitions:
                    counted = await stats.of_assignments(world.database, listed.table, where, (), None, products=True)
                    different = len({item.gtin for item in expected})
                    assert (counted.total_count, counted.product_count) == (len(expected), different), members
        if listed.definitions:
            assert len(live) + len(archived) == len(await world.rows(listed.table))
            ids = {listed.definition_of(item) for item in [*live, *archived]}
            wanted = ((EVERYTHING, live), (await asked(world, fields, ARCHIVED), archived))
            for where, items in wanted:
                counts = await lists.counts(world.database, listed, [*ids], where)
                assert counts == {id: sum(listed.definition_of(item) == id for item in items) for id in ids}
                first = await lists.first_of_each(world.database, listed, own, [*ids], where, orders[0], Window(100))
                assert first == {id: [item for item in items if listed.definition_of(item) == id] for id in ids}


COUNTRIES = sorted(ALPHA2)[:MAX_LIST]
# The largest filters that are accepted: as many conditions as there may be, with lists as long as they may be.
OF_ALL_COUNTRIES = {"country": {"in": COUNTRIES}}
LARGEST: list[dict[str, Any]] = [
    {"and": [OF_ALL_COUNTRIES] * 25},
    {"or": [OF_ALL_COUNTRIES] * 25},
    {"not": {"or": [OF_ALL_COUNTRIES] * 25}},
    {"not": {"and": [OF_ALL_COUNTRIES] * 25}},
    {"or": [{"metadata": {"key": f"k{number}", "eq": "v"}} for number in range(25)]},
    {"or": [{"not": {"active_on": TODAY}}] * 25},
    {"or": [{"or": [OF_ALL_COUNTRIES, {"metadata": {"key": "k", "eq": "v"}}]}] * 10},
    {"and": [{"gtin": {"in": [gtin(number) for number in range(MAX_LIST)]}}] * 25},
]


@pytest.mark.parametrize("members", LARGEST)
@in_every_way
async def test_no_filter_is_too_large_for_a_database(either_way: World, members: dict[str, Any]) -> None:
    listed, order = certifications.listed, LISTS[1][1][0]
    everything = await whole(either_way, listed, EVERYTHING, order)
    where = await asked(either_way, CERTIFICATION_ASSIGNMENTS.fields, members)
    found = await whole(either_way, listed, where, order)
    others = await whole(
        either_way, listed, await asked(either_way, CERTIFICATION_ASSIGNMENTS.fields, {"not": members}), order
    )
    assert order.arranged([*found, *others]) == everything
    assert await lists.count(either_way.database, listed, where) == len(found)
    counted = await stats.of_assignments(either_way.database, listed.table, where, (), None)
    assert counted.total_count == len(found)
    of_each = await lists.counts(either_way.database, listed, [USDA_ORGANIC, FAIR_TRADE, PRIVATE], where)
    assert sum(of_each.values()) == len(found)


@pytest.mark.parametrize("members", LARGEST)
@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=lambda dialect: dialect.name)
def test_the_text_of_no_statement_is_long(members: dict[str, Any], dialect: Dialect) -> None:
    # Compiling takes about a millisecond a kilobyte, on PostgreSQL in the event loop.
    listed, order = certifications.listed, LISTS[1][1][0]
    where = parse_where(CERTIFICATION_ASSIGNMENTS.fields, members, TODAY)
    shape, _ = take_apart(positive(where, listed.table))
    reads: list[Read[Any]] = [
        lists.page_read(listed, shape, order, Window(25)),
        lists._count(listed, shape, paths.AccessPath("")),
    ]
    if dialect is SQLITE and paths.candidates(listed.indexed, shape):
        way = paths.AccessPath("", paths.candidates(listed.indexed, shape)[0])
        reads += [paths._counts(listed.indexed, shape), lists.page_read(listed, shape, order, Window(25), way)]
    assert max(len(read.compiled(dialect).statement.sql) for read in reads) < 20_000


def steps(world: World, read: Read[Any], values: dict[str, Any]) -> list[str]:
    """The steps of SQLite's plan."""
    assert isinstance(world.database, SqliteDatabase)
    statement = read.compiled(SQLITE).statement
    plan = world.database._reader.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.bind(values))
    return [row[3] for row in plan.fetchall()]


def through(table: str, plan: list[str]) -> list[str]:
    """The steps that go through a table, without those that look one row up on the way."""
    steps = [step for step in plan if re.match(f"(SCAN|SEARCH) {table}( |$)", step)]
    return [step for step in steps if len(steps) == 1 or not step.endswith("sqlite_autoindex_products_1 (gtin=?)")]


# A search of the text itself is documented to read whatever else is left, and so is what products have none of; that a
# country is recorded is mostly so.
WITHOUT_INDEX = ("search", "is_empty", "certifications", "claims")
PAGES = (Window(25), Window(25, position=("",)), Window(25, backward=True, position=("",)))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_condition_in_no_order_reads_a_table_from_end_to_end(stocked: World) -> None:
    tried = 0
    for listed, fields, orders, cases in FILTERED:
        table = listed.table.name
        for number, (members, _) in enumerate(cases):
            where = await asked(stocked, fields, members)
            if where in (EVERYTHING, NOTHING):
                continue
            shape, values = take_apart(positive(where, listed.table))
            values |= {"p0": "", "p1": "", "p2": "", "limit": 26, "most": 9}
            named = {*members, *(members.get("not") or {}), *(["is_empty"] if "is_empty" in repr(members) else [])}
            named |= {"not"} if False in (members.get("mine"), members.get("acknowledged")) else set()
            found = paths.candidates(listed.indexed, shape)
            if found:
                counted = steps(stocked, paths._counts(listed.indexed, shape), values)
                assert not [step for step in counted if step.startswith(f"SCAN {table}")], (members, counted)
            for at, order in enumerate(orders):
                days = dict.fromkeys(COLUMN_OF, TODAY)
                values["p0"] = {**days, "updated_at": MOMENTS[0]}.get(order.by, "")
                walk, is_whole = paths.walked(listed.indexed, shape, order.names)
                assert found or is_whole or named & {*WITHOUT_INDEX, "active_on", "and", "not"}, members
                # Each condition in each order; they take turns with what of it is asked for.
                window = PAGES[(number + at) % len(PAGES)]
                for keys in found:
                    plan = steps(
                        stocked, lists.page_read(listed, shape, order, window, paths.AccessPath(walk, keys)), values
                    )
                    # The rows are looked up by their keys, the keys are found by an index.
                    assert any(re.match(f"SEARCH {table} USING (PRIMARY KEY|INDEX) ", step) for step in plan), plan
                    assert not [step for step in plan if re.match(f"SCAN {table}( |$)", step)], (members, plan)
                plan = steps(stocked, lists.page_read(listed, shape, order, window, paths.AccessPath(walk)), values)
                # One pass in the order asked for, which ends with the page: nothing is sorted.
                assert "USE TEMP B-TREE FOR ORDER BY" not in plan, (members, order, plan)
                own = through(table, plan)
                assert len(own) == 1, plan
                if is_whole or window.position is not None:
                    assert own[0].startswith("SEARCH"), (members, order, plan)
                tried += 1
    assert tried > 500


@in_either_way
async def test_what_a_page_sends_finds_its_rows_by_index(either_way: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Read[Any], dict[str, Any]]] = []
    usual = SqliteDatabase.read

    async def noted(self: SqliteDatabase, read: Read[Any], *given: Any, **values: Any) -> Any:
        sent.append((read, values))
        return await usual(self, read, *given, **values)

    monkeypatch.setattr(SqliteDatabase, "read", noted)
    for listed, fields, orders, cases in FILTERED:
        table = listed.table.name
        first = {order: (await whole(either_way, listed, EVERYTHING, order))[0] for order in orders}
        for number, (members, _) in enumerate(cases):
            where = await asked(either_way, fields, members)
            for order in (orders[number % len(orders)], orders[-number % len(orders) - 1]):
                for window in (Window(3), Window(3, backward=True), Window(3, position=order.key(first[order]))):
                    sent.clear()
                    await lists.page(either_way.database, listed, (), where, order, window)
                    if not sent:
                        assert where == NOTHING
                        continue
                    read, values = sent[-1]
                    plan = steps(either_way, read, values)
                    own = through(table, plan)
                    # Either the rows of some keys are sorted, or the order is walked from where the page begins.
                    if "USE TEMP B-TREE FOR ORDER BY" in plan:
                        assert not [step for step in own if step.startswith("SCAN")], (members, plan)
                    else:
                        assert len(own) == 1, (members, plan)
                        assert window.position is None or own[0].startswith("SEARCH"), (members, order, plan)
                    sql = read.compiled(SQLITE).statement.sql
                    assert where == EVERYTHING or "INDEXED BY" in sql, (members, sql)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_by_gtin_the_assignments_of_one_owner_are_found_along_its_products(
    stocked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "FEW", 0)
    start = "SEARCH products USING COVERING INDEX ix_products_organization (organization_id=?"
    for listed, fields, orders, _ in FILTERED[1:]:
        shape, values = take_apart(await asked(stocked, fields, {"mine": True, "active_on": TODAY}))
        for window in (Window(25), Window(25, position=("",)), Window(25, backward=True, position=("",))):
            path = await paths.access_path(stocked.database, listed.indexed, shape, values, orders[0].names)
            read = lists.page_read(listed, shape, orders[0], window, path)
            plan = steps(stocked, read, {**values, "p0": "", "p1": "", "limit": 26})
            bound = "" if window.position is None else " AND gtin<?" if window.backward else " AND gtin>?"
            assert plan[0] == f"{start}{bound})"
            # What one product holds is put in order, and nothing else.
            assert "USE TEMP B-TREE FOR ORDER BY" not in plan


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_one_owner_has_is_counted_along_its_products(
    stocked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[Read[Any], dict[str, Any]]] = []
    run = SqliteDatabase.read

    async def noted(self: SqliteDatabase, read: Read[Any], *given: Any, **values: Any) -> Any:
        sent.append((read, values))
        return await run(self, read, *given, **values)

    monkeypatch.setattr(SqliteDatabase, "read", noted)
    monkeypatch.setattr(paths, "FEW", 0)
    for listed, fields, _, _ in FILTERED[1:]:
        where = await asked(stocked, fields, {"mine": True, "active_on": TODAY})
        number = await lists.count(stocked.database, listed, where)
        counted = await stats.of_assignments(stocked.database, listed.table, where, (), None, products=True)
        assert number == counted.total_count >= (counted.product_count or 0) > 0
    for read, values in sent:
        assert not [step for step in steps(stocked, read, values) if step.startswith(f"SCAN {listed.table.name}")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("by", NestedAssignmentOrderField)
async def test_the_first_of_each_definition_are_found_by_index(stocked: World, by: NestedAssignmentOrderField) -> None:
    values = {"parents": [USDA_ORGANIC], "limit": 5, "p0": "" if by.value == "gtin" else TODAY, "p1": ""}
    field = AssignmentOrderField(by.value)
    for listed, order in (
        (certifications.listed, CERTIFICATION_ASSIGNMENTS.orders.by(field)),
        (claims.listed, CLAIM_ASSIGNMENTS.orders.by(field)),
    ):
        for ascending in (True, False):
            for behind in (True, False):
                read = lists._first_of_each_on_sqlite(listed, EVERYTHING, order.names, ascending, behind)
                plan = steps(stocked, read, {**values, "p2": ""})
                assert [step for step in plan if step.startswith("SCAN")] == ["SCAN parent VIRTUAL TABLE INDEX 1:"]
                # What was found for all of them is sorted, and nothing else.
                assert [step for step in plan if "TEMP B-TREE" in step] == ["USE TEMP B-TREE FOR ORDER BY"], plan
                assert plan[-1] == "USE TEMP B-TREE FOR ORDER BY", plan


@pytest.mark.parametrize("by", NestedAssignmentOrderField)
@pytest.mark.parametrize("backward", [False, True])
async def test_the_first_of_each_definition(stocked: World, by: NestedAssignmentOrderField, backward: bool) -> None:
    order = CERTIFICATION_ASSIGNMENTS.orders.by(AssignmentOrderField(by.value), descending=by.value == "gtin")
    ids = [USDA_ORGANIC, FAIR_TRADE, PRIVATE]
    where = await asked(stocked, CERTIFICATION_ASSIGNMENTS.fields, {"active_on": TODAY})
    everything = await whole(stocked, certifications.listed, where, order)
    of: dict[str, list[CertificationAssignment]] = {
        id: [item for item in everything if item.certification.id == id] for id in ids
    }
    window = Window(4, backward=backward)
    found = await lists.first_of_each(
        stocked.database, certifications.listed, [stocked.brand, stocked.rival], ids, where, order, window
    )
    assert found == {id: (items[::-1] if backward else items)[:5] for id, items in of.items()}
    middle = everything[len(everything) // 2]
    window = Window(4, backward=backward, position=order.key(middle))
    found = await lists.first_of_each(
        stocked.database, certifications.listed, [stocked.brand, stocked.rival], ids, where, order, window
    )
    rest = everything[: everything.index(middle)][::-1] if backward else everything[everything.index(middle) + 1 :]
    assert found == {id: [item for item in rest if item.certification.id == id][:5] for id in ids}
    counts = await lists.counts(stocked.database, certifications.listed, [*ids, BODY], where)
    assert counts == {**{id: len(items) for id, items in of.items()}, BODY: 0}
    assert (
        await lists.first_of_each(
            stocked.database, certifications.listed, [stocked.brand, stocked.rival], [], where, order, window
        )
        == {}
    )


def test_the_cases_cover_every_member() -> None:
    for _, fields, _, cases in FILTERED:
        left = {*fields} - {name for members, _ in cases for name in members}
        # What is archived has a test of its own.
        assert left <= {"id", "organization", "is_archived"}, left
    assert {CertificationAssignment, ClaimAssignment, Product} == {listed.build for listed, *_ in FILTERED}
