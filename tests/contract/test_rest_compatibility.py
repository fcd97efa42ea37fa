"""What counts as breaking the clients of an OpenAPI document: each kind of change, in the direction that breaks."""

from copy import deepcopy
from typing import Any

import pytest

from rest_compat.compatibility import compare

JSON = dict[str, Any]

THING: JSON = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^a", "minLength": 1, "maxLength": 9},
        "size": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 9}, {"type": "null"}]},
        "kind": {"$ref": "#/components/schemas/Kind"},
        "mode": {"type": "string", "const": "plain"},
        "day": {"type": "string", "format": "date", "default": "today"},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 9}, "maxItems": 9},
        "notes": {
            "type": "object",
            "propertyNames": {"type": "string", "maxLength": 9},
            "additionalProperties": {"type": "number"},
        },
    },
    "required": ["id"],
}
"""What is taken as `ThingIn` and answered as `ThingOut`, so that a change can be made in one direction."""


def named(schema: JSON, name: str) -> JSON:
    copy = deepcopy(schema)
    copy["properties"]["parent"] = {"$ref": f"#/components/schemas/{name}"}
    return copy


BEFORE: JSON = {
    "paths": {
        "/things": {
            "get": {
                "operationId": "list_things",
                "security": [{"Key": []}, {"Token": []}],
                "parameters": [
                    {"in": "query", "name": "page", "required": False, "schema": {"type": "integer", "maximum": 9}},
                    {"$ref": "#/components/parameters/Prefer"},
                ],
                "responses": {
                    "200": {
                        "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingOut"}}},
                    },
                    "404": {"$ref": "#/components/responses/NotFound"},
                },
            },
            "post": {
                "operationId": "make_thing",
                "security": [{"Key": []}],
                "parameters": [],
                "requestBody": {
                    "required": False,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingIn"}}},
                },
                "responses": {"204": {}},
            },
        },
    },
    "components": {
        "schemas": {
            "ThingIn": named(THING, "ThingIn"),
            "ThingOut": named(THING, "ThingOut"),
            "Kind": {"type": "string", "enum": ["food", "toy"]},
        },
        "parameters": {"Prefer": {"in": "header", "name": "Prefer", "schema": {"type": "string"}}},
        "headers": {"ETag": {"schema": {"type": "string", "maxLength": 9}}},
        "responses": {"NotFound": {"content": {"application/problem+json": {"schema": {"type": "object"}}}}},
    },
}

GONE = object()


def changed(path: str, value: Any) -> JSON:
    """`BEFORE` with another value at a path of keys between blanks."""
    after = deepcopy(BEFORE)
    *way, last = [int(key) if key.isdigit() and len(key) == 1 else key for key in path.split()]
    place: Any = after
    for key in way:
        place = place[key]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return after


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("paths /things", GONE, "GET /things was removed."),
        ("paths /things post", GONE, "POST /things was removed."),
        (
            "paths /things post operationId",
            "x",
            "POST /things: its operationId, after which generated clients name it, was make_thing.",
        ),
        ("paths /things get security 1", GONE, "GET /things: Token no longer suffices."),
        ("paths /things get parameters 0", GONE, "GET /things: the query parameter page was removed."),
        ("paths /things get parameters 0 required", True, "GET /things: the query parameter page is required now."),
        ("paths /things get parameters 0 schema maximum", 8, "GET /things: page: maximum was 9 and is 8."),
        ("paths /things get parameters 0 schema type", "boolean", "GET /things: page: integer is no longer taken."),
        (
            "paths /things post parameters",
            [{"in": "query", "name": "by", "required": True, "schema": {}}],
            "POST /things: the query parameter by is required now.",
        ),
        ("components parameters Prefer schema pattern", "x", "GET /things: Prefer: pattern was none and is x."),
        ("paths /things post requestBody required", True, "POST /things: a body is required now."),
        ("paths /things post requestBody content", {}, "POST /things: the body is no longer application/json."),
        ("paths /things get responses 404", GONE, "GET /things: no longer answers 404."),
        ("paths /things get responses 202", {}, "GET /things: may now answer 202."),
        ("paths /things get responses 200 headers", {}, "GET /things: the answer 200 no longer has the header ETag."),
        ("paths /things get responses 200 content", {}, "GET /things: the answer 200 is no longer application/json."),
        ("components headers ETag schema maxLength", 10, "The header ETag: maxLength was 9 and is 10."),
        (
            "components responses NotFound content application/problem+json schema type",
            "array",
            "GET /things: the answer 404: may now be array.",
        ),
    ],
)
def test_a_break_of_an_operation_is_named(path: str, value: Any, sentence: str) -> None:
    assert compare(BEFORE, changed(path, value))[:1] == [sentence]


PERHAPS = {"anyOf": [{"$ref": "#/components/schemas/ThingOut"}, {"type": "null"}]}
TAKEN, ANSWERED = "components schemas ThingIn", "components schemas ThingOut"


