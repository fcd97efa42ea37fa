"""The documented service's own description, as facts, beside ours.

Each fact (name, type, format, pattern, limit, enumeration, default, required list, status, security scheme) is declared
by our document too. Where ours says something else, or more, the difference stands here with its reason; a difference
that is gone has to go here as well.
"""

import json
from collections.abc import Iterator
from typing import Any

from rest_compat.openapi import document

SHORT_ID = {
    "type": "string",
    "format": "shortuuid",
    "minLength": 22,
    "maxLength": 22,
    "pattern": "^[23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz]{22}$",
}
DATE_OR_NULL = {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}
MAP = {"type": "object", "additionalProperties": {"type": "string"}}
PROBLEM = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorOut"}}}}

ASSIGN = "/certifications/api/v1/products/{gtin}/claims"
PATCH = "/certifications/api/v1/products/{gtin}/certifications/{certification_id}"

GTIN = {
    "in": "path",
    "name": "gtin",
    "required": True,
    "schema": {"type": "string", "minLength": 8, "maxLength": 14, "pattern": r"^\d{8,14}$", "title": "Gtin"},
}
SECURITY: list[dict[str, list[str]]] = [{"APIKeyHeaderAuth": []}, {"OAuthTokenAuth": []}, {"SessionAuth": []}]

