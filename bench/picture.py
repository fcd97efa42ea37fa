"""The picture in `docs/performance.md`: for each question, how many answers a second of processor time buys."""

from html import escape

from bench.measure import Result
from bench.questions import WORKLOADS
from bench.results import Run

PANELS = ("Q1", "Q2", "Q3", "M1")
WIDTH = 860
_NAMES = 280
_BAR = 18
_GAP = 6
_PANEL_HEAD = 46
_MARGIN = 16

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.small { fill: #59636e }
.ours { fill: #1a7f37 }
.peer { fill: #8c959f }
.ground { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .small { fill: #9198a1 }
  .ours { fill: #3fb950 }
  .peer { fill: #656c76 }
  .ground { fill: #0d1117 }
}
"""


def svg(run: Run) -> str:
    """The picture of a run. Bars are comparable within a panel; the time of a database server counts too."""
    parts: list[str] = []
    top = _MARGIN
    for key in PANELS:
        group = [each for each in run.results if (each.workload, each.connections) == (key, run.plan.connections)]
        if group:
            top = _panel(parts, key, sorted(group, key=_per_second, reverse=True), top)
    top += _MARGIN
    parts.append(
        f'<text class="small" x="{_MARGIN}" y="{top}">Answers for each second of processor time, server and database'
        " together; longer is better.</text>"
    )
    top += 20
    parts.append(
        f'<text class="small" x="{_MARGIN}" y="{top}">{escape(run.when)}, {run.products:,} products,'
        f" {run.plan.connections} connections.</text>"
    )
    height = top + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-label="Answers for each second of processor time"><style>{_STYLE}</style>'
        f'<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _panel(parts: list[str], key: str, group: list[Result], top: int) -> int:
    parts.append(f'<text class="title" x="{_MARGIN}" y="{top + 22}">{key} {escape(WORKLOADS[key].title)}</text>')
    most = _per_second(group[0])
    room = WIDTH - _NAMES - _MARGIN - 80
    y = top + _PANEL_HEAD - 12
    for each in group:
        kind = "ours" if each.server.startswith("certgate") else "peer"
        length = max(1.0, _per_second(each) / most * room)
        parts.append(
            f'<text x="{_MARGIN}" y="{y + 14}">{escape(each.server)}</text>'
            f'<rect class="{kind}" x="{_NAMES}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2"/>'
            f'<text class="small" x="{_NAMES + length + 8:.1f}" y="{y + 14}">{_per_second(each):,.0f}</text>'
        )
        y += _BAR + _GAP
    return y + 8


def _per_second(result: Result) -> float:
    return 1e6 / (result.middle("cpu_us") + result.middle("database_us"))
