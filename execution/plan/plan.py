"""From a validated operation to a plan: which fields are asked of which type, and how each is resolved.

A plan holds for one combination of the variables that stand in `@skip` and `@include`: fields are collected and
merged here by graphql-core itself, so that what remains is a tree without conditions, one object plan for every
place and concrete type. How a field is resolved is decided by what Strawberry made of it (`FieldKind`).

What cannot be planned raises `NotCompiled`, whose text is the reason; such an operation is left to graphql-core.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from inspect import iscoroutinefunction
from typing import Any, NamedTuple, cast
from uuid import UUID

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableNode,
    get_argument_values,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues
from strawberry.types.field import StrawberryField

from execution.batched import BatchedField

MAX_FIELDS = 800
"""Fields of one plan, counted for every concrete type that an interface or union may turn out to be. Compiling takes
about 50 µs for each."""

Step = tuple[str, str] | None
"""A response key and the type it belongs to, or None for the index of a list item."""


CONSTANTS = (type(None), str, int, float, bool, Enum, date, datetime, time, timedelta, Decimal, UUID)


class Parameter(NamedTuple):
    """What a function takes for an argument."""

    name: str
    convert: Callable[[Any], Any] | None
    """From the coerced value to what it takes; None where they are the same (see `execution.plan.inputs`)."""


class DirectArguments(NamedTuple):
    """Arguments that are put together from coerced variables without looking at their types again."""

    fixed: dict[str, Any]
    """By parameter, what is the same in every run."""
    variables: tuple[tuple[Parameter, str, bool], ...]
    """Parameter, variable, and whether null is not allowed."""

    def keywords(self, coerced: Mapping[str, Any]) -> dict[str, Any] | None:
        """The arguments as the function takes them; None if a variable is missing or must not be null."""
        found = self.fixed.copy()
        for (parameter, convert), variable, non_null in self.variables:
            value = coerced.get(variable, Undefined)
            if value is Undefined or (non_null and value is None):
                return None
            found[parameter] = value if convert is None else convert(value)
        return found


class NotCompiled(Exception):
    """The operation is left to graphql-core; the text is the reason."""


class TooManyFields(NotCompiled):
    """The operation has more fields than are planned, and is not run at all."""


class FieldKind(Enum):
    """How the value of a field is found."""

    TYPENAME = "the name of the type"
    ATTRIBUTE = "attribute"
    RESOLVER = "resolver"
    ASYNC_RESOLVER = "async resolver"
    BATCHED = "batched"
    WRAPPED = "resolver as wrapped by Strawberry"


@dataclass(slots=True, eq=False)
class FieldPlan:
    """One response key of one object type at one place."""

    number: int
    key: str
    parent: GraphQLObjectType
    definition: GraphQLField
    field: StrawberryField | None
    """What Strawberry knows of it; None for `__typename` and for fields that Strawberry did not make."""
    nodes: list[FieldNode]
    path: tuple[Step, ...]
    kind: FieldKind
    value: "ValuePlan" = dataclasses.field(init=False)
    head: tuple[Any, ...] = dataclasses.field(init=False)
    """What resolvers are told of it first: name, nodes, type, parent."""
    parameters: dict[str, Parameter] = dataclasses.field(default_factory=dict)
    """The function's parameters by the schema's names of its arguments, but for those that Strawberry converts."""
    direct_arguments: "DirectArguments | None" = None
    """The arguments, where all of them are variables or the same in every run, and are taken as they are."""
    fixed_arguments: dict[str, Any] | None = None
    """The arguments as the schema names them, when they are the same in every run and cannot be changed."""
    fixed_keywords: dict[str, Any] | None = None
    """The same as the resolver takes them."""
    batch: int = -1
    """Where the parents of a batched field are gathered."""
    wanted: dict[str, frozenset[str] | None] | None = None
    """What will be read of what it gives (see `execution.run.wanted`); None until somebody asks."""
    waits: bool = False
    """Learnt while running: whether its coroutines have to wait, so that siblings gain from running beside it."""

    def __post_init__(self) -> None:
        self.head = (self.nodes[0].name.value, self.nodes, self.definition.type, self.parent)

    @property
    def name(self) -> str:
        """The field's name in the schema, for example `Product.claims`."""
        return f"{self.parent.name}.{self.nodes[0].name.value}"


