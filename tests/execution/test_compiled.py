"""Compiled operations: when they are made, what they leave to graphql-core, how they await and what they explain."""

import asyncio
import gc
import weakref
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import strawberry
from graphql import ExecutionResult
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.batched import batched
from execution.documents.cache import DocumentCache
from execution.documents.limits import DocumentLimits
from execution.errors import Refusal, RequestError, root_cause
from execution.executor import Executor
from execution.markers import instance_of
from execution.run.interpreted import interpret


@dataclass
class Context:
    loaders: dict[Any, Any] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    turns: int = 0


Info = strawberry.Info[Context, None]


class Denied(BasePermission):
    message = "not you"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
        return bool(source and source.name == "allowed")


@dataclass(slots=True)
class Record:
    name: Any
    number: Any = 1


@strawberry.interface
class Being:
    name: str


@strawberry.type
class Thing(Being):
    is_type_of = staticmethod(instance_of(Record))
    number: int

    @strawberry.field(permission_classes=[Denied])  # type: ignore[untyped-decorator]
    def secret(self) -> str | None:
        return f"secret of {self.name}"

    @strawberry.field
    async def slow(self, info: Info) -> str:
        await wait(info.context, f"slow {self.name}")
        return str(info.path.as_list())

    @batched()
    @staticmethod
    async def left(parents: list[Any], info: Info) -> list[str]:
        await wait(info.context, f"left {len(parents)}")
        return [f"left of {parent.name}" for parent in parents]

    @batched()
    @staticmethod
    async def right(parents: list[Any], info: Info, n: int = 1) -> list[str]:
        await wait(info.context, f"right {len(parents)}")
        return [f"{n} right of {parent.name}" for parent in parents]


async def wait(context: Context, name: str) -> None:
    context.log.append(f"{name} begins")
    for _ in range(context.turns):
        await asyncio.sleep(0)
    context.log.append(f"{name} ends")


@strawberry.type
class Robot:
    @classmethod
    async def is_type_of(cls, value: Any, info: Any) -> bool:
        await asyncio.sleep(0)
        if value == "broken":
            raise ValueError("cannot tell")
        return bool(value == "robot")

    @strawberry.field
    def model(self) -> str:
        return f"model {self}"


@strawberry.interface
class Base:
    again: "Base | None"


@strawberry.type
class Query:
    @strawberry.field
    def things(self, count: int = 2) -> list[Thing]:
        return [Record(f"thing {number}") for number in range(count)]  # type: ignore[misc]

    @strawberry.field
    def thing(self, name: str = "thing") -> Thing | None:
        return Record(name)  # type: ignore[return-value]

    @strawberry.field
    def robots(self, kinds: list[str]) -> list[Robot | None]:
        return kinds  # type: ignore[return-value]

    @strawberry.field
    def being(self) -> Being:
        return Record("being")  # type: ignore[return-value]

    @strawberry.field
    async def stream(self, broken: bool = False) -> list[int]:
        async def items() -> AsyncIterator[int]:
            yield 1
            if broken:
                raise ValueError("dry")
            yield 2

        return items()  # type: ignore[return-value]

    @strawberry.field
    def path(self, info: Info) -> list[str]:
        return [str(info.path.as_list()), str(info.variable_values), info.field_name, str(info.root_value)]


schema = strawberry.Schema(Query)


async def run(
    source: str, variables: dict[str, Any] | None = None, *, context: Context | None = None, executor: Executor
) -> ExecutionResult:
    document = executor.prepare(source)
    return await executor.run(document, document.select(None), variables, context or Context(), "root")


@pytest.fixture
def executor() -> Executor:
    return Executor(schema)


async def same(executor: Executor, source: str, variables: dict[str, Any] | None = None) -> ExecutionResult:
    """The result, which has to be graphql-core's."""
    document = executor.prepare(source)
    operation = document.select(None)
    ours = await executor.run(document, operation, variables, Context(), "root")
    theirs = await interpret(executor.schema, document, operation, variables or {}, Context(), "root")
    assert ours.data == theirs.data
    assert [e.formatted for e in ours.errors or []] == [e.formatted for e in theirs.errors or []]
    assert executor.counts.compiled == 1
    return ours


