"""Node projects of the tests: installed from their lock file once, for all runs and tests of this machine."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

PACKAGE = ("package.json", "package-lock.json", ".npmrc")


def missing(reason: str) -> NoReturn:
    """Skips the test and says why; fails it where Node.js was promised (CERTGATE_TEST_NODE=required)."""
    if os.environ.get("CERTGATE_TEST_NODE") == "required":
        pytest.fail(reason)
    print(reason)
    pytest.skip(reason)


def installed(project: Path) -> Path:
    """The `node_modules` of a project, made once for each version of its package files."""
    if not (shutil.which("node") and shutil.which("npm")):
        missing("This test needs node and npm on the path; on Debian: apt-get install npm")
    version = hashlib.sha256(b"".join((project / name).read_bytes() for name in PACKAGE)).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "certgate-tests"
    folder = cache / f"{project.name}-{version}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Tests run in several processes: one installs, the others wait for it.
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                _install(project, folder)
    return folder / "node_modules"


def _install(project: Path, folder: Path) -> None:
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name in PACKAGE:
        shutil.copy(project / name, unfinished)
    npm = ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    done = subprocess.run(npm, cwd=unfinished, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(unfinished)
        missing(f"npm could not install what {project.name} needs: {done.stderr[-500:]}")
    unfinished.rename(folder)


def workplace(project: Path, folder: Path) -> Path:
    """A copy of the project in a folder that a test may write to, with what it needs at hand."""
    modules = installed(project)
    copy = folder / project.name
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", "*.py")
    shutil.copytree(project, copy, ignore=ignored)
    (copy / "node_modules").symlink_to(modules)
    return copy


def run(folder: Path, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program of the project, such as `eslint`, or `node` itself, in its folder, and waits for its end."""
    program = shutil.which(command[0], path=f"{folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}")
    assert program, command[0]
    return subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
