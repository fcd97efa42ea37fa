"""What a product holds and what it claims: endpoints C7 to C14, the same for both."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from domain.changes import Change
from domain.commands import (
    AssignCertification,
    AssignClaim,
    GetCertificationAssignment,
    GetClaimAssignment,
    ListProductCertifications,
    ListProductClaims,
    NumberedPage,
    PageOfProductCertifications,
    PageOfProductClaims,
    PatchCertificationAssignment,
    PatchClaimAssignment,
    RemoveCertification,
    RemoveClaim,
)
from domain.listing import page_of
from domain.records import CertificationAssignment, ClaimAssignment
from resolvers import certifications, claims
from rest_compat import manners, wire
from rest_compat.endpoint import Call

A = TypeVar("A", CertificationAssignment, ClaimAssignment)


@dataclass(frozen=True)
class AssignmentEndpoints(Generic[A]):
    """The endpoints of one kind of assignments."""

    show: Callable[[A, date], Any]
    """An assignment as it is shown on that day."""
    all_of_product: Call[Any, list[A]]
    page_of_product: Call[Any, list[A]]
    """Takes a `NumberedPage`."""
    one_of_product: Call[Any, A]
    assign: Call[Any, Change[None, A]]
    patch_one: Call[Any, Change[A, A]]
    remove: Call[Any, Change[A, None]]

    async def list(self, request: Request) -> Response:
        """C7 and C11: a bare array."""
        context = request.state.context
        found = await self.all_of_product.operation(context, self.all_of_product.command.parse(wire.asked(request)))
        today = context.today
        return wire.answer([self.show(item, today) for item in found])

    async def page(self, request: Request) -> Response:
        """The Products API's twins of C7 and C11, in pages."""
        context = request.state.context
        command: NumberedPage = self.page_of_product.command.parse(wire.asked(request))
        found = await self.page_of_product.operation(context, command)
        today = context.today
        return wire.answer(wire.page(page_of(found, command), command, lambda item: self.show(item, today)))

    async def get(self, request: Request) -> Response:
        """One item of C7 or C11, under the path that C9 and C13 change and C10 and C14 remove."""
        command = self.one_of_product.command.parse(request.path_params)
        return self._answer(request, await self.one_of_product.operation(request.state.context, command))

    async def create(self, request: Request) -> Response:
        """C8 and C12."""
        command = await manners.read_command(request, self.assign.command)
        return self._answer(request, (await self.assign.operation(request.state.context, command)).after, 201)

    async def patch(self, request: Request) -> Response:
        """C9 and C13."""
        command = await manners.read_command(request, self.patch_one.command)
        return self._answer(request, (await self.patch_one.operation(request.state.context, command)).after)

    async def delete(self, request: Request) -> Response:
        """C10 and C14."""
        await self.remove.operation(request.state.context, self.remove.command.parse(request.path_params))
        return Response(status_code=204)

    def _answer(self, request: Request, assignment: A, status: int = 200) -> Response:
        context = request.state.context
        return wire.answer(self.show(assignment, context.today), status, wire.tag(context, assignment))


CERTIFICATIONS = AssignmentEndpoints(
    wire.certification_assignment,
    all_of_product=Call(ListProductCertifications, certifications.list_product_certifications),
    page_of_product=Call(PageOfProductCertifications, certifications.list_product_certifications),
    one_of_product=Call(GetCertificationAssignment, certifications.product_certification),
    assign=Call(AssignCertification, certifications.assign_certification),
    patch_one=Call(PatchCertificationAssignment, certifications.patch_certification_assignment),
    remove=Call(RemoveCertification, certifications.remove_certification),
)
CLAIMS = AssignmentEndpoints(
    lambda assignment, _: wire.claim_assignment(assignment),
    all_of_product=Call(ListProductClaims, claims.list_product_claims),
    page_of_product=Call(PageOfProductClaims, claims.list_product_claims),
    one_of_product=Call(GetClaimAssignment, claims.product_claim),
    assign=Call(AssignClaim, claims.assign_claim),
    patch_one=Call(PatchClaimAssignment, claims.patch_claim_assignment),
    remove=Call(RemoveClaim, claims.remove_claim),
)
