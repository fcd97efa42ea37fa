"""Certification bodies, certifications, and the certifications of a product: endpoints C2, C4, C7 and C9."""

from starlette.requests import Request
from starlette.responses import Response

from domain.commands import ListProductCertifications, PatchCertificationAssignment
from domain.errors import NotFound
from domain.short_id import parse_short_id
from resolvers import bodies, certifications
from rest_compat import wire


async def get_certification_body(request: Request) -> Response:
    """C2."""
    id = parse_short_id(request.path_params["id"])
    found = await bodies.certification_body(request.state.context, id)
    if found is None:
        raise NotFound(f"No certification body has the id {id}; take it from the list of bodies.")
    return wire.answer(wire.certification_body(found))


async def get_certification(request: Request) -> Response:
    """C4."""
    id = parse_short_id(request.path_params["id"])
    found = await certifications.certification(request.state.context, id)
    if found is None:
        raise NotFound(f"No certification has the id {id}; take it from the list of certifications.")
    return wire.answer(wire.certification(found))


async def list_product_certifications(request: Request) -> Response:
    """C7: a bare array."""
    context = request.state.context
    command = ListProductCertifications.parse(wire.members(request, request.query_params))
    found = await certifications.list_product_certifications(context, command)
    return wire.answer([wire.certification_assignment(item, context.today) for item in found])


async def patch_product_certification(request: Request) -> Response:
    """C9."""
    context = request.state.context
    command = PatchCertificationAssignment.parse(wire.members(request, await wire.read_object(request)))
    patched = await certifications.patch_certification_assignment(context, command)
    return wire.answer(wire.certification_assignment(patched, context.today))
