"""Several processes that answer on one port: started, looked after, replaced, reloaded and stopped together.

One process supervises and answers nothing itself. It has imported the application, so that all have in common what was
imported, and forks a worker for each socket of the port (see `gateway.server.spread`). The first worker starts alone:
what is wrong is said once, and the server ends with its exit code. The sockets are the supervisor's, too: what has come
for a worker that dies waits for its successor.

A worker says over a pipe that it answers, and every few seconds that it still does. Another pipe ends when the
supervisor does: then the worker stops, too.
"""

import gc
import logging
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import NamedTuple

from gateway.failures import Failure
from gateway.settings import Settings

BEAT_SECONDS = 5
"""How often a worker says that it answers."""
SILENCE_SECONDS = 30
"""After so long without a word a worker is killed and replaced: its event loop does not turn any more."""
PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before a worker is replaced, by how many in a row have ended before they answered."""
GIVE_UP = 10
"""So many in a row end the server, where no other worker answers."""
_STOP_SECONDS = 10
"""What workers have to stop beyond the time for requests under way."""

log = logging.getLogger("certgate.workers")


class Worker(NamedTuple):
    """What a worker is given."""

    number: int
    listener: socket.socket
    says: int
    """The pipe over which it says that it answers."""
    life: int
    """The pipe that ends with the supervisor."""

    async def beat(self) -> None:
        """Says that it answers."""
        # It learns from the other pipe that nobody reads this any more.
        with suppress(OSError):
            os.write(self.says, b".")


class Handover(NamedTuple):
    """What a supervisor leaves to the program that takes its place in the same process: open files and children."""

    listeners: list[int]
    life: int
    workers: list[int]

    def written(self) -> str:
        """As it stands on a command line."""
        return ":".join(",".join(map(str, each)) for each in (self.listeners, [self.life], self.workers))

    @classmethod
    def read(cls, text: str) -> "Handover":
        """What was written."""
        listeners, (life,), workers = ([int(each) for each in part.split(",") if each] for part in text.split(":"))
        return cls(listeners, life, workers)


def number_of_workers(settings: Settings) -> int:
    """How many there are to be. Raises `Failure` where there cannot be several."""
    if sys.platform == "win32":
        if settings.workers > 1:
            raise Failure("Several workers need a system that forks processes, which Windows does not: leave them out.")
        return 1
    if settings.workers or settings.database_url.startswith("sqlite"):
        return settings.workers or 1
    return max(1, min(_cores(), settings.database_connections // 5))


def _cores() -> int:
    """The cores that this process may use; a container may have a share of the machine's."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        cores = min(cores, max(1, int(quota) // int(period)))
    return cores


