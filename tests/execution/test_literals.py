"""Documents that differ only in literals: shared programs, and the same answers, refusals and places as without."""

import os
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLSyntaxError, Lexer, Source, TokenKind

from execution.documents.cache import DocumentCache
from execution.documents.limits import DocumentLimits
from execution.documents.literals import spans, split
from execution.errors import RequestError
from execution.executor import Executor
from tests.execution.generated import DocumentMaker
from tests.execution.test_differential import UNLIMITED, described
from tests.execution.wide import World, schema

CASES = int(os.environ.get("CERTGATE_DIFFERENTIAL_CASES", "150"))

pytestmark = [
    # An attribute may hold a coroutine that nobody awaits because a sibling failed before.
    pytest.mark.filterwarnings("ignore:coroutine 'World._later' was never awaited"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NOTHING_KEPT = DocumentCache(max_entries=0)
ALONE = Executor(schema, cache=NOTHING_KEPT)
LITERALS = (TokenKind.INT, TokenKind.FLOAT, TokenKind.STRING, TokenKind.BLOCK_STRING)

OTHERS = {
    TokenKind.INT: ["0", "-0", "5", "-3", "41", "250", "99999999999", "9" * 5_000],
    TokenKind.FLOAT: ["1.5", "-2e3", "0.0"],
    TokenKind.STRING: ['""', '"text"', '"é 🐢 # \' {"', '"2024-02-29"', '"2024-02-30"', r'"\u0041\"\n"', '"1"'],
    TokenKind.BLOCK_STRING: ['"""block"""', '""""""', '"""\n  two\n    lines\n"""', '"""a \\""" b"""'],
}


def tokens(source: str) -> list[tuple[TokenKind, int, int, str | None]]:
    """What graphql-core's lexer makes of a text."""
    lexer = Lexer(Source(source))
    found: list[tuple[TokenKind, int, int, str | None]] = []
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        found.append((token.kind, token.start, token.end, token.value))
    return found


def varied(source: str, random: Random) -> str:
    """The same document with other literals."""
    parts, end = [], 0
    for kind, start, stop, _ in tokens(source):
        if kind in LITERALS and random.random() < 0.7:
            # A number or a text that nobody expects there is a document of another shape.
            chosen = kind if random.random() < 0.97 else random.choice(LITERALS)
            wrong = random.random() < 0.1
            parts += [source[end:start], random.choice(OTHERS[chosen] if wrong else OTHERS[chosen][:4])]
            end = stop
    return "".join([*parts, source[end:]])


def shown(error: GraphQLError) -> Any:
    return described(error), error.extensions


async def outcome(executor: Executor, source: str, variables: dict[str, Any], seed: int, faults: float) -> Any:
    """All that a client may see, and what it is charged."""
    try:
        document = executor.prepare(source)
        admitted = executor.admit(document, document.select(None), variables)
        world = World(seed, faults)
        result = await executor.run_admitted(admitted, world)
    except RequestError as error:
        return error.refusal, [shown(each) for each in error.errors]
    errors = sorted(map(shown, result.errors or []), key=repr)
    return result.data, errors, admitted.charge, [shown(each) for each in admitted.warnings], Counter(world.calls)


@pytest.mark.parametrize("faults", [0.0, 0.05])
@pytest.mark.parametrize("limits", [UNLIMITED, DocumentLimits(max_cost=60, max_depth=4, warn_only=True)])
async def test_generated_documents(faults: float, limits: DocumentLimits) -> None:
    counts: Counter[str] = Counter()
    sharing, alone = Executor(schema, limits, timeout=None), Executor(schema, limits, timeout=None, cache=NOTHING_KEPT)
    for seed in range(CASES // 4):
        maker = DocumentMaker(schema._schema, Random(seed))
        source, random = maker.make(), Random(seed)
        for number in range(5):
            text = source if number == 0 else varied(source, random)
            ours = await outcome(sharing, text, maker.variables, seed, faults)
            theirs = await outcome(alone, text, maker.variables, seed, faults)
            assert ours == theirs, f"seed {seed}:\n{text}\n{maker.variables}"
            counts["refused" if len(ours) == 2 else "run"] += 1
    assert sharing.counts.shared > CASES / 8
    assert counts["run"] > CASES / 4, counts


ALPHABET = [
    '"',
    '"""',
    '"a"',
    '"b"',
    '""',
    "\\",
    "#",
    "\n",
    "0",
    "1",
    "12",
    ".",
    "-",
    "e",
    "a",
    "{",
    "(",
    ",",
    " ",
    "…",
]


def test_texts_of_one_shape_have_the_same_tokens() -> None:
    random, same = Random(7), 0
    shapes: dict[Any, str] = {}
    for _ in range(CASES * 200):
        text = "".join(random.choices(ALPHABET, k=random.randrange(1, 9)))
        parts = split(text)
        if parts is None:
            continue
        first = shapes.setdefault(parts.shape, text)
        try:
            known = tokens(first)
        except GraphQLSyntaxError:
            continue
        literals = [token for token in known if token[0] in LITERALS]
        if spans(first) != [(start, end) for _, start, end, _ in literals]:
            continue
        found = tokens(text)
        assert [kind for kind, *_ in found] == [kind for kind, *_ in known], (first, text)
        literals = [token for token in found if token[0] in LITERALS]
        assert spans(text) == [(start, end) for _, start, end, _ in literals], (first, text)
        assert [value for _, value in parts.literals] == [value for *_, value in literals], (first, text)
        same += first != text
    assert same > CASES


def shared(executor: Executor, *sources: str) -> int:
    """How many of these documents shared the programs of another."""
    before = executor.counts.shared
    for source in sources:
        executor.prepare(source)
    return executor.counts.shared - before


def test_one_of_a_shape_is_kept() -> None:
    executor = Executor(schema)
    assert shared(executor, *(f"{{ a(n: {number}) {{ name }} }}" for number in range(1_000))) == 999
    assert len(executor.cache) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # What fields of one key are compared by.
        ("{ x: a(n: 1) { name } x: a(n: 1) { name } }", "{ x: a(n: 1) { name } x: a(n: 2) { name } }"),
        # What is no value of a field's argument.
        ("query ($n: Int = 1) { a(n: $n) { name } }", "query ($n: Int = 2) { a(n: $n) { name } }"),
        ('{ __type(name: "A") { name } }', '{ __type(name: "B") { name } }'),
        # What a scalar holds, and not an input object.
        ("{ a { echo(blob: [1, {a: 1}]) } }", "{ a { echo(blob: [1, {a: 2}]) } }"),
        # One for a list of one.
        ('{ a { echo(ids: "1") } }', '{ a { echo(ids: "2") } }'),
        # Other tokens.
        ("{ a { echo(ids: [1]) } }", '{ a { echo(ids: ["1"]) } }'),
        ("{ a { echo(ids: [1]) } }", "{ a { echo(ids: [1, 2]) } }"),
        ("{ a(n: 1) { name } # 2\n}", "{ a(n: 2) { name } # 3\n}"),
        # What does not fit.
        ("{ a(n: 1) { name } }", "{ a(n: 2147483648) { name } }"),
        ('{ a { echo(when: "2024-02-29") } }', '{ a { echo(when: "2024-02-30") } }'),
    ],
)
def test_what_is_not_shared(first: str, second: str) -> None:
    executor = Executor(schema)
    assert shared(executor, first) == 0
    with suppress(RequestError):
        shared(executor, second)
    assert executor.counts.shared == 0


def test_literals_in_lists_and_input_objects_are_shared() -> None:
    executor = Executor(schema)
    texts = (
        f'{{ a {{ echo(ids: ["x", {number}], text: """{number}""") later(within: {{least: {number}}}) {{ name }} }} }}'
        for number in range(9)
    )
    assert shared(executor, *texts) == 8


async def test_places_of_errors_are_those_of_the_text() -> None:
    executor = Executor(schema)
    failed = 0
    for text in ("x", "a longer one", "\n two\n  lines\n"):
        source = f'{{ a {{ echo(text: """{text}""") total born one {{ __typename }} }} }}'
        for seed in range(20):
            ours = await outcome(executor, source, {}, seed, 0.3)
            assert ours == await outcome(ALONE, source, {}, seed, 0.3)
            failed += bool(ours[1])
    assert executor.counts.shared == 40
    assert failed > 20


def test_a_template_goes_with_its_document() -> None:
    executor = Executor(schema, cache=DocumentCache(max_entries=2))
    assert shared(executor, "{ a(n: 1) { name } }", "{ a(n: 2) { name } }", "{ number }", "{ n: number }") == 1
    assert shared(executor, "{ a(n: 3) { name } }") == 0
    assert shared(executor, "{ a(n: 4) { name } }") == 1


def test_limits_are_those_of_the_caller() -> None:
    executor = Executor(schema)
    executor.prepare("{ a(n: 1) { name } }")
    few = replace(executor.limits, max_source_length=21)
    assert executor.prepare("{ a(n: 22) { name } }", few).limits is few
    for limits in (few, replace(few, max_depth=1, max_source_length=99), replace(few, max_tokens=5)):
        with pytest.raises(RequestError) as caught:
            executor.prepare("{ a(n: 333) { name } }", limits)
        with pytest.raises(RequestError) as alone:
            Executor(schema).prepare("{ a(n: 333) { name } }", limits)
        assert [shown(error) for error in caught.value.errors] == [shown(error) for error in alone.value.errors]


async def test_what_is_not_compiled_is_read_by_itself() -> None:
    executor = Executor(schema)
    source = "query ($c: Boolean = true) {{ a(n: {}) {{ name @skip(if: $c) }} }}"
    for number in range(3):
        text = source.format(number)
        ours = await outcome(executor, text, {"c": None}, 1, 0)
        assert ours == await outcome(ALONE, text, {"c": None}, 1, 0)
    assert executor.counts.shared == 2
    assert executor.counts.interpreted


def test_a_document_is_explained_in_its_own_words() -> None:
    executor = Executor(schema)
    for number in (1, 2):
        document = executor.prepare(f"{{ many: a(n: {number}) {{ later(within: {{least: {number}}}) {{ name }} }} }}")
        assert f"least: {number}" in executor.explain(document, document.select(None))
