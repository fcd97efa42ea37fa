# mypy: disable-error-code="no-any-return"
"""A schema with one field of every sort, over objects whose attributes follow from a seed, faults included.

What an attribute or resolver gives depends only on the seed, the object and the arguments, so two executors see the
same world whatever the order in which they look. `Moment` decides how long asynchronous resolvers take, which must
not change the data.
"""

import asyncio
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from random import Random
from typing import Annotated, Any, NewType

import strawberry
from graphql import GraphQLError, Undefined
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from execution.batched import batched
from execution.markers import instance_of


class FaultError(Exception):
    """What fails on purpose."""


class Oddity:
    """A value of a type that no scalar knows."""

    def __str__(self) -> str:
        return "an oddity"


@dataclass
class World:
    """Where values come from. `faults` is the share of values that are wrong in some way."""

    seed: int
    faults: float = 0.0
    moments: Random | None = None
    loaders: dict[Any, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    async def wait(self) -> None:
        turns = self.moments.randrange(6) if self.moments else 0
        for _ in range(turns):
            await asyncio.sleep(0)

    def value(self, spec: str, key: str) -> Any:
        """A value for a place of this type, as a resolver would give it; may raise."""
        random = Random(f"{self.seed} {key}")
        if random.random() < self.faults:
            return self._fault(random, spec, key)
        return self._right(random, spec, key)

    def _fault(self, random: Random, spec: str, key: str) -> Any:
        match random.randrange(9):
            case 0 | 1:
                raise FaultError(f"raised for {key}")
            case 2:
                return FaultError(f"returned for {key}")
            case 3 | 4:
                return None
            case 5:
                raise GraphQLError(f"refused for {key}", extensions={"code": "REFUSED"})
            case 6:
                return Undefined
            case 7:
                return self._later(spec, key)
            case _:
                return random.choice(self._oddities())

    def _oddities(self) -> list[Any]:
        numbers = [7, -(2**40), 2.5, math.nan, math.inf, True]
        collections = [{}, {"a": 1}, [], [1, None], ("x", "y"), {"z"}, iter([])]
        return [
            *numbers,
            *collections,
            "text",
            "",
            b"bytes",
            Color.RED,
            "RED",
            date(2024, 2, 29),
            Oddity(),
            Node(self, "x"),
        ]

    async def _later(self, spec: str, key: str) -> Any:
        await self.wait()
        if Random(f"{self.seed} late {key}").random() < self.faults:
            raise FaultError(f"raised late for {key}")
        return self._right(Random(f"{self.seed} {key}"), spec, key)

    def _right(self, random: Random, spec: str, key: str) -> Any:
        if not spec.endswith("!") and random.random() < 0.1:
            return None
        spec = spec.removesuffix("!")
        if spec.startswith("["):
            count = random.choice([0, 1, 1, 2, 3])
            items = [self._item(spec[1:-1], f"{key}/{i}") for i in range(count)]
            return random.choice([items, items, items, tuple(items), (item for item in items)])
        return _LEAVES[spec](random, key) if spec in _LEAVES else self._node(random, spec, key)

    def _item(self, spec: str, key: str) -> Any:
        try:
            return self.value(spec, key)
        except Exception as error:  # noqa: BLE001 - a list cannot raise item by item
            return error

    def _node(self, random: Random, spec: str, key: str) -> Any:
        kind = random.choice({"Named": "AB", "Any": "ABC", "Mixed": "AC"}.get(spec, spec))
        return Marked(self, f"C{key}") if kind == "C" else Node(self, f"{kind}{key}")


class Node:
    """An object whose kind is the first letter of its id."""

    def __init__(self, world: World, id: str) -> None:
        self.world = world
        self.id = id

    def __repr__(self) -> str:
        return f"<{self.id}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in _ATTRIBUTES:
            raise AttributeError(name)
        return self.world.value(_ATTRIBUTES[name], f"{self.id}.{name}")


class Marked(Node):
    """An object whose type is told by its class alone."""


@strawberry.enum
class Color(Enum):
    RED = "red"
    GREEN = 2


Blob = NewType("Blob", object)


def _put_out(value: Any) -> Any:
    if value == "":
        raise ValueError("a blob may not be empty")
    return None if value == 7 else value


SCALARS: dict[object, ScalarDefinition] = {
    Blob: strawberry.scalar(name="Blob", serialize=_put_out, parse_value=lambda value: value),
}

_LEAVES: dict[str, Callable[[Random, str], Any]] = {
    "str": lambda random, key: random.choice([f"text of {key}", "", "ü\n"]),
    "int": lambda random, _: random.choice([0, -5, 2**31 - 1, True, 3.0, "12"]),
    "float": lambda random, _: random.choice([0.5, -1e300, 3, True, "2.5"]),
    "bool": lambda random, _: random.choice([True, False, 0, 1.0]),
    "id": lambda random, key: random.choice([f"id-{len(key)}", 17]),
    "color": lambda random, _: random.choice([Color.RED, Color.GREEN, "red", 2]),
    "date": lambda random, _: date(2020, 1, 1 + random.randrange(28)),
    "blob": lambda random, _: random.choice([{"a": [1, None]}, "blob", 1.5, [1]]),
}

_ATTRIBUTES = {
    "name": "str!", "title": "str", "count": "int", "total": "int!", "ratio": "float", "share": "float!",
    "is_good": "bool", "is_bad": "bool!", "key": "id!", "code": "id", "color": "color", "paint": "color!",
    "day": "date", "born": "date!", "blob": "blob", "load": "blob!", "tags": "[str!]!", "labels": "[str]",
    "grid": "[[int]]", "cube": "[[[int!]!]!]!", "colors": "[color!]", "days": "[date!]!", "twin": "A",
    "peer": "A!", "other": "B", "named": "Named", "friend": "Named!", "marked": "C", "all": "[Any]",
    "some": "[Any!]!", "kids": "[A!]!", "cousins": "[A]", "table": "[[B!]]", "marks": "[C!]", "mixed": "[Mixed!]",
}  # fmt: skip

Info = strawberry.Info[World, None]


@strawberry.input
class Inner:
    text: str = "inner"
    numbers: list[int] | None = None


@strawberry.input
class Range:
    least: int = 0
    most: int | None = 9
    inner: Inner | None = None
    maybe: strawberry.Maybe[int | None] = None


def _key(parent: Any, info: Info, *arguments: Any) -> str:
    owner = parent.id if isinstance(parent, Node) else "root"
    return f"{owner}.{info.field_name}{arguments!r}"


def _seen(info: Info, parent: Any) -> None:
    """Resolvers are told where they are."""
    info.context.calls.append(f"{'.'.join(map(str, info.path.as_list()))} {info.path.typename}")


def _results(parents: Iterable[Any], info: Info, spec: str, *arguments: Any) -> list[Any]:
    results = []
    for parent in parents:
        try:
            value = info.context.value(spec, _key(parent, info, *arguments))
            # What a future holds is not awaited again by graphql-core.
            results.append(FaultError("late") if asyncio.iscoroutine(value) and not value.close() else value)
        except Exception as error:  # noqa: BLE001 - the failure of this parent alone
            results.append(error)
    return results


@strawberry.interface
class Named:
    name: str
    title: str | None
    named: "Named | None"
    friend: "Named"
    kids: "list[A]"

    @strawberry.field
    def size(self, info: Info, unit: str = "m") -> int | None:
        _seen(info, self)
        return info.context.value("int", _key(self, info, unit))

    @strawberry.field
    async def slow(self, info: Info, color: Color = Color.RED) -> "Named | None":
        await info.context.wait()
        return _once(info.context.value("Named", _key(self, info, color)))


def _once(value: Any) -> Any:
    """What a coroutine gives is not awaited again by graphql-core."""
    if asyncio.iscoroutine(value):
        value.close()
        raise FaultError("late")
    return value


@strawberry.type
class Leaves:
    name: str
    title: str | None
    count: int | None
    total: int
    ratio: float | None
    share: float
    is_good: bool | None
    is_bad: bool
    key: strawberry.ID
    code: strawberry.ID | None
    color: Color | None
    paint: Color
    day: date | None
    born: date
    blob: Blob | None
    load: Blob
    tags: list[str]
    labels: list[str | None] | None
    grid: list[list[int | None] | None] | None
    cube: list[list[list[int]]]
    colors: list[Color] | None
    days: list[date]


@strawberry.type
class A(Leaves, Named):
    twin: "A | None"
    peer: "A"
    other: "B | None"
    marked: "C | None"
    all: "list[AnyOf | None] | None"
    some: "list[AnyOf]"
    cousins: "list[A | None] | None"
    table: "list[list[B] | None] | None"
    marks: "list[C] | None"
    mixed: "list[Mixed] | None"

    @classmethod
    def is_type_of(cls, obj: object, info: Any) -> bool:
        return isinstance(obj, Node) and obj.id.startswith("A")

    @strawberry.field
    def echo(
        self,
        info: Info,
        text: str | None = "default",
        flag: bool = True,
        color: Color = Color.GREEN,
        within: Range | None = None,
        ids: list[strawberry.ID] | None = None,
        when: date | None = None,
        blob: Blob | None = None,
        maybe: strawberry.Maybe[str] = None,
    ) -> str:
        _seen(info, self)
        return info.context.value("str!", _key(self, info, text, flag, color, within, ids, when, blob, maybe))

    @strawberry.field
    async def later(self, info: Info, within: Range, n: int = 1) -> "list[A] | None":
        await info.context.wait()
        _seen(info, self)
        return _once(info.context.value("[A!]", _key(self, info, within, n)))

    @strawberry.field
    async def soon(self, root: Any) -> "B":
        await root.world.wait()
        return _once(root.world.value("B!", f"{root.id}.soon"))

    @batched()
    @staticmethod
    async def many(parents: list[Any], info: Info, n: int = 2, color: Color | None = None) -> "list[list[Named]]":
        await info.context.wait()
        if Random(f"{info.context.seed} many {n}").random() < info.context.faults / 4:
            raise FaultError("all of many")
        return _results(parents, info, "[Named!]!", n, color)

    @batched()
    @staticmethod
    async def one(parents: list[Any], info: Info) -> "list[AnyOf | None]":
        return _results(parents, info, "Any")

    @batched()
    @staticmethod
    async def sum(parents: list[Any], info: Info, within: Range | None = None) -> list[int]:
        return _results(parents, info, "int!", within)


@strawberry.type
class B(Named):
    total: int
    other: "B | None"
    kids: "list[A]"

    @classmethod
    def is_type_of(cls, obj: object, info: Any) -> bool:
        return isinstance(obj, Node) and obj.id.startswith("B")

    @batched()
    @staticmethod
    async def many(parents: list[Any], info: Info, n: int = 2, color: Color | None = None) -> "list[list[Named]]":
        await info.context.wait()
        return _results(parents, info, "[Named!]!", n, color)


@strawberry.type
class C:
    is_type_of = staticmethod(instance_of(Marked, lasting=True))
    name: str
    total: int
    color: Color | None
    marks: "list[C] | None"
    twin: A | None

    @strawberry.field
    def computed(self: Any, info: Info, by: int) -> float | None:
        return info.context.value("float", _key(self, info, by))


AnyOf = Annotated[A | B | C, strawberry.union("AnyOf")]
Mixed = Annotated[A | C, strawberry.union("Mixed")]


@strawberry.type
class Query:
    @strawberry.field
    def a(self, info: Info, n: int = 1) -> A | None:
        return info.context.value("A", f"a{n}")

    @strawberry.field
    async def b(self, info: Info, n: int = 1) -> B:
        await info.context.wait()
        return _once(info.context.value("B!", f"b{n}"))

    @strawberry.field
    def c(self, info: Info) -> C | None:
        return info.context.value("C", "c")

    @strawberry.field
    async def any(self, info: Info, n: int = 1) -> list[AnyOf | None] | None:
        await info.context.wait()
        return _once(info.context.value("[Any]", f"any{n}"))

    @strawberry.field
    def named(self, info: Info, flag: bool = False) -> Named | None:
        return info.context.value("Named", f"named{flag}")

    @batched()
    @staticmethod
    async def stock(parents: list[Any], info: Info, within: Range | None = None) -> list[list[A]]:
        return _results([None for _ in parents], info, "[A!]!", within)

    @strawberry.field
    def number(self, info: Info) -> int:
        return info.context.value("int!", "number")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def make(self, info: Info, within: Range, n: int = 1) -> A:
        await info.context.wait()
        return _once(info.context.value("A!", f"make{n}{within}"))

    @strawberry.mutation
    def change(self, info: Info, n: int = 1) -> AnyOf | None:
        return info.context.value("Any", f"change{n}")

    @strawberry.mutation
    def count(self, info: Info) -> int:
        return info.context.value("int!", "count")


schema = strawberry.Schema(Query, Mutation, types=[A, B, C], config=StrawberryConfig(scalar_map=SCALARS))
