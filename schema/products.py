"""Products in GraphQL."""

from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import records, vocabulary
from domain.commands import CreateProduct, PatchProduct
from domain.filter_input import PRODUCTS
from domain.gtin import parse_gtin
from domain.paging import product_order
from execution.batched import batched
from execution.wanted import reads, wanted
from resolvers import certifications, claims, products
from schema.certifications import CertificationAssignment
from schema.changes import Success
from schema.claims import ClaimAssignment
from schema.connections import After, Before, Connection, First, Last, asked_for, connection
from schema.context import Info
from schema.filters import ProductOrder, ProductWhere
from schema.inputs import patch_members, sent_members
from schema.nodes import Node
from schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    NotFoundProblem,
    PreconditionFailedProblem,
    ValidationProblem,
    as_mutation,
)
from schema.records import record_type, shown
from schema.scalars import Metadata


@record_type(records.Product, description="A product under its GTIN, the number of its barcode.")
class Product(Node):
    """Contract 8, as far as it bears on certifications and claims."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters.")
    gtin: str = strawberry.field(description="Its GTIN, padded with zeros to 14 digits.")
    name: str = strawberry.field(description="Its name.")
    brand: str = strawberry.field(description="Its brand; may be empty.")
    description: str = strawberry.field(description="What it is; may be empty.")
    country_of_origin: str = strawberry.field(
        description="Where it comes from, as ISO 3166-1 alpha-2 code; empty when not recorded."
    )
    net_content: str = strawberry.field(description="Quantity as printed, for example `200 g`; may be empty.")
    ingredients: str = strawberry.field(description="Ingredients as printed; may be empty.")
    manufacturer: str = strawberry.field(description="Who makes it; may be empty.")
    image_url: str = strawberry.field(description="URL of a picture; empty for none.")
    data_source: vocabulary.DataSource = strawberry.field(description="Where the record came from.")
    organization_id: strawberry.ID = strawberry.field(description="The organisation that owns it.")
    metadata: Metadata = strawberry.field(
        description="The own data of the organisation that owns it, about it; empty for everybody else."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = strawberry.field(description="Counts its changes, from 1.")

    @batched(
        description="The certifications it holds, by label. Private ones of other organisations are left out.",
        metadata=reads("gtin"),
    )
    @staticmethod
    async def certifications(parents: list[records.Product], info: Info) -> list[list[CertificationAssignment]]:
        """The certifications of all these products in one statement."""
        gtins = [parent.gtin for parent in parents]
        read = wanted(info, "CertificationAssignment")
        return shown(await certifications.certifications_of_products(info.context.operation, gtins, read))

    @batched(description="The claims it makes, by label.", metadata=reads("gtin"))
    @staticmethod
    async def claims(parents: list[records.Product], info: Info) -> list[list[ClaimAssignment]]:
        """The claims of all these products in one statement."""
        gtins = [parent.gtin for parent in parents]
        read = wanted(info, "ClaimAssignment")
        return shown(await claims.claims_of_products(info.context.operation, gtins, read))


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
    ) -> Product | None:
        """A product by its GTIN."""
        return shown(await products.product(info.context.operation, parse_gtin(gtin), wanted(info, "Product")))

    @strawberry.field(description="Everybody's products, page by page.")
    async def products(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        where: Annotated[ProductWhere | None, strawberry.argument(description="Which products.")] = None,
        order_by: Annotated[
            ProductOrder | None, strawberry.argument(description="The order; by GTIN if left out.")
        ] = None,
    ) -> Connection[Product] | None:
        """A page of products."""
        order = product_order(order_by.field, descending=order_by.descending) if order_by else product_order()
        asked = await asked_for(info, PRODUCTS, order, where, (first, after, last, before), "Product")
        operation = info.context.operation
        page = await products.page_of_products(operation, asked.where, order, asked.window)
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
    name: str | None = strawberry.field(default=None, description="Its name; at most 255 characters.")
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
    name: str | None = strawberry.field(default=None, description="Its name; at most 255 characters.")
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


@strawberry.type(description="The product was made.")
class ProductCreated(Success):
    """Success of `createProduct`."""

    product: Product = strawberry.field(description="The new product.")


@strawberry.type(description="The product is as asked for.")
class ProductPatched(Success):
    """Success of `patchProduct`."""

    product: Product = strawberry.field(description="The product after the change.")


CreateProductResult = Annotated[
    ProductCreated | ConflictProblem | ValidationProblem | ForbiddenProblem,
    strawberry.union("CreateProductResult", description="What became of `createProduct`."),
]
PatchProductResult = Annotated[
    ProductPatched | NotFoundProblem | ValidationProblem | ForbiddenProblem | PreconditionFailedProblem,
    strawberry.union("PatchProductResult", description="What became of `patchProduct`."),
]


def _named(members: dict[str, Any]) -> dict[str, Any]:
    # The contract's name for it; `schema.problems` translates it back.
    if "name" in members:
        members["product_name"] = members.pop("name")
    return members


@strawberry.type
class ProductMutations:
    """The root fields that make and change products."""

    @strawberry.mutation(description="Makes a product that your organisation owns.")
    @as_mutation
    async def create_product(
        self, info: Info, input: Annotated[CreateProductInput, strawberry.argument(description="The product.")]
    ) -> CreateProductResult:
        """Contract 8."""
        command = CreateProduct.parse(_named(sent_members(input)))
        change = await products.create_product(info.context.operation, command)
        return ProductCreated(change=change, product=shown(change.after))

    @strawberry.mutation(description="Changes a product that your organisation owns.")
    @as_mutation
    async def patch_product(
        self,
        info: Info,
        input: Annotated[PatchProductInput, strawberry.argument(description="Which product, and what changes.")],
    ) -> PatchProductResult:
        """Contract 8."""
        command = PatchProduct.parse(_named(patch_members(input)))
        change = await products.patch_product(info.context.operation, command)
        return ProductPatched(change=change, product=shown(change.after))
