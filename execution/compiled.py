"""A compiled operation: how it is made and run.

The generated functions (see `codegen`) build the answer depth first as long as nothing has to be awaited: nested
dictionaries and lists, in which a place that has to be awaited holds None. Whatever has to be awaited is noted in
the `Run`: the parents of batched fields, field by field, and awaitables one by one. Then everything noted is awaited
at once, each result is completed and put in its place, which may note more for the level below; and so on until
nothing is left (see `levels`).
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import strawberry
from graphql import DocumentNode, ExecutionResult, OperationDefinitionNode, get_argument_values
from graphql.execution.values import VariableValues
from strawberry.types.arguments import convert_arguments

from execution.batched import BatchedField
from execution.codegen import generate
from execution.complete import Propagate, complete
from execution.inputs import converters
from execution.levels import finish
from execution.plan import FieldPlan, Kind, Plan, ValuePlan, plan_operation
from execution.run import Run
from execution.variables import are_constant, direct_arguments, parameters_of
from execution.wanted import wanted_of


class Program:
    """One operation, compiled for one combination of its `@skip` and `@include` conditions.

    Raises `NotCompiled` if the operation has to be left to graphql-core.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: dict[str, Any],
    ) -> None:
        self.conditions = conditions
        self.plan: Plan = plan_operation(schema, document, operation, conditions)
        self.info_class = schema.config.info_class
        self.default_resolver: Callable[[Any, str], Any] = schema.config.default_resolver
        self._schema = schema
        functions = Counter(cast("BatchedField", field.field).batch_function for field in self.plan.batches)
        self.shared_batches = {function for function, uses in functions.items() if uses > 1}
        """Batch functions that several fields of the operation use, so that they may share calls."""
        for function in self.shared_batches:
            # They may be answered by one call, which then has to fetch for all of them.
            sharing = [f for f in self.plan.batches if cast("BatchedField", f.field).batch_function is function]
            together = wanted_of(*sharing)
            for field in sharing:
                field.wanted = together
        for field in self.plan.fields:
            self._prepare_arguments(field)
        self.source, names = generate(self.plan, self.default_resolver)
        """The generated Python, to whose lines tracebacks refer."""
        self._load(names)

    def _load(self, names: dict[str, Any]) -> None:
        name = self.plan.operation.name
        file = f"<compiled operation {name.value if name else 'without a name'}>"
        exec(compile(self.source, file, "exec", dont_inherit=True), names)  # noqa: S102 - made by codegen, which quotes all names
        for plan in self.plan.objects:
            plan.build = names[f"o{plan.number}"]
        for place in self.plan.values:
            place.complete = names.get(f"v{place.number}") or _completer(place)

    @property
    def weight(self) -> int:
        """Its memory in characters of a document's text, which take more than ten times that of generated Python.

        A place that remembers lasting objects counts for what it may come to hold.
        """
        return 100 + len(self.source) // 12 + 300 * self.source.count(".keep(")

    def _prepare_arguments(self, field: FieldPlan) -> None:
        """Do for the arguments of a field what is the same in every run."""
        if field.kind not in (Kind.RESOLVER, Kind.ASYNC_RESOLVER, Kind.BATCHED):
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
        return arguments if field.kind is Kind.WRAPPED else self._keywords(field, arguments, make_info)

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

    async def run(self, context: Any, root: Any, variables: VariableValues) -> ExecutionResult:
        """Run the operation with coerced variables."""
        run = Run(self, context, root, variables)
        data: dict[str, Any] = {}
        for plan in self.plan.roots:
            try:
                run.data = plan.build(run, root, None)
            except Propagate:
                run.data = None
            await finish(run)
            if run.data is None:
                return ExecutionResult(None, run.errors)
            data.update(run.data)
        return ExecutionResult(data, run.errors or None)


def _completer(place: ValuePlan) -> Callable[[Run, Any, Any], Any]:
    return lambda run, value, position: complete(run, place, value, position)
