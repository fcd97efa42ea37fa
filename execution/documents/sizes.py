"""How much the values in an operation's arguments and variables are."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
)

from execution.documents.measure import SATURATED

FREE_VALUES = 20
"""Values that a variable, or the literals in a field's arguments, may hold at no cost."""


def argument_size(node: FieldNode, path: tuple[str, ...], sizes: dict[tuple[str, ...], int | None]) -> int | None:
    """What a field's argument says about a size; None if it says nothing.

    `sizes` has what variables say, by their names and those that lead into them; those that are asked are added.
    """
    value: ValueNode | None = next((a.value for a in node.arguments or () if a.name.value == path[0]), None)
    rest = path[1:]
    while rest and isinstance(value, ObjectValueNode):
        value = next((field.value for field in value.fields if field.name.value == rest[0]), None)
        rest = rest[1:]
    if isinstance(value, VariableNode):
        return sizes.setdefault((value.name.value, *rest), None)
    if rest:
        return None
    if isinstance(value, IntValueNode):
        return _whole(value.value)
    if isinstance(value, ListValueNode):
        return len(value.values)
    # One item stands for a list of one.
    return None if value is None or isinstance(value, NullValueNode) else 1


def values_inside(literal: ValueNode) -> Sequence[ValueNode]:
    """The values directly inside a literal."""
    if isinstance(literal, ListValueNode):
        return literal.values
    return [field.value for field in literal.fields] if isinstance(literal, ObjectValueNode) else ()


def holds_many(literal: ValueNode | None) -> bool:
    """Whether a variable's default holds more than costs nothing."""
    waiting: list[ValueNode] = [] if literal is None else [literal]
    for value in waiting:
        waiting += values_inside(value)
    return len(waiting) > FREE_VALUES + 1


def values_in(value: Any) -> int:
    """How many values, but for null, a coerced value holds; none unless it is a list or an input object."""
    waiting = [value]
    for each in waiting:
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        waiting += [item for item in inner if item is not None]
    return len(waiting) - 1


def _whole(literal: str) -> int:
    # As long as a number may be in a document that was validated, unless it is a variable's default.
    return max(0, min(int(literal), SATURATED)) if len(literal) < 12 else SATURATED * (literal[0] != "-")


def size_of(value: Any, path: Sequence[str]) -> int | None:
    """What a coerced value says about a size: its number, or how many items it has; None if it says nothing."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    if isinstance(value, int):
        return max(0, min(value, SATURATED))
    if isinstance(value, list):
        return len(value)
    return None
