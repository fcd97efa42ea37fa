"""Reading documents: refusals by kind, bounded work for hostile ones, operation selection, the cache."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
import strawberry

from execution.documents import reader
from execution.documents.cache import DocumentCache
from execution.documents.document import Document
from execution.documents.limits import DocumentLimits
from execution.errors import Refusal, RequestError
from execution.executor import Executor


@strawberry.input(one_of=True)
class Key:
    id: strawberry.Maybe[int]
    code: strawberry.Maybe[str]


@strawberry.type
class Node:
    name: str

    @strawberry.field
    def child(self, first: int = 1) -> "Node":
        return self

    @strawberry.field
    def children(self) -> list["Node"]:
        return [self]


@strawberry.type
class Query:
    @strawberry.field
    def node(self, key: Key | None = None, text: str = "") -> Node:
        return Node(name="root")


schema = strawberry.Schema(Query)


@pytest.fixture
def executor() -> Executor:
    return Executor(schema)


def refused(executor: Executor, source: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        executor.prepare(source)
    assert all(error.extensions and error.extensions["code"] for error in caught.value.errors)
    return caught.value


def codes(error: RequestError) -> set[str]:
    return {str((each.extensions or {})["code"]) for each in error.errors}


def fragments(count: int, body: str) -> str:
    """`count` fragments on Node; in `body` `@` stands for the fragment after."""
    texts = [f"fragment F{i} on Node {{ {body.replace('@', f'...F{i + 1}')} }}" for i in range(count)]
    return " ".join([*texts, f"fragment F{count} on Node {{ name }}"])


# What a stranger may send, and the step that has to stop it. Twice the usual number of tokens is let through here, so
# that the later steps have to hold as well.
HOSTILE: dict[str, tuple[str, Refusal, str]] = {
    "doubling fragments": ("{ node { ...F0 } } " + fragments(30, "@ @"), Refusal.LIMIT, "QUERY_TOO_LARGE"),
    "doubling aliases": (
        "{ node { ...F0 } } " + fragments(16, "a: child { @ } b: child { @ }"),
        Refusal.LIMIT,
        "QUERY_TOO_MANY_ALIASES",
    ),
    "unused doubling": ("{ node { name } } " + fragments(30, "@ @"), Refusal.LIMIT, "QUERY_TOO_LARGE"),
    "20,000 fields": ("{ node { " + "n " * 20_000 + "} }", Refusal.LIMIT, "QUERY_TOO_LONG"),
    "9,000 fields": ("{ node { " + "n " * 9_000 + "} }", Refusal.LIMIT, "QUERY_TOO_MANY_TOKENS"),
    "1,990 equal fields": ("{ node { " + "name " * 1_990 + "} }", Refusal.LIMIT, "QUERY_TOO_COMPLEX"),
    "490 equal objects": ("{ node { " + "child { name } " * 490 + "} }", Refusal.LIMIT, "QUERY_TOO_COMPLEX"),
    "conflicting aliases": (
        "{ node { " + " ".join(f"x{i}: name x{i}: child {{ name }}" for i in range(15)) + "} }",
        Refusal.VALIDATION,
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "180 spreads": (
        "{ node { " + " ".join(f"...F{i}" for i in range(180)) + "} } " + fragments(179, "name"),
        Refusal.LIMIT,
        "QUERY_TOO_COMPLEX",
    ),
    "chain of fragments": (
        "{ node { ...F0 } } " + fragments(150, "child { @ }"),
        Refusal.LIMIT,
        "QUERY_TOO_DEEP",
    ),
    "flat fragment chain": (
        "{ node { ...F0 } } " + fragments(190, "name @"),
        Refusal.LIMIT,
        "QUERY_TOO_COMPLEX",
    ),
    "10,000 braces": ("{" * 10_000, Refusal.SYNTAX, "GRAPHQL_PARSE_FAILED"),
    "10,000 levels": ("{a" * 10_000, Refusal.LIMIT, "QUERY_TOO_DEEP"),
    "180 levels": ("{ node " + "{ child " * 180 + "}" * 181, Refusal.LIMIT, "QUERY_TOO_DEEP"),
    "deep list": ("{ node(text: " + "[" * 10_000, Refusal.LIMIT, "QUERY_TOO_DEEP"),
    "deep object": ("{ node(key: " + "{a:" * 5_000, Refusal.LIMIT, "QUERY_TOO_DEEP"),
    "deep inline fragments": ("{ node " + "{ ... " * 3_000, Refusal.LIMIT, "QUERY_TOO_DEEP"),
    "deep list type": ("query ($v: " + "[" * 10_000, Refusal.LIMIT, "QUERY_TOO_DEEP"),
    "cyclic fragments": (
        "{ node { ...A } } fragment A on Node { ...B } fragment B on Node { child { ...A } }",
        Refusal.VALIDATION,
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "dense cycles": (
        "{ node { " + " ".join(f"...G{i}" for i in range(30)) + " } } "
        + " ".join(
            f"fragment G{i} on Node {{ {' '.join(f'...G{(i + j) % 30}' for j in range(1, 20))} }}"
            for i in range(30)
        ),
        Refusal.LIMIT,
        "QUERY_TOO_LARGE",
    ),
    "self-cycle": ("{ ...A } fragment A on Query { ...A }", Refusal.VALIDATION, "GRAPHQL_VALIDATION_FAILED"),
    "unknown fragment": ("{ ...A }", Refusal.VALIDATION, "GRAPHQL_VALIDATION_FAILED"),
    "1 MB string": ('{ node(text: "' + "x" * 1_000_000 + '") { name } }', Refusal.LIMIT, "QUERY_TOO_LONG"),
    "1 MB comment": ("#" * 1_000_000, Refusal.LIMIT, "QUERY_TOO_LONG"),
    "9,000 comments": ("#\n" * 9_000 + "{ node { name } }", Refusal.LIMIT, "QUERY_TOO_MANY_TOKENS"),
    "10,000 aliases": (
        "{ " + " ".join(f"a{i}: node" for i in range(10_000)) + " }",
        Refusal.LIMIT,
        "QUERY_TOO_LONG",
    ),
    "600 aliases": (
        "{ node { " + " ".join(f"a{i}: name" for i in range(600)) + " } }",
        Refusal.LIMIT,
        "QUERY_TOO_MANY_ALIASES",
    ),
    "200 directives": (
        "{ node { name " + "@skip(if: 1) " * 200 + "} }",
        Refusal.LIMIT,
        "QUERY_TOO_MANY_DIRECTIVES",
    ),
    "240 operations": (
        " ".join("query q { node { nope } }" for _ in range(240)),
        Refusal.VALIDATION,
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "100 operations on 90 fragments": (
        " ".join(f"query q{i} {{ node {{ ...F0 }} }}" for i in range(100)) + fragments(90, "name @"),
        Refusal.LIMIT,
        "QUERY_TOO_COMPLEX",
    ),
    "1,900 unknown fields": (
        "{ node { " + " ".join(f"x{i}" for i in range(1_900)) + "} }",
        Refusal.VALIDATION,
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "600 unknown arguments": (
        "{ node(" + " ".join(f"a{i}: 1" for i in range(600)) + ") { name } }",
        Refusal.VALIDATION,
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "490 unused variables": (
        "query (" + " ".join(f"$v{i}: Int" for i in range(490)) + ") { node { name } }",
        Refusal.VALIDATION,
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "undefined variable in a oneOf": (
        "{ node(key: {id: $v}) { name } }",
        Refusal.VALIDATION,
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "definitions of types": ("type A { b: Int }", Refusal.VALIDATION, "GRAPHQL_VALIDATION_FAILED"),
    "nothing": ("", Refusal.SYNTAX, "GRAPHQL_PARSE_FAILED"),
    "an empty operation": ("{}", Refusal.SYNTAX, "GRAPHQL_PARSE_FAILED"),
    "an empty selection": ("{ node {} }", Refusal.SYNTAX, "GRAPHQL_PARSE_FAILED"),
    "an empty inline fragment": ("{ node { ... {} } }", Refusal.SYNTAX, "GRAPHQL_PARSE_FAILED"),
    "an empty fragment": ("{ node { ...F } } fragment F on Node {}", Refusal.SYNTAX, "GRAPHQL_PARSE_FAILED"),
    "a blank": (" ", Refusal.SYNTAX, "GRAPHQL_PARSE_FAILED"),
    "a NUL": ("{ node\x00 }", Refusal.SYNTAX, "GRAPHQL_PARSE_FAILED"),
    "a lone surrogate": ("{ node \ud800 }", Refusal.SYNTAX, "GRAPHQL_PARSE_FAILED"),
    "deep introspection": (
        "{ __type(name: \"Node\") " + "{ ofType " * 30 + "{ name }" + "}" * 31,
        Refusal.LIMIT,
        "INTROSPECTION_TOO_DEEP",
    ),
    "wide introspection": (
        "{ __schema { types " + "{ fields { type " * 4 + "{ name }" + "} }" * 4 + " } }",
        Refusal.VALIDATION,
        "GRAPHQL_VALIDATION_FAILED",
    ),
}  # fmt: skip


@pytest.fixture
def patient() -> Executor:
    """An executor that reads what is too long for others."""
    return Executor(schema, DocumentLimits(max_tokens=2_000, max_operations=1_000))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused(patient: Executor, name: str) -> None:
    source, refusal, code = HOSTILE[name]
    error = refused(patient, source)
    assert error.refusal is refusal
    assert code in codes(error)
    assert len(error.errors) <= patient.limits.max_errors + 1
    assert len(patient.cache) == 0


def calls_made(action: Callable[[], Any]) -> int:
    """How many functions an action calls: its work, measured without a clock."""
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    previous = sys.getprofile()
    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(previous)
    return calls


@pytest.mark.parametrize("name", HOSTILE)
def test_refusing_takes_bounded_work(patient: Executor, name: str) -> None:
    refused(patient, HOSTILE[name][0])  # what is done once per process is not counted
    assert calls_made(lambda: refused(patient, HOSTILE[name][0])) < 450_000


@pytest.mark.parametrize("name", ["doubling fragments", "unused doubling", "180 levels", "600 aliases"])
def test_a_document_over_the_limits_is_not_validated(
    patient: Executor, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def validate(*_: Any, **__: Any) -> Any:
        raise AssertionError("validated")

    monkeypatch.setattr(reader, "validate", validate)
    assert refused(patient, HOSTILE[name][0]).refusal is Refusal.LIMIT


def test_reading_stops_at_the_first_token_too_many(executor: Executor) -> None:
    few = calls_made(lambda: refused(executor, "{ node { " + "n " * 2_000 + "} }"))
    many = calls_made(lambda: refused(executor, "{ node { " + "n " * 9_000 + "} }"))
    assert many == pytest.approx(few, rel=0.01)


def test_every_reason_is_named_with_its_place(executor: Executor) -> None:
    error = refused(executor, "{ node { nope } other }")
    assert [(e.message.split(" on ")[0], e.locations[0].column if e.locations else 0) for e in error.errors] == [
        ("Cannot query field 'nope'", 10),
        ("Cannot query field 'other'", 17),
    ]


def test_a_recursion_error_is_a_refusal(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    def validate(*_: Any, **__: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(reader, "validate", validate)
    assert codes(refused(executor, "{ node { nope } }")) == {"QUERY_TOO_DEEP"}


@pytest.mark.parametrize(
    "source",
    [
        # Strawberry's own rule looks for the variables of an operation that it has not seen.
        "fragment F on Query { node(key: {id: $v}) { name } } query ($v: Int!) { ...F }",
        "query A($v: Int!) { ...F } fragment F on Query { node(key: {id: $v}) { name } } query B($v: Int!) { ...F }",
    ],
)
def test_a_variable_in_a_one_of_input_is_found_wherever_the_fragment_stands(executor: Executor, source: str) -> None:
    assert executor.prepare(source).operations


def test_a_nullable_variable_in_a_one_of_input_is_refused(executor: Executor) -> None:
    error = refused(executor, "fragment F on Query { node(key: {id: $v}) { name } } query ($v: Int) { ...F }")
    assert "must be non-nullable" in error.errors[0].message


SEVERAL = "query A { node { name } } query B { node { name } }"


def test_the_only_operation_needs_no_name(executor: Executor) -> None:
    assert executor.prepare("query A { node { name } }").select(None).name == "A"
    assert executor.prepare("{ node { name } }").select(None).name is None


def test_one_of_several_operations_is_chosen_by_name(executor: Executor) -> None:
    assert executor.prepare(SEVERAL).select("B").name == "B"


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        (SEVERAL, None, "The document holds several operations; name one of 'A', 'B' in operationName."),
        (SEVERAL, "C", "The document holds no operation named 'C'; operationName must be one of 'A', 'B'."),
        ("{ node { name } }", "C", "The document's only operation has no name; leave operationName 'C' out."),
    ],
)
def test_an_undeterminable_operation_is_refused(
    executor: Executor, source: str, name: str | None, message: str
) -> None:
    with pytest.raises(RequestError) as caught:
        executor.prepare(source).select(name)
    assert caught.value.refusal is Refusal.OPERATION
    assert [error.message for error in caught.value.errors] == [message]


def test_a_document_without_operations_is_refused() -> None:
    executor = Executor(schema)
    whole = executor.prepare("{ node { name } }")
    document = Document("", whole.ast, {}, whole.measured, whole.limits)
    with pytest.raises(RequestError, match="holds no operation; add"):
        document.select(None)


def test_a_document_is_read_once(executor: Executor) -> None:
    assert executor.prepare("{ node { name } }") is executor.prepare("{ node { name } }")
    assert len(executor.cache) == 1


def test_refused_documents_are_not_kept(executor: Executor) -> None:
    for source in ("{", "{ nope }", HOSTILE["180 levels"][0]):
        refused(executor, source)
    assert (len(executor.cache), executor.cache.characters) == (0, 0)


def documents_of_length(executor: Executor, count: int, length: int) -> list[str]:
    return [f"{{ node {{ name }} }} #{i:0{length - 19}}" for i in range(count)]


def test_a_stream_of_new_documents_does_not_grow_the_cache() -> None:
    executor = Executor(schema, cache=DocumentCache(max_entries=10, max_characters=10_000))
    for source in documents_of_length(executor, 50, 100):
        executor.prepare(source)
    assert (len(executor.cache), executor.cache.characters) == (10, 1_000)


def test_long_documents_are_bounded_by_their_characters() -> None:
    executor = Executor(schema, cache=DocumentCache(max_entries=100, max_characters=1_000))
    for source in documents_of_length(executor, 50, 300):
        executor.prepare(source)
    assert (len(executor.cache), executor.cache.characters) == (3, 900)


def test_a_document_longer_than_the_cache_is_not_kept() -> None:
    executor = Executor(schema, cache=DocumentCache(max_characters=50))
    first = executor.prepare("{ node { name } }")
    executor.prepare("{ node { name } } #" + "x" * 50)
    assert executor.cache.get(first.source) is first
    assert len(executor.cache) == 1


def test_a_document_is_kept_when_it_comes_again() -> None:
    executor = Executor(schema, cache=DocumentCache(max_seen=2))
    texts = ["{ node { name } }", "{ a: node { name } }", "{ b: node { name } }"]
    assert not any(executor.prepare(text).is_kept for text in texts)
    assert executor.prepare(texts[1]).is_kept
    assert not executor.prepare(texts[0]).is_kept  # two others came since
    assert executor.prepare(texts[0]).is_kept
    assert len(executor.cache) == 2
    for number in (1, 2):
        executor.prepare(f'{{ node(text: "{number}") {{ name }} }}')
    assert executor.prepare('{ node(text: "3") { name } }').like


def test_the_least_recently_used_document_goes_first() -> None:
    executor = Executor(schema, cache=DocumentCache(max_entries=2))
    kept, dropped, new = documents_of_length(executor, 3, 30)
    executor.prepare(kept)
    executor.prepare(dropped)
    executor.prepare(kept)
    executor.prepare(new)
    assert executor.cache.get(kept)
    assert executor.cache.get(new)
    assert executor.cache.get(dropped) is None


def test_limits_are_those_of_the_executor() -> None:
    assert "QUERY_TOO_DEEP" in codes(refused(Executor(schema, DocumentLimits(max_depth=1)), "{ node { name } }"))


@pytest.mark.parametrize("source", ["{ node { name } }", "#\n" * 10 + "{ node { name } }"], ids=["tokens", "comments"])
def test_a_kept_document_is_judged_as_one_that_is_read(source: str) -> None:
    seen = []
    for most in range(1, 15):
        answers: list[set[str]] = []
        for kept in (True, False):
            executor = Executor(schema)
            if kept:
                executor.prepare(source)
            try:
                executor.prepare(source, DocumentLimits(max_tokens=most))
                answers.append(set())
            except RequestError as error:
                answers.append(codes(error))
        assert answers[0] == answers[1], most
        seen.append(answers[0])
    assert set() in seen
    assert {"QUERY_TOO_MANY_TOKENS"} in seen
