"""Claims, and the claims of a product: endpoints C5, C6 and C11 to C14."""

from starlette.requests import Request
from starlette.responses import Response

from domain.commands import (
    AssignClaim,
    GetClaimAssignment,
    ListClaims,
    PageOfProductClaims,
    PatchClaimAssignment,
    RemoveClaim,
)
from domain.gtin import parse_gtin
from domain.listing import page_of
from domain.short_id import parse_short_id
from resolvers import claims
from rest_compat import manners, wire


async def list_claims(request: Request) -> Response:
    """C5."""
    command = ListClaims.parse(wire.asked(request))
    found = await claims.list_claims(request.state.context, command)
    return wire.answer(wire.page(page_of(found, command), command, wire.claim))


async def get_claim(request: Request) -> Response:
    """C6."""
    id = parse_short_id(request.path_params["id"])
    return wire.answer(wire.claim(await claims.existing_claim(request.state.context, id)))


async def list_product_claims(request: Request) -> Response:
    """C11: a bare array, no query parameters."""
    gtin = parse_gtin(request.path_params["gtin"])
    found = await claims.list_product_claims(request.state.context, gtin)
    return wire.answer([wire.claim_assignment(item) for item in found])


async def get_product_claim(request: Request) -> Response:
    """One item of C11, under the path that C13 changes and C14 removes."""
    context = request.state.context
    found = await claims.product_claim(context, GetClaimAssignment.parse(request.path_params))
    return wire.answer(wire.claim_assignment(found), tag=wire.tag(context, found))


async def page_product_claims(request: Request) -> Response:
    """The Products API's twin of C11, in pages."""
    command = PageOfProductClaims.parse(wire.asked(request))
    found = await claims.list_product_claims(request.state.context, command.gtin)
    return wire.answer(wire.page(page_of(found, command), command, wire.claim_assignment))


async def create_product_claim(request: Request) -> Response:
    """C12."""
    command = await manners.read_command(request, AssignClaim)
    context = request.state.context
    assigned = (await claims.assign_claim(context, command)).after
    return wire.answer(wire.claim_assignment(assigned), 201, wire.tag(context, assigned))


async def patch_product_claim(request: Request) -> Response:
    """C13."""
    command = await manners.read_command(request, PatchClaimAssignment)
    context = request.state.context
    patched = (await claims.patch_claim_assignment(context, command)).after
    return wire.answer(wire.claim_assignment(patched), tag=wire.tag(context, patched))


async def delete_product_claim(request: Request) -> Response:
    """C14."""
    await claims.remove_claim(request.state.context, RemoveClaim.parse(request.path_params))
    return Response(status_code=204)
