"""Products in GraphQL."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import records
from domain.gtin import parse_gtin
from execution.batched import batched
from resolvers import certifications, claims, products
from schema.certifications import CertificationAssignment
from schema.claims import ClaimAssignment
from schema.context import Info
from schema.cursors import product_cursor, read_product_cursor
from schema.records import record_type, shown
from schema.scalars import Metadata


@record_type(records.Product, description="A product under its GTIN, the number of its barcode.")
class Product:
    """Contract 8, as far as it bears on certifications and claims."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters.")
    gtin: str = strawberry.field(description="Its GTIN, padded with zeros to 14 digits.")
    name: str = strawberry.field(description="Its name.")
    brand: str = strawberry.field(description="Its brand; may be empty.")
    description: str = strawberry.field(description="What it is; may be empty.")
    country_of_origin: str = strawberry.field(description="ISO 3166-1 alpha-2 code; empty when not recorded.")
    net_content: str = strawberry.field(description="Quantity as printed, for example `200 g`; may be empty.")
    data_source: str = strawberry.field(description="Where the record came from, for example `open_food_facts`.")
    organization_id: strawberry.ID = strawberry.field(description="The organisation that owns it.")
    metadata: Metadata = strawberry.field(description="The owner's own data about it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = strawberry.field(description="Counts its changes, from 1.")

    @batched(description="The certifications it holds, by label. Private ones of other organisations are left out.")
    @staticmethod
    async def certifications(parents: list[records.Product], info: Info) -> list[list[CertificationAssignment]]:
        """The certifications of all these products in one statement."""
        gtins = [parent.gtin for parent in parents]
        return shown(await certifications.certifications_of_products(info.context.operation, gtins))

    @batched(description="The claims it makes, by label.")
    @staticmethod
    async def claims(parents: list[records.Product], info: Info) -> list[list[ClaimAssignment]]:
        """The claims of all these products in one statement."""
        return shown(await claims.claims_of_products(info.context.operation, [parent.gtin for parent in parents]))


@strawberry.type(description="Where a page lies in the whole list.")
class PageInfo:
    """As in the Relay connection specification."""

    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(
        description="Whether the page was asked for `after` another; nothing is counted."
    )
    start_cursor: str | None = strawberry.field(description="Cursor of the first item; null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last item, for `after` of the next page; null on an empty page."
    )


@strawberry.type(description="A product in a page.")
class ProductEdge:
    """As in the Relay connection specification."""

    cursor: str = strawberry.field(description="Where this product lies in the list.")
    node: Product = strawberry.field(description="The product.")


@strawberry.type(description="A page of products.")
class ProductConnection:
    """As in the Relay connection specification, with `nodes` for those who need no cursors."""

    edges: list[ProductEdge] = strawberry.field(description="The products with their cursors.")
    nodes: list[Product] = strawberry.field(description="The products alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@strawberry.type
class ProductQueries:
    """The root fields about products."""

    @strawberry.field(description="One product; null when there is none under that GTIN.")
    async def product(
        self,
        info: Info,
        gtin: Annotated[str, strawberry.argument(description="8 to 14 digits, without blanks or hyphens.")],
    ) -> Product | None:
        """A product by its GTIN."""
        return shown(await products.product(info.context.operation, parse_gtin(gtin)))

    @strawberry.field(description="Products in the order of their GTINs, page by page.")
    async def products(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="How many, 1 to 100.")] = 25,
        after: Annotated[
            str | None, strawberry.argument(description="Continue behind this cursor of an earlier page.")
        ] = None,
        search: Annotated[
            str | None, strawberry.argument(description="A part of the name, the brand or the GTIN.")
        ] = None,
    ) -> ProductConnection:
        """A keyset page of products."""
        behind = read_product_cursor(after, "after") if after else ""
        page = await products.page_of_products(
            info.context.operation, 25 if first is None else first, behind, search or ""
        )
        cursors = [product_cursor(item.gtin) for item in page.products]
        return ProductConnection(
            edges=[
                ProductEdge(cursor=cursor, node=shown(item))
                for cursor, item in zip(cursors, page.products, strict=True)
            ],
            nodes=shown(page.products),
            page_info=PageInfo(
                has_next_page=page.has_next,
                has_previous_page=bool(behind),
                start_cursor=cursors[0] if cursors else None,
                end_cursor=cursors[-1] if cursors else None,
            ),
        )
