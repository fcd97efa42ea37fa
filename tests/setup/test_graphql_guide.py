"""Every example of docs/graphql.md runs, in its order on a fresh demo, and answers as it says there."""

import json
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

import graphql
import httpx2
import pytest

from execution.documents.limits import DocumentLimits
from schema.schema import schema
from tests.conftest import ROOT, LiveServer, demo_server

GUIDE = (ROOT / "docs" / "graphql.md").read_text(encoding="utf-8")

_block = re.compile(
    r"(?:^<!-- (?P<mark>[a-z ]+) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)\n```$", re.DOTALL | re.MULTILINE
)


class Step(NamedTuple):
    """A GraphQL block, with the JSON blocks below it by their marks."""

    mark: str
    query: str
    below: dict[str, Any]

    @property
    def answer(self) -> Any:
        return self.below.get("answer", self.below.get("answer with errors"))


def read() -> list[Step]:
    steps: list[Step] = []
    for block in _block.finditer(GUIDE):
        if block["language"] == "graphql":
            steps.append(Step(block["mark"] or "", block["text"], {}))
        elif block["language"] == "json":
            assert block["mark"] in {"variables", "answer", "answer with errors"}, block["text"]
            steps[-1].below[block["mark"]] = json.loads(block["text"])
    return steps


STEPS = read()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with demo_server(tmp_path_factory.mktemp("guide")) as server:
        yield server


def test_the_examples_are_found() -> None:
    assert len(STEPS) == GUIDE.count("```graphql\n") >= 12
    assert {step.mark for step in STEPS} == {"", "refused", "ask for the cost"}


def test_every_example_answers_as_the_guide_says(server: LiveServer) -> None:
    # One after another: later ones rest on what earlier ones changed.
    with httpx2.Client(trust_env=False, headers={"X-API-Key": server.api_key}) as client:
        for step in STEPS:
            request: dict[str, Any] = {"query": step.query, "variables": step.below.get("variables", {})}
            if step.mark == "ask for the cost":
                request["extensions"] = {"cost": {"breakdown": True}}
            accept = {"Accept": "application/graphql-response+json"}
            answer = client.post(f"{server.url}/graphql", json=request, headers=accept)
            body = answer.json()
            assert answer.status_code == (400 if step.mark == "refused" else 200), (step.query, body)
            assert ("errors" in body) is (step.mark == "refused" or "answer with errors" in step.below), (
                step.query,
                body,
            )
            if step.mark != "refused":
                assert list(holes(body["data"])) == ([["bad"]] if "bad:" in step.query else []), (step.query, body)
            if step.answer is not None:
                assert list(differences(step.answer, body)) == [], step.query


def holes(value: Any, *path: str) -> Iterator[list[str]]:
    """Where an answer has nothing to show, which would make a poor example."""
    if value is None and path[-1] not in {"before", "after"}:
        yield list(path)
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from holes(member, *path, name)
            if name == "nodes" and not member:
                yield [*path, name]


def differences(said: Any, found: Any, *path: object) -> Iterator[str]:
    """Where an answer is not as it is said; `"..."` stands for anything."""
    if said == "...":
        return
    if isinstance(said, dict) and isinstance(found, dict):
        for name in {**said, **found}:
            yield from differences(said.get(name, "nothing"), found.get(name, "nothing"), *path, name)
    elif isinstance(said, list) and isinstance(found, list):
        for place, (one, other) in enumerate(zip_longest(said, found, fillvalue="nothing")):
            yield from differences(one, other, *path, place)
    elif said != found:
        yield f"{path}: {found!r} instead of {said!r}"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)", GUIDE))))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / "docs" / link).exists()


def test_anchors_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    named = {re.sub(r"\s+", "", anchor) for anchor in re.findall(r"\]\(#([^)]+)\)", GUIDE)}
    assert named <= anchors


def test_the_guide_names_no_code_that_is_none() -> None:
    explained = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")))
    # What is in capitals there is a code, a setting or an enumeration's value.
    named = set(re.findall(r"`((?:QUERY|DOCUMENT|TRUSTED|OPERATION|PERSISTED)_[A-Z_]+)`", GUIDE))
    assert named <= explained


def test_every_field_that_can_be_null_is_explained() -> None:
    table = GUIDE[GUIDE.index("| what | null means |") : GUIDE.index("Texts that are not recorded")]
    told = set(re.findall(r"`(?:\w+\.)?(\w+)`", table))
    types = graphql.build_schema(schema.as_str()).type_map.items()
    nullable = {
        field
        for name, kind in types
        if isinstance(kind, graphql.GraphQLObjectType)
        and not name.startswith("__")
        and name not in ("Query", "Mutation")
        for field, definition in kind.fields.items()
        if not isinstance(definition.type, graphql.GraphQLNonNull)
    }
    assert len(nullable) > 10
    assert nullable - told == set()
    assert "| every root field" in table


def test_the_limits_are_those_that_hold_by_default() -> None:
    table = GUIDE[GUIDE.index("| limit | default |") : GUIDE.index("The **cost** is")]
    said = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", table)}
    limits = DocumentLimits()
    told_elsewhere = {"max_introspection_depth", "max_comparisons", "max_errors"}
    held = {
        name: getattr(limits, name) for name in dir(limits) if name.startswith("max_") and name not in told_elsewhere
    }
    assert {name for name, limit in held.items() if limit not in said} == set()
