"""certgate in processes of its own, as somebody's terminal starts it."""

import atexit
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO

from tests import sweeper

ROOT = Path(__file__).parent.parent

PATIENCE = 60
"""Seconds that a process has to come to its end."""


@cache
def _imports() -> str:
    return sweeper.folder("imports")


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with those settings of certgate and no others.

    Imports have a folder of the run, for that of the checkout may hold those of a demo.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("CERTGATE_")}
    return {**own, "CERTGATE_IMPORT_FOLDER": _imports(), **settings}


@cache
def _nursery() -> socket.socket:
    """The way to a nursery, which ends with this process."""
    here, there = socket.socketpair()
    with there:
        handle = there.fileno()
        command = [sys.executable, "-m", "tests.nursery", str(handle)]
        nursery = subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, pass_fds=[handle])

    def end() -> None:
        here.close()
        nursery.wait()

    atexit.register(end)
    return here


class Process:
    """A process that was started with its input and output in pipes and its complaints in a file."""

    def __init__(self, words: tuple[str, ...], settings: dict[str, str]) -> None:
        self._caller, there = socket.socketpair()
        its_input, ours = os.pipe()
        self.input: IO[str] = os.fdopen(ours, "w", encoding="utf-8")
        ours, its_output = os.pipe()
        self.output: IO[str] = os.fdopen(ours, encoding="utf-8")
        self._complaints: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        with there:
            handles = [there.fileno(), its_input, its_output, self._complaints.fileno()]
            socket.send_fds(_nursery(), [b"."], handles)
        os.close(its_input)
        os.close(its_output)
        self._line = self._caller.makefile("rw", encoding="utf-8")
        mask = os.umask(0)
        os.umask(mask)
        request = {"words": words, "environment": environment(**settings), "folder": str(ROOT), "mask": mask}
        print(json.dumps(request), file=self._line, flush=True)
        self.pid = int(self._line.readline())
        self.code: int | None = None
        """What it ended with: minus the number of the signal that ended it."""

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal, unless it has ended."""
        if self.code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self) -> int:
        """Waits for its end; its code."""
        if self.code is None:
            self._caller.settimeout(PATIENCE)
            self.code = int(self._line.readline())
        return self.code

    def stop(self) -> int:
        """Tells it to stop and waits for its end; its code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def complaints(self) -> str:
        """What it wrote to standard error."""
        # Not by `seek`: where it writes next is shared with it.
        file = self._complaints.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode()

    def close(self) -> None:
        """Lets go of what it reads and wrote."""
        for each in (self._line, self._caller, self.input, self.output, self._complaints):
            each.close()


@contextmanager
def started(*words: str, **settings: str) -> Iterator[Process]:
    """`python WORDS`, beginning with `-m` or `-c`; told to stop at the end of the block, and waited for."""
    process = Process(words, settings)
    try:
        yield process
    finally:
        try:
            process.stop()
        finally:
            process.close()


def ran(*words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Runs `python WORDS` to its end."""
    process = Process(words, settings)
    try:
        said = process.output.read()
        return subprocess.CompletedProcess(words, process.wait(), said, process.complaints())
    finally:
        process.close()


PROGRESS = re.compile(r"certgate: (?:.+, [\d,]+ of [\d,]+ rows|.+ verified|the tables \(.+\))\n")
"""What a command that takes long says every ten seconds."""


def certgate(*words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Runs a command to its end. How far it was meanwhile is left out of what it says: the machine may be slow."""
    done = ran("-m", "gateway", *words, **settings)
    done.stderr = PROGRESS.sub("", done.stderr)
    return done


def succeeded(*words: str, **settings: str) -> str:
    """What a command prints that has nothing to complain about."""
    done = certgate(*words, **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@contextmanager
def running(*words: str, until: str, **settings: str) -> Iterator[tuple[Process, str]]:
    """A server that has printed `until`, with all that it printed so far."""
    with started("-m", "gateway", *words, **settings) as process:
        printed = ""
        for line in process.output:
            printed += line
            if until in line:
                break
        else:
            raise AssertionError(f"It ended before it answered: {printed}{process.complaints()}")
        yield process, printed


@contextmanager
def serving(url: str, **settings: str) -> Iterator[tuple[Process, str]]:
    """A server of the database at that URL, and its address; with one worker, unless the settings say otherwise."""
    settings = {"CERTGATE_WORKERS": "1", "CERTGATE_DATABASE_URL": url} | settings
    with running("serve", "--port", "0", until="answers on", **settings) as (process, said):
        (address,) = re.findall(r"http://\S+(?=;)", said)
        yield process, address


@cache
def _demo() -> Path:
    folder = sweeper.folder("demo")
    file = Path(folder) / "demo.db"
    atexit.register(shutil.rmtree, folder)
    for words in (("migrate",), ("seed", "demo")):
        succeeded(*words, CERTGATE_DATABASE_URL=f"sqlite:///{file}")
    return file


def demo_database(folder: Path) -> str:
    """The URL of the SQLite file in that folder; made with the catalogue and the demo products if it is not there."""
    file = folder / "demo.db"
    if not file.exists():
        shutil.copy(_demo(), file)
    return f"sqlite:///{file}"
