"""Python expressions for the output of leaves."""

from collections.abc import Callable
from typing import Any, cast

from graphql import GraphQLBoolean, GraphQLFloat, GraphQLID, GraphQLInt, GraphQLString

from execution.plan.outputs import REMEMBERED, enum_members, output_function, remembered
from execution.plan.plan import ValuePlan

Name = Callable[[str, int, Any], str]
"""Gives an object a name in the generated source, made of a prefix and a number."""

# Such values are their own output; anything else goes through the type's output function.
_USUAL = {
    GraphQLString: "type({0}) is str",
    GraphQLID: "type({0}) is str",
    GraphQLBoolean: "type({0}) is bool",
    GraphQLInt: "type({0}) is int and -2147483648 <= {0} <= 2147483647",
    GraphQLFloat: "type({0}) is float and -1.7976931348623157e308 <= {0} <= 1.7976931348623157e308",
}


def usual_test(place: ValuePlan, found: str) -> str | None:
    """Whether a value is its own output; None if no value of the type is."""
    usual = _USUAL.get(cast("Any", place.leaf))
    return usual and usual.format(found) + ("" if place.non_null else f" or {found} is None")


def output_of(name: Name, place: ValuePlan, found: str) -> str:
    """The output of a leaf; raises anything if it is not simple."""
    output = f"{name('s', place.number, output_function(place.leaf))}({found})"
    usual = usual_test(place, found)
    if usual is not None:
        return f"{found} if {usual} else {output}"
    members = enum_members(place.leaf)
    table = name("m", place.number, members or remembered(place.leaf))
    if members:
        test = f"type({found}) is {name('e', place.number, type(next(iter(members))))}"
    else:
        test = " or ".join(f"type({found}) is {kind.__name__}" for kind in REMEMBERED)
    null = "" if place.non_null else f"None if {found} is None else "
    return f"{table}[{found}] if {test} else {null}{output}"
