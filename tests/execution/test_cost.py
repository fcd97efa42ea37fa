"""What operations cost: by the schema, by literals and variables, and how much work finding out takes."""

from math import ceil
from typing import Annotated, Any

import pytest
import strawberry
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from execution.batched import batched
from execution.documents.cost import MAX_ENTRIES, MAX_REMEMBERED, OperationCost
from execution.documents.cost_model import CostModel
from execution.documents.limits import DocumentLimits
from execution.documents.measure import SATURATED
from execution.errors import Refusal, RequestError
from execution.executor import Executor
from execution.markers import cost


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Leaf(Named):
    size: int


@strawberry.type
class Branch(Named):
    words: list[str]

    @strawberry.field
    def leaves(self) -> list[Leaf]:
        return []

    @batched(metadata=cost(size=3))
    @staticmethod
    async def few(parents: list["Branch"]) -> list[list[Leaf]]:
        return [[] for _ in parents]

    @strawberry.field
    def branches(self, first: int | None = None, last: int | None = None) -> "BranchConnection":
        raise NotImplementedError


@strawberry.type
class BranchEdge:
    cursor: str
    node: Branch


@strawberry.type
class BranchConnection:
    nodes: list[Branch]
    edges: list[BranchEdge]
    total: int


@strawberry.input
class Rows:
    rows: list[int]


@strawberry.type
class Changed:
    results: list[Leaf]


Anything = Annotated[Leaf | Branch, strawberry.union("Anything")]


@strawberry.type
class Query:
    @strawberry.field
    def branch(self) -> Branch | None:
        return None

    @strawberry.field
    def branches(self, first: int | None = 25) -> BranchConnection | None:
        return None

    @strawberry.field(metadata=cost(size="ids"))  # type: ignore[untyped-decorator]
    def nodes(self, ids: list[int]) -> list[Named | None]:
        return []

    @strawberry.field
    def anything(self) -> Anything | None:
        return None

    @strawberry.field(metadata=cost(weight=0))  # type: ignore[untyped-decorator]
    def free(self) -> Leaf | None:
        return None

    @strawberry.field(metadata=cost(weight=7))  # type: ignore[untyped-decorator]
    def dear(self) -> int:
        return 1


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self) -> Leaf | None:
        return None

    @strawberry.mutation(metadata=cost(size="input.rows"))  # type: ignore[untyped-decorator]
    def change_many(self, input: Rows) -> Changed | None:
        return None

    @strawberry.mutation
    def touch(self) -> int:
        return 1


schema = strawberry.Schema(Query, Mutation, types=[Leaf, Branch])
MODEL = CostModel(schema._schema)


TYPES = len(schema._schema.type_map)


def of(source: str) -> OperationCost:
    document = parse(source)
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    counted = OperationCost(MODEL, fragments, operation)
    counted.of({})
    return counted


