"""From a validated operation to a plan: which fields are asked of which type, and how each is resolved.

A plan holds for one combination of the variables that stand in `@skip` and `@include`: fields are collected and
merged here by graphql-core itself, so that what remains is a tree without conditions, one object plan for every
place and concrete type. How a field is resolved is decided by what Strawberry made of it (`FieldKind`).

What cannot be planned raises `NotCompiled`, whose text is the reason; such an operation is left to graphql-core.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from inspect import iscoroutinefunction
from typing import Any, cast

import strawberry
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues
from strawberry.types.field import StrawberryField

from execution.batched import BatchedField
from execution.markers import SCOPED
from execution.plan.arguments import FieldArguments
from execution.plan.plan import (
    FieldKind,
    FieldPlan,
    NotCompiled,
    ObjectPlan,
    Program,
    Scope,
    Step,
    TooManyFields,
    ValuePlan,
)

MAX_FIELDS = 800
"""Fields of one plan, counted for every concrete type that an interface or union may turn out to be. Compiling takes
about 50 µs for each."""


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
) -> Program:
    """The program of a validated operation for these values of its condition variables, without its functions.

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
        definitions = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._fragments = {name: FragmentDetails(node) for name, node in definitions.items()}
        self._variables = VariableValues({}, conditions)
        self._scope: Scope | None = None
        config = schema.config
        self._program = Program(
            self._schema, config.info_class, config.default_resolver, operation, definitions, conditions
        )

    def plan(self) -> Program:
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
        program = self._program
        program.roots = roots
        questions = Counter(field.question for field in program.batches)
        program.shared_batches = {question for question, uses in questions.items() if uses > 1}
        return program

    def _object(
        self,
        type_: GraphQLObjectType,
        grouped: dict[str, list[FieldDetails]],
        path: tuple[Step, ...],
        nullable_depth: int,
    ) -> ObjectPlan:
        plan = ObjectPlan(len(self._program.objects), type_, [])
        self._program.objects.append(plan)
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
        if len(self._program.fields) >= MAX_FIELDS:
            raise TooManyFields(f"more than {MAX_FIELDS} fields, counted for every concrete type")
        node = details[0].node
        definition = self._schema.get_field(parent, node.name.value)
        if definition is None:
            raise NotCompiled(f"unknown field {parent.name}.{node.name.value}")
        field = definition.extensions.get("strawberry-definition")
        kind = FieldKind.TYPENAME if node.name.value == "__typename" else self._kind(field)
        outer = self._scope
        nodes = [each.node for each in details]
        plan = FieldPlan(len(self._program.fields), key, parent, definition, field, nodes, path, kind, outer)
        scoped = field.metadata.get(SCOPED) if field is not None else None
        if scoped is not None and scoped.is_asked(node):
            plan.scope = self._scope = Scope(plan, outer, scoped.make)
        self._program.fields.append(plan)
        if kind is FieldKind.BATCHED:
            plan.batch = len(self._program.batches)
            self._program.batches.append(plan)
        if kind in (FieldKind.RESOLVER, FieldKind.ASYNC_RESOLVER, FieldKind.BATCHED):
            plan.arguments = FieldArguments(self._strawberry, definition, cast("StrawberryField", field), node)
        plan.value = self._value(plan, definition.type, details, path, nullable_depth, 0)
        self._scope = outer
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
        plan = ValuePlan(len(self._program.values), field, inner, non_null, path, depth, indices)
        self._program.values.append(plan)
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
