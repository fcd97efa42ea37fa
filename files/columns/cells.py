"""What a cell says: values as commands take them, and what spreadsheets do to them mended or refused.

Excel loses the zeros before a number, rounds long numbers (`4.21E+10`), counts days (`45291`) and is told of texts by
`="..."`. It is mended where only one value can be meant, and that is noted; else the cell is refused.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from domain.countries import countries_called, country_called
from domain.gtin import GTIN_LENGTHS, check_digit_is_right
from domain.text import excerpt
from files.reading.table import Cell, Unread

Note = Callable[[str, str], None]
"""Takes what was mended, and why, as a kind."""

DayOrder = str
"""`dmy` or `mdy` where a column shows which it is, "" where it does not."""

_ESCAPED = ("'=", "'+", "'-", "'@", "'\t", "'\r", "'\n", "''")
_exponent = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,2}\Z")
_DIGITAL_LINK = re.compile(r"/(?:01|product)/([0-9]{8,14})(?:[/?#]|\Z)")


class NotUsable(Exception):
    """A cell that cannot be used: a `code` for why, one of `files.columns.refusing.WORDS`, and what to do.

    The text goes on after what stands in the cell.
    """

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def text_of(cell: Cell) -> str:
    """The text of a cell, "" for nothing. Raises `NotUsable`."""
    if type(cell) is str:
        if cell[:1] == "=" and cell[-1:] == '"' and cell.startswith('="') and len(cell) > 2:
            return cell[2:-1].replace('""', '"')
        return cell[1:] if cell.startswith(_ESCAPED) else cell
    if cell is None:
        return ""
    if isinstance(cell, Unread):
        raise NotUsable(cell.code, cell.why)
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, int | float):
        return str(cell)
    if isinstance(cell, list) and all(isinstance(item, str) for item in cell):
        return " ".join(cell)
    if isinstance(cell, list) and all(isinstance(item, dict) and isinstance(item.get("text"), str) for item in cell):
        # So Open Food Facts has a text in several languages in its Parquet files; one of them is the product's own.
        own = next((item for item in cell if item.get("lang") == "main"), cell[0])
        return str(own["text"])
    raise NotUsable("string_type", "it should be a text")


def check_encoding(text: str, note: Note) -> None:
    """Raises `NotUsable` for a text with bytes of another encoding; what seems to be encoded twice is noted."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotUsable(
            "string_unicode",
            "it holds bytes of another encoding than the file's; type it anew, or save the whole file as UTF-8",
        ) from None
    try:
        meant = text.encode("windows-1252").decode()
    except UnicodeError:
        return
    note(f"{excerpt(text)} may be {excerpt(meant)}", "it looks as if it had been encoded twice; correct the file if so")


def gtin_of(cell: Cell, link: Cell, note: Note) -> str:
    """The digits of a GTIN. `link` is an address of the product, if there is one. Raises `NotUsable`.

    Zeros that are missing before it are put back: padded with zeros it is the same GTIN whatever its length was, and
    the check digit says whether it is one. Whether it is is left to the operation where nothing was mended.
    """
    if type(cell) is str and len(cell) in GTIN_LENGTHS and cell.isascii() and cell.isdigit():
        return cell
    text = text_of(cell).strip().removeprefix("'").replace(" ", "").replace("-", "")
    if _exponent.match(text):
        return _from_link(text, link, note)
    if isinstance(cell, float) or (text.endswith(".0") and text[:-2].isdigit()):
        text = text.removesuffix(".0")
    has_lost = text[:1] != "0" and 7 <= len(text) < 14 and len(text) not in GTIN_LENGTHS
    if has_lost and text.isascii() and text.isdigit():
        whole = text.zfill(14)
        if check_digit_is_right(whole):
            note(f"{text} was read as {whole}", "zeros before it were lost")
            return whole
    return text


def _from_link(text: str, link: Cell, note: Note) -> str:
    """The number that a spreadsheet has rounded, by the product's address, or by itself if no digit is missing."""
    try:
        number = Decimal(text.replace(",", "."))
        digits = len(text.upper().partition("E")[0].replace(",", "").replace(".", ""))
    except InvalidOperation:
        raise NotUsable("gtin_invalid", "it is no GTIN") from None
    exact = str(int(number))
    found = _DIGITAL_LINK.search(text_of(link)) if isinstance(link, str) else None
    if found and found[1].lstrip("0")[: digits - 1] == exact[: digits - 1]:
        note(f"{text} was read as {found[1]}", "it was rounded, and the product's address has it")
        return found[1]
    if digits >= len(exact) and check_digit_is_right(exact.zfill(14)):
        note(f"{text} was read as {exact.zfill(14)}", "it is written as a power of ten, with all of its digits")
        return exact.zfill(14)
    raise NotUsable(
        "number_rounded",
        "it is a number that a spreadsheet has rounded, and its last digits are lost; format the column as text and"
        " fill it in again",
    )


_DOTTED = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})\Z")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2}\Z")
_YEAR_FIRST = re.compile(r"([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})\Z")
SLASHED = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})\Z")
_WORDED = re.compile(
    r"([0-9]{1,2})[ -]([A-Za-z]{3,9})\.?[ -]([0-9]{4})\Z|([A-Za-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})\Z"
)
_iso = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?\Z")
_SERIAL = re.compile(r"[3-7][0-9]{4}(?:\.0)?\Z")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIRST_DAY = date(1899, 12, 30)


