"""Certification bodies, certifications and claims: endpoints C1 to C6, the same for all three."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from domain.commands import ListCertificationBodies, ListCertifications, ListClaims, NumberedPage
from domain.listing import page_of
from domain.records import Certification, CertificationBody, Claim
from domain.short_id import ShortId, parse_short_id
from resolvers import bodies, certifications, claims
from resolvers.definitions import existing_definition
from resolvers.operation import Context
from rest_compat import wire
from rest_compat.endpoint import Call

D = TypeVar("D", CertificationBody, Certification, Claim)


@dataclass(frozen=True)
class DefinitionEndpoints(Generic[D]):
    """The endpoints of one kind of definitions."""

    every: Call[Any, list[D]]
    """Takes a `NumberedPage`."""
    existing: Callable[[Context, ShortId], Awaitable[D]]
    show: Callable[[D], Any]

    async def list(self, request: Request) -> Response:
        """C1, C3 and C5."""
        command: NumberedPage = self.every.command.parse(wire.asked(request))
        found = await self.every.operation(request.state.context, command)
        return wire.answer(wire.page(page_of(found, command), command, self.show))

    async def get(self, request: Request) -> Response:
        """C2, C4 and C6."""
        id = parse_short_id(request.path_params["id"])
        return wire.answer(self.show(await self.existing(request.state.context, id)))


BODIES = DefinitionEndpoints(
    Call(ListCertificationBodies, bodies.list_certification_bodies),
    bodies.existing_certification_body,
    wire.certification_body,
)
CERTIFICATIONS = DefinitionEndpoints(
    Call(ListCertifications, certifications.list_certifications),
    lambda context, key: existing_definition(context, certifications.KIND, key),
    wire.certification,
)
CLAIMS = DefinitionEndpoints(
    Call(ListClaims, claims.list_claims),
    lambda context, key: existing_definition(context, claims.KIND, key),
    wire.claim,
)