async def test_an_operation_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def compiled(source: str, *arguments: Any, **options: Any) -> Any:
        made.append(source)
        return compile(source, *arguments, **options)

    monkeypatch.setattr("execution.run.compiled.compile", compiled, raising=False)
    executor = Executor(schema)
    for _ in range(3):
        assert (await run("{ thing { name } }", executor=executor)).data == {"thing": {"name": "thing"}}
    assert (executor.counts.compiled, len(made)) == (3, 1)


async def test_what_is_compiled_counts_in_the_cache() -> None:
    executor = Executor(schema, cache=DocumentCache(max_characters=2_000))
    for number in range(40):
        await run(f"{{ thing {{ key{number}: name }} }}", executor=executor)
        assert executor.cache.characters <= 2_000
    assert executor.counts.compiled == 40
    kept = len(executor.cache)
    assert 0 < kept < 2_000 / len("{ thing { key10: name } }") / 2


async def test_each_combination_of_conditions_is_a_program_up_to_a_limit(executor: Executor) -> None:
    names = [f"c{number}" for number in range(5)]
    definitions = " ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: name @include(if: ${name})" for name in names)
    source = f"query ({definitions}) {{ thing {{ {fields} number }} }}"
    for combination in range(32):
        values = {name: bool(combination & 1 << bit) for bit, name in enumerate(names)}
        result = await run(source, values, executor=executor)
        assert result.data
        assert list(result.data["thing"]) == [*[name for name in names if values[name]], "number"]
    assert executor.counts.compiled == 32
    assert len(executor.prepare(source).select(None).programs.found) == 8


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{ __schema { queryType { name } } }", "introspection"),
        ('{ ...F } fragment F on Query { __type(name: "Query") { name } }', "introspection"),
        ("query ($c: Boolean = true) { thing @skip(if: $c) { name } }", "condition without a value"),
    ],
)
async def test_what_is_left_to_graphql_core_is_counted(executor: Executor, source: str, reason: str) -> None:
    await run(source, {"c": None}, executor=executor)
    assert executor.counts.interpreted == Counter({reason: 1})
    document = executor.prepare(source)
    if reason == "introspection":
        assert executor.explain(document, document.select(None)) == "run by graphql-core: introspection"


async def test_a_plan_that_types_multiply_is_refused() -> None:
    kinds = [strawberry.type(type(f"Kind{n}", (Base,), {"__annotations__": {}})) for n in range(8)]
    root = strawberry.type(type("Root", (), {"__annotations__": {"base": Base | None}}))
    executor = Executor(strawberry.Schema(root, types=kinds), DocumentLimits(max_depth=20))
    source = "{ base " + "{ again " * 5 + "{ __typename }" + "}" * 6
    document = executor.prepare(source)
    for _ in range(2):
        with pytest.raises(RequestError, match="more than 800 fields, counted for every concrete type") as caught:
            await executor.run(document, document.select(None), None, None, SimpleNamespace(base=None))
        assert caught.value.refusal is Refusal.LIMIT


def test_a_schema_with_its_own_execution_is_refused() -> None:
    class Own(StrawberryGraphQLCoreExecutionContext):
        pass

    with pytest.raises(ValueError, match="an execution of its own"):
        Executor(strawberry.Schema(Query, execution_context_class=Own))


async def test_permissions_are_asked(executor: Executor) -> None:
    result = await same(executor, '{ thing { secret } allowed: thing(name: "allowed") { secret } }')
    assert result.data == {"thing": {"secret": None}, "allowed": {"secret": "secret of allowed"}}


async def test_awaited_types(executor: Executor) -> None:
    result = await same(executor, '{ robots(kinds: ["robot", "man", "broken"]) { model __typename } }')
    assert result.data == {"robots": [{"model": "model robot", "__typename": "Robot"}, None, None]}
    assert len(result.errors or []) == 2


async def test_interfaces(executor: Executor) -> None:
    result = await same(executor, "{ being { __typename name ... on Thing { number left } } }")
    assert result.data == {
        "being": {"__typename": "Thing", "name": "being", "number": 1, "left": "left of being"},
    }


