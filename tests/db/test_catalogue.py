import asyncio
import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, func, select, update

from db import certificates
from db.assignments import certifications
from db.catalogue import certification_id, load_catalogue, load_demo
from db.catalogue_files import DATA, CatalogueError, read_catalogue, read_demo_products
from db.engine.database import Database
from db.engine.opening import open_database
from db.sql import tables
from db.sql.reads import Read
from domain import renewal
from domain.gtin import Gtin
from domain.short_id import catalogue_id
from domain.validity import is_active
from domain.vocabulary import ClaimCategory, VerificationStatus

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 12, tzinfo=UTC)
NUTELLA = Gtin("00000080050698")

COUNTS = {
    tables.organizations: 1,
    tables.certification_bodies: 326,
    tables.certifications: 270,
    tables.claims: 263,
    tables.products: 160,
    tables.certification_assignments: 352,
    tables.claim_assignments: 459,
}


async def counts(database: Database) -> dict[Table, int]:
    reads = {table: Read(select(func.count()).select_from(table), lambda row: int(row[0])) for table in COUNTS}
    return {table: (await database.fetch(read))[0] for table, read in reads.items()}


async def everything(database: Database) -> dict[str, list[Any]]:
    # Without what the database computes of the rest, such as a last day beyond all days, which Python has no date for.
    stored = {table: [column for column in table.c if column.computed is None] for table in COUNTS}
    return {
        table.name: await database.fetch(Read(select(*columns).order_by(*table.primary_key), tuple))
        for table, columns in stored.items()
    }


async def load(database: Database, at: datetime = NOW) -> int:
    return (await load_catalogue(database)).written + (await load_demo(database, at)).written


async def test_the_files_are_loaded_whole(database: Database) -> None:
    catalogue, demo = await load_catalogue(database), await load_demo(database, NOW)
    assert catalogue.rows == {"certification_bodies": 326, "certifications": 270, "claims": 263}
    assert demo.rows == {
        "products": 160,
        "certification_assignments": 352,
        "earlier_certificates": 2,
        "claim_assignments": 459,
    }
    assert (catalogue.written, demo.written) == (859, 973)
    assert await counts(database) == COUNTS


async def test_the_demo_knows_the_days_of_earlier_certificates(database: Database) -> None:
    await load(database)
    gtins = [Gtin(product.gtin) for product in read_demo_products(read_catalogue())]
    held = await certifications.of_products(database, gtins, [catalogue_id("organization", "demo")])
    before = await certificates.of_products(database, gtins)
    renewed = {(each.gtin, each.certification.id): each.earlier_days for each in held if each.earlier_days}
    assert renewed == {place: [renewal.span(each) for each in found] for place, found in before.items()}
    assert sum(map(len, before.values())) == 2


async def test_loading_again_writes_nothing(database: Database) -> None:
    await load(database)
    before = await everything(database)
    assert await load(database, LATER) == 0
    assert await everything(database) == before


async def test_two_starts_at_once_load_once(database: Database, database_url: str) -> None:
    other = await open_database(database_url)
    try:
        await asyncio.gather(load(database), load(other))
    finally:
        await other.close()
    assert await counts(database) == COUNTS


async def test_an_assignment_says_what_the_pack_says_and_no_more(database: Database) -> None:
    await load(database)
    products = read_demo_products(read_catalogue())
    product, held = next(
        (product, held) for product in products for held in product.certifications if held.control_codes
    )
    owner = catalogue_id("organization", "demo")
    assignments = await certifications.of_products(database, [Gtin(product.gtin)], [owner])
    assignment = next(item for item in assignments if item.certification.code == held.code)
    assert assignment.metadata == {"control_code": ", ".join(held.control_codes)}
    assert assignment.verification_status is VerificationStatus.UNVERIFIED
    assert (assignment.valid_from, assignment.expiration_date, assignment.audit_date) == (None, None, None)
    assert (assignment.created_at, assignment.version) == (NOW, 1)
    bodies = {body.code: body.label for body in read_catalogue().certification_bodies}
    assert assignment.issuing_body == bodies[held.certification_body_code or ""]


async def test_certificates_of_invented_products_run_out_around_the_day_of_loading(database: Database) -> None:
    await load(database)
    coffee = Gtin("09520000000011")
    assignments = await certifications.of_products(database, [coffee], [catalogue_id("organization", "demo")])
    held = {item.certification.code: item for item in assignments}
    fairtrade, organic = held["FAIRTRADE"], held["EU_ORGANIC"]
    assert (fairtrade.valid_from, fairtrade.expiration_date) == (date(2026, 1, 6), date(2027, 1, 6))
    assert fairtrade.verification_status is VerificationStatus.VERIFIED
    assert (fairtrade.scope, fairtrade.metadata) == ("Coffee", {"supplier": "S-17", "renewal": "asked"})
    assert organic.issuing_body == "Demo Control Body"
    assert is_active(fairtrade.valid_from, fairtrade.expiration_date, NOW.date())


def test_no_real_product_has_invented_facts() -> None:
    for product in read_demo_products(read_catalogue()):
        facts: list[object] = [product.metadata, product.country_of_origin]
        for held in product.certifications:
            facts += [held.valid_days[0], held.valid_days[1], held.audited_days, held.scope, held.metadata]
            facts += [held.countries, held.issuing_body]
        assert any(facts) is product.gtin.startswith("0952"), product.gtin


async def test_ids_are_the_same_in_every_installation(database: Database) -> None:
    await load(database)
    ids = await database.fetch(Read(select(tables.certifications.c.id).filter_by(code="RSPO"), tuple))
    # Examples name ids literally: this one may never change.
    assert ids[0][0] == certification_id("RSPO") == "kHHkk7WEmzcv6BmJfUVH9f"


