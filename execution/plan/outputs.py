"""What generated code knows of values: which need no closer look, and the output of those that are leaves."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import GeneratorType
from typing import Any
from uuid import UUID

import msgspec
from graphql import GraphQLEnumType, GraphQLLeafType, Undefined

PLAIN: set[type] = set()
"""Types of objects that were seen to be neither exceptions nor awaitables, so that generated code need not look."""
MAX_PLAIN = 1_000
UNREAD: Any = object()
"""Stands for an attribute that was not read yet."""

LEAVES = frozenset(
    {str, int, float, bool, bytes, dict, list, tuple, set, frozenset, date, datetime, time, timedelta, Decimal, UUID}
)
"""Types of values that output functions may be given as they are."""

# Outputs of these are remembered: writing a date takes longer than looking it up, and the same days come again.
# Equal values of other types, such as moments in two zones, may look different.
REMEMBERED = (date, UUID)
_MAX_REMEMBERED = 4096
MAX_KEPT = 128
"""Lasting objects of one place that something is remembered of, about 50 KB."""


class Odd(Exception):
    """A value that the short way through a row of attributes does not know."""


def learn(cls: type) -> None:
    """Note that objects of a type need no closer look, if that is true of all of them."""
    if len(PLAIN) < MAX_PLAIN and is_plain(cls):
        PLAIN.add(cls)


def is_plain(cls: type) -> bool:
    """Whether no object of a type can be an exception or an awaitable."""
    return not issubclass(cls, Exception | GeneratorType) and not hasattr(cls, "__await__")


class Kept(dict[int, msgspec.Raw]):
    """What was made of lasting objects at one place, by their ids: JSON, since it is written often.

    The objects are kept alive, so ids stay theirs.
    """

    def __init__(self) -> None:
        super().__init__()
        self._objects: list[Any] = []

    def keep(self, run: Any, build: Callable[[Any, Any, Any], dict[str, Any]], value: Any, position: Any) -> Any:
        """What the function makes of an object, remembered unless that went wrong."""
        errors = len(run.errors)
        built = build(run, value, position)
        if len(run.errors) == errors:
            if len(self) >= MAX_KEPT:
                self.clear()
                self._objects.clear()
            self[id(value)] = msgspec.Raw(msgspec.json.encode(built))
            self._objects.append(value)
        return built


class Remembered(dict[Any, Any]):
    """Outputs by the value; made when they are looked up."""

    def __init__(self, output: Callable[[Any], Any]) -> None:
        super().__init__()
        self._output = output

    def __missing__(self, value: Any) -> Any:
        output = self._output(value)
        if len(self) < _MAX_REMEMBERED:
            self[value] = output
        return output


@lru_cache(maxsize=64)
def remembered(leaf: GraphQLLeafType) -> Remembered:
    """What is remembered of a type, once for all operations: the same days are in most of them."""
    return Remembered(output_function(leaf))


def output_function(leaf: GraphQLLeafType) -> Callable[[Any], Any]:
    """A type's output function; raises for what it refuses, and `Odd` for values that must not reach it."""
    output = leaf.coerce_output_value
    enum = getattr(leaf, "wrapped_cls", None)

    def guarded(value: Any) -> Any:
        if type(value) not in LEAVES and type(value) is not enum:
            raise Odd
        result = output(value)
        if result is None or result is Undefined:
            raise Odd
        return result

    return guarded


def enum_members(leaf: GraphQLLeafType) -> dict[Any, str]:
    """The output of each member of a Python enum; empty for other types."""
    enum = getattr(leaf, "wrapped_cls", None)
    if not isinstance(leaf, GraphQLEnumType) or not (isinstance(enum, type) and issubclass(enum, Enum)):
        return {}
    members: dict[Any, str] = {}
    for member in enum:
        try:
            members[member] = leaf.coerce_output_value(member)
        except Exception:  # noqa: BLE001 - said again when such a member is put out
            return {}
    return members
