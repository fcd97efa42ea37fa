"""Coercing variables and arguments: graphql-core's and Strawberry's own functions, with what depends on the document
alone done once.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableNode,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.types.field import StrawberryField

from execution.plan.inputs import Converters, LeftToStrawberry, coercer
from execution.plan.plan import CONSTANTS, DirectArguments, Parameter, fixed_arguments, has_variables


class VariableReader:
    """Coerces the variables of one operation."""

    __slots__ = ("_hide_suggestions", "_operation", "_schema", "_signatures")

    def __init__(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, *, hide_suggestions: bool = False
    ) -> None:
        self._hide_suggestions = hide_suggestions
        self._schema = schema
        self._operation = operation
        signatures = [get_variable_signature(schema, node) for node in operation.variable_definitions or ()]
        self._signatures = [(each, coercer(each.type)) for each in signatures if not isinstance(each, GraphQLError)]

    def read(self, inputs: Mapping[str, Any], max_errors: int) -> VariableValues | list[GraphQLError]:
        """The coerced variables, or what is wrong with them."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature, coerce in self._signatures:
            name = signature.name
            value = inputs.get(name, Undefined)
            if value is Undefined:
                if signature.default is not None:
                    default = coerce_default_value(signature)
                    # It is remembered, but a list or an input object belongs to one run.
                    coerced[name] = default if isinstance(default, CONSTANTS) else deepcopy(default)
                elif is_non_null_type(signature.type):
                    return self._read_slowly(inputs, max_errors)
                sources[name] = VariableValueSource(signature)
                continue
            try:
                coerced[name] = coerce(value)
            except Exception:  # noqa: BLE001 - said again, with its place
                return self._read_slowly(inputs, max_errors)
            sources[name] = VariableValueSource(signature, value)
        return VariableValues(sources, coerced)

    def _read_slowly(self, inputs: Mapping[str, Any], max_errors: int) -> VariableValues | list[GraphQLError]:
        definitions = self._operation.variable_definitions or ()
        return get_variable_values(self._schema, definitions, dict(inputs), max_errors, self._hide_suggestions)


def parameters_of(
    field: StrawberryField, converters: Converters, name_of: Callable[[Any], str]
) -> dict[str, Parameter]:
    """The function's parameters by the schema's names of its arguments; without those that Strawberry converts."""
    found: dict[str, Parameter] = {}
    for argument in field.arguments:
        with suppress(LeftToStrawberry):
            found[name_of(argument)] = Parameter(argument.python_name, converters.of(argument.type))
    return found


def direct_arguments(
    definition: GraphQLField, node: FieldNode, parameters: Mapping[str, Parameter]
) -> DirectArguments | None:
    """How to put the arguments of a field together without coercing them again; None if that cannot be done.

    A variable that is an argument by itself has been coerced to the argument's type, but for null.
    """
    given = {argument.name.value: argument for argument in node.arguments or ()}
    whole = {name for name, argument in given.items() if isinstance(argument.value, VariableNode)}
    rest = [argument for name, argument in given.items() if name not in whole]
    if not whole <= parameters.keys() or has_variables(rest):
        return None
    others = {name: argument for name, argument in definition.args.items() if name not in whole}
    fixed = fixed_arguments(GraphQLField(definition.type, others), FieldNode(name=node.name, arguments=tuple(rest)))
    if fixed is None or not are_constant(fixed, parameters):
        return None
    variables = tuple(
        (
            parameters[name],
            cast("VariableNode", given[name].value).name.value,
            is_non_null_type(definition.args[name].type),
        )
        for name in sorted(whole)
    )
    return DirectArguments({parameters[name].name: value for name, value in fixed.items()}, variables)


def are_constant(fixed: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> bool:
    """Whether these arguments are passed on as they are, and so are the same in every run."""
    return all(name in parameters and parameters[name].convert is None for name in fixed)
