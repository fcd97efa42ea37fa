"""Charts as numbers: where their bars stand and how large they are; templates draw them as SVG."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

SERIES = 6
"""How many are told apart; the rest are one."""

WIDTH, HEIGHT = 720, 190
"""Of the bars, in the units of the drawing."""


class Bar(NamedTuple):
    """A part of a bar. Series are numbered from 1 on, 0 is the rest."""

    series: int
    month: date
    number: int
    x: float
    y: float
    width: float
    height: float


class Stacked(NamedTuple):
    """Bars by month, of parts on top of each other."""

    months: Sequence[date]
    places: Sequence[float]
    """Of the middle of each month."""
    bars: Sequence[Bar]
    names: Sequence[tuple[int, str]]
    """What each series is called, the largest first; the rest last, as an empty text."""
    counts: Sequence[Sequence[int]]
    """By series, in the order of the names, and month."""
    ticks: Sequence[tuple[int, float]]
    """Numbers on the scale, and where they stand."""

    @property
    def totals(self) -> list[int]:
        """By month."""
        return [sum(column) for column in zip(*self.counts, strict=True)]


def months_from(first: date, number: int) -> list[date]:
    """The first days of so many months."""
    return [date(first.year + (first.month - 1 + at) // 12, (first.month - 1 + at) % 12 + 1, 1) for at in range(number)]


def stacked(months: Sequence[date], groups: Iterable[tuple[str, date, int]]) -> Stacked:
    """The bars of groups: a name, the month, how many."""
    found = list(groups)
    sizes: Counter[str] = Counter()
    for name, _, count in found:
        sizes[name] += count
    largest = [name for name, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))][:SERIES]
    names = [(number, name) for number, name in enumerate(largest, start=1)]
    if len(sizes) > len(largest):
        names.append((0, ""))
    cells: Counter[tuple[str, date]] = Counter()
    for name, month, count in found:
        cells[name if name in largest else "", month] += count
    counts = [[cells[name, month] for month in months] for _, name in names]
    top = _top(max((sum(column) for column in zip(*counts, strict=True)), default=0))
    step = WIDTH / len(months)
    bars: list[Bar] = []
    for at, month in enumerate(months):
        y = float(HEIGHT)
        for (series, _), row in zip(names, counts, strict=True):
            height = HEIGHT * row[at] / top
            y -= height
            if row[at]:
                bars.append(Bar(series, month, row[at], at * step + step * 0.16, y, step * 0.68, height))
    places = [at * step + step / 2 for at in range(len(months))]
    ticks = [(top * part // 2, HEIGHT - HEIGHT * part / 2) for part in range(3)] if top > 1 else [(0, HEIGHT), (1, 0)]
    return Stacked(months, places, bars, names, counts, ticks)


def _top(most: int) -> int:
    """The upper end of a scale: an even number that is easily read."""
    for scale in range(12):
        for lead in (1, 2, 4, 6, 8):
            if lead * 10**scale >= most and (lead * 10**scale) % 2 == 0:
                return int(lead * 10**scale)
    return most