def notation(text: str) -> str:
    """How a day is written, in a word; "" where it is none."""
    for name, form in (("iso", _iso), ("dotted", _DOTTED), ("year first", _YEAR_FIRST), ("slashed", SLASHED)):
        if form.match(text):
            return name
    return "worded" if _WORDED.match(text) else ""


def day_of(cell: Cell, order: DayOrder, exact: bool, note: Note) -> str | date:
    """The day in a cell, as `YYYY-MM-DD` or as it is. Raises `NotUsable`.

    `exact` says that the file tells how it counts days, so that a number is one day only.
    """
    if isinstance(cell, datetime):
        raise NotUsable("date_type", "it should be a day without a time")
    if isinstance(cell, date):
        return cell
    text = text_of(cell).strip()
    if _iso.match(text):
        return text[:10]
    if found := _DOTTED.match(text):
        return _day(found[3], found[2], found[1])
    if found := _YEAR_FIRST.match(text):
        return _day(*found.groups())
    if found := SLASHED.match(text):
        return _slashed(int(found[1]), int(found[2]), int(found[3]), order)
    if found := _WORDED.match(text):
        day, month, year = (found[1], found[2], found[3]) if found[1] else (found[5], found[4], found[6])
        if month[:3].lower() in _MONTHS:
            return _day(year, _MONTHS.index(month[:3].lower()) + 1, day)
    if _SHORT_YEAR.match(text):
        raise NotUsable("date_parsing", "its year has two digits; write all four, for example 2026-05-31")
    if _SERIAL.match(text):
        meant = _FIRST_DAY + timedelta(days=int(float(text)))
        if exact:
            note(f"{text} was read as {meant}", "it is a day as a spreadsheet counts it")
            return meant
        other = meant + timedelta(days=1462)
        raise NotUsable(
            "date_counted",
            f"it is a day as a spreadsheet counts it, {meant} or {other}; format the column as dates (YYYY-MM-DD)",
        )
    # What it should be, the operation says.
    return text


def _slashed(first: int, second: int, year: int, order: DayOrder) -> str:
    if first > 12 or order == "dmy" or first == second:
        return _day(year, second, first)
    if second > 12 or order == "mdy":
        return _day(year, first, second)
    raise NotUsable(
        "date_order_unknown",
        f"it is two days, {year}-{second:02}-{first:02} or {year}-{first:02}-{second:02}; write it as YYYY-MM-DD",
    )


def _day(year: Any, month: Any, day: Any) -> str:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError as error:
        raise NotUsable("date_parsing", f"it is no day, {error}; write for example 2026-05-31") from None


def day_order(texts: list[str]) -> DayOrder:
    """In which order a column has day and month, if all of its days are written alike and some tell."""
    if any(notation(text) not in ("slashed", "") for text in texts):
        return ""
    pairs = [(int(found[1]), int(found[2])) for text in texts if (found := SLASHED.match(text))]
    first, second = any(one > 12 for one, _ in pairs), any(two > 12 for _, two in pairs)
    return "" if first == second else "dmy" if first else "mdy"


_between = re.compile(r"[\s,;|]+")


def codes_of(cell: Cell) -> list[str]:
    """The codes, tags or countries of a list in one cell, each once. Raises `NotUsable`."""
    found = cell if isinstance(cell, list) else _between.split(text_of(cell))
    codes = [item.get("code") or item.get("id") if isinstance(item, dict) else item for item in found]
    if not all(isinstance(code, str) for code in codes):
        raise NotUsable("list_type", "it should be a list of codes")
    return list(dict.fromkeys(code for code in codes if code))


def tags_of(cell: Cell) -> list[str]:
    """The tags of Open Food Facts in a cell, which may have blanks in them. Raises `NotUsable`."""
    if isinstance(cell, list):
        return codes_of(cell)
    return list(dict.fromkeys(tag for part in text_of(cell).split(",") if (tag := part.strip())))


def countries_of(cell: Cell) -> list[str]:
    """Countries by their codes; names are looked up. Raises `NotUsable`."""
    if isinstance(cell, list):
        return [country_called(each) or each for each in codes_of(cell)]
    return countries_called(text_of(cell))


def country_of(cell: Cell) -> str:
    """A country by its code; a name is looked up. Raises `NotUsable`."""
    text = text_of(cell).strip()
    return country_called(text) or text


def metadata_of(cell: Cell) -> Mapping[str, Any]:
    """Metadata as a JSON object. Raises `NotUsable`."""
    if isinstance(cell, dict):
        return cell
    try:
        found = msgspec.json.decode(text_of(cell))
    except (msgspec.DecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise NotUsable("dict_type", 'it should be a JSON object, such as {"order_id": "6735"}')
    return found


def word_of(values: Mapping[str, str]) -> Callable[[Cell], str]:
    """Reads the value of an enumeration, whatever the case; `values` has them by their folded words."""

    def read(cell: Cell) -> str:
        text = text_of(cell).strip()
        return values.get(text.lower().replace(" ", "_"), text)

    return read
