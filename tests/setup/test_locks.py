"""The lock files hold what pyproject.toml asks for, and nothing that ties them to one machine or index."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = {path.stem: path.read_text() for path in (ROOT / "locks").glob("*.txt")}
ENTRY = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)( ; (?P<marker>.+))?")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OUR_PACKAGES = {"tests", *(file.parent.name for file in ROOT.glob("*/__init__.py"))}


def entries(lock: str) -> dict[str, re.Match[str]]:
    """Return the pinned packages of a lock by name."""
    pins = [line.removesuffix("\\").strip() for line in LOCKS[lock].splitlines() if line[:1].isalnum()]
    return {match["name"]: match for pin in pins if (match := ENTRY.fullmatch(pin))}


def direct_requirements() -> dict[str, list[Requirement]]:
    """Return what pyproject.toml names, by the lock in which it must be found."""
    groups = PROJECT["dependency-groups"]
    run, extras = PROJECT["project"]["dependencies"], PROJECT["project"]["optional-dependencies"]
    traced = [*run, *extras["tracing"]]
    more = [*traced, *extras["parquet"]]
    test = [*more, *groups["test"]]
    named = {"run": run, "tracing": traced, "parquet": more, "test": test, "check": [*test, *groups["check"]]}
    named["tool"] = groups["tool"]
    return {lock: [Requirement(text) for text in texts] for lock, texts in named.items()}


def test_there_is_a_lock_for_every_group() -> None:
    assert LOCKS.keys() == direct_requirements().keys()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_or_a_hash(lock: str) -> None:
    blocks = re.split(r"\n(?=\S)", LOCKS[lock].strip())
    for block in blocks:
        pin, *hashes = (line.removesuffix("\\").strip() for line in block.splitlines())
        assert ENTRY.fullmatch(pin)
        assert hashes, f"{pin} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes)


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_address(lock: str) -> None:
    assert "://" not in LOCKS[lock]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_direct_name_is_pinned_within_its_range(lock: str) -> None:
    pinned = entries(lock)
    for requirement in direct_requirements()[lock]:
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is not in locks/{lock}.txt: run ./certgate lock"
        assert requirement.specifier.contains(pinned[name]["version"]), f"{name}: run ./certgate lock"


def test_each_level_holds_the_one_below() -> None:
    run, tracing, parquet, test, check = (
        {(name, pin["version"]) for name, pin in entries(lock).items()}
        for lock in ("run", "tracing", "parquet", "test", "check")
    )
    assert run < tracing < parquet < test < check


def test_the_environment_is_what_the_lock_says() -> None:
    wanted = {
        name: pin["version"]
        for name, pin in entries("test").items()
        if not pin["marker"] or Marker(pin["marker"]).evaluate()
    }
    assert {name: metadata.version(name) for name in wanted} == wanted


def test_nothing_installed_takes_the_name_of_one_of_our_packages() -> None:
    installed = metadata.packages_distributions()
    taken = {name: installed[name] for name in OUR_PACKAGES & installed.keys()}
    assert not taken
