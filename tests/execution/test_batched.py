"""Batched relations, compiled and under graphql-core: one call per level, whatever the shape of the data."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from graphql import ExecutionResult

from execution.batched import BatchedField, BatchLengthError, batched
from execution.errors import RequestError, root_cause
from execution.executor import Executor

pytestmark = pytest.mark.usefixtures("way")


# Parents are records as a domain has them: not Strawberry's objects, and not hashable.
@dataclass(slots=True)
class ItemRecord:
    number: int
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Context:
    loaders: dict[Any, Any] = field(default_factory=dict)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    stock: int = 0
    fault: str = ""
    cancelled: bool = False


class RefusedError(Exception):
    pass


Info = strawberry.Info[Context, None]


@strawberry.enum
class Order(Enum):
    UP = "up"
    DOWN = "down"


@strawberry.input
class Range:
    least: int = 0
    numbers: list[int] = strawberry.field(default_factory=list)


def record(info: Info, name: str, parents: Sequence[ItemRecord], *arguments: Any) -> None:
    info.context.calls.append((name, len(parents), *arguments))


@strawberry.type
class Edge:
    node: "Item"


@strawberry.type
class Item:
    number: int

    @classmethod
    def is_type_of(cls, obj: object, info: Any) -> bool:
        return isinstance(obj, ItemRecord)

    @batched(description="Items below this one.")
    @staticmethod
    async def parts(
        parents: list[ItemRecord],
        info: Info,
        most: Annotated[int, strawberry.argument(description="How many at most.")] = 3,
        order: Order = Order.UP,
        within: Range | None = None,
    ) -> list[list["Item"]]:
        record(info, "parts", parents, most, order, within)
        await asyncio.sleep(0)
        return [[ItemRecord(p.number * 10 + i) for i in range(min(p.number % 4, most))] for p in parents]  # type: ignore[misc]

    @batched()
    @staticmethod
    async def maker(parents: list[ItemRecord], info: Info) -> "list[Item | None]":
        record(info, "maker", parents)
        return [None if p.number == 0 else ItemRecord(p.number) for p in parents]  # type: ignore[misc]

    @batched(name="gauge", deprecation_reason="Use parts.")
    @staticmethod
    async def weight(parents: list[ItemRecord], info: Info) -> list[int | Exception]:
        record(info, "weight", parents)
        await asyncio.sleep(0)
        if info.context.fault == "raise":
            raise RefusedError("no weights")
        if info.context.fault == "short":
            return [1]
        if info.context.fault == "wait":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                info.context.cancelled = True
                raise
        if info.context.fault == "cancel":
            raise asyncio.CancelledError
        return [
            RefusedError("no odd ones") if p.number % 2 and info.context.fault == "odd" else p.number for p in parents
        ]

    @batched()
    @staticmethod
    async def doubled(parents: list[ItemRecord]) -> list[int]:
        return [p.number * 2 for p in parents]

    @batched()
    @staticmethod
    async def lazy_edges(
        parents: list[ItemRecord],
    ) -> list[list[Annotated["Edge", strawberry.lazy(__name__)]]]:
        return [[Edge(node=p)] for p in parents]  # type: ignore[arg-type]

    @strawberry.field
    def edges(self: ItemRecord) -> list[Edge]:
        return [Edge(node=ItemRecord(self.number + i)) for i in range(self.number % 3 + 1)]  # type: ignore[arg-type]


@strawberry.type
class Query:
    @strawberry.field
    def items(self, count: int, first: int = 0) -> list[Item]:
        return [ItemRecord(number) for number in range(first, first + count)]  # type: ignore[misc]

    @strawberry.field
    async def later(self, count: int) -> list[Item]:
        return [ItemRecord(number) for number in range(count)]  # type: ignore[misc]

    @batched()
    @staticmethod
    async def stock(parents: list[None], info: Info) -> list[int]:
        record(info, "stock", [])
        return [info.context.stock for _ in parents]


@strawberry.type
class Added:
    @batched()
    @staticmethod
    async def stock(parents: list[Any], info: Info) -> list[int]:
        record(info, "stock", parents, info.path.as_list())
        return [info.context.stock for _ in parents]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add(self, info: Info, amount: int) -> Added:
        await asyncio.sleep(0)
        info.context.stock += amount
        return Added()


schema = strawberry.Schema(Query, Mutation)


async def run(source: str, context: Context, seconds: float | None = None) -> ExecutionResult:
    executor = Executor(schema, timeout=seconds)
    document = executor.prepare(source)
    return await executor.run(document, document.select(None), {}, context)


async def data(source: str, context: Context) -> Any:
    result = await run(source, context)
    assert result.errors is None
    return result.data


def test_to_the_schema_it_is_an_ordinary_field() -> None:
    printed = str(schema)
    assert '"""Items below this one."""' in printed
    assert '"""How many at most."""' in printed
    assert "most: Int! = 3" in printed
    assert "order: Order! = UP\n    within: Range = null\n  ): [Item!]!" in printed
    assert "  maker: Item\n" in printed
    assert "  lazyEdges: [Edge!]!\n" in printed
    assert '  gauge: Int! @deprecated(reason: "Use parts.")\n' in printed
    assert "parents" not in printed


def test_the_function_stays_reachable() -> None:
    fields = {f.python_name: f for f in Item.__strawberry_definition__.fields}  # type: ignore[attr-defined]
    parts, doubled = fields["parts"], fields["doubled"]
    assert isinstance(parts, BatchedField)
    assert parts.takes_info
    assert parts.batch_function.__name__ == "parts"
    assert list(parts.batch_function.__annotations__) == [
        "parents",
        "info",
        "most",
        "order",
        "within",
        "return",
    ]
    assert isinstance(doubled, BatchedField)
    assert not doubled.takes_info
    results: Any = asyncio.run(doubled.batch_function([ItemRecord(2), ItemRecord(3)]))  # type: ignore[arg-type]
    assert results == [4, 6]


@pytest.mark.parametrize("count", [1, 2, 25])
@pytest.mark.parametrize("root", ["items", "later"])
async def test_one_call_per_level(count: int, root: str) -> None:
    context = Context()
    answer = await data(
        f"{{ {root}(count: {count}) {{ number parts {{ number maker {{ doubled }} }} gauge }} }}", context
    )
    parts = [len(item["parts"]) for item in answer[root]]
    assert parts == [number % 4 for number in range(count)]
    calls = Counter(call[0] for call in context.calls)
    assert calls == {"parts": 1, "weight": 1} | ({"maker": 1} if sum(parts) else {})
    assert [call[1] for call in context.calls if call[0] == "maker"] == [sum(parts)] * (sum(parts) > 0)


async def test_each_parent_gets_its_own_result() -> None:
    answer = await data("{ items(count: 5) { number doubled maker { number } } }", Context())
    assert [item["doubled"] for item in answer["items"]] == [0, 2, 4, 6, 8]
    assert [item["maker"] and item["maker"]["number"] for item in answer["items"]] == [None, 1, 2, 3, 4]


async def test_a_level_stays_whole_under_lists_of_different_length(way: str) -> None:
    context = Context()
    source = """{ items(count: 25) { parts { maker { number parts { maker { doubled } } }
        edges { node { maker { edges { node { parts { maker { number } } } } } } } } } }"""
    await data(source, context)
    makers_of_parts = [call for call in context.calls if call[0] == "parts"]
    assert len(makers_of_parts) <= 3
    # Under graphql-core Strawberry's own loader makes two calls of a level here.
    assert len(context.calls) <= (6 if way == "compiled" else 7)


async def test_aliases_with_equal_arguments_share_a_call_and_others_do_not() -> None:
    context = Context()
    source = """{ items(count: 3, first: 4) {
        a: parts(most: 1) { number } b: parts(most: 1) { number } c: parts(most: 2) { number }
        d: parts(most: 1, order: DOWN) { number }
        e: parts(within: {least: 1, numbers: [1, 2]}) { number }
        f: parts(within: {least: 1, numbers: [1, 2]}) { number }
        g: parts(within: {least: 1, numbers: [2, 1]}) { number }
    } }"""
    answer = await data(source, context)
    assert [[len(item[alias]) for alias in "abcdefg"] for item in answer["items"]] == [
        [0, 0, 0, 0, 0, 0, 0],
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 2, 1, 2, 2, 2],
    ]
    plain = [(call[1], call[2], call[3].name) for call in context.calls if call[4] is None]
    assert sorted(plain) == [(3, 1, "DOWN"), (3, 2, "UP"), (6, 1, "UP")]
    assert sorted((call[1], call[4].numbers) for call in context.calls if call[4]) == [
        (3, [2, 1]),
        (6, [1, 2]),
    ]


async def test_concurrent_root_fields_share_a_call(way: str) -> None:
    context = Context()
    await data("{ a: items(count: 2) { gauge } b: items(count: 3) { gauge } c: later(count: 4) { gauge } }", context)
    # Compiled, a level consists of what can be asked at the same time: `later` has to be awaited first.
    assert context.calls == ([("weight", 9)] if way == "graphql-core" else [("weight", 5), ("weight", 4)])


async def test_a_level_of_one_operation_shares_a_call_across_fields() -> None:
    context = Context()
    await data("{ a: later(count: 2) { gauge } b: later(count: 3) { gauge parts { number } } }", context)
    assert sorted(call[:2] for call in context.calls) == [("parts", 3), ("weight", 5)]


async def test_the_root_may_have_batched_fields() -> None:
    context = Context(stock=4)
    assert await data("{ stock }", context) == {"stock": 4}


async def test_mutations_see_what_those_before_them_wrote() -> None:
    context = Context()
    answer = await data("mutation { a: add(amount: 1) { stock } b: add(amount: 2) { stock } }", context)
    assert answer == {"a": {"stock": 1}, "b": {"stock": 3}}
    assert context.calls == [("stock", 1, ["a", "stock"]), ("stock", 1, ["b", "stock"])]


async def test_operations_share_nothing() -> None:
    contexts = [Context(stock=1), Context(stock=2)]
    answers = await asyncio.gather(*(data("{ stock items(count: 2) { gauge } }", context) for context in contexts))
    assert [answer["stock"] for answer in answers] == [1, 2]
    assert [context.calls for context in contexts] == [[("stock", 0), ("weight", 2)]] * 2


@pytest.mark.parametrize(("fault", "expected"), [("raise", RefusedError), ("short", BatchLengthError)])
async def test_a_failed_call_fails_the_field_of_every_parent(fault: str, expected: type[Exception]) -> None:
    context = Context(fault=fault)
    result = await run("{ items(first: 1, count: 3) { maker { gauge } } }", context)
    # `gauge` cannot be null, so the nearest object that can be is.
    assert result.data == {"items": [{"maker": None}] * 3}
    assert [error.path for error in result.errors or []] == [["items", i, "maker", "gauge"] for i in range(3)]
    assert {type(root_cause(error)) for error in result.errors or []} == {expected}


async def test_an_exception_in_the_list_fails_the_field_of_its_parent() -> None:
    result = await run("{ items(count: 4) { maker { gauge } } }", Context(fault="odd"))
    assert result.data == {"items": [{"maker": None}, {"maker": None}, {"maker": {"gauge": 2}}, {"maker": None}]}
    assert [(e.message, e.path) for e in result.errors or []] == [
        ("no odd ones", ["items", number, "maker", "gauge"]) for number in (1, 3)
    ]


async def test_a_call_is_stopped_with_the_operation() -> None:
    context = Context(fault="wait")
    with pytest.raises(RequestError, match="stopped after"):
        await run("{ items(count: 3) { gauge } }", context, seconds=0.05)
    for _ in range(5):
        await asyncio.sleep(0)
    assert context.cancelled


async def test_nobody_waits_for_a_call_that_cancelled_itself() -> None:
    with pytest.raises(asyncio.CancelledError):
        await run("{ items(count: 3) { gauge } }", Context(fault="cancel"))


async def test_it_works_under_strawberrys_own_execution() -> None:
    context = Context()
    result = await schema.execute("{ items(count: 25) { parts { number } } }", context_value=context)
    assert result.errors is None
    assert [call[:2] for call in context.calls] == [("parts", 25)]


def test_a_method_is_refused() -> None:
    with pytest.raises(TypeError, match="put @staticmethod below @batched"):

        @batched()
        async def parts(self: Any) -> list[int]:
            return []


def test_a_result_that_is_no_list_is_refused() -> None:
    async def parts(parents: list[int]) -> int:
        return 1

    part: Any = batched()(parts)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="annotate it as list"):
        strawberry.type(type("Wrong", (), {"part": part}))
