"""The command line of the benchmark: who takes part, what is asked, what is written."""

import runpy
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from bench import accounting, databases, delivering, node_peers, putting_in, report, results, servers
from bench.compare import Different, compare
from bench.load import LoadError, has_wrk
from bench.measure import Plan, Result, WrongAnswers, measure
from bench.picture import svg
from bench.questions import WORKLOADS
from bench.results import Documents, Rest, Run
from bench.servers import ROOT, Server, ServerError

CACHE = ROOT / "var" / "bench"

_EXPECTED = (Different, LoadError, ServerError, WrongAnswers, OSError, ValueError)

_MAIN = ("H", "Q1", "Q2", "Q3", "U1", "U2", "M1", "R0", "R1", "R2", "R3")
_QUICK = ("H", "Q1", "Q2", "M1", "R1", "R2", "R3")
_GROWTH = ("Q1", "P0", "P9")

Make = Callable[[], Server]


def _words(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    words = tuple(word.strip() for word in value.split(",") if word.strip())
    unknown = [word for word in words if word not in WORKLOADS]
    if unknown:
        raise click.BadParameter(f"There is no question {unknown[0]}; there are {', '.join(WORKLOADS)}.")
    return words


def _sizes(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    try:
        return tuple(int(size.replace("_", "")) for size in value.split(",") if size.strip())
    except ValueError as error:
        raise click.BadParameter("Sizes are numbers with commas between them, such as 10000,100000.") from error


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--products", type=click.IntRange(100), default=100_000, help="How many products there are.")
@click.option("--rounds", type=click.IntRange(1), default=5, help="Samples of each server.")
@click.option("--seconds", type=click.FloatRange(0.1), default=3.0, help="Length of a sample; wrk: whole seconds.")
@click.option("--connections", type=click.IntRange(1), default=16, help="Connections at once.")
@click.option("--workers", type=click.IntRange(1), default=1, help="Besides, ours and Mercurius in so many processes.")
@click.option("--warm", type=click.FloatRange(0), default=3.0, help="Seconds of load before the first sample.")
@click.option("--warm-node", type=click.FloatRange(0), default=20.0, help="The same for servers on Node.")
@click.option("--warm-writes", type=click.IntRange(0), default=20_000, help="Writes before the first sample of writes.")
@click.option(
    "--only",
    callback=_words,
    metavar="Q1,M1,...",
    help="Only these questions; growth, files and webhooks are left out.",
)
@click.option("--ours", is_flag=True, help="Leave the Node peers out.")
@click.option("--no-postgresql", is_flag=True, help="Leave PostgreSQL out.")
@click.option("--growth", callback=_sizes, default="10000,100000,1000000", help="Numbers of products; empty: none.")
@click.option("--put-in", type=click.IntRange(0), default=30_000, help="Products that are put in as files; 0: none.")
@click.option("--tell", type=click.IntRange(0), help="Changes that webhooks are told of: 5000 unless there is --only.")
@click.option("--starts", type=click.IntRange(1), default=3, help="How often each server is started.")
@click.option("--quick", is_flag=True, help="Ours and the hello on 1,000 products, for some seconds in all.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Where the results go.")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Draw the picture into this file.")
@click.option(
    "--document",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Write the tables into this file, between its marks, such as docs/performance.md.",
)
@click.option(
    "--read",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Show an earlier run's results instead.",
)
def command(
    products: int,
    rounds: int,
    seconds: float,
    connections: int,
    workers: int,
    warm: float,
    warm_node: float,
    warm_writes: int,
    only: tuple[str, ...] | None,
    ours: bool,
    no_postgresql: bool,
    growth: tuple[int, ...],
    put_in: int,
    tell: int | None,
    starts: int,
    quick: bool,
    json_file: Path | None,
    picture: Path | None,
    document: Path | None,
    read: Path | None,
) -> None:
    """Measure certgate beside its peers and print a table.

    With everything it takes half an hour. Use the machine for nothing else meanwhile.
    """
    if read is None:
        if quick:
            products, ours, no_postgresql, growth, put_in, tell, starts = 1000, True, True, (), 100, 100, 1
            # wrk counts whole seconds.
            plan = Plan(1, 0.3, 0, 0, 0, connections, wrk=False)
        else:
            plan = Plan(rounds, seconds, warm, warm_node, warm_writes, connections, wrk=has_wrk())
        wanted = only or (_QUICK if quick else _MAIN)
        try:
            if only:
                growth, put_in = (), 0
            if tell is None:
                tell = 0 if only else 5_000
            node, postgres = not ours, not no_postgresql
            run = _run(
                plan, products, wanted, growth, put_in, tell, starts, workers, node=node, postgres=postgres, quick=quick
            )
        except _EXPECTED as error:
            raise click.ClickException(str(error)) from error
        json_file = json_file or CACHE / "results.json"
        results.save(run, json_file)
        _say(f"The results are in {json_file}.")
    else:
        run = results.read(read)
    text = report.markdown(run)
    print(text, end="")
    if document is not None:
        document.write_text(report.put_between_marks(document.read_text(encoding="utf-8"), text), encoding="utf-8")
    if picture is not None:
        picture.write_text(svg(run), encoding="utf-8")


def main() -> None:
    """Runs the command line and ends the process."""
    command(prog_name="certgate bench")


def _run(
    plan: Plan,
    products: int,
    wanted: Sequence[str],
    growth: Sequence[int],
    put_in: int,
    tell: int,
    starts: int,
    workers: int,
    *,
    node: bool,
    postgres: bool,
    quick: bool,
) -> Run:
    run = Run(
        when=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        commit=_commit(),
        machine=accounting.machine(),
        versions=_versions(),
        products=products,
        plan=plan,
        compared=0,
        notes=[],
        results=[],
        growth=[],
        rest=[],
    )
    with tempfile.TemporaryDirectory(prefix="certgate-bench-") as name:
        folder = Path(name)
        run.machine["disk"] = f"{accounting.disk_seconds(folder) * 1e3:.2f} ms until 4 KiB are durable"
        with ExitStack() as stack:
            group = _participants(stack, run, products, folder, workers, node=node, postgres=postgres)
            with _running(group, run, starts, folder):
                _say(f"Comparing the answers of {len(group)} servers.")
                run.compared = compare(group, wanted)
                for key in wanted:
                    at_connections = (1, plan.connections, 64) if key == "M1" and not quick else (plan.connections,)
                    for index, at_once in enumerate(at_connections):
                        _say(f"{key}, {at_once} connections.")
                        run.results += measure(group, key, plan, folder, connections=at_once, warm=index == 0)
                own = [server for server in group if server.dialect == "certgate" and server.processes == 1]
                if tell:
                    _say(f"Webhooks, four of which are told of {tell:,} changes.")
                    run.delivered = delivering.measure(own, tell, 0.5 if quick else 10, folder)
                if put_in:
                    _say(f"Files of {put_in:,} products and their certificates.")
                    run.put_in, run.noticed = putting_in.measure(own, put_in, folder)
        if growth:
            _measure_growth(run, growth, starts, folder)
    return run


def _participants(
    stack: ExitStack, run: Run, products: int, folder: Path, workers: int, *, node: bool, postgres: bool
) -> list[Server]:
    """The servers, each with a database of its own, none of them started."""
    _say(f"Making {products:,} products.")
    template = databases.sqlite_template(CACHE, products)
    group = [servers.hello(products)]
    for processes in sorted({1, workers}):
        url = databases.sqlite_copy(template, folder / f"certgate-{processes}.db")
        group.append(servers.certgate("SQLite", url, products, processes=processes))
    found: Path | None = None
    if node:
        try:
            found = node_peers.install(CACHE / "node")
        except node_peers.NoPeers as error:
            run.notes.append(str(error))
            _say(str(error))
    if node:
        file = folder / "stock.db"
        databases.sqlite_copy(template, file)
        group.append(servers.stock(file, products))
    if found:
        run.versions["Node"] = node_peers.version(found)
        for package in ("fastify", "mercurius", "postgraphile", "better-sqlite3", "pg"):
            run.versions[package] = node_peers.package_version(CACHE / "node", package)
        file = folder / "fastify.db"
        databases.sqlite_copy(template, file)
        group.append(servers.fastify(found, CACHE / "node", file, products))
        for way, processes in _ways(workers):
            file = folder / f"mercurius-{way}-{processes}.db"
            databases.sqlite_copy(template, file)
            group.append(servers.mercurius_sqlite(found, CACHE / "node", file, way, products, processes))
    if postgres:
        group += _on_postgresql(stack, run, products, found, workers)
    return group


def _ways(workers: int) -> list[tuple[str, int]]:
    """The ways of Mercurius, the strongest one in so many processes, too."""
    return [*((way, 1) for way in servers.WAYS), *([("joined", workers)] if workers > 1 else [])]


def _on_postgresql(stack: ExitStack, run: Run, products: int, node: Path | None, workers: int) -> list[Server]:
    server = stack.enter_context(databases.postgresql())
    _say("Filling PostgreSQL.")
    server.fill(products)
    run.versions["PostgreSQL"] = server.version
    process = server.process
    group = []
    for processes in sorted({1, workers}):
        url = server.copy(f"bench_certgate_{processes}")
        group.append(servers.certgate("PostgreSQL", url, products, process, processes))
    if node:
        folder = CACHE / "node"
        for way, processes in _ways(workers):
            url = server.copy(f"bench_mercurius_{way}_{processes}")
            group.append(servers.mercurius_postgresql(node, folder, url, way, products, process, processes))
        url = server.copy("bench_postgraphile")
        group.append(servers.postgraphile(node, folder, url, products, process))
    return group


@contextmanager
def _running(group: Sequence[Server], run: Run, starts: int, folder: Path) -> Iterator[None]:
    """The servers, running until the block ends; how they started and rest is noted."""
    try:
        for server in group:
            seconds = []
            for each in range(starts):
                if each:
                    server.stop()
                server.start(folder / f"{server.port}.log")
                seconds.append(server.seconds_to_first_answer)
            time.sleep(0.3)
            used = accounting.memory(server.process)
            run.rest.append(
                Rest(server.name, server.database, server.products, seconds, used.resident, used.proportional)
            )
        yield
    finally:
        for server in group:
            server.stop()


def _measure_growth(run: Run, sizes: Sequence[int], starts: int, folder: Path) -> None:
    group = []
    for size in sizes:
        _say(f"Making {size:,} products.")
        url = databases.sqlite_copy(databases.sqlite_template(CACHE, size), folder / f"growth-{size}.db")
        group.append(servers.certgate("SQLite", url, size))
    with _running(group, run, starts, folder):
        for key in _GROWTH:
            _say(f"{key} at {', '.join(f'{size:,}' for size in sizes)} products.")
            run.growth += measure(group, key, run.plan, folder)
        run.documents, result = _documents(group[0], run.plan, folder)
        run.results.append(result)


def _documents(server: Server, plan: Plan, folder: Path) -> tuple[Documents, Result]:
    _say("U2, a stream of documents that were never seen before.")
    before = accounting.memory(server.process).resident
    # No warm-up: the documents of one would have to be counted too.
    result = measure([server], "U2", plan, folder, warm=False)[0]
    after = accounting.memory(server.process).resident
    return Documents(sum(sample.requests for sample in result.samples), before, after), result


def _versions() -> dict[str, str]:
    packages = ("strawberry-graphql", "graphql-core", "starlette", "uvicorn", "uvloop", "asyncpg")
    return {
        "Python": f"{sys.version.split()[0]} {'with' if is_profiled() else 'without'} profiles",
        "SQLite": sqlite3.sqlite_version,
        **{package: version(package) for package in packages},
    }


def is_profiled() -> bool:
    """Whether this Python was compiled with profiles of real programs, as the launcher tells it."""
    return bool(runpy.run_path(str(ROOT / "certgate"))["is_profiled"]())


def _commit() -> str:
    words = ["git", "describe", "--always", "--dirty"]
    try:
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
