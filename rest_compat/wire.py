"""What is answered, as documented objects in JSON (contract 2)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
from starlette.requests import Request

from domain.account import ApiKey, NewApiKey, WhoAmI
from domain.commands import GetCertifiedProduct, NumberedPage
from domain.listing import Numbered, page_of
from domain.records import Certification, CertificationAssignment, CertificationBody, Claim, ClaimAssignment, Product
from domain.validity import is_active
from domain.vocabulary import ProductFormat
from rest_compat.account_outputs import ApiKeyCreatedOut, ApiKeyOut, OwnApiKeyOut, OwnOrganizationOut, WhoAmIOut
from rest_compat.asking import preferred
from rest_compat.endpoint import Form
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
from rest_compat.reads import CertifiedProduct

JSON = "application/json"

# Maps are sorted, because PostgreSQL forgets their order: one state is always shown in the same bytes.
_encoder = msgspec.json.Encoder(order="deterministic")

Show = Callable[[Any, datetime], Any]
"""The documented object of a record at the moment of the request."""


def encoded(out: type[msgspec.Struct], form: Form, command: Any, answer: Any, now: datetime) -> bytes:
    """What an operation answers to a command, as JSON of such objects."""
    show = SHOWN[out]
    if form == "one":
        return _encoder.encode(show(answer, now))
    if form == "list":
        return _encoder.encode([show(item, now) for item in answer])
    found = answer if isinstance(answer, Numbered) else page_of(answer, command)
    return _encoder.encode(PageOut([show(item, now) for item in found.items], _pagination(command, found.total)))


def _pagination(asked: NumberedPage, total: int) -> Pagination:
    pages = -(-total // asked.page_size)
    return Pagination(
        asked.page, asked.page_size, total, pages, has_next=asked.page < pages, has_previous=asked.page > 1
    )


def _copied(out: type[msgspec.Struct], record: type, **others: str | Callable[[Any, datetime], Any]) -> Show:
    """Shows a record by the names of the struct's members. `others` are those that it has not under their own name:
    the way to them, or how they are computed. A member that is in neither keeps the struct's default.
    """
    ways = {name: name for name in out.__struct_fields__ if hasattr(record, name)} | others
    names = [name for name in out.__struct_fields__ if name in ways]
    computed = [(name, way) for name, way in others.items() if not isinstance(way, str)]
    # What is computed is put in afterwards.
    take = attrgetter(*(way if isinstance(way := ways[name], str) else "__class__" for name in names))
    in_order = len(names) == len(out.__struct_fields__)

    def show(found: Any, now: datetime) -> msgspec.Struct:
        # By their names it takes six times as long, for each of a page.
        shown = out(*take(found)) if in_order else out(**dict(zip(names, take(found), strict=True)))
        for name, compute in computed:
            setattr(shown, name, compute(found, now))
        return shown

    return show


def _of(part: str, *names: str) -> dict[str, str]:
    """The members that a part of the record has."""
    return {name: f"{part}.{name}" for name in names}


def _moment(way: str) -> Callable[[Any, datetime], str | None]:
    take = attrgetter(way)

    def moment(record: Any, _: datetime) -> str | None:
        at = take(record)
        return None if at is None else at.isoformat(timespec="seconds")

    return moment


def _is_active(assignment: CertificationAssignment, now: datetime) -> bool:
    return is_active(assignment.valid_from, assignment.expiration_date, now.date())


def _whoami(who: WhoAmI, now: datetime) -> WhoAmIOut:
    user = who.user
    return WhoAmIOut(
        user_id=user.id if user else None,
        email=user.email if user else None,
        organizations=[OwnOrganizationOut(id=item.id, name=item.name) for item in who.organizations],
        metadata=user.metadata if user else {},
        api_key=SHOWN[OwnApiKeyOut](who.api_key, now) if who.api_key else None,
    )


LINKED_DATA = "application/ld+json"
_PRODUCT_FORMATS = {JSON: ProductFormat.JSON, LINKED_DATA: ProductFormat.JSON_LD}


def certified_product(request: Request, command: GetCertifiedProduct, found: CertifiedProduct) -> tuple[bytes, str]:
    """C15 in the form that was asked for, and its media type."""
    now: datetime = request.state.context.now
    form = command.format or ProductFormat(preferred(request, _PRODUCT_FORMATS))
    if form is ProductFormat.JSON:
        return _encoder.encode(_certified_product(found, now)), JSON
    # Most start without them.
    from files import gs1_us, json_ld

    product, held, claimed = found
    document = (
        json_ld.product_document(product, held, claimed, now.date())
        if form is ProductFormat.JSON_LD
        else gs1_us.product_document(product, held, now.date())
    )
    return _encoder.encode(document), LINKED_DATA


def _certified_product(found: CertifiedProduct, now: datetime) -> CertifiedProductOut:
    held, claimed = SHOWN[CertificationAssignmentOut], SHOWN[ClaimAssignmentOut]
    return CertifiedProductOut(
        gtin=found.product.gtin,
        product_name=found.product.name,
        brand=found.product.brand,
        certifications=[held(item, now) for item in found.certifications],
        claims=[claimed(item, now) for item in found.claims],
    )


SHOWN: Mapping[type[msgspec.Struct], Show] = {
    CertificationBodyOut: _copied(CertificationBodyOut, CertificationBody),
    CertificationOut: _copied(
        CertificationOut,
        Certification,
        certification_body_name=lambda record, _: record.body.name if record.body else None,
    ),
    ClaimOut: _copied(ClaimOut, Claim),
    CertificationAssignmentOut: _copied(
        CertificationAssignmentOut,
        CertificationAssignment,
        **_of("certification", "id", "label", "code", "description", "url", "logo_url"),
        is_active=_is_active,
    ),
    ClaimAssignmentOut: _copied(ClaimAssignmentOut, ClaimAssignment, **_of("claim", "id", "label", "code", "category")),
    ProductOut: _copied(
        ProductOut, Product, product_name="name", owner_id="organization_id", is_claimed=lambda *_: True
    ),
    ApiKeyOut: _copied(
        ApiKeyOut,
        ApiKey,
        created=_moment("created_at"),
        is_active=lambda key, now: key.expires_at is None or key.expires_at > now,
        expires_at=_moment("expires_at"),
        last_used=_moment("last_used"),
    ),
    ApiKeyCreatedOut: _copied(
        ApiKeyCreatedOut,
        NewApiKey,
        **_of("entry", "id", "name", "role", "metadata", "description"),
        created=_moment("entry.created_at"),
        key="secret",
    ),
    OwnApiKeyOut: _copied(OwnApiKeyOut, ApiKey, created=_moment("created_at")),
    WhoAmIOut: _whoami,
}
"""How each answer is made. A product's members that are not recorded keep their defaults; evidence is never shown."""