async def test_definitions_are_renewed(database: Database) -> None:
    await load(database)
    before = await everything(database)
    async with database.write() as transaction:
        await transaction.execute(update(tables.claims).filter_by(code="VEGAN").values(label="Old label"))
        await transaction.execute(update(tables.certification_bodies).values(website="http://old.example"))
    assert (await load_catalogue(database)).written == 1 + 326
    assert await everything(database) == before


async def test_what_users_did_to_demo_products_stays(database: Database) -> None:
    await load(database)
    held = tables.certification_assignments
    async with database.write() as transaction:
        await transaction.execute(update(held).filter_by(gtin=NUTELLA).values(scope="Ours now", version=2))
        await transaction.execute(delete(tables.claim_assignments).filter_by(gtin=NUTELLA))
        await transaction.execute(update(tables.products).filter_by(gtin=NUTELLA).values(name="Renamed"))
    changed = await everything(database)
    assert await load(database, LATER) == 0
    assert await everything(database) == changed


async def test_a_product_that_somebody_else_owns_is_left_alone(database: Database) -> None:
    rival = {"id": catalogue_id("organization", "rival"), "slug": "rival", "name": "Rival", "created_at": NOW}
    product = {
        "gtin": NUTELLA,
        "id": catalogue_id("product", NUTELLA),
        "organization_id": rival["id"],
        "name": "Theirs",
        "brand": "Rival",
        "data_source": "claimed",
        "metadata": {},
        "created_at": NOW,
        "updated_at": NOW,
        "version": 1,
        **dict.fromkeys(
            (
                "description",
                "country_of_origin",
                "net_content",
                "ingredients",
                "manufacturer",
                "image_url",
                "search_text",
            ),
            "",
        ),
    }
    async with database.write() as transaction:
        await transaction.insert(tables.organizations, rival)
        await transaction.insert(tables.products, product)
    await load(database)
    assert await certifications.of_products(database, [NUTELLA], [catalogue_id("organization", "rival")]) == []
    assert (await counts(database))[tables.products] == 160


async def test_a_demo_product_that_was_deleted_comes_back_whole(database: Database) -> None:
    await load(database)
    before = await counts(database)
    async with database.write() as transaction:
        await transaction.execute(delete(tables.products).filter_by(gtin=NUTELLA))
    assert await counts(database) != before
    await load(database, LATER)
    assert await counts(database) == before


async def test_environmental_claims_ask_for_a_definition(database: Database) -> None:
    await load_catalogue(database)
    rows = await database.fetch(Read(select(tables.claims.c.category, tables.claims.c.requires_definition), tuple))
    assert {category for category, required in rows if required} == {ClaimCategory.SUSTAINABILITY}
    assert Counter(required for _, required in rows) == {True: 23, False: 240}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("catalogue", "demo"):
        shutil.copytree(DATA / name, tmp_path / name)
    return tmp_path


def spoil(file: Path, member: str, change: Callable[[list[Any]], None]) -> None:
    content = json.loads(file.read_text())
    change(content[member])
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("name", "member", "change", "sentence"),
    [
        ("certification_bodies", "certification_bodies", {"country": "XX"}, r"'XX' of \w+ is no ISO 3166"),
        (
            "certification_bodies",
            "certification_bodies",
            {"label": "n" * 256},
            r"length <= 255 - at `\$.*\[7\].label",
        ),
        ("certification_bodies", "certification_bodies", {"url": "ftp://x"}, r"\[7\].url"),
        ("certification_bodies", "certification_bodies", {"url": "http://x.example"}, r"\[7\].url"),
        ("certifications", "certifications", {"url": "https:///x.example"}, r"\[7\].url"),
        ("certifications", "certifications", {"certification_body_code": "NOBODY"}, "has the code NOBODY"),
        ("certifications", "certifications", {"code": "a b"}, r"\[7\].code"),
        (
            "claims",
            "claims",
            {"category": "MAGIC"},
            r"Invalid enum value 'MAGIC' - at `\$.claims\[7\].category",
        ),
        ("claims", "claims", {"code": "VEGAN"}, "VEGAN must occur once"),
    ],
)
def test_a_bad_definition_is_named_with_its_file_and_place(
    folder: Path, name: str, member: str, change: dict[str, str], sentence: str
) -> None:
    file = folder / "catalogue" / f"{name}.json"
    spoil(file, member, lambda rows: rows[7].update(change))
    with pytest.raises(CatalogueError, match=sentence) as caught:
        read_catalogue(folder / "catalogue")
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"gtin": "00000080050699"}, "line 3.*wrong check digit"),
        ({"gtin": "٠٠٠٠٠٠٨٠٠٥٠٦٩٨"}, "line 3"),
        ({"claims": ["NO_SUCH_CLAIM"]}, "has the code NO_SUCH_CLAIM"),
        ({"certifications": [{"code": "NO_SUCH_MARK"}]}, "has the code NO_SUCH_MARK"),
        ({"certifications": [{"code": "RSPO", "certification_body_code": "NOBODY"}]}, "has the code NOBODY"),
        ({"quantity": "q" * 101}, "line 3.*quantity"),
        ({"certifications": [{"code": "RSPO", "countries": ["XX"]}]}, "line 3.*not all ISO"),
    ],
)
def test_a_bad_demo_product_is_named_with_its_line(folder: Path, change: dict[str, Any], sentence: str) -> None:
    file = folder / "demo" / "demo_products.jsonl"
    lines = file.read_text().splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | change)
    file.write_text("\n".join(lines))
    with pytest.raises(CatalogueError, match=sentence) as caught:
        read_demo_products(read_catalogue(), folder / "demo")
    assert str(file) in str(caught.value)
