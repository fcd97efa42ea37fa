"""Reading the conditions that a face sends, and which conditions each list takes.

A face hands over plain members (`{"expiration_date": {"range": {"from": ...}}}`), `parse_where` makes a `Where` of
them; `read_where` does of a JSON text. Nothing is taken for granted of either. The rules hold for every list:

- members beside each other must all hold, and so must the operators of one member;
- null is the same as absent, an object without members matches everything;
- an empty list matches nothing (`in: []`, `or: []`), except that `and: []` asks for nothing.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, TypeAdapter
from pydantic import ValidationError as PydanticValidationError

from domain.countries import Country
from domain.errors import InvalidInput, Violation
from domain.filters import EVERYTHING, Condition, Every, Not, Where, either, every, negation, one_of, size
from domain.gtin import GtinField
from domain.short_id import ShortIdField
from domain.strict_json import NestedTooDeeply, NotJson, decode
from domain.text import fold
from domain.validation import MAX_VIOLATIONS, Date, Moment, Text40, Text255, Text500, violations_of
from domain.vocabulary import ClaimCategory, ClaimSource, DataSource, Standing, VerificationStatus, Vocabulary

MAX_CONDITIONS = 50
MAX_COMPILED = 2 * MAX_CONDITIONS
"""What so many conditions may become: a range has two ends. The databases' own limits lie far above."""
MAX_DEPTH = 6
MAX_LEVELS = 4 * MAX_DEPTH
"""Of objects and lists in a JSON text: a level of a filter has a list and an object, and its end two more."""
MAX_LIST = 100
MAX_DAYS = 3660

Path = tuple[str | int, ...]


