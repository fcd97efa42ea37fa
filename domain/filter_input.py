"""Reading the conditions that a face sends, and what it can send: `domain.lists` says which list takes which.

A face hands over plain members (`{"expiration_date": {"range": {"from": ...}}}`), `parse_where` makes a `Where` of
them; `read_where` does of a JSON text. Nothing is taken for granted of either. The rules hold for every list:

- members beside each other must all hold, and so must the operators of one member;
- null is the same as absent, an object without members matches everything;
- an empty list matches nothing (`in: []`, `or: []`), except that `and: []` asks for nothing.

The functions below that make a `Filter` are what a list is declared with. `member` is that of the records.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, TypeAdapter
from pydantic import ValidationError as PydanticValidationError

from domain.countries import Country
from domain.errors import InvalidInput, Violation
from domain.filters import (
    ACKNOWLEDGED,
    EVERYTHING,
    NOTHING,
    Condition,
    Every,
    Not,
    Where,
    either,
    every,
    negation,
    one_of,
    size,
)
from domain.gtin import GtinField, sought
from domain.short_id import ShortId, ShortIdField
from domain.strict_json import NestedTooDeeply, NotJson, decode
from domain.text import fold
from domain.validation import MAX_VIOLATIONS, Date, MetadataKey, Moment, Text255, Text500, end_of_second, violations_of
from domain.vocabulary import Standing, Vocabulary

MAX_CONDITIONS = 50
MAX_COMPILED = 2 * MAX_CONDITIONS
"""What so many conditions may become: a range has two ends. The databases' own limits lie far above."""
MAX_DEPTH = 6
MAX_LEVELS = 4 * MAX_DEPTH
"""Of objects and lists in a JSON text: a level of a filter has a list and an object, and its end two more."""
MAX_LIST = 100
MAX_DAYS = 3660

Path = tuple[str | int, ...]


