"""What a document asks for, measured before it is validated.

A document of a few hundred bytes can ask for more than any server can answer: fragments that spread one
another double with every line. Rules that follow each spread take as long as the answer would. Here every
fragment is measured once and its figures are added wherever it is spread, so measuring takes one step per node
of the document and per spread, whatever the document expands to. Unknown and cyclic fragments count nothing;
validation refuses them later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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

from execution.documents.limits import TOO_LARGE, DocumentLimits, title

# Figures stop growing here: 250 doubling fragments would otherwise be printed as 75 digits.
SATURATED = 1_000_000_000

INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


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
class Definition:
    """One operation or fragment: its own figures, and the spreads whose figures are added to them."""

    node: OperationDefinitionNode | FragmentDefinitionNode
    measure: Measure = field(default_factory=Measure)
    spreads: list[_Spread] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measured:
    """A document with its figures."""

    operations: list[Definition]
    """In the order of the document."""
    fragments: list[Definition]
    steps: int
    """Nodes visited and spreads added up: the work that measuring took."""

    def refusals(self, limits: DocumentLimits) -> list[GraphQLError]:
        """Why the document may not be run under these limits."""
        number, most = len(self.operations), limits.max_operations
        if number > most:
            message = f"The document holds {number} operations, the limit is {most}; send the one to be run."
            extensions = {"code": "QUERY_TOO_MANY_OPERATIONS", "measured": number, "limit": most}
            return [GraphQLError(message, extensions=extensions)]
        errors = _excesses(self.operations, limits, size_alone=limits.warn_only)
        # An unused fragment is never run, but validation walks it: it has to be affordable too.
        return (errors or _excesses(self.fragments, limits, size_alone=True))[: limits.max_errors]


def measure_document(document: DocumentNode) -> Measured:
    """The figures of a parsed document. Raises nothing, whatever it holds."""
    operations: list[Definition] = []
    fragments: dict[str, Definition] = {}
    steps = 0
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            operations.append(definition := Definition(node))
        elif isinstance(node, FragmentDefinitionNode):
            fragments[node.name.value] = definition = Definition(node)
        else:
            continue
        steps += _read(definition)
    measures: dict[str, Measure] = {}
    for name in _innermost_first(fragments):
        steps += 2 * _add_spreads(fragments[name], measures)
        measures[name] = fragments[name].measure
    for operation in operations:
        steps += _add_spreads(operation, measures)
    return Measured(operations, [*fragments.values()], steps)


def warnings(node: OperationDefinitionNode, measure: Measure, limits: DocumentLimits) -> list[GraphQLError]:
    """For what the operation would be refused if `warn_only` were off, but for its cost."""
    return _excesses([Definition(node, measure)], limits)


def _read(definition: Definition) -> int:
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


def _innermost_first(fragments: Mapping[str, Definition]) -> list[str]:
    """Each fragment behind those that it spreads, but for circles. Without recursion: a chain may be long."""
    ordered: dict[str, None] = {}
    entered: set[str] = set()
    waiting = [*fragments]
    while waiting:
        name = waiting[-1]
        if name in entered:
            ordered.setdefault(waiting.pop())
            continue
        entered.add(name)
        inner = dict.fromkeys(spread.name for spread in fragments[name].spreads)
        waiting += [each for each in inner if each in fragments and each not in entered]
    return [*ordered]


def _add_spreads(definition: Definition, measures: Mapping[str, Measure]) -> int:
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


def _excesses(
    definitions: Sequence[Definition], limits: DocumentLimits, *, size_alone: bool = False
) -> list[GraphQLError]:
    """One error for every figure of each definition that is over its limit."""
    return [error for each in definitions for error in _excesses_of(each, limits, size_alone=size_alone)]


def _excesses_of(definition: Definition, limits: DocumentLimits, *, size_alone: bool) -> list[GraphQLError]:
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
            f"{title(definition.node)} {verb} {measured} {unit}, the limit is {limit}; {remedy}.",
            definition.node,
            extensions={"code": code, "measured": measured, "limit": limit},
        )
        for code, verb, measured, limit, unit, remedy in figures
        if measured > limit and (not size_alone or code == TOO_LARGE)
    ]
