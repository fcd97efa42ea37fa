"""A test run that is killed leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.conftest import ROOT
from tests.sweeper import MARK

RUN = """
import os, subprocess, sys, time
from tests import postgresql, sweeper

sweeper.watch()
with postgresql.server() as uri:
    child = subprocess.Popen(["sleep", "1000"], env={sweeper.MARK: os.environ[sweeper.MARK]})
    print(os.environ[sweeper.MARK], uri, flush=True)
    time.sleep(1000)
"""


def started_by(run: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == run:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_servers_end_with_a_run_that_is_killed() -> None:
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    command = [sys.executable, "-W", "ignore", "-c", RUN]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        run, uri = process.stdout.readline().split()
        folder = Path(uri.partition("host=")[2])
        was_there = folder.exists()
        names = {found.name() for found in started_by(run)}
        process.send_signal(signal.SIGKILL)
    assert was_there
    assert names > {"postgres", "sleep"}
    deadline = time.monotonic() + 30
    while started_by(run) or folder.exists():
        assert time.monotonic() < deadline, started_by(run)
        time.sleep(0.05)
