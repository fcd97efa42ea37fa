"""What clients of one GraphQL schema would notice of the next one. What was deprecated may go."""

from collections.abc import Iterator
from typing import NamedTuple

from graphql import (
    BreakingChangeType,
    DangerousChangeType,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
)
from graphql.utilities import find_schema_changes

_DEPRECATE = "keep it and deprecate it, so that the release after the next can remove it"
_OPTIONAL = "make it nullable or give it a default"
_BESIDE = "give the new type to a new {} beside this one, and deprecate this one"
_DEFAULT = "keep the default, because who leaves it out would get something else without a word"

_REMEDIES = {
    BreakingChangeType.TYPE_REMOVED: "keep it until whatever leads to it was deprecated in a release",
    BreakingChangeType.TYPE_CHANGED_KIND: "make a type of another name, and deprecate what leads to this one",
    BreakingChangeType.TYPE_REMOVED_FROM_UNION: "keep it in the union, even if it is never answered any more",
    BreakingChangeType.VALUE_REMOVED_FROM_ENUM: _DEPRECATE,
    BreakingChangeType.REQUIRED_INPUT_FIELD_ADDED: _OPTIONAL,
    BreakingChangeType.IMPLEMENTED_INTERFACE_REMOVED: "keep the interface",
    BreakingChangeType.FIELD_REMOVED: _DEPRECATE,
    BreakingChangeType.FIELD_CHANGED_KIND: _BESIDE.format("field"),
    BreakingChangeType.REQUIRED_ARG_ADDED: _OPTIONAL,
    BreakingChangeType.ARG_REMOVED: _DEPRECATE,
    BreakingChangeType.ARG_CHANGED_KIND: _BESIDE.format("argument"),
    # No error tells a client of these, which is worse than one.
    DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE: _DEFAULT,
    DangerousChangeType.INPUT_FIELD_DEFAULT_VALUE_CHANGE: _DEFAULT,
}

_NOTABLE = {
    DangerousChangeType.VALUE_ADDED_TO_ENUM: "clients may meet a value that they do not know",
    DangerousChangeType.TYPE_ADDED_TO_UNION: "clients may meet a type that they do not know",
    DangerousChangeType.IMPLEMENTED_INTERFACE_ADDED: "fragments on the interface match it from now on",
}
"""What only careless clients trip over. New optional arguments and members of inputs, which graphql-core counts among
the dangerous changes, are left out: a client that does not know them sends what it sent before."""


class Findings(NamedTuple):
    """One sentence for each change: what `breaks` clients, and what is only worth a note."""

    breaks: list[str]
    notes: list[str]


def compare(before: str, after: str) -> Findings:
    """What clients of the SDL `before` would notice of the SDL `after`."""
    old = build_schema(before)
    deprecated = {f"{element} was removed." for element in _deprecated(old)}
    breaks, notes = [], []
    for kind, sentence in find_schema_changes(old, build_schema(after)):
        change = sentence.removesuffix(".")
        if sentence in deprecated:
            notes.append(f"{change}: it was deprecated.")
        elif isinstance(kind, BreakingChangeType) or kind in _REMEDIES:
            breaks.append(f"{change}: {_REMEDIES.get(kind, 'take the change back')}.")
        elif kind in _NOTABLE:
            notes.append(f"{change}: {_NOTABLE[kind]}.")
    return Findings(breaks, notes)


def _deprecated(schema: GraphQLSchema) -> Iterator[str]:
    """What is deprecated, named as graphql-core's sentences about changes begin."""
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLEnumType):
            yield from (f"Enum value {name}.{value}" for value, it in kind.values.items() if it.deprecation_reason)
        if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            continue
        yield from (f"Field {name}.{field}" for field, it in kind.fields.items() if it.deprecation_reason)
        if not isinstance(kind, GraphQLInputObjectType):
            for field, definition in kind.fields.items():
                arguments = definition.args.items()
                yield from (f"Argument {name}.{field}({arg}:)" for arg, it in arguments if it.deprecation_reason)
