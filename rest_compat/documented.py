"""What is answered follows from the records: the documented object of each, and how it is made of one.

msgspec does not judge what it writes, so the limits in the documents are promises that the input rules and the tables
keep.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, NamedTuple, get_type_hints

from msgspec import NODEFAULT, Meta, Struct, defstruct, field

from domain.countries import ALPHA2, Countries, CountryOrNone
from domain.gtin import Gtin
from domain.members import RecordMember, members_of
from domain.metadata import MAX_KEYS
from domain.short_id import PATTERN, ShortId

SID = Annotated[
    str,
    Meta(
        min_length=22,
        max_length=22,
        pattern=PATTERN,
        examples=["WmsG2qe2XXxacqiqo2MfnY"],
        extra_json_schema={"format": "shortuuid"},
    ),
]
MAX_INTEGER = 2**31 - 1
"""What the columns hold, and what GraphQL's `Int` does."""
_METADATA = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=40)], Annotated[str, Meta(max_length=500)]],
    Meta(max_length=MAX_KEYS),
]
_FORMS = (
    (ShortId, SID),
    (Gtin, Annotated[str, Meta(min_length=14, max_length=14, pattern=r"^\d{14}$")]),
    (CountryOrNone, Annotated[str, Meta(max_length=2)]),
    (Countries, Annotated[list[Annotated[str, Meta(min_length=2, max_length=2)]], Meta(max_length=len(ALPHA2))]),
    (dict[str, str], _METADATA),
    (int, Annotated[int, Meta(ge=0, le=MAX_INTEGER)]),
    (datetime, Annotated[str, Meta(extra_json_schema={"format": "date-time"})]),
)
"""Types whose form the type alone does not tell -> what is documented of it."""

FOLLOWS_FROM_WRITES = ("gtin", "organization_id", "created_at", "updated_at", "version")
"""What is only shown where the contract names it."""

Show = Callable[[Any, datetime], Any]
"""The documented object of a record at a moment."""


class Follows(NamedTuple):
    """A value that follows from members of the record by a function, which with `on_day` takes the day, too, last."""

    function: Callable[..., Any]
    members: tuple[str, ...]
    on_day: bool = False


class RowOutput:
    """What is shown of a record, made of its row (see `db.sql.shapes`); a record that nobody needs is not made."""

    def __init__(self, struct: type[Struct], values: Sequence[str | Follows]) -> None:
        self.prepared: dict[Any, Any] = {}
        self._struct = struct
        self._values = values
        named = (value.members if isinstance(value, Follows) else (value,) for value in values)
        self.members = frozenset(name for names in named for name in names if "." not in name)

    def write(self, row: Any) -> str:
        """The expression for the object of a row."""
        return f"{row.name(self._struct)}({', '.join(self._value(row, value) for value in self._values)})"

    def _value(self, row: Any, value: str | Follows) -> str:
        if isinstance(value, Follows):
            return str(row.computed(value))
        of, _, name = value.rpartition(".")
        return str(row.of_definition(name) if of else row.member(name, _as_stored_if_iso))


def _as_stored_if_iso(convert: Any) -> Any:
    """None instead of what makes days of texts that JSON has in the same form."""
    return None if getattr(convert, "reads_iso", False) else convert


class Output(NamedTuple):
    """What is shown of a record: the documented object, and how it is made at the moment of a request."""

    struct: type[Struct]
    show: Show
    rows: RowOutput | None = None
    """How it is made of rows; None where more has to be known than they hold."""


class OutputMember(NamedTuple):
    """A member of an answer: its type with its limits and words, and its value.

    That is the way to it in the record, or how it is computed; None where nothing is recorded, so that it always is the
    default.
    """

    name: str
    type: Any
    value: str | Follows | Callable[[Any, datetime], Any] | None
    default: Any = NODEFAULT


