"""What the house takes of libraries that they do not promise to keep: each part in one file, of a bounded version, and
still there.

Where a test fails after an update, the library that it names has changed: read the file again, then raise its bound in
`pyproject.toml`.
"""

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = {"_replace", "_asdict", "_fields", "_value_", "_enter_task", "_leave_task"}
"""Underscored, so that they are in nobody's way, and public all the same. The last two are for those who run coroutines
as tasks themselves (https://docs.python.org/3/library/asyncio-extending.html).
"""


class Part(NamedTuple):
    """Names of a module, or of a class in it, and the one file of ours that uses them."""

    file: str
    owner: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return self.owner


Used = dict[str, set[tuple[str, bool]]]
"""File -> the attributes, imported names and modules in it, and whether they are somebody else's: not of `self`."""

PARTS = {
    "asyncpg": [
        Part(
            "db/engine/lender.py",
            "asyncpg:Connection",
            ("_check_open", "_execute", "_protocol", "_query_loggers", "_stmt_cache"),
        ),
        Part("db/engine/lender.py", "asyncpg.protocol.protocol:BaseProtocol", ("bind_execute",)),
    ],
    "aiosqlite": [Part("db/engine/sqlite.py", "aiosqlite:Connection", ("_thread",))],
    "sqlalchemy": [
        Part(
            "db/sql/compiled.py",
            "sqlalchemy.sql.compiler:SQLCompiler",
            ("bind_names", "get_from_hint_text", "positiontup", "post_compile_params"),
        ),
        Part("db/sql/compiled.py", "sqlalchemy:BindParameter", ("effective_value",)),
    ],
    "valkey": [
        Part("gateway/limits/redis.py", "valkey.asyncio:Connection", ("read_response", "send_packed_command")),
        Part("gateway/limits/redis.py", "valkey.asyncio:ConnectionPool", ("make_connection",)),
    ],
    "strawberry-graphql": [
        Part("execution/plan/planner.py", "strawberry:Schema", ("_schema",)),
        Part(
            "execution/plan/planner.py",
            "strawberry.schema.schema_converter:GraphQLCoreConverter",
            ("_get_field_exception_handlers",),
        ),
        Part("execution/run/rows.py", "strawberry:Info", ("_raw_info",)),
        Part("execution/run/run.py", "strawberry.schema.schema", ("_OperationContextAwareGraphQLResolveInfo",)),
    ],
    "graphql-core": [
        Part("execution/documents/rules.py", "graphql:ValidationContext", ("_hide_suggestions",)),
    ],
}
"""Library -> its parts."""

ALL = [(library, part) for library, parts in PARTS.items() for part in parts]


def names_used(file: Path) -> Iterator[tuple[str, bool]]:
    """What `Used` says of a file."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Attribute):
            yield node.attr, not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            yield from ((name, True) for name in (node.module, *(alias.name for alias in node.names)))
        elif isinstance(node, ast.Import):
            yield from ((alias.name, True) for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, False


@pytest.fixture(scope="module")
def used() -> Used:
    """File -> the names that it uses."""
    files = [file for package in ROOT.glob("*/__init__.py") for file in package.parent.rglob("*.py")]
    return {file.relative_to(ROOT).as_posix(): set(names_used(file)) for file in files}


def is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.endswith("__") for part in name.split(".")) and name not in DOCUMENTED


def test_no_other_private_part_is_used(used: Used) -> None:
    known = {name for _, part in ALL for name in (*part.names, part.owner)}
    found = {
        f"{file}: {name}" for file, names in used.items() for name, foreign in names if foreign and is_private(name)
    }
    assert {line for line in found if line.rpartition(" ")[2] not in known} == set()


@pytest.mark.parametrize(("library", "part"), ALL, ids=str)
def test_a_private_part_is_used_in_one_file(library: str, part: Part, used: Used) -> None:
    for name in part.names:
        assert {(name, True), (name, False)} & used[part.file], f"{part.file} does without {name} of {library} now."
        # On `self` it may be one of ours that has the same name.
        assert {file for file, names in used.items() if (name, True) in names} <= {part.file}, name


@pytest.mark.parametrize("library", PARTS)
def test_a_library_with_private_parts_is_bounded_to_a_minor_version(library: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (wanted,) = (line for line in project["dependencies"] if re.match(rf"{library}\b", line))
    bounds = re.fullmatch(r"[\w\[\]-]+>=(\d+)\.(\d+)[.\d]*,<(\d+)\.(\d+)", wanted)
    assert bounds is not None, wanted
    major, minor, *end = map(int, bounds.groups())
    assert end == [major, minor + 1]


@pytest.mark.parametrize(("library", "part"), ALL, ids=str)
def test_a_library_still_has_its_private_parts(library: str, part: Part) -> None:
    module, _, name = part.owner.partition(":")
    owner = import_module(module)
    owner = getattr(owner, name) if name else owner
    gone = [each for each in part.names if not has(owner, each)]
    assert gone == [], f"{library} {version(library)} has changed: {part.file} needs it."


def has(owner: object, name: str) -> bool:
    """Whether an object has something of that name, or a class whose objects have it."""
    if hasattr(owner, name) or not isinstance(owner, type):
        return hasattr(owner, name)
    return any(
        name in inspect.get_annotations(base) or f"self.{name} = " in inspect.getsource(base)
        for base in owner.__mro__
        if base is not object
    )
