"""Running operations: refused requests, failed fields, and what Strawberry's resolvers keep."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import strawberry
from graphql import ExecutionResult
from strawberry.extensions import SchemaExtension
from strawberry.types.field import StrawberryField

from execution.documents.limits import DocumentLimits
from execution.errors import Refusal, RequestError, root_cause
from execution.executor import Executor

pytestmark = pytest.mark.usefixtures("way")


class OutOfStock(Exception):
    pass


class Unmapped(Exception):
    pass


@strawberry.type
class StockProblem:
    detail: str


@strawberry.type
class Ordered:
    amount: int


class StockHandler(strawberry.ExceptionHandler[OutOfStock, StockProblem]):
    def handle(self, exception: OutOfStock, *, field: StrawberryField, info: strawberry.Info) -> StockProblem:
        return StockProblem(detail=f"{field.python_name}: {exception}")


@strawberry.input
class Filter:
    text: strawberry.Maybe[str]
    inner: strawberry.Maybe["Filter"]


@strawberry.type
class Query:
    @strawberry.field
    def echo(self, value: int = 0) -> int:
        return value

    @strawberry.field
    def matching(self, filter: Filter) -> str:
        return filter.text.value if filter.text else "anything"

    @strawberry.field
    def root_value(self, info: strawberry.Info) -> str:
        return f"{info.root_value} {info.variable_values} {info.path.key}"

    @strawberry.field
    def broken(self) -> int | None:
        raise Unmapped("secret")

    @strawberry.field
    async def broken_later(self) -> int | None:
        await asyncio.sleep(0)
        raise Unmapped("secret")

    @strawberry.field
    def required_broken(self) -> int:
        raise Unmapped("secret")

    @strawberry.field
    async def waits_for_ever(self, info: strawberry.Info) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            info.context.ended.append("waits_for_ever")
        return 1

    @strawberry.field
    async def slow(self, info: strawberry.Info) -> int:
        for _ in range(5):
            await asyncio.sleep(0)
        info.context.ended.append("slow")
        return 1


Result = Annotated[Ordered | StockProblem, strawberry.union("OrderResult")]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def order(self, amount: int) -> Result:
        await asyncio.sleep(0)
        if amount > 10:
            raise OutOfStock("only 10 left")
        if amount < 0:
            raise Unmapped("negative")
        return Ordered(amount=amount)

    @strawberry.mutation
    def order_at_once(self, amount: int) -> Result:
        if amount > 10:
            raise OutOfStock("only 10 left")
        return Ordered(amount=amount)

    @strawberry.mutation
    async def step(self, info: strawberry.Info, name: str, turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        info.context.ended.append(name)
        return turns


started: list[str] = []


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[int]:
        started.append("ticks")
        yield 1


schema = strawberry.Schema(Query, Mutation, exception_handlers=[StockHandler()])


@pytest.fixture
def context() -> SimpleNamespace:
    return SimpleNamespace(ended=[], loaders={})


async def run(
    source: str,
    variables: dict[str, Any] | None = None,
    *,
    context: Any = None,
    executor: Executor | None = None,
    root: Any = None,
) -> ExecutionResult:
    executor = executor or Executor(schema)
    document = executor.prepare(source)
    return await executor.run(document, document.select(None), variables, context, root)


async def data(source: str, variables: dict[str, Any] | None = None, **options: Any) -> Any:
    result = await run(source, variables, **options)
    assert result.errors is None
    return result.data


async def refused(source: str, variables: dict[str, Any] | None = None, **options: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        await run(source, variables, **options)
    return caught.value


async def test_data() -> None:
    assert await data("query ($v: Int!) { echo(value: $v) __typename }", {"v": 3}) == {
        "echo": 3,
        "__typename": "Query",
    }


async def test_resolvers_see_what_strawberry_gives_them() -> None:
    source = "query Named($v: Int) { rootValue @include(if: true) echo(value: $v) }"
    assert (await data(source, {"v": 1}, root="root"))["rootValue"] == "root {'v': 1} rootValue"


async def test_introspection() -> None:
    source = '{ __schema { queryType { name } } __type(name: "Query") { fields { name } } }'
    assert (await data(source))["__schema"] == {"queryType": {"name": "Query"}}


@pytest.mark.parametrize("mutation", ["order", "orderAtOnce"])
async def test_a_declared_exception_becomes_the_union_member(mutation: str) -> None:
    source = f"mutation {{ {mutation}(amount: 11) {{ __typename ... on StockProblem {{ detail }} }} }}"
    name = {"order": "order", "orderAtOnce": "order_at_once"}[mutation]
    assert await data(source) == {mutation: {"__typename": "StockProblem", "detail": f"{name}: only 10 left"}}


async def test_an_undeclared_exception_is_an_error() -> None:
    result = await run("mutation { order(amount: -1) { __typename } }")
    assert result.data is None
    [error] = result.errors or []
    assert isinstance(root_cause(error), Unmapped)


@pytest.mark.parametrize("field", ["broken", "brokenLater"])
async def test_a_failed_nullable_field_leaves_its_siblings(field: str) -> None:
    result = await run(f"{{ {field} echo(value: 1) }}")
    assert result.data == {field: None, "echo": 1}
    [error] = result.errors or []
    assert isinstance(root_cause(error), Unmapped)
    assert error.formatted == {
        "message": "secret",
        "locations": [{"line": 1, "column": 3}],
        "path": [field],
    }


async def test_nothing_outlives_the_answer(context: SimpleNamespace, way: str) -> None:
    result = await run("{ slow requiredBroken }", context=context)
    assert result.data is None
    # Compiled, what has to be awaited is begun when everything else is known; here it is not begun at all.
    assert context.ended == (["slow"] if way == "graphql-core" else [])


async def test_mutations_run_one_after_another(context: SimpleNamespace) -> None:
    await data('mutation { a: step(name: "a", turns: 9) b: step(name: "b", turns: 0) }', context=context)
    assert context.ended == ["a", "b"]


@pytest.mark.parametrize(
    ("source", "variables", "message"),
    [
        ("query ($v: Int!) { echo(value: $v) }", {}, "Variable '$v' has invalid value"),
        ("query ($v: Int!) { echo(value: $v) }", {"v": None}, "Variable '$v' has invalid value"),
        ("query ($v: Int!) { echo(value: $v) }", {"v": "1"}, "Int cannot represent non-integer value"),
        ("query ($v: Int!) { echo(value: $v) }", {"v": 2**31}, "Int cannot represent non 32-bit"),
        ("query ($v: Int!) { echo(value: $v) }", {"v": 10**40}, "Int cannot represent non 32-bit"),
        ("query ($f: Filter!) { matching(filter: $f) }", {"f": {"nope": 1}}, "'nope'"),
        ("query ($f: Filter!) { matching(filter: $f) }", {"f": []}, "Filter"),
    ],
)
async def test_variables_that_do_not_fit_refuse_the_request(
    source: str, variables: dict[str, Any], message: str
) -> None:
    error = await refused(source, variables)
    assert error.refusal is Refusal.VARIABLES
    [only] = error.errors
    assert message in only.message
    assert only.extensions == {"code": "BAD_USER_INPUT"}


async def test_the_number_of_variable_errors_is_bounded() -> None:
    names = [f"v{i}" for i in range(100)]
    definitions = " ".join(f"${name}: Int!" for name in names)
    uses = " ".join(f"{name}: echo(value: ${name})" for name in names)
    source = f"query ({definitions}) {{ {uses} }}"
    limits = DocumentLimits(max_tokens=2_000, max_aliases=100, max_root_fields=100, max_errors=5)
    error = await refused(source, executor=Executor(schema, limits))
    assert len(error.errors) == 6


async def test_deep_variables_are_refused() -> None:
    deep: dict[str, Any] = {"text": "x"}
    for _ in range(31):
        deep = {"inner": deep}
    source = "query ($f: Filter!) { matching(filter: $f) }"
    error = await refused(source, {"f": deep})
    assert (error.refusal, error.errors[0].extensions) == (Refusal.LIMIT, {"code": "VARIABLES_TOO_DEEP"})
    assert await data(source, {"f": deep["inner"]}) == {"matching": "anything"}


async def test_unknown_variables_are_ignored() -> None:
    assert await data("{ echo }", {"other": 1}) == {"echo": 0}


@pytest.mark.parametrize("text", ['{text: "x"}', "{}"])
async def test_maybe_tells_absent_from_given(text: str) -> None:
    assert await data(f"{{ matching(filter: {text}) }}") == {"matching": "x" if 'x"' in text else "anything"}


async def test_a_null_where_strawberry_forbids_it_is_found_by_validation() -> None:
    assert (await refused("{ matching(filter: {text: null}) }")).refusal is Refusal.VALIDATION


async def test_an_operation_is_stopped_in_time(context: SimpleNamespace) -> None:
    error = await refused("{ waitsForEver }", context=context, executor=Executor(schema, timeout=0.01))
    assert error.refusal is Refusal.TIMEOUT
    assert error.errors[0].extensions == {"code": "OPERATION_TIMED_OUT"}
    assert context.ended == ["waits_for_ever"]


async def test_a_sibling_left_running_is_stopped_in_time(context: SimpleNamespace, way: str) -> None:
    executor = Executor(schema, timeout=0.01)
    if way != "graphql-core":
        assert (await run("{ waitsForEver requiredBroken }", context=context, executor=executor)).data is None
        assert context.ended == []
        return
    error = await refused("{ waitsForEver requiredBroken }", context=context, executor=executor)
    assert error.refusal is Refusal.TIMEOUT
    await asyncio.sleep(0)
    assert context.ended == ["waits_for_ever"]


async def test_an_endless_recursion_in_a_resolver_is_one_failed_field() -> None:
    @strawberry.type
    class Recursive:
        @strawberry.field
        def deep(self) -> int | None:
            def again() -> int:
                return again()

            return again()

    result = await run("{ deep }", executor=Executor(strawberry.Schema(Recursive)))
    assert result.data == {"deep": None}


@pytest.mark.parametrize("subscription", [Subscription, None])
async def test_a_subscription_is_refused_whether_or_not_the_schema_has_it(subscription: type | None) -> None:
    executor = Executor(strawberry.Schema(Query, subscription=subscription))
    error = await refused("subscription { ticks }", executor=executor)
    assert error.refusal is Refusal.OPERATION
    assert error.errors[0].extensions == {"code": "SUBSCRIPTION_NOT_SUPPORTED"}
    assert started == []


def test_a_schema_that_needs_strawberrys_entry_point_is_refused() -> None:
    with pytest.raises(ValueError, match="Schema extensions"):
        Executor(strawberry.Schema(Query, extensions=[SchemaExtension]))
