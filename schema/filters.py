"""Inputs that narrow lists down and order them, made of what `domain.lists` declares."""

from collections.abc import Callable, Mapping
from keyword import iskeyword
from types import GenericAlias
from typing import Any, TypeVar

import strawberry

from domain import lists, paging
from domain.filter_input import TOGETHER, Fields, Input
from domain.short_id import ShortId
from domain.vocabulary import Vocabulary

T = TypeVar("T")

_VALUES: dict[str, type] = {}
"""The inputs of operators and values, by name; several lists have them in common."""
_LISTS: list[tuple[Fields, type]] = []
"""The inputs of lists, which lead to one another."""


def _has(cls: Any, name: str, type_: Any, words: str, **default: Any) -> None:
    """Gives a class that is to become an input a member; words of Python are written with an underscore there."""
    python_name = f"{name}_" if iskeyword(name) else name
    cls.__annotations__[python_name] = type_
    setattr(cls, python_name, strawberry.field(name=name if iskeyword(name) else None, description=words, **default))


def _annotation(type_: Any) -> Any:
    if isinstance(type_, Input):
        return _VALUES.get(type_.name) or _value_input(type_)
    if isinstance(type_, Mapping):
        return next(cls for fields, cls in _LISTS if fields is type_)
    return strawberry.ID if type_ is ShortId else type_


def _value_input(asked: Input) -> type:
    made = _VALUES[asked.name] = type(asked.name, (), {"__module__": __name__, "__annotations__": {}})
    for name, member in asked.members.items():
        type_ = _annotation(member.type)
        type_ = GenericAlias(list, (type_,)) if member.many else type_
        if asked.required:
            _has(made, name, type_, member.words)
        else:
            _has(made, name, type_ | None, member.words, default=None)
    return strawberry.input(made, description=asked.words)


def _filter_input(asked: lists.List) -> Callable[[type[T]], type[T]]:
    """Makes the input of a list's filter of a class that has only a docstring."""

    def decorate(cls: type[T]) -> type[T]:
        cls.__annotations__ = {}
        for name, member in asked.fields.items():
            _has(cls, name, _annotation(member.type) | None, member.words, default=None)
        for name, words in TOGETHER.items():
            _has(cls, name, cls | None if name == "not" else GenericAlias(list, (cls,)) | None, words, default=None)
        _LISTS.append((asked.fields, cls))
        told = f"{cls.__doc__} All members given must hold; null asks for nothing."
        return strawberry.input(cls, description=told)

    return decorate


def _order_input(fields: type[Vocabulary]) -> Callable[[type[T]], type[T]]:
    """Makes the input of an order of a class that has only a docstring; the first of the fields is the usual one."""

    def decorate(cls: type[T]) -> type[T]:
        cls.__annotations__ = {}
        _has(cls, "field", fields, "What decides first.", default=next(iter(fields)))
        _has(cls, "direction", paging.OrderDirection, "Which end comes first.", default=paging.OrderDirection.ASC)
        return strawberry.input(cls, description=cls.__doc__)

    return decorate


@_filter_input(lists.BODIES)
class CertificationBodyWhere:
    """Which certification bodies are looked for."""


@_filter_input(lists.CERTIFICATIONS)
class CertificationWhere:
    """Which certifications are looked for."""


@_filter_input(lists.CLAIMS)
class ClaimWhere:
    """Which claims are looked for."""


@_filter_input(lists.CERTIFICATION_ASSIGNMENTS)
class CertificationAssignmentWhere:
    """Which certification assignments are looked for."""


@_filter_input(lists.CLAIM_ASSIGNMENTS)
class ClaimAssignmentWhere:
    """Which claim assignments are looked for."""


@_filter_input(lists.PRODUCTS)
class ProductWhere:
    """Which products are looked for."""


@_order_input(paging.ProductOrderField)
class ProductOrder:
    """How products are ordered."""


@_order_input(paging.AssignmentOrderField)
class AssignmentOrder:
    """How assignments are ordered."""


@_order_input(paging.NestedAssignmentOrderField)
class NestedAssignmentOrder:
    """How the assignments of one definition are ordered."""


@_order_input(paging.DefinitionOrderField)
class DefinitionOrder:
    """How certifications or claims are ordered."""


@_order_input(paging.BodyOrderField)
class CertificationBodyOrder:
    """How certification bodies are ordered."""