class _Seat:
    """A socket, and one worker after the other that answers on it."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.process = 0
        """0 while there is none."""
        self.answers = False
        self.hears = -1
        self.heard = 0.0
        self.not_before = 0.0
        self.failures = 0
        """How many in a row have ended before they answered."""

    def listen(self) -> bool:
        """Takes note of what the worker says; whether it said anything, and has not ended."""
        with suppress(BlockingIOError):
            if os.read(self.hears, 4096):
                self.answers = True
                self.heard = monotonic()
        return self.answers


class Supervisor:
    """Looks after the workers.

    `command` takes its place when it is reloaded; before that, `rehearsal` has to show that it would start. `before` is
    what the program before it has left.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        *,
        stop_seconds: float,
        command: Callable[[Handover], list[str]],
        rehearsal: list[str],
        before: Handover | None = None,
    ) -> None:
        self._seats = [_Seat(listener) for listener in listeners]
        self._stop_seconds = stop_seconds + _STOP_SECONDS
        self._command = command
        self._rehearsal = rehearsal
        self._rehearsing: subprocess.Popen[bytes] | None = None
        self._former = set(before.workers) if before else set[int]()
        """Workers of the program before, which answer until all of this one do."""
        self._former_life = before.life if before else -1
        self._life, self._alive = os.pipe()
        self._answered = False
        """Whether a worker has ever answered."""
        self._failures = 0
        """How many in a row have ended before they answered, while none answered."""
        self._is_told_to_stop = False
        self._is_told_to_reload = False
        self._has_terminal = os.isatty(0)

    def run(self, started: Callable[[], None]) -> Worker:
        """Returns in each worker; `started` is called once, in the supervisor, when the first one answers.

        The supervisor ends with `SystemExit`: when it is told to, or when no worker comes to answer.
        """
        # What was imported stays, and pages that nobody writes to are there once for all workers.
        gc.freeze()
        with self._signals() as awake:
            worker = self._supervise(awake, started)
        if worker is None:
            raise SystemExit(0)
        # Who closes a terminal, or asks for a reload, tells the supervisor as well.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.close(self._alive)
        if self._former_life >= 0:
            os.close(self._former_life)
        for seat in self._seats:
            if seat.listener is not worker.listener:
                seat.listener.close()
        return worker

    def _supervise(self, awake: int, started: Callable[[], None]) -> Worker | None:
        """What a worker is given, in it; None once all have stopped."""
        while not self._is_told_to_stop:
            worker = self._start_missing()
            if worker is not None:
                return worker
            self._wait(awake)
            if not self._answered and self._is_answered():
                self._answered = True
                started()
            if self._former_life >= 0 and all(seat.answers for seat in self._seats):
                # They stop when nobody holds the other end.
                os.close(self._former_life)
                self._former_life = -1
            if self._is_told_to_reload and self._rehearsing is None and not self._former:
                self._is_told_to_reload = False
                # What shows whether a new program would start.
                self._rehearsing = subprocess.Popen(self._rehearsal)  # noqa: S603 - our own program
        self._stop(awake)
        return None

    # --- Workers come and go ---

    def _start_missing(self) -> Worker | None:
        """Starts workers where there are none; what a worker is given, in it."""
        now = monotonic()
        for number, seat in enumerate(self._seats):
            if not seat.process and now >= seat.not_before:
                worker = self._start(number, seat)
                if worker is not None:
                    return worker
            # What is the matter with the first would be with all.
            if not self._answered:
                break
        return None

    def _start(self, number: int, seat: _Seat) -> Worker | None:
        hears, says = os.pipe()
        # Else what waits in them would be written twice.
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if not process:
            os.close(hears)
            return Worker(number, seat.listener, says, self._life)
        os.close(says)
        os.set_blocking(hears, False)
        seat.process, seat.hears, seat.heard = process, hears, monotonic()
        return None

    def _reap(self) -> None:
        """Takes note of who has ended."""
        with suppress(ChildProcessError):
            while True:
                process, status = os.waitpid(-1, os.WNOHANG)
                if not process:
                    return
                code = os.waitstatus_to_exitcode(status)
                self._former.discard(process)
                if self._rehearsing is not None and process == self._rehearsing.pid:
                    self._rehearsing.returncode = code
                    self._rehearsing = None
                    self._rehearsed(code)
                for seat in self._seats:
                    if seat.process == process:
                        self._ended(seat, code)

    def _ended(self, seat: _Seat, code: int) -> None:
        os.close(seat.hears)
        process, seat.process = seat.process, 0
        answered, seat.answers = seat.answers, False
        if self._is_told_to_stop:
            return
        how = f"was ended by signal {-code}" if code < 0 else f"has ended with exit code {code}"
        if answered:
            log.warning("The worker %d %s; another one takes its place.", process, how)
            return
        self._failures += 1
        seat.failures += 1
        if not (self._is_answered() or self._former) and (not self._answered or self._failures >= GIVE_UP):
            if self._answered:
                log.error("%d workers in a row have ended before they answered, so the server ends.", GIVE_UP)
            raise SystemExit(code if code > 0 else 1)
        pause = PAUSES[min(seat.failures, len(PAUSES) - 1)]
        seat.not_before = monotonic() + pause
        log.warning("The worker %d %s before it answered; the next one is started in %g s.", process, how, pause)

    def _is_answered(self) -> bool:
        return any(seat.answers for seat in self._seats)

    def _end_silent(self) -> None:
        """Kills workers that have answered once and say nothing any more."""
        for seat in self._seats:
            if seat.answers and monotonic() - seat.heard > SILENCE_SECONDS:
                log.warning("The worker %d has said nothing for %d s and is killed.", seat.process, SILENCE_SECONDS)
                os.kill(seat.process, signal.SIGKILL)
                seat.heard = monotonic()

    # --- Being told something ---

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """Takes signals in; the end of a pipe that can be read when one has come. As before behind the block."""
        awake, wakes = os.pipe()
        for end in (awake, wakes):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        former = {number: signal.signal(number, self._told) for number in wanted}
        try:
            yield awake
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in former.items():
                signal.signal(number, handler)
            os.close(awake)
            os.close(wakes)

    def _told(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP and not (self._has_terminal and not os.isatty(0)):
            self._is_told_to_reload = True
        elif number != signal.SIGCHLD:
            # Also when the terminal was closed from which it was started.
            self._is_told_to_stop = True

    def _wait(self, awake: int) -> None:
        """Waits until something has happened, and takes note of it."""
        heard = {seat.hears: seat for seat in self._seats if seat.process}
        seconds = BEAT_SECONDS if len(heard) == len(self._seats) else PAUSES[1] / 2
        ready, _, _ = select.select([awake, *heard], [], [], seconds)
        with suppress(BlockingIOError):
            os.read(awake, 4096)
        for end in ready:
            if end in heard and heard[end].listen():
                self._failures = heard[end].failures = 0
        self._reap()
        self._end_silent()

    def _stop(self, awake: int) -> None:
        """Has all workers finish what is under way, and waits for their end."""
        for seat in self._seats:
            seat.listener.close()
        os.close(self._alive)
        if self._rehearsing is not None:
            self._rehearsing.terminate()
        patience = monotonic() + self._stop_seconds
        self._tell(signal.SIGTERM)
        while self._children():
            if monotonic() > patience:
                self._tell(signal.SIGKILL)
            self._wait(awake)

    def _children(self) -> set[int]:
        return self._former | {seat.process for seat in self._seats if seat.process}

    def _tell(self, number: signal.Signals) -> None:
        for process in self._children():
            os.kill(process, number)

    # --- Becoming a new program ---

    def _rehearsed(self, code: int) -> None:
        """Becomes the new program, which has its own workers started before those of this one stop."""
        if code:
            log.warning("It would not start anew (exit code %d): what runs goes on as it was.", code)
            return
        if self._is_told_to_stop:
            return
        listeners = [seat.listener.fileno() for seat in self._seats]
        handover = Handover(listeners, self._alive, sorted(self._children()))
        for file in (*listeners, self._alive):
            os.set_inheritable(file, True)
        # Another one would end the program before it can take it in.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        command = self._command(handover)
        os.execv(command[0], command)  # noqa: S606 - as it was started
