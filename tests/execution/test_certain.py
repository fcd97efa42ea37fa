"""What the quick pass is certain of, graphql-core finds nothing wrong with: generated documents, whole and broken."""

import os
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from graphql import GraphQLSyntaxError, OverlappingFieldsCanBeMergedRule, TokenKind, parse, validate

from bench.questions import ASSIGN, ONE, SOME
from execution.documents.certain import QuickPass
from execution.documents.rules import STRAWBERRY_RULES, rules
from schema.schema import schema as certgate
from tests.execution.generated import DocumentMaker
from tests.execution.test_documents import schema as one_of
from tests.execution.test_literals import tokens
from tests.execution.wide import schema as wide

CASES = int(os.environ.get("CERTGATE_DIFFERENTIAL_CASES", "150"))
SCHEMAS = {"wide": wide._schema, "certgate": certgate._schema, "one of": one_of._schema}


def broken(source: str, random: Random) -> str:
    """The document with a few of its tokens gone, twice there, or in the place of others."""
    found = [source[start:end] for _, start, end, _ in tokens(source)]
    names = [source[start:end] for kind, start, end, _ in tokens(source) if kind is TokenKind.NAME]
    extra = [
        "$v0",
        "@skip(if: true)",
        "null",
        "__schema { types { name } }",
        "...F0",
        '"x"',
        "1",
        "[1]",
        "{}",
        "__typename",
    ]
    for _ in range(random.randrange(1, 3)):
        place = random.randrange(len(found))
        match random.randrange(4):
            case 0:
                del found[place]
            case 1:
                found.insert(place, found[place])
            case 2:
                found.insert(place, random.choice(extra))
            case _:
                found[place] = random.choice(names)
    return " ".join(found)


def documents(schema: Any, seeds: range) -> Iterator[str]:
    for seed in seeds:
        random = Random(seed)
        source = DocumentMaker(schema, random, size=random.choice([10, 45])).make()
        yield source
        for _ in range(4):
            yield broken(source, random)


COMPARISONS = (2_000, 300)


def rules_apart() -> tuple[list[Any], dict[int, list[Any]]]:
    """Those whose budget is not for comparing fields, and for each budget the one whose is."""
    every = {budget: rules(budget, introspection=False) for budget in COMPARISONS}
    others = [rule for rule in every[COMPARISONS[0]] if not issubclass(rule, OverlappingFieldsCanBeMergedRule)]
    return others, {
        budget: [rule for rule in found if issubclass(rule, OverlappingFieldsCanBeMergedRule)]
        for budget, found in every.items()
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_generated_documents(name: str) -> None:
    schema = SCHEMAS[name]
    quick = {budget: QuickPass(schema, budget) for budget in COMPARISONS}
    others, comparing = rules_apart()
    counts: dict[int, Counter[str]] = {budget: Counter() for budget in COMPARISONS}
    for source in documents(schema, range(CASES)):
        try:
            ast = parse(source)
        except GraphQLSyntaxError:
            continue
        found = validate(schema, ast, others, max_errors=1) or validate(schema, ast, STRAWBERRY_RULES, max_errors=1)
        for budget in COMPARISONS:
            certain = quick[budget].is_certain(ast)
            errors = found or validate(schema, ast, comparing[budget], max_errors=1)
            assert not (certain and errors), f"{source}\n{errors[0]}"
            counts[budget]["invalid" if errors else "certain" if certain else "in doubt"] += 1
    if CASES > 150:
        print(counts)
    for each in counts.values():
        assert each["invalid"] > CASES / 2, counts
        assert each["certain"] > CASES / 8, counts


@pytest.mark.parametrize(
    "source",
    [
        "{ viewer { role } } fragment F on Product { name }",
        "{ viewer { role } } fragment F on Product { ...F }",
        "{ viewer { role } viewer: __typename }",
        "{ viewer { role role: __typename } }",
        "query ($g: String) { product(gtin: $g) { name } }",
        "query ($g: Int!) { product(gtin: $g) { name } }",
        "query ($g: [String!]!) { product(gtin: $g) { name } }",
    ],
)
def test_what_is_wrong_is_left_to_graphql_core(source: str) -> None:
    ast = parse(source)
    assert not QuickPass(certgate._schema, 2_000).is_certain(ast)
    assert validate(certgate._schema, ast)


@pytest.mark.parametrize("source", [ONE, SOME, ASSIGN])
def test_usual_documents_are_certain(source: str) -> None:
    assert QuickPass(certgate._schema, 2_000).is_certain(parse(source))
