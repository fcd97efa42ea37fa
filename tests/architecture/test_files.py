"""What no file of the project may contain: paths of one machine, addresses of one package index."""

from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

NOT_OURS = {"node_modules", "__pycache__", "var", "build", "dist"}
HIDDEN_BUT_OURS = {".ci", ".gitignore", ".gitattributes", ".editorconfig"}

# Put together here, so that this file does not name them itself.
MACHINE_PATHS = ("/" + "work/", "/tmp/" + "work", "/home/" + "user", "../" + "shared")
INDEXES = ("pypi." + "org", "python" + "hosted", "registry." + "npmjs", "npmmirror" + ".com")

PACKAGES = sorted(file.parent.name for file in ROOT.glob("*/__init__.py"))


def files(folder: Path = ROOT) -> Iterator[Path]:
    """The project's own files, as a clone has them."""
    for entry in folder.iterdir():
        if entry.name in NOT_OURS or (entry.name.startswith(".") and entry.name not in HIDDEN_BUT_OURS):
            continue
        if entry.is_dir():
            yield from files(entry)
        else:
            yield entry


def is_licence(file: Path) -> bool:
    """Whether the text is somebody else's, who may name whatever they like."""
    return "licences" in file.parts or file.name.startswith(("LICENSE", "NOTICE"))


@pytest.mark.parametrize("words", [MACHINE_PATHS, INDEXES], ids=["machine paths", "package indexes"])
def test_no_file_names_a_machine_or_an_index(words: tuple[str, ...]) -> None:
    found = []
    seen = 0
    for file in files():
        if is_licence(file):
            continue
        seen += 1
        content = file.read_bytes()
        found += [f"{file.relative_to(ROOT).as_posix()}: {word}" for word in words if word.encode() in content]
    assert seen > 100
    assert found == []


def test_the_locks_hold_versions_and_hashes_and_no_address() -> None:
    for lock in (ROOT / "locks").glob("*.txt"):
        lines = lock.read_text().splitlines()
        assert lines
        assert not [line for line in lines if "://" in line or "--index" in line or "--find-links" in line]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_installed_distribution_has_a_package_of_that_name(package: str) -> None:
    assert packages_distributions().get(package, []) == []
