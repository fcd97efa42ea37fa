"""Inputs that narrow lists down and order them, made of what `domain.lists` declares."""

from collections.abc import Mapping
from functools import cache
from keyword import iskeyword
from types import GenericAlias
from typing import Any

import strawberry

from domain import lists
from domain.filter_input import TOGETHER, Fields, Input
from domain.paging import BodyOrderField, OrderDirection
from domain.short_id import ShortId
from domain.vocabulary import Vocabulary
from schema.classes import class_of, plain_field, read_once


def _has(made: Any, name: str, type_: Any, words: str, **default: Any) -> None:
    """Gives the class of an input a member; words of Python are written with an underscore behind them there."""
    python_name = f"{name}_" if iskeyword(name) else name
    made.__annotations__[python_name] = read_once(type_)
    setattr(made, python_name, plain_field(words, name=name if iskeyword(name) else None, **default))


_WHERE: list[tuple[Fields, Any]] = []
_VALUES: dict[str, Any] = {}
"""Inputs of values, which lists have in common, by name."""


def _annotation(type_: Any) -> Any:
    if isinstance(type_, Input):
        return _VALUES.get(type_.name) or _value_input(type_)
    if isinstance(type_, Mapping):
        return _where_of(type_)
    return strawberry.ID if type_ is ShortId else type_


def _value_input(asked: Input) -> Any:
    made = _VALUES[asked.name] = class_of(asked.name, {}, {})
    for name, member in asked.members.items():
        type_ = _annotation(member.type)
        type_ = GenericAlias(list, (type_,)) if member.many else type_
        if asked.required:
            _has(made, name, type_, member.words)
        else:
            _has(made, name, type_ | None, member.words, default=None)
    return strawberry.input(made, description=asked.words)


def _make_where(each: lists.List) -> None:
    made = class_of(f"{each.record.__name__}Where", {}, {})
    _WHERE.append((each.fields, made))
    for name, asked in each.fields.items():
        _has(made, name, _annotation(asked.type) | None, asked.words, default=None)
    for name, words in TOGETHER.items():
        type_ = made if name == "not" else GenericAlias(list, (made,))
        _has(made, name, type_ | None, words, default=None)
    told = f"Which {each.called} are looked for. All members given must hold; null asks for nothing."
    strawberry.input(made, description=told)


def _where_of(fields: Fields) -> Any:
    return next(made for known, made in _WHERE if known is fields)


for _list in lists.EVERY:
    _make_where(_list)


def where_input(of: lists.List) -> Any:
    """The input that narrows a list down."""
    return _where_of(of.fields)


@cache
def order_input(fields: type[Vocabulary]) -> Any:
    """The input that orders a list by one of these fields, of which the first is the usual one."""
    name = "CertificationBodyOrder" if fields is BodyOrderField else fields.__name__.removesuffix("Field")
    made = class_of(name, {}, {})
    usual = next(iter(fields))
    _has(made, "field", fields, "What decides first.", default=usual)
    _has(made, "direction", OrderDirection, "Which end comes first.", default=OrderDirection.ASC)
    return strawberry.input(made, description=fields.__doc__)
