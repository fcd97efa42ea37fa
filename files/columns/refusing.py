"""Why a row is refused, in the words of its file: the row, the column as it is headed, what stands in it, and why."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from domain.errors import Archived, DomainError, InvalidInput, Violation
from domain.gtin import why_not_a_gtin
from domain.text import excerpt
from files.columns.cells import NotUsable
from files.columns.members import GTIN, NOTHING
from files.columns.recognition import Columns
from files.reading.table import Row, shown_cell
from resolvers.importing import Done, NotCalled

MOST = 10
"""Columns that the sentence about a row names."""

WORDS: Mapping[str, str] = {
    "archived": "the product is archived",
    "cell_error": "there is an error of the spreadsheet",
    "conflict": "another row says something else of the same, or it is there already",
    "country_code": "it is no country",
    "date_counted": "it is a number where a day should be",
    "date_order": "it would end before it starts",
    "date_order_unknown": "day and month may be either",
    "date_parsing": "it is no day",
    "date_type": "it is no day",
    "dict_type": "it is no JSON object",
    "enum": "it is none of the words that are known",
    "forbidden": "it belongs to another organisation",
    "formula": "it is a formula",
    "gtin_invalid": "it is not a GTIN",
    "gtin_not_alone": "there is more than a GTIN",
    "list_type": "it is no list",
    "missing": "it is empty",
    "no_product": "there is no such product",
    "not_called": "nothing is called so",
    "not_named": "the row does not say of what it is",
    "not_patchable": "it cannot be changed later",
    "number_rounded": "a spreadsheet has rounded it",
    "precondition_failed": "it was changed after the row was written",
    "row": "the row is no row of the table",
    "string_nul": "it has a character that no text may have",
    "string_too_long": "it is too long",
    "string_too_short": "it is too short",
    "string_type": "it is no text",
    "string_unicode": "it is not encoded as the rest",
    "too_long": "there are too many",
    "url_parsing": "it is no address of a page",
}
"""What is said of all rows that are refused over a column for the same reason, by its code."""


class Mended(NamedTuple):
    """What is to be noted of a cell, mended or passed over: its column, what was done, and why."""

    column: str
    what: str
    why: str


class WrongCell(NamedTuple):
    """What is wrong with a row: in which column, "" of the row as a whole, what stands there, why, and its code."""

    place: str
    column: str
    value: str
    why: str
    code: str

    @property
    def sentence(self) -> str:
        """All of it."""
        return sentence_of([self])

    @property
    def here(self) -> str:
        """What goes on after the row."""
        return f', column "{self.column}": {self.why}' if self.column else f": {self.why}"

    @property
    def kind(self) -> str:
        """What it has in common with other rows, in a bounded number of ways."""
        words = WORDS.get(self.code) or "it is not as it should be"
        return f'column "{self.column}": {words} ({self.code})' if self.column else f"{words} ({self.code})"


def sentence_of(refused: Sequence[WrongCell]) -> str:
    """What is wrong with a row in its first columns, "" for nothing."""
    if not refused:
        return ""
    more = f"; and in {len(refused) - MOST} more columns" if len(refused) > MOST else ""
    # A question ends the sentence.
    first, *rest = sorted(refused[:MOST], key=lambda each: each.why.endswith("?"))
    others = "".join(f"; {each.here.lstrip(', :')}" for each in rest)
    sentence = f"{first.place}{first.here}{others}{more}"
    return sentence if sentence.endswith("?") else f"{sentence}."


def of_cell(row: Row, place: str, column: str, at: int, error: NotUsable) -> WrongCell:
    """The refusal of a cell that cannot be read."""
    return _refused(place, column, shown_cell(row.cells[at]), str(error), error.code)


def of_row(row: Row, place: str) -> WrongCell:
    """The refusal of what is no row of the table."""
    return WrongCell(place, "", "", f"this row cannot be used: {row.fault}", "row")


def _refused(place: str, column: str, value: str, why: str, code: str) -> WrongCell:
    shown = excerpt(value)
    here = f'"{shown}"' if shown else "the empty cell"
    is_what = "is not a GTIN" if code.startswith("gtin") else "cannot be used"
    return WrongCell(place, excerpt(column), shown, f"{here} {is_what}: {why.removesuffix('.')}", code)


class Refusing:
    """Finds of the members that operations refuse the columns from which they came."""

    def __init__(self, columns: Columns) -> None:
        self._names = [column.name for column in columns.columns]
        self._places: dict[tuple[str, str], list[int]] = {}
        self._keys: dict[tuple[str, str], int] = {}
        for at, column in enumerate(columns.columns):
            target = column.target
            if target == NOTHING:
                continue
            self._places.setdefault((target.part, target.member), []).append(at)
            if target.key:
                self._keys[target.part, target.key] = at

    def of(self, row: Row, place: str, done: Done, unread: Sequence[WrongCell]) -> list[WrongCell]:
        """What is wrong with a row that was refused, with cells of it that are `unread`; nothing for another."""
        if not done.refusals:
            return [*unread]
        found = []
        for part, why in done.refusals:
            if isinstance(why, InvalidInput):
                found += [self._violation(row, place, part, each) for each in why.violations]
            else:
                found.append(self._stored(row, place, part, why))
        # A cell that cannot be read is missed besides, and several parts of a row say the same of one.
        told = {each.column for each in unread} - {""}
        return list(dict.fromkeys([*unread, *(each for each in found if each.column not in told)]))

    def shortened(self, row: Row, done: Done) -> Iterator[Mended]:
        """What would hold shorter by a row than it does, as with an old spreadsheet that is put in again."""
        for part in done.parts:
            if part.outcome != "changed" or part.kind == "product":
                continue
            before, after = part.change.before.lapses_on, part.change.after.lapses_on
            if after is not None and (before is None or after < before):
                at = self._at(row, part.kind, ("expiration_date",))
                what = f"{part.called}: {before or 'no end'} -> {after}"
                yield Mended(self._names[at] if at is not None else "", what, "it ends earlier than stored")

    def _violation(self, row: Row, place: str, part: str, violation: Violation) -> WrongCell:
        path = tuple(map(str, violation.path))
        at = self._at(row, part, path)
        why, code = violation.message, violation.type
        if at is None:
            return WrongCell(place, "", "", f"{excerpt('.'.join(path))}: {why.removesuffix('.')}", code)
        value = shown_cell(row.cells[at])
        if path == (GTIN.member,):
            # What is too short for a GTIN is told as somebody tells it who looks at a pack.
            why, code = (
                (why, code) if code.startswith("gtin") else (why_not_a_gtin(value.strip()) or why, "gtin_invalid")
            )
        return _refused(place, self._names[at], value, why, code)

    def _stored(self, row: Row, place: str, part: str, refusal: DomainError) -> WrongCell:
        """Of what is right by itself, and does not go with what is stored or with another row."""
        path, code = (GTIN.member,), refusal.code
        if code == "not_found":
            code = "not_called" if isinstance(refusal, NotCalled) else "no_product"
        if code == "not_called":
            path = (f"{part}_id",)
        elif code == "precondition_failed":
            path = ("version",)
        elif isinstance(refusal, Archived):
            code = "archived"
        at = self._at(row, part, path)
        why = refusal.detail.removesuffix(".")
        if at is None:
            return WrongCell(place, "", "", why, code)
        value = excerpt(shown_cell(row.cells[at]))
        return WrongCell(place, excerpt(self._names[at]), value, f'"{value}": {why}' if value else why, code)

    def _at(self, row: Row, part: str, path: Sequence[str]) -> int | None:
        """The column of a member: of several the first that is filled in."""
        if path[:1] == ("metadata",) and len(path) > 1:
            found = [at for (of, key), at in self._keys.items() if of == part and key.startswith(path[1])]
            if found:
                return found[0]
        found = self._candidates(part, path[0] if path else "")
        return next((at for at in found if row.cells[at] not in ("", None)), found[0] if found else None)

    def _candidates(self, part: str, member: str) -> list[int]:
        names = [(part, member), ("row", member)]
        if member == f"{part}_id":
            names = [*((part, each) for each in ("id", "code", "label")), ("row", f"{part}s")]
        found = [at for name in names for at in self._places.get(name, ())]
        # What labels say of a certificate has no column of its own.
        return found or (self._places.get(("row", "labels"), []) if part != "product" else [])
