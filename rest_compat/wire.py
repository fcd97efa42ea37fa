"""JSON in and out: request bodies to plain values, records to the documented objects (contract 2)."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain import commands
from domain.errors import Forbidden, InvalidInput, Violation
from domain.listing import Numbered
from domain.preconditions import Versioned, entity_tag
from domain.records import (
    Certification,
    CertificationAssignment,
    CertificationBody,
    Claim,
    ClaimAssignment,
    Product,
)
from domain.strict_json import decode
from domain.validity import is_active
from resolvers.operation import Context
from rest_compat import forms
from rest_compat.outputs import (
    CertificationAssignmentOut,
    CertificationBodyOut,
    CertificationOut,
    CertifiedProductOut,
    ClaimAssignmentOut,
    ClaimOut,
    PageOut,
    Pagination,
    ProductOut,
)

# Maps are sorted, because PostgreSQL forgets their order: one state is always shown in the same bytes.
_encoder = msgspec.json.Encoder(order="deterministic")

T = TypeVar("T")
R = TypeVar("R")

JSON_TYPES = ("application/json", "application/merge-patch+json")
BODY_TYPES = (*JSON_TYPES, forms.MEDIA_TYPE)


async def read_object(request: Request) -> dict[str, Any]:
    """The body, one JSON object, or a form. Raises `NotJson`, domain errors, or `HTTPException` 415."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == forms.MEDIA_TYPE:
        if request.state.context.caller.is_session:
            # A form is what another site can make a browser send, and what it cannot preflight.
            raise Forbidden("A signed-in browser should send JSON; forms need an API key or a token.")
        return forms.read_form(await request.body())
    if media_type not in JSON_TYPES:
        accepted = "Accept-Patch" if request.method == "PATCH" else "Accept-Post"
        raise HTTPException(
            415,
            "Send the body as JSON, with the header Content-Type: application/json;"
            f" {' and '.join(BODY_TYPES[1:])} are taken, too.",
            {accepted: ", ".join(BODY_TYPES)},
        )
    body = await request.body()
    if not body:
        raise InvalidInput([Violation((), "Field required", "missing")])
    value = decode(body)
    if not isinstance(value, dict):
        raise InvalidInput([Violation((), "Input should be a valid dictionary", "dict_type")])
    return value


def members(request: Request, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller sent together with the path's own parameters, which win."""
    return {**sent, **request.path_params}


def asked(request: Request) -> dict[str, Any]:
    """What the caller asks in the query, together with the path's own parameters."""
    # Taking an empty query apart takes as long as all that is asked in the path.
    return members(request, request.query_params if request.scope["query_string"] else {})


def answer(content: Any, status: int = 200, tag: str | None = None, media_type: str = "application/json") -> Response:
    """A JSON response; `tag` is the entity tag of the one record behind it, see `domain.preconditions`."""
    headers = None if tag is None else {"ETag": f'"{tag}"'}
    return Response(_encoder.encode(content), status, headers, media_type)


def tag(context: Context, record: Versioned) -> str | None:
    """The record's entity tag for who sees all of it. For anybody else the answer is named by what it says: its owner's
    notes would otherwise change the name of what stays the same.
    """
    return entity_tag(record, context.today) if context.caller.sees_all_of(record) else None


def certification_body(record: CertificationBody) -> CertificationBodyOut:
    """Contract 2.1."""
    return CertificationBodyOut(
        id=record.id,
        name=record.name,
        website=record.website,
        description=record.description,
        logo_url=record.logo_url,
    )


def certification(record: Certification) -> CertificationOut:
    """Contract 2.2: the body appears by its name only."""
    return CertificationOut(
        id=record.id,
        label=record.label,
        code=record.code,
        description=record.description,
        url=record.url,
        logo_url=record.logo_url,
        certification_body_name=record.body.name if record.body else None,
        program=record.program,
        standard=record.standard,
    )


def claim(record: Claim) -> ClaimOut:
    """Contract 2.3."""
    return ClaimOut(
        id=record.id,
        code=record.code,
        label=record.label,
        category=record.category,
        requires_definition=record.requires_definition,
        description=record.description,
    )


def certification_assignment(record: CertificationAssignment, today: date) -> CertificationAssignmentOut:
    """Contract 2.4: `id` is the certification's, and what is not the assignment's own comes from the definition."""
    definition = record.certification
    # By position, in the order of the struct: by their names it takes six times as long, for each of a page.
    return CertificationAssignmentOut(
        definition.id,
        definition.label,
        is_active(record.valid_from, record.expiration_date, today),
        record.metadata,
        definition.code,
        definition.description,
        definition.url,
        definition.logo_url,
        record.valid_from,
        record.expiration_date,
        record.certificate_number,
        record.issuing_body,
        record.expiry_date,
        record.verification_url,
        record.verification_status,
        record.scope,
        record.certification_value,
        record.audit_date,
        record.initial_certification_date,
        record.certificate_countries,
    )


def claim_assignment(record: ClaimAssignment) -> ClaimAssignmentOut:
    """Contract 2.8: `id` is the claim's; evidence is never shown here."""
    definition = record.claim
    return ClaimAssignmentOut(
        definition.id,
        definition.label,
        definition.code,
        definition.category,
        record.source,
        record.metadata,
        record.valid_from,
        record.expiration_date,
    )


def product(record: Product) -> ProductOut:
    """Contract 8. Members that are not recorded keep the struct's defaults."""
    return ProductOut(
        id=record.id,
        gtin=record.gtin,
        product_name=record.name,
        is_claimed=True,
        data_source=record.data_source,
        metadata=record.metadata,
        brand=record.brand,
        manufacturer=record.manufacturer,
        description=record.description,
        image_url=record.image_url,
        country_of_origin=record.country_of_origin,
        net_content=record.net_content,
        owner_id=record.organization_id,
    )


def certified_product(
    record: Product, held: list[CertificationAssignment], claimed: list[ClaimAssignment], today: date
) -> CertifiedProductOut:
    """Contract C15."""
    return CertifiedProductOut(
        gtin=record.gtin,
        product_name=record.name,
        brand=record.brand,
        certifications=[certification_assignment(item, today) for item in held],
        claims=[claim_assignment(item) for item in claimed],
    )


def page(found: Numbered[R], asked: commands.NumberedPage, show: Callable[[R], T]) -> PageOut[T]:
    """The envelope of a numbered list (contract 1.4): the items of the page that was asked for."""
    pages = -(-found.total // asked.page_size)
    return PageOut(
        [show(item) for item in found.items],
        Pagination(
            asked.page,
            asked.page_size,
            found.total,
            pages,
            has_next=asked.page < pages,
            has_previous=asked.page > 1,
        ),
    )
