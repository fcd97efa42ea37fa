"""What a document may ask for, judged before it is validated.

A document of a few hundred bytes can ask for more than any server can answer: fragments that spread one
another double with every line. Rules that follow each spread take as long as the answer would. Here every
fragment is measured once and its figures are added wherever it is spread, so judging takes one step per node
of the document and per spread, whatever the document expands to. Unknown and cyclic fragments count nothing;
validation refuses them later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from execution.errors import Refusal, RequestError

# Figures stop growing here: 250 doubling fragments would otherwise be printed as 75 digits.
SATURATED = 1_000_000_000

MAX_ITEMS = 250
"""Items of one list in the input, in variables as in literals: more than any field takes, so that each can say itself
what it takes, and few enough to be looked at before that."""

TOO_LARGE = "QUERY_TOO_LARGE"
INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


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


PER_CALLER = (
    "max_source_length",
    "max_tokens",
    "max_operations",
    "max_depth",
    "max_introspection_depth",
    "max_aliases",
    "max_root_fields",
    "max_directives",
    "max_selections",
    "max_variables_depth",
    "max_variables_values",
    "max_cost",
)
"""The limits that may differ by caller; the others are about how a document is read, which is done for all."""


@dataclass(slots=True)
class Measure:
    """What one operation or fragment asks for, its fragments expanded."""

    depth: int = 0
    introspection_depth: int = 0
    full_depth: int = 0
    """Depth with introspection counted like data; needed where a fragment is spread below `__schema`."""
    aliases: int = 0
    root_fields: int = 0
    directives: int = 0
    selections: int = 0

    def reach(self, depth: int, introspection_depth: int, below: "Measure | None" = None) -> None:
        """Extend the depths to a field at this place, or to the fragment `below` spread there."""
        # The `__schema` field itself is counted in both depths.
        full_depth = depth + max(introspection_depth - 1, 0)
        if below is not None:
            full_depth += below.full_depth
            if introspection_depth:
                introspection_depth += below.full_depth
            else:
                introspection_depth = below.introspection_depth
                depth += below.depth
        self.depth = max(self.depth, depth)
        self.introspection_depth = max(self.introspection_depth, introspection_depth)
        self.full_depth = max(self.full_depth, full_depth)


@dataclass(slots=True)
class _Spread:
    """One `...Name` and where it stands in its definition."""

    name: str
    depth: int
    introspection_depth: int
    at_root: bool


@dataclass(slots=True)
class _Definition:
    """One operation or fragment: its own figures, and the spreads whose figures are still to be added."""

    node: OperationDefinitionNode | FragmentDefinitionNode
    measure: Measure = field(default_factory=Measure)
    spreads: list[_Spread] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of `judge`: no errors means that the document is within the limits."""

    errors: list[GraphQLError]
    measures: list[Measure]
    """One per operation, in the order of the document."""
    steps: int
    """Nodes visited and spreads added up: the work that judging took."""
    operations: "list[_Definition]"
    fragments: "list[_Definition]"

    def refusals(self, limits: DocumentLimits) -> list[GraphQLError]:
        """Why the document may not be run under these limits."""
        if len(self.operations) > limits.max_operations:
            return [_too_many_operations(len(self.operations), limits)]
        errors = [
            error
            for operation in self.operations
            for error in _excesses(operation, limits)
            if not limits.warn_only or _code(error) == TOO_LARGE
        ]
        # An unused fragment is never run, but validation walks it: it has to be affordable too.
        too_large = (e for f in self.fragments for e in _excesses(f, limits) if _code(e) == TOO_LARGE)
        return (errors or list(too_large))[: limits.max_errors]


def judge(document: DocumentNode, limits: DocumentLimits) -> Judgement:
    """Measure a parsed document and compare it with `limits`. Raises nothing, whatever the document holds."""
    operations: list[_Definition] = []
    fragments: dict[str, _Definition] = {}
    steps = 0
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            operations.append(definition := _Definition(node))
        elif isinstance(node, FragmentDefinitionNode):
            fragments[node.name.value] = definition = _Definition(node)
        else:
            continue
        steps += _read(definition)
    measures, expansion_steps = _expand(fragments)
    steps += expansion_steps
    for operation in operations:
        steps += _add_spreads(operation, measures)
    judgement = Judgement([], [operation.measure for operation in operations], steps, operations, [*fragments.values()])
    judgement.errors.extend(judgement.refusals(limits))
    return judgement


def warnings(node: OperationDefinitionNode, measure: Measure, limits: DocumentLimits) -> list[GraphQLError]:
    """For what the operation would be refused if `warn_only` were off, but for its cost."""
    return _excesses(_Definition(node, measure), limits)


def too_costly(node: OperationDefinitionNode, requested: int, limits: DocumentLimits) -> GraphQLError:
    """The error of an operation that costs more than its limit."""
    return GraphQLError(
        f"{_title(node)} costs {requested}, the limit is {limits.max_cost}: about one for each object it may return;"
        " ask for shorter lists with first, or split it into several requests.",
        node,
        extensions={"code": "QUERY_TOO_COSTLY", "requested": requested, "limit": limits.max_cost},
    )


def _too_many_operations(measured: int, limits: DocumentLimits) -> GraphQLError:
    return GraphQLError(
        f"The document holds {measured} operations, the limit is {limits.max_operations}; send the one to be run.",
        extensions={"code": "QUERY_TOO_MANY_OPERATIONS", "measured": measured, "limit": limits.max_operations},
    )


