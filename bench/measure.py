"""Measuring: servers take turns within a run, so that whatever else the machine does falls on all of them alike."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import msgspec
import psutil

from bench import accounting, data, load
from bench.databases import Written, written
from bench.questions import WORKLOADS, Question, Workload
from bench.servers import Server

_DIFFERENT_QUESTIONS = 10_000
_MOST_A_SECOND = 12_000
"""How many questions that may be asked only once are prepared for each second."""


class WrongAnswers(Exception):
    """What came back under load is not what was asked for; the text is one sentence."""


class Plan(msgspec.Struct, frozen=True):
    """How long is measured. Seconds; `warm_node` for each kind of question, for the servers that run on Node.

    What writes is warmed by the same number of writes for each server: `warm_writes`.
    """

    rounds: int
    seconds: float
    warm: float
    warm_node: float
    warm_writes: int
    connections: int
    wrk: bool


class Sample(msgspec.Struct, frozen=True):
    """One server under load for some seconds. `others` is what the rest of the machine used, in processors.

    `group` is how many writes a commit had; 0 where nothing is written.
    """

    requests: int
    rate: float
    cpu_us: float
    database_us: float
    p50_ms: float
    p99_ms: float
    others: float
    group: float = 0.0


class Result(msgspec.Struct):
    """All samples of one server, one kind of question and one number of connections."""

    workload: str
    server: str
    database: str
    products: int
    connections: int
    samples: list[Sample]

    def middle(self, name: str) -> float:
        """The median of a figure of the samples."""
        return float(median(getattr(sample, name) for sample in self.samples))

    def range(self, name: str) -> tuple[float, float]:
        """The smallest and the largest of a figure of the samples."""
        figures = [getattr(sample, name) for sample in self.samples]
        return min(figures), max(figures)


def measure(
    servers: Sequence[Server], key: str, plan: Plan, folder: Path, *, connections: int | None = None, warm: bool = True
) -> list[Result]:
    """The results of every server that understands the question. Raises `LoadError` and `WrongAnswers`."""
    workload = WORKLOADS[key]
    group = [server for server in servers if server.dialect in workload.dialects]
    at_once = connections or plan.connections
    results = [Result(key, server.name, server.database, server.products, at_once, []) for server in group]
    if warm:
        for server in group:
            # What runs warm at sixteen connections is warm at one.
            _warm(server, workload, plan, plan.connections, folder)
    for round_ in range(plan.rounds):
        turns = list(zip(group, results, strict=True))
        # Whoever is first meets what the round before left behind, so everybody is first once.
        start = round_ % max(1, len(turns))
        for server, result in turns[start:] + turns[:start]:
            result.samples.append(_sample(server, workload, plan, plan.seconds, at_once, folder, round_))
    return results


def _warm(server: Server, workload: Workload, plan: Plan, connections: int, folder: Path) -> None:
    """Load before the first sample, in portions, because questions that are asked once are prepared for each."""
    if workload.uses_pairs:
        enough = server.next_pair + plan.warm_writes
        while server.next_pair < enough:
            _sample(server, workload, plan, 1.0, connections, folder, -1)
        return
    left = plan.warm_node if server.is_node else plan.warm
    while left > 0:
        portion = min(left, 5.0)
        _sample(server, workload, plan, portion, connections, folder, -1)
        left -= portion


def _sample(
    server: Server, workload: Workload, plan: Plan, seconds: float, connections: int, folder: Path, seed: int
) -> Sample:
    questions = _questions(server, workload, seconds, connections, seed)
    file = folder / "requests"
    load.write_requests(file, (question.to_bytes(server.headers) for question in questions))
    before = written(server.url) if workload.uses_pairs else None
    check = _size_check(server, questions[0]) if before is None else None
    busy, own = accounting.busy_seconds(), _others_of_ours()
    cpu, database = accounting.cpu_seconds(server.process), server.database_seconds()
    began = time.perf_counter()
    done = load.fire(server.port, file, seconds, connections, wrk=plan.wrk)
    elapsed = time.perf_counter() - began
    cpu, database = accounting.cpu_seconds(server.process) - cpu, server.database_seconds() - database
    busy, own = accounting.busy_seconds() - busy, _others_of_ours() - own
    if workload.uses_pairs:
        server.next_pair += done.asked
        if done.asked > len(questions):
            raise WrongAnswers(f"{server.name} was asked {done.asked} times, more often than there were questions.")
    if done.errors or not done.requests:
        raise WrongAnswers(f"{server.name}: {done.errors} of {done.requests} answers to {workload.key} were refusals.")
    group = 0.0
    if check is not None:
        check(done)
    elif before is not None:
        group = _stored(server, done, before)
    return Sample(
        requests=done.requests,
        rate=done.requests / done.seconds,
        cpu_us=cpu / done.requests * 1e6,
        database_us=database / done.requests * 1e6,
        p50_ms=done.p50 * 1e3,
        p99_ms=done.p99 * 1e3,
        others=max(0.0, busy - own - cpu - database) / elapsed,
        group=group,
    )


def _questions(server: Server, workload: Workload, seconds: float, connections: int, seed: int) -> list[Question]:
    asker = server.asker(seed)
    if not workload.uses_pairs:
        # A document that was never seen before must not come round again either.
        count = _MOST_A_SECOND * max(1, round(seconds)) if workload.is_new else _DIFFERENT_QUESTIONS
        return [workload.write(asker, number) for number in range(count)]
    left = data.unassigned_pairs(server.products) - server.next_pair
    count = min(left, int(_MOST_A_SECOND * max(1.0, seconds)) + connections)
    if count <= 0:
        raise WrongAnswers("All claims are assigned, so there is nothing left to write: give --products more.")
    return [workload.write(asker, server.next_pair + number) for number in range(count)]


def _size_check(server: Server, question: Question) -> Callable[[load.Load], None]:
    """Errors in GraphQL come with status 200, and are short."""
    answer = server.ask(question)
    least = len(msgspec.json.encode(answer)) // 2

    def check(done: load.Load) -> None:
        if done.bytes < least * done.requests:
            raise WrongAnswers(f"The answers of {server.name} under load are shorter than the one before it.")

    return check


def _stored(server: Server, done: load.Load, before: Written) -> float:
    """How many writes a commit had. Every answer has to stand for a row."""
    now = written(server.url)
    stored = now.rows - before.rows
    # What was asked as the load stopped may have been stored a little later.
    if not done.requests <= stored <= done.asked:
        raise WrongAnswers(f"{server.name} answered {done.requests} writes and stored {stored}.")
    return stored / max(1, now.commits - before.commits)


def _others_of_ours() -> float:
    """The time of this process and of the load generators that have ended."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
