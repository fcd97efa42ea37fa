"""Answers made straight from rows are those of graphql-core, whoever asks and whatever fails."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from db import definitions
from db.engine.database import Database, Make, T
from db.products import BY_GTIN
from db.sql.reads import KeyedRead, Read, Row
from domain.access import Caller
from domain.errors import Busy
from domain.records import Organization
from domain.vocabulary import KeyKind, Role
from execution.executor import Executor
from execution.plan import outputs
from execution.plan import shapes as shapes_of
from execution.plan.plan import FieldPlan, ObjectPlan, Program
from execution.run import rows
from execution.run.interpreted import interpret
from schema.context import GraphQLContext
from schema.schema import schema
from tests.execution.test_differential import described
from tests.operations.faces import GraphQL
from tests.operations.test_selections import UNLIMITED, context
from tests.operations.test_selections import shelf as shelf  # noqa: PLC0414 - a fixture
from tests.world import FAIR_TRADE, GTIN, NON_GMO, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, World

CASES = 64
ROOTS = (
    f'product(gtin: "{GTIN}")',
    f'product(gtin: "{OTHERS_GTIN}")',
    'product(gtin: "40063813339314")',
    "products(first: 2)",
    "products(last: 3, orderBy: {field: NAME})",
    "certificationAssignments(first: 3)",
    "claimAssignments(last: 2, orderBy: {field: LAPSES_ON, direction: DESC})",
    'products(where: {brand: {eq: "Acme"}}, orderBy: {field: UPDATED_AT})',
)


RELATIONS = {"certifications", "claims", "product"}
GENERAL = {"acknowledgement", "previous", "yearsCertified"}
"""Fields that depend on more than a key, which go the general way with all above them."""


class Faulty:
    """The database, of whose reads some fail, the same each time: those of a seed. What is `gone` is not found."""

    def __init__(self, database: Database, seed: int, share: float, gone: KeyedRead[Any] | None = None) -> None:
        self._database = database
        self._seed, self._share, self._gone = seed, share, gone
        self.failed: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @property
    def database(self) -> Any:
        return self

    async def fetch(self, read: Read[Any], found: Any = None, owners: Any = (), /, **values: Any) -> Any:
        records = read.compiled(self._database.dialect).records
        return await self.read(read, lambda rows: records(rows, found, owners), **values)

    async def read(self, read: Read[Any], make: Make[T], /, **values: Any) -> T:
        self._may_fail(read)
        if self._gone is not None and read.build is self._gone.build:
            return make([])
        return await self._database.read(read, make, **values)

    def at_once(self, read: Read[Any], values: Mapping[str, Any]) -> list[Row] | None:
        self._may_fail(read)
        if self._gone is not None and read.build is self._gone.build:
            return []
        return self._database.at_once(read, values)

    def _may_fail(self, read: Read[Any]) -> None:
        table = getattr(read.select.selected_columns[0], "table", "")
        if Random(f"{self._seed} {table}").random() < self._share:
            self.failed[table] += 1
            raise Busy(f"Nobody reads {table} now; ask again.")


def selection(type_: Any, random: Random, depth: int, taken: set[str]) -> str:
    """Some fields of a type of which a shape can be made: each under one name, and no relation that is `taken`."""
    assert isinstance(type_, GraphQLObjectType)
    parts = ["__typename"] if random.random() < 0.5 else []
    if "nodes" in type_.fields:
        # Items that are asked for twice are records.
        items = selection(get_named_type(type_.fields["nodes"].type), random, depth, taken)
        items = f"edges {{ cursor node {items} }}" if random.random() < 0.3 else f"nodes {items}"
        return f"{{ {items} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }}"
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if name in GENERAL:
            continue
        if is_leaf_type(inner):
            alias = "again: " if random.random() < 0.05 and name == "id" else ""
            parts += [alias + name] * (random.random() < 0.4)
        elif depth and name not in taken and "first" not in field.args and random.random() < 0.7:
            taken |= RELATIONS & {name}
            parts.append(f"{name} {selection(inner, random, depth - 1, taken)}")
    return "{ " + " ".join(parts or ["id"]) + " }"


def anywhere(error: tuple[Any, ...]) -> tuple[Any, ...]:
    """An error as `described`, of whichever item of a list."""
    return tuple(step for step in error[0] or () if isinstance(step, str)), *error[1:]


def document(seed: int) -> str:
    random = Random(seed)
    root = ROOTS[seed % len(ROOTS)]
    field = schema._schema.query_type.fields[root.partition("(")[0]]  # type: ignore[union-attr]
    return f"{{ {root} {selection(get_named_type(field.type), random, 5, set())} }}"


def shapes(plans: list[ObjectPlan]) -> list[FieldPlan]:
    """The fields of a program that are made straight from rows."""
    found = []
    for plan in plans:
        for field in plan.fields:
            found += [field] if field.shape or field.items else shapes(field.value.objects_within())
    return found


def callers(world: World) -> list[Caller]:
    brand, other = Organization(world.brand, "brand", "Brand"), Organization(world.rival, "rival", "Rival")
    return [
        Caller(world.key_ids["manager"], KeyKind.BUSINESS, Role.MANAGER, brand),
        Caller(world.key_ids["rival"], KeyKind.BUSINESS, Role.READONLY, other),
        Caller("p" * 22, KeyKind.PUBLISHABLE, Role.READONLY, brand),  # type: ignore[arg-type]
    ]


@pytest.fixture
async def secretive(shelf: World) -> World:
    """The shelf with notes, evidence and a private certification on it."""
    face = GraphQL(shelf)
    assert (await face.assign_certification(GTIN, PRIVATE, metadata={"note": "private"})).ok
    assert (await face.patch_product(GTIN, metadata={"note": "private"})).ok
    assert (await face.patch_certification(GTIN, USDA_ORGANIC, metadata={"note": "private"})).ok
    assert (await face.patch_claim(GTIN, NON_GMO, evidence_note="a report", metadata={"note": "private"})).ok
    return shelf


def asking(world: World, caller: Caller, seed: int, faults: float) -> GraphQLContext:
    """The context of that caller, of whose reads some fail."""
    own = context(world)
    own.operation.caller = caller
    own.operation.database = Faulty(world.database.database, seed, faults)  # type: ignore[assignment]
    return own


@pytest.mark.parametrize("uncompiled", [-1, 10**9])
@pytest.mark.parametrize("faults", [0.0, 0.4])
async def test_answers_are_those_of_graphql_core(secretive: World, faults: float, uncompiled: int) -> None:
    executor = Executor(schema, UNLIMITED, timeout=None, run_uncompiled=uncompiled)
    shaped = failed = 0
    for seed in range(CASES):
        source = document(seed)
        asked = executor.prepare(source)
        operation = asked.select(None)
        for caller in callers(secretive):
            own, others = (asking(secretive, caller, seed, faults) for _ in range(2))
            ours = await executor.run(asked, operation, {}, own)
            theirs = await interpret(executor.schema, asked, operation, {}, others, None)
            assert ours.data == theirs.data, source
            mine, others_errors = (list(map(described, result.errors or [])) for result in (ours, theirs))
            # The general way waits for relations beside each other: another failure under one null may be the first.
            assert uncompiled > 0 or {*map(anywhere, mine)} <= {*map(anywhere, others_errors)}, source
            assert bool(ours.errors) == bool(theirs.errors)
            assert faults or not ours.errors, (source, ours.errors)
            failed += bool(ours.errors)
        for program in operation.programs.found.values():
            assert isinstance(program, Program)
            shaped += len(shapes(program.roots))
    # What is run uncompiled goes the general way.
    assert (shaped, executor.counts.compiled) == ((CASES, 3 * CASES) if uncompiled < 0 else (0, 0))
    assert (failed > CASES / 4) is bool(faults)


RELATIONS_OF_ONE = f"""{{ product(gtin: "{GTIN}") {{
    certifications {{ id standing certification {{ label isPrivate }} }}
    claims {{ lapsesOn claim {{ label }} }} }} }}"""


async def test_what_is_remembered_of_objects_has_a_bound_and_changes_nothing(
    secretive: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """{ certifications(first: 20) { nodes { id label body { name } } }
        certificationAssignments(first: 20) { nodes { id expirationDate certification { label } } } }"""

    async def answer() -> Any:
        executor = Executor(schema, UNLIMITED, timeout=None, run_uncompiled=-1)
        asked = executor.prepare(source)
        results = [await executor.run(asked, asked.select(None), {}, context(secretive)) for _ in range(2)]
        assert results[0] == results[1]
        assert results[0].errors is None
        return results[0].data

    usual = await answer()
    assert len(usual["certifications"]["nodes"]) > 1
    monkeypatch.setattr(outputs, "MAX_KEPT", 1)
    monkeypatch.setattr(shapes_of, "MAX_KEPT", 1)
    monkeypatch.setattr(outputs, "_MAX_REMEMBERED", 0)
    outputs.remembered.cache_clear()
    assert await answer() == usual
    outputs.remembered.cache_clear()


async def test_others_have_their_turn_between_reads(secretive: World, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = Executor(schema, UNLIMITED, timeout=None, run_uncompiled=-1)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def answer() -> Any:
        asked = executor.prepare(RELATIONS_OF_ONE)
        return (await executor.run(asked, asked.select(None), {}, context(secretive))).data

    usual = await answer()
    monkeypatch.setattr(rows, "HELD", -1.0)
    task = asyncio.create_task(others())
    try:
        assert await answer() == usual
    finally:
        task.cancel()
    # Before each of three reads.
    assert turns >= 3


async def test_a_definition_that_came_meanwhile_is_looked_up_again(
    secretive: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = Executor(schema, UNLIMITED, timeout=None, run_uncompiled=-1)
    asked = executor.prepare(RELATIONS_OF_ONE)
    usual = await executor.run(asked, asked.select(None), {}, context(secretive))
    known = await definitions.current(secretive.database)
    others = {id: each for id, each in known.certifications.items() if id != USDA_ORGANIC}
    ranks = {id: rank for id, rank in known.ranks.items() if id != USDA_ORGANIC}
    answers = [known._replace(certifications=others, ranks=ranks)]
    at_hand = definitions.at_hand
    monkeypatch.setattr(definitions, "at_hand", lambda database: answers.pop() if answers else at_hand(database))
    again = await executor.run(asked, asked.select(None), {}, context(secretive))
    assert not answers
    assert again == usual
    assert "USDA" in str(usual.data)


@pytest.mark.parametrize("where", ["nodes", "edges { node", "first: nodes { product { gtin } } nodes"])
async def test_a_product_that_has_gone_meanwhile_is_an_error(secretive: World, where: str) -> None:
    executor = Executor(schema, UNLIMITED, timeout=None, run_uncompiled=-1)
    asked = executor.prepare(
        f"{{ claimAssignments {{ {where} {{ id product {{ gtin }} }} {'}' * ('edges' in where)} }} }}"
    )
    operation = asked.select(None)
    own, others = (context(secretive) for _ in range(2))
    for each in (own, others):
        each.operation.database = Faulty(secretive.database, 0, 0.0, gone=BY_GTIN)  # type: ignore[assignment]
    ours = await executor.run(asked, operation, {}, own)
    theirs = await interpret(executor.schema, asked, operation, {}, others, None)
    assert ours.data == theirs.data == {"claimAssignments": None}
    assert described((ours.errors or [])[0]) in list(map(described, theirs.errors or []))


async def test_a_publishable_key_sees_nothing_private(secretive: World) -> None:
    fields = "metadata certifications { metadata certification { id } } claims { metadata evidenceNote evidenceUrl }"
    executor = Executor(schema, UNLIMITED, timeout=None, run_uncompiled=-1)
    asked = executor.prepare(f'{{ product(gtin: "{GTIN}") {{ {fields} }} }}')
    seen = []
    for caller in callers(secretive):
        own = context(secretive)
        own.operation.caller = caller
        result = await executor.run(asked, asked.select(None), {}, own)
        assert result.errors is None
        seen.append(str(result.data))
    assert ["private" in answer for answer in seen] == [True, False, False]
    assert ["a report" in answer for answer in seen] == [True, True, False]
    assert [PRIVATE in answer for answer in seen] == [True, False, False]
    assert all(FAIR_TRADE in answer for answer in seen)
