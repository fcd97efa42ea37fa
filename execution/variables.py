"""Coercing variables and arguments: graphql-core's and Strawberry's own functions, with what depends on the document
alone done once.
"""

from collections.abc import Mapping
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLField,
    GraphQLID,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    VariableNode,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from graphql.utilities import coerce_input_value
from strawberry.relay import GlobalID
from strawberry.types.base import StrawberryMaybe, StrawberryOptional
from strawberry.types.field import StrawberryField

from execution.plan import DirectArguments, fixed_arguments, has_variables

_AS_THEY_ARE: dict[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
"""Values of these need no coercing."""


def _nullable(type_: Any) -> Any:
    return type_.of_type if is_non_null_type(type_) else type_


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
        self._signatures = [each for each in signatures if not isinstance(each, GraphQLError)]

    def read(self, inputs: Mapping[str, Any], max_errors: int) -> VariableValues | list[GraphQLError]:
        """The coerced variables, or what is wrong with them."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature in self._signatures:
            name, type_ = signature.name, signature.type
            value = inputs.get(name, Undefined)
            if value is Undefined:
                if signature.default is None and not is_non_null_type(type_):
                    sources[name] = VariableValueSource(signature)
                    continue
                return self._read_slowly(inputs, max_errors)
            if type(value) is _AS_THEY_ARE.get(_nullable(type_)):
                sources[name] = VariableValueSource(signature, value)
                coerced[name] = value
                continue
            try:
                result = coerce_input_value(value, type_)
            except Exception:  # noqa: BLE001 - said again, with its place
                return self._read_slowly(inputs, max_errors)
            if result is Undefined:
                return self._read_slowly(inputs, max_errors)
            sources[name] = VariableValueSource(signature, value)
            coerced[name] = result
        return VariableValues(sources, coerced)

    def _read_slowly(self, inputs: Mapping[str, Any], max_errors: int) -> VariableValues | list[GraphQLError]:
        definitions = self._operation.variable_definitions or ()
        return get_variable_values(self._schema, definitions, dict(inputs), max_errors, self._hide_suggestions)


def parameter_names(field: StrawberryField, arguments: Mapping[str, Any], name_of: Any) -> dict[str, str]:
    """By name in the schema the name of the function's parameter, of those arguments that are passed on as they are.

    Others are converted by Strawberry: lists, input objects, `Maybe`, global ids.
    """
    names: dict[str, str] = {}
    for argument in field.arguments:
        type_: Any = argument.type
        while isinstance(type_, StrawberryOptional) and not isinstance(type_, StrawberryMaybe):
            type_ = type_.of_type
        definition = arguments[name_of(argument)].type
        if is_non_null_type(definition):
            definition = definition.of_type
        if is_leaf_type(definition) and not isinstance(type_, StrawberryMaybe) and type_ is not GlobalID:
            names[name_of(argument)] = argument.python_name
    return names


def direct_arguments(definition: GraphQLField, node: FieldNode, names: Mapping[str, str]) -> DirectArguments | None:
    """How to put the arguments of a field together without coercing them again; None if that cannot be done.

    A variable that is an argument by itself has been coerced to the argument's type, but for null.
    """
    given = {argument.name.value: argument for argument in node.arguments or ()}
    whole = {name for name, argument in given.items() if isinstance(argument.value, VariableNode)}
    rest = [argument for name, argument in given.items() if name not in whole]
    if not whole <= names.keys() or has_variables(rest):
        return None
    others = {name: argument for name, argument in definition.args.items() if name not in whole}
    fixed = fixed_arguments(GraphQLField(definition.type, others), FieldNode(name=node.name, arguments=tuple(rest)))
    if fixed is None or not fixed.keys() <= names.keys():
        return None
    variables = tuple(
        (names[name], cast("VariableNode", given[name].value).name.value, is_non_null_type(definition.args[name].type))
        for name in sorted(whole)
    )
    return DirectArguments({names[name]: value for name, value in fixed.items()}, variables)
