"""What each package may import, read from the syntax trees; `docs/decisions/0070-one-way.md` says why.

Quick on purpose: nothing of the application is imported here, so that `./certgate check` can run it every time.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

OURS = {
    "domain": set(),
    "db": {"domain"},
    "resolvers": {"domain", "db"},
    "execution": set(),
    "schema": {"domain", "resolvers", "execution"},
    "files": {"domain", "resolvers"},
    "rest_compat": {"domain", "resolvers", "files"},
    "workbench": {"domain", "resolvers"},
    "gateway": {"domain", "db", "resolvers", "execution", "schema", "files", "rest_compat", "workbench"},
    "bench": {"domain", "db", "resolvers", "execution", "schema", "files", "rest_compat", "gateway"},
    "tests": {
        *("domain", "db", "resolvers", "execution", "schema", "files", "rest_compat", "workbench", "gateway", "bench"),
    },
}
"""Package -> those of ours that it may import beside itself. Nobody imports the tests, and only they the gateway."""

LIBRARIES = {
    "domain": {"pydantic", "pydantic_core", "msgspec", "shortuuid", "iso3166"},
    "db": {"sqlalchemy", "alembic", "asyncpg", "aiosqlite", "msgspec"},
    "resolvers": {"msgspec"},
    "execution": {"graphql", "strawberry", "msgspec"},
    "schema": {"strawberry", "graphql", "msgspec"},
    "files": {"duckdb", "msgspec", "openpyxl", "xlsxwriter"},
    "rest_compat": {"starlette", "msgspec"},
    "workbench": {"starlette", "jinja2", "markupsafe", "msgspec"},
}
"""Package -> the libraries that it may import. What is missing here may import all that is declared."""

EXCEPTIONS = {"schema/http.py": {"starlette"}}

PURE = {"asyncio", "logging", "pathlib", "socket", "sqlite3", "ssl", "subprocess", "threading", "time", "urllib"}
"""Of the standard library, what a pure rule has no use for."""

LAYERS = tuple(LIBRARIES)

ROOMS: dict[str, set[str]] = {
    "execution.plan": set(),
    "execution.documents": {"execution.plan"},
    "execution.run": {"execution.plan", "execution.documents"},
}
"""Room -> the others of its package that it may import."""

UNDECLARED = (
    {
        f"resolvers.{step}": "a step inside the write transaction of operations that declare WRITE"
        for step in (
            "products.owned_product",
            "assignments.assigned",
            "assignments.patched",
            "assignments.removed",
            "assignments.held",
        )
    }
    | {
        f"resolvers.{step}": "a step of operations that declare READ"
        for step in ("assignments.of_product", "assignments.one_of_product")
    }
    | {
        f"resolvers.importing.{step}": "of the rows of files, each batch of which asks for WRITE"
        for step in ("definitions_of", "put")
    }
)
"""Functions on a `Context` that are no operations, and why."""


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes(), str(file))


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules that are imported anywhere in a module, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            # `from resolvers import keys` imports a module too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offences(package: str) -> list[str]:
    found = []
    for file in modules(package):
        name = file.relative_to(ROOT).as_posix()
        libraries = LIBRARIES.get(package)
        for module in imported(parsed(file)):
            top = module.partition(".")[0]
            if top in OURS:
                allowed = top == package or top in OURS[package]
            elif top in sys.stdlib_module_names:
                allowed = package != "domain" or top not in PURE
            else:
                allowed = libraries is None or top in libraries | EXCEPTIONS.get(name, set())
            if not allowed:
                found.append(f"{name} imports {module}")
    return found


@pytest.mark.parametrize("package", OURS)
def test_a_package_imports_what_its_layer_may(package: str) -> None:
    assert offences(package) == []


def imports_among_ours() -> dict[str, set[str]]:
    """Module -> the modules of ours that it imports, whether for types only or inside a function."""
    files = {
        file.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): file
        for package in OURS
        for file in modules(package)
    }

    def module_of(name: str) -> str:
        while name and name not in files:
            name = name.rpartition(".")[0]
        return name

    return {
        module: {module_of(name) for name in imported(parsed(file))} - {"", module} for module, file in files.items()
    }


def test_no_module_imports_itself_by_way_of_others() -> None:
    # What imports nothing and what nobody imports is in no circle: it is taken away until nothing changes.
    left = imports_among_ours()
    while ends := left.keys() - set().union(*left.values()) | {module for module in left if not left[module]}:
        left = {module: imports - ends for module, imports in left.items() if module not in ends}
    assert left == {}


def test_a_room_imports_only_those_before_it() -> None:
    for module, imports in imports_among_ours().items():
        room = module.rpartition(".")[0]
        if room in ROOMS:
            others = {name.rpartition(".")[0] for name in imports} & ROOMS.keys()
            assert others <= ROOMS[room] | {room}, module


def test_the_table_is_about_packages_that_are_there() -> None:
    assert OURS.keys() == {"tests", *(file.parent.name for file in ROOT.glob("*/__init__.py"))}
    for package in LAYERS:
        assert len(modules(package)) > 3, package
    for file in EXCEPTIONS:
        assert (ROOT / file).is_file()


def test_no_face_offers_what_the_operator_does() -> None:
    # They judge nobody: whoever can call them owns the database, or has a browser that signs in.
    callers = {
        file.relative_to(ROOT).parts[0]
        for package in LAYERS
        for file in modules(package)
        if any(module.startswith(("resolvers.keys", "resolvers.sessions")) for module in imported(parsed(file)))
    }
    assert callers == set()


@pytest.mark.parametrize("package", ["domain", "execution"])
def test_time_comes_in_as_an_argument(package: str) -> None:
    for file in modules(package):
        called = {
            node.func.attr
            for node in ast.walk(parsed(file))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert not called & {"now", "today", "utcnow"}, file


Function = tuple[str, ast.AsyncFunctionDef]


def functions_on_a_context() -> list[Function]:
    """The public asynchronous functions of the resolvers whose first parameter is `context: Context`."""
    return [
        (f"resolvers.{file.stem}.{node.name}", node)
        for file in modules("resolvers")
        for node in parsed(file).body
        if isinstance(node, ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and node.args.args
        and node.args.args[0].annotation is not None
        and ast.unparse(node.args.args[0].annotation) == "Context"
    ]


def declared(function: ast.AsyncFunctionDef) -> set[str]:
    """How its decorators declare it: as a `read_operation` or a `write_operation`."""
    return {ast.unparse(decorator) for decorator in function.decorator_list} & {
        "read_operation",
        "write_operation",
    }


def test_every_operation_declares_one_permission() -> None:
    found = functions_on_a_context()
    assert len(found) > 5
    undeclared = {name for name, function in found if len(declared(function)) != 1}
    assert undeclared == UNDECLARED.keys(), "each is declared as an operation, or UNDECLARED says why not"


def test_what_takes_part_in_a_transaction_declares_that_it_writes() -> None:
    writers = {
        name: declared(function)
        for name, function in functions_on_a_context()
        if any(ast.unparse(argument.annotation or argument) == "Transaction" for argument in function.args.args)
    }
    assert "resolvers.claims.assign_claim" in writers
    assert all(writers[name] == {"write_operation"} for name in writers.keys() - UNDECLARED.keys()), writers


def test_no_operation_opens_a_transaction_of_its_own() -> None:
    # Only the decorator does, after it has asked for the permission.
    openers = [
        name
        for name, function in functions_on_a_context()
        if any(isinstance(node, ast.Attribute) and node.attr == "write" for node in ast.walk(function))
    ]
    assert openers == []


def test_a_class_name_means_one_thing() -> None:
    found: dict[str, list[str]] = {}
    for package in (*LAYERS, "gateway"):
        for file in modules(package):
            for node in ast.walk(parsed(file)):
                if isinstance(node, ast.ClassDef):
                    found.setdefault(node.name, []).append(file.relative_to(ROOT).as_posix())
    assert {name: files for name, files in found.items() if len(files) > 1} == {}


def test_below_the_faces_nothing_speaks_of_options_of_the_command_line() -> None:
    found = []
    for package in LAYERS:
        for file in modules(package):
            tree = parsed(file)
            told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            found += [
                (file.relative_to(ROOT).as_posix(), node.value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
                # Whole commands stand within backquotes, also those with a value between.
                if re.search("(^|[ (])--[a-z]", re.sub("`[^`]*(`|$)", "", node.value))
            ]
    assert found == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        file.relative_to(ROOT).as_posix()
        for package in (*LAYERS, "gateway")
        for file in modules(package)
        if not ast.get_docstring(parsed(file))
    ]
    assert silent == []
