"""Input values are coerced and converted as graphql-core and Strawberry do it, whatever is sent."""

import dataclasses
from copy import deepcopy
from datetime import date
from enum import Enum
from random import Random
from typing import Annotated, Any

import pytest
import strawberry
from graphql import (
    Undefined,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from graphql.utilities import coerce_input_value
from strawberry import Maybe
from strawberry.relay import GlobalID
from strawberry.types.arguments import InputContext, convert_argument

from execution.executor import Executor
from execution.plan.arguments import LeftToStrawberry, converters
from execution.plan.variables import coercer
from execution.run.interpreted import interpret
from schema.schema import schema as ours

CASES = 400


@strawberry.enum
class Size(Enum):
    SMALL = "s"
    LARGE = "l"


@strawberry.input(one_of=True)
class Either:
    left: Maybe[int]
    right: Maybe[str]


@strawberry.input
class Node:
    name: str
    size: Size = Size.SMALL
    day: date | None = None
    sizes: list[Size] | None = None
    tags: list[str] = strawberry.field(default_factory=lambda: ["one"])
    grid: list[list[int | None]] | None = None
    either: Either | None = None
    maybe: Maybe[float | None]
    never_null: Maybe[list[int]]
    children: list["Node"] | None = None
    lazy: Annotated["Node", strawberry.lazy("tests.execution.test_inputs")] | None = None


@strawberry.type
class Query:
    @strawberry.field
    def shown(self, node: Node, more: list[Node] | None = None) -> str:
        return repr((node, more))


small = strawberry.Schema(Query)


class Values:
    """Values for a type, of which some are wrong."""

    def __init__(self, seed: int, faults: float) -> None:
        self._random = Random(seed)
        self._faults = faults

    def of(self, type_: Any, depth: int = 0) -> Any:
        if self._random.random() < self._faults:
            return self._random.choice([None, 1, 2.5, True, "x", [], {}, {"a": 1}, ["x"], [None], Undefined, b"x"])
        if is_non_null_type(type_):
            return self._value(type_.of_type, depth)
        return None if self._random.random() < 0.2 else self._value(type_, depth)

    def _value(self, type_: Any, depth: int) -> Any:
        random = self._random
        if is_list_type(type_):
            if random.random() < 0.1:
                return self.of(type_.of_type, depth)
            return [self.of(type_.of_type, depth) for _ in range(random.randrange(3 if depth < 4 else 1))]
        if is_enum_type(type_):
            return random.choice(list(type_.values))
        if is_input_object_type(type_):
            chosen = {
                name: field.type
                for name, field in type_.fields.items()
                if random.random() < 0.3 or (is_non_null_type(field.type) and random.random() > self._faults)
            }
            if type_.is_one_of:
                name, field = random.choice(list(type_.fields.items()))
                chosen = {name: field.type}
            members = {name: self.of(each, depth + 1) for name, each in chosen.items() if depth < 5}
            if random.random() < self._faults / 4:
                members["unknown"] = 1
            return members
        return {
            "Int": random.randrange(-5, 5),
            "Float": random.choice([1, 0.5]),
            "Boolean": random.random() < 0.5,
            "String": random.choice(["", "text"]),
            "ID": random.choice(["id", 7]),
            "Date": "2026-02-28",
        }.get(type_.name, random.choice(["x", {"a": "b"}, {}]))


def coerced(coerce: Any, *arguments: Any) -> Any:
    try:
        return coerce(*arguments)
    except Exception:  # noqa: BLE001 - whatever is raised, the value is left to graphql-core
        return Undefined


def outcome(convert: Any, *arguments: Any) -> Any:
    try:
        return plain(convert(*arguments))
    except Exception as error:  # noqa: BLE001 - has to be the same
        return type(error), str(error)


def plain(value: Any) -> Any:
    """With what `Maybe` and input objects hold, which do not all compare by it."""
    if dataclasses.is_dataclass(value):
        return type(value), {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, strawberry.Some):
        return strawberry.Some, plain(value.value)
    return [plain(item) for item in value] if isinstance(value, list) else (type(value), value)


@pytest.mark.parametrize("schema", [small, ours], ids=["all sorts", "certgate"])
@pytest.mark.parametrize("faults", [0.0, 0.05])
def test_the_same_as_graphql_core_and_strawberry(schema: strawberry.Schema, faults: float) -> None:
    types = [type_ for type_ in schema._schema.type_map.values() if is_input_object_type(type_)]
    fine = 0
    for seed in range(CASES):
        type_: Any = types[seed % len(types)]
        value = Values(seed, faults).of(type_)
        expected = coerced(coerce_input_value, deepcopy(value), type_)
        found = coerced(coercer(type_), value)
        # What is unusual may be left to graphql-core, even if it is right, such as one item instead of a list.
        if found is not Undefined:
            assert plain(found) == plain(expected), seed
            fine += 1
        python_type = type_.extensions["strawberry-definition"].origin
        registry = schema.schema_converter.scalar_registry
        convert = converters(schema).of(python_type)
        assert convert is not None
        if expected is not Undefined:
            theirs = outcome(convert_argument, deepcopy(expected), python_type, registry, schema.config)
            assert outcome(convert, expected) == theirs, seed
    assert fine > CASES / 4


def test_lists_belong_to_one_run() -> None:
    tags = ["a"]
    convert = converters(small).of(Node)
    assert convert is not None
    assert convert({"name": "n", "tags": tags}).tags is not tags


def test_null_for_what_may_only_be_left_out_is_refused_as_strawberry_refuses_it() -> None:
    convert = converters(small).of(Node)
    assert convert is not None
    with pytest.raises(Exception, match="found null"):
        convert({"name": "n", "neverNull": None})


@strawberry.input
class Inner:
    number: int


@strawberry.input
class Outer:
    inner: Inner | None = None
    outer: "Outer | None" = None


def _one_more(cls: type, value: Any, _context: InputContext) -> Any:
    return cls(number=value["number"] + 1)


Inner.__strawberry_definition__.from_input = _one_more  # type: ignore[attr-defined]


@strawberry.type
class Left:
    @strawberry.field
    def outer(self, outer: Outer | None = None) -> str:
        return repr(outer)

    @strawberry.field
    def thing(self, id: GlobalID, number: int = 1) -> str:
        return f"{id!r} {number}"


async def test_what_makes_itself_is_left_to_strawberry() -> None:
    schema = strawberry.Schema(Left)
    for type_ in (GlobalID, Inner, Outer):
        with pytest.raises(LeftToStrawberry):
            converters(schema).of(type_)
    executor = Executor(schema)
    document = executor.prepare("query($o: Outer, $id: ID!) { outer(outer: $o) thing(id: $id) }")
    variables = {"o": {"outer": {"inner": {"number": 1}}}, "id": "VGhpbmc6MQ=="}
    compiled = await executor.run(document, document.select(None), variables)
    interpreted = await interpret(schema, document, document.select(None), variables, None, None)
    assert executor.counts.compiled == 1
    assert compiled.data == interpreted.data
    assert "number=2" in (compiled.data or {})["outer"]