SEED: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Certifications API", "version": "1.0.0"},
    "security": [],
    "tags": [
        {"name": "Certification Bodies"},
        {"name": "Certifications"},
        {"name": "Claims"},
        {"name": "Assignments"},
    ],
    "paths": {
        ASSIGN: {
            "post": {
                "tags": ["Assignments"],
                "operationId": "apps_certifications_api_create_product_claim",
                "parameters": [GTIN],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/ClaimAssignmentCreateIn"}}
                    },
                },
                "responses": {
                    "201": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ClaimAssignmentOut"}}}
                    },
                    "404": PROBLEM,
                    "409": PROBLEM,
                },
                "security": SECURITY,
            }
        },
        # Seen as rendered text, without the names of its components.
        PATCH: {
            "patch": {
                "tags": ["Assignments"],
                "parameters": [GTIN, {"in": "path", "name": "certification_id", "required": True, "schema": SHORT_ID}],
                "responses": {"200": {}, "404": {}},
                "security": SECURITY,
            }
        },
    },
    "components": {
        "schemas": {
            "ClaimAssignmentCreateIn": {
                "title": "ClaimAssignmentCreateIn",
                "type": "object",
                "required": ["claim_id"],
                "properties": {
                    "metadata": {"title": "Metadata", "anyOf": [MAP, {"type": "null"}]},
                    "claim_id": {"title": "Claim Id", **SHORT_ID},
                    "source": {"$ref": "#/components/schemas/ClaimSourceEnum", "default": "BRAND_SELF_DECLARED"},
                    "valid_from": {"title": "Valid From", **DATE_OR_NULL},
                    "expiration_date": {"title": "Expiration Date", **DATE_OR_NULL},
                    "evidence_url": {"title": "Evidence Url", "type": "string", "default": ""},
                    "evidence_note": {"title": "Evidence Note", "type": "string", "default": ""},
                },
            },
            "ClaimAssignmentOut": {
                "title": "ClaimAssignmentOut",
                "type": "object",
                "required": ["id", "label", "code", "category", "source"],
                "properties": {
                    "metadata": {"title": "Metadata", **MAP},
                    "id": {"title": "Id", **SHORT_ID},
                    "label": {"title": "Label", "type": "string", "maxLength": 100},
                    "code": {"title": "Code", "type": "string", "maxLength": 50},
                    "category": {"$ref": "#/components/schemas/ClaimCategoryEnum"},
                    "source": {"$ref": "#/components/schemas/ClaimSourceEnum"},
                    "valid_from": {"title": "Valid From", **DATE_OR_NULL},
                    "expiration_date": {"title": "Expiration Date", **DATE_OR_NULL},
                },
            },
            "ErrorOut": {
                "title": "ErrorOut",
                "type": "object",
                "required": ["type", "title", "status", "detail", "error_code", "timestamp"],
                "properties": {
                    "type": {"title": "Type", "type": "string"},
                    "title": {"title": "Title", "type": "string"},
                    "status": {"title": "Status", "type": "integer"},
                    "detail": {"title": "Detail", "type": "string"},
                    "error_code": {"title": "Error Code", "type": "string"},
                    "retryable": {"title": "Retryable", "type": "boolean", "default": False},
                    "timestamp": {"title": "Timestamp", "type": "string"},
                    "retry_after": {"title": "Retry After", "anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "owner_action_required": {
                        "title": "Owner Action Required",
                        "anyOf": [{"type": "boolean"}, {"type": "null"}],
                    },
                    "details": {"title": "Details"},
                },
            },
            "ClaimSourceEnum": {
                "title": "ClaimSourceEnum",
                "type": "string",
                "enum": ["BRAND_SELF_DECLARED", "THIRD_PARTY_VERIFIED"],
            },
            "ClaimCategoryEnum": {
                "title": "ClaimCategoryEnum",
                "type": "string",
                "enum": ["DIETARY", "INGREDIENT_ABSENCE", "ALLERGEN_FREE", "PROCESS", "SUSTAINABILITY", "OTHER"],
            },
            # From the rendered text of the second seed: members, limits and values, but no names of components.
            "CertificationAssignmentUpdateIn": {
                "type": "object",
                "properties": {
                    "metadata": {"anyOf": [MAP, {"type": "null"}]},
                    "valid_from": DATE_OR_NULL,
                    "expiration_date": DATE_OR_NULL,
                    "certificate_number": {"anyOf": [{"type": "string", "maxLength": 100}]},
                    "issuing_body": {"anyOf": [{"type": "string", "maxLength": 255}]},
                    "verification_url": {"anyOf": [{"type": "string"}]},
                    "verification_status": {"$ref": "#/components/schemas/VerificationStatusEnum"},
                    "scope": {"anyOf": [{"type": "string"}]},
                    "certification_value": {"anyOf": [{"type": "string", "maxLength": 255}]},
                    "audit_date": {"anyOf": [{"type": "string", "format": "date"}]},
                    "initial_certification_date": {"anyOf": [{"type": "string", "format": "date"}]},
                    "certificate_countries": {"anyOf": [{"type": "array", "items": {"type": "string"}}]},
                },
            },
            "CertificationAssignmentOut": {
                "type": "object",
                "required": ["id", "label", "is_active"],
                "properties": {
                    "id": SHORT_ID,
                    "label": {"type": "string", "maxLength": 255},
                    "is_active": {"type": "boolean"},
                    "metadata": MAP,
                    "code": {"type": "string", "maxLength": 50},
                    "description": {"type": "string"},
                    "url": {"type": "string"},
                    "logo_url": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "valid_from": DATE_OR_NULL,
                    "expiration_date": DATE_OR_NULL,
                    "certificate_number": {"type": "string", "maxLength": 100},
                    "issuing_body": {"type": "string", "maxLength": 255},
                    "expiry_date": DATE_OR_NULL,
                    "verification_url": {"type": "string"},
                    "verification_status": {
                        "$ref": "#/components/schemas/VerificationStatusEnum",
                        "default": "unverified",
                    },
                    "scope": {"type": "string"},
                    "certification_value": {"type": "string", "maxLength": 255},
                    "audit_date": DATE_OR_NULL,
                    "initial_certification_date": DATE_OR_NULL,
                    "certificate_countries": {"type": "array", "items": {"type": "string"}},
                },
            },
            "VerificationStatusEnum": {"type": "string", "enum": ["unverified", "verified", "expired"]},
        },
        "securitySchemes": {
            "APIKeyHeaderAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "OAuthTokenAuth": {"type": "http", "scheme": "bearer"},
            "SessionAuth": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
        },
    },
}

_WEB = "an http or https URL or nothing: others could run in a reader's browser"
_MAP = "the documented limits of metadata; a null value deletes its key"
_COUNTRY = "ISO 3166-1 alpha-2, as its text says"
_NULL = "null empties or clears, as `docs/contract-readings.md` says; the seed says nothing about null"
_PROBLEM = "the seed's own text says that errors are sent as application/problem+json"

_SIZE = "the size that the tables give it, so that clients know"

_schemas = "/components/schemas/"
_create = _schemas + "ClaimAssignmentCreateIn/properties/"
_update = _schemas + "CertificationAssignmentUpdateIn/properties/"
_held = _schemas + "CertificationAssignmentOut/properties/"
_claimed = _schemas + "ClaimAssignmentOut/properties/"
_problem = _schemas + "ErrorOut/properties/"
_errors = f"/paths/{ASSIGN}/post/responses/"

