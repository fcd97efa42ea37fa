"""The limit pass: what it measures, what it refuses, and how much work that takes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    get_introspection_query,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.documents.limits import MAX_ITEMS, DocumentLimits, judge_variables
from execution.documents.measure import SATURATED, Measure, measure_document
from execution.documents.reader import DocumentReader
from execution.errors import Refusal, RequestError


def measure(source: str) -> Measure:
    [only] = measure_document(parse(source)).operations
    return only.measure


def refusals(source: str, limits: DocumentLimits | None = None) -> list[GraphQLError]:
    return measure_document(parse(source)).refusals(limits or DocumentLimits())


def code(error: GraphQLError) -> str:
    return str((error.extensions or {})["code"])


def codes(source: str, limits: DocumentLimits | None = None) -> list[str]:
    return [code(error) for error in refusals(source, limits)]


@pytest.mark.parametrize(
    ("source", "figures"),
    [
        ("{ a }", {"depth": 1, "root_fields": 1, "selections": 1, "aliases": 0, "directives": 0}),
        ("{ a { b { c } d } }", {"depth": 3, "root_fields": 1, "selections": 4}),
        ("{ x: a y: a { z: b } }", {"aliases": 3, "root_fields": 2}),
        ("{ ... { ... on Q { a { b } } } }", {"depth": 2, "root_fields": 1, "selections": 4}),
        (
            "{ ...F ...F } fragment F on Q { x: a @skip(if: true) }",
            {"aliases": 2, "root_fields": 2, "directives": 2},
        ),
        ("{ a { ...F } } fragment F on Q { b { c } }", {"depth": 3, "root_fields": 1, "selections": 4}),
        ("query ($v: Int @d) @d { a @d ... @d { b } ...F @d } fragment F on Q @d { c }", {"directives": 6}),
        ("{ __schema { types { name } } a { b } }", {"depth": 2, "introspection_depth": 3}),
        ("{ s: __schema { types { name } } }", {"depth": 1, "introspection_depth": 3, "aliases": 1}),
        ("{ __schema { ...F } } fragment F on S { a { b { c } } }", {"depth": 1, "introspection_depth": 4}),
        ("{ a { ...F } } fragment F on Q { __type { b } }", {"depth": 2, "introspection_depth": 2}),
        ("{ a { } }", {"depth": 1, "selections": 1}),
        ("{ ...Unknown a }", {"depth": 1, "selections": 2, "root_fields": 1}),
        ("{ ...F a } fragment F on Q { b ...F }", {"root_fields": 2}),
    ],
)
def test_measures(source: str, figures: dict[str, int]) -> None:
    measured = measure(source)
    assert {name: getattr(measured, name) for name in figures} == figures


@pytest.mark.parametrize(
    ("name", "code", "document"),
    [
        ("max_operations", "QUERY_TOO_MANY_OPERATIONS", lambda n: " ".join(f"query Q{i} {{ a }}" for i in range(n))),
        ("max_depth", "QUERY_TOO_DEEP", lambda n: "{ a " * n + "}" * n),
        (
            "max_introspection_depth",
            "INTROSPECTION_TOO_DEEP",
            lambda n: "{ __type" + " { a" * (n - 1) + "}" * n,
        ),
        (
            "max_aliases",
            "QUERY_TOO_MANY_ALIASES",
            lambda n: "{ a {" + " ".join(f"x{i}: b" for i in range(n)) + "} }",
        ),
        ("max_root_fields", "QUERY_TOO_MANY_ROOT_FIELDS", lambda n: "{" + " a" * n + "}"),
        ("max_directives", "QUERY_TOO_MANY_DIRECTIVES", lambda n: "{ a " + "@d " * n + "}"),
        ("max_selections", "QUERY_TOO_LARGE", lambda n: "{ a { " + "b " * (n - 1) + "} }"),
    ],
)
def test_each_limit_accepts_its_figure_and_refuses_one_more(
    name: str, code: str, document: Callable[[int], str]
) -> None:
    limit = getattr(DocumentLimits(), name)
    assert codes(document(limit)) == []
    [error] = refusals(document(limit + 1))
    assert error.extensions == {"code": code, "measured": limit + 1, "limit": limit}
    assert str(limit + 1) in error.message
    assert str(limit) in error.message
    assert error.locations or name == "max_operations"


def test_every_operation_is_judged() -> None:
    assert codes("query Small { a } query Deep " + "{ a " * 11 + "}" * 11) == ["QUERY_TOO_DEEP"]


def test_an_unused_fragment_is_judged_by_its_size() -> None:
    doubling = " ".join(f"fragment F{i} on Q {{ ...F{i + 1} ...F{i + 1} }}" for i in range(20))
    assert codes("{ a } " + doubling + " fragment F20 on Q { a }") == ["QUERY_TOO_LARGE"] * 9


def test_the_number_of_errors_is_bounded() -> None:
    operations = " ".join(f"query Q{i} " + "{ a " * 11 + "}" * 11 for i in range(50))
    assert len(codes(operations, DocumentLimits(max_errors=5))) == 5


@pytest.mark.parametrize("deprecated", [False, True])
def test_the_introspection_query_of_tools_passes(deprecated: bool) -> None:
    source = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=deprecated,
    )
    assert codes(source) == []
    # Deeper than data may be asked for, so it passes only because introspection has a limit of its own.
    assert measure(source).introspection_depth > DocumentLimits().max_depth


def nodes(document: DocumentNode) -> int:
    return sum(1 for _ in _walk(document))


def _walk(document: DocumentNode) -> Iterator[object]:
    stack = [d.selection_set for d in document.definitions if hasattr(d, "selection_set")]
    while stack:
        for selection in stack.pop().selections:
            yield selection
            if getattr(selection, "selection_set", None):
                stack.append(selection.selection_set)


DOUBLING = "{ ...F0 } " + " ".join(f"fragment F{i} on Q {{ ...F{i + 1} ...F{i + 1} }}" for i in range(30))
ALIASED = (
    "{ ...F0 } "
    + " ".join(f"fragment F{i} on Q {{ x: a {{ ...F{i + 1} }} y: a {{ ...F{i + 1} }} }}" for i in range(16))
    + " fragment F16 on Q { b }"
)
WIDE = "{ ...F0 } " + " ".join(f"fragment F{i} on Q {{ {f'...F{i + 1} ' * 9} }}" for i in range(90))
MUTUAL = "{ ...A } fragment A on Q { " + "...B " * 300 + "} fragment B on Q { " + "...A " * 300 + "}"
CHAIN = "{ ...F0 } " + " ".join(f"fragment F{i} on Q {{ a {{ ...F{i + 1} }} }}" for i in range(1500))
BACKWARD = " ".join(f"fragment F{i} on Q {{ ...F{i - 1} ...F{i - 1} }}" for i in range(200, 0, -1)) + " { ...F200 }"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (DOUBLING + " fragment F30 on Q { a }", {"QUERY_TOO_LARGE", "QUERY_TOO_MANY_ROOT_FIELDS"}),
        (ALIASED, {"QUERY_TOO_DEEP", "QUERY_TOO_MANY_ALIASES", "QUERY_TOO_LARGE"}),
        (WIDE, {"QUERY_TOO_LARGE"}),
        (MUTUAL, set()),
        (CHAIN, {"QUERY_TOO_DEEP"}),
        (BACKWARD, {"QUERY_TOO_LARGE"}),
    ],
    ids=["doubling", "aliased", "wide", "mutual", "chain", "backward"],
)
def test_the_work_is_linear_in_the_document(source: str, expected: set[str]) -> None:
    document = parse(source)
    measured = measure_document(document)
    assert expected <= {code(error) for error in measured.refusals(DocumentLimits())}
    assert measured.steps <= 3 * nodes(document) + len(document.definitions)


def test_figures_stop_growing() -> None:
    source = "{ ...F0 } " + " ".join(f"fragment F{i} on Q {{ ...F{i + 1} ...F{i + 1} }}" for i in range(200))
    assert measure(source + " fragment F200 on Q { a }").root_fields == SATURATED


# A document and the same document with every fragment written out must have the same figures.


@dataclass
class Naive:
    fragments: dict[str, FragmentDefinitionNode]

    def of(self, node: OperationDefinitionNode) -> Measure:
        total = Measure(directives=len(node.directives or ()))
        self.walk(node.selection_set, 0, 0, total, at_root=True)
        return total

    def walk(self, selections: SelectionSetNode, depth: int, inside: int, total: Measure, *, at_root: bool) -> None:
        for selection in selections.selections:
            total.selections += 1
            total.directives += len(selection.directives or ())
            if isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments.get(selection.name.value)
                if fragment is not None:
                    total.directives += len(fragment.directives or ())
                    self.walk(fragment.selection_set, depth, inside, total, at_root=at_root)
            elif isinstance(selection, InlineFragmentNode):
                self.walk(selection.selection_set, depth, inside, total, at_root=at_root)
            elif isinstance(selection, FieldNode):
                total.aliases += selection.alias is not None
                total.root_fields += at_root
                here, within = (depth, inside + 1) if inside else (depth + 1, 0)
                if not inside and selection.name.value in ("__schema", "__type"):
                    within = 1
                total.depth = max(total.depth, here)
                total.introspection_depth = max(total.introspection_depth, within)
                if selection.selection_set:
                    self.walk(selection.selection_set, here, within, total, at_root=False)


FRAGMENTS = 4


def selections(first_fragment: int) -> st.SearchStrategy[str]:
    names = st.sampled_from(["a", "b", "x: a", "__schema", "__type", "a @d", "y: __type @d @d"])
    spreads = [f"...F{i}" for i in range(first_fragment, FRAGMENTS)] + ["...Unknown", "...Unknown @d"]
    leaf = st.one_of(names, st.sampled_from(spreads))
    nested = st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.builds(lambda name, body: f"{name} {{ {' '.join(body)} }}", names, st.lists(inner, max_size=3)),
            st.builds(lambda body: f"... @d {{ {' '.join(body)} }}", st.lists(inner, min_size=1, max_size=3)),
        ),
        max_leaves=6,
    )
    return st.lists(nested, min_size=1, max_size=4).map(" ".join)


@st.composite
def documents(draw: st.DrawFn) -> str:
    operation = f"{{ {draw(selections(0))} }}"
    fragments = [f"fragment F{i} on Q @d {{ {draw(selections(i + 1))} }}" for i in range(FRAGMENTS)]
    return " ".join(draw(st.permutations([operation, *fragments])))


@settings(deadline=None, max_examples=100)
@given(documents())
def test_figures_equal_those_of_the_expanded_document(source: str) -> None:
    document = parse(source)
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    [operation] = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    expected = Naive(fragments).of(operation)
    measured = measure_document(document).operations[0].measure
    # `full_depth` is a means to `introspection_depth`, not a figure of the answer.
    expected.full_depth = measured.full_depth
    assert measured == expected


@pytest.mark.parametrize(
    ("variables", "depth", "deeper"),
    [
        ({"v": 1}, 1, False),
        ({"v": {}}, 1, True),
        ({"v": {}}, 2, False),
        ({"v": {"a": [1]}}, 2, True),
        ({"v": {"a": [1]}}, 3, False),
        ({"v": {"a": 1, "b": [[[]]]}}, 4, True),
        ({"v": {"a": 1, "b": [[[]]]}}, 5, False),
        ({"v": "[[[["}, 1, False),
    ],
)
def test_nesting_of_variables(variables: dict[str, Any], depth: int, deeper: bool) -> None:
    limits = DocumentLimits(max_variables_depth=depth)
    if not deeper:
        judge_variables(variables, limits)
        return
    with pytest.raises(RequestError) as caught:
        judge_variables(variables, limits)
    assert caught.value.errors[0].extensions == {"code": "VARIABLES_TOO_DEEP"}


@pytest.mark.parametrize("variables", [{"v": [1, 2, [3, {"a": 4}]]}, dict.fromkeys("abcdefg", 1)])
def test_values_of_variables(variables: dict[str, Any]) -> None:
    assert judge_variables(variables, DocumentLimits(max_variables_values=7)) in (0, 7)
    with pytest.raises(RequestError) as caught:
        judge_variables(variables, DocumentLimits(max_variables_values=6))
    assert caught.value.errors[0].extensions == {"code": "VARIABLES_TOO_LARGE"}


def test_lists_in_variables_and_in_literals_are_short() -> None:
    full: list[dict[str, Any]] = [{}] * MAX_ITEMS
    limits = DocumentLimits()
    assert judge_variables({"w": {"and": [{"or": full}]}}, limits) == 4 + MAX_ITEMS
    with pytest.raises(RequestError) as caught:
        judge_variables({"w": {"and": [{"or": [*full, {}]}]}}, limits)
    assert caught.value.refusal is Refusal.LIMIT
    assert "The list w.and.0.or in the variables has 251 items, the limit is 250" in str(caught.value)
    reader = DocumentReader(build_schema("type Query { pets(ids: [Int]): Int }"), limits)
    reader.read("{ pets(ids: [" + "1 " * MAX_ITEMS + "]) }")
    with pytest.raises(RequestError, match="This list has 251 items, the limit is 250"):
        reader.read("{ pets(ids: [" + "1 " * (MAX_ITEMS + 1) + "]) }")