@dataclass(slots=True, eq=False)
class ValuePlan:
    """A place that holds a value: that of a field, or of the items of a list."""

    number: int
    field: FieldPlan
    type: GraphQLOutputType
    """Without its non-null wrapper."""
    non_null: bool
    path: tuple[Step, ...]
    nullable_depth: int
    """How many steps of the path lead to the nearest place that may be null; 0 is the whole answer."""
    indices: int
    """How many lists of the field surround it."""
    item: "ValuePlan | None" = None
    objects: "dict[str, ObjectPlan]" = dataclasses.field(default_factory=dict)
    """The object that it may be, by the name of the type: one unless the type is an interface or union."""
    complete: Any = None
    """The generated function `(run, value, position)` that gives the place of a field its final value."""

    @property
    def is_leaf(self) -> bool:
        """Whether it holds a scalar or an enum member."""
        return is_leaf_type(self.type)

    @property
    def has_objects(self) -> bool:
        """Whether it holds objects, maybe in lists."""
        return bool(self.item.has_objects if self.item is not None else self.objects)

    def objects_within(self) -> "list[tuple[str, ObjectPlan]]":
        """The objects that it may hold, maybe in lists, by the names of their types."""
        return self.item.objects_within() if self.item is not None else list(self.objects.items())

    @property
    def leaf(self) -> GraphQLLeafType:
        """Its type, known to be a leaf."""
        return cast("GraphQLLeafType", self.type)


@dataclass(slots=True, eq=False)
class ObjectPlan:
    """A selection on one concrete type at one place."""

    number: int
    type: GraphQLObjectType
    fields: list[FieldPlan]
    build: Any = None
    """The generated function `(run, object, position)` that makes its part of the answer."""


@dataclass(slots=True, eq=False)
class Plan:
    """All of one operation."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    roots: list[ObjectPlan]
    """One, or one for each field of a mutation, since those run one after another."""
    fields: list[FieldPlan]
    values: list[ValuePlan]
    objects: list[ObjectPlan]
    batches: list[FieldPlan]


def condition_variables(document: DocumentNode, operation: OperationDefinitionNode) -> tuple[str, ...]:
    """The variables that decide about `@skip` and `@include`. Raises `NotCompiled` for what is not planned."""
    defined = {v.variable.name.value for v in operation.variable_definitions or ()}
    found: dict[str, None] = {}
    for node in _nodes(document, operation):
        for directive in node.directives or ():
            if directive.name.value not in ("skip", "include"):
                raise NotCompiled(f"directive @{directive.name.value}")
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode) and argument.value.name.value in defined:
                    found[argument.value.name.value] = None
        if isinstance(node, FieldNode) and node.name.value in ("__schema", "__type"):
            raise NotCompiled("introspection")
        if isinstance(node, FragmentDefinitionNode) and node.variable_definitions:
            raise NotCompiled("fragment variables")
    return tuple(found)


def _nodes(document: DocumentNode, operation: OperationDefinitionNode) -> Iterator[Any]:
    """The operation, the fragments that it reaches, and every selection in them."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    stack: list[Any] = [operation]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, FragmentSpreadNode):
            fragment = fragments.pop(node.name.value, None)
            if fragment is not None:
                stack.append(fragment)
        elif node.selection_set is not None:
            stack.extend(node.selection_set.selections)


def plan_operation(
    schema: strawberry.Schema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    conditions: dict[str, Any],
) -> Plan:
    """The plan of a validated operation for these values of its condition variables.

    Raises `NotCompiled`.
    """
    return _Planner(schema, document, operation, conditions).plan()


def graphql_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """The schema of graphql-core that Strawberry has made, and keeps to itself."""
    return schema._schema  # noqa: SLF001


