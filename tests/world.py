"""A small world for tests: two organisations, keys of every kind, definitions, products, and a client for the app."""

from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx2
from sqlalchemy import Table, select
from starlette.types import ASGIApp

from db import imports
from db.engine.database import Database
from db.history import KINDS, Entry, entry_of_row
from db.products import searched
from db.sql import tables
from db.sql.reads import Read
from db.sql.tables import OF_THE_DATABASE
from domain import halts
from domain.history import OPERATOR
from domain.importing import Import
from domain.short_id import ShortId, catalogue_id, encode, new_short_id
from domain.vocabulary import BulkPolicy, Existing, ImportState, KeyKind, Role
from resolvers.keys import create_key

GTIN = "00012345678905"
OTHERS_GTIN = "00614141123452"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

USDA_ORGANIC = catalogue_id("certification", "USDA_ORGANIC")
FAIR_TRADE = catalogue_id("certification", "FAIR_TRADE_USA")
PRIVATE = catalogue_id("certification", "brand's own seal")
OTHERS_PRIVATE = catalogue_id("certification", "rival's own seal")
NON_GMO = catalogue_id("claim", "NON_GMO")
VEGAN = catalogue_id("claim", "VEGAN")
BODY = catalogue_id("certification-body", "USDA")
IMPORT = encode(UUID("01900000-0000-7000-8000-000000000001"))
NOTHING = catalogue_id("nothing", "at all")


class World:
    """The application with its database, and what `populate` put into it. Use it as an async context."""

    def __init__(self, app: ASGIApp, database: Database) -> None:
        self.database = database
        self.app = app
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://certgate.test")
        self.keys: dict[str, str] = {}
        self.key_ids: dict[str, ShortId] = {}
        self.brand = catalogue_id("organization", "brand")
        self.rival = catalogue_id("organization", "rival")

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.__aexit__(kind, error, trace)

    async def add_key(
        self, name: str, organization: str, role: Role, kind: KeyKind = KeyKind.BUSINESS, user: str | None = None
    ) -> None:
        """Makes a key and remembers it under a name; `user` is the member's address that a csu key takes."""
        made = await create_key(self.database, organization, role, kind, name=name, user=user)
        self.keys[name] = made.secret
        self.key_ids[name] = made.entry.id

    async def add_product(
        self, gtin: str, organization_id: ShortId, name: str = "Oat drink", brand: str = "Acme", **members: Any
    ) -> None:
        """Inserts a product."""
        await self.add(
            organization_id,
            (
                tables.products,
                {
                    "gtin": gtin,
                    "id": catalogue_id("product", gtin),
                    "organization_id": organization_id,
                    "name": name,
                    "brand": brand,
                    "description": "",
                    "country_of_origin": "US",
                    "net_content": "1 l",
                    "ingredients": "",
                    "manufacturer": "",
                    "image_url": "",
                    "data_source": "claimed",
                    "metadata": {},
                    "created_at": NOON,
                    "updated_at": NOON,
                    "version": 1,
                    **searched(name, brand, gtin),
                    **members,
                },
            ),
        )

    async def add_certification(self, gtin: str, certification_id: ShortId, **members: Any) -> None:
        """Assigns a certification to a product."""
        await self.add(
            self.rival if gtin == OTHERS_GTIN else self.brand,
            (
                tables.certification_assignments,
                {
                    "gtin": gtin,
                    "certification_id": certification_id,
                    "id": new_short_id(NOON),
                    "metadata": {},
                    "certificate_number": "",
                    "issuing_body": "",
                    "verification_url": "",
                    "verification_status": "unverified",
                    "scope": "",
                    "certification_value": "",
                    "certificate_countries": [],
                    "standing_reason": "",
                    "halted_days": halts.of_columns(
                        *(members.get(name) for name in ("suspended_from", "suspended_until", "withdrawn_on"))
                    ),
                    "created_at": NOON,
                    "updated_at": NOON,
                    "version": 1,
                    **members,
                },
            ),
        )

    async def add(self, owner: ShortId | None, *rows: tuple[Table, dict[str, Any]]) -> None:
        """Inserts rows that one organisation owns, and tells of them in the log."""
        async with self.database.write() as transaction:
            for table, row in rows:
                await transaction.insert(table, row)
                await transaction.insert(tables.changes, told(row, table, owner))

    async def rows(self, table: Table) -> list[tuple[Any, ...]]:
        """Every row of a table, so that a test can say what did not change."""
        return await self.database.fetch(all_rows(table))


