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
from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    is_abstract_type,
)

from execution.documents.cost_model import CostModel, FieldCost
from execution.documents.measure import SATURATED
from execution.documents.sizes import FREE_VALUES, argument_size, holds_many, size_of, values_in, values_inside

FREE_SCALARS = 20
"""Scalars and enums of an object that cost nothing; so many more cost as much as another object."""
VALUE_WEIGHT = 0.5
"""What each further value costs: it is coerced, converted, judged and made part of a statement."""
MAX_REMEMBERED = 100
"""Combinations of sizes whose cost an operation remembers."""
MAX_ENTRIES = 50
"""Fields that a breakdown names."""


class Charge(NamedTuple):
    """What one operation asks for."""

    cost: int
    further_changes: int
    """How many things a mutation's fields change beyond one each; fields that are told how many say so."""


class OperationCost:
    """The cost of one operation of a validated document, for whatever its variables say.

    It is added up when it is first asked for: of a document with a hundred operations one is run.
    """

    __slots__ = ("_fragments", "_holding", "_model", "_node", "_remembered", "_sizes", "fixed", "steps")

    def __init__(
        self, model: CostModel, fragments: Mapping[str, FragmentDefinitionNode], node: OperationDefinitionNode
    ) -> None:
        self._model = model
        self._fragments = fragments
        self._node = node
        self._sizes: tuple[tuple[str, ...], ...] | None = None
        """The variables that say how long lists are, each with the names that lead into it; None until it is known."""
        self._holding: tuple[str, ...] = ()
        """The variables that stand in arguments, which cost what they hold."""
        self._remembered: dict[tuple[int | None, ...], Charge] = {}
        self.fixed: Charge | None = None
        """The charge once it is known that no variable has a say in it, but for one that holds many values."""
        self.steps = 0
        """Selections looked at: the work that it takes to add up the cost."""

    def of(self, variables: Mapping[str, Any]) -> Charge:
        """The charge with these coerced variables.

        Raises `RecursionError` if selections nest too deeply to be followed.
        """
        count = self._count(variables)
        key = (*count.sizes.values(), *count.held.values())
        charge = self._remembered.get(key)
        if charge is None:
            charge = count.charge(self._node)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = charge
        return charge

    def breakdown(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The fields that cost most, each with its path in the answer and its own share of the cost.

        Follows each spread, so it takes as many steps as the expanded document has selections.
        """
        shares = self._count(variables).shares(self._node)
        dearest = sorted(shares.items(), key=lambda share: (-share[1], share[0]))[:MAX_ENTRIES]
        return [{"path": ".".join(path), "cost": ceil(min(share, SATURATED))} for path, share in dearest if share]

    def _count(self, variables: Mapping[str, Any]) -> "_Count":
        """What adds up, with what coerced variables say about sizes, and how many values each holds."""
        if self._sizes is None:
            self._look()
        sizes = {path: size_of(variables.get(path[0]), path[1:]) for path in self._sizes or ()}
        held = {name: values_in(variables.get(name)) for name in self._holding}
        return _Count(self._model, self._fragments, sizes, held)

    def _look(self) -> None:
        """Finds out which variables have a say, and the charge if none has."""
        count = _Count(self._model, self._fragments, {}, {})
        charge = count.charge(self._node)
        self._sizes, self._holding, self.steps = tuple(count.sizes), tuple(count.held), count.steps
        defaults = [each.default_value for each in self._node.variable_definitions or ()]
        # What no variable says, and none holds, is what is added up when it is first asked for.
        self._remembered[(*count.sizes.values(), *count.held.values())] = charge
        self.fixed = None if self._sizes or any(map(holds_many, defaults)) else charge


class _Selected(NamedTuple):
    """What is selected of one object."""

    cost: float
    scalars: int
    further_changes: int


class _Part(NamedTuple):
    """What one field costs: `own` by itself, and `times` as much as what is selected `below` of its dearest `type`."""

    own: float
    times: float = 0
    below: float = 0
    type: GraphQLObjectType | None = None
    page: int | None = None
    further_changes: int = 0


class _Count:
    """One addition: every selection set is added up once for each object type that it is asked of.

    A `page` is the size of the lists directly inside an object.
    """

    def __init__(
        self,
        model: CostModel,
        fragments: Mapping[str, FragmentDefinitionNode],
        sizes: dict[tuple[str, ...], int | None],
        held: dict[str, int],
    ) -> None:
        self.sizes = sizes
        """By variable and the names that lead into it; None stands for nothing given."""
        self.held = held
        """By variable how many values it holds."""
        self.steps = 0
        self._model = model
        self._fragments = fragments
        self._done: dict[tuple[int, str, int | None], _Selected] = {}

    def charge(self, operation: OperationDefinitionNode) -> Charge:
        """The charge of an operation."""
        selected = self._selections(operation.selection_set, self._model.root(operation), None)
        return Charge(ceil(_whole_cost(selected)), selected.further_changes)

    def shares(self, operation: OperationDefinitionNode) -> dict[tuple[str, ...], float]:
        """By path the own cost of each field."""
        shares: defaultdict[tuple[str, ...], float] = defaultdict(float)
        self._share(operation.selection_set, self._model.root(operation), None, (), 1, shares)
        return shares

    def _selections(self, selection_set: SelectionSetNode, type_: GraphQLObjectType, page: int | None) -> _Selected:
        key = (id(selection_set), type_.name, page)
        found = self._done.get(key)
        if found is not None:
            return found
        # Cycles of fragments were refused by validation.
        cost, scalars, further = 0.0, 0, 0
        for selection in selection_set.selections:
            self.steps += 1
            if isinstance(selection, FieldNode):
                part = self._part(selection, type_, page)
                cost += part.own + part.times * part.below
                scalars += selection.selection_set is None
                further += part.further_changes
            elif (inner := self._fragment(selection, type_)) is not None:
                selected = self._selections(inner, type_, page)
                cost += selected.cost
                scalars += selected.scalars
                further += selected.further_changes
        found = _Selected(min(cost, float(SATURATED)), min(scalars, SATURATED), min(further, SATURATED))
        self._done[key] = found
        return found

    def _part(self, node: FieldNode, parent: GraphQLObjectType, page: int | None) -> _Part:
        arguments = self._arguments(node) if node.arguments else 0.0
        field = self._model.field(parent, node.name.value)
        if field is None:
            return _Part(arguments)
        size = self._size(field, node)
        changed = 1 if size is None else size
        times: float = changed
        if not field.is_list:
            times = field.times
        elif size is None:
            times = field.size if page is None else page
        inner_page = None if field.is_list else size
        dearest, selected = None, _Selected(0.0, 0, 0)
        if node.selection_set is not None:
            for type_ in field.types:
                found = self._selections(node.selection_set, type_, inner_page)
                if dearest is None or _whole_cost(found) > _whole_cost(selected):
                    dearest, selected = type_, found
        own = arguments + field.per_change * changed
        own += times * (field.own(_whole_cost(selected)) + _of_scalars(selected.scalars))
        further = max(0, changed - 1) if field.per_change else 0
        return _Part(own, times, selected.cost, dearest, inner_page, further)

    def _arguments(self, node: FieldNode) -> float:
        """What the values in a field's arguments cost."""
        literals = 0
        total = 0.0
        waiting: list[ValueNode] = [argument.value for argument in node.arguments or ()]
        for value in waiting:
            self.steps += 1
            if isinstance(value, VariableNode):
                total += _of_values(self.held.setdefault(value.name.value, 0))
            inner = values_inside(value)
            literals += len(inner)
            waiting += inner
        return total + _of_values(literals)

    def _size(self, field: FieldCost, node: FieldNode) -> int | None:
        """How many the arguments ask for; None if the field takes no such argument."""
        if not field.sized_by:
            return None
        for path in field.sized_by:
            size = argument_size(node, path, self.sizes)
            if size is not None:
                return size
        return int(field.size)

    def _fragment(self, node: SelectionNode, type_: GraphQLObjectType) -> SelectionSetNode | None:
        """What the fragment selects of that type, if anything."""
        fragment: FragmentDefinitionNode | InlineFragmentNode
        if isinstance(node, FragmentSpreadNode):
            fragment = self._fragments[node.name.value]
        else:
            fragment = cast("InlineFragmentNode", node)
        condition = fragment.type_condition
        if condition is None or condition.name.value == type_.name:
            return fragment.selection_set
        wider = self._model.schema.get_type(condition.name.value)
        applies = is_abstract_type(wider) and self._model.schema.is_sub_type(wider, type_)
        return fragment.selection_set if applies else None

    def _share(
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
            if isinstance(selection, FieldNode):
                here = (*path, (selection.alias or selection.name).value)
                part = self._part(selection, type_, page)
                shares[here] += objects * part.own
                if selection.selection_set is not None and part.type is not None:
                    self._share(selection.selection_set, part.type, part.page, here, objects * part.times, shares)
            elif (inner := self._fragment(selection, type_)) is not None:
                self._share(inner, type_, page, path, objects, shares)


def _whole_cost(selected: _Selected) -> float:
    return selected.cost + _of_scalars(selected.scalars)


def _of_scalars(number: int) -> float:
    return max(0, number - FREE_SCALARS) / FREE_SCALARS


def _of_values(number: int) -> float:
    return max(0, number - FREE_VALUES) * VALUE_WEIGHT