def documented(member: RecordMember, words: str | None = None) -> Any:
    """The type of a member of a record as it is shown, with its limits, its words and its example."""
    form: Any = next((form for kind, form in _FORMS if member.type in (kind, kind | None)), member.plain)
    if member.plain is str and member.limit:
        form = Annotated[str, Meta(max_length=member.limit)]
    if member.optional:
        form = form | None
    examples = None if member.said.example is None else [member.said.example]
    return Annotated[form, Meta(description=words or member.for_readers(), examples=examples)]


def told(
    name: str,
    kind: Any,
    words: str,
    value: str | Follows | Callable[[Any, datetime], Any] | None,
    default: Any = NODEFAULT,
    example: Any = None,
) -> OutputMember:
    """A member that no record has in this form."""
    said = Meta(description=words, examples=None if example is None else [example])
    return OutputMember(name, Annotated[kind, said], value, default)


def read(record: type, way: str, *, name: str | None = None, words: str | None = None) -> OutputMember:
    """The member of a record, or at the end of that way from it, under the name by which the contract has it."""
    *parts, last = way.split(".")
    for part in parts:
        record = get_type_hints(record)[part]
    member = members_of(record)[last]
    default = member.empty() if member.said.default is None else member.said.default
    return OutputMember(name or member.sent_as, documented(member, words), way, default)


def moment(record: type, way: str, *, name: str | None = None) -> OutputMember:
    """The same for a moment, in UTC and to the second, such as `2026-03-31T12:00:00+00:00`: msgspec would write a Z."""
    take = attrgetter(way)

    def text(found: Any, _: datetime) -> str | None:
        at = take(found)
        return None if at is None else at.isoformat(timespec="seconds")

    return read(record, way, name=name)._replace(value=text)


def output(
    record: type,
    name: str,
    words: str,
    *,
    required: Sequence[str | OutputMember],
    optional: Sequence[str | OutputMember] = (),
    hidden: Collection[str] = (),
) -> Output:
    """The answer that shows a record: first what the contract names, then every other member that is not hidden."""
    first = [item if isinstance(item, OutputMember) else read(record, item) for item in (*required, *optional)]
    elsewhere = {*FOLLOWS_FROM_WRITES, *hidden, *(item.name for item in first), *(item.value for item in first)}
    members = [*first, *(read(record, name) for name in members_of(record) if name not in elsewhere)]
    defaults = [NODEFAULT] * len(required) + [item.default for item in members[len(required) :]]
    fields = [
        (item.name, item.type, field(default_factory=type(default)) if isinstance(default, list | dict) else default)
        for item, default in zip(members, defaults, strict=True)
    ]
    struct = defstruct(name, fields, namespace={"__doc__": words}, gc=False)
    values = [item.value for item in members if isinstance(item.value, str | Follows)]
    return Output(struct, _copying(struct, members), RowOutput(struct, values) if len(values) == len(members) else None)


def _copying(struct: type[Struct], members: Sequence[OutputMember]) -> Show:
    """How such an object is made of a record, as one would write it by hand: `struct(record.id, f3(record, now), d4)`.

    By their names it takes six times as long, for each of a page.
    """
    names: dict[str, Any] = {"struct": struct}
    values = []
    for at, item in enumerate(members):
        if isinstance(item.value, str):
            values.append(f"record.{item.value}")
        elif isinstance(item.value, Follows):
            names[f"f{at}"] = item.value.function
            given = [f"record.{name}" for name in item.value.members] + ["now.date()"] * item.value.on_day
            values.append(f"f{at}({', '.join(given)})")
        elif item.value is not None:
            names[f"f{at}"] = item.value
            values.append(f"f{at}(record, now)")
        else:
            names[f"d{at}"] = item.default
            values.append(f"d{at}.copy()" if isinstance(item.default, list | dict) else f"d{at}")
    made: Show = eval(f"lambda record, now: struct({', '.join(values)})", names)  # noqa: S307 - ways of our own
    return made
