"""JSON in and out: request bodies to plain values, records to the documented objects (contract 2)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import InvalidInput, Violation
from domain.records import Certification, CertificationAssignment, CertificationBody, Claim, ClaimAssignment
from domain.validity import is_active
from rest_compat.problem import BadBody

JSON_TYPES = ("application/json", "application/merge-patch+json")


async def read_object(request: Request) -> dict[str, Any]:
    """The body, one JSON object. Raises `BadBody`, `InvalidInput`, or `HTTPException` 415."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in JSON_TYPES:
        accepted = "Accept-Patch" if request.method == "PATCH" else "Accept-Post"
        raise HTTPException(
            415,
            "Send the body as JSON, with the header Content-Type: application/json.",
            {accepted: ", ".join(JSON_TYPES)},
        )
    body = await request.body()
    if not body:
        raise InvalidInput([Violation((), "Field required", "missing")])
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBody(str(error)) from None
    except RecursionError:
        raise BadBody("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise InvalidInput([Violation((), "Input should be a valid dictionary", "dict_type")])
    return value


def members(request: Request, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller sent together with the path's own parameters, which win."""
    return {**sent, **request.path_params}


def answer(content: Any, status: int = 200) -> Response:
    """A JSON response."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def certification_body(record: CertificationBody) -> dict[str, Any]:
    """Contract 2.1."""
    return {
        "id": record.id,
        "name": record.name,
        "website": record.website,
        "description": record.description,
        "logo_url": record.logo_url,
    }


def certification(record: Certification) -> dict[str, Any]:
    """Contract 2.2: the body appears by its name only."""
    return {
        "id": record.id,
        "label": record.label,
        "code": record.code,
        "description": record.description,
        "url": record.url,
        "logo_url": record.logo_url,
        "certification_body_name": record.body.name if record.body else None,
        "program": record.program,
        "standard": record.standard,
    }


def claim(record: Claim) -> dict[str, Any]:
    """Contract 2.3."""
    return {
        "id": record.id,
        "code": record.code,
        "label": record.label,
        "category": record.category,
        "requires_definition": record.requires_definition,
        "description": record.description,
    }


def certification_assignment(record: CertificationAssignment, today: date) -> dict[str, Any]:
    """Contract 2.4: `id` is the certification's, and what is not the assignment's own comes from the definition."""
    definition = record.certification
    return {
        "id": definition.id,
        "label": definition.label,
        "is_active": is_active(record.valid_from, record.expiration_date, today),
        "metadata": record.metadata,
        "code": definition.code,
        "description": definition.description,
        "url": definition.url,
        "logo_url": definition.logo_url,
        "valid_from": record.valid_from,
        "expiration_date": record.expiration_date,
        "certificate_number": record.certificate_number,
        "issuing_body": record.issuing_body,
        "expiry_date": record.expiry_date,
        "verification_url": record.verification_url,
        "verification_status": record.verification_status,
        "scope": record.scope,
        "certification_value": record.certification_value,
        "audit_date": record.audit_date,
        "initial_certification_date": record.initial_certification_date,
        "certificate_countries": record.certificate_countries,
    }


def claim_assignment(record: ClaimAssignment) -> dict[str, Any]:
    """Contract 2.8: `id` is the claim's; evidence is never shown here."""
    definition = record.claim
    return {
        "id": definition.id,
        "label": definition.label,
        "code": definition.code,
        "category": definition.category,
        "source": record.source,
        "metadata": record.metadata,
        "valid_from": record.valid_from,
        "expiration_date": record.expiration_date,
    }
