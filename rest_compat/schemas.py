"""JSON Schemas of the REST face, made from the structs that are answered and the commands that are parsed.

Both libraries write JSON Schema 2020-12, which OpenAPI 3.1 takes as it is. What is changed afterwards: component names
and order of enumerations as the contract has them, defaults of null (which say nothing), titles, words and examples.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from domain.validation import Command
from domain.vocabulary import Vocabulary
from rest_compat.inputs import words
from rest_compat.outputs import ErrorOut

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/"

ENUMS: Sequence[type[Vocabulary]] = Vocabulary.__subclasses__()
_ENUM_NAMES = {enum.__name__: f"{enum.__name__}Enum" for enum in ENUMS}


def output_schemas(answers: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """The schema of each answer, and the components that they refer to, `ErrorOut` among them."""
    schemas, components = msgspec.json.schema_components([*answers, ErrorOut], ref_template=REFERENCE + "{name}")
    named = {component_name(name): _titled(_renamed(schema)) for name, schema in components.items()}
    for name, schema in named.items():
        if schema.get("type") == "object":
            schema["title"] = name
            # The problems' examples are of real codes.
            schema["examples"] = [] if name == ErrorOut.__name__ else [example(schema, named)]
    return [_renamed(schema) for schema in schemas[:-1]], {**named, **enum_schemas(named)}


def enum_schemas(used: Iterable[str]) -> dict[str, Schema]:
    """The enumerations among the names, in their own order: msgspec sorts the values, the contract does not."""
    return {
        name: {
            "title": name,
            "description": (enum.__doc__ or "").strip(),
            "type": "string",
            "enum": [item.value for item in enum],
        }
        for enum in ENUMS
        if (name := _ENUM_NAMES[enum.__name__]) in used
    }


def component_name(name: str) -> str:
    """The contract's name of a component: `ClaimSourceEnum`, `ClaimOutPage` (for msgspec's `PageOut_ClaimOut_`)."""
    for form in ("Page", "Feed"):
        if name.startswith(f"{form}Out_"):
            return f"{name.removeprefix(f'{form}Out_').removesuffix('_')}{form}"
    return _ENUM_NAMES.get(name, name)


def input_members(command: type[Command]) -> tuple[dict[str, Schema], set[str], set[str]]:
    """The members of a command with words and examples, which of them are required, and the enumerations they use."""
    schema = command.model_json_schema(ref_template=REFERENCE + "{model}")
    members: dict[str, Schema] = {}
    for name, found in schema["properties"].items():
        said = words(command, name)
        # Said in this face's words, and in its place.
        found.pop("description", None)
        member = _without_refused_null(command, name, _renamed(found))
        member["description"] = said.description
        if said.example is not None:
            member["examples"] = [said.example]
        members[name] = member
    return members, set(schema.get("required", ())), {component_name(name) for name in schema.get("$defs", ())}


def body_schema(name: str, description: str, members: Mapping[str, Schema], required: set[str]) -> Schema:
    """The component of a request body: an object of these members."""
    schema: Schema = {"title": name, "description": description, "type": "object", "properties": dict(members)}
    if required:
        schema["required"] = [member for member in members if member in required]
    given = {member: found["examples"][0] for member, found in members.items() if "examples" in found}
    schema["examples"] = [given]
    return schema


def parameter_schema(member: Schema) -> Schema:
    """A member as a parameter: what stands in a path or a query is never null."""
    options = [option for option in member.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        member = {**{key: value for key, value in member.items() if key != "anyOf"}, **options[0]}
    return member


def example(schema: Schema, components: Mapping[str, Schema]) -> Any:
    """A value that fits the schema: its own example, else its default, else the simplest there is."""
    if "examples" in schema:
        return schema["examples"][0]
    if "default" in schema:
        return schema["default"]
    if "$ref" in schema:
        return example(components[schema["$ref"].removeprefix(REFERENCE)], components)
    if "anyOf" in schema:
        return None
    if schema["type"] == "object":
        return {name: example(member, components) for name, member in schema.get("properties", {}).items()}
    if schema["type"] == "array":
        return [example(schema["items"], components)]
    return {"boolean": True}[schema["type"]]


def _renamed(schema: Any) -> Any:
    """The schema with references to the contract's names, and without defaults of null; so of every part of it."""
    if isinstance(schema, list):
        return [_renamed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: _renamed(value) for key, value in schema.items() if key != "default" or value is not None}
    if "$ref" in changed:
        changed["$ref"] = REFERENCE + component_name(changed["$ref"].rpartition("/")[2])
    return bounded(changed)


def bounded(schema: Schema) -> Schema:
    """The schema with the size of its integers, where it has not been said."""
    return {**schema, "format": "int32"} if schema.get("type") == "integer" and "format" not in schema else schema


def _titled(schema: Schema) -> Schema:
    for name, member in schema.get("properties", {}).items():
        if "$ref" not in member:
            member.setdefault("title", name.replace("_", " ").title())
    return schema


def _without_refused_null(command: type[Command], name: str, member: Schema) -> Schema:
    # A patch takes None as "not sent" in Python, also where a null that was sent is refused.
    nulls = getattr(command, "nulls", {})
    return parameter_schema(member) if name in nulls and nulls[name].policy == "refused" else member
