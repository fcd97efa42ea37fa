"""The rows that every server is asked about: made from a seed, the same on each machine and in each database.

Definitions are the first of the real catalogue. Facts come from pools, so that a million products take a minute;
ids count upwards, as version 7 UUIDs do. Claims are assigned from the first half of the claims alone: the other half
is what the write workloads assign, each pair of product and claim once.
"""

import random
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Dialect, Table

from db.catalogue import body_id, certification_id, claim_id
from db.catalogue_files import Catalogue, read_catalogue
from db.engine.postgresql import POSTGRESQL
from db.migrate import migrate
from db.products import searched
from db.sql import tables
from db.sql.compiled import SQLITE
from domain.short_id import ShortId, catalogue_id

SEED = 20_261_122
CERTIFICATIONS = 60
CLAIMS = 100
ASSIGNED_CLAIMS = CLAIMS // 2
EACH = 3
"""How many certifications a product holds, and how many claims it makes."""

ORGANIZATION = "bench"
ORGANIZATION_ID = catalogue_id("organization", ORGANIZATION)
MOMENT = datetime(2026, 11, 1, 12, tzinfo=UTC)

_POOL = 997
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_WORDS = [
    "oat",
    "rye",
    "spelt",
    "soy",
    "almond",
    "lentil",
    "cocoa",
    "honey",
    "apple",
    "beet",
    "mint",
    "lemon",
    "fig",
    "plum",
    "pear",
    "basil",
    "sesame",
    "millet",
]
_KINDS = ["drink", "bar", "spread", "flakes", "crackers", "yoghurt", "soup", "sauce", "bread", "pasta", "tea", "juice"]
_BRANDS = [f"{name} {end}" for name in ("Meadow", "Harbour", "Alpine", "Orchard", "Mill") for end in ("& Co", "Foods")]

Row = tuple[Any, ...]


def gtin(number: int) -> str:
    """The GTIN of the product with that number, from 0: with a right check digit, ascending, with gaps."""
    body = f"{4_000_000_000_000 + number * 7:013d}"
    total = sum(map(int, body[::2])) * 3 + sum(map(int, body[1::2]))
    return f"{body}{-total % 10}"


def certification_numbers(product: int) -> list[int]:
    """Which certifications, by number, a product holds."""
    return [(product * 7 + each * 23) % CERTIFICATIONS for each in range(EACH)]


def claim_numbers(product: int) -> list[int]:
    """Which claims, by number, a product makes."""
    return [(product * 11 + each * 17) % ASSIGNED_CLAIMS for each in range(EACH)]


def unassigned(number: int, products: int) -> tuple[int, int]:
    """The pair of product and claim with that number among those that nobody has assigned yet."""
    return number % products, ASSIGNED_CLAIMS + number // products


def unassigned_pairs(products: int) -> int:
    """How many such pairs there are."""
    return products * (CLAIMS - ASSIGNED_CLAIMS)


def certification_ids() -> list[ShortId]:
    """The ids of the certifications, by number."""
    return [certification_id(entry.code) for entry in read_catalogue().certifications[:CERTIFICATIONS]]


def claim_ids() -> list[ShortId]:
    """The ids of the claims, by number."""
    return [claim_id(entry.code) for entry in read_catalogue().claims[:CLAIMS]]


async def fill_sqlite(path: Path, products: int) -> None:
    """Makes a migrated SQLite file with that many products."""
    await migrate(f"sqlite:///{path}")
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        # Nothing is lost that could not be made again, so nothing is written twice.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-262144"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        for table, columns, rows in _all_rows(SQLITE, products):
            places = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})", rows)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
    finally:
        connection.close()


async def fill_postgresql(url: str, products: int) -> None:
    """Migrates a PostgreSQL database and fills it with the same rows."""
    await migrate(url)
    connection = await asyncpg.connect(url)
    try:
        for table, columns, rows in _all_rows(POSTGRESQL, products):
            await connection.copy_records_to_table(table.name, records=rows, columns=columns)
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


def _all_rows(dialect: Dialect, products: int) -> Iterator[tuple[Table, Sequence[str], Iterable[Row]]]:
    """Table by table, parents first: its columns and its rows as the driver takes them."""
    catalogue = read_catalogue()
    yield _small(dialect, tables.organizations, _organizations())
    yield _small(dialect, tables.certification_bodies, _bodies(catalogue))
    yield _small(dialect, tables.certifications, _certifications(catalogue))
    yield _small(dialect, tables.claims, _claims(catalogue))
    yield tables.products, *_products(dialect, products)
    yield tables.certification_assignments, *_certification_assignments(dialect, products)
    yield tables.claim_assignments, *_claim_assignments(dialect, products)


def _small(dialect: Dialect, table: Table, rows: list[dict[str, Any]]) -> tuple[Table, Sequence[str], Iterable[Row]]:
    return table, list(rows[0]), _bound(dialect, table, rows)


def _bound(dialect: Dialect, table: Table, rows: Iterable[dict[str, Any]]) -> list[Row]:
    """Rows of Python values as the driver takes them."""
    rows = list(rows)
    converters = {
        name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)
        for name in rows[0]
    }
    return [tuple(None if value is None else converters[name](value) for name, value in row.items()) for row in rows]


def _organizations() -> list[dict[str, Any]]:
    return [{"id": ORGANIZATION_ID, "slug": ORGANIZATION, "name": "Bench", "created_at": MOMENT}]


def _bodies(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
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
    ]