def fixed(counted: OperationCost) -> int | None:
    return None if counted.fixed is None else counted.fixed.cost


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{ __typename }", 0),
        ("{ branch { name } }", 1),
        ("{ a: branch { name } b: branch { name } }", 2),
        ("{ branch { words name } }", 1),
        ("{ branch { leaves { name } } }", 1 + 10),
        ("{ branch { few { name } } }", 1 + 3),
        ("{ branches { nodes { name } } }", 1 + 25),
        ("{ branches(first: null) { nodes { name } } }", 1 + 25),
        ("{ branches(first: 100) { nodes { name } } }", 1 + 100),
        ("{ branches(first: 100) { edges { cursor node { name } } } }", 1 + 100),
        ("{ branches(first: 100) { edges { cursor } } }", 1 + 100),
        ("{ branches(first: 100) { a: edges { cursor } b: edges { cursor node { name } } } }", 1 + 200),
        ("{ branches(first: 2) { total } }", 1),
        ("{ branches(first: 2) { nodes { leaves { name } } } }", 1 + 2 * (1 + 10)),
        ("{ branches(first: 2) { nodes { branches(last: 3) { nodes { name } } } } }", 1 + 2 * (1 + 1 + 3)),
        ("{ branches(first: 2) { nodes { branches { nodes { name } } } } }", 1 + 2 * (1 + 1 + 25)),
        (
            "{ branches(first: 100) { nodes { branches(first: 100) { nodes { name } } } } }",
            1 + 100 * (1 + 1 + 100),
        ),
        ("{ branches(first: -5) { nodes { name } } }", 1),
        ("{ branches(first: 2) { ...C } } fragment C on BranchConnection { nodes { name } }", 1 + 2),
        ("{ nodes(ids: [1, 2, 3]) { name } }", 3),
        ("{ nodes(ids: 1) { name } }", 1),
        ("{ nodes(ids: []) { name } }", 0),
        # An interface or union costs as much as its dearest member.
        ("{ nodes(ids: [1, 2]) { name ... on Branch { leaves { name } } ... on Leaf { size } } }", 2 * (1 + 10)),
        ("{ anything { ... on Named { name } ... on Branch { leaves { name } few { name } } } }", 1 + 10 + 3),
        ("{ anything { ... on Leaf { size } } }", 1),
        ("{ branch { ... on Named { ... on Leaf { size } name } } }", 1),
        ("{ free { name } }", 0),
        ("{ dear }", 7),
        ("mutation { change { name } }", 10 + 1),
        ("mutation { a: touch b: touch }", 20),
        ("mutation { changeMany(input: {rows: [1, 2, 3]}) { results { name } } }", 3 * 10 + 1 + 3),
        ("{ __schema { description } }", 2),
        ("{ __schema { types { name } } }", 2 + 2 * TYPES),
        ("{ __schema { types { ofType { ofType { name } } } } }", ceil(2 + 2 * (TYPES + TYPES / 2 + TYPES / 4))),
    ],
)
def test_what_depends_on_the_text_alone(source: str, expected: int) -> None:
    counted = of(source)
    assert (fixed(counted), counted.of({}).cost) == (expected, expected)


@pytest.mark.parametrize(
    ("source", "variables", "expected"),
    [
        ("query ($n: Int) { branches(first: $n) { nodes { name } } }", {"n": 40}, 1 + 40),
        ("query ($n: Int) { branches(first: $n) { nodes { name } } }", {"n": None}, 1 + 25),
        ("query ($n: Int) { branches(first: $n) { nodes { name } } }", {}, 1 + 25),
        ("query ($n: Int) { branches(first: $n) { nodes { name } } }", {"n": -1}, 1),
        (
            "query ($n: Int, $m: Int) { branches(first: $n) { nodes { branches(last: $m) { nodes { name } } } } }",
            {"n": 4, "m": 5},
            1 + 4 * (1 + 1 + 5),
        ),
        ("query ($ids: [Int!]!) { nodes(ids: $ids) { name } }", {"ids": [1, 2, 3]}, 3),
        ("query ($a: Int!) { nodes(ids: [$a, $a]) { name } }", {"a": 1}, 2),
        (
            "mutation ($i: Rows!) { changeMany(input: $i) { results { name } } }",
            {"i": {"rows": [1, 2]}},
            2 * 10 + 1 + 2,
        ),
        (
            "mutation ($r: [Int!]!) { changeMany(input: {rows: $r}) { results { name } } }",
            {"r": [1]},
            10 + 1 + 1,
        ),
    ],
)
def test_what_variables_have_a_say_in(source: str, variables: dict[str, Any], expected: int) -> None:
    counted = of(source)
    assert [counted.of(variables).cost, counted.of(variables).cost] == [expected, expected]
    assert counted.fixed is None or "$a" in source


@pytest.mark.parametrize(
    ("source", "variables", "expected"),
    [
        ("{ branches(first: 50) { nodes { name } } nodes(ids: [1, 2, 3]) { name } }", {}, 0),
        ("mutation { change { name } touch }", {}, 0),
        ("mutation { a: changeMany(input: {rows: [1, 2, 3]}) { results { name } } touch }", {}, 2),
        ("mutation { changeMany(input: {rows: []}) { results { name } } }", {}, 0),
        ("mutation ($i: Rows!) { changeMany(input: $i) { results { name } } }", {"i": {"rows": [1, 2]}}, 1),
        (
            """mutation ($r: [Int!]!) { ...M ... on Mutation { b: changeMany(input: {rows: $r}) { results { name } } } }
               fragment M on Mutation { a: changeMany(input: {rows: $r}) { results { name } } }""",
            {"r": [1, 2, 3]},
            4,
        ),
    ],
)
def test_what_mutations_change_beyond_one_thing_each(source: str, variables: dict[str, Any], expected: int) -> None:
    assert of(source).of(variables).further_changes == expected


