"""`docs/errors.md` explains every code and every type of violation that the program can produce, and no other."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

from domain import account, commands, importing
from domain.account import CreateApiKey
from domain.errors import InvalidInput
from domain.problem import KINDS
from domain.validation import Command
from files.columns.refusing import WORDS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")

COMMANDS = [
    kind
    for module in (commands, account, importing)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Command)
]


def explained(heading: str) -> set[str]:
    """The names in the first column of the tables, and in the lists, below a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith(("| `", "- `"))]
    firsts = [row.split(" | ")[0] if row.startswith("|") else row for row in rows]
    return {name for first in firsts for name in re.findall(r"`(\w+)`", first)}


def calls(*folders: str) -> Iterator[ast.Call]:
    """Every call in the program's source."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield from (node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call))


def texts(node: ast.AST) -> set[str]:
    """The texts that an argument may be."""
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


PLACE = {"Violation": 2, "refuse": 2, "PydanticCustomError": 0, "PydanticKnownError": 0}
"""What makes a violation -> at which place its type is given."""


def said_types() -> set[str]:
    """The types that the source names."""
    found = set()
    for call in calls("domain", "resolvers", "files", "schema", "rest_compat"):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in PLACE and len(call.args) > PLACE[name]:
            found |= texts(call.args[PLACE[name]])
    return found


def pydantics_types(schema: Any, *, prepared: bool = False) -> Iterator[str]:
    """The types with which pydantic refuses what does not fit the schema; `prepared` by a function of ours before."""
    if isinstance(schema, list):
        for item in schema:
            yield from pydantics_types(item)
    if not isinstance(schema, dict):
        return
    kind = str(schema.get("type"))
    if not prepared:
        yield from {
            "str": ["string_type"],
            "list": ["list_type"],
            "dict": ["dict_type"],
            "enum": ["enum"],
            "model-field": [] if schema.get("schema", {}).get("type") == "default" else ["missing"],
        }.get(kind, [])
    limits = {
        ("str", "min_length"): "string_too_short",
        ("str", "max_length"): "string_too_long",
        ("str", "pattern"): "string_pattern_mismatch",
        ("list", "max_length"): "too_long",
        ("int", "ge"): "greater_than_equal",
        ("int", "le"): "less_than_equal",
    }
    yield from (violation for (of, limit), violation in limits.items() if of == kind and limit in schema)
    for name, item in schema.items():
        if name != "metadata":
            yield from pydantics_types(item, prepared=kind == "function-before")


MOMENTS = ["", 1, "2030-01-01", "2030-01-01T25:00Z", "2030-01-01Tx", "2030-01-01T00:00:00", "2030-13-01T00:00Z"]


def types_of_moments() -> Iterator[str]:
    for value in MOMENTS:
        with pytest.raises(InvalidInput) as refused:
            CreateApiKey.parse({"organization_id": "2" * 22, "name": "x", "expires_at": value})
        yield from (violation.type for violation in refused.value.violations)


def test_every_type_of_a_violation_is_explained_and_no_other() -> None:
    found = said_types() | set(types_of_moments())
    for command in COMMANDS:
        command.model_rebuild()
        found |= set(pydantics_types(command.__pydantic_core_schema__))
    assert {"string_too_long", "missing", "date_order", "too_deep"} <= found
    assert found == explained("Violations")


def test_every_code_of_a_refused_row_is_explained_and_no_other() -> None:
    assert set(WORDS) - explained("Violations") - KINDS.keys() == explained("Rows of files")


def test_every_code_of_a_problem_is_explained_with_its_status_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d+) \| (yes|no) \|", PAGE, re.MULTILINE)
    assert {(code, int(status), retryable == "yes") for code, status, retryable in rows} == {
        (code, kind.status, kind.retryable) for code, kind in KINDS.items()
    }


def test_every_code_of_graphqls_own_is_explained_and_no_other() -> None:
    sources = [file.read_text("utf-8") for folder in ("execution", "schema") for file in (ROOT / folder).rglob("*.py")]
    codes = {code for source in sources for code in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', source)}
    assert "QUERY_TOO_COSTLY" in codes
    assert codes == explained("What GraphQL refuses by itself")
