"""Compiled operations give what graphql-core gives: generated documents over generated data, faults included.

`CERTGATE_DIFFERENTIAL_CASES` sets how many documents of each sort are tried.
"""

import asyncio
import os
from collections import Counter
from random import Random
from typing import Any

import pytest
from graphql import ExecutionResult, GraphQLError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries

from execution.documents.cache import DocumentCache
from execution.documents.limits import DocumentLimits
from execution.errors import RequestError, root_cause
from execution.executor import Executor
from execution.plan.plan import Program
from execution.run.interpreted import interpret
from tests.execution.generated import DocumentMaker
from tests.execution.wide import World, schema

CASES = int(os.environ.get("CERTGATE_DIFFERENTIAL_CASES", "150"))

UNLIMITED = DocumentLimits(
    max_source_length=10**6,
    max_tokens=10**5,
    max_depth=50,
    max_aliases=10**4,
    max_root_fields=10**3,
    max_directives=10**4,
    max_selections=10**5,
)

pytestmark = [
    # An attribute may hold a coroutine that nobody awaits because a sibling failed before.
    pytest.mark.filterwarnings("ignore:coroutine 'World._later' was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Described = tuple[tuple[Any, ...], str, tuple[Any, ...], str]


def described(error: GraphQLError) -> Described:
    """What has to be equal of two errors."""
    locations = tuple((place.line, place.column) for place in error.locations or ())
    return tuple(error.path or ()), error.message, locations, type(root_cause(error)).__name__


def null_place(error: Described, data: Any) -> tuple[Any, ...]:
    """The path of the null that an error made."""
    for length, key in enumerate(error[0]):
        if data is None:
            return error[0][:length]
        data = data[key]
    assert data is None
    return error[0]


class Case:
    """One document over one world, run both ways."""

    def __init__(self, seed: int, faults: float, source: str | None = None) -> None:
        self.seed, self.faults = seed, faults
        maker = DocumentMaker(schema._schema, Random(seed))
        self.source = source or maker.make()
        self.variables = {} if source else maker.variables
        self.executor = Executor(schema, UNLIMITED, timeout=None, run_uncompiled=10**9)
        if seed % 2 == 0:
            # What comes first is run uncompiled.
            self.executor.cache = DocumentCache(max_seen=10)

    async def compiled(self, moments: Random | None = None) -> tuple[ExecutionResult, World] | None:
        """The result of the compiled operation; None if the document or its variables are refused."""
        world = World(self.seed, self.faults, moments)
        try:
            document = self.executor.prepare(self.source)
            operation = document.select(None)
            result = await self.executor.run(document, operation, self.variables, world)
        except RequestError:
            return None
        return result, world

    async def interpreted(self, moments: Random | None = None) -> tuple[ExecutionResult, World]:
        world = World(self.seed, self.faults, moments)
        document = self.executor.prepare(self.source)
        operation = document.select(None)
        return await interpret(self.executor.schema, document, operation, self.variables, world, None), world

    async def check(self) -> str:
        """What became of it: refused, interpreted, equal. Raises `AssertionError`."""
        found = await self.compiled()
        if found is None:
            return "refused"
        if self.executor.counts.interpreted:
            return f"not compiled: {next(iter(self.executor.counts.interpreted))}"
        ours, our_world = found
        theirs, their_world = await self.interpreted()
        assert ours.data == theirs.data
        assert ordered(ours.data) == ordered(theirs.data)
        mine, others = [sorted(map(described, result.errors or []), key=repr) for result in (ours, theirs)]
        if mine == others:
            if not mine:
                assert Counter(our_world.calls) == Counter(their_world.calls)
            return "failed alike" if mine else "equal"
        await self._check_race(mine, others, ours.data)
        return "failed in another order"

    async def _check_race(self, mine: list[Described], others: list[Described], data: Any) -> None:
        """Which of several failures under one null is reported depends on time: ours has to be one of those.

        Each null has to have its error in both.
        """
        assert {null_place(e, data) for e in mine} == {null_place(e, data) for e in others}
        possible = set(others)
        for number in range(60):
            if possible.issuperset(mine):
                return
            result, _ = await self.interpreted(Random(f"{self.seed} {number}"))
            assert result.data == data
            possible.update(map(described, result.errors or []))
        # Fields that graphql-core never begins, because one before them in the document failed at once, it never
        # reports; what is under a null beside another reported error may differ.
        missing = [error for error in mine if error not in possible]
        nulls = {null_place(e, data) for e in others}
        assert all(any(null_place(e, data) == place for place in nulls) for e in missing)
        assert all(hidden(e, data) for e in missing), missing


def hidden(error: Described, data: Any) -> bool:
    """Whether the field that failed lies below a null, so that another failure may have come first."""
    return len(null_place(error, data)) < len(error[0])


def ordered(data: Any) -> Any:
    """The data with the order of its members made visible."""
    if isinstance(data, dict):
        return [(key, ordered(value)) for key, value in data.items()]
    return [ordered(item) for item in data] if isinstance(data, list) else data


async def outcomes(seeds: range, faults: float) -> Counter[str]:
    counts: Counter[str] = Counter()
    for seed in seeds:
        case = Case(seed, faults)
        try:
            counts[await asyncio.wait_for(case.check(), 60)] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}, faults {faults}:\n{case.source}\n{case.variables}\n{error}") from error
    return counts


@pytest.mark.parametrize("faults", [0.0, 0.01, 0.05, 0.25])
async def test_generated_documents(faults: float, capsys: pytest.CaptureFixture[str]) -> None:
    base = int(faults * 1000) * 1_000_000
    counts = await outcomes(range(base, base + CASES), faults)
    with capsys.disabled():
        if CASES > 150:
            print(f"\nfaults {faults}: {dict(counts)}")
    assert counts["equal"] + counts["failed alike"] > CASES / 4


BLOBS = st.sampled_from([nodes.String("x"), nodes.Int(1), nodes.Null])
DATES = st.sampled_from([nodes.String("2024-02-29"), nodes.String("no date")])


@pytest.mark.parametrize("kind", [queries, mutations])
def test_documents_by_hypothesis(kind: Any) -> None:
    counts: Counter[str] = Counter()
    # Hypothesis sometimes writes documents that are too large to run many of.
    documents = kind(str(schema), custom_scalars={"Blob": BLOBS, "Date": DATES}).filter(lambda text: len(text) < 4_000)

    @settings(
        max_examples=CASES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(documents, st.integers(0, 1000), st.sampled_from([0.0, 0.02, 0.2]))
    def check(source: str, seed: int, faults: float) -> None:
        counts[asyncio.run(Case(seed, faults, source).check())] += 1

    check()
    assert counts["equal"] + counts["failed alike"] > CASES / 4, counts


def test_programs_are_what_is_compared() -> None:
    case = Case(1, 0.0)
    asyncio.run(case.compiled())
    document = case.executor.prepare(case.source)
    [program] = document.select(None).programs.found.values()
    assert isinstance(program, Program)
    assert case.executor.counts.compiled == bool(program.source) == 1
    case = Case(2, 0.0)
    asyncio.run(case.compiled())
    assert case.executor.counts.uncompiled == 1
