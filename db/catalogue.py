"""Loading the catalogue and the demo products; as often as you like, the second time changes nothing.

Every row has an id made from its code, so it is the same in every installation and examples can name it.
Definitions are renewed from the files. A product that exists is left to its owner, with whatever assignments
it has by then.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Table, select

from db import history
from db.catalogue_files import Catalogue, DemoProduct, HeldCertification, read_catalogue, read_demo_products
from db.engine.database import Database, Transaction
from db.organizations import find_by_slug
from db.products import searched
from db.sql import tables
from db.sql.reads import Read
from db.sql.types import among
from domain import renewal
from domain.changes import Change
from domain.history import OPERATOR
from domain.records import EarlierCertificate, Organization
from domain.short_id import ShortId, catalogue_id
from domain.vocabulary import ClaimCategory, ClaimSource

DEMO_SLUG = "demo"
DEMO_NAME = "Demo Brand Team"

_GTINS = Read(select(tables.products.c.gtin), lambda row: str(row[0]))

Rows = list[dict[str, Any]]


class Loaded(NamedTuple):
    """How many rows the files hold, by table, and how many of them had to be written."""

    rows: dict[str, int]
    written: int


def body_id(code: str) -> ShortId:
    """The id of a certification body of the catalogue."""
    return catalogue_id("certification-body", code)


def certification_id(code: str) -> ShortId:
    """The id of a certification of the catalogue."""
    return catalogue_id("certification", code)


def claim_id(code: str) -> ShortId:
    """The id of a claim of the catalogue."""
    return catalogue_id("claim", code)


async def load_catalogue(database: Database) -> Loaded:
    """Brings the definitions to the state of the files, in one transaction. Raises `CatalogueError`."""
    wanted = _definitions(read_catalogue())
    now = datetime.now(UTC)
    async with database.write() as transaction:
        # PostgreSQL looks for a conflict in one unique index only; in the other, two loads at once would meet.
        await transaction.serialize("loading")
        # Bodies first: certifications refer to them.
        written = sum([await _renew(transaction, table, rows, now) for table, rows in wanted.items()])
    return Loaded({table.name: len(rows) for table, rows in wanted.items()}, written)


async def load_demo(database: Database, at: datetime) -> Loaded:
    """Adds the demo organisation and those of its products that are missing, in one transaction.

    The catalogue must have been loaded. Raises `CatalogueError`.
    """
    catalogue = read_catalogue()
    products = read_demo_products(catalogue)
    names = {body.code: body.label for body in catalogue.certification_bodies}
    async with database.write() as transaction:
        await transaction.serialize("loading")
        owner = await _demo_organization(transaction, at)
        there = set(await transaction.fetch(_GTINS))
        missing = [product for product in products if product.gtin not in there]
        moments = {"created_at": at, "updated_at": at, "version": 1}
        earlier = {
            (product.gtin, held.code): _previous(product, held, names, at)
            for product in missing
            for held in product.certifications
        }
        wanted: dict[Table, Rows] = {
            tables.products: [_product(product, owner) | moments for product in missing],
            tables.certification_assignments: [
                _held(product, held, names, at.date()) | moments | _days_of(earlier[product.gtin, held.code])
                for product in missing
                for held in product.certifications
            ],
            tables.earlier_certificates: [row for rows in earlier.values() for row in rows],
            tables.claim_assignments: [
                _claimed(product, code, at.date()) | moments for product in missing for code in product.claims
            ],
        }
        for table, rows in wanted.items():
            await transaction.insert_missing(table, rows)
            if table.name in history.KINDS:
                await _tell_stored(transaction, table, rows, owner, at)
    return Loaded(
        {
            "products": len(products),
            "certification_assignments": sum(len(product.certifications) for product in products),
            "earlier_certificates": sum(len(held.previous) for product in products for held in product.certifications),
            "claim_assignments": sum(len(product.claims) for product in products),
        },
        sum(map(len, wanted.values())),
    )


def _definitions(catalogue: Catalogue) -> dict[Table, Rows]:
    return {
        tables.certification_bodies: [
            {
                "id": body_id(body.code),
                "code": body.code,
                "name": body.label,
                "website": body.url or "",
                "description": body.description,
                "logo_url": None,
                "country": body.country or "",
                "kind": body.kind,
            }
            for body in catalogue.certification_bodies
        ],
        tables.certifications: [
            {
                "id": certification_id(certification.code),
                "code": certification.code,
                "label": certification.label,
                "description": certification.description,
                "url": certification.url or "",
                "logo_url": None,
                "program": certification.program or "",
                "standard": certification.standard or "",
                "organization_id": None,
                "body_id": body_id(certification.certification_body_code)
                if certification.certification_body_code
                else None,
            }
            for certification in catalogue.certifications
        ],
        tables.claims: [
            {
                "id": claim_id(claim.code),
                "code": claim.code,
                "label": claim.label,
                "category": claim.category,
                # The files do not say. Directive (EU) 2024/825 forbids an environmental claim whose meaning
                # is not spelt out beside it, so exactly these ask the brand for a definition.
                "requires_definition": claim.category is ClaimCategory.SUSTAINABILITY,
                "description": claim.description,
            }
            for claim in catalogue.claims
        ],
    }


async def _renew(transaction: Transaction, table: Table, rows: Rows, now: datetime) -> int:
    """Writes the rows that are missing or differ, and no others; their number."""
    names = list(rows[0])
    read = Read(select(*(table.c[name] for name in names)), lambda row: dict(zip(names, row, strict=True)))
    stored = {row["id"]: row for row in await transaction.fetch(read)}
    changed = [row for row in rows if stored.get(row["id"]) != row]
    if changed:
        await transaction.upsert(table, changed, key="id")
        kind = history.KINDS[table.name]
        entries = [
            history.entry_of_row(kind, stored.get(row["id"]), row, None, now, "loadCatalogue", OPERATOR)
            for row in changed
        ]
        await history.add(transaction, entries)
    return len(changed)


async def _tell_stored(transaction: Transaction, table: Table, rows: Rows, owner: Organization, at: datetime) -> None:
    """Tells of those rows that are stored: somebody may have been quicker with one."""
    read = Read(select(table.c.id).where(among(table.c.id, "keys")), lambda row: str(row[0]))
    stored = set(await transaction.fetch(read, keys=[row["id"] for row in rows]))
    kind = history.KINDS[table.name]
    entries = [
        history.entry_of_row(kind, None, row, owner.id, at, "loadDemo", OPERATOR) for row in rows if row["id"] in stored
    ]
    await history.add(transaction, entries)


async def _demo_organization(transaction: Transaction, at: datetime) -> Organization:
    row = {
        "id": catalogue_id("organization", DEMO_SLUG),
        "slug": DEMO_SLUG,
        "name": DEMO_NAME,
        "created_at": at,
    }
    is_new = await transaction.insert(tables.organizations, row, unless=("slug",))
    found = await find_by_slug(transaction, DEMO_SLUG)
    assert found is not None
    if is_new:
        await history.tell(transaction, Change(None, found), at, "loadDemo", OPERATOR)
    return found


def _product(product: DemoProduct, owner: Organization) -> dict[str, Any]:
    return {
        "gtin": product.gtin,
        "id": catalogue_id("product", product.gtin),
        "organization_id": owner.id,
        "name": product.name,
        "brand": product.brand,
        "description": "",
        # Of real ones, the source names countries of sale, which is something else.
        "country_of_origin": product.country_of_origin,
        "net_content": product.quantity,
        "ingredients": "",
        "manufacturer": "",
        "image_url": "",
        "data_source": product.data_source,
        "metadata": product.metadata,
        **searched(product.name, product.brand, product.gtin),
    }


def _held(product: DemoProduct, held: HeldCertification, names: dict[str, str], today: date) -> dict[str, Any]:
    # The source of the real ones has no dates, and nothing in it was checked against a registry.
    def day(offset: int | None) -> date | None:
        return None if offset is None else today + timedelta(days=offset)

    first, last = map(day, held.valid_days)
    return {
        "gtin": product.gtin,
        "certification_id": certification_id(held.code),
        "id": catalogue_id("certification-assignment", f"{product.gtin}/{held.code}"),
        "metadata": held.metadata or ({"control_code": ", ".join(held.control_codes)} if held.control_codes else {}),
        "valid_from": first,
        "expiration_date": last,
        "expiry_date": last,
        "certificate_number": held.certification_number,
        "issuing_body": names[held.certification_body_code] if held.certification_body_code else held.issuing_body,
        "verification_url": "",
        "verification_status": held.verification_status,
        "scope": held.scope,
        "certification_value": held.value,
        "audit_date": day(held.audited_days),
        "certificate_countries": held.countries,
        "standing_reason": "",
    }


def _previous(product: DemoProduct, held: HeldCertification, names: dict[str, str], at: datetime) -> Rows:
    """The certificates before, which said the same but for their numbers and days."""
    now, today = _held(product, held, names, at.date()), at.date()
    now = {name: value for name, value in now.items() if name in tables.earlier_certificates.c}
    days = [tuple(today + timedelta(days=day) for day in each.valid_days) for each in held.previous]
    return [
        {
            **now,
            "number": number,
            "certificate_number": each.certification_number,
            "valid_from": first,
            "expiration_date": last,
            "expiry_date": last,
            "audit_date": None,
            "standing_reason": "",
            "replaced_at": at,
        }
        for number, (each, (first, last)) in enumerate(zip(held.previous, days, strict=True), start=1)
    ]


def _days_of(earlier: Rows) -> dict[str, Any]:
    """What an assignment has of those; a column that is left out of a row is NULL."""
    empty: dict[str, Any] = dict.fromkeys(EarlierCertificate.__struct_fields__)
    return {"earlier_days": [renewal.span(EarlierCertificate(**empty | row)) for row in earlier] or None}


def _claimed(product: DemoProduct, code: str, today: date) -> dict[str, Any]:
    days = product.claim_ends.get(code)
    return {
        "gtin": product.gtin,
        "claim_id": claim_id(code),
        "expiration_date": None if days is None else today + timedelta(days=days),
        "id": catalogue_id("claim-assignment", f"{product.gtin}/{code}"),
        "metadata": {},
        "source": ClaimSource.BRAND_SELF_DECLARED,
        "evidence_url": "",
        "evidence_note": "",
    }