@cache
def all_rows(table: Table) -> Read[tuple[Any, ...]]:
    """Every row of a table by its key, without what the database computes; compiled once."""
    stored = [column for column in table.columns if column.computed is None and OF_THE_DATABASE not in column.info]
    return Read(select(*stored).order_by(*table.primary_key), tuple)


async def populate(world: World) -> None:
    """Two organisations; the brand owns `GTIN`, the rival `OTHERS_GTIN`; each has a private certification."""
    for id, slug in ((world.brand, "brand"), (world.rival, "rival")):
        await world.add(id, (tables.organizations, {"id": id, "slug": slug, "name": slug.title(), "created_at": NOON}))
    await world.add(
        None,
        (
            tables.certification_bodies,
            {
                "id": BODY,
                "code": "USDA",
                "name": "United States Department of Agriculture",
                "website": "https://www.usda.gov",
                "description": "A ministry.",
                "logo_url": None,
                "country": "US",
                "kind": "AUTHORITY",
            },
        ),
    )
    for id, code, label, owner, body in (
        (USDA_ORGANIC, "USDA_ORGANIC", "USDA Organic", None, BODY),
        (FAIR_TRADE, "FAIR_TRADE_USA", "Fair Trade USA", None, None),
        (PRIVATE, "", "Brand's own seal", world.brand, None),
        (OTHERS_PRIVATE, "", "Rival's own seal", world.rival, None),
    ):
        await world.add(
            owner,
            (
                tables.certifications,
                {
                    "id": id,
                    "code": code,
                    "label": label,
                    "description": "Of some description.",
                    "url": "https://example.org/seal",
                    "logo_url": None,
                    "program": "A programme",
                    "standard": "A standard",
                    "organization_id": owner,
                    "body_id": body,
                },
            ),
        )
    for id, code, label, category in (
        (NON_GMO, "NON_GMO", "Non-GMO", "INGREDIENT_ABSENCE"),
        (VEGAN, "VEGAN", "Vegan", "DIETARY"),
    ):
        await world.add(
            None,
            (
                tables.claims,
                {
                    "id": id,
                    "code": code,
                    "label": label,
                    "category": category,
                    "requires_definition": False,
                    "description": "",
                },
            ),
        )
    await world.add_product(GTIN, world.brand)
    await world.add_product(OTHERS_GTIN, world.rival, "Soy drink")
    await world.add_certification(GTIN, USDA_ORGANIC, certificate_number="NOP-1", metadata={"kept": "yes"})
    async with world.database.write() as transaction:
        counts = {"rows": {"made": 2, "refused": 1}, "refusals": {'column "EAN": it is not a GTIN (gtin_invalid)': 1}}
        done = Import(
            IMPORT,
            world.brand,
            "own.csv",
            ImportState.DONE,
            BulkPolicy.IGNORE_FAILED,
            Existing.UPDATE,
            False,
            {"EAN": "gtin", "Name": "product.product_name"},
            {"EAN": "gtin"},
            None,
            3,
            100,
            counts,
            "",
            NOON,
            NOON,
            NOON,
        )
        await imports.add(transaction, done, "1" * 64, "0" * 64, "nowhere:0")
    await world.add_key("manager", "brand", Role.MANAGER)
    await world.add_key("editor", "brand", Role.EDITOR)
    await world.add_key("readonly", "brand", Role.READONLY)
    await world.add_key("publishable", "brand", Role.EDITOR, KeyKind.PUBLISHABLE)
    await world.add_key("rival", "rival", Role.MANAGER)


def told(row: dict[str, Any], table: Table = tables.claim_assignments, owner: ShortId | None = None) -> Entry:
    """The row of the log that tells of a row as it was made."""
    if table is tables.organizations:
        row = {name: row[name] for name in ("id", "slug", "name")}
    return entry_of_row(KINDS[table.name], None, row, owner, NOON, "populate", OPERATOR)
