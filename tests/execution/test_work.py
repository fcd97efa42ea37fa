"""How much is done of what a request asks for: conversions and calls are counted, on every way that it may be run."""

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
import strawberry
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.batched import batched
from execution.documents.limits import DocumentLimits
from execution.errors import Refusal, RequestError
from execution.executor import Executor
from execution.run.interpreted import MAX_INTERPRETED
from execution.run.run import MAX_ERRORS
from tests.turns import each_turn

MADE: Counter[str] = Counter()
"""How many input objects were made, by type."""


@strawberry.input
class Where:
    text: str | None = None
    any: list["Where"] | None = None

    def __post_init__(self) -> None:
        MADE["Where"] += 1


@dataclass
class Context:
    loaders: dict[Any, Any] = field(default_factory=dict)


@strawberry.type
class Leaf:
    number: int


@strawberry.type
class Branch:
    number: int

    @batched()
    @staticmethod
    async def leaves(parents: list["Branch"], first: int = 1, where: Where | None = None) -> list[list[Leaf] | None]:
        if first < 0:
            raise ValueError("Fewer than none.")
        return [[Leaf(number=parent.number)] * first for parent in parents]

    @strawberry.field
    def refused(self, first: int) -> Leaf | None:
        raise ValueError("Fewer than none.")

    @strawberry.field
    def leaf(self, where: Where | None = None) -> Leaf:
        return Leaf(number=self.number)

    @strawberry.field
    async def late(self, where: Where | None = None) -> Leaf:
        return Leaf(number=self.number)


@strawberry.type
class Query:
    @strawberry.field
    def branches(self, first: int = 1) -> list[Branch]:
        return [Branch(number=number) for number in range(first)]


schema = strawberry.Schema(Query)

WAYS = ["leaves(first: 1, where: @)", "leaf(where: @)", "late(where: @)"]


async def run(source: str, variables: dict[str, Any] | None = None, executor: Executor | None = None) -> Any:
    executor = executor or Executor(schema)
    document = executor.prepare(source)
    MADE.clear()
    result = await executor.run(document, document.select(None), variables, Context())
    assert not result.errors
    return result.data


@pytest.mark.parametrize("field", WAYS)
@pytest.mark.parametrize("given", ["variable", "literal", "inside a literal", "under conditions", "in a fragment"])
async def test_arguments_are_converted_once_in_an_operation_however_many_parents_there_are(
    field: str, given: str
) -> None:
    literal = '{any: [{text: "a"}, {text: "b"}]}'
    value, where, selections = "$w", {"any": [{"text": "a"}, {"text": "b"}]}, "{ number }"
    made = 3
    if given == "literal":
        value = literal
    elif given == "inside a literal":
        value, made = "{any: [$w]}", 4
    condition = "@include(if: true) @skip(if: false)" if given == "under conditions" else ""
    selected, fragment = f"{field.replace('@', value)} {condition} {selections}", ""
    if given == "in a fragment":
        fragment, selected = f" fragment F on Branch {{ {selected} }}", "...F ... on Branch { ...F }"
    declared = {"literal": "", "inside a literal": "($w: Where!)"}.get(given, "($w: Where)")
    source = f"query {declared} {{ branches(first: 50) {{ {selected} }} }}{fragment}"
    executor = Executor(schema)
    for _ in range(2):
        # The first run and the second, of which the first read and compiled it.
        assert len((await run(source, {"w": where}, executor))["branches"]) == 50
        assert MADE["Where"] == made


async def test_arguments_that_hold_much_cost_as_often_as_there_are_parents() -> None:
    def cost(source: str, held: int = 0) -> int:
        executor = Executor(schema)
        document = executor.prepare(source)
        variables: dict[str, Any] = {"w": {"any": [{}] * held}} if held else {}
        return executor.admit(document, document.select(None), variables).charge.cost

    nested = "query ($w: Where) { branches(first: 50) { leaf(where: $w) { number } } }"
    assert cost(nested) == cost(nested, 19) == 100
    assert cost(nested, 119) == 100 + 50 * 100 // 2
    literal = "{any: [" + "{} " * 119 + "]}"
    assert cost(nested.replace("$w)", f"{literal})").replace("($w: Where)", "")) == 100 + 50 * 100 // 2
    assert cost(nested.replace("Where)", f"Where = {literal})")) == 100 + 50 * 100 // 2
    aliases = " ".join(f"a{number}: leaf(where: $w) {{ number }}" for number in range(3))
    assert cost(f"query ($w: Where) {{ branches(first: 50) {{ {aliases} }} }}", 119) == 50 + 3 * 50 * (1 + 50)


