"""The OpenAPI 3.1 document of each API, made from the route table. Nothing is said here that a table does not know."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import get_args

import msgspec

from domain.preconditions import Versioned
from domain.problem import KINDS
from resolvers.operation import WriteOperation
from rest_compat.asking import JSON_TYPES, UNSUPPORTED
from rest_compat.documented import MAX_INTEGER
from rest_compat.endpoint import APIS, Endpoint
from rest_compat.inputs import EXAMPLE_FILE
from rest_compat.outputs import DAY, ErrorOut
from rest_compat.problem import INTERNAL, MEDIA_TYPE, example
from rest_compat.routes import ENDPOINTS
from rest_compat.schemas import (
    REFERENCE,
    Schema,
    body_schema,
    bounded,
    enum_schemas,
    input_members,
    output_schemas,
    parameter_schema,
)

VERSION = "1.0.0"


COMMON = """

## Credentials

Every operation takes one of: an API key in the header `X-API-Key`, an OAuth 2 token as `Authorization: Bearer`, or the
cookie of a browser that has signed in. Any of them may read; a key with role `editor` or `manager` writes what its own
organisation owns.

## Limits

How much a credential may ask is counted by the minute and by the day, 300 and 10,000 requests unless the operator or
the key says otherwise. Every answer carries `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds);
a refusal with 429 also says `Retry-After`.

## Pages

Long lists come in pages: `page` from 1, `page_size` up to 100. An answer has the items in `data` and, in `pagination`,
where they stand in the whole list.

## Refusals

A refusal is a document of type `application/problem+json` (RFC 9457). Programs branch on `error_code`; `detail` is for
people.
"""

SECURITY = {
    "APIKeyHeaderAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "OAuthTokenAuth": {"type": "http", "scheme": "bearer"},
    "SessionAuth": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
}

REFUSALS = {
    400: "The request cannot be read: its body is no JSON, or a header is malformed.",
    401: "No credential, or one that is not valid (any more).",
    403: "The credential may not do this.",
    404: "What the path or the body names does not exist, or not for you.",
    409: "It exists already, or the first request with this idempotency key is still being worked on.",
    412: "What is stored is not what `If-Match` names, or is what `If-None-Match` names; nothing was changed.",
    413: "The body is too large.",
    415: "The body has a type that is not taken.",
    422: "Members break a rule: `details` names every one of them. Or an idempotency key was used for something else.",
    429: "The credential has asked more than it may; try again after `Retry-After` seconds.",
    500: "A defect of the gateway.",
    503: "The database is held up by other work; try again after `Retry-After` seconds.",
}
"""HTTP status of a refusal -> what it means, wherever it can occur."""

_COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
_SECONDS: Schema = {"type": "integer", "minimum": 0, "maximum": DAY}
_NUMBER = "[0-9]{1,10}"
_LONGEST_FILE = 2**40

OF_FILES = "Content-Disposition"
LOCATION = "Location"

HEADERS: dict[str, tuple[str, Schema]] = {
    "X-Request-ID": (
        "The id under which the log knows this request.",
        {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    ),
    "RateLimit-Policy": (
        "All windows that are counted, with their length in seconds.",
        {"type": "string", "pattern": f"^{_NUMBER};w=60, {_NUMBER};w=86400$"},
    ),
    "RateLimit-Limit": ("How much the window that is used up first holds.", _COUNT),
    "RateLimit-Remaining": ("How much of it is left.", _COUNT),
    "RateLimit-Reset": ("In how many seconds it starts anew.", _SECONDS),
    "RateLimit": (
        "What is left of every window and when it starts anew, as the IETF draft has it.",
        {
            "type": "string",
            "pattern": f'^"minute";r={_NUMBER};t={_NUMBER}, "day";r={_NUMBER};t={_NUMBER}$',
        },
    ),
    "X-RateLimit-Limit": ("As `RateLimit-Limit`.", _COUNT),
    "X-RateLimit-Remaining": ("As `RateLimit-Remaining`.", _COUNT),
    "X-RateLimit-Reset": (
        "The moment at which it starts anew, in Unix time.",
        {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**53 - 1},
    ),
    "Retry-After": ("How many seconds to wait before trying again.", _SECONDS),
    "ETag": (
        "Names what is shown: send it back in `If-None-Match` or `If-Match`.",
        {"type": "string", "maxLength": 64, "pattern": '^"[!#-~]*"$'},
    ),
    LOCATION: ("Where what was begun can be asked for.", {"type": "string", "maxLength": 200}),
    OF_FILES: (
        "What the file may be called.",
        {"type": "string", "maxLength": 100, "pattern": '^attachment; filename="[a-z0-9.-]+"$'},
    ),
    "Preference-Applied": ("The preference that was honoured.", {"type": "string", "const": "handling=strict"}),
    "Idempotent-Replayed": (
        "Where the answer is that of the first request with the key.",
        {"type": "string", "const": "true"},
    ),
    "Link": ("Where this server explains the refusal: an address with `rel=help`.", {"type": "string"}),
    "WWW-Authenticate": ("Which credentials are taken, or which scope a token lacks.", {"type": "string"}),
    "Accept-Post": ("Which types a body may have.", {"type": "string"}),
    "Accept-Patch": ("Which types a body may have.", {"type": "string"}),
    "Accept-Encoding": ("Which codings a body may have: none.", {"type": "string", "const": "identity"}),
}
ALWAYS = tuple(name for name in HEADERS if name.startswith(("X-", "RateLimit")))
_STRICTLY = ("Preference-Applied",)
SOMETIMES: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate", *_STRICTLY),
    404: _STRICTLY,
    409: ("Retry-After", *_STRICTLY),
    412: _STRICTLY,
    415: ("Accept-Post", "Accept-Patch", "Accept-Encoding"),
    422: _STRICTLY,
    429: ("Retry-After",),
    503: ("Retry-After", *_STRICTLY),
}
"""Status of a refusal -> the headers that it may have beside those of every answer."""

_TAG = r'(?:W/)?"[!#-~]*"'
_TAGS: Schema = {"type": "string", "pattern": rf"^(?:\*|{_TAG}(?:, *{_TAG})*)$"}
_EXAMPLE_TAG = '"3-5d41402abc4b2a76b9719d91"'
PARAMETERS: dict[str, tuple[str, Schema]] = {
    "Idempotency-Key": (
        (
            "A text of your own, new with every new request: what is sent again with it is done once and answered"
            " alike. In double quotes it may contain blanks."
        ),
        {
            "type": "string",
            "examples": ["0b6f7c1e-6f0a-4c55-9f0e-1f6a3d1f2a77"],
            "minLength": 1,
            "maxLength": 255,
            "pattern": r'^(?:[!#-~][!-~]*|"(?:[ !#-\[\]-~]|\\["\\])+")$',
        },
    ),
    "If-Match": (
        "Do it only if it is still what this `ETag` names, or with `*` only if it is there at all.",
        _TAGS | {"examples": ["*"]},
    ),
    "If-None-Match": (
        "Answer 304 without a body if this is still the `ETag`; what is no such tag is passed over.",
        {"type": "string", "examples": [_EXAMPLE_TAG]},
    ),
    "If-None-Match-On-Create": (
        "With `*`, 412 instead of 409 where it exists already.",
        {"type": "string", "pattern": r"^\*$", "maxLength": 1, "examples": ["*"]},
    ),
    "If-None-Match-On-Change": (
        "Do it only if it is no longer what this `ETag` names.",
        _TAGS | {"examples": [_EXAMPLE_TAG]},
    ),
    "Prefer": (
        "With `handling=strict`, members and parameters that are not known are refused, not ignored (RFC 7240).",
        {"type": "string"},
    ),
}
"""Component of a request's header, which has the name before `-On-` -> what it does, and its form as far as documented.

Examples stand in the schema, where the reference's page does not fill them in: none fits every request.
"""


def document_path(app: str) -> str:
    """Where the document of an API is served."""
    return f"/{app}/api/v1/openapi.json"


DOCUMENT_PATHS = {document_path(app): app for app in dict.fromkeys(endpoint.app for endpoint in ENDPOINTS)}
"""Path of each document -> its API. They are public: whoever has no credential yet may read how to use one."""


def document_text(app: str, server: str, type_base: str) -> bytes:
    """The document of one API as it is served; `document` explains the arguments."""
    return msgspec.json.format(msgspec.json.encode(document(app, server, type_base)))


def document(app: str, server: str, type_base: str) -> Schema:
    """The document of one API, reached below the URL `server`; `type_base` is what problem types start with."""
    api = APIS[app]
    endpoints = [endpoint for endpoint in ENDPOINTS if endpoint.app == app]
    answers, schemas = output_schemas(endpoint.documented for endpoint in endpoints)
    paths: dict[str, Schema] = {}
    for endpoint, answer in zip(endpoints, answers, strict=True):
        operation, used = _operation(endpoint, answer, endpoints)
        schemas |= used
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    schemas["ErrorOut"]["examples"] = [_problem_example(code, type_base) for code in EXAMPLES]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": api.title,
            "version": VERSION,
            "summary": api.summary,
            "description": api.summary + COMMON,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "security": [],
        "tags": [{"name": name, "description": text} for name, text in api.tags.values()],
        # An address without a host is no URI, which this member must be.
        **({"externalDocs": {"description": "API reference", "url": f"{server}/docs"}} if "://" in server else {}),
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            **_shared(endpoints, type_base),
            "securitySchemes": SECURITY,
        },
    }


def _shared(endpoints: list[Endpoint], type_base: str) -> Schema:
    """The components beside schemas that the endpoints refer to."""
    statuses = {status for endpoint in endpoints for status in refusals(endpoint)}
    asked = {name for endpoint in endpoints for name in _request_headers(endpoint)}
    return {
        "responses": {_response_name(status): _refusal(status, type_base) for status in REFUSALS if status in statuses},
        "headers": {
            name: {"description": text, "schema": bounded(schema)}
            for name, (text, schema) in HEADERS.items()
            if (name != OF_FILES or any(endpoint.sends_file for endpoint in endpoints))
            and (name != LOCATION or any(endpoint.takes for endpoint in endpoints))
        },
        "parameters": {
            name: {"in": "header", "name": name.partition("-On-")[0], "description": text, "schema": schema}
            for name, (text, schema) in PARAMETERS.items()
            if name in asked
        },
    }


def refusals(endpoint: Endpoint) -> list[int]:
    """The statuses with which an endpoint can refuse, from its method and from what is sent to it."""
    statuses = {401, 403, 422, 429, 500, 503}
    if endpoint.send is None:
        # What is sent while it is made has no conditions that could be malformed.
        statuses.add(400)
    if _conditions(endpoint):
        statuses.add(412)
    if "{" in endpoint.path or "view" in endpoint.parameters:
        statuses.add(404)
    if endpoint.method != "GET":
        statuses.add(409)
    if endpoint.body is not None or endpoint.takes:
        statuses |= {413, 415}
    return sorted(statuses)


def _is_versioned(endpoint: Endpoint) -> bool:
    """Whether it is about one thing that has an `ETag` of its own: an assignment or a product, but not an API key."""
    return endpoint.method != "GET" and endpoint.app != "account" and not endpoint.takes


def _is_tagged(endpoint: Endpoint) -> bool:
    """Whether what it answers has an `ETag`: whatever is read, and what was written if its record has versions."""
    operation = endpoint.operation
    return endpoint.method == "GET" or (
        isinstance(operation, WriteOperation) and operation.after in get_args(Versioned)
    )


def _conditions(endpoint: Endpoint) -> list[str]:
    """The parameters that make it depend on an `ETag`."""
    if endpoint.method == "GET":
        return ["If-Match", "If-None-Match"] if endpoint.send is None else []
    if not _is_versioned(endpoint):
        return []
    return ["If-None-Match-On-Create"] if endpoint.is_made else ["If-Match", "If-None-Match-On-Change"]


def _operation(endpoint: Endpoint, answer: Schema, endpoints: list[Endpoint]) -> tuple[Schema, dict[str, Schema]]:
    members, required, enums = input_members(endpoint.command)
    schemas = enum_schemas(enums)
    parameters = [_parameter("path", name, members.pop(name), True) for name in endpoint.in_path]
    operation: Schema = {
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": endpoint.description,
        "operationId": endpoint.operation_id,
        "parameters": parameters,
    }
    if endpoint.body is None:
        parameters += [_parameter("query", name, member, name in required) for name, member in members.items()]
    else:
        schemas[endpoint.body] = body_schema(endpoint.body, endpoint.description, members, required)
        content = {"schema": {"$ref": REFERENCE + endpoint.body}}
        types = JSON_TYPES if endpoint.method == "PATCH" else JSON_TYPES[:1]
        operation["requestBody"] = {"required": True, "content": dict.fromkeys(types, content)}
    if endpoint.takes:
        # The reference's page fills in the first; generators make nothing of most others.
        text: Schema = {"schema": {"type": "string", "maxLength": _LONGEST_FILE}, "example": EXAMPLE_FILE}
        file: Schema = {"schema": {"type": "string", "format": "binary", "maxLength": _LONGEST_FILE}}
        content = {"text/csv": text, "application/octet-stream": file}
        operation["requestBody"] = {"required": True, "content": content}
    parameters += [{"$ref": f"#/components/parameters/{name}"} for name in _request_headers(endpoint)]
    success: Schema = {"description": HTTPStatus(endpoint.status).phrase, "headers": _headers(*ALWAYS)}
    if endpoint.method != "GET" and not endpoint.is_shown_once and not endpoint.takes:
        success["headers"] |= _headers("Idempotent-Replayed")
    if endpoint.takes:
        success["headers"] |= _headers(LOCATION)
    preferences = _headers("Preference-Applied") if endpoint.body or endpoint.parameters else {}
    success["headers"] |= preferences
    if endpoint.answer is not None:
        if endpoint.send is None and _is_tagged(endpoint):
            success["headers"] |= _headers("ETag")
        success["content"] = {"application/json": {"schema": answer}}
    if endpoint.media_types:
        # Of what is not JSON nothing is promised here.
        others = {
            name: {"schema": {"type": "object"} if name.endswith("json") else {}} for name in endpoint.media_types
        }
        success["content"] = success.get("content", {}) | others
    if endpoint.sends_file:
        success["headers"] |= _headers(OF_FILES)
    if links := _links(endpoint, endpoints):
        success["links"] = links
    responses = {str(endpoint.status): success}
    if endpoint.method == "GET" and endpoint.send is None:
        responses["304"] = {
            "description": "What `If-None-Match` names is still right.",
            "headers": _headers(*ALWAYS, "ETag") | preferences,
        }
    for status in refusals(endpoint):
        responses[str(status)] = {"$ref": f"#/components/responses/{_response_name(status)}"}
    operation["responses"] = responses
    operation["security"] = [{name: []} for name in SECURITY]
    return operation, schemas


def _parameter(where: str, name: str, member: Schema, required: bool) -> Schema:
    schema = parameter_schema(member)
    description = schema.pop("description")
    parameter: Schema = {"in": where, "name": name, "description": description, "required": required}
    if required and "examples" in schema:
        # The reference's page fills this in, and nothing that narrows what is found unless somebody wants it.
        parameter["example"] = schema.pop("examples")[0]
    return {**parameter, "schema": schema}


def _request_headers(endpoint: Endpoint) -> list[str]:
    names = _conditions(endpoint)
    is_remembered = endpoint.method != "GET" and not endpoint.takes
    return ["Idempotency-Key", *names, "Prefer"] if is_remembered else [*names, "Prefer"]


def _headers(*names: str) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _links(endpoint: Endpoint, endpoints: list[Endpoint]) -> Schema:
    """From what was created to every operation on just that thing."""
    if endpoint.method != "POST":
        return {}
    links: Schema = {}
    for target in endpoints:
        parent, _, last = target.path.rpartition("/")
        if parent == endpoint.path and last.startswith("{"):
            name = last.strip("{}")
            links[target.name] = {
                "operationId": target.operation_id,
                "parameters": {
                    **{f"path.{part}": f"$request.path.{part}" for part in endpoint.in_path},
                    f"path.{name}": "$response.body#/" + ("gtin" if name == "gtin" else "id"),
                },
            }
    return links


def _response_name(status: int) -> str:
    return next(kind.title.replace(" ", "") for kind in KINDS.values() if kind.status == status)


def _refusal(status: int, type_base: str) -> Schema:
    schema = {"$ref": f"{REFERENCE}{ErrorOut.__name__}"}
    examples = {code: {"value": _problem_example(code, type_base)} for code in EXAMPLES if KINDS[code].status == status}
    return {
        "description": REFUSALS[status],
        "headers": _headers(*ALWAYS, "Link", *SOMETIMES.get(status, ())),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }


EXAMPLES = {
    "bad_request": "The body cannot be read as JSON (JSON is malformed: expected ',' or '}' (byte 57)); correct it,"
    " and send one object.",
    "unauthorized": "This API key is unknown or was revoked; create another one.",
    "forbidden": "Keys and people are managed with a csb or csu key, or by a signed-in member, whose role in the"
    " organisation is manager.",
    "not_found": "The requested resource was not found.",
    "conflict": "It exists already; change what is there instead.",
    "idempotency_key_in_use": "The first request with this Idempotency-Key is still being worked on; send it again.",
    "precondition_failed": "What is stored is at another version than If-Match names; read it again.",
    "payload_too_large": "The body is larger than 1048576 bytes; send less in one request.",
    "unsupported_media_type": UNSUPPORTED,
    "validation_error": "Validation error. name: Field required.",
    "idempotency_key_reused": "This Idempotency-Key was used for another request; send a new one.",
    "rate_limited": "Rate limit exceeded. Please try again later.",
    "internal_error": INTERNAL,
    "service_unavailable": "The database is held up by other work; try again.",
}
"""Code of a refusal of these APIs -> what its `detail` may say."""


def _problem_example(code: str, type_base: str) -> Schema:
    shown = example(code, EXAMPLES[code], type_base, _WAITS.get(code))
    if code == "validation_error":
        shown["details"] = [{"loc": ["body", "name"], "msg": "Field required", "type": "missing"}]
    return shown


_WAITS = {"idempotency_key_in_use": 1, "rate_limited": 31, "service_unavailable": 1}