class Reading:
    """What one `parse_where` carries along."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.violations: list[Violation] = []
        self.left = MAX_CONDITIONS
        self.depth = 0

    def refuse(self, path: Path, message: str, type: str) -> Where:
        """Notes what is wrong."""
        self.violations.append(Violation(path, message, type))
        return EVERYTHING

    def take(self, adapter: TypeAdapter[Any], value: object, path: Path) -> Any:
        """The value as its rules make it; what is wrong with it is noted."""
        try:
            return adapter.validate_python(value)
        except PydanticValidationError as error:
            self.violations += violations_of(error, *path)
            return None

    def members(
        self, value: object, known: Collection[str], path: Path, also: Collection[str] = ()
    ) -> Iterator[tuple[str, Any, Path]]:
        """The members of an object with their paths, without those that are null. Refuses what is not known."""
        if not isinstance(value, Mapping):
            self.refuse(path, "Input should be an object", "dict_type")
            return
        for name, member in value.items():
            if name not in known and name not in also:
                message = f"Input should be one of {', '.join((*known, *also))}"
                self.refuse((*path, name[:60]), message, "extra_forbidden")
            elif member is not None:
                yield name, member, (*path, name)

    def items(self, value: object, path: Path) -> Sequence[Any]:
        """The items of a list. Refuses what is none."""
        if isinstance(value, list | tuple):
            return value
        self.refuse(path, "Input should be a list", "list_type")
        return ()


class InputMember(NamedTuple):
    """What an input object of a face has under one name."""

    type: Any
    """A type of Python, or an `Input`."""
    words: str
    many: bool = False
    """Whether it is a list of such values."""


class Input(NamedTuple):
    """An input object of a face. Its members may be left out, unless all are required."""

    name: str
    words: str
    members: Mapping[str, InputMember]
    required: bool = False


class Filter(NamedTuple):
    """What a list can be narrowed down by, under one name: what a face takes for it, and how that is read."""

    type: Any
    """A type of Python, an `Input`, or the fields of the records that it leads to."""
    words: str
    read: Callable[[Reading, Any, Path], Where]


Fields = Mapping[str, Filter]

TOGETHER = {
    "and": "All of these hold.",
    "or": "At least one of these holds; an empty list matches nothing.",
    "not": "This does not hold; what is not recorded counts as not holding.",
}
"""What stands beside the fields of every list: other filters of it."""


def parse_where(fields: Fields, members: Mapping[str, Any] | None, today: date, path: Path = ("where",)) -> Where:
    """The conditions made of plain members or typed ones. Raises `InvalidInput` naming every bad member."""
    reading = Reading(today)
    where = _object(fields, reading, {} if members is None else members, path)
    if reading.left < 0 or size(where) > MAX_COMPILED:
        message = f"A filter should have at most {MAX_CONDITIONS} conditions; ask in several requests"
        reading.refuse(path, message, "too_long")
    if reading.violations:
        raise InvalidInput(reading.violations[:MAX_VIOLATIONS])
    return where


def read_where(fields: Fields, text: str | None, today: date, path: Path = ("where",)) -> Where:
    """The conditions in a JSON text, if there is one. Raises `InvalidInput` naming every bad member.

    Members and operators are spelled as in GraphQL (`expirationDate`) or with underscores, values of enumerations as on
    either face, so that what works there works here.
    """
    if text is None:
        return EVERYTHING
    try:
        members = in_snake(decode(text.encode()))
    except NotJson as error:
        raise InvalidInput([Violation(path, f"Input should be a JSON object: {error}", "json_invalid")]) from None
    return parse_where(fields, members, today, path)


_capital = re.compile("[A-Z]")


def in_snake(value: Any, depth: int = 0) -> Any:
    """A `where` with its members spelled with underscores. Raises `NestedTooDeeply` or `NotJson`."""
    if depth > MAX_LEVELS:
        raise NestedTooDeeply
    if isinstance(value, list):
        return [in_snake(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    members = {
        _capital.sub(lambda found: f"_{found[0].lower()}", name): in_snake(item, depth + 1)
        for name, item in value.items()
    }
    if len(members) < len(value):
        raise NotJson("a member stands in it in both spellings")
    return members


def _object(fields: Fields, reading: Reading, members: object, path: Path) -> Where:
    if reading.depth == MAX_DEPTH:
        message = f"A filter should nest at most {MAX_DEPTH} levels deep; write it flatter"
        return reading.refuse(path, message, "too_deep")
    reading.depth += 1
    parts = []
    for name, value, below in reading.members(members, fields, path, TOGETHER):
        match name:
            case "and" | "or":
                items = reading.items(value, below)
                reading.left -= len(items)
                if reading.left >= 0:
                    each = [_object(fields, reading, part, (*below, at)) for at, part in enumerate(items)]
                    parts.append(every(each) if name == "and" else either(each))
            case "not":
                parts.append(negation(_object(fields, reading, value, below)))
            case _:
                parts.append(fields[name].read(reading, value, below))
    reading.depth -= 1
    return every(parts)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    if isinstance(kind, type) and issubclass(kind, Vocabulary):
        # Its values are written as on REST's wire or by their names, as in GraphQL.
        names = kind.__members__
        by_name = BeforeValidator(lambda value: names.get(value, value) if isinstance(value, str) else value)
        return TypeAdapter(Annotated[kind, by_name])
    return TypeAdapter(kind)


class Values(NamedTuple):
    """A kind of values: the operators of conditions on them, and their rules."""

    operators: Input
    rules: TypeAdapter[Any]
    is_list: bool = False
    """Whether a record has a list of them."""
    ending: str = ""
    """What stands behind a whole value in a member that goes on with others."""


_ENDS = {"from": "gte", "to": "lte"}


def _span(name: str, kind: Any, word: str, more: str = "") -> Input:
    ends = {"from": InputMember(kind, f"The first {word}."), "to": InputMember(kind, f"The last {word}{more}.")}
    return Input(name, f"A span of {word}s; both ends are included, and either may be left out.", ends)


_SPANS = {
    date: _span("DateRange", date, "day"),
    datetime: _span("DateTimeRange", datetime, "moment", "; to the second: all of that"),
}
_OPERATORS = {
    "eq": "It is this.",
    "in": f"One of these, at most {MAX_LIST}; an empty list matches nothing.",
    "starts_with": "It begins so.",
    "contains": "This is a part of it.",
    "range": "It lies in this span; what is missing lies in none.",
    "is_null": "Whether it is missing.",
    "is_empty": "Whether none is recorded.",
}


def _values(name: str, words: str, kind: Any, rules: Any, *operators: str, **said: str) -> Values:
    """What faces take as `kind`; what is `said` of an operator stands for its usual words."""
    kinds = {"range": _SPANS.get(kind), "is_null": bool, "is_empty": bool}
    members = {
        each: InputMember(kinds.get(each, kind), said.get(each, _OPERATORS[each]), many=each == "in")
        for each in operators
    }
    told = f"Which {words} are looked for. All operators that are given must hold."
    return Values(Input(f"{name}Filter", told, members), _adapter(rules))


Folded = Annotated[Text255, AfterValidator(fold)]
"""A text of which upper and lower case are the same."""

ID = _values("ID", "values", ShortId, ShortIdField, "eq", "in")
GTIN = _values("Exact", "values", str, GtinField, "eq", "in")
KIND = _values("Exact", "values", str, Folded, "eq", "in")
TEXT = _values("Text", "texts, as they are written,", str, Text255, "eq", "in", "starts_with")
NAME = _values("Name", "names, whatever the case,", str, Folded, "eq", "in", "starts_with", "contains")
PRODUCT_NAME = _values("ProductName", "names, whatever the case,", str, Folded, "eq", "starts_with")._replace(
    ending="\n"
)
BRAND = _values("Brand", "brands, whatever the case,", str, Folded, "eq", "in", "starts_with")
PRESENCE = _values("Presence", "texts", str, str, "is_empty")
DATE = _values("Date", "days", date, Date, "eq", "range", "is_null")
MOMENT = _values("DateTime", "moments", datetime, Moment, "range")
_any = "It is this country, or this one is among them."
COUNTRY = _values("Country", "countries, by ISO 3166-1 alpha-2 code,", str, Country, "eq", "in", "is_empty", eq=_any)
COUNTRIES = COUNTRY._replace(is_list=True)


@cache
def one_of_the(enumeration: type[Vocabulary]) -> Values:
    """The values of an enumeration."""
    return _values(enumeration.__name__, "values", enumeration, enumeration, "eq", "in")


def compared(member: str, values: Values, words: str) -> Filter:
    """Conditions on a member that has such a value, or a list of them."""
    rules, operators = values.rules, values.operators
    equal, empty = ("has", ()) if values.is_list else ("eq", "")

    def read(reading: Reading, asked: Any, path: Path) -> Where:
        parts: list[Where] = []
        for name, value, below in reading.members(asked, operators.members, path):
            reading.left -= 1
            match name:
                case "eq" if values.ending:
                    parts.append(prefix(member, (reading.take(rules, value, below) or "") + values.ending))
                case "eq":
                    parts.append(Condition(member, equal, reading.take(rules, value, below)))
                case "in":
                    parts.append(one_of(member, _among(reading, rules, value, below), equal))
                case "range":
                    parts.append(_range(reading, member, values, value, below))
                case "is_null":
                    parts.append(Condition(member, "null" if reading.take(_bool, value, below) else "known"))
                case "is_empty":
                    none = Condition(member, "eq", empty)
                    parts.append(none if reading.take(_bool, value, below) else Not(none))
                case "starts_with":
                    parts.append(prefix(member, reading.take(rules, value, below) or ""))
                case _:
                    parts.append(Condition(member, "contains", reading.take(rules, value, below)))
        return every(parts)

    return Filter(operators, words, read)


def _among(reading: Reading, rules: TypeAdapter[Any], value: object, path: Path) -> tuple[Any, ...]:
    values = reading.items(value, path)
    if len(values) > MAX_LIST:
        reading.refuse(path, f"List should have at most {MAX_LIST} items; ask in several requests", "too_long")
        return ()
    return tuple(dict.fromkeys(reading.take(rules, value, (*path, at)) for at, value in enumerate(values)))


def _range(reading: Reading, member: str, values: Values, value: object, path: Path) -> Where:
    ends = {name: (end, below) for name, end, below in reading.members(value, _ENDS, path)}
    taken = {name: reading.take(values.rules, *end) for name, end in ends.items()}
    if values is MOMENT and taken.get("to") is not None:
        taken["to"] = end_of_second(taken["to"])
    parts: list[Where] = [Condition(member, _ENDS[name], taken[name]) for name in _ENDS if name in taken]
    if values is DATE and "to" not in ends:
        # A day that is not recorded comes after all others, but lies in no span.
        parts.append(Condition(member, "known"))
    return every(parts)


def prefix(member: str, start: str) -> Where:
    """The member's text starts so; as a range, which an index of either database answers."""
    return Every((Condition(member, "gte", start), Condition(member, "lt", start + "\U0010ffff")))


