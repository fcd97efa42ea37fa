"""Reads: both drivers and both ways (bare, inside a transaction) give the same records of the same types."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import DateTime, delete, update

from db import definitions, keys, lists, organizations, products
from db.assignments import certifications, claims
from db.engine.database import Database, Pace
from db.engine.opening import open_database
from db.engine.postgresql import PostgresqlDatabase
from db.sessions import add_session
from db.sql import tables
from db.sql.compiled import SQLITE
from db.sql.reads import Read
from db.sql.types import UtcDateTime
from domain.access import Caller, SignedInAs
from domain.api_keys import digest
from domain.filters import EVERYTHING
from domain.gtin import Gtin
from domain.lists import PRODUCTS
from domain.paging import Window
from domain.records import (
    Certification,
    CertificationAssignment,
    CertificationBody,
    Claim,
    ClaimAssignment,
    Organization,
    Product,
)
from domain.short_id import ShortId, catalogue_id
from domain.vocabulary import ClaimCategory, ClaimSource, DataSource, KeyKind, Role, VerificationStatus
from resolvers.keys import revoke_key
from tests.lent import lent
from tests.world import (
    BODY,
    FAIR_TRADE,
    GTIN,
    NOON,
    NOTHING,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    PRIVATE,
    USDA_ORGANIC,
    VEGAN,
    World,
)

PRODUCT = Gtin(GTIN)
# A moment with microseconds, written in another zone than it is read in.
MOMENT = datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=UTC)
ELSEWHERE = MOMENT.astimezone(timezone(timedelta(hours=-11)))
METADATA = {"": "leer", "ключ": "значение 😀", 'quo"te': "back\\slash\n", "null": "null", "1": "1.0"}

BODY_RECORD = CertificationBody(
    BODY,
    "USDA",
    "United States Department of Agriculture",
    "https://www.usda.gov",
    "A ministry.",
    None,
    "US",
    "AUTHORITY",
)
ORGANIC = Certification(
    USDA_ORGANIC,
    "USDA_ORGANIC",
    "USDA Organic",
    "Of some description.",
    "https://example.org/seal",
    None,
    "A programme",
    "A standard",
    None,
    BODY_RECORD,
)
VEGAN_RECORD = Claim(VEGAN, "VEGAN", "Vegan", ClaimCategory.DIETARY, False, "")


async def both_ways(
    database: Database, read: Read[Any], found: Any = None, owners: Sequence[ShortId] = (), /, **values: Any
) -> list[Any]:
    """The records of a read on the bare driver, after comparing them with those inside a transaction."""
    outside = await database.fetch(read, found, owners, **values)
    async with database.write() as transaction:
        inside = await transaction.fetch(read, found, owners, **values)
    assert inside == outside
    assert list(map(repr, inside)) == list(map(repr, outside))
    return outside


async def test_every_type_of_a_certification_assignment(world: World) -> None:
    stored: dict[str, Any] = {
        "metadata": METADATA,
        "valid_from": date(1, 1, 1),
        "expiration_date": date(9999, 12, 31),
        "certificate_number": "Nº 1'; --",
        "issuing_body": "",
        "expiry_date": date(2024, 2, 29),
        "verification_url": "https://example.org/?a=%20&b=%%",
        "verification_status": VerificationStatus.VERIFIED,
        "scope": "𝔸\tb",
        "certification_value": "100% Organic",
        "audit_date": None,
        "initial_certification_date": None,
        "certificate_countries": ["US", "CA"],
        "suspended_from": date(2024, 2, 29),
        "suspended_until": None,
        "withdrawn_on": date(9999, 12, 31),
        "standing_reason": "Rückstände 😀",
        "earlier_days": [[None, "2023-12-31", "2023-06-30"], ["2024-01-01", None, None]],
        "halted_days": [["2024-02-29", None, "suspended"], ["9999-12-31", None, "withdrawn"]],
        "created_at": ELSEWHERE,
        "updated_at": MOMENT,
        "version": 2**31 - 1,
    }
    id = catalogue_id("assignment", "1")
    async with world.database.write() as transaction:
        await transaction.execute(delete(tables.certification_assignments))
        await transaction.insert(
            tables.certification_assignments,
            {"gtin": GTIN, "certification_id": USDA_ORGANIC, "id": id, **stored},
        )
    expected = CertificationAssignment(
        gtin=PRODUCT,
        id=id,
        organization_id=world.brand,
        certification=ORGANIC,
        **{**stored, "created_at": MOMENT},
    )
    known = (await definitions.current(world.database)).certifications
    found = await both_ways(world.database, certifications.by_product, known, [world.brand], keys=[GTIN])
    assert found == [expected]
    assert await both_ways(world.database, certifications.by_product.one, known, [world.brand], key=GTIN) == [expected]
    one = await both_ways(world.database, certifications.one, known, [world.brand], of=GTIN, definition=USDA_ORGANIC)
    assert one == [expected]
    assert found[0].verification_status is VerificationStatus.VERIFIED
    assert found[0].created_at.utcoffset() == timedelta(0)
    assert type(found[0].valid_from) is date


async def test_every_type_of_a_claim_assignment(world: World) -> None:
    expected = ClaimAssignment(
        id=catalogue_id("assignment", "2"),
        gtin=PRODUCT,
        organization_id=world.brand,
        metadata={},
        source=ClaimSource.THIRD_PARTY_VERIFIED,
        valid_from=None,
        expiration_date=date(2025, 12, 31),
        evidence_url="",
        evidence_note="x" * 100_000,
        created_at=MOMENT,
        updated_at=MOMENT,
        version=1,
        claim=VEGAN_RECORD,
    )
    async with world.database.write() as transaction:
        assert await claims.add(transaction, expected)
    known = (await definitions.current(world.database)).claims
    found = await both_ways(world.database, claims.by_product, known, [world.brand], keys=[GTIN])
    assert found == [expected]
    assert await both_ways(world.database, claims.by_product.one, known, [world.brand], key=GTIN) == [expected]
    assert found[0].source is ClaimSource.THIRD_PARTY_VERIFIED
    assert found[0].claim.category is ClaimCategory.DIETARY
    assert found[0].claim.requires_definition is False


async def test_every_type_of_a_product(world: World) -> None:
    async with world.database.write() as transaction:
        await transaction.execute(
            update(tables.products)
            .where(tables.products.c.gtin == GTIN)
            .values(metadata=METADATA, created_at=ELSEWHERE)
        )
    expected = Product(
        gtin=PRODUCT,
        id=catalogue_id("product", GTIN),
        organization_id=world.brand,
        name="Oat drink",
        brand="Acme",
        description="",
        country_of_origin="US",
        net_content="1 l",
        ingredients="",
        manufacturer="",
        image_url="",
        data_source=DataSource.CLAIMED,
        metadata=METADATA,
        created_at=MOMENT,
        updated_at=NOON,
        version=1,
        archived_at=None,
    )
    assert await both_ways(world.database, products.BY_GTIN, None, [world.brand], keys=[GTIN]) == [expected]
    first = lists.page_read(products.LISTED, EVERYTHING, PRODUCTS.orders.usual, Window(1))
    assert (await both_ways(world.database, first, None, [world.brand], limit=1)) == [expected]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 30, 10, 12, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1, 1, 1, 0, 0, tzinfo=UTC),
        datetime(2026, 3, 1, 0, 30, 0, 100_000, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ],
    ids=str,
)
def test_a_moment_has_the_form_that_sqlalchemy_gives_it(moment: datetime) -> None:
    write = UtcDateTime().bind_processor(SQLITE)
    theirs = DateTime().dialect_impl(SQLITE).bind_processor(SQLITE)
    assert write is not None
    assert theirs is not None
    assert write(moment) == theirs(moment.astimezone(UTC))


async def test_definitions_and_organisations(world: World) -> None:
    database = world.database
    assert await definitions.bodies.find(database, BODY) == BODY_RECORD
    async with database.write() as transaction:
        assert await claims.find(transaction, VEGAN) == await claims.find(database, VEGAN) == VEGAN_RECORD
        assert await certifications.find(transaction, USDA_ORGANIC, [world.brand]) == ORGANIC
    assert await claims.find_by_code(database, "VEGAN") == VEGAN_RECORD
    assert await certifications.find(database, USDA_ORGANIC, [world.brand]) == ORGANIC
    assert await certifications.find_by_code(database, "USDA_ORGANIC", [world.brand]) == ORGANIC
    bodiless = await certifications.find(database, FAIR_TRADE, [world.brand])
    assert bodiless is not None
    assert bodiless.body is None
    brand = Organization(world.brand, "brand", "Brand")
    assert await both_ways(database, organizations.BY_SLUG, slug="brand") == [brand]
    assert await both_ways(database, organizations.BY_ID, id=world.brand) == [brand]


async def test_keys(world: World) -> None:
    secret = digest(world.keys["publishable"])
    brand = Organization(world.brand, "brand", "Brand")
    caller = Caller(world.key_ids["publishable"], KeyKind.PUBLISHABLE, Role.EDITOR, brand)
    assert await both_ways(world.database, keys.BY_DIGEST, digest=secret) == [keys.Credential(caller, None)]
    async with world.database.write() as transaction:
        await transaction.execute(
            update(tables.api_keys).where(tables.api_keys.c.digest == secret).values(expires_at=MOMENT)
        )
        await add_session(
            transaction,
            id=ShortId("s"),
            digest="s",
            who=SignedInAs(world.key_ids["publishable"]),
            expires_at=NOON,
            at=MOMENT - timedelta(days=1),
        )
    # A session ends with its key, whichever is first.
    (found,) = await both_ways(world.database, keys.BY_SESSION, digest="s")
    assert (found.caller.key_id, found.caller.organization, found.expires_at) == (caller.key_id, brand, MOMENT)
    entries = await both_ways(world.database, keys.ENTRIES)
    # In the order in which they were made.
    assert [(entry.organization, entry.name, entry.is_active) for entry in entries] == [
        ("brand", name, True) for name in ("manager", "editor", "readonly", "publishable")
    ] + [("rival", "rival", True)]
    assert entries[3].expires_at == MOMENT


async def test_what_is_not_there_is_nothing(world: World) -> None:
    database = world.database
    assert await products.find(database, Gtin("00000000000000"), []) is None
    assert await products.find_many(database, [], []) == []
    assert await certifications.of_products(database, [], [world.brand]) == []
    assert await claims.find(database, NOTHING) is None
    assert await definitions.bodies.find(database, NOTHING) is None


async def test_many_parents_are_one_list_parameter(world: World) -> None:
    gtins = [PRODUCT, Gtin(OTHERS_GTIN), *(Gtin(f"{number:014d}") for number in range(5000)), PRODUCT]
    assert sorted(found.gtin for found in await products.find_many(world.database, gtins, [])) == [
        GTIN,
        OTHERS_GTIN,
    ]


@pytest.mark.parametrize("text", ["'", '"', "]", "\\", "{", ",", "NULL", "", "a'); DROP TABLE claims; --"])
async def test_a_list_parameter_is_data(world: World, text: str) -> None:
    assert await products.find_many(world.database, [Gtin(text), PRODUCT], []) != []
    assert await claims.find_by_code(world.database, text) is None


async def test_a_private_definition_is_there_for_its_organisation_alone(world: World) -> None:
    database = world.database
    for own, others, who in ((PRIVATE, OTHERS_PRIVATE, world.brand), (OTHERS_PRIVATE, PRIVATE, world.rival)):
        assert await certifications.find(database, own, [who]) is not None
        assert await certifications.find(database, others, [who]) is None
    await world.add_certification(GTIN, OTHERS_PRIVATE)
    assert len(await certifications.of_products(database, [PRODUCT], [world.brand])) == 1
    assert len(await certifications.of_products(database, [PRODUCT], [world.rival])) == 2
    async with database.write() as transaction:
        assert await certifications.lock(transaction, PRODUCT, OTHERS_PRIVATE, [world.brand]) is None
        assert await certifications.lock(transaction, PRODUCT, OTHERS_PRIVATE, [world.rival]) is not None


async def test_of_two_definitions_of_one_code_the_own_comes_first(world: World) -> None:
    async with world.database.write() as transaction:
        await transaction.execute(
            update(tables.certifications).where(tables.certifications.c.id == PRIVATE).values(code="USDA_ORGANIC")
        )
    own = await certifications.find_by_code(world.database, "USDA_ORGANIC", [world.brand])
    others = await certifications.find_by_code(world.database, "USDA_ORGANIC", [world.rival])
    assert own is not None
    assert others is not None
    assert (own.id, others.id) == (PRIVATE, USDA_ORGANIC)


async def test_assignments_come_by_product_label_and_id(world: World) -> None:
    for certification in (PRIVATE, FAIR_TRADE):
        await world.add_certification(GTIN, certification)
    await world.add_certification(OTHERS_GTIN, USDA_ORGANIC)
    found = await certifications.of_products(world.database, [Gtin(OTHERS_GTIN), PRODUCT], [world.brand])
    assert [(item.gtin, item.certification.label) for item in found] == [
        (GTIN, "Brand's own seal"),
        (GTIN, "Fair Trade USA"),
        (GTIN, "USDA Organic"),
        (OTHERS_GTIN, "USDA Organic"),
    ]


# --- Telling caches that something changed ---


async def settled(database: Database) -> object:
    """An epoch that stays while nothing happens; a PostgreSQL database has to start listening first."""
    before = database.epoch()
    for _ in range(500):
        await asyncio.sleep(0.01)
        now = database.epoch()
        if now == before:
            return now
        before = now
    raise AssertionError("the epoch changes all the time")


async def changed(database: Database, before: object) -> bool:
    """Whether the epoch becomes another one; a notification takes its time to arrive."""
    for _ in range(500):
        if database.epoch() != before:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_the_epoch_stays_while_nothing_happens_and_changes_after_a_write_of_another(
    world: World, database_url: str
) -> None:
    before = await settled(world.database)
    await world.database.fetch(keys.ENTRIES)
    assert world.database.epoch() == before
    other = await open_database(database_url)
    try:
        await revoke_key(other, world.key_ids["editor"])
    finally:
        await other.close()
    assert await changed(world.database, before)


async def test_the_epoch_changes_after_a_write_of_ones_own(world: World) -> None:
    before = await settled(world.database)
    await revoke_key(world.database, world.key_ids["editor"])
    assert await changed(world.database, before)


async def test_the_epoch_stays_where_a_write_of_ones_own_changes_nothing_that_is_kept(world: World) -> None:
    rename = update(tables.products).where(tables.products.c.gtin == GTIN)
    before: object = None
    # What the write before left uncertain is settled by one more.
    for name in ("First", "Second"):
        before = await settled(world.database)
        async with world.database.write() as transaction:
            await transaction.execute(rename, {"name": name})
    assert await settled(world.database) == before


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_while_nobody_listens_nothing_may_stay_cached(world: World, database_url: str) -> None:
    database = await open_database(database_url, Pace(period=0.2))
    await settled(database)
    assert isinstance(world.database, PostgresqlDatabase)
    async with lent(world.database._readers) as connection:
        ended = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'certgate-listen' AND datname = current_database()"
        )
    assert ended == 1
    for _ in range(500):
        if not await database.hears():
            break
        await asyncio.sleep(0.01)
    before = database.epoch()
    assert database.epoch() != before
    # It listens again by itself.
    before = await settled(database)
    await revoke_key(world.database, ShortId(world.key_ids["editor"]))
    assert await changed(database, before)
    await database.close()
