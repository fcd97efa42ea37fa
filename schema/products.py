"""Products in GraphQL."""

from typing import Annotated

import strawberry

from domain.errors import AlreadyExists, NotFound
from domain.gtin import parse_gtin
from domain.lists import PRODUCTS
from execution.run.wanted import wanted
from resolvers import products
from schema.changes import success_type
from schema.connections import Connection, ListRequest, connection, paged
from schema.context import Info
from schema.mutations import Mutation, Wording
from schema.objects import ProductType
from schema.records import shown
from schema.scalars import Metadata


@strawberry.type
class ProductQueries:
    """The root fields about products."""

    @strawberry.field(description="One product; null when there is none under that GTIN.")
    async def product(
        self,
        info: Info,
        gtin: Annotated[
            str,
            strawberry.argument(description="The number of its barcode: 8 to 14 digits, without blanks or hyphens."),
        ],
    ) -> ProductType | None:
        """A product by its GTIN."""
        return shown(await products.product(info.context.operation, parse_gtin(gtin), wanted(info, "Product")))

    @strawberry.field(description="Everybody's products, page by page.")
    @paged(PRODUCTS)
    async def products(self, info: Info, asked: ListRequest) -> Connection[ProductType] | None:
        """A page of products."""
        operation = info.context.operation
        page = await products.page_of_products(operation, asked.where, asked.order, asked.window)
        return connection(page, asked, lambda: products.count_products(operation, asked.where))


@strawberry.input(description="A new product of your organisation.")
class CreateProductInput:
    """Contract 8."""

    gtin: str = strawberry.field(
        description="Its GTIN: 8, 12, 13 or 14 digits; hyphens and blanks are ignored, the check digit must be right."
    )
    organization_id: strawberry.ID | None = strawberry.field(
        default=None, description="The organisation that is to own it; the one that you act for if left out."
    )
    product_name: str | None = strawberry.field(
        name="name", default=None, description="Its name; at most 255 characters."
    )
    brand: str | None = strawberry.field(default=None, description="Its brand; at most 255 characters.")
    manufacturer: str | None = strawberry.field(default=None, description="Who makes it; at most 255 characters.")
    description: str | None = strawberry.field(default=None, description="What it is.")
    country_of_origin: str | None = strawberry.field(
        default=None, description="Where it comes from: an ISO 3166-1 alpha-2 code, upper case."
    )
    net_content: str | None = strawberry.field(
        default=None, description="Quantity as printed, for example `200 g`; at most 100 characters."
    )
    ingredients: str | None = strawberry.field(default=None, description="Ingredients as printed.")
    image_url: str | None = strawberry.field(default=None, description="A picture of it: an http(s) URL.")
    metadata: Metadata | None = strawberry.field(default=None, description="Your own data about it.")


@strawberry.input(
    description=(
        "Which product to change, and its new values. A member that is left out or null stays as it is;"
        " an empty text empties."
    )
)
class PatchProductInput:
    """Contract 8."""

    gtin: str = strawberry.field(description="Its GTIN: 8 to 14 digits; hyphens and blanks are ignored.")
    product_name: str | None = strawberry.field(
        name="name", default=None, description="Its name; at most 255 characters."
    )
    brand: str | None = strawberry.field(default=None, description="Its brand; at most 255 characters.")
    manufacturer: str | None = strawberry.field(default=None, description="Who makes it; at most 255 characters.")
    description: str | None = strawberry.field(default=None, description="What it is.")
    country_of_origin: str | None = strawberry.field(
        default=None, description="Where it comes from: an ISO 3166-1 alpha-2 code, upper case."
    )
    net_content: str | None = strawberry.field(
        default=None, description="Quantity as printed, for example `200 g`; at most 100 characters."
    )
    ingredients: str | None = strawberry.field(default=None, description="Ingredients as printed.")
    image_url: str | None = strawberry.field(default=None, description="A picture of it: an http(s) URL.")
    metadata: Metadata | None = strawberry.field(
        default=None, description="Your own data about it, merged into what is stored."
    )
    clear_metadata: bool = strawberry.field(default=False, description="Delete all metadata.")
    if_match: int | None = strawberry.field(
        default=None, description="Refuse the change unless the product is at this `version`."
    )


MUTATIONS = [
    Mutation(
        operation=products.create_product,
        input=CreateProductInput,
        success=success_type("ProductCreated", "The product was made.", "product", ProductType, "The new product."),
        refusals=(AlreadyExists,),
        words=Wording("Makes a product that your organisation owns.", "The product."),
    ),
    Mutation(
        operation=products.patch_product,
        input=PatchProductInput,
        success=success_type(
            "ProductPatched", "The product is as asked for.", "product", ProductType, "The product after the change."
        ),
        refusals=(NotFound,),
        words=Wording("Changes a product that your organisation owns.", "Which product, and what changes."),
    ),
]
