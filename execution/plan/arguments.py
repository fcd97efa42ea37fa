"""Arguments as the functions behind fields take them.

Strawberry makes them by walking through their types for each object. Here each type becomes a function once, and what
an operation says of a field's arguments is looked at once.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple, cast
from uuid import UUID

import strawberry
from graphql import FieldNode, GraphQLField, Undefined, VariableNode, get_argument_values, is_non_null_type
from graphql.execution.values import VariableValues
from strawberry import UNSET, Some
from strawberry.relay import GlobalID
from strawberry.scalars import is_scalar
from strawberry.types.arguments import convert_argument, convert_arguments
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType

CONSTANTS = (type(None), str, int, float, bool, Enum, date, datetime, time, timedelta, Decimal, UUID)
"""Values of these cannot be changed by whoever is given them."""


class Parameter(NamedTuple):
    """What a function takes for an argument."""

    name: str
    convert: Callable[[Any], Any] | None
    """From the coerced value to what it takes; None where they are the same."""


class FieldArguments:
    """How the function of one field comes to its arguments."""

    __slots__ = ("_definition", "_field", "_fixed", "_node", "_parameters", "_schema", "_variables", "fixed")

    def __init__(
        self, schema: strawberry.Schema, definition: GraphQLField, field: StrawberryField, node: FieldNode
    ) -> None:
        self._schema = schema
        self._definition = definition
        self._field = field
        self._node = node
        self._parameters = converters(schema).parameters(field)
        """By the schema's names of the arguments, but for those that Strawberry converts."""
        direct = self._direct()
        self._fixed: dict[str, Any] | None = direct[0] if direct else None
        """By parameter what is the same in every run, if all else are variables by themselves."""
        self._variables: Sequence[tuple[Parameter, str, bool]] = direct[1] if direct else ()
        """Parameter, variable, and whether null is not allowed."""
        self.fixed = None if self._variables else self._fixed
        """All arguments, if they are the same in every run."""

    def _direct(self) -> tuple[dict[str, Any], Sequence[tuple[Parameter, str, bool]]] | None:
        """What a run need not look at again, where each argument is fixed or a variable by itself.

        A variable that is an argument by itself has been coerced to the argument's type, but for null.
        """
        given = {argument.name.value: argument for argument in self._node.arguments or ()}
        whole = {name for name, argument in given.items() if isinstance(argument.value, VariableNode)}
        rest = tuple(argument for name, argument in given.items() if name not in whole)
        types = self._definition.args
        if not types.keys() <= self._parameters.keys() or has_variables(rest):
            return None
        others = {name: argument for name, argument in types.items() if name not in whole}
        field, node = GraphQLField(self._definition.type, others), FieldNode(name=self._node.name, arguments=rest)
        try:
            values = get_argument_values(field, node)
            if not all(isinstance(value, CONSTANTS) for value in values.values()):
                # A list or an input object belongs to the run that it was made for: a resolver may change it.
                return None
            fixed = self._converted(values)
        except Exception:  # noqa: BLE001 - the field fails with it when it is run, once for each object
            return None
        variables = []
        for name in sorted(whole):
            variable = cast("VariableNode", given[name].value)
            variables.append((self._parameters[name], variable.name.value, is_non_null_type(types[name].type)))
        return fixed, variables

    def of(self, variables: VariableValues, make_info: Callable[[], Any]) -> dict[str, Any]:
        """The arguments in one run. Raises what their coercion raises."""
        if self._fixed is not None:
            found = self._fixed.copy()
            for (parameter, convert), variable, non_null in self._variables:
                value = variables.coerced.get(variable, Undefined)
                if value is Undefined or (non_null and value is None):
                    break
                found[parameter] = value if convert is None else convert(value)
            else:
                return found
        arguments = get_argument_values(self._definition, self._node, variables)
        if arguments.keys() <= self._parameters.keys():
            return self._converted(arguments)
        return convert_arguments(
            arguments,
            self._field.arguments,
            scalar_registry=self._schema.schema_converter.scalar_registry,
            config=self._schema.config,
            info=make_info(),
        )

    def _converted(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """From the names and values of the schema to those of the function."""
        found = [(self._parameters[name], value) for name, value in arguments.items()]
        return {name: value if convert is None else convert(value) for (name, convert), value in found}


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


Convert = Callable[[Any], Any]


class LeftToStrawberry(Exception):
    """The values of a type are made by Strawberry alone."""


class Converters:
    """What `convert_argument` does to the coerced values of a schema's input types."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._scalars = schema.schema_converter.scalar_registry
        self._config = schema.config
        self._name_of = schema.config.name_converter.from_field
        self._name_of_argument = schema.config.name_converter.from_argument
        self._objects: dict[Any, _ObjectConverter] = {}

    def parameters(self, field: StrawberryField) -> dict[str, Parameter]:
        """Those of its function by the schema's names of its arguments; without those that Strawberry converts."""
        found: dict[str, Parameter] = {}
        for argument in field.arguments:
            with suppress(LeftToStrawberry):
                found[self._name_of_argument(argument)] = Parameter(argument.python_name, self.of(argument.type))
        return found

    def of(self, type_: Any) -> Convert | None:
        """The function for values of a type; None if they are passed on as they are. Raises `LeftToStrawberry`."""
        if isinstance(type_, LazyType):
            return self.of(type_.resolve_type())
        if isinstance(type_, StrawberryMaybe):
            return self._maybe(type_)
        if isinstance(type_, StrawberryOptional):
            return self.of(type_.of_type)
        if isinstance(type_, StrawberryList):
            return self._list(type_)
        if type_ is GlobalID:
            raise LeftToStrawberry
        if is_scalar(type_, self._scalars) or isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_):
            return None
        return self._object(type_)

    def _maybe(self, type_: StrawberryMaybe) -> Convert:
        convert = self.of(type_.of_type)
        may_be_null = isinstance(type_.of_type, StrawberryOptional)

        def converted(value: Any) -> Any:
            if value is None and not may_be_null:
                # It says why not.
                return convert_argument(value, type_, self._scalars, self._config)
            return Some(value if convert is None else convert(value))

        return converted

    def _list(self, type_: StrawberryList) -> Convert:
        convert = self.of(type_.of_type)

        def converted(value: Any) -> Any:
            if value is None or value is UNSET:
                return value
            # A copy in any case, because a default is the same object in every request.
            return list(value) if convert is None else [convert(each) for each in value]

        return converted

    def _object(self, type_: Any) -> Convert:
        found = self._objects.get(type_)
        if found is None:
            if not has_object_definition(type_) or type_.__strawberry_definition__.from_input is not None:
                # Whatever may hold it and is not finished yet goes with it.
                self._objects.clear()
                raise LeftToStrawberry
            # Known before it is finished, since it may hold itself.
            found = self._objects[type_] = _ObjectConverter(type_)
            found.members = {
                self._name_of(field): (field.python_name, self.of(field.resolve_type(type_definition=found.definition)))
                for field in found.definition.fields
            }
        return found


class _ObjectConverter:
    """From the members of an input object to the class that stands for it."""

    def __init__(self, type_: Any) -> None:
        self._type = type_
        self.definition = type_.__strawberry_definition__
        self.members: dict[str, tuple[str, Convert | None]] = {}
        # Those without a default are None when they are not sent.
        self._absent = {
            field.python_name: None
            for field in self.definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }

    def __call__(self, value: Any) -> Any:
        if value is None or value is UNSET:
            return value
        members = self._absent.copy()
        for name, found in value.items():
            python_name, convert = self.members[name]
            members[python_name] = found if convert is None else convert(found)
        return self._type(**members)


@lru_cache(maxsize=8)
def converters(schema: strawberry.Schema) -> Converters:
    """Those of a schema, which all of its operations have in common."""
    return Converters(schema)