class _Reading:
    """What one `parse_where` carries along."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.violations: list[Violation] = []
        self.left = MAX_CONDITIONS

    def refuse(self, path: Path, message: str, type: str) -> Where:
        self.violations.append(Violation(path, message, type))
        return EVERYTHING

    def take(self, adapter: TypeAdapter[Any], value: object, path: Path) -> Any:
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
        self.refuse(path, "Input should be a valid list", "list_type")
        return ()


Reader = Callable[[_Reading, Any, Path, int], Where]
Fields = Mapping[str, Reader]


def parse_where(fields: Fields, members: Mapping[str, Any] | None, today: date, path: Path = ("where",)) -> Where:
    """The conditions made of plain members or typed ones. Raises `InvalidInput` naming every bad member."""
    reading = _Reading(today)
    where = _object(fields, reading, members or {}, path, 1)
    if reading.left < 0 or size(where) > MAX_COMPILED:
        message = f"A filter should have at most {MAX_CONDITIONS} conditions; ask in several requests"
        reading.refuse(path, message, "too_long")
    if reading.violations:
        raise InvalidInput(reading.violations[:MAX_VIOLATIONS])
    return where


def read_where(fields: Fields, text: str, today: date, path: Path = ("where",)) -> Where:
    """The conditions in a JSON text. Raises `InvalidInput` naming every bad member.

    Members and operators are spelled as in GraphQL (`expirationDate`) or with underscores, values of enumerations as on
    either face, so that what works there works here.
    """
    try:
        members = _in_snake(decode(text.encode()))
    except NotJson as error:
        raise InvalidInput([Violation(path, f"Input should be a JSON object: {error}", "json_invalid")]) from None
    return parse_where(fields, members, today, path)


_capital = re.compile("[A-Z]")


def _in_snake(value: Any, depth: int = 0) -> Any:
    if depth > MAX_LEVELS:
        raise NestedTooDeeply
    if isinstance(value, list):
        return [_in_snake(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    members = {
        _capital.sub(lambda found: f"_{found[0].lower()}", name): _in_snake(item, depth + 1)
        for name, item in value.items()
    }
    if len(members) < len(value):
        raise NotJson("a member stands in it in both spellings")
    return members


_JOINING = ("and", "or", "not")


def _object(fields: Fields, reading: _Reading, members: object, path: Path, depth: int) -> Where:
    if depth > MAX_DEPTH:
        message = f"A filter should nest at most {MAX_DEPTH} levels deep; write it flatter"
        return reading.refuse(path, message, "too_deep")
    parts = []
    for name, value, below in reading.members(members, fields, path, _JOINING):
        match name:
            case "and" | "or":
                items = reading.items(value, below)
                reading.left -= len(items)
                if reading.left >= 0:
                    each = [_object(fields, reading, part, (*below, at), depth + 1) for at, part in enumerate(items)]
                    parts.append(every(each) if name == "and" else either(each))
            case "not":
                parts.append(negation(_object(fields, reading, value, below, depth + 1)))
            case _:
                parts.append(fields[name](reading, value, below, depth))
    return every(parts)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    if isinstance(kind, type) and issubclass(kind, Vocabulary):
        # Its values are written as on REST's wire or by their names, as in GraphQL.
        names = kind.__members__
        by_name = BeforeValidator(lambda value: names.get(value, value) if isinstance(value, str) else value)
        return TypeAdapter(Annotated[kind, by_name])
    return TypeAdapter(kind)


EXACT = ("eq", "in")
TEXTS = (*EXACT, "starts_with")
NAMES = (*TEXTS, "contains")
COUNTRIES = (*EXACT, "is_empty")
DAYS = ("eq", "range", "is_null")
MOMENTS = ("range",)
"""Operators of one kind of members; the schema has an input object for each."""


def _compared(member: str, kind: Any, operators: tuple[str, ...] = EXACT) -> Reader:
    """These operators of a member of that kind of values."""
    adapter = _adapter(kind)

    def read(reading: _Reading, asked: Any, path: Path, depth: int) -> Where:
        parts: list[Where] = []
        for name, value, below in reading.members(asked, operators, path):
            reading.left -= 1
            match name:
                case "eq":
                    parts.append(Condition(member, "eq", reading.take(adapter, value, below)))
                case "in":
                    parts.append(_among(reading, member, adapter, value, below))
                case "range":
                    parts.append(_range(reading, member, adapter, value, below))
                case "is_null":
                    parts.append(Condition(member, "null" if reading.take(_bool, value, below) else "known"))
                case "is_empty":
                    parts.append(_empty(member, "", reading.take(_bool, value, below)))
                case "starts_with":
                    parts.append(prefix(member, reading.take(adapter, value, below) or ""))
                case _:
                    parts.append(Condition(member, "contains", reading.take(adapter, value, below)))
        return every(parts)

    return read


_bool = _adapter(StrictBool)


def _among(
    reading: _Reading, member: str, adapter: TypeAdapter[Any], value: object, path: Path, operator: str = "eq"
) -> Where:
    values = reading.items(value, path)
    if len(values) > MAX_LIST:
        message = f"List should have at most {MAX_LIST} items; ask in several requests"
        return reading.refuse(path, message, "too_long")
    taken = tuple(dict.fromkeys(reading.take(adapter, value, (*path, at)) for at, value in enumerate(values)))
    return one_of(member, taken, operator)


def _empty(member: str, empty: object, value: bool) -> Where:
    is_empty = Condition(member, "eq", empty)
    return is_empty if value else Not(is_empty)


def _range(reading: _Reading, member: str, adapter: TypeAdapter[Any], value: object, path: Path) -> Where:
    ends = {name: (end, below) for name, end, below in reading.members(value, ("from", "to"), path)}
    parts: list[Where] = [
        Condition(member, "gte" if name == "from" else "lte", reading.take(adapter, *ends[name]))
        for name in ("from", "to")
        if name in ends
    ]
    if member in ("expiration_date", "lapses_on") and "to" not in ends:
        # What has no end ends after every day, but lies in no span.
        parts.append(Condition(member, "known"))
    return every(parts)


def prefix(member: str, start: str) -> Where:
    """The member's text starts so; as a range, which an index of either database answers."""
    return Every((Condition(member, "gte", start), Condition(member, "lt", start + "\U0010ffff")))


