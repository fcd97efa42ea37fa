"""Asking: a closed loop of keep-alive connections that send prepared requests for some seconds."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

WRK_SCRIPT = Path(__file__).with_name("wrk.lua")


class LoadError(Exception):
    """The load could not be made; the text is one sentence."""


class Load(NamedTuple):
    """What came of it; times in seconds. `asked` counts what was sent, answered or not."""

    requests: int
    seconds: float
    bytes: int
    errors: int
    p50: float
    p99: float
    asked: int


def has_wrk() -> bool:
    """Whether the load comes from wrk."""
    return shutil.which("wrk") is not None


def write_requests(file: Path, requests: Iterable[bytes]) -> None:
    """Writes requests as both generators read them."""
    with file.open("wb") as out:
        for request in requests:
            out.write(b"%d\n%s" % (len(request), request))


def fire(port: int, file: Path, seconds: float, connections: int, *, wrk: bool) -> Load:
    """Sends the requests of a file in turn. Raises `LoadError`."""
    if wrk:
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
        command += ["-s", str(WRK_SCRIPT), f"http://127.0.0.1:{port}", "--", str(file)]
    else:
        command = [sys.executable, "-m", "bench.generator", "127.0.0.1", str(port), str(file)]
        command += [str(seconds), str(connections)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        raise LoadError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return Load(**json.loads(done.stdout.splitlines()[-1]))