async def test_asynchronous_lists(executor: Executor) -> None:
    assert (await same(executor, "{ stream }")).data == {"stream": [1, 2]}


async def test_a_broken_asynchronous_list(executor: Executor) -> None:
    result = await same(executor, "{ stream(broken: true) }")
    assert result.data is None


async def test_resolvers_know_where_they_are(executor: Executor) -> None:
    result = await same(executor, "query ($v: Int = 3) { p: path things(count: $v) { s: slow } }")
    assert result.data == {
        "p": ["['p']", "{'v': 3}", "path", "root"],
        "things": [{"s": f"['things', {index}, 's']"} for index in range(3)],
    }


async def test_siblings_that_wait_run_beside_each_other(executor: Executor) -> None:
    source = "{ things { left right } }"
    for expected in (
        # The first time nobody knows yet that they wait.
        ["left 2 begins", "left 2 ends", "right 2 begins", "right 2 ends"],
        ["left 2 begins", "right 2 begins", "left 2 ends", "right 2 ends"],
    ):
        context = Context(turns=3)
        await run(source, context=context, executor=executor)
        assert context.log == expected


async def test_siblings_that_do_not_wait_need_no_task(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    def create_task(*_: Any, **__: Any) -> Any:
        raise AssertionError("a task was made")

    monkeypatch.setattr(asyncio, "create_task", create_task)
    for _ in range(3):
        result = await run("{ things { left right slow } }", executor=executor)
        assert result.errors is None
        assert result.data
        assert result.data["things"][1]["right"] == "1 right of thing 1"


async def test_calls_that_wait_are_stopped_in_time() -> None:
    executor = Executor(schema, timeout=0.02)
    context = Context(turns=10**9)
    for _ in range(2):
        with pytest.raises(RequestError, match="stopped after"):
            await run("{ things { left right slow } }", context=context, executor=executor)
    assert executor.counts.compiled == 2


async def test_an_attribute_that_fails_fails_each_field_that_reads_it() -> None:
    class Broken:
        @property
        def name(self) -> str:
            raise KeyError("no name")

    @strawberry.type
    class Named:
        name: str | None

    @strawberry.type
    class Root:
        @strawberry.field
        def named(self) -> list[Named]:
            return [Broken()]  # type: ignore[list-item]

    executor = Executor(strawberry.Schema(Root))
    result = await same(executor, "{ named { name called: name __typename } }")
    assert result.data == {"named": [{"name": None, "called": None, "__typename": "Named"}]}
    assert [type(root_cause(error)) for error in result.errors or []] == [KeyError, KeyError]


async def test_another_default_resolver() -> None:
    @strawberry.type
    class Item:
        name: str
        class_: str = strawberry.field(name="class")

    @strawberry.type
    class Root:
        item: Item

    config = StrawberryConfig(default_resolver=lambda source, name: source[name])
    executor = Executor(strawberry.Schema(Root, config=config))
    document = executor.prepare("{ item { name class } }")
    root = {"item": {"name": "n", "class_": "c"}}
    result = await executor.run(document, document.select(None), None, None, root)
    assert result.data == {"item": {"name": "n", "class": "c"}}


async def test_input_objects_belong_to_one_run() -> None:
    @strawberry.input
    class Basket:
        items: list[str]

    @strawberry.type
    class Root:
        @strawberry.field
        def filled(self, basket: Annotated[Basket, strawberry.argument()]) -> int:
            basket.items.append("more")
            return len(basket.items)

    executor = Executor(strawberry.Schema(Root))
    for _ in range(3):
        result = await run('{ filled(basket: {items: ["one"]}) }', executor=executor)
        assert result.data == {"filled": 2}


def test_explaining(executor: Executor) -> None:
    document = executor.prepare(
        "query Asked($c: Boolean!) { things { name number left secret slow right @skip(if: $c) } being { name } }"
    )
    text = executor.explain(document, document.select(None), {"c": False})
    assert text.startswith("query Asked: compiled\nfor c = False\n")
    assert "Thing inlined: name, number" in text
    assert "level 1: 3 awaited together" in text
    assert "things[].left: batched Thing.left, one call for all objects of the level" in text
    assert "things[].slow: async resolver Thing.slow, a call for each object" in text
    assert "secret, resolver as wrapped by Strawberry Thing.secret" in text
    assert "things[].right" in text
    assert "things[].right" not in executor.explain(document, document.select(None))
    assert "   1 def o0(run, x, position):  # Query\n" in executor.explain(
        document, document.select(None), with_source=True
    )


class Watched:
    """An object that counts how often it is read."""

    def __init__(self, name: Any) -> None:
        self._name = name
        self.reads = 0

    @property
    def name(self) -> Any:
        self.reads += 1
        return self._name


@strawberry.type
class Lasting:
    is_type_of = staticmethod(instance_of(Watched, lasting=True))
    name: str

    @strawberry.field
    def shout(self) -> str:
        return str(self.name).upper()


@strawberry.type
class LastingQuery:
    @strawberry.field
    def all(self, info: strawberry.Info[Any, None]) -> list[Lasting]:
        return list(info.context.objects)


async def asked_of(executor: Executor, objects: list[Watched], source: str = "{ all { name } }") -> ExecutionResult:
    document = executor.prepare(source)
    context = SimpleNamespace(objects=objects, loaders={})
    return await executor.run(document, document.select(None), {}, context)


async def test_what_was_made_of_a_lasting_object_is_remembered() -> None:
    executor = Executor(strawberry.Schema(LastingQuery))
    objects = [Watched("one"), Watched("two")]
    for _ in range(3):
        assert (await asked_of(executor, [*objects, *objects])).data == {
            "all": [{"name": "one"}, {"name": "two"}, {"name": "one"}, {"name": "two"}]
        }
    assert [item.reads for item in objects] == [1, 1]


async def test_an_object_that_fails_is_looked_at_again() -> None:
    executor = Executor(strawberry.Schema(LastingQuery))
    broken = Watched(None)
    for reads in (2, 4):
        result = await asked_of(executor, [broken])
        assert result.data is None
        assert [error.path for error in result.errors or []] == [["all", 0, "name"]]
        assert broken.reads == reads
    broken._name = "mended"
    assert (await asked_of(executor, [broken])).data == {"all": [{"name": "mended"}]}


async def test_a_function_of_its_own_is_asked_each_time() -> None:
    executor = Executor(strawberry.Schema(LastingQuery))
    item = Watched("one")
    for reads in (1, 2):
        assert (await asked_of(executor, [item], "{ all { shout } }")).data == {"all": [{"shout": "ONE"}]}
        assert item.reads == reads


async def test_new_objects_push_out_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("execution.plan.outputs.MAX_KEPT", 10)
    executor = Executor(strawberry.Schema(LastingQuery))
    gone = []
    for number in range(50):
        item = Watched(f"{number}")
        gone.append(weakref.ref(item))
        assert (await asked_of(executor, [item])).data == {"all": [{"name": f"{number}"}]}
        del item
    gc.collect()
    assert sum(item() is not None for item in gone) <= 10


@strawberry.type
class Cat:
    name: str


@strawberry.type
class Dog:
    name: str


@strawberry.type
class Puppy(Dog):
    """Not a member of the union itself."""


class Lion(Cat):
    """No type of its own, and so of the type of its base."""


Pet = Annotated[Cat | Dog, strawberry.union("Pet")]


@strawberry.type
class PetQuery:
    @strawberry.field
    def pets(self) -> list[Pet | None]:
        return [Cat(name="c"), Dog(name="d"), None, strawberry.cast(Dog, Cat(name="cast")), Lion(name="l")]

    @strawberry.field
    def stray(self) -> Pet | None:
        return Puppy(name="p")


async def test_members_of_a_union_are_told_by_their_class_unless_they_say_otherwise() -> None:
    executor = Executor(strawberry.Schema(PetQuery, types=[Puppy]))
    fields = "{ __typename ... on Cat { cat: name } ... on Dog { dog: name } }"
    result = await same(executor, f"{{ pets {fields} stray {fields} }}")
    assert result.data is not None
    cast = {"__typename": "Dog", "dog": "cast"}
    assert result.data["pets"][:4] == [{"__typename": "Cat", "cat": "c"}, {"__typename": "Dog", "dog": "d"}, None, cast]