_bool = _adapter(StrictBool)


def single(kind: Any, where: Callable[[Reading, Any, Path], Where], words: str) -> Filter:
    """One condition with a value of that kind."""

    def read(reading: Reading, value: Any, path: Path) -> Where:
        reading.left -= 1
        return where(reading, value, path)

    return Filter(kind, words, read)


def flag(where: Callable[[bool], Where], words: str) -> Filter:
    """A condition that holds or not."""
    return single(bool, lambda reading, value, path: where(reading.take(_bool, value, path)), words)


def referring(member: str, fields: Fields, words: str, *, optional: bool = False) -> Filter:
    """Conditions on the record that the member refers to.

    Where there may be none it is a condition by itself: that there is one.
    """

    def read(reading: Reading, members: Any, path: Path) -> Where:
        reading.left -= optional
        inner = _object(fields, reading, members, path)
        return EVERYTHING if inner == EVERYTHING and not optional else Condition(member, "where", inner)

    return Filter(fields, words, read)


_QUANTIFIERS = {
    "some": "At least one passes; `{}` asks for any at all.",
    "none": "None passes; `{}` asks for products that have none at all.",
    "every": "All pass, or there are none.",
}


def having(member: str, name: str, fields: Fields, words: str) -> Filter:
    """Conditions on the records that belong to it, of which there are any number; the input has that name."""
    asked = {each: InputMember(fields, told) for each, told in _QUANTIFIERS.items()}
    operators = Input(name, "What is asked of all that it has. All operators that are given must hold.", asked)

    def read(reading: Reading, value: Any, path: Path) -> Where:
        parts: list[Where] = []
        for quantifier, members, below in reading.members(value, operators.members, path):
            reading.left -= 1
            inner = _object(fields, reading, members, below)
            some = Condition(member, "some", negation(inner) if quantifier == "every" else inner)
            parts.append(some if quantifier == "some" else Not(some))
        return every(parts)

    return Filter(operators, words, read)


