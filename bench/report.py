"""A run as Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from bench.measure import Result
from bench.questions import WORKLOADS
from bench.results import Run

BEGIN, END = "<!-- results -->", "<!-- end of results -->"

_PEERS = {
    "certgate, SQLite": (
        "Mercurius JIT, better-sqlite3",
        "Mercurius JIT, better-sqlite3, joined",
        "Strawberry, stock",
        "Fastify, better-sqlite3",
    ),
    "certgate, PostgreSQL": ("PostGraphile 5", "Mercurius JIT, pg", "Mercurius JIT, pg, joined"),
}
_COMPARED = ("Q1", "Q2", "Q3", "U1", "U2", "M1", "R1", "R2")


def markdown(run: Run) -> str:
    """Everything that was found out."""
    return "\n".join(_lines(run)) + "\n"


def put_between_marks(document: str, text: str) -> str:
    """The document with its results replaced. Raises `ValueError` when it has no marks."""
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(
            f"The document has no line {BEGIN} with a line {END} behind it; add them where results belong."
        )
    return f"{head}{begin}\n\n{text}\n{end}{tail}"


def _lines(run: Run) -> Iterator[str]:
    facts = {**run.machine, **run.versions}
    plan = run.plan
    yield f"{run.when}, commit {run.commit}. " + "; ".join(f"{name} {fact}" for name, fact in facts.items()) + "."
    yield ""
    yield (
        f"{run.products:,} products; {plan.rounds} rounds of {plan.seconds:g} s with the servers taking turns; load by"
        f" {'wrk' if plan.wrk else 'the generator in bench/generator.py'}, {plan.connections} connections unless said"
        f" otherwise; Node servers warmed {plan.warm_node:g} s for each question, others {plan.warm:g} s,"
        f" all of them by {plan.warm_writes:,} writes before a question that writes."
        f" {run.compared} answers were compared first. Medians; in brackets the smallest and the largest."
        f" The rest of the machine used {_others(run):.2f} processors."
    )
    for note in run.notes:
        yield ""
        yield note
    for key, connections in _groups(run.results):
        group = [each for each in run.results if (each.workload, each.connections) == (key, connections)]
        yield ""
        yield f"### {key} {WORKLOADS[key].title}, {_connections(connections)}"
        yield ""
        yield from _table(group)
    yield from _ratios(run)
    yield from _put_in(run)
    yield from _delivered(run)
    yield from _growth(run)
    yield from _rest(run)
    if run.documents:
        seen = run.documents
        yield ""
        yield (
            f"Memory before and after {seen.documents:,} documents that were never seen before:"
            f" {_mebibytes(seen.resident_before)} and {_mebibytes(seen.resident_after)} resident."
        )


def _table(group: Sequence[Result]) -> Iterator[str]:
    writes = any(each.middle("group") for each in group)
    yield "| server | CPU us/request | + database us | requests/s | p50 ms | p99 ms |" + " writes/commit |" * writes
    yield "| --- | --- | --- | --- | --- | --- |" + " --- |" * writes
    for each in group:
        database = _spread(each, "database_us", 0) if each.database == "PostgreSQL" else "-"
        yield (
            f"| {each.server} | {_spread(each, 'cpu_us', 0)} | {database} | {_spread(each, 'rate', 0)}"
            f" | {each.middle('p50_ms'):.2f} | {each.middle('p99_ms'):.1f} |"
            + f" {each.middle('group'):.1f} |"
            * writes
        )


def _ratios(run: Run) -> Iterator[str]:
    found = {(each.workload, each.server): each for each in run.results if each.connections == run.plan.connections}
    rows = [
        (key, found[key, ours], found[key, peer])
        for key in _COMPARED
        for ours, peers in _PEERS.items()
        for peer in peers
        if (key, ours) in found and (key, peer) in found
    ]
    yield from _heading("Ratios", bool(rows))
    if rows:
        yield "| question | ours | peer | CPU, peer / ours | with database | requests/s, ours / peer |"
        yield "| --- | --- | --- | --- | --- | --- |"
    for key, ours, peer in rows:
        both = [each.middle("cpu_us") + each.middle("database_us") for each in (ours, peer)]
        yield (
            f"| {key} | {ours.server} | {peer.server} | {peer.middle('cpu_us') / ours.middle('cpu_us'):.1f}"
            f" | {both[1] / both[0]:.1f} | {ours.middle('rate') / peer.middle('rate'):.1f} |"
        )
    floor = found.get(("H", "hello"))
    own = [each for (_, server), each in found.items() if server == "certgate, SQLite"]
    if floor and own:
        yield ""
        multiples = (f"{each.workload} {each.middle('cpu_us') / floor.middle('cpu_us'):.1f}" for each in own)
        yield f"In multiples of the hello's CPU, certgate on SQLite: {', '.join(multiples)}."


def _put_in(run: Run) -> Iterator[str]:
    yield from _heading("Putting in (start of the process included)", bool(run.put_in))
    if not run.put_in:
        return
    yield "| server | what | way | rows | rows/s | CPU us/row | + database us |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for each in run.put_in:
        figures = (each.cpu_seconds / each.rows * 1e6, each.database_seconds / each.rows * 1e6)
        yield (
            f"| {each.server} | {each.what} | {each.way} | {each.rows:,} | {each.rows / each.seconds:,.0f}"
            f" | {figures[0]:,.0f} | {figures[1]:,.0f} |"
        )
    yield ""
    said = (f"{each.server} {each.before_ms:.1f} and {each.meanwhile_ms:.1f} ms" for each in run.noticed)
    yield f"The p99 of Q1 on four connections before and while a file of products is put in: {', '.join(said)}."


def _delivered(run: Run) -> Iterator[str]:
    yield from _heading("Telling webhooks (four of one organisation, on loopback)", bool(run.delivered))
    if not run.delivered:
        return
    yield "| server | deliveries | deliveries/s | CPU us/delivery | + database us | p99 of Q1, ms | with 1,000/s |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for each in run.delivered:
        figures = (each.cpu_seconds / each.deliveries * 1e6, each.database_seconds / each.deliveries * 1e6)
        yield (
            f"| {each.server} | {each.deliveries:,} | {each.deliveries / each.seconds:,.0f} | {figures[0]:,.0f}"
            f" | {figures[1]:,.0f} | {each.without_ms:.1f} | {each.meanwhile_ms:.1f} |"
        )
    yield ""
    yield "Q1 is asked on four connections while rows are changed, without webhooks and with 1,000 deliveries a second."


def _growth(run: Run) -> Iterator[str]:
    yield from _heading("Growth (certgate, SQLite)", bool(run.growth))
    if not run.growth:
        return
    sizes = sorted({each.products for each in run.growth})
    yield f"| question | {' | '.join(f'{size:,} products, CPU us' for size in sizes)} | last / first |"
    yield "| --- |" + " --- |" * (len(sizes) + 1)
    for key in dict.fromkeys(each.workload for each in run.growth):
        by_size = {each.products: each for each in run.growth if each.workload == key}
        ratio = by_size[sizes[-1]].middle("cpu_us") / by_size[sizes[0]].middle("cpu_us")
        cells = " | ".join(_spread(by_size[size], "cpu_us", 0) for size in sizes)
        yield f"| {key} {WORKLOADS[key].title} | {cells} | {ratio:.2f} |"
    deep = {each.products: each.middle("cpu_us") for each in run.growth if each.workload == "P9"}
    first = {each.products: each.middle("cpu_us") for each in run.growth if each.workload == "P0"}
    if deep and first:
        yield ""
        ratios = ", ".join(f"{deep[size] / first[size]:.2f} at {size:,}" for size in sizes)
        yield f"The page at 90 % depth against the first one, CPU: {ratios} products."


def _rest(run: Run) -> Iterator[str]:
    yield from _heading("Start and memory at rest", bool(run.rest))
    if not run.rest:
        return
    yield "| server | products | start to first answer, s | resident | proportional |"
    yield "| --- | --- | --- | --- | --- |"
    for each in run.rest:
        yield (
            f"| {each.server} | {each.products:,} | {median(each.start_seconds):.2f} | {_mebibytes(each.resident)}"
            f" | {_mebibytes(each.proportional) if each.proportional else '-'} |"
        )


def _heading(text: str, wanted: bool) -> Iterator[str]:
    if wanted:
        yield ""
        yield f"### {text}"
        yield ""


def _groups(results: Iterable[Result]) -> Iterable[tuple[str, int]]:
    return dict.fromkeys((each.workload, each.connections) for each in results)


def _spread(result: Result, name: str, digits: int) -> str:
    low, high = result.range(name)
    middle = f"{result.middle(name):,.{digits}f}"
    return middle if len(result.samples) == 1 else f"{middle} ({low:,.{digits}f}-{high:,.{digits}f})"


def _connections(count: int) -> str:
    return "1 connection" if count == 1 else f"{count} connections"


def _mebibytes(count: int) -> str:
    return f"{count / 2**20:.0f} MiB"


def _others(run: Run) -> float:
    shares = [sample.others for result in (*run.results, *run.growth) for sample in result.samples]
    return median(shares) if shares else 0.0
