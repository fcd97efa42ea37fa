"""How input becomes typed, with every violation named at once.

pydantic does the work: its `type` names are the ones the documented service shows (contract 1.8), so both faces and
every client see one vocabulary. Its messages are put into words for people in `domain.wording`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    WithJsonSchema,
)
from pydantic import ValidationError as PydanticValidationError
from pydantic_core import PydanticCustomError, PydanticKnownError

from domain.errors import InvalidInput, Violation
from domain.web_address import PATTERN, why_not_a_web_address
from domain.wording import said_of

T = TypeVar("T")

MAX_VIOLATIONS = 100


def violations_of(error: PydanticValidationError, *prefix: str | int) -> list[Violation]:
    """pydantic's list of errors as violations, without the caller's input and without addresses of pydantic's docs.

    Bounded in length and in number: a body with a hundred thousand bad members gets a short answer.
    """
    entries = error.errors(include_url=False)
    return [
        Violation((*prefix, *(part[:60] if isinstance(part, str) else part for part in entry["loc"])), *said_of(entry))
        for entry in entries[:MAX_VIOLATIONS]
    ]


def parse(adapter: TypeAdapter[T], value: object, member: str) -> T:
    """One value through one adapter. Raises `InvalidInput` that names `member`."""
    try:
        return adapter.validate_python(value)
    except PydanticValidationError as error:
        raise InvalidInput(violations_of(error, member)) from None


class Command(BaseModel):
    """The base of the commands: frozen, unknown members ignored (contract A22), members judged all at once."""

    # Built when it is first used, since no process uses all of them and each takes a start a millisecond.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    @classmethod
    def parse(cls, members: Mapping[str, Any]) -> Self:
        """The command made of plain JSON values or typed ones. Raises `InvalidInput` naming every bad member."""
        try:
            return cls.model_validate(members)
        except PydanticValidationError as error:
            raise InvalidInput(violations_of(error)) from None


def _without_nul(text: str) -> str:
    # PostgreSQL cannot store it in text; refused everywhere, so that the two databases agree.
    if "\0" in text:
        raise PydanticCustomError("string_nul", "String should not contain the NUL character; remove it")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
"""Free text; may be empty."""

_text: TypeAdapter[str] = TypeAdapter(Text)


def parse_text(text: object, member: str) -> str:
    """Text as it is. Raises `InvalidInput` that names `member` when it holds what no text may."""
    return parse(_text, text, member)


JSON_TEXT = {"type": "string", "contentMediaType": "application/json", "maxLength": 4_000}
"""A text that is JSON, in JSON Schema; so long that a request line takes it however its characters are written."""

Text32 = Annotated[str, Field(max_length=32), AfterValidator(_without_nul)]
MetadataKey = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_without_nul)]
Text50 = Annotated[str, Field(max_length=50), AfterValidator(_without_nul)]
Text100 = Annotated[str, Field(max_length=100), AfterValidator(_without_nul)]
Text255 = Annotated[str, Field(max_length=255), AfterValidator(_without_nul)]
Text500 = Annotated[str, Field(max_length=500), AfterValidator(_without_nul)]

_filter: TypeAdapter[str] = TypeAdapter(Text255)


def parse_filter(text: object, member: str) -> str:
    """A text to look for, no longer than any that is stored. Raises `InvalidInput` that names `member`.

    PostgreSQL fails on a NUL character and SQLite on a pattern of 50,000 bytes; neither is the server's fault.
    """
    return parse(_filter, text, member)


_integer = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")


def _as_json_writes_it(value: object) -> object:
    # pydantic and Python also read 1_0, +1 and 1.0.
    if isinstance(value, str) and not _integer.match(value):
        raise PydanticKnownError("int_parsing")
    return value


DIGITS = BeforeValidator(_as_json_writes_it)
"""Takes an integer as a query has it: its digits, and nothing else. Stands last, for what is before it bounds it."""

_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def _flag(value: object) -> object:
    # Clients write true and false in their language's way, and PHP's as numbers; pydantic would take yes and off, too.
    if not isinstance(value, str):
        return value
    if value.lower() not in _FLAGS:
        raise PydanticKnownError("bool_parsing")
    return _FLAGS[value.lower()]


Flag = Annotated[bool, BeforeValidator(_flag)]
"""True or false, or the word for it as a query has it."""

_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


def read_date(value: object) -> date:
    """A calendar date from exactly `YYYY-MM-DD`, or a `date` as it is.

    Raises a `ValueError` (pydantic's own) otherwise: Python and pydantic would also read `20240102`, week dates,
    date-times and Unix times.
    """
    if type(value) is date:
        return value
    if not isinstance(value, str):
        raise PydanticKnownError("date_type")
    if not _date.match(value):
        raise PydanticKnownError("date_parsing", {"error": "write for example 2026-05-31"})
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise PydanticKnownError("date_parsing", {"error": str(error)}) from None


_without_plus = re.compile(r" [0-9]{2}:?[0-9]{2}\Z")
_moment: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


def read_moment(value: object) -> datetime:
    """A moment with its offset from an ISO 8601 text, or an aware `datetime` as it is.

    Raises a `ValueError`, for a number of seconds too.
    """
    if isinstance(value, datetime):
        return _moment.validate_python(value)
    if not isinstance(value, str) or not _date.match(value[:10]):
        raise PydanticKnownError("datetime_type")
    if _without_plus.search(value):
        raise PydanticCustomError(
            "datetime_parsing", "Input has a blank before its offset, as which a + is read in an address; write %2B"
        )
    return _moment.validate_python(value)


Date = Annotated[date, BeforeValidator(read_date)]
"""A calendar date, `YYYY-MM-DD` only."""


def _after_the_first(day: date) -> date:
    if day == date.min:
        raise PydanticCustomError("greater_than", "Date should be after 0001-01-01")
    return day


AfterTheFirst = Annotated[Date, AfterValidator(_after_the_first)]
"""A calendar date before which there is one."""


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # In its own zone it lies within the years 1 to 9999.
        raise PydanticKnownError("datetime_object_invalid", {"error": "another year"}) from None


Moment = Annotated[datetime, BeforeValidator(read_moment), AfterValidator(_in_utc)]
"""A moment in ISO 8601 with its offset, made one in UTC."""


def end_of_second(moment: datetime) -> datetime:
    """The last moment of the second that it is given to; one with a fraction is meant as it is.

    Faces may show a moment without its fraction, and whoever asks by that means what was done then, too.
    """
    return moment if moment.microsecond else moment.replace(microsecond=999_999)


def _web_address(text: str) -> str:
    # Judged and stored as written. Empty means none (contract 1.1).
    reason = why_not_a_web_address(text) if text else None
    if reason is not None:
        raise PydanticCustomError("url_parsing", "{reason}", {"reason": reason})
    return text


Url = Annotated[
    Text,
    Field(max_length=2000),
    AfterValidator(_web_address),
    # A reference, because that may be empty; international, because a host's name may be.
    WithJsonSchema({"type": "string", "format": "iri-reference", "maxLength": 2000, "pattern": PATTERN}),
]
"""An absolute http(s) URL as its author wrote it, or the empty string."""