def test_the_breakdown_adds_up_to_the_cost() -> None:
    source = """query ($n: Int) {
        all: branches(first: $n) { nodes { ...B } }
        nodes(ids: [1, 2]) { ... on Branch { ...B } ... on Leaf { size } }
        free { name }
    } fragment B on Branch { leaves { name } few { name } }"""
    counted = of(source)
    breakdown = counted.breakdown({"n": 50})
    assert breakdown == [
        {"path": "all.nodes.leaves", "cost": 500},
        {"path": "all.nodes.few", "cost": 150},
        {"path": "all.nodes", "cost": 50},
        {"path": "nodes.leaves", "cost": 20},
        {"path": "nodes.few", "cost": 6},
        {"path": "nodes", "cost": 2},
        {"path": "all", "cost": 1},
    ]
    assert sum(entry["cost"] for entry in breakdown) == counted.of({"n": 50}).cost


def test_the_breakdown_is_bounded() -> None:
    source = "{ " + " ".join(f"a{i}: branch {{ name }}" for i in range(MAX_ENTRIES + 5)) + " }"
    assert len(of(source).breakdown({})) == MAX_ENTRIES


def test_figures_stop_growing() -> None:
    nested = "branches(first: 1000000) { nodes { " * 20 + "name" + " } }" * 20
    assert fixed(of(f"{{ branch {{ {nested} }} }}")) == SATURATED


def test_fragments_are_added_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    doubling = " ".join(f"fragment F{i} on Branch {{ ...F{i + 1} ...F{i + 1} }}" for i in range(40))
    counted = of("{ branch { ...F0 } } " + doubling + " fragment F40 on Branch { leaves { name } }")
    assert fixed(counted) == SATURATED
    assert counted.steps <= 2 * 41 + 3
    doubling = doubling.replace("on Branch", "on Mutation")
    counted = of("mutation { ...F0 } " + doubling + " fragment F40 on Mutation { changeMany(input: {rows: [1, 2]}) }")
    assert counted.of({}).further_changes == SATURATED


def test_few_combinations_are_remembered() -> None:
    counted = of("query ($n: Int) { branches(first: $n) { nodes { name } } }")
    for number in range(3 * MAX_REMEMBERED):
        assert counted.of({"n": number}).cost == 1 + number
    assert len(counted._remembered) <= MAX_REMEMBERED


@pytest.mark.parametrize(
    "source",
    [
        "{ "
        + " ".join(f"a{i}: __schema {{ ...S }}" for i in range(19))
        + " } fragment S on __Schema { types { ...T } }",
        "{ __schema { types { " + " ".join(f"a{i}: fields {{ ...F }}" for i in range(25)) + " } } }",
        "{ __schema { types { fields { type { "
        + " ".join(f"a{i}: ofType {{ ...O }}" for i in range(25))
        + " } } } } }",
    ],
)
def test_introspection_that_repeats_itself_is_dear(source: str) -> None:
    fragments = """ fragment T on __Type { name fields { ...F } inputFields { name } }
        fragment F on __Field { args { type { ...O } } type { ...O } } fragment O on __Type { name ofType { name } }"""
    plain = fixed(of("{ __schema { types { ...T } } }" + fragments))
    assert plain is not None
    assert (fixed(of(source + fragments)) or 0) > 4 * plain


async def test_what_costs_too_much_is_not_run() -> None:
    executor = Executor(schema, DocumentLimits(max_cost=100))
    source = "query ($n: Int) { branches(first: $n) { nodes { name } } }"
    document = executor.prepare(source)
    assert (await executor.run(document, document.select(None), {"n": 99})).data == {"branches": None}
    with pytest.raises(RequestError) as caught:
        await executor.run(document, document.select(None), {"n": 100})
    assert caught.value.refusal is Refusal.LIMIT
    [error] = caught.value.errors
    assert error.extensions == {"code": "QUERY_TOO_COSTLY", "requested": 101, "limit": 100}
    assert "costs 101, the limit is 100" in error.message
    assert "first" in error.message
