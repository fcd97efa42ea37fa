"""From the cells of a row to what it asks for."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from domain.certificates import HALTING
from domain.importing import AskedAssignment, AskedRow
from files.columns import cells
from files.columns.cells import NotUsable
from files.columns.members import GTIN, KEPT, NOTHING, ColumnTarget, members_sent
from files.columns.open_food_facts import labelled, language_of
from files.columns.recognition import Columns, KnownColumn
from files.columns.refusing import Mended, WrongCell, of_cell, of_row
from files.reading.table import Cell, Row

Read = Callable[[Cell], Any]


class Asking:
    """Makes of each row of a table what it asks for."""

    def __init__(self, columns: Columns, sample: Sequence[Row], *, exact_days: bool, clears: bool = False) -> None:
        self._notes: list[Mended] = []
        self._wrong: dict[int, NotUsable] = {}
        """By columns the cells of the row that cannot be read."""
        self._readers: list[tuple[int, KnownColumn, Read | None]] = []
        self._defining: dict[str, list[tuple[str, int]]] = {"certification": [], "claim": []}
        self._places: dict[str, int] = {}
        self._parts = columns.parts
        self._named_in: dict[Cell, int] = {}
        """By languages the columns with names in them, where rows say which language is their own."""
        self._restores = columns.is_own_export
        for at, column in enumerate(columns.columns):
            target = column.target
            if target.part == "row" or target == NOTHING:
                if target != NOTHING:
                    self._places.setdefault(target.member, at)
                if target.member == "metadata":
                    self._readers.append((at, column, None))
            elif target.member in ("id", "code", "label"):
                self._defining[target.part].append((target.member, at))
            else:
                self._readers.append((at, column, self._reader(at, column, sample, exact_days)))
        with_members = {column.target.part for _, column, _ in self._readers}
        self._assigned = [
            part
            for part, named in self._defining.items()
            if named or part in with_members or f"{part}s" in self._places
        ]
        """What rows can ask for besides products."""
        self._emptied = {at: _emptied(column.target) for at, column, _ in self._readers} if clears else {}
        for named in self._defining.values():
            named.sort(key=lambda each: ("id", "code", "label").index(each[0]))
        self._names = [column.name for column in columns.columns]
        self._used = [at for at, column in enumerate(columns.columns) if column.target != NOTHING]
        if columns.is_open_food_facts and "language" in self._places:
            names = [(at, name) for at, (name, target, _) in enumerate(columns.columns) if target != NOTHING]
            self._named_in = {language: at for at, name in names if (language := language_of(name))}
        self._note_gtin = self._noting(self._names[self._places[GTIN.member]])

    def _reader(self, at: int, column: KnownColumn, sample: Sequence[Row], exact_days: bool) -> Read | None:
        """What reads a cell of a column; None for a text as it is."""
        target = column.target
        if target.member == "metadata":
            return None if target.key else cells.metadata_of
        member = members_sent()[target.part, target.member]
        if member.plain is date:
            texts = [row.cells[at].strip() for row in sample if isinstance(row.cells[at], str) and row.cells[at]]
            order, note = cells.day_order(texts), self._noting(column.name)
            return lambda cell: cells.day_of(cell, order, exact_days, note)
        if member.plain is list:
            return cells.countries_of
        if issubclass(member.plain, StrEnum):
            return cells.word_of(
                {value.lower(): value for value in member.plain}
                | {each.name.lower(): each.value for each in member.plain}
            )
        return cells.country_of if target.member == "country_of_origin" else None

    def _noting(self, column: str) -> cells.Note:
        return lambda what, why: self._notes.append(Mended(column, what, why))

    def notes(self) -> list[Mended]:
        """What was noted since they were asked for."""
        notes, self._notes = self._notes, []
        return notes

    def asked(self, row: Row, place: str) -> tuple[AskedRow | None, list[WrongCell]]:
        """What the row asks for, and each of its cells that cannot be read; None of what is no row."""
        if row.fault:
            return None, [of_row(row, place)]
        self._wrong = {}
        self._check_encoding(row)
        link = row.cells[self._places["url"]] if "url" in self._places else None
        gtin = self._read(row, self._places[GTIN.member], lambda cell: cells.gtin_of(cell, link, self._note_gtin)) or ""
        parts: dict[str, dict[str, Any]] = {"product": {}, "certification": {}, "claim": {}}
        emptied: dict[str, dict[str, Any]] = {"product": {}, "certification": {}, "claim": {}}
        own_name = self._named_in.get(row.cells[self._places["language"]]) if self._named_in else None
        if own_name is not None and (name := self._text(row, own_name)):
            parts["product"]["product_name"] = name
        for at, column, read in self._readers:
            cell = row.cells[at]
            value = "" if not cell and cell != 0 else self._read(row, at, read or cells.text_of)
            if value == "" or (type(value) is str and value.isspace()):
                if self._emptied.get(at, _STAYS) is not _STAYS:
                    self._put(emptied[column.target.part], column, self._emptied[at])
            elif value is not None:
                self._put(parts[column.target.part], column, value)
        asked = self._row(row, place, gtin, parts, emptied)
        if not self._wrong:
            return asked, []
        wrong = [of_cell(row, place, self._names[at], at, self._wrong[at]) for at in sorted(self._wrong)]
        return asked._replace(is_spoilt=True), wrong

    def _check_encoding(self, row: Row) -> None:
        """Before anything is looked up. Only of texts are there cells in another encoding: JSON and XML have none."""
        for at in self._used:
            cell = row.cells[at]
            if type(cell) is str and not cell.isascii():
                try:
                    cells.check_encoding(cell, self._noting(self._names[at]))
                except NotUsable as error:
                    self._wrong[at] = error

    def _read(self, row: Row, at: int, read: Read) -> Any:
        """What a cell says; None for one that cannot be read."""
        if at in self._wrong:
            return None
        try:
            return read(row.cells[at])
        except NotUsable as error:
            self._wrong[at] = error
            return None

    def _text(self, row: Row, at: int) -> str:
        """The text of a cell without blanks around it."""
        return (self._read(row, at, cells.text_of) or "").strip()

    def _put(self, members: dict[str, Any], column: KnownColumn, value: Any) -> None:
        target = column.target
        if target.key:
            members.setdefault("metadata", {})[target.key] = value
        elif target.member == "metadata":
            members["metadata"] = {**members.get("metadata", {}), **value}
        else:
            # Of several columns with names, one for each language, the first that is filled in counts.
            members.setdefault(target.member, value)

    def _row(
        self,
        row: Row,
        place: str,
        gtin: str,
        parts: Mapping[str, dict[str, Any]],
        emptied: Mapping[str, dict[str, Any]],
    ) -> AskedRow:
        asked: dict[str, list[AskedAssignment]] = {"certification": [], "claim": []}
        for part in self._assigned:
            named = tuple(self._text(row, at) for _, at in self._defining[part])
            asked[part] = [
                AskedAssignment(each, parts[part], emptied[part]) for each in self._named(part, row, named, parts[part])
            ]
        held, claimed = asked["certification"], asked["claim"]
        if "labels" in self._places:
            found = labelled(self._read(row, self._places["labels"], cells.tags_of) or [])
            held += [AskedAssignment((code,), members) for code, members in found.certifications.items()]
            claimed += [AskedAssignment((code,), members) for code, members in found.claims.items()]
            if found.unknown:
                why = "labels stand for nothing in the catalogue"
                self._notes.append(Mended("labels_tags", ", ".join(found.unknown)[:500], why))
        # A row without anything of its product is about one that is there, unless only products can be meant.
        has_product = bool(parts["product"]) or not self._parts - {"product"} or self._has_unread("product")
        return AskedRow(
            place,
            gtin,
            parts["product"] if has_product else None,
            held,
            claimed,
            emptied["product"],
            self._restored(row) if self._restores else {},
        )

    def _has_unread(self, part: str) -> bool:
        return any(at in self._wrong and column.target.part == part for at, column, _ in self._readers)

    def _named(self, part: str, row: Row, named: tuple[str, ...], members: Mapping[str, Any]) -> list[tuple[str, ...]]:
        """What names each certification or claim of a row."""
        if any(named):
            return [named]
        listed = self._places.get(f"{part}s")
        codes = [] if listed is None else self._read(row, listed, cells.codes_of) or []
        if members and not codes:
            # What is said of a certificate that nobody names would be lost.
            at = next(at for at, column, _ in self._readers if column.target.part == part and row.cells[at])
            self._wrong.setdefault(at, NotUsable("not_named", f"the row names no {part}"))
            return [()]
        return [(code,) for code in codes]

    def _restored(self, row: Row) -> dict[str, Any]:
        places = {name: self._places[name] for name in KEPT if name in self._places and name != "organization_id"}
        return {name: self._read(row, at, _moment) for name, at in places.items() if row.cells[at] not in ("", None)}


_STAYS = object()
"""Stands for the value that clears what cannot be cleared."""


def _emptied(target: ColumnTarget) -> Any:
    """What a member is sent as to be cleared."""
    if target.member == "metadata":
        return "" if target.key else {}
    member = members_sent()[target.part, target.member]
    empty, stays = member.empty(), member.said.given != "always" and target.member not in HALTING
    return _STAYS if stays or (empty is None and not member.optional) else empty


def _moment(cell: Cell) -> Any:
    if isinstance(cell, list):
        # The certificates before, what was said of suspensions, and who has taken a lapse on.
        return cell
    # Excel knows no offsets; in our workbooks moments are in UTC.
    return cell.replace(tzinfo=UTC) if isinstance(cell, datetime) and cell.tzinfo is None else cells.text_of(cell)