@pytest.mark.parametrize(
    ("schema", "path", "value", "sentence"),
    [
        (TAKEN, "required", ["id", "size"], "ThingIn.size is required now."),
        (TAKEN, "properties size", GONE, "ThingIn.size was removed."),
        (TAKEN, "properties id pattern", "^b", "ThingIn.id: pattern was ^a and is ^b."),
        (TAKEN, "properties id maxLength", 8, "ThingIn.id: maxLength was 9 and is 8."),
        (TAKEN, "properties id minLength", 2, "ThingIn.id: minLength was 1 and is 2."),
        (TAKEN, "properties day default", "never", "ThingIn.day: default was today and is never."),
        (TAKEN, "properties day format", "date-time", "ThingIn.day: format was date and is date-time."),
        (TAKEN, "properties size anyOf 1", GONE, "ThingIn.size: null is no longer taken."),
        (TAKEN, "properties size anyOf 0 maximum", 8, "ThingIn.size: maximum was 9 and is 8."),
        (TAKEN, "properties kind", {"type": "string", "enum": ["toy"]}, "ThingIn.kind: food is no longer taken."),
        (TAKEN, "properties id enum", ["a", "b"], "ThingIn.id: only a, b is taken now."),
        (TAKEN, "properties mode const", "fancy", "ThingIn.mode: plain is no longer taken."),
        (TAKEN, "properties tags maxItems", 8, "ThingIn.tags: maxItems was 9 and is 8."),
        (TAKEN, "properties tags items maxLength", 8, "ThingIn.tags[]: maxLength was 9 and is 8."),
        (TAKEN, "properties notes propertyNames maxLength", 8, "ThingIn.notes (names): maxLength was 9 and is 8."),
        (TAKEN, "properties notes additionalProperties type", "integer", "ThingIn.notes.*: number is no longer taken."),
        (TAKEN, "properties notes additionalProperties", False, "ThingIn.notes.*: number is no longer taken."),
        (TAKEN, "additionalProperties", False, "ThingIn.*: anything is no longer taken."),
        (ANSWERED, "required", [], "ThingOut.id may be missing now."),
        (ANSWERED, "properties id", GONE, "ThingOut.id was removed."),
        (ANSWERED, "properties id pattern", GONE, "ThingOut.id: pattern was ^a and is none."),
        (ANSWERED, "properties id maxLength", 10, "ThingOut.id: maxLength was 9 and is 10."),
        (ANSWERED, "properties id minLength", GONE, "ThingOut.id: minLength was 1 and is none."),
        (ANSWERED, "properties parent", PERHAPS, "ThingOut.parent: may now be null."),
        (ANSWERED, "properties day format", "date-time", "ThingOut.day: format was date and is date-time."),
        (ANSWERED, "properties kind", {"type": "string"}, "ThingOut.kind: may now be other than food, toy."),
        (ANSWERED, "properties kind", {"type": "string", "enum": ["food", "x"]}, "ThingOut.kind: may now be x."),
        (ANSWERED, "properties tags items maxLength", 10, "ThingOut.tags[]: maxLength was 9 and is 10."),
        (ANSWERED, "properties notes additionalProperties", {}, "ThingOut.notes.*: may now be anything."),
    ],
)
def test_a_break_of_a_schema_is_named_at_its_component(schema: str, path: str, value: Any, sentence: str) -> None:
    assert compare(BEFORE, changed(f"{schema} {path}", value))[:1] == [sentence]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("info", {"title": "Other"}),
        ("paths /more", {"get": {}}),
        ("paths /things get responses 409", {}),
        (f"{TAKEN} required", []),
        (f"{TAKEN} properties more", {"type": "string"}),
        (f"{TAKEN} properties id pattern", GONE),
        (f"{TAKEN} properties id maxLength", 10),
        (f"{TAKEN} properties kind", {"type": "string"}),
        (f"{TAKEN} properties size anyOf 0 type", "number"),
        (f"{ANSWERED} required", ["id", "size"]),
        (f"{ANSWERED} properties more", {"type": "string"}),
        (f"{ANSWERED} properties id maxLength", 8),
        (f"{ANSWERED} properties size anyOf 1", GONE),
        (f"{ANSWERED} properties kind", {"type": "string", "enum": ["toy"]}),
        (f"{ANSWERED} properties day default", "never"),
    ],
)
def test_what_is_added_narrowed_in_answers_or_widened_in_requests_breaks_nobody(path: str, value: Any) -> None:
    assert compare(BEFORE, changed(path, value)) == []


def test_a_component_that_breaks_is_told_once_a_direction() -> None:
    after = changed("components schemas Kind enum", ["food", "game"])
    assert sorted(compare(BEFORE, after)) == ["Kind: may now be game.", "Kind: toy is no longer taken."]