def _flag(member: str, where: Callable[[bool], Where]) -> Reader:
    def read(reading: _Reading, value: Any, path: Path, depth: int) -> Where:
        reading.left -= 1
        return where(reading.take(_bool, value, path))

    return read


def _referring(member: str, fields: Callable[[], Fields], *, optional: bool = False) -> Reader:
    """The member refers to a record on which there are conditions of its own.

    Where there may be none it is a condition by itself: that there is one.
    """

    def read(reading: _Reading, members: Any, path: Path, depth: int) -> Where:
        reading.left -= optional
        inner = _object(fields(), reading, members, path, depth + 1)
        return EVERYTHING if inner == EVERYTHING and not optional else Condition(member, "where", inner)

    return read


def _inside(member: str, reader: Reader) -> Reader:
    """A condition on the record that the member refers to."""

    def read(reading: _Reading, value: Any, path: Path, depth: int) -> Where:
        inner = reader(reading, value, path, depth)
        return EVERYTHING if inner == EVERYTHING else Condition(member, "where", inner)

    return read


def _countries(member: str) -> Reader:
    adapter = _adapter(Country)

    def read(reading: _Reading, operators: Any, path: Path, depth: int) -> Where:
        parts: list[Where] = []
        for name, value, below in reading.members(operators, COUNTRIES, path):
            reading.left -= 1
            match name:
                case "eq":
                    parts.append(Condition(member, "has", reading.take(adapter, value, below)))
                case "is_empty":
                    parts.append(_empty(member, (), reading.take(_bool, value, below)))
                case _:
                    parts.append(_among(reading, member, adapter, value, below, "has"))
        return every(parts)

    return read


_key: TypeAdapter[str] = TypeAdapter(Text40)
_value: TypeAdapter[str] = TypeAdapter(Annotated[Text500, Field(min_length=1)])


def _metadata(reading: _Reading, entry: Any, path: Path, depth: int) -> Where:
    reading.left -= 1
    given = {name: value for name, value, _ in reading.members(entry, ("key", "eq"), path)}
    key = reading.take(_key, given.get("key"), (*path, "key"))
    value = reading.take(_value, given.get("eq"), (*path, "eq"))
    return Condition("metadata", "has", (key, value))


STANDINGS = (*EXACT, "on")
_standing = _adapter(Standing)
_int = _adapter(StrictInt)
_day = _adapter(Date)


def _lapsing(member: str) -> Fields:
    """The conditions on the day on which an assignment lapses, which is that member."""

    def within(reading: _Reading, window: Any, path: Path, depth: int) -> Where:
        reading.left -= 1
        given = {name: value for name, value, _ in reading.members(window, ("days",), path)}
        days = reading.take(_int, given.get("days"), (*path, "days"))
        if days is None:
            return EVERYTHING
        if not 0 <= days <= MAX_DAYS:
            message = f"Input should be between 0 and {MAX_DAYS}"
            return reading.refuse((*path, "days"), message, "out_of_range")
        last = reading.today + timedelta(days=days)
        return Every((Condition(member, "gte", reading.today), Condition(member, "lte", last)))

    def standing(reading: _Reading, operators: Any, path: Path, depth: int) -> Where:
        given = {name: (value, below) for name, value, below in reading.members(operators, STANDINGS, path)}
        day = reading.take(_day, *given["on"]) if "on" in given else reading.today
        parts: list[Where] = []
        for name in EXACT:
            if name not in given:
                continue
            value, below = given[name]
            asked = reading.items(value, below) if name == "in" else [value]
            standings = dict.fromkeys(reading.take(_standing, each, below) for each in asked)
            reading.left -= len(standings)
            parts.append(either(stands(each, day) for each in standings))
        return every(parts)

    def stands(standing: Standing, day: date) -> Where:
        # As `domain.validity.standing`.
        if standing is Standing.LAPSED:
            return Condition(member, "lt", day)
        begun = Condition("valid_from", "open_lte", day)
        return Every((begun if standing is Standing.CURRENT else Not(begun), Condition(member, "open_gte", day)))

    return {
        "lapses_on": _compared(member, Date, DAYS),
        "lapses_within": within,
        "expiring_within": within,
        "standing": standing,
    }


