"""The cells of lists, made here: for the hundreds of a page a template takes three times as long."""

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, NamedTuple, Protocol

from markupsafe import Markup, escape

from domain.records import Product
from domain.vocabulary import Standing
from workbench.parts import Written, at_moment, badge, named, on_day, taken
from workbench.texts import text


class ShownRow(Protocol):
    """A row of a list: a product, or what it holds or claims."""

    @property
    def product(self) -> Product | None:
        """The product, None where it is not ours to show."""

    @property
    def gtin(self) -> str:
        """The product's."""

    @property
    def of(self) -> Any:
        """The record."""

    @property
    def standing(self) -> Standing | None:
        """How what a product holds or claims stands today."""

    @property
    def taken_on(self) -> Any:
        """Who has taken on that it lapses."""


class Surroundings(NamedTuple):
    """What cells have in common: the path before all of ours, how the reader writes a day, and the columns."""

    root: str
    day: Written
    columns: Collection[str]


def _product(row: ShownRow, around: Surroundings) -> str:
    name = named(row.product.name if row.product else "", row.gtin)
    under = "" if "gtin" in around.columns else f'<span class="under">{row.gtin}</span>'
    return f'<a href="{around.root}/app/products/{row.gtin}">{name}</a>{under}'


def _gtin(row: ShownRow, around: Surroundings) -> str:
    return f'<a class="code" href="{around.root}/app/products/{row.gtin}">{row.gtin}</a>'


def _certification(row: ShownRow, around: Surroundings) -> str:
    of = row.of.certification
    return f'<a href="{around.root}/app/certifications/{escape(of.code or of.id)}">{named(of.label)}</a>'


def _body(row: ShownRow, around: Surroundings) -> str:
    of = row.of.certification.body
    return f'<a href="{around.root}/app/bodies/{escape(of.code)}">{named(of.name)}</a>' if of else named("")


def _evidence(row: ShownRow, around: Surroundings) -> str:
    if not row.of.evidence_url:
        return named(row.of.evidence_note)
    return f'<a href="{escape(row.of.evidence_url)}" rel="noreferrer nofollow">{text("list.evidence")}</a>'


def _shortened(words: str) -> str:
    """What a line has room for, up to the end of a word; no word is left out to save a few letters."""
    return words if len(words) <= 65 else f"{words[:57].rsplit(' ', 1)[0]}..."


def _taken_on(row: ShownRow, around: Surroundings) -> str:
    said = row.taken_on
    if not said:
        return named("")
    reason = f"<bdi>{escape(_shortened(said.reason))}</bdi>"
    return f'<span title="{escape(said.reason)}">{taken(around.day, said)}: {reason}</span>'


_CELLS: Mapping[str, Callable[[ShownRow, Surroundings], str]] = {
    "product": _product,
    "gtin": _gtin,
    "brand": lambda row, _: named(row.product.brand if row.product else ""),
    "certification": _certification,
    "body": _body,
    "claim": lambda row, _: named(row.of.claim.label),
    "category": lambda row, _: text(f"choices.category.{row.of.claim.category.lower()}"),
    "source": lambda row, _: badge("source", row.of.source),
    "evidence": _evidence,
    "status": lambda row, _: badge("status", row.of.verification_status),
    "standing": lambda row, _: badge("standing", str(row.standing)),
    "countries": lambda row, _: named(", ".join(row.of.certificate_countries)),
    "taken_on": _taken_on,
    "updated_at": lambda row, around: at_moment(around.day, row.of.updated_at),
    "lapses_on": lambda row, around: on_day(around.day, row.of.lapses_on),
    "valid_from": lambda row, around: on_day(around.day, row.of.valid_from),
    "data_source": lambda row, _: text(f"choices.data_source.{row.of.data_source}"),
}
"""Column -> what its cells show; of any other the member of that name."""


@cache
def _start(column: str) -> str:
    return f'<td class="{column}" data-label="{text(f"columns.{column}")}">'


def cells(row: ShownRow, root: str, day: Written, columns: Collection[str]) -> Markup:
    """The cells of a row in these columns."""
    around = Surroundings(str(escape(root)), day, columns)
    made = []
    for column in columns:
        show = _CELLS.get(column)
        shown = named(getattr(row.of, column)) if show is None else show(row, around)
        made.append(f"{_start(column)}{shown}</td>")
    return Markup("".join(made))  # noqa: S704 - what others wrote is escaped


def selecting(row: ShownRow) -> Markup:
    """The cell that selects a row of a list, to change it."""
    of = row.of
    definition = getattr(of, "certification", None) or getattr(of, "claim", None)
    value, label = (row.gtin, of.name) if definition is None else (f"{row.gtin} {definition.id}", definition.label)
    says = text("changing.select", label=label, gtin=row.gtin)
    box = f'<input type="checkbox" form="change" name="row" value="{value}" aria-label="{says}">'
    return Markup(f'<td class="select">{box}</td>')  # noqa: S704 - ids of our own, and a text that is escaped
