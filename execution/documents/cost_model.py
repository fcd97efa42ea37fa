"""What the fields of a schema cost, as it says itself and as is usual."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from strawberry.types.field import StrawberryField

from execution.markers import COST, Cost

ASSUMED_SIZE = 10
"""Items that a list is taken to have if nothing says how many."""
ASSUMED_PAGE = 25
"""Items of a page if neither the operation nor the schema says how many."""
MUTATION_WEIGHT = 10
"""What changing one thing costs: a transaction, a commit and its share of the disk."""
INTROSPECTION_WEIGHT = 2
"""What an object of introspection costs: graphql-core makes it, field by field."""

_SIZE_ARGUMENTS = ("first", "last")


@dataclass(frozen=True, slots=True)
class FieldCost:
    """What the schema says of one field."""

    weight: int
    per_change: int
    """Of a mutation, for each thing that it changes."""
    is_list: bool
    is_edges: bool
    size: float
    """Where no argument says how many. Below 1 for what is often null."""
    times: float
    """How many objects stand where there is no list."""
    sized_by: tuple[tuple[str, ...], ...]
    """Arguments that say how many; the first that is given counts. Names within input objects follow."""
    types: tuple[GraphQLObjectType, ...]
    """The objects that it may be; none if it is a scalar or enum."""

    def own(self, below: float) -> float:
        """What one of its objects costs by itself: of an edge nothing, unless it is asked for without its node."""
        return max(self.weight, 1 - below) if self.is_edges else self.weight


class CostModel:
    """What the fields of one schema cost, looked up once each."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._fields: dict[tuple[str, str], FieldCost | None] = {}
        self._introspection = introspection_sizes(schema)

    def field(self, parent: GraphQLObjectType, name: str) -> FieldCost | None:
        """The cost of a field; None if it has none: scalars, and what does not exist."""
        key = (parent.name, name)
        if key not in self._fields:
            definition = self.schema.get_field(parent, name)
            self._fields[key] = None if definition is None else self._read(parent, name, definition)
        return self._fields[key]

    def root(self, operation: OperationDefinitionNode) -> GraphQLObjectType:
        """The type of which an operation asks."""
        return cast("GraphQLObjectType", self.schema.get_root_type(operation.operation))

    def _read(self, parent: GraphQLObjectType, name: str, definition: GraphQLField) -> FieldCost | None:
        strawberry_field: StrawberryField | None = definition.extensions.get("strawberry-definition")
        marker: Cost = (strawberry_field.metadata if strawberry_field else {}).get(COST, Cost())
        named = get_named_type(definition.type)
        changes = parent is self.schema.mutation_type and not name.startswith("__")
        if is_leaf_type(named) and marker.weight is None and not changes:
            return None
        outer = definition.type.of_type if is_non_null_type(definition.type) else definition.type
        # Relay's edges only carry a cursor: the node is what costs.
        is_edges = name == "edges" and parent.name.endswith("Connection")
        usual = 0 if is_leaf_type(named) or is_edges else 1
        if usual and (parent.name.startswith("__") or name.startswith("__")):
            usual = INTROSPECTION_WEIGHT
        weight = usual if marker.weight is None or changes else marker.weight
        per_change = (MUTATION_WEIGHT if marker.weight is None else marker.weight) if changes else 0
        sized_by: tuple[tuple[str, ...], ...] = ()
        size = self._introspection.get((parent.name, name), float(ASSUMED_SIZE))
        if isinstance(marker.size, str):
            sized_by = (tuple(marker.size.split(".")),)
        elif marker.size is not None:
            size = marker.size
        else:
            sized_by = tuple((argument,) for argument in _SIZE_ARGUMENTS if argument in definition.args)
            if sized_by:
                defaults = [_default(definition, argument) for (argument,) in sized_by]
                size = next((default for default in defaults if default is not None), ASSUMED_PAGE)
        is_list = is_list_type(outer)
        times = 1 if is_list else self._introspection.get((parent.name, name), self._introspection.get(("", name), 1.0))
        return FieldCost(weight, per_change, is_list, is_edges, size, times, sized_by, self._objects(named))

    def _objects(self, named: GraphQLNamedType) -> tuple[GraphQLObjectType, ...]:
        if is_object_type(named):
            return (named,)
        return tuple(self.schema.get_possible_types(named)) if is_abstract_type(named) else ()


def introspection_sizes(schema: GraphQLSchema) -> dict[tuple[str, str], float]:
    """How many objects the fields of introspection hold, by type and field; by field alone for those of the root."""
    types = list(schema.type_map.values())
    composites = [t for t in types if is_object_type(t) or is_interface_type(t)]
    numbers = [len(t.fields) for t in composites]
    arguments = [len(field.args) for t in composites for field in t.fields.values()]

    def each(counts: Iterable[int]) -> float:
        return sum(counts) / len(types)

    # The one type that is asked for may be the largest.
    largest = max(numbers, default=1) / max(1.0, each(numbers))
    return {
        ("", "__type"): largest,
        ("__Schema", "types"): len(types),
        ("__Schema", "directives"): len(schema.directives),
        ("__Schema", "queryType"): largest,
        ("__Schema", "mutationType"): largest,
        ("__Type", "fields"): each(numbers),
        ("__Type", "inputFields"): each(len(t.fields) for t in types if is_input_object_type(t)),
        ("__Type", "enumValues"): each(len(t.values) for t in types if is_enum_type(t)),
        ("__Type", "interfaces"): each(len(t.interfaces) for t in composites),
        ("__Type", "possibleTypes"): each(len(schema.get_possible_types(t)) for t in types if is_abstract_type(t)),
        # Most types are named; of those that are wrapped, few are wrapped again.
        ("__Type", "ofType"): 0.5,
        ("__Field", "args"): sum(arguments) / max(1, len(arguments)),
        ("__Directive", "args"): sum(len(d.args) for d in schema.directives) / max(1, len(schema.directives)),
    }


def _default(definition: GraphQLField, argument: str) -> int | None:
    # A default is kept as it was given, as a value or as a literal.
    default: Any = definition.args[argument].default_value
    value = getattr(default, "value", default)
    return value if isinstance(value, int) else None