class _Planner:
    def __init__(
        self,
        schema: strawberry.Schema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: dict[str, Any],
    ) -> None:
        self._strawberry = schema
        self._schema = graphql_schema(schema)
        self._operation = operation
        self._definitions = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._fragments = {name: FragmentDetails(node) for name, node in self._definitions.items()}
        self._variables = VariableValues({}, conditions)
        self._fields: list[FieldPlan] = []
        self._values: list[ValuePlan] = []
        self._objects: list[ObjectPlan] = []
        self._batches: list[FieldPlan] = []

    def plan(self) -> Plan:
        operation = self._operation
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            raise NotCompiled(f"no {operation.operation.value} type")
        try:
            grouped = collect_fields(self._schema, self._fragments, self._variables, root, operation)[0]
            if operation.operation is OperationType.MUTATION:
                roots = [self._object(root, {key: details}, (), 0) for key, details in grouped.items()]
            else:
                roots = [self._object(root, grouped, (), 0)]
        except GraphQLError:
            # A condition without a value: graphql-core says which field it fails.
            raise NotCompiled("condition without a value") from None
        except RecursionError:
            raise NotCompiled("nested too deeply") from None
        return Plan(
            self._schema,
            operation,
            self._definitions,
            roots,
            self._fields,
            self._values,
            self._objects,
            self._batches,
        )

    def _object(
        self,
        type_: GraphQLObjectType,
        grouped: dict[str, list[FieldDetails]],
        path: tuple[Step, ...],
        nullable_depth: int,
    ) -> ObjectPlan:
        plan = ObjectPlan(len(self._objects), type_, [])
        self._objects.append(plan)
        for key, details in grouped.items():
            plan.fields.append(self._field(type_, key, details, (*path, (key, type_.name)), nullable_depth))
        return plan

    def _field(
        self,
        parent: GraphQLObjectType,
        key: str,
        details: Sequence[FieldDetails],
        path: tuple[Step, ...],
        nullable_depth: int,
    ) -> FieldPlan:
        if len(self._fields) >= MAX_FIELDS:
            raise TooManyFields(f"more than {MAX_FIELDS} fields, counted for every concrete type")
        node = details[0].node
        definition = self._schema.get_field(parent, node.name.value)
        if definition is None:
            raise NotCompiled(f"unknown field {parent.name}.{node.name.value}")
        field = definition.extensions.get("strawberry-definition")
        kind = FieldKind.TYPENAME if node.name.value == "__typename" else self._kind(field)
        plan = FieldPlan(len(self._fields), key, parent, definition, field, [d.node for d in details], path, kind)
        self._fields.append(plan)
        if kind is FieldKind.BATCHED:
            plan.batch = len(self._batches)
            self._batches.append(plan)
        if not has_variables(node.arguments or ()):
            plan.fixed_arguments = fixed_arguments(definition, node)
        plan.value = self._value(plan, definition.type, details, path, nullable_depth, 0)
        return plan

    def _kind(self, field: StrawberryField | None) -> FieldKind:
        """The cheapest way that calls exactly what Strawberry's own wrapper would call."""
        if not isinstance(field, StrawberryField) or type(field).get_result is not StrawberryField.get_result:
            return FieldKind.WRAPPED
        handlers = self._strawberry.schema_converter._get_field_exception_handlers(field)  # noqa: SLF001
        if field.extensions or handlers or field.is_subscription:
            return FieldKind.WRAPPED
        if isinstance(field, BatchedField):
            return FieldKind.BATCHED
        resolver = field.base_resolver
        if resolver is None:
            return FieldKind.ATTRIBUTE
        if not callable(resolver.wrapped_func):
            return FieldKind.WRAPPED
        if iscoroutinefunction(resolver.wrapped_func):
            return FieldKind.ASYNC_RESOLVER
        # An asynchronous generator function, say, is awaited by the wrapper and iterated by graphql-core.
        return FieldKind.WRAPPED if field.is_async else FieldKind.RESOLVER

    def _value(
        self,
        field: FieldPlan,
        type_: GraphQLOutputType,
        details: Sequence[FieldDetails],
        path: tuple[Step, ...],
        nullable_depth: int,
        indices: int,
    ) -> ValuePlan:
        non_null = is_non_null_type(type_)
        inner: Any = type_.of_type if non_null else type_  # type: ignore[union-attr]
        depth = nullable_depth if non_null else len(path)
        plan = ValuePlan(len(self._values), field, inner, non_null, path, depth, indices)
        self._values.append(plan)
        if is_list_type(inner):
            plan.item = self._value(field, inner.of_type, details, (*path, None), depth, indices + 1)
        elif not is_leaf_type(inner):
            possible = self._schema.get_possible_types(inner) if is_abstract_type(inner) else [inner]
            for concrete in possible:
                grouped = collect_subfields(
                    self._schema, self._fragments, self._variables, self._operation, concrete, list(details)
                )[0]
                plan.objects[concrete.name] = self._object(concrete, grouped, path, depth)
        return plan


def has_variables(nodes: Sequence[Any]) -> bool:
    """Whether a variable stands anywhere in these arguments."""
    stack: list[Any] = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, VariableNode):
            return True
        value = getattr(node, "value", None)
        if value is not None and not isinstance(value, str | bool):
            stack.append(value)
        stack.extend(getattr(node, "values", None) or ())
        stack.extend(getattr(node, "fields", None) or ())
    return False


def fixed_arguments(definition: GraphQLField, node: FieldNode) -> dict[str, Any] | None:
    """The arguments of a field in which no variable stands; None if they are wrong, or a run may change them."""
    try:
        arguments = get_argument_values(definition, node)
    except Exception:  # noqa: BLE001 - the field fails with it when it is run, once for each object
        return None
    # A list or an input object belongs to the run that it was made for: a resolver may change it.
    return arguments if all(isinstance(value, CONSTANTS) for value in arguments.values()) else None
