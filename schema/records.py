"""How a domain record stands behind a Strawberry type."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

from execution.records import instance_of

T = TypeVar("T")


def record_type(record: type, *, description: str, name: str | None = None) -> Callable[[type[T]], type[T]]:
    """A GraphQL type whose objects are instances of a domain record; fields without a resolver read its attributes."""

    def decorate(cls: type[T]) -> type[T]:
        cls.is_type_of = staticmethod(instance_of(record))  # type: ignore[attr-defined]
        return strawberry.type(cls, name=name, description=description)

    return decorate


def shown(record: Any) -> Any:
    """The record as the GraphQL type that stands for it; the type checker cannot know that they are one."""
    return cast(Any, record)
