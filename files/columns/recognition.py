"""Which member each column of a file is: by its name, by what it is also called, by what stands in it, or as asked for.

What nobody knows is an error with the remedy: what a file says is never passed over in silence.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from domain.errors import InvalidInput, Violation, WrongColumns
from domain.gtin import check_digit_is_right
from domain.text import excerpt
from files.columns.members import BY_OWN_NAME, GTIN, KEPT, NOTHING, REASON, ColumnTarget, by_name, plain
from files.columns.open_food_facts import OPEN_FOOD_FACTS, how_of, is_export, target_of
from files.reading.table import Cell, Row

ALL_OTHERS = "*"
"""What `map` calls every column that is not known."""


SAID = "map"
SAID_BEFORE = "as in the import of"
"""How a column is known that somebody has said, now or for an earlier file; more may follow."""


class KnownColumn(NamedTuple):
    """A column of the file, what it is, and how that was found out."""

    name: str
    target: ColumnTarget
    how: str

    @property
    def was_said(self) -> bool:
        """Whether somebody has said what it is."""
        return self.how.startswith((SAID, SAID_BEFORE))

    @property
    def is_reason(self) -> bool:
        """Whether it says why its row was refused before, as a report has it."""
        return self.name == REASON and self.target == NOTHING


class Columns(NamedTuple):
    """What all columns are."""

    columns: list[KnownColumn]
    is_open_food_facts: bool = False

    @property
    def parts(self) -> set[str]:
        """Which parts a row has: a product, a certification, a claim, lists of either."""
        found = {column.target.part for column in self.columns} - {"row"}
        return found | {
            column.target.member
            for column in self.columns
            if column.target.part == "row" and column.target.member in ("certifications", "claims", "labels")
        }

    @property
    def own(self) -> list[str]:
        """The names of those that the file has of its own, without the reasons for which its rows were refused."""
        return [column.name for column in self.columns if not column.is_reason]

    @property
    def shown(self) -> dict[str, str]:
        """By the names of columns what they are, of those that are something."""
        return {column.name: column.target.shown for column in self.columns if column.target != NOTHING}

    @property
    def is_own_export(self) -> bool:
        """Whether it has what only our exports have, all of it."""
        return {"id", "created_at", "updated_at", "version"} <= {column.target.member for column in self.columns}


def recognised(
    names: Sequence[str],
    sample: Sequence[Row],
    asked: Mapping[str, str],
    known: Mapping[str, frozenset[str]],
    asked_how: str = SAID,
) -> Columns:
    """What the columns are. `asked` has names of columns and what they are to be; `known` the codes of definitions.

    Raises `WrongColumns` that names every column that nobody knows, or says what is missing.
    """
    found = [KnownColumn(name, NOTHING, "") for name in names]
    try:
        of_off = is_export(names)
        for columns in _steps(names, sample, asked, known, asked_how):
            found = columns
        return Columns(found, of_off)
    except InvalidInput as refusal:
        shown = {column.name: column.target.shown if column.how else "" for column in found}
        raise WrongColumns(refusal.violations, shown) from None


def _steps(
    names: Sequence[str],
    sample: Sequence[Row],
    asked: Mapping[str, str],
    known: Mapping[str, frozenset[str]],
    asked_how: str,
) -> Iterator[list[KnownColumn]]:
    """What is known of the columns, step by step. Raises `InvalidInput`."""
    wanted = {name: _asked_for(name, target) for name, target in asked.items()}
    missing = [name for name in wanted if name not in names and name != ALL_OTHERS]
    if missing:
        raise _refused(f"There is no column {excerpt(missing[0])!r}; its columns are {_listed(names)}")
    of_off = is_export(names)
    columns = []
    for at, name in enumerate(names):
        if name in wanted:
            found = wanted[name], asked_how
        elif of_off:
            found = target_of(name), how_of(name, names)
        else:
            found = by_name().get(plain(name), (NOTHING, "empty" if not name or _is_empty(at, sample) else ""))
        columns.append(KnownColumn(name, *found))
    columns = _by_content(columns, sample, known)
    columns = [_unknown_as(column, wanted.get(ALL_OTHERS), asked_how) for column in columns]
    yield columns
    _refuse_unknown(columns)
    columns = _settled(columns)
    yield columns
    _refuse_contradictions(columns)


def _asked_for(name: str, target: str) -> ColumnTarget:
    member, _, key = target.partition(".")
    if member == "metadata":
        return ColumnTarget("row", "metadata", key or ("" if name == ALL_OTHERS else name))
    found = by_name().get(plain(target))
    if found is None:
        near = get_close_matches(plain(target), by_name(), n=3)
        meant = " or ".join(dict.fromkeys(by_name()[each][0].shown for each in near))
        raise _refused(
            f"{excerpt(name)!r} cannot be {excerpt(target)!r}: {f'did you mean {meant}? ' if meant else ''}Write a"
            " member such as gtin, product_name or certification.valid_from, metadata, or nothing"
        )
    return found[0]


def _is_empty(at: int, sample: Sequence[Row]) -> bool:
    return bool(sample) and all(row.cells[at] in ("", None) for row in sample)


def _by_content(
    columns: list[KnownColumn], sample: Sequence[Row], known: Mapping[str, frozenset[str]]
) -> list[KnownColumn]:
    """The columns, those that nobody knows by name recognised by what stands in all of their cells."""
    made: list[KnownColumn] = []
    for at, column in enumerate(columns):
        cells = [row.cells[at] for row in sample if row.cells[at] not in ("", None)] if not column.how else []
        has_gtin = any(each.target == GTIN for each in (*columns, *made))
        target = _target_by_content(cells, known, has_gtin=has_gtin) if cells else None
        made.append(column if target is None else KnownColumn(column.name, target, "content"))
    return made


def _target_by_content(
    cells: Sequence[Cell], known: Mapping[str, frozenset[str]], *, has_gtin: bool
) -> ColumnTarget | None:
    if not has_gtin and all(map(_looks_like_a_gtin, cells)):
        return GTIN
    for part, codes in known.items():
        if all(isinstance(cell, str) and cell.upper() in codes for cell in cells):
            return ColumnTarget(part, "code")  # type: ignore[arg-type]
    return None


def _looks_like_a_gtin(cell: Cell) -> bool:
    text = str(cell).strip().strip("=\"'").replace(" ", "").replace("-", "")
    return text.isascii() and text.isdigit() and 8 <= len(text) <= 14 and check_digit_is_right(text)


def _unknown_as(column: KnownColumn, target: ColumnTarget | None, how: str) -> KnownColumn:
    if column.how or target is None:
        return column
    key = column.name if target.member == "metadata" and not target.key else target.key
    return KnownColumn(column.name, target._replace(key=key), f"{how}, of {ALL_OTHERS}")


def _refuse_unknown(columns: Sequence[KnownColumn]) -> None:
    unknown = [column.name for column in columns if not column.how]
    if not unknown:
        return
    near = get_close_matches(plain(unknown[0]), by_name(), n=1)
    meant = f" ({excerpt(unknown[0])!r} may be {by_name()[near[0]][0].shown})" if near else ""
    raise _refused(
        f"Nobody knows the {'columns' if len(unknown) > 1 else 'column'} {_listed(unknown)}{meant}; say in `map` what"
        " each is: a member such as brand, metadata to keep it, or nothing to leave it out (* stands for all of them)"
    )


def _settled(columns: list[KnownColumn]) -> list[KnownColumn]:
    """The columns, those that several records have given to the one that the file is about."""
    parts = {column.target.part for column in columns if column.target.member in ("id", "code", "label")}
    about = "certification" if "certification" in parts else "claim" if "claim" in parts else "product"
    if about == "product" and any(column.target.member == "certifications" for column in columns):
        about = "certification"
    is_wide = any(column.target.part == "product" for column in columns)
    made = []
    for column in columns:
        target = column.target
        if target.part == "row" and target.member in BY_OWN_NAME:
            part = "product" if target.member == "metadata" and is_wide else about
            if part == "product" and target.member != "metadata":
                raise _refused(
                    f"The column {excerpt(column.name)!r} is about a certification or a claim, and none is named"
                )
            target = target._replace(part=part)  # type: ignore[arg-type]
        made.append(column._replace(target=target))
    return made


def _refuse_contradictions(columns: Sequence[KnownColumn]) -> None:
    seen: dict[ColumnTarget, str] = {}
    for column in columns:
        target = column.target
        if target == NOTHING or target.key or (target.part == "row" and target.member in (*KEPT, "labels")):
            continue
        if target in seen and not (target.member == "product_name" and column.how.startswith(OPEN_FOOD_FACTS)):
            raise _refused(
                f"The columns {excerpt(seen[target])!r} and {excerpt(column.name)!r} are both {excerpt(target.shown)};"
                " say in `map` which one is nothing, to leave it out"
            )
        seen[target] = column.name
    if GTIN not in seen:
        raise _refused(
            "No column holds GTINs; say in `map` which one is gtin. The columns are"
            f" {_listed([column.name for column in columns])}"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(excerpt(name, 40)) for name in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput([Violation(("columns",), sentence, "columns")])
