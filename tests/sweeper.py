"""What a test run started ends with it, however it ends: by itself, by Ctrl+C or by SIGKILL.

PostgreSQL servers are daemons and know nothing of the run. So every process that a run starts inherits its mark, and a
process beside the run ends whatever has the mark once the run is gone.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from uuid import uuid4

import psutil

# Not CERTGATE_...: tests take those away from the programs that they start.
MARK = "TEST_RUN_OF_CERTGATE"

MEMORY = Path("/dev/shm")
"""A folder in memory, where Linux has one."""

ROOM = 2 * 2**30
"""What a run needs there, with some to spare."""

_kept: list[subprocess.Popen[bytes]] = []


def watch() -> None:
    """Marks this process as a run and starts who sweeps behind it, unless it belongs to one (a worker of xdist)."""
    if MARK in os.environ:
        return
    os.environ[MARK] = uuid4().hex
    read, write = os.pipe()
    # The end to write stays open in this process alone, for as long as it lives. A session of its own: whoever stops
    # the run with Ctrl+C does not stop the sweeper.
    with os.fdopen(read, "rb") as alive:
        quiet = subprocess.DEVNULL
        sweeper = subprocess.Popen(
            [sys.executable, __file__], stdin=alive, stdout=quiet, stderr=quiet, cwd="/", start_new_session=True
        )
    os.set_inheritable(write, False)
    # It outlives this process on purpose, of which Python would warn at the end.
    warnings.filterwarnings("ignore", f"subprocess {sweeper.pid} is still running", ResourceWarning)
    _kept.append(sweeper)


def keep_files_in_memory() -> None:
    """Puts temporary files where no commit waits for a disk: no test cuts the power. TMPDIR, if set, decides."""
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it was asked for already


def folder(purpose: str) -> str:
    """A new folder that goes with the run, at a short path."""
    return tempfile.mkdtemp(prefix=f"certgate-{purpose}-{os.environ[MARK][:8]}-")


def _sweep(run: str) -> None:
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == run:
                process.kill()
        except psutil.Error:  # gone, or somebody else's
            continue
    for left in Path(tempfile.gettempdir()).glob(f"certgate-*-{run[:8]}-*"):
        shutil.rmtree(left, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    _sweep(os.environ[MARK])
