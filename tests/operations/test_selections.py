"""Whatever is asked for, the answers are those of graphql-core; and no more is read than that."""

import re
from datetime import date
from random import Random
from typing import Any

import pytest
from graphql import (
    GraphQLObjectType,
    get_named_type,
    is_interface_type,
    is_leaf_type,
    is_object_type,
    is_required_argument,
)

from domain.access import Caller
from domain.problem import ErrorPages
from domain.records import Organization
from domain.vocabulary import KeyKind, Role
from execution.documents.limits import DocumentLimits
from execution.executor import Executor
from execution.run.interpreted import interpret
from resolvers.operation import Context as OperationContext
from schema.context import GraphQLContext, OperationCharge, RateWindows
from schema.schema import schema
from tests.operations.faces import Rest
from tests.operations.test_statements import statements
from tests.world import FAIR_TRADE, GTIN, NON_GMO, NOON, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World

CASES = 150
ROOTS = (
    f'product(gtin: "{GTIN}")',
    "products(first: 3)",
    "products(last: 1, orderBy: {field: NAME, direction: DESC})",
    "certifications(first: 2)",
    "certificationAssignments(where: {expirationDate: {isNull: true}}, orderBy: {field: EXPIRATION_DATE})",
    "claimAssignments(first: 3, orderBy: {field: UPDATED_AT})",
    f'node(id: "{USDA_ORGANIC}")',
)
UNLIMITED = DocumentLimits(max_depth=50, max_aliases=1000, max_cost=10**9, max_tokens=10**5, max_source_length=10**6)


@pytest.fixture
async def shelf(world: World) -> World:
    """Both products with two certifications and two claims each."""
    await world.add_certification(GTIN, FAIR_TRADE, valid_from=date(2020, 1, 1), certificate_countries=["DE"])
    await world.add_certification(OTHERS_GTIN, FAIR_TRADE, metadata={"lot": "7"}, expiration_date=date(2027, 1, 1))
    rest = Rest(world)
    for claim in (NON_GMO, VEGAN):
        assert (await rest.assign_claim(GTIN, claim)).ok
    return world


def context(world: World) -> GraphQLContext:
    caller = Caller(
        world.key_ids["manager"], KeyKind.BUSINESS, Role.MANAGER, Organization(world.brand, "brand", "Brand")
    )
    return GraphQLContext(
        OperationContext(world.database, caller, NOON), "test", ErrorPages("", ""), OperationCharge(1, 1), nobody_asks
    )


async def nobody_asks() -> RateWindows:
    raise AssertionError("no document here asks for its rate limits")


def selection(type_: Any, random: Random, depth: int) -> str:
    """Some fields of a type that need no arguments; some of them twice, under other names and with other fields."""
    if is_interface_type(type_):
        # One kind alone, because fields of one name may have other types in another.
        kind = random.choice(schema._schema.get_possible_types(type_))
        return f"{{ __typename ... on {kind} {selection(kind, random, depth)} }}"
    assert isinstance(type_, GraphQLObjectType)
    parts = ["__typename"]
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if any(map(is_required_argument, field.args.values())):
            continue
        if is_leaf_type(inner):
            parts += [name] * (random.random() < 0.3)
        elif depth and (is_object_type(inner) or is_interface_type(inner)):
            for called, share in ((name, 0.5), (f"other_{name}: {name}", 0.1)):
                if random.random() < share:
                    parts.append(f"{called} {selection(inner, random, depth - 1)}")
    return "{ " + " ".join(parts) + " }"


def document(seed: int) -> str:
    random = Random(seed)
    root = ROOTS[seed % len(ROOTS)]
    field = schema._schema.query_type.fields[root.partition("(")[0]]  # type: ignore[union-attr]
    return f"{{ {root} {selection(get_named_type(field.type), random, 4)} }}"


async def test_answers_are_those_of_graphql_core(shelf: World) -> None:
    executor = Executor(schema, UNLIMITED, timeout=None)
    read = 0
    for seed in range(CASES):
        source = document(seed)
        asked = executor.prepare(source)
        ours = await executor.run(asked, asked.select(None), {}, context(shelf))
        theirs = await interpret(executor.schema, asked, asked.select(None), {}, context(shelf), None)
        assert (ours.data, ours.errors) == (theirs.data, theirs.errors), source
        read += not ours.errors
    assert executor.counts.compiled + executor.counts.uncompiled == CASES
    assert read > CASES * 0.9


def columns(sql: str) -> list[str]:
    """The columns that a statement selects, by themselves or as one JSON text."""
    return sorted(re.findall(r"\w\.(\w+)", sql[: sql.index("FROM")]))


async def test_columns_that_nobody_asks_for_are_not_selected(shelf: World) -> None:
    executor = Executor(schema, UNLIMITED, timeout=None, run_uncompiled=0)
    fields = "certifications { certificateNumber certification { label } } claims { source }"
    for source in (
        f'{{ product(gtin: "{GTIN}") {{ name {fields} }} }}',
        f"{{ products(first: 2, orderBy: {{field: BRAND}}) {{ nodes {{ name {fields} }} }} }}",
    ):
        asked = executor.prepare(source)
        async with statements(shelf) as seen:
            result = await executor.run(asked, asked.select(None), {}, context(shelf))
        assert result.errors is None
        placing = ["brand"] if "orderBy" in source else []
        assert sorted(map(columns, seen)) == sorted(
            [
                [*placing, "gtin", "name"],
                ["certificate_number", "certification_id", "gtin"],
                ["claim_id", "gtin", "source"],
            ]
        )


async def test_fields_that_ask_the_same_share_a_statement(shelf: World) -> None:
    executor = Executor(schema, UNLIMITED, timeout=None, run_uncompiled=0)
    source = f'{{ product(gtin: "{GTIN}") {{ claims {{ source }} again: claims {{ validFrom }} }} }}'
    asked = executor.prepare(source)
    async with statements(shelf) as seen:
        result = await executor.run(asked, asked.select(None), {}, context(shelf))
    assert result.data is not None
    assert list(result.data["product"]) == ["claims", "again"]
    assert len(seen) == 2
