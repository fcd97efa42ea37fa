"""What an operation may cost: how many objects it can make the server build, figured out from its text and variables.

An object costs 1, its first 20 scalars and enums nothing, each further one a twentieth; what stands below a list is
multiplied by its size. An interface or union costs as much as the dearest of its members. A mutation costs 10 for each
thing that it changes, and what it answers. Everything that is written counts, whether `@skip` leaves it out or not, and
as often as it is written.

The values within the lists and input objects of a field's arguments cost a half each, but for the first 20 of the
literals and of each variable: a filter is worked through as often as its field is asked for.

The size of a list is the value of `first` or `last`, or of their default, or `ASSUMED_PAGE`. The lists directly inside
an object that takes one of them (`nodes` and `edges` of a connection) have that size; an edge costs nothing beside its
node. Other lists are taken to be of `ASSUMED_SIZE`. A field that is different says so in its metadata:

    @batched(metadata=cost(size="ids"))           # as many as the argument `ids` has items
    @strawberry.mutation(metadata=cost(size="input.rows"))
    @strawberry.field(metadata=cost(weight=0))

Introspection is counted like data, at `INTROSPECTION_WEIGHT` for an object. Its lists are taken to be as long as those
of the schema are on average: nobody knows of which type `fields` is asked.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
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

from execution.documents.limits import SATURATED
from execution.markers import COST, Cost

ASSUMED_SIZE = 10
"""Items that a list is taken to have if nothing says how many."""
ASSUMED_PAGE = 25
"""Items of a page if neither the operation nor the schema says how many."""
MUTATION_WEIGHT = 10
"""What changing one thing costs: a transaction, a commit and its share of the disk."""
FREE_SCALARS = 20
"""Scalars and enums of an object that cost nothing; so many more cost as much as another object."""
FREE_VALUES = 20
"""Values that a variable, or the literals in a field's arguments, may hold at no cost."""
VALUE_WEIGHT = 0.5
"""What each further value costs: it is coerced, converted, judged and made part of a statement."""
INTROSPECTION_WEIGHT = 3
"""What an object of introspection costs: graphql-core makes it, field by field."""
MAX_REMEMBERED = 100
"""Combinations of sizes whose cost an operation remembers."""
MAX_ENTRIES = 50
"""Fields that a breakdown names."""

_SIZE_ARGUMENTS = ("first", "last")


@dataclass(frozen=True, slots=True)
class _FieldCost:
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
        self._fields: dict[tuple[str, str], _FieldCost | None] = {}
        self._introspection = introspection_sizes(schema)

    def field(self, parent: GraphQLObjectType, name: str) -> _FieldCost | None:
        """The cost of a field; None if it has none: scalars, and what does not exist."""
        key = (parent.name, name)
        if key not in self._fields:
            definition = self.schema.get_field(parent, name)
            self._fields[key] = None if definition is None else self._read(parent, name, definition)
        return self._fields[key]

    def _read(self, parent: GraphQLObjectType, name: str, definition: GraphQLField) -> _FieldCost | None:
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
        return _FieldCost(weight, per_change, is_list, is_edges, size, times, sized_by, self._objects(named))

    def _objects(self, named: GraphQLNamedType) -> tuple[GraphQLObjectType, ...]:
        if is_object_type(named):
            return (named,)
        return tuple(self.schema.get_possible_types(named)) if is_abstract_type(named) else ()


