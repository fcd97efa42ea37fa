"""How a domain record stands behind a Strawberry type."""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from execution.markers import instance_of

T = TypeVar("T")


def record_type(
    record: type, *, description: str, name: str | None = None, lasting: bool = False
) -> Callable[[type[T]], type[T]]:
    """A GraphQL type whose objects are instances of a domain record; fields without a resolver read its attributes.

    Records are made of rows, whose columns have the types that records declare, or in typed code.

    Its name is the record's where none is given.
    `lasting` is for definitions, of which the same objects are shown again and again (see `execution.markers`).
    """

    def decorate(cls: type[T]) -> type[T]:
        cls.is_type_of = staticmethod(instance_of(record, exact=True, lasting=lasting))  # type: ignore[attr-defined]
        return strawberry.type(cls, name=name or record.__name__, description=description)

    return decorate


def shown(record: Any) -> Any:
    """The record as the GraphQL type that stands for it; the type checker cannot know that they are one."""
    return record
