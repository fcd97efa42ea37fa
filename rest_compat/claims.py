"""Claims, and the claims of a product: endpoints C6, C11 and C12."""

from starlette.requests import Request
from starlette.responses import Response

from domain.commands import AssignClaim
from domain.errors import NotFound
from domain.gtin import parse_gtin
from domain.short_id import parse_short_id
from resolvers import claims
from rest_compat import wire


async def get_claim(request: Request) -> Response:
    """C6."""
    id = parse_short_id(request.path_params["id"])
    found = await claims.claim(request.state.context, id)
    if found is None:
        raise NotFound(f"No claim has the id {id}; take it from the list of claims.")
    return wire.answer(wire.claim(found))


async def list_product_claims(request: Request) -> Response:
    """C11: a bare array, no query parameters."""
    gtin = parse_gtin(request.path_params["gtin"])
    found = await claims.list_product_claims(request.state.context, gtin)
    return wire.answer([wire.claim_assignment(item) for item in found])


async def create_product_claim(request: Request) -> Response:
    """C12."""
    command = AssignClaim.parse(wire.members(request, await wire.read_object(request)))
    assigned = await claims.assign_claim(request.state.context, command)
    return wire.answer(wire.claim_assignment(assigned), 201)
