"""Reading the conditions that a face sends, and which conditions each list takes.

A face hands over plain members (`{"expiration_date": {"range": {"from": ...}}}`), `parse_where` makes a `Where` of
them. Its rules hold for every list:

- members beside each other must all hold, and so must the operators of one member;
- null is the same as absent, an object without members matches everything;
- an empty list matches nothing (`in: []`, `or: []`), except that `and: []` asks for nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter
from pydantic import ValidationError as PydanticValidationError

from domain.countries import Country
from domain.errors import InvalidInput, Violation
from domain.filters import EVERYTHING, Condition, Every, Not, Where, either, every, negation, one_of, size
from domain.gtin import GtinField
from domain.short_id import ShortIdField
from domain.text import fold
from domain.validation import MAX_VIOLATIONS, Date, Moment, Text40, Text255, Text500, violations_of
from domain.vocabulary import ClaimCategory, ClaimSource, DataSource, Standing, VerificationStatus

MAX_CONDITIONS = 50
MAX_COMPILED = 2 * MAX_CONDITIONS
"""What so many conditions may become: a range has two ends. The databases' own limits lie far above."""
MAX_DEPTH = 6
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


def _object(fields: Fields, reading: _Reading, members: Mapping[str, Any], path: Path, depth: int) -> Where:
    if depth > MAX_DEPTH:
        message = f"A filter should nest at most {MAX_DEPTH} levels deep; write it flatter"
        return reading.refuse(path, message, "too_deep")
    parts = []
    for name, value in members.items():
        if value is None:
            continue
        below = (*path, name)
        match name:
            case "and" | "or":
                reading.left -= len(value)
                if reading.left >= 0:
                    each = [_object(fields, reading, part, (*below, at), depth + 1) for at, part in enumerate(value)]
                    parts.append(every(each) if name == "and" else either(each))
            case "not":
                parts.append(negation(_object(fields, reading, value, below, depth + 1)))
            case _:
                parts.append(fields[name](reading, value, below, depth))
    return every(parts)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _compared(member: str, kind: Any) -> Reader:
    """`eq`, `in`, `range`, `is_null`, `is_empty`, `starts_with` and `contains` of a member of that kind of values.

    Which of them a member has is the schema's to say.
    """
    adapter = _adapter(kind)

    def read(reading: _Reading, operators: Mapping[str, Any], path: Path, depth: int) -> Where:
        parts: list[Where] = []
        for name, value in operators.items():
            if value is None:
                continue
            reading.left -= 1
            below = (*path, name)
            match name:
                case "eq":
                    parts.append(Condition(member, "eq", reading.take(adapter, value, below)))
                case "in":
                    parts.append(_among(reading, member, adapter, value, below))
                case "range":
                    parts.append(_range(reading, member, adapter, value, below))
                case "is_null":
                    parts.append(Condition(member, "null" if value else "known"))
                case "is_empty":
                    parts.append(_empty(member, "", value))
                case "starts_with":
                    parts.append(prefix(member, reading.take(adapter, value, below) or ""))
                case "contains":
                    parts.append(Condition(member, "contains", reading.take(adapter, value, below)))
                case _:
                    raise KeyError(name)
        return every(parts)

    return read


def _among(
    reading: _Reading, member: str, adapter: TypeAdapter[Any], values: Sequence[Any], path: Path, operator: str = "eq"
) -> Where:
    if len(values) > MAX_LIST:
        message = f"List should have at most {MAX_LIST} items; ask in several requests"
        return reading.refuse(path, message, "too_long")
    taken = tuple(dict.fromkeys(reading.take(adapter, value, (*path, at)) for at, value in enumerate(values)))
    return one_of(member, taken, operator)


def _empty(member: str, empty: object, value: bool) -> Where:
    is_empty = Condition(member, "eq", empty)
    return is_empty if value else Not(is_empty)


def _range(reading: _Reading, member: str, adapter: TypeAdapter[Any], ends: Mapping[str, Any], path: Path) -> Where:
    first, last = ends.get("from"), ends.get("to")
    parts: list[Where] = []
    if first is not None:
        parts.append(Condition(member, "gte", reading.take(adapter, first, (*path, "from"))))
    if last is not None:
        parts.append(Condition(member, "lte", reading.take(adapter, last, (*path, "to"))))
    if member in ("expiration_date", "lapses_on") and last is None:
        # What has no end ends after every day, but lies in no span.
        parts.append(Condition(member, "known"))
    return every(parts)


def prefix(member: str, start: str) -> Where:
    """The member's text starts so; as a range, which an index of either database answers."""
    return Every((Condition(member, "gte", start), Condition(member, "lt", start + "\U0010ffff")))


def _flag(member: str, where: Callable[[bool], Where]) -> Reader:
    def read(reading: _Reading, value: bool, path: Path, depth: int) -> Where:
        reading.left -= 1
        return where(value)

    return read


def _referring(member: str, fields: Callable[[], Fields], *, optional: bool = False) -> Reader:
    """The member refers to a record on which there are conditions of its own.

    Where there may be none it is a condition by itself: that there is one.
    """

    def read(reading: _Reading, members: Mapping[str, Any], path: Path, depth: int) -> Where:
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
    adapter: TypeAdapter[str] = TypeAdapter(Country)

    def read(reading: _Reading, operators: Mapping[str, Any], path: Path, depth: int) -> Where:
        parts: list[Where] = []
        for name, value in operators.items():
            if value is None:
                continue
            reading.left -= 1
            match name:
                case "eq":
                    parts.append(Condition(member, "has", reading.take(adapter, value, (*path, name))))
                case "is_empty":
                    parts.append(_empty(member, (), value))
                case _:
                    parts.append(_among(reading, member, adapter, value, (*path, name), "has"))
        return every(parts)

    return read


