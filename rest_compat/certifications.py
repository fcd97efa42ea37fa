"""Certification bodies, certifications, and the certifications of a product: endpoints C1 to C4 and C7 to C10."""

from starlette.requests import Request
from starlette.responses import Response

from domain.commands import (
    AssignCertification,
    GetCertificationAssignment,
    ListCertificationBodies,
    ListCertifications,
    ListProductCertifications,
    PageOfProductCertifications,
    PatchCertificationAssignment,
    RemoveCertification,
)
from domain.listing import page_of
from domain.short_id import parse_short_id
from resolvers import bodies, certifications
from rest_compat import manners, wire


async def list_certification_bodies(request: Request) -> Response:
    """C1."""
    command = ListCertificationBodies.parse(wire.asked(request))
    found = await bodies.list_certification_bodies(request.state.context, command)
    return wire.answer(wire.page(page_of(found, command), command, wire.certification_body))


async def get_certification_body(request: Request) -> Response:
    """C2."""
    id = parse_short_id(request.path_params["id"])
    return wire.answer(wire.certification_body(await bodies.existing_certification_body(request.state.context, id)))


async def list_certifications(request: Request) -> Response:
    """C3."""
    command = ListCertifications.parse(wire.asked(request))
    found = await certifications.list_certifications(request.state.context, command)
    return wire.answer(wire.page(page_of(found, command), command, wire.certification))


async def get_certification(request: Request) -> Response:
    """C4."""
    id = parse_short_id(request.path_params["id"])
    return wire.answer(wire.certification(await certifications.existing_certification(request.state.context, id)))


async def list_product_certifications(request: Request) -> Response:
    """C7: a bare array."""
    context = request.state.context
    command = ListProductCertifications.parse(wire.asked(request))
    found = await certifications.list_product_certifications(context, command)
    return wire.answer([wire.certification_assignment(item, context.today) for item in found])


async def get_product_certification(request: Request) -> Response:
    """One item of C7, under the path that C9 changes and C10 removes."""
    context = request.state.context
    found = await certifications.product_certification(context, GetCertificationAssignment.parse(request.path_params))
    return wire.answer(wire.certification_assignment(found, context.today), tag=wire.tag(context, found))


async def page_product_certifications(request: Request) -> Response:
    """The Products API's twin of C7, in pages."""
    context = request.state.context
    command = PageOfProductCertifications.parse(wire.asked(request))
    found = await certifications.list_product_certifications(context, command)
    return wire.answer(
        wire.page(page_of(found, command), command, lambda item: wire.certification_assignment(item, context.today))
    )


async def create_product_certification(request: Request) -> Response:
    """C8."""
    context = request.state.context
    command = await manners.read_command(request, AssignCertification)
    assigned = (await certifications.assign_certification(context, command)).after
    return wire.answer(wire.certification_assignment(assigned, context.today), 201, wire.tag(context, assigned))


async def patch_product_certification(request: Request) -> Response:
    """C9."""
    context = request.state.context
    command = await manners.read_command(request, PatchCertificationAssignment)
    patched = (await certifications.patch_certification_assignment(context, command)).after
    return wire.answer(wire.certification_assignment(patched, context.today), tag=wire.tag(context, patched))


async def delete_product_certification(request: Request) -> Response:
    """C10."""
    command = RemoveCertification.parse(request.path_params)
    await certifications.remove_certification(request.state.context, command)
    return Response(status_code=204)
