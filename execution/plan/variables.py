"""Coercing the variables of an operation, as graphql-core does it.

It walks through their types in every request. Here each type becomes a function once, for the values that are as they
should be; all others are left to graphql-core, which also knows how to say what is wrong.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cached_property, lru_cache
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from graphql.type import is_required_input_field
from graphql.utilities import coerce_input_value
from graphql.utilities.coerce_input_value import coerce_default_value

from execution.plan.arguments import CONSTANTS

_AS_THEY_ARE: dict[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
"""Values of these need no coercing."""


class Unusual(Exception):
    """A value that is wrong, or that graphql-core has to look at."""


def coercer(type_: Any) -> Callable[[Any], Any]:
    """What `coerce_input_value` does to a value of this type; raises anything where that would not be simple."""
    required = is_non_null_type(type_)
    inner = type_.of_type if required else type_
    usual = _AS_THEY_ARE.get(inner)
    if is_list_type(inner):
        coerce = _list_coercer(inner.of_type)
    elif not is_input_object_type(inner):
        coerce = inner.coerce_input_value
    elif inner.is_one_of or inner.out_type is not GraphQLInputObjectType.out_type:
        coerce = lambda value: coerce_input_value(value, inner)  # noqa: E731 - one of four
    else:
        coerce = _object_coercer(inner)

    def coerced(value: Any) -> Any:
        if type(value) is usual:
            return value
        if value is None and not required:
            return None
        result = Undefined if value is None else coerce(value)
        if result is Undefined:
            raise Unusual
        return result

    return coerced


def _list_coercer(item: Any) -> Callable[[Any], Any]:
    coerce = coercer(item)

    def coerced(value: Any) -> Any:
        # One item by itself is a list, too.
        return [coerce(each) for each in value] if type(value) is list else Undefined

    return coerced


class _ObjectCoercer:
    """Of an input object; its members are looked at when it is needed, since it may hold itself."""

    def __init__(self, type_: GraphQLInputObjectType) -> None:
        self._type = type_

    @cached_property
    def _members(self) -> tuple[dict[str, Callable[[Any], Any]], frozenset[str], dict[str, Any]]:
        """By name their coercers, which are required, the defaults of the others."""
        fields = self._type.fields
        defaults = {name: coerce_default_value(field) for name, field in fields.items()}
        return (
            {name: coercer(field.type) for name, field in fields.items()},
            frozenset(name for name, field in fields.items() if is_required_input_field(field)),
            {name: default for name, default in defaults.items() if default is not Undefined},
        )

    def __call__(self, value: Any) -> Any:
        if type(value) is not dict:
            return Undefined
        coercers, required, defaults = self._members
        if not required <= value.keys():
            return Undefined
        coerced = defaults.copy()
        for name, each in value.items():
            # A name that the type does not know is a KeyError.
            coerced[name] = coercers[name](each)
        return coerced


@lru_cache(maxsize=1024)
def _object_coercer(type_: GraphQLInputObjectType) -> _ObjectCoercer:
    return _ObjectCoercer(type_)


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
