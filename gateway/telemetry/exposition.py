"""Prometheus' form of what is counted, by its own client library."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from itertools import accumulate
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from db.engine import trouble
from domain.deliveries import RESULTS
from gateway.telemetry.metrics import BOUNDS, LEVELS, SECONDS, Figures

_BUCKETS = [*(f"{bound:g}" if bound < 1 else str(bound) for bound in BOUNDS), "+Inf"]

_TROUBLES = [each.name for each in vars(trouble).values() if isinstance(each, trouble.Trouble)]


class About(NamedTuple):
    """What is said of the installation."""

    version: str
    database: str
    """SQLite or PostgreSQL."""
    revision: str


def exposition(
    figures: list[Figures], dependencies: Mapping[str, bool], told_until: date | None, about: About, accept: str
) -> tuple[bytes, str]:
    """The content and its type, in the form that is accepted. `told_until`: the last day of the date events."""
    registry = CollectorRegistry()
    registry.register(_Figures(figures, dependencies, told_until, about))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Figures(Collector):
    """The families of metrics."""

    def __init__(
        self, figures: list[Figures], dependencies: Mapping[str, bool], told_until: date | None, about: About
    ) -> None:
        self._figures = figures
        self._dependencies = dependencies
        self._told_until = told_until
        self._about = about

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        yield from self._requests()
        yield from self._counted()
        yield from self._processes()
        ready = GaugeMetricFamily(
            "certgate_dependency_up", "Whether what the server needs works, as /readyz has it.", labels=["dependency"]
        )
        for name, is_up in self._dependencies.items():
            ready.add_metric([name], float(is_up))
        yield ready
        told = GaugeMetricFamily(
            "certgate_date_events_day_seconds", "The last day whose date events were told of, in seconds since 1970."
        )
        if self._told_until is not None:
            told.add_metric([], datetime(*self._told_until.timetuple()[:3], tzinfo=UTC).timestamp())
        yield told
        info = GaugeMetricFamily("certgate_info", "What is running.", labels=["version", "database", "revision"])
        info.add_metric([*self._about], 1)
        yield info

    def _requests(self) -> Iterable[Metric]:
        total = CounterMetricFamily(
            "certgate_requests",
            "Requests that were answered; code is what they were refused for.",
            labels=["face", "operation", "status", "code"],
        )
        numbers: Counter[tuple[str, ...]] = Counter()
        sums: dict[tuple[str, str], list[float]] = {}
        for figures in self._figures:
            for (face, operation, status, code), tally in figures.requests:
                numbers[face, operation, str(status), code] += int(sum(tally[: len(BOUNDS) + 1]))
                before = sums.get((face, operation))
                sums[face, operation] = tally if before is None else [a + b for a, b in zip(before, tally, strict=True)]
        for labels, number in sorted(numbers.items()):
            total.add_metric([*labels], number)
        yield total
        seconds = HistogramMetricFamily(
            "certgate_request_seconds",
            "How long requests took, from when they had come to their answer.",
            labels=["face", "operation"],
        )
        for of, tally in sorted(sums.items()):
            until = accumulate(tally[: len(_BUCKETS)])
            seconds.add_metric([*of], [*zip(_BUCKETS, until, strict=True)], tally[SECONDS])
        yield seconds

    def _counted(self) -> Iterable[Metric]:
        yield CounterMetricFamily(
            "certgate_statements",
            "Statements that the database was asked to run, with commits; on SQLite without point reads.",
            sum(figures.statements for figures in self._figures),
        )
        yield CounterMetricFamily(
            "certgate_statement_seconds",
            "How long requests waited for those statements, together.",
            sum(figures.statement_seconds for figures in self._figures),
        )
        troubles = CounterMetricFamily(
            "certgate_database_troubles", "What befell the database, by what it was.", labels=["trouble"]
        )
        logged = CounterMetricFamily("certgate_logged", "Lines that were logged from warnings on.", labels=["level"])
        deliveries = CounterMetricFamily(
            "certgate_webhook_deliveries",
            "Tries to deliver something to webhooks, by what came of them.",
            labels=["result"],
        )
        # What has not happened yet is there as well: the first time would not show as an increase else.
        for family, names, counts in (
            (troubles, _TROUBLES, (figures.troubles for figures in self._figures)),
            (logged, LEVELS.values(), (figures.logged for figures in self._figures)),
            (deliveries, RESULTS, (figures.deliveries for figures in self._figures)),
        ):
            together = Counter(dict.fromkeys(names, 0))
            for each in counts:
                together.update(each)
            for name, number in sorted(together.items()):
                family.add_metric([name], number)
            yield family

    def _processes(self) -> Iterable[Metric]:
        label = ["worker"]
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {
            "started": GaugeMetricFamily(
                "certgate_process_start_time_seconds", "When the worker started, in seconds since 1970.", labels=label
            ),
            "resident_bytes": GaugeMetricFamily(
                "certgate_process_resident_memory_bytes", "Memory of the worker.", labels=label
            ),
            "open_files": GaugeMetricFamily("certgate_process_open_files", "Open files of the worker.", labels=label),
            "loop_delay": GaugeMetricFamily(
                "certgate_event_loop_delay_seconds", "By how much the event loop was late lately.", labels=label
            ),
            "under_way": GaugeMetricFamily(
                "certgate_requests_under_way", "Requests that are being answered.", labels=label
            ),
            "connections": GaugeMetricFamily("certgate_connections", "Open connections of clients.", labels=label),
            "waiting": GaugeMetricFamily(
                "certgate_database_waiting", "Who waits for a connection to the database, or to write.", labels=label
            ),
            "cpu_seconds": CounterMetricFamily(
                "certgate_process_cpu_seconds", "Time on a processor of the worker.", labels=label
            ),
        }
        for figures in self._figures:
            if figures.process.alive:
                for name, family in families.items():
                    family.add_metric([str(figures.process.number)], float(getattr(figures.process, name)))
        yield from families.values()