def introspection_sizes(schema: GraphQLSchema) -> dict[tuple[str, str], float]:
    """How many objects the fields of introspection hold, by type and field; by field alone for those of the root."""
    types = list(schema.type_map.values())
    composites = [t for t in types if is_object_type(t) or is_interface_type(t)]
    fields = [len(t.fields) for t in composites]
    inputs = [len(t.fields) for t in types if is_input_object_type(t)]
    arguments = [len(field.args) for t in composites for field in t.fields.values()]
    # The one type that `__type` is asked for may be the largest.
    largest = max(fields, default=1) / max(1.0, sum(fields) / len(types))
    return {
        ("", "__type"): largest,
        ("__Schema", "types"): len(types),
        ("__Schema", "directives"): len(schema.directives),
        ("__Schema", "queryType"): largest,
        ("__Schema", "mutationType"): largest,
        ("__Type", "fields"): sum(fields) / len(types),
        ("__Type", "inputFields"): sum(inputs) / len(types),
        ("__Type", "enumValues"): sum(len(t.values) for t in types if is_enum_type(t)) / len(types),
        ("__Type", "interfaces"): sum(len(t.interfaces) for t in composites) / len(types),
        ("__Type", "possibleTypes"): sum(len(schema.get_possible_types(t)) for t in types if is_abstract_type(t))
        / len(types),
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


class OperationCost:
    """The cost of one operation of a validated document, for whatever its variables say.

    It is added up when it is first asked for: of a document with a hundred operations one is run.
    """

    __slots__ = (
        "_bulk",
        "_fragments",
        "_holding",
        "_is_known",
        "_model",
        "_node",
        "_remembered",
        "_root",
        "_sizes",
        "fixed",
        "steps",
    )

    def __init__(
        self, model: CostModel, fragments: Mapping[str, FragmentDefinitionNode], node: OperationDefinitionNode
    ) -> None:
        self._model = model
        self._fragments = fragments
        self._node = node
        self._root = cast("GraphQLObjectType", model.schema.get_root_type(node.operation))
        self._is_known = False
        self._sizes: tuple[tuple[str, ...], ...] = ()
        """The variables that say how long lists are, each with the names that lead into it."""
        self._holding: tuple[str, ...] = ()
        """The variables that stand in arguments, which cost what they hold."""
        self._remembered: dict[tuple[int | None, ...], int] = {}
        self._bulk: int | None = None
        self.fixed: int | None = None
        """The cost once it is known that no variable has a say in it, but for one that holds many values."""
        self.steps = 0
        """Selections looked at: the work that it takes to add up the cost."""

    def _look(self) -> None:
        """Finds out which variables have a say, and the rest if none has."""
        count = _Count(self._model, self._fragments, {}, {})
        total = ceil(count.object(self._node.selection_set, self._root, None))
        self._sizes, self._holding = tuple(count.sizes), tuple(count.held)
        bulk = _Count(self._model, self._fragments, {}, {})
        further = bulk.further_changes(self._node.selection_set, self._root)
        self._bulk = None if bulk.sizes else further
        defaults = [each.default_value for each in self._node.variable_definitions or ()]
        self.fixed = None if self._sizes or any(map(_holds_many, defaults)) else total
        self.steps = count.steps
        self._is_known = True

    @property
    def remembered(self) -> int:
        """How many combinations of sizes are remembered."""
        return len(self._remembered)

    def of(self, variables: Mapping[str, Any]) -> int:
        """The cost with these coerced variables.

        Raises `RecursionError` if selections nest too deeply to be followed.
        """
        if not self._is_known:
            self._look()
        sizes, held = self._said(variables)
        key = (*sizes.values(), *held.values())
        total = self._remembered.get(key)
        if total is None:
            count = _Count(self._model, self._fragments, sizes, held)
            total = ceil(count.object(self._node.selection_set, self._root, None))
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = total
        return total

    def _said(self, variables: Mapping[str, Any]) -> tuple[dict[tuple[str, ...], int | None], dict[str, int]]:
        """What coerced variables say about sizes, and how many values each holds."""
        sizes = {path: _size(variables.get(path[0]), path[1:]) for path in self._sizes}
        return sizes, {name: _values_in(variables.get(name)) for name in self._holding}

    def further_changes(self, variables: Mapping[str, Any]) -> int:
        """How many things a mutation's fields change beyond one each; fields that are told how many say so."""
        if not self._is_known:
            self._look()
        if self._bulk is not None:
            return self._bulk
        sizes = {path: _size(variables.get(path[0]), path[1:]) for path in self._sizes}
        return _Count(self._model, self._fragments, sizes, {}).further_changes(self._node.selection_set, self._root)

    def breakdown(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The fields that cost most, each with its path in the answer and its own share of the cost.

        Follows each spread, so it takes as many steps as the expanded document has selections.
        """
        shares: defaultdict[tuple[str, ...], float] = defaultdict(float)
        count = _Count(self._model, self._fragments, *self._said(variables))
        count.share(self._node.selection_set, self._root, None, (), 1, shares)
        dearest = sorted(shares.items(), key=lambda share: (-share[1], share[0]))[:MAX_ENTRIES]
        return [{"path": ".".join(path), "cost": ceil(min(share, SATURATED))} for path, share in dearest if share]


class _Count:
    """One addition: every selection set is added up once for each object type that it is asked of."""

    def __init__(
        self,
        model: CostModel,
        fragments: Mapping[str, FragmentDefinitionNode],
        sizes: Mapping[tuple[str, ...], int | None],
        held: Mapping[str, int],
    ) -> None:
        self.sizes: dict[tuple[str, ...], int | None] = dict(sizes)
        """By variable and the names that lead into it; None stands for nothing given."""
        self.held: dict[str, int] = dict(held)
        """By variable how many values it holds."""
        self.steps = 0
        self._model = model
        self._fragments = fragments
        self._further: dict[int, int] = {}
        self._done: dict[tuple[int, str, int | None], tuple[float, int]] = {}

    def object(self, selection_set: SelectionSetNode, type_: GraphQLObjectType, page: int | None) -> float:
        """The cost of what is selected of one object; `page` is the size of the lists directly inside it."""
        total, scalars = self._selections(selection_set, type_, page)
        return total + _of_scalars(scalars)

    def _selections(
        self, selection_set: SelectionSetNode, type_: GraphQLObjectType, page: int | None
    ) -> tuple[float, int]:
        """The cost of what is selected, and how many scalars are among it."""
        key = (id(selection_set), type_.name, page)
        found = self._done.get(key)
        if found is not None:
            return found
        # Cycles of fragments were refused by validation.
        total, scalars = 0.0, 0
        for selection in selection_set.selections:
            self.steps += 1
            if isinstance(selection, FieldNode):
                total += self._field(selection, type_, page)
                scalars += selection.selection_set is None
            else:
                inner = self._fragment(cast("FragmentSpreadNode | InlineFragmentNode", selection), type_)
                if inner is not None:
                    inner_total, inner_scalars = self._selections(inner, type_, page)
                    total, scalars = total + inner_total, scalars + inner_scalars
        found = self._done[key] = min(total, float(SATURATED)), min(scalars, SATURATED)
        return found

    def _field(self, node: FieldNode, parent: GraphQLObjectType, page: int | None) -> float:
        arguments = self._arguments(node) if node.arguments else 0.0
        field = self._model.field(parent, node.name.value)
        if field is None:
            return arguments
        times, inner_page, changes = self._sizes_of(field, node, page)
        below = 0.0
        if node.selection_set is not None:
            for type_ in field.types:
                below = max(below, self.object(node.selection_set, type_, inner_page))
        return arguments + changes + times * (field.own(below) + below)

    def _arguments(self, node: FieldNode) -> float:
        """What the values in a field's arguments cost."""
        literals = 0
        total = 0.0
        waiting: list[ValueNode] = [argument.value for argument in node.arguments or ()]
        for value in waiting:
            self.steps += 1
            if isinstance(value, VariableNode):
                total += _of_values(self.held.setdefault(value.name.value, 0))
            inner = _inside(value)
            literals += len(inner)
            waiting += inner
        return total + _of_values(literals)

    def further_changes(self, selection_set: SelectionSetNode, root: GraphQLObjectType) -> int:
        """How many things the fields of a mutation's root change beyond one each."""
        key = id(selection_set)
        if key in self._further:
            return self._further[key]
        total = 0
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                field = self._model.field(root, selection.name.value)
                if field is not None and field.per_change and field.sized_by:
                    total += max(0, (self._size(field, selection) or 0) - 1)
            else:
                inner = self._fragment(cast("FragmentSpreadNode | InlineFragmentNode", selection), root)
                total += 0 if inner is None else self.further_changes(inner, root)
        total = self._further[key] = min(total, SATURATED)
        return total

    def _sizes_of(self, field: _FieldCost, node: FieldNode, page: int | None) -> tuple[float, int | None, int]:
        """How many objects the field holds, how many each list inside them, and what its changes cost."""
        size = self._size(field, node)
        changed = 1 if size is None else size
        times: float = changed
        if not field.is_list:
            times = field.times
        elif size is None:
            times = field.size if page is None else page
        return times, None if field.is_list else size, field.per_change * changed

    def _size(self, field: _FieldCost, node: FieldNode) -> int | None:
        """How many the arguments ask for; None if the field takes no such argument."""
        if not field.sized_by:
            return None
        for path in field.sized_by:
            size = self._argument(node, path)
            if size is not None:
                return size
        return int(field.size)

    def _argument(self, node: FieldNode, path: tuple[str, ...]) -> int | None:
        value: ValueNode | None = next((a.value for a in node.arguments or () if a.name.value == path[0]), None)
        for depth, name in enumerate(path[1:], start=1):
            if isinstance(value, VariableNode):
                return self.sizes.setdefault((value.name.value, *path[depth:]), None)
            if not isinstance(value, ObjectValueNode):
                return None
            value = next((f.value for f in value.fields if f.name.value == name), None)
        if isinstance(value, VariableNode):
            return self.sizes.setdefault((value.name.value,), None)
        if isinstance(value, IntValueNode):
            return _whole(value.value)
        if isinstance(value, ListValueNode):
            return len(value.values)
        # One item stands for a list of one.
        return None if value is None or isinstance(value, NullValueNode) else 1

    def _fragment(
        self, node: FragmentSpreadNode | InlineFragmentNode, type_: GraphQLObjectType
    ) -> SelectionSetNode | None:
        """What the fragment selects of that type, if anything."""
        fragment = self._fragments.get(node.name.value) if isinstance(node, FragmentSpreadNode) else node
        if fragment is None:
            return None
        condition = fragment.type_condition
        if condition is None or condition.name.value == type_.name:
            return fragment.selection_set
        wider = self._model.schema.get_type(condition.name.value)
        applies = is_abstract_type(wider) and self._model.schema.is_sub_type(wider, type_)
        return fragment.selection_set if applies else None

    def share(
        self,
        selection_set: SelectionSetNode,
        type_: GraphQLObjectType,
        page: int | None,
        path: tuple[str, ...],
        objects: float,
        shares: defaultdict[tuple[str, ...], float],
    ) -> None:
        """Adds each field's own cost to `shares`, for as many objects of that type as there may be."""
        for selection in selection_set.selections:
            if not isinstance(selection, FieldNode):
                inner = self._fragment(cast("FragmentSpreadNode | InlineFragmentNode", selection), type_)
                if inner is not None:
                    self.share(inner, type_, page, path, objects, shares)
                continue
            here = (*path, (selection.alias or selection.name).value)
            if selection.arguments:
                shares[here] += objects * self._arguments(selection)
            field = self._model.field(type_, selection.name.value)
            if field is None:
                continue
            times, inner_page, changes = self._sizes_of(field, selection, page)
            below = selection.selection_set
            inner_cost, scalars, dearest = 0.0, 0, None
            if below is not None and field.types:
                dearest = max(field.types, key=lambda each: self.object(below, each, inner_page))
                inner_cost = self.object(below, dearest, inner_page)
                scalars = self._selections(below, dearest, inner_page)[1]
            shares[here] += objects * (changes + times * (field.own(inner_cost) + _of_scalars(scalars)))
            if below is not None and dearest is not None:
                self.share(below, dearest, inner_page, here, objects * times, shares)


def _of_scalars(number: int) -> float:
    return max(0, number - FREE_SCALARS) / FREE_SCALARS


def _of_values(number: int) -> float:
    return max(0, number - FREE_VALUES) * VALUE_WEIGHT


def _inside(literal: ValueNode) -> Sequence[ValueNode]:
    """The values directly inside a literal."""
    if isinstance(literal, ListValueNode):
        return literal.values
    return [field.value for field in literal.fields] if isinstance(literal, ObjectValueNode) else ()


def _holds_many(literal: ValueNode | None) -> bool:
    """Whether a variable's default holds more than costs nothing."""
    waiting: list[ValueNode] = [] if literal is None else [literal]
    for value in waiting:
        waiting += _inside(value)
    return len(waiting) > FREE_VALUES + 1


def _values_in(value: Any) -> int:
    """How many values, but for null, a coerced value holds; none unless it is a list or an input object."""
    waiting = [value]
    for each in waiting:
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        waiting += [item for item in inner if item is not None]
    return len(waiting) - 1


def _whole(literal: str) -> int:
    # As long as a number may be in a document that was validated, unless it is a variable's default.
    return max(0, min(int(literal), SATURATED)) if len(literal) < 12 else SATURATED * (literal[0] != "-")


def _size(value: Any, path: Sequence[str]) -> int | None:
    """What a coerced value says about a size: its number, or how many items it has; None if it says nothing."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    if isinstance(value, int):
        return max(0, min(value, SATURATED))
    if isinstance(value, list):
        return len(value)
    return None