async def test_scalars_beyond_those_of_a_usual_object_cost() -> None:
    executor = Executor(schema, DocumentLimits(max_aliases=100))

    def cost(scalars: int) -> int:
        names = " ".join(f"a{number}: number" for number in range(scalars))
        document = executor.prepare(f"{{ branches(first: 50) {{ ...F }} }} fragment F on Branch {{ {names} }}")
        return executor.admit(document, document.select(None), {}).charge.cost

    assert (cost(20), cost(40), cost(50)) == (50, 100, 125)


async def test_what_takes_long_lets_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("execution.run.levels.HELD", 0)
    turns: list[None] = []
    with each_turn(lambda: turns.append(None)):
        await run("{ branches(first: 1000) { leaves { number } late { number } } }")
    # One for each parent of either field.
    assert len(turns) >= 2_000


async def test_nobody_gives_way_for_the_time_that_was_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    for module in ("levels", "run"):
        monkeypatch.setattr(f"execution.run.{module}.perf_counter", lambda: clock[0])

    @strawberry.type
    class Query:
        @strawberry.field
        async def waited(self, seconds: int) -> int:
            loop = asyncio.get_running_loop()
            waiting: asyncio.Future[int] = loop.create_future()

            def end() -> None:
                clock[0] += seconds
                waiting.set_result(seconds)

            loop.call_soon(end)
            return await waiting

    executor = Executor(strawberry.Schema(Query))

    async def turns(fields: str) -> int:
        counted: list[None] = []
        await run(f"{{ {fields} }}", executor=executor)
        with each_turn(lambda: counted.append(None)):
            await run(f"{{ {fields} }}", executor=executor)
        return len(counted)

    assert await turns("waited(seconds: 0)") == await turns("waited(seconds: 1)")
    # The first time one after the other, then beside each other.
    both = "a: waited(seconds: @) b: waited(seconds: @)"
    assert await turns(both.replace("@", "0")) == await turns(both.replace("@", "1"))


@pytest.mark.parametrize("field", ["leaves", "late"])
async def test_what_never_waits_is_stopped_all_the_same(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("execution.run.levels.HELD", 0)
    executor = Executor(schema, DocumentLimits(max_cost=1_000_000), timeout=0.001)
    with pytest.raises(RequestError) as caught:
        await run(f"{{ branches(first: 10000) {{ {field} {{ number }} }} }}", executor=executor)
    assert caught.value.refusal is Refusal.TIMEOUT


@pytest.mark.parametrize("field", ["leaves", "refused"])
async def test_of_many_failed_fields_some_are_named(field: str) -> None:
    executor = Executor(schema)
    document = executor.prepare(f"{{ branches(first: 1000) {{ number {field}(first: -1) {{ number }} }} }}")
    result = await executor.run(document, document.select(None), {}, Context())
    assert result.data == {"branches": [{"number": number, field: None} for number in range(1000)]}
    errors = result.errors or []
    assert len(errors) == MAX_ERRORS + 1
    assert [error.path for error in errors[:2]] == [["branches", 0, field], ["branches", 1, field]]
    assert (errors[-1].path, errors[-1].extensions) == (None, {"code": "ERRORS_LEFT_OUT"})


async def test_what_is_run_field_by_field_is_small() -> None:
    executor = Executor(schema)
    source = "{ __typename __schema { queryType { name } } branches(first: @) { number } }"
    small, large = (source.replace("@", str(size)) for size in (100, MAX_INTERPRETED + 1))
    assert len((await run(small, executor=executor))["branches"]) == 100
    with pytest.raises(RequestError, match="ask for the schema in a request of its own") as caught:
        await run(large, executor=executor)
    assert caught.value.refusal is Refusal.LIMIT


async def test_introspection_by_itself_leaves_the_event_loop_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = Executor(schema)
    threads: list[threading.Thread] = []
    usual = StrawberryGraphQLCoreExecutionContext.execute_operation

    def execute(self: Any) -> Any:
        threads.append(threading.current_thread())
        return usual(self)

    document = executor.prepare("{ __schema { types { name fields { name type { name ofType { name } } } } } }")
    monkeypatch.setattr(StrawberryGraphQLCoreExecutionContext, "execute_operation", execute)
    result = await executor.run(document, document.select(None))
    assert result.data
    assert threads != [threading.current_thread()]