def _read(definition: _Definition) -> int:
    """Take the definition's own figures and note its spreads; returns the number of nodes visited."""
    node, measure = definition.node, definition.measure
    variables = node.variable_definitions or ()
    measure.directives = len(node.directives or ()) + sum(len(v.directives or ()) for v in variables)
    steps = 1 + len(variables)
    # (selections, data depth around them, introspection depth around them or 0, directly in the definition)
    stack: list[tuple[SelectionSetNode, int, int, bool]] = [(node.selection_set, 0, 0, True)]
    while stack:
        selection_set, depth, introspection, at_root = stack.pop()
        steps += len(selection_set.selections)
        measure.selections += len(selection_set.selections)
        for selection in selection_set.selections:
            measure.directives += len(selection.directives or ())
            if isinstance(selection, FragmentSpreadNode):
                definition.spreads.append(_Spread(selection.name.value, depth, introspection, at_root))
            elif isinstance(selection, FieldNode):
                below = _read_field(selection, measure, depth, introspection, at_root)
                if selection.selection_set:
                    stack.append((selection.selection_set, *below, False))
            elif isinstance(selection, InlineFragmentNode):
                stack.append((selection.selection_set, depth, introspection, at_root))
    return steps


def _read_field(
    selection: FieldNode, measure: Measure, depth: int, introspection: int, at_root: bool
) -> tuple[int, int]:
    """Count one field; returns the data depth and the introspection depth around its children."""
    measure.aliases += selection.alias is not None
    measure.root_fields += at_root
    if introspection:
        introspection += 1
    else:
        depth += 1
        introspection = int(selection.name.value in INTROSPECTION_FIELDS)
    measure.reach(depth, introspection)
    return depth, introspection


def _expand(fragments: dict[str, _Definition]) -> tuple[dict[str, Measure], int]:
    """Add up every fragment once, innermost first, without recursion; returns measures and steps taken."""
    measures: dict[str, Measure] = {}
    steps = 0
    for root, fragment in fragments.items():
        if root in measures:
            continue
        path: list[tuple[str, Iterator[_Spread]]] = [(root, iter(fragment.spreads))]
        on_path = {root}
        while path:
            name, spreads = path[-1]
            for spread in spreads:
                steps += 1
                if spread.name in fragments and spread.name not in measures and spread.name not in on_path:
                    path.append((spread.name, iter(fragments[spread.name].spreads)))
                    on_path.add(spread.name)
                    break
            else:
                path.pop()
                on_path.remove(name)
                steps += _add_spreads(fragments[name], measures)
                measures[name] = fragments[name].measure
    return measures, steps


def _add_spreads(definition: _Definition, measures: Mapping[str, Measure]) -> int:
    """Add the figures of the fragments spread in a definition to its own; returns the number of spreads."""
    total = definition.measure
    for spread in definition.spreads:
        added = measures.get(spread.name)
        if added is None:
            continue
        total.reach(spread.depth, spread.introspection_depth, added)
        total.root_fields = min(SATURATED, total.root_fields + added.root_fields * spread.at_root)
        total.aliases = min(SATURATED, total.aliases + added.aliases)
        total.directives = min(SATURATED, total.directives + added.directives)
        total.selections = min(SATURATED, total.selections + added.selections)
    return len(definition.spreads)


def _excesses(definition: _Definition, limits: DocumentLimits) -> list[GraphQLError]:
    """One error for every figure of the definition that is over its limit."""
    measure = definition.measure
    figures = (
        ("QUERY_TOO_DEEP", "nests fields", measure.depth, limits.max_depth,
         "levels deep", "ask for the inner objects in a request of their own"),
        ("INTROSPECTION_TOO_DEEP", "nests introspection", measure.introspection_depth,
         limits.max_introspection_depth, "levels deep", "nest ofType less deeply"),
        ("QUERY_TOO_MANY_ALIASES", "uses", measure.aliases, limits.max_aliases,
         "aliases", "split it into several requests"),
        ("QUERY_TOO_MANY_ROOT_FIELDS", "asks for", measure.root_fields, limits.max_root_fields,
         "root fields", "split it into several requests"),
        ("QUERY_TOO_MANY_DIRECTIVES", "uses", measure.directives, limits.max_directives,
         "directives", "remove directives or split it into several requests"),
        (TOO_LARGE, "expands to", measure.selections, limits.max_selections,
         "selections", "select fewer fields or spread fragments less often"),
    )  # fmt: skip
    return [
        GraphQLError(
            f"{_title(definition.node)} {verb} {measured} {unit}, the limit is {limit}; {remedy}.",
            definition.node,
            extensions={"code": code, "measured": measured, "limit": limit},
        )
        for code, verb, measured, limit, unit, remedy in figures
        if measured > limit
    ]


def _code(error: GraphQLError) -> Any:
    return (error.extensions or {}).get("code")


def _title(node: OperationDefinitionNode | FragmentDefinitionNode) -> str:
    if isinstance(node, FragmentDefinitionNode):
        return f"Fragment '{node.name.value}'"
    return f"Operation '{node.name.value}'" if node.name else "The operation"


def judge_variables(variables: Mapping[str, Any], limits: DocumentLimits) -> int:
    """How many values variables hold; 0 where none holds others.

    Raises `RequestError` for what is refused before the types are looked at.
    """
    # Mostly there are few, and none holds others.
    if len(variables) <= limits.max_variables_values and not any(type(v) in _CONTAINERS for v in variables.values()):
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