DIFFERENT = {
    _errors + "404/content/application/json": _PROBLEM,
    _errors + "409/content/application/json": _PROBLEM,
    _create + "metadata/anyOf": _MAP,
    _create + "evidence_url/format": _WEB,
    _create + "evidence_url/maxLength": _WEB,
    _create + "evidence_url/pattern": _WEB,
    _update + "metadata/anyOf": _MAP,
    _update + "certificate_number/anyOf": _NULL,
    _update + "issuing_body/anyOf": _NULL,
    _update + "verification_url/anyOf": f"{_WEB}; {_NULL}",
    _update + "scope/anyOf": _NULL,
    _update + "certification_value/anyOf": _NULL,
    _update + "audit_date/anyOf": _NULL,
    _update + "initial_certification_date/anyOf": _NULL,
    _update + "certificate_countries/anyOf": f"{_COUNTRY}; {_NULL}",
    _held + "certificate_countries/items/minLength": _COUNTRY,
    _held + "certificate_countries/items/maxLength": _COUNTRY,
    _held + "logo_url/anyOf": _SIZE,
    _held + "url/maxLength": _SIZE,
    _held + "verification_url/maxLength": _SIZE,
    _held + "metadata/propertyNames": _MAP,
    _held + "metadata/additionalProperties/maxLength": _MAP,
    _claimed + "metadata/propertyNames": _MAP,
    _claimed + "metadata/additionalProperties/maxLength": _MAP,
    _problem + "retry_after/anyOf": _SIZE,
    _problem + "status/format": _SIZE,
    _problem + "status/minimum": _SIZE,
    _problem + "status/maximum": _SIZE,
}
"""Where our document says something else or more -> why."""

CONSTRAINTS = {"type", "format", "pattern", "enum", "minLength", "maxLength", "minimum", "maximum", "propertyNames"}


def differences(seed: Any, ours: Any, whole: dict[str, Any], where: str = "") -> Iterator[str]:
    """Where a fact of the seed is not ours, or ours constrains what the seed does not."""
    ours = resolved(ours, seed, whole)
    if isinstance(seed, dict) and isinstance(ours, dict):
        for key, fact in seed.items():
            if key in ours:
                yield from differences(fact, ours[key], whole, f"{where}/{key}")
            else:
                yield f"{where}/{key}"
        if "schemas" in where and not where.endswith("/properties"):
            yield from (f"{where}/{key}" for key in ours.keys() & CONSTRAINTS - seed.keys())
    elif where.endswith(("/parameters", "/tags")) and isinstance(seed[0], dict):
        named = {resolved(item, {}, whole)["name"]: item for item in ours}
        for item in seed:
            if item["name"] in named:
                yield from differences(item, named[item["name"]], whole, f"{where}/{item['name']}")
            else:
                yield f"{where}/{item['name']}"
    elif seed != ours:
        yield where


def resolved(ours: Any, seed: Any, whole: dict[str, Any]) -> Any:
    """What a reference of ours stands for, unless the seed has that very reference."""
    if isinstance(ours, dict) and "$ref" in ours and "$ref" not in seed:
        found = whole
        for part in ours["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return found
    return ours


def test_every_fact_of_the_seeds_is_declared_or_different_for_a_reason() -> None:
    ours = json.loads(json.dumps(document("certifications", "/", "https://closient.com/docs/errors/")))
    assert set(differences(SEED, ours, ours)) == set(DIFFERENT)


def test_what_is_different_admits_all_that_the_seed_admits() -> None:
    # The members that only null was added to, or that the seed's own prose limits.
    ours = json.loads(json.dumps(document("certifications", "/", "https://closient.com/docs/errors/")))
    compared = []
    for name in ("ClaimAssignmentCreateIn", "CertificationAssignmentUpdateIn"):
        declared = ours["components"]["schemas"][name]["properties"]
        for member, seed in SEED["components"]["schemas"][name]["properties"].items():
            for option in seed.get("anyOf", ()):
                types = [item.get("type") for item in declared[member]["anyOf"]]
                assert option["type"] in types, member
                compared.append((name, member))
    assert ("ClaimAssignmentCreateIn", "valid_from") in compared
    assert ("CertificationAssignmentUpdateIn", "certificate_number") in compared


def test_the_response_for_a_problem_has_the_right_media_type() -> None:
    ours = json.loads(json.dumps(document("certifications", "/", "https://closient.com/docs/errors/")))
    for status in ("404", "409"):
        response = resolved(ours["paths"][ASSIGN]["post"]["responses"][status], {}, ours)
        ((media_type, content),) = response["content"].items()
        assert media_type == "application/problem+json"
        assert content["schema"] == {"$ref": "#/components/schemas/ErrorOut"}
