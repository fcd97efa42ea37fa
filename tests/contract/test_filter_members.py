"""GraphQL's inputs that narrow lists down and the rules behind them: the same members with the same operators."""

import json
import re
from datetime import date
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, build_schema, get_named_type, is_enum_type

from domain.errors import InvalidInput
from domain.filter_input import Fields, read_where
from domain.lists import BODIES, CERTIFICATION_ASSIGNMENTS, CERTIFICATIONS, CLAIM_ASSIGNMENTS, CLAIMS, PRODUCTS
from domain.short_id import catalogue_id
from gateway.contracts import sdl

SCHEMA = build_schema(sdl())
TODAY = date(2026, 11, 22)
FIELDS: dict[str, Fields] = {
    "CertificationBodyWhere": BODIES.fields,
    "CertificationWhere": CERTIFICATIONS.fields,
    "ClaimWhere": CLAIMS.fields,
    "CertificationAssignmentWhere": CERTIFICATION_ASSIGNMENTS.fields,
    "ClaimAssignmentWhere": CLAIM_ASSIGNMENTS.fields,
    "ProductWhere": PRODUCTS.fields,
}
EXAMPLES = {
    "ID": catalogue_id("claim", "VEGAN"),
    "String": "US",
    "Boolean": True,
    "Int": 30,
    "Date": "2026-11-29",
    "DateTime": "2026-11-29T12:00:00Z",
}
OPERATORS = {"eq", "in", "startsWith", "contains", "range", "isNull", "isEmpty"}


def input_type(name: str) -> GraphQLInputObjectType:
    found = SCHEMA.get_type(name)
    assert isinstance(found, GraphQLInputObjectType)
    return found


def example(type: Any, path: str) -> Any:
    """A value that fits the type; of several levels only that of the filter's own."""
    named = get_named_type(type)
    value: Any
    if isinstance(named, GraphQLInputObjectType) and named.name in FIELDS:
        value = {}
    elif isinstance(named, GraphQLInputObjectType):
        value = {name: example(field.type, name) for name, field in named.fields.items()}
    elif is_enum_type(named):
        value = next(iter(named.values))
    else:
        value = "12345678905" if path == "gtin" else EXAMPLES[named.name]
    return [value] if str(type).startswith("[") else value


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)


@pytest.mark.parametrize("name", FIELDS)
def test_they_have_the_same_members(name: str) -> None:
    assert {snake(member) for member in input_type(name).fields} == {*FIELDS[name], "and", "or", "not"}


@pytest.mark.parametrize("name", FIELDS)
def test_members_take_the_same_operators(name: str) -> None:
    for member, field in input_type(name).fields.items():
        of_member = get_named_type(field.type)
        if not isinstance(of_member, GraphQLInputObjectType) or of_member.name in FIELDS:
            read_where(FIELDS[name], json.dumps({member: example(field.type, member)}), TODAY)
            continue
        for operator, operand in of_member.fields.items():
            value = example(operand.type, member)
            whole = {"key": "lot", "eq": "7"} if of_member.name == "MetadataFilter" else {operator: value}
            if operator == "on":
                # A day alone asks for nothing.
                whole["eq"] = example(of_member.fields["eq"].type, member)
            read_where(FIELDS[name], json.dumps({member: whole}), TODAY)
        for operator in OPERATORS - of_member.fields.keys():
            with pytest.raises(InvalidInput, match="Input should be one of"):
                read_where(FIELDS[name], json.dumps({member: {operator: "1"}}), TODAY)
