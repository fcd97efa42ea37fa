"""Input values, twice: coerced as graphql-core does it, and made what functions take as Strawberry does it.

Both walk through the same types in every request. Here each type becomes a function once, for the values that are as
they should be; all others are left to graphql-core and to Strawberry, which also know how to say what is wrong.
"""

from collections.abc import Callable
from dataclasses import MISSING
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import strawberry
from graphql import (
    GraphQLBoolean,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLString,
    Undefined,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from graphql.type import is_required_input_field
from graphql.utilities import coerce_input_value
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry import UNSET, Some
from strawberry.relay import GlobalID
from strawberry.scalars import is_scalar
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType

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


class _InputMembers(NamedTuple):
    """The members of an input object."""

    coercers: dict[str, Callable[[Any], Any]]
    required: frozenset[str]
    defaults: dict[str, Any]


class _ObjectCoercer:
    """Of an input object; its members are looked at when it is needed, since it may hold itself."""

    def __init__(self, type_: GraphQLInputObjectType) -> None:
        self._type = type_

    @cached_property
    def _members(self) -> _InputMembers:
        fields = self._type.fields
        defaults = {name: coerce_default_value(field) for name, field in fields.items()}
        return _InputMembers(
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


Convert = Callable[[Any], Any]


class LeftToStrawberry(Exception):
    """The values of a type are made by Strawberry alone."""


class Converters:
    """What `convert_argument` does to the coerced values of a schema's input types."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._scalars = schema.schema_converter.scalar_registry
        self._config = schema.config
        self._name_of = schema.config.name_converter.from_field
        self._objects: dict[Any, _ObjectConverter] = {}

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