def _certifications(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "id": certification_id(entry.code),
            "code": entry.code,
            "label": entry.label,
            "description": entry.description,
            "url": entry.url or "",
            "logo_url": None,
            "program": entry.program or "",
            "standard": entry.standard or "",
            "organization_id": None,
            "body_id": body_id(entry.certification_body_code) if entry.certification_body_code else None,
        }
        for entry in catalogue.certifications[:CERTIFICATIONS]
    ]


def _claims(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "id": claim_id(entry.code),
            "code": entry.code,
            "label": entry.label,
            "category": entry.category,
            "requires_definition": False,
            "description": entry.description,
        }
        for entry in catalogue.claims[:CLAIMS]
    ]


def _products(dialect: Dialect, products: int) -> tuple[Sequence[str], Iterator[Row]]:
    choose = random.Random(SEED)
    table = tables.products
    facts = [
        {
            "organization_id": ORGANIZATION_ID,
            "description": " ".join(choose.choices(_WORDS, k=20)),
            "country_of_origin": choose.choice(["DE", "FR", "US", "CA", "JP", "BR"]),
            "net_content": f"{choose.randrange(50, 1000, 25)} g",
            "ingredients": ", ".join(choose.sample(_WORDS, 8)),
            "manufacturer": choose.choice(_BRANDS),
            "image_url": "",
            "data_source": "claimed",
            "metadata": {"shelf": str(choose.randrange(100))},
            "created_at": MOMENT,
            "updated_at": MOMENT,
            "version": 1,
        }
        for _ in range(_POOL)
    ]
    pool = _bound(dialect, table, facts)
    names = [f"{choose.choice(_WORDS).title()} {choose.choice(_WORDS)} {choose.choice(_KINDS)}" for _ in range(_POOL)]

    def rows() -> Iterator[Row]:
        for number in range(products):
            code, name, brand = gtin(number), f"{names[number % _POOL]} {number}", _BRANDS[number % len(_BRANDS)]
            found_by = searched(name, brand, code).values()
            yield (code, _id("p", number), name, brand, *found_by, *pool[number % _POOL])

    return ["gtin", "id", "name", "brand", *searched("", "", ""), *facts[0]], rows()


def _certification_assignments(dialect: Dialect, products: int) -> tuple[Sequence[str], Iterator[Row]]:
    choose = random.Random(SEED + 1)
    table = tables.certification_assignments
    facts = [
        {
            "metadata": {"lot": str(choose.randrange(1000)), "site": choose.choice(_WORDS)},
            "valid_from": _day(choose, 2022),
            "expiration_date": _day(choose, 2027) if choose.random() < 0.8 else None,
            "issuing_body": choose.choice(_BRANDS),
            "expiry_date": _day(choose, 2027) if choose.random() < 0.5 else None,
            "verification_url": f"https://registry.example.org/{choose.randrange(10**6)}",
            "verification_status": choose.choice(["unverified", "verified", "expired"]),
            "scope": choose.choice(["Product", "Site", "Product group"]),
            "certification_value": choose.choice(["", "Grade A", "Gold"]),
            "audit_date": _day(choose, 2024),
            "initial_certification_date": _day(choose, 2018),
            "certificate_countries": choose.sample(["DE", "FR", "US", "CA", "JP", "BR"], choose.randrange(4)),
            "created_at": MOMENT,
            "updated_at": MOMENT,
            "version": 1,
        }
        for _ in range(_POOL)
    ]
    pool = _bound(dialect, table, facts)
    ids = certification_ids()

    def rows() -> Iterator[Row]:
        count = 0
        for number in range(products):
            code = gtin(number)
            # In the order of the primary key, so that the tree grows at its end.
            for id in sorted(ids[each] for each in certification_numbers(number)):
                yield (code, id, _id("s", count), f"C-{count:08d}", *pool[count % _POOL])
                count += 1

    return ["gtin", "certification_id", "id", "certificate_number", *facts[0]], rows()


def _claim_assignments(dialect: Dialect, products: int) -> tuple[Sequence[str], Iterator[Row]]:
    choose = random.Random(SEED + 2)
    table = tables.claim_assignments
    facts: list[dict[str, Any]] = [
        {
            "metadata": {},
            "source": choose.choice(["BRAND_SELF_DECLARED", "THIRD_PARTY_VERIFIED"]),
            "valid_from": _day(choose, 2022),
            "expiration_date": _day(choose, 2027) if choose.random() < 0.5 else None,
            "evidence_url": f"https://evidence.example.org/{choose.randrange(10**6)}",
            "evidence_note": " ".join(choose.choices(_WORDS, k=4)),
            "created_at": MOMENT,
            "updated_at": MOMENT,
            "version": 1,
        }
        for _ in range(_POOL)
    ]
    pool = _bound(dialect, table, facts)
    ids = claim_ids()

    def rows() -> Iterator[Row]:
        count = 0
        for number in range(products):
            code = gtin(number)
            for id in sorted(ids[each] for each in claim_numbers(number)):
                yield (code, id, _id("t", count), *pool[count % _POOL])
                count += 1

    return ["gtin", "claim_id", "id", *facts[0]], rows()


def _day(choose: random.Random, year: int) -> date:
    return date(year, 1, 1) + timedelta(days=choose.randrange(700))


def _id(kind: str, number: int) -> str:
    """A short id that counts upwards."""
    high, rest = divmod(number, len(_PAIRS) ** 2)
    middle, low = divmod(rest, len(_PAIRS))
    return f"BenchRow{kind}2222222{_PAIRS[high]}{_PAIRS[middle]}{_PAIRS[low]}"