_key: TypeAdapter[str] = TypeAdapter(Text40)
_value: TypeAdapter[str] = TypeAdapter(Annotated[Text500, Field(min_length=1)])


def _metadata(reading: _Reading, entry: Mapping[str, Any], path: Path, depth: int) -> Where:
    reading.left -= 1
    key = reading.take(_key, entry["key"], (*path, "key"))
    value = reading.take(_value, entry["eq"], (*path, "eq"))
    return Condition("metadata", "has", (key, value))


def _lapsing(member: str) -> Fields:
    """The conditions on the day on which an assignment lapses, which is that member."""

    def within(reading: _Reading, window: Mapping[str, Any], path: Path, depth: int) -> Where:
        reading.left -= 1
        days = window["days"]
        if not 0 <= days <= MAX_DAYS:
            message = f"Input should be between 0 and {MAX_DAYS}"
            return reading.refuse((*path, "days"), message, "out_of_range")
        last = reading.today + timedelta(days=days)
        return Every((Condition(member, "gte", reading.today), Condition(member, "lte", last)))

    def standing(reading: _Reading, operators: Mapping[str, Any], path: Path, depth: int) -> Where:
        day = operators.get("on") or reading.today
        parts: list[Where] = []
        for name in ("eq", "in"):
            asked = operators.get(name)
            if asked is None:
                continue
            standings = dict.fromkeys(asked) if name == "in" else [asked]
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
        "lapses_on": _compared(member, Date),
        "lapses_within": within,
        "expiring_within": within,
        "standing": standing,
    }


def _active_on(reading: _Reading, day: date, path: Path, depth: int) -> Where:
    reading.left -= 1
    # As `domain.validity.is_active`: both bounds count, a missing one is open.
    return Every((Condition("valid_from", "open_lte", day), Condition("expiration_date", "open_gte", day)))


def _name(reading: _Reading, operators: Mapping[str, Any], path: Path, depth: int) -> Where:
    # The stored text that is searched begins with the folded name and a line break.
    parts: list[Where] = []
    for operator, value in operators.items():
        if value is None:
            continue
        reading.left -= 1
        start = reading.take(_folded, value, (*path, operator)) or ""
        parts.append(prefix("search_text", start + "\n" if operator == "eq" else start))
    return every(parts)


def _search(reading: _Reading, value: str, path: Path, depth: int) -> Where:
    reading.left -= 1
    part = reading.take(_folded, value, path)
    return Condition("search_text", "contains", part) if part else EVERYTHING


Folded = Annotated[Text255, AfterValidator(fold)]
"""A text of which upper and lower case are the same."""
_folded: TypeAdapter[str] = TypeAdapter(Folded)

BODIES: Fields = {
    "id": _compared("id", ShortIdField),
    "code": _compared("code", Folded),
    "name": _compared("name", Folded),
    "country": _compared("country", Country),
    "kind": _compared("kind", Folded),
}

CERTIFICATIONS: Fields = {
    "id": _compared("id", ShortIdField),
    "code": _compared("code", Folded),
    "label": _compared("label", Folded),
    "body": _referring("body", lambda: BODIES, optional=True),
    "is_private": _flag("organization_id", lambda value: Condition("organization_id", "known" if value else "null")),
}

CLAIMS: Fields = {
    "id": _compared("id", ShortIdField),
    "code": _compared("code", Folded),
    "label": _compared("label", Folded),
    "category": _compared("category", ClaimCategory),
    "requires_definition": _flag("requires_definition", lambda value: Condition("requires_definition", "eq", value)),
}

CERTIFICATION_ASSIGNMENTS: Fields = {
    "id": _compared("id", ShortIdField),
    "gtin": _compared("gtin", GtinField),
    "certification": _referring("certification", lambda: CERTIFICATIONS),
    "body": _inside("certification", _referring("body", lambda: BODIES, optional=True)),
    "certificate_number": _compared("certificate_number", Text255),
    "verification_status": _compared("verification_status", VerificationStatus),
    "country": _countries("certificate_countries"),
    "expiration_date": _compared("expiration_date", Date),
    **_lapsing("lapses_on"),
    "active_on": _active_on,
    "updated_at": _compared("updated_at", Moment),
    "metadata": _metadata,
}

CLAIM_ASSIGNMENTS: Fields = {
    "id": _compared("id", ShortIdField),
    "gtin": _compared("gtin", GtinField),
    "claim": _referring("claim", lambda: CLAIMS),
    "category": _inside("claim", _compared("category", ClaimCategory)),
    "source": _compared("source", ClaimSource),
    "expiration_date": _compared("expiration_date", Date),
    **_lapsing("expiration_date"),
    "active_on": _active_on,
    "updated_at": _compared("updated_at", Moment),
    "metadata": _metadata,
}

PRODUCTS: Fields = {
    "gtin": _compared("gtin", GtinField),
    "id": _compared("id", ShortIdField),
    "name": _name,
    "brand": _compared("folded_brand", Folded),
    "search": _search,
    "country_of_origin": _compared("country_of_origin", Country),
    "data_source": _compared("data_source", DataSource),
    "organization": _compared("organization_id", ShortIdField),
    "updated_at": _compared("updated_at", Moment),
    "metadata": _metadata,
}
