"""No more is read than is asked for, and the answers stay those of graphql-core, for which everything is read."""

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

from db import products
from db.assignments import certifications, claims
from db.sql.reads import Read
from domain.access import Caller
from domain.gtin import Gtin
from domain.problem import ErrorPages
from domain.records import NOT_READ, Organization
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
            parts += [f"{name} {selection(inner, random, depth - 1)}"] * (random.random() < 0.5)
            parts += [f"other_{name}: {name} {selection(inner, random, depth - 1)}"] * (random.random() < 0.1)
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
    """The columns that a statement selects."""
    selected = sql[len("SELECT ") : sql.index("FROM")]
    return sorted(column.strip().rpartition(".")[2] for column in selected.split(","))


async def test_columns_that_nobody_asks_for_are_not_selected(shelf: World) -> None:
    executor = Executor(schema, UNLIMITED, timeout=None)
    asked = executor.prepare(f"""{{ product(gtin: "{GTIN}") {{
      name
      certifications {{ isActive certification {{ label }} }}
      again: certifications {{ certificateNumber }}
      claims {{ product {{ brand }} }} }} }}""")
    async with statements(shelf) as seen:
        result = await executor.run(asked, asked.select(None), {}, context(shelf))
    assert result.errors is None
    assert sorted(map(columns, seen)) == [
        ["brand", "gtin"],
        # What is read of a product below may be handed on from here.
        ["brand", "gtin", "name"],
        # One statement for both fields.
        ["certificate_number", "certification_id", "expiration_date", "gtin", "valid_from"],
        ["claim_id", "gtin"],
    ]


READS: list[tuple[Read[Any], str]] = [
    (products.BY_GTIN.one, "brand"),
    (certifications.by_product.one, "scope"),
    (claims.by_product.one, "source"),
]


@pytest.mark.parametrize(("read", "name"), READS)
async def test_what_was_not_read_says_so(shelf: World, read: Read[Any], name: str) -> None:
    from db.definitions import current

    known = await current(shelf.database)
    found = {**known.certifications, **known.claims}
    whole = await shelf.database.fetch(read, found, key=Gtin(GTIN))
    part = await shelf.database.fetch(read.narrowed(frozenset({name})), found, key=Gtin(GTIN))
    assert len(part) == len(whole) >= 1
    by_value = sorted(str(getattr(item, name)) for item in whole)
    assert sorted(str(getattr(item, name)) for item in part) == by_value
    assert all(item.id is NOT_READ and item.metadata is NOT_READ for item in part)
    assert repr(part[0].id) == "<not read>"
