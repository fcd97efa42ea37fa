"""A compiled operation: its plan, and how its fields come to their arguments."""

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import strawberry
from graphql import get_argument_values
from graphql.execution.values import VariableValues
from strawberry.types.arguments import convert_arguments

from execution.batched import BatchedField
from execution.plan.inputs import converters
from execution.plan.plan import FieldKind, FieldPlan, Plan
from execution.plan.variables import are_constant, direct_arguments, parameters_of


class Program:
    """One operation, for one combination of its `@skip` and `@include` conditions; made by `compile_operation`."""

    def __init__(self, schema: strawberry.Schema, plan: Plan, conditions: dict[str, Any]) -> None:
        self.plan = plan
        self.conditions = conditions
        self.source = ""
        """The generated Python, to whose lines tracebacks refer."""
        self.info_class = schema.config.info_class
        self.default_resolver: Callable[[Any, str], Any] = schema.config.default_resolver
        self._schema = schema
        functions = Counter(cast("BatchedField", field.field).batch_function for field in plan.batches)
        self.shared_batches = {function for function, uses in functions.items() if uses > 1}
        """Batch functions that several fields of the operation use, so that they may share calls."""
        for field in plan.fields:
            self._prepare_arguments(field)

    @property
    def weight(self) -> int:
        """Its memory in characters of a document's text, which take more than ten times that of generated Python.

        A place that remembers lasting objects counts for what it may come to hold.
        """
        return 100 + len(self.source) // 12 + 300 * self.source.count(".keep(")

    def _prepare_arguments(self, field: FieldPlan) -> None:
        """Do for the arguments of a field what is the same in every run."""
        if field.kind not in (FieldKind.RESOLVER, FieldKind.ASYNC_RESOLVER, FieldKind.BATCHED):
            return
        name_of = self._schema.config.name_converter.from_argument
        field.parameters = parameters_of(cast("Any", field.field), converters(self._schema), name_of)
        if field.fixed_arguments is None:
            field.direct_arguments = direct_arguments(field.definition, field.nodes[0], field.parameters)
        elif are_constant(field.fixed_arguments, field.parameters):
            field.fixed_keywords = self._keywords(field, field.fixed_arguments, None)

    def arguments(self, field: FieldPlan, variables: VariableValues, make_info: Callable[[], Any]) -> dict[str, Any]:
        """The arguments of a field in one run, as its function takes them. Raises what their coercion raises."""
        arguments = field.fixed_arguments
        if arguments is None:
            if field.direct_arguments is not None:
                keywords = field.direct_arguments.keywords(variables.coerced)
                if keywords is not None:
                    return keywords
            arguments = get_argument_values(field.definition, field.nodes[0], variables)
        return arguments if field.kind is FieldKind.WRAPPED else self._keywords(field, arguments, make_info)

    def _keywords(
        self, field: FieldPlan, arguments: dict[str, Any], make_info: Callable[[], Any] | None
    ) -> dict[str, Any]:
        """From the names and values of the schema to those of the function."""
        parameters = field.parameters
        if arguments.keys() <= parameters.keys():
            found = [(parameters[name], value) for name, value in arguments.items()]
            return {name: value if convert is None else convert(value) for (name, convert), value in found}
        return convert_arguments(
            arguments,
            cast("Any", field.field).arguments,
            scalar_registry=self._schema.schema_converter.scalar_registry,
            config=self._schema.config,
            info=make_info and make_info(),
        )
