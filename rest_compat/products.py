"""Products: endpoint C15 and the part of the Products API that bears on certifications."""

from starlette.requests import Request
from starlette.responses import Response

from domain.commands import CreateProduct, GetCertifiedProduct, ListProducts, ListTradeItems, PatchProduct
from domain.gtin import parse_separated_gtin
from domain.records import Product
from domain.vocabulary import ProductFormat
from resolvers import assignments, certifications, claims, products
from rest_compat import manners, wire

LINKED_DATA = "application/ld+json"
_PRODUCT_FORMATS = {"application/json": ProductFormat.JSON, LINKED_DATA: ProductFormat.JSON_LD}


async def get_certified_product(request: Request) -> Response:
    """C15: a product with what it holds and claims, as agents ask for it."""
    context = request.state.context
    command = GetCertifiedProduct.parse(wire.asked(request))
    found = await products.existing_product(context, command.gtin)
    held = (await assignments.of_products(context, certifications.KIND, [found.gtin]))[0]
    claimed = (await assignments.of_products(context, claims.KIND, [found.gtin]))[0]
    form = command.format or ProductFormat(manners.preferred(request, _PRODUCT_FORMATS))
    if form is ProductFormat.JSON:
        return wire.answer(wire.certified_product(found, held, claimed, context.today))
    # Most start without them.
    from files import gs1_us, json_ld

    document = (
        json_ld.product_document(found, held, claimed, context.today)
        if form is ProductFormat.JSON_LD
        else gs1_us.product_document(found, held, context.today)
    )
    return wire.answer(document, media_type=LINKED_DATA)


async def list_products(request: Request) -> Response:
    """What one organisation owns."""
    command = ListProducts.parse(wire.asked(request))
    found = await products.list_products(request.state.context, command)
    return wire.answer(wire.page(found, command, wire.product))


async def list_trade_items(request: Request) -> Response:
    """The products of everybody."""
    command = ListTradeItems.parse(wire.asked(request))
    found = await products.list_trade_items(request.state.context, command)
    return wire.answer(wire.page(found, command, wire.product))


async def get_product(request: Request) -> Response:
    """One product; hyphens and blanks in the GTIN are ignored."""
    gtin = parse_separated_gtin(request.path_params["gtin"])
    return _answer(request, await products.existing_product(request.state.context, gtin))


async def create_product(request: Request) -> Response:
    """A new product."""
    command = await manners.read_command(request, CreateProduct)
    return _answer(request, (await products.create_product(request.state.context, command)).after, 201)


async def patch_product(request: Request) -> Response:
    """Changes a product."""
    command = await manners.read_command(request, PatchProduct)
    return _answer(request, (await products.patch_product(request.state.context, command)).after)


def _answer(request: Request, product: Product, status: int = 200) -> Response:
    return wire.answer(wire.product(product), status, wire.tag(request.state.context, product))
