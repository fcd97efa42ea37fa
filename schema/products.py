"""Products in GraphQL."""

from typing import Annotated

import strawberry

from domain.errors import AlreadyExists, Archived, NotFound
from domain.gtin import parse_gtin
from domain.lists import PRODUCTS
from resolvers import products
from resolvers.operation import MAX_ROWS
from schema.changes import success_type
from schema.connections import Connection, ListRequest, connection, paged
from schema.context import Info
from schema.mutations import Mutation, Wording
from schema.objects import ProductType
from schema.records import items_of, rows_of, shown
from schema.times import IN_TIME, in_time


@strawberry.type
class ProductQueries:
    """The root fields about products."""

    @strawberry.field(
        description="One product; null when there is none under that GTIN.",
        metadata=rows_of(products.BY_GTIN, "gtin", parse_gtin) | IN_TIME,
    )
    @in_time
    async def product(
        self,
        info: Info,
        gtin: Annotated[
            str,
            strawberry.argument(description="The number of its barcode: 8 to 14 digits, without blanks or hyphens."),
        ],
    ) -> ProductType | None:
        """A product by its GTIN."""
        return shown(await products.product(info.context.operation, parse_gtin(gtin)))

    @strawberry.field(description="Everybody's products, page by page.", metadata=items_of(products.BY_GTIN) | IN_TIME)
    @in_time
    @paged(PRODUCTS)
    async def products(self, info: Info, asked: ListRequest) -> Connection[ProductType] | None:
        """A page of products."""
        operation = info.context.operation
        page = await products.page_of_products(operation, asked.where, asked.order, asked.window)
        return connection(page, asked, lambda: products.count_products(operation, asked.where))


MUTATIONS = [
    Mutation(
        operation=products.create_product,
        asks="A new product of your organisation.",
        success=success_type("ProductCreated", "The product was made.", "product", ProductType, "The new product."),
        refusals=(AlreadyExists,),
        words=Wording("Makes a product that your organisation owns.", "The product."),
        bulk=Wording("Makes products that your organisation owns.", f"The products; at most {MAX_ROWS} rows."),
    ),
    Mutation(
        operation=products.patch_product,
        asks="Which product to change, and its new values.",
        versioned="product",
        refusals=(NotFound, Archived),
        success=success_type(
            "ProductPatched", "The product is as asked for.", "product", ProductType, "The product after the change."
        ),
        words=Wording("Changes a product that your organisation owns.", "Which product, and what changes."),
        bulk=Wording(
            "Changes products that your organisation owns.",
            f"Which products, and what changes; at most {MAX_ROWS} rows.",
        ),
    ),
    Mutation(
        operation=products.archive_product,
        asks="Which product to archive.",
        versioned="product",
        success=success_type(
            "ProductArchived", "The product is archived.", "product", ProductType, "The product, with `archivedAt`."
        ),
        words=Wording(
            "Takes a product that your organisation owns out of all lists, with what it holds and claims. It is kept,"
            " and found by its GTIN and by ids; nothing of it can be changed until it is restored.",
            "Which product.",
        ),
        bulk=Wording(
            "Takes products that your organisation owns out of all lists, as `archiveProduct` does.",
            f"Which products; at most {MAX_ROWS} rows.",
        ),
    ),
    Mutation(
        operation=products.restore_product,
        asks="Which product to restore.",
        versioned="product",
        success=success_type(
            "ProductRestored", "The product is in the lists.", "product", ProductType, "The product as it is now."
        ),
        words=Wording(
            "Brings an archived product that your organisation owns back, with what it holds and claims.",
            "Which product.",
        ),
        bulk=Wording(
            "Brings archived products that your organisation owns back.", f"Which products; at most {MAX_ROWS} rows."
        ),
    ),
]
