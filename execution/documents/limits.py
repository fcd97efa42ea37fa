"""What a document and its variables may ask for: the figures, and the refusal of what asks for more."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from graphql import FragmentDefinitionNode, GraphQLError, OperationDefinitionNode

from execution.errors import Refusal, RequestError

MAX_ITEMS = 250
"""Items of one list in the input, in variables as in literals: more than any field takes, so that each can say itself
what it takes, and few enough to be looked at before that."""

TOO_LARGE = "QUERY_TOO_LARGE"


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """The most a document may ask for; every figure is the largest that is still accepted."""

    max_source_length: int = 20_000
    """Characters of the document's text."""
    max_tokens: int = 1_000
    """Lexical tokens, and as many comments beside them. Reading stops at the first one too many."""
    max_operations: int = 50
    """Operations in one document; one of them is run, but all are checked."""
    max_depth: int = 10
    """Nested fields, the innermost included: `{ product { name } }` is 2 deep. Fragments add no depth of
    their own."""
    max_introspection_depth: int = 20
    """The same below a `__schema` or `__type` field, counted from it. GraphiQL's own query nests `ofType` to
    15, far deeper than data is worth asking for, and is answered from memory."""
    max_aliases: int = 30
    """Aliased fields, counted as often as their fragment is spread."""
    max_root_fields: int = 20
    """Fields of the operation itself."""
    max_directives: int = 50
    """Directives, counted as often as their fragment is spread."""
    max_selections: int = 10_000
    """Fields, fragment spreads and inline fragments, counted as often as their fragment is spread."""
    max_comparisons: int = 2_000
    """Steps spent on proving that fields of one name can be merged, which grows with the square of their
    number."""
    max_errors: int = 20
    """Validation errors reported for one document."""
    max_variables_depth: int = 32
    """Nested objects and lists in the variables."""
    max_variables_values: int = 5_000
    """Values in the variables, those inside objects and lists included."""
    max_cost: int = 15_000
    """Objects that the operation can make the server build (see `cost`). A page of 100 objects with 100 each passes."""
    warn_only: bool = False
    """Run what asks for too much, and say so, where nothing but good measure is at stake: depth, aliases, root fields,
    directives, cost. What protects the process itself is refused all the same."""


_FOR_ALL = ("max_comparisons", "max_errors", "warn_only")
PER_CALLER = tuple(each.name for each in fields(DocumentLimits) if each.name not in _FOR_ALL)
"""The limits that may differ by caller; the others are about how a document is read, which is done for all."""


def too_costly(node: OperationDefinitionNode, requested: int, limits: DocumentLimits) -> GraphQLError:
    """The error of an operation that costs more than its limit."""
    return GraphQLError(
        f"{title(node)} costs {requested}, the limit is {limits.max_cost}: about one for each object it may return;"
        " ask for shorter lists with first, or split it into several requests.",
        node,
        extensions={"code": "QUERY_TOO_COSTLY", "requested": requested, "limit": limits.max_cost},
    )


def title(node: OperationDefinitionNode | FragmentDefinitionNode) -> str:
    """How an error names an operation or a fragment."""
    if isinstance(node, FragmentDefinitionNode):
        return f"Fragment '{node.name.value}'"
    return f"Operation '{node.name.value}'" if node.name else "The operation"


def judge_variables(variables: Mapping[str, Any], limits: DocumentLimits) -> int:
    """How many values variables hold; 0 where none holds others.

    Raises `RequestError` for what is refused before the types are looked at.
    """
    # Mostly there are few, and none holds others.
    if len(variables) <= limits.max_variables_values and _CONTAINERS.isdisjoint(map(type, variables.values())):
        return 0
    values = 0
    items: list[Any] = [variables]
    for _ in range(limits.max_variables_depth):
        inner: list[Any] = []
        for item in items:
            if type(item) is dict:
                inner.extend(item.values())
            else:
                if len(item) > MAX_ITEMS:
                    raise _too_many_items(variables, item)
                inner.extend(item)
        values += len(inner)
        if values > limits.max_variables_values:
            raise RequestError.of(
                Refusal.LIMIT,
                "VARIABLES_TOO_LARGE",
                f"The variables hold more than {limits.max_variables_values} values; send fewer in one request.",
            )
        items = [item for item in inner if type(item) in _CONTAINERS]
        if not items:
            return values
    raise RequestError.of(
        Refusal.LIMIT,
        "VARIABLES_TOO_DEEP",
        f"The variables nest more than {limits.max_variables_depth} levels deep; send flatter values.",
    )


_CONTAINERS = frozenset({dict, list})


def _too_many_items(variables: Mapping[str, Any], found: list[Any]) -> RequestError:
    return RequestError.of(
        Refusal.LIMIT,
        "VARIABLES_TOO_LARGE",
        f"The list {_place_of(found, variables)} in the variables has {len(found)} items, the limit is {MAX_ITEMS};"
        " send fewer in one request.",
    )


def _place_of(found: list[Any], variables: Mapping[str, Any]) -> str:
    """The way to a list that was found in the variables, for example `w.and.0.or`."""
    waiting: list[tuple[str, Any]] = list(variables.items())
    for place, value in waiting:
        if value is found:
            return place[:200]
        inner = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
        waiting += [(f"{place}.{key}", item) for key, item in inner if type(item) in _CONTAINERS]
    return "found"