def inside(member: str, inner: Filter) -> Filter:
    """The same filter, of the record that the member refers to."""

    def read(reading: Reading, value: Any, path: Path) -> Where:
        where = inner.read(reading, value, path)
        return EVERYTHING if where == EVERYTHING else Condition(member, "where", where)

    return inner._replace(read=read)


_DAYS = Input(
    "Within",
    "A number of days from today on.",
    {"days": InputMember(int, f"How many, 0 to {MAX_DAYS}; 0 is today alone.")},
    required=True,
)
_ENTRY = Input(
    "MetadataFilter",
    "An entry of the metadata.",
    {"key": InputMember(str, "Its key."), "eq": InputMember(str, "Its value, exactly.")},
    required=True,
)
_key = _adapter(MetadataKey)
_value = _adapter(Annotated[Text500, Field(min_length=1)])
_int = _adapter(StrictInt)


def entry(member: str, words: str) -> Filter:
    """A condition on an entry of a map of texts."""

    def where(reading: Reading, asked: Any, path: Path) -> Where:
        given = {name: value for name, value, _ in reading.members(asked, _ENTRY.members, path)}
        key = reading.take(_key, given.get("key"), (*path, "key"))
        value = reading.take(_value, given.get("eq"), (*path, "eq"))
        return Condition(member, "has", (key, value))

    return single(_ENTRY, where, words)


def mine(words: str) -> Filter:
    """That an organisation of whoever asks owns it."""
    own = Condition("organization_id", "own")
    return flag(lambda value: own if value else Not(own), words)


