"""How a domain record stands behind a Strawberry type."""

import re
from collections.abc import Callable
from inspect import get_annotations
from types import NoneType, UnionType
from typing import Annotated, Any, Optional, TypeVar, Union, get_args, get_origin

import strawberry
from strawberry.utils.str_converters import to_camel_case

from domain.members import members_of
from domain.short_id import ShortId
from execution.markers import ITEMS, DeclaredRead, instance_of
from resolvers.reading import Source
from schema.classes import plain_field, read_once
from schema.context import GraphQLContext
from schema.scalars import Metadata

T = TypeVar("T")


def record_type(
    record: type, *, description: str, name: str | None = None, lasting: bool = False
) -> Callable[[type[T]], type[T]]:
    """A GraphQL type whose objects are instances of a domain record; fields without a resolver read its attributes.

    Records are made of rows, whose columns have the types that records declare, or in typed code.

    The members of which the record says something become fields by themselves; the class has what is told besides. Its
    name is the record's where none is given.
    `lasting` is for definitions, of which the same objects are shown again and again (see `execution.markers`).
    """

    def decorate(cls: type[T]) -> type[T]:
        members = members_of(record).values()
        hints = {member.name: graphql_type(member.type) for member in members} | get_annotations(cls)
        cls.__annotations__ = {name: read_once(hint) for name, hint in hints.items()}
        for member in members:
            setattr(cls, member.name, plain_field(spelled(member.for_readers(example=True)), init=False))
        cls.is_type_of = staticmethod(instance_of(record, lasting=lasting))  # type: ignore[attr-defined]
        return strawberry.type(cls, name=name or record.__name__, description=description)

    return decorate


def graphql_type(hint: Any) -> Any:
    """What GraphQL shows a value as, or takes it as, that the domain declares so."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        inner = next(part for part in parts if part is not NoneType)
        return Optional[graphql_type(inner)]  # noqa: UP045 - of a type that is only known here
    if origin is Annotated:
        return graphql_type(parts[0])
    if origin is list:
        return list[graphql_type(parts[0])]  # type: ignore[misc]
    if origin is dict:
        return Metadata
    if hint is ShortId:
        return strawberry.ID
    return getattr(hint, "__supertype__", hint)


class _Source:
    """A declared read as a field takes it, in the context of a GraphQL operation."""

    def __init__(self, source: Source) -> None:
        self.record, self.definition = source.record, source.definition
        self.fill = source.fill
        self._source = source

    def waits(self, context: GraphQLContext) -> bool:
        return context.operation.database.waits

    def reader(self, context: GraphQLContext) -> Any:
        return self._source.reader(context.operation)


def rows_of(source: Source, key: str, parse: Callable[[Any], Any] | None = None) -> dict[str, Any]:
    """The metadata of a field whose objects are the rows of a read (see `execution.markers.DeclaredRead`)."""
    return DeclaredRead(_Source(source), key, parse).metadata


def items_of(source: Source) -> dict[str, Any]:
    """The metadata of a field that is read in pages, whose items are such rows."""
    return {ITEMS: _Source(source)}


_name = re.compile(r"`[a-z]+(?:_[a-z]+)+`")


def spelled(text: str) -> str:
    """The text with the members that it names in camelCase."""
    return _name.sub(lambda found: to_camel_case(found[0]), text)


def shown(record: Any) -> Any:
    """The record as the GraphQL type that stands for it; the type checker cannot know that they are one."""
    return record
