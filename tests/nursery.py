"""A process that has imported certgate and makes others like itself, each of which goes on as `python WORDS` would.

Two thirds of a second of imports are paid once and not for each of the some hundred processes of a test run. What a
start imports, and what an interpreter makes of its own command line, is not to be seen here: see
`tests/gateway/test_start.py`.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import threading
from typing import Any

# As `serve` does, which would be too late here.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"

IMPORTED = (
    "alembic.autogenerate",
    "db.engine.postgresql",
    "db.engine.sqlite",
    "db.migrate",
    "gateway.app",
    "gateway.contracts",
    "gateway.demo",
    "gateway.explained",
    "gateway.http_protocol",
    "gateway.server",
    "gateway.storage",
    "uvloop",
)


def main(home: socket.socket) -> None:
    """Returns in the processes that were asked for, which have become what they were asked for; and at the end."""
    for name in IMPORTED:
        importlib.import_module(name)
    assert threading.active_count() == 1, "threads are not there after a fork"
    gc.collect()
    gc.freeze()
    # Keepers come and go; nobody waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        _, handles, _, _ = socket.recv_fds(home, 1, 4)
        if not handles:
            return
        if os.fork() == 0:
            home.close()
            keep(socket.socket(fileno=handles[0]), *handles[1:])
            return
        for handle in handles:
            os.close(handle)


def keep(caller: socket.socket, *standard: int) -> None:
    """Makes the process that is asked for and tells the caller its number, then how it ended. Returns in it alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with caller.makefile("rw", encoding="utf-8") as line:
        request = json.loads(line.readline())
        process = os.fork()
        if process:
            for handle in standard:
                os.close(handle)
            print(process, file=line, flush=True)
            print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), file=line, flush=True)
            os._exit(0)
    caller.close()
    become(request, standard)


def become(request: dict[str, Any], standard: tuple[int, ...]) -> None:
    """Is from now on the process of that command line, environment, input and output."""
    os.chdir(request["folder"])
    os.umask(request["mask"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, handle in enumerate(standard):
        os.dup2(handle, number)
        os.close(handle)
    kind, what, *words = request["words"]
    sys.argv = [what, *words]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