def within(member: str, words: str) -> Filter:
    """That a date lies within some days from today on."""

    def where(reading: Reading, window: Any, path: Path) -> Where:
        given = {name: value for name, value, _ in reading.members(window, _DAYS.members, path)}
        days = reading.take(_int, given.get("days"), (*path, "days"))
        if days is None:
            return EVERYTHING
        if not 0 <= days <= MAX_DAYS:
            message = f"Input should be between 0 and {MAX_DAYS}"
            return reading.refuse((*path, "days"), message, "out_of_range")
        last = reading.today + timedelta(days=min(days, (date.max - reading.today).days))
        return Every((Condition(member, "gte", reading.today), Condition(member, "lte", last)))

    return single(_DAYS, where, words)


def standing(lapse: str, words: str, *, halts: bool = False) -> Filter:
    """How an assignment stands on a day, by `valid_from` and the member that says when it lapses.

    Only of what `halts` there are suspensions and withdrawals.
    """
    operators, rules = one_of_the(Standing)[:2]
    on = InputMember(date, "The day; today (UTC) if left out.")
    operators = operators._replace(members={**operators.members, "on": on})

    def read(reading: Reading, asked: Any, path: Path) -> Where:
        given = {name: (value, below) for name, value, below in reading.members(asked, operators.members, path)}
        day = reading.today
        if "on" in given:
            day = reading.take(DATE.rules, *given.pop("on"))
            if not given:
                message = "Send eq or in beside on: they say how it is to stand on that day"
                return reading.refuse((*path, "eq"), message, "missing")
        parts: list[Where] = []
        for name, (value, below) in given.items():
            several = name == "in"
            standings = _among(reading, rules, value, below) if several else (reading.take(rules, value, below),)
            reading.left -= len(standings)
            parts.append(either(stands(each, day) for each in standings))
        return every(parts)

    def stands(standing: Standing, day: date) -> Where:
        # As `domain.validity.standing` and `standing_of_certificate`.
        lasts = Condition(lapse, "open_gte", day)
        if not halts:
            return _of_claim(standing, Condition("valid_from", "open_lte", day), lasts, Condition(lapse, "lt", day))
        is_withdrawn = Condition("withdrawn", "on", day)
        match standing:
            case Standing.CURRENT:
                return Every((Condition("held", "on", day), lasts))
            case Standing.LAPSED:
                return Every((Condition(lapse, "lt", day), Not(is_withdrawn)))
            case Standing.WITHDRAWN:
                return Every((_HALTED, is_withdrawn))
            case Standing.SUSPENDED:
                return Every((_HALTED, Condition("suspended", "on", day), lasts))
        return Every((Not(Condition("begun", "on", day)), lasts, Not(is_withdrawn)))

    return Filter(operators, words, read)


_HALTED = Condition("halts_on", "known")
"""What suspended and withdrawn certificates have in common: an index has them alone."""


def _of_claim(standing: Standing, has_begun: Condition, lasts: Where, has_lapsed: Where) -> Where:
    match standing:
        case Standing.CURRENT:
            return Every((has_begun, lasts))
        case Standing.LAPSED:
            return has_lapsed
        case Standing.NOT_YET:
            return Every((Not(has_begun), lasts))
    return NOTHING


def active(words: str, *, halts: bool = False) -> Filter:
    """That an assignment is active on a day."""

    def where(reading: Reading, value: Any, path: Path) -> Where:
        day = reading.take(DATE.rules, value, path)
        # As `domain.validity.is_active` and `is_held`: both bounds count, a missing one is open.
        begun = Condition("active", "on", day) if halts else Condition("valid_from", "open_lte", day)
        return Every((begun, Condition("expiration_date", "open_gte", day)))

    return single(date, where, words)


def acknowledged(words: str) -> Filter:
    """That somebody has taken the lapse on, today."""

    def where(reading: Reading, value: Any, path: Path) -> Where:
        taken_on = Condition(ACKNOWLEDGED, "on", reading.today)
        return taken_on if reading.take(_bool, value, path) else Not(taken_on)

    return single(bool, where, words)


def search(words: str) -> Filter:
    """That a product has a text in its name, brand or GTIN."""

    def where(reading: Reading, value: Any, path: Path) -> Where:
        part = reading.take(NAME.rules, value, path)
        return Condition("search_text", "contains", sought(part)) if part else EVERYTHING

    return single(str, where, words)