def _active_on(reading: _Reading, value: Any, path: Path, depth: int) -> Where:
    reading.left -= 1
    day = reading.take(_day, value, path)
    # As `domain.validity.is_active`: both bounds count, a missing one is open.
    return Every((Condition("valid_from", "open_lte", day), Condition("expiration_date", "open_gte", day)))


def _name(reading: _Reading, operators: Any, path: Path, depth: int) -> Where:
    # The stored text that is searched begins with the folded name and a line break.
    parts: list[Where] = []
    for operator, value, below in reading.members(operators, ("eq", "starts_with"), path):
        reading.left -= 1
        start = reading.take(_folded, value, below) or ""
        parts.append(prefix("search_text", start + "\n" if operator == "eq" else start))
    return every(parts)


def _search(reading: _Reading, value: Any, path: Path, depth: int) -> Where:
    reading.left -= 1
    part = reading.take(_folded, value, path)
    return Condition("search_text", "contains", part) if part else EVERYTHING


Folded = Annotated[Text255, AfterValidator(fold)]
"""A text of which upper and lower case are the same."""
_folded: TypeAdapter[str] = TypeAdapter(Folded)

BODIES: Fields = {
    "id": _compared("id", ShortIdField),
    "code": _compared("code", Folded, NAMES),
    "name": _compared("name", Folded, NAMES),
    "country": _compared("country", Country, COUNTRIES),
    "kind": _compared("kind", Folded),
}

CERTIFICATIONS: Fields = {
    "id": _compared("id", ShortIdField),
    "code": _compared("code", Folded, NAMES),
    "label": _compared("label", Folded, NAMES),
    "body": _referring("body", lambda: BODIES, optional=True),
    "is_private": _flag("organization_id", lambda value: Condition("organization_id", "known" if value else "null")),
}

CLAIMS: Fields = {
    "id": _compared("id", ShortIdField),
    "code": _compared("code", Folded, NAMES),
    "label": _compared("label", Folded, NAMES),
    "category": _compared("category", ClaimCategory),
    "requires_definition": _flag("requires_definition", lambda value: Condition("requires_definition", "eq", value)),
}

CERTIFICATION_ASSIGNMENTS: Fields = {
    "id": _compared("id", ShortIdField),
    "gtin": _compared("gtin", GtinField),
    "certification": _referring("certification", lambda: CERTIFICATIONS),
    "body": _inside("certification", _referring("body", lambda: BODIES, optional=True)),
    "certificate_number": _compared("certificate_number", Text255, TEXTS),
    "verification_status": _compared("verification_status", VerificationStatus),
    "country": _countries("certificate_countries"),
    "expiration_date": _compared("expiration_date", Date, DAYS),
    **_lapsing("lapses_on"),
    "active_on": _active_on,
    "updated_at": _compared("updated_at", Moment, MOMENTS),
    "metadata": _metadata,
}

CLAIM_ASSIGNMENTS: Fields = {
    "id": _compared("id", ShortIdField),
    "gtin": _compared("gtin", GtinField),
    "claim": _referring("claim", lambda: CLAIMS),
    "category": _inside("claim", _compared("category", ClaimCategory)),
    "source": _compared("source", ClaimSource),
    "expiration_date": _compared("expiration_date", Date, DAYS),
    **_lapsing("expiration_date"),
    "active_on": _active_on,
    "updated_at": _compared("updated_at", Moment, MOMENTS),
    "metadata": _metadata,
}

PRODUCTS: Fields = {
    "gtin": _compared("gtin", GtinField),
    "id": _compared("id", ShortIdField),
    "name": _name,
    "brand": _compared("folded_brand", Folded, TEXTS),
    "search": _search,
    "country_of_origin": _compared("country_of_origin", Country, COUNTRIES),
    "data_source": _compared("data_source", DataSource),
    "organization": _compared("organization_id", ShortIdField),
    "updated_at": _compared("updated_at", Moment, MOMENTS),
    "metadata": _metadata,
}
