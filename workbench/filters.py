"""Filters of lists as people set them: fields of a form, written in the address, each for a part of a `where`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from domain.errors import InvalidInput
from domain.filter_input import in_snake, parse_where, read_where
from domain.filters import Where, every
from domain.gtin import without_separators
from domain.lists import List
from domain.short_id import is_short_id
from domain.vocabulary import ClaimCategory, ClaimSource, DataSource, Standing, VerificationStatus, ViewKind, Vocabulary
from workbench.texts import text

Members = dict[str, Any]
"""A part of a `where`, as `domain.filter_input` reads it."""


class Field(NamedTuple):
    """A field of the form: what it asks for of a list, and what can be chosen in it."""

    name: str
    asks: Callable[[str], Members]
    kind: str = "choice"
    """`choice`, `text`, `day` or `json`."""
    choices: Sequence[str] = ()
    """Where they are always the same; the others are what is defined, and organisations."""


def _at(*path: str) -> Callable[[str], Members]:
    """That the member there is what was chosen."""

    def asks(value: str) -> Members:
        found: Any = value
        for name in reversed(path):
            found = {name: found}
        return dict(found)

    return asks


def _defined(name: str) -> Callable[[str], Members]:
    """That it is the definition of that code, or of that id where it has no code."""
    return lambda value: {name: {"id" if is_short_id(value) else "code": {"eq": value}}}


def _one_of(**parts: Members) -> Callable[[str], Members]:
    """What each choice asks for."""
    return parts.__getitem__


def _enumerated(name: str, enumeration: type[Vocabulary], *path: str) -> Field:
    return Field(name, _at(*(path or (name,)), "eq"), choices=tuple(each.value for each in enumeration))


def _whose(value: str) -> Members:
    if value == "mine":
        return {"mine": True}
    return {} if value == "all" else {"organization": {"eq": value}}


def _since(value: str) -> Members:
    return {"updated_at": {"range": {"from": value if "T" in value else f"{value}T00:00:00Z"}}}


WHOSE = "whose"
_EMPTY = {"is_empty": True}
_OWNER = Field(WHOSE, _whose)
_CHANGED = Field("changed_since", _since, "text")
_LAPSES = (
    Field("lapses_from", _at("lapses_on", "range", "from"), "day"),
    Field("lapses_to", _at("lapses_on", "range", "to"), "day"),
)
WITHIN = Field(
    "lapses_within", lambda value: {"lapses_within": {"days": int(value)}} if value.isdecimal() else {}, "number"
)
"""Which only saved views have: their days are counted anew each day."""
_TAKEN_ON = Field("taken_on", _one_of(yes={"acknowledged": True}, no={"acknowledged": False}), choices=("yes", "no"))
_GTIN = Field("gtin", lambda value: {"gtin": {"eq": without_separators(value)}}, "text")
_BRAND = Field("brand", _at("brand", "eq"), "text")

FIELDS: Mapping[ViewKind, tuple[Field, ...]] = {
    ViewKind.CERTIFICATIONS: (
        _OWNER,
        Field("certification", _defined("certification")),
        Field("body", _defined("body")),
        _enumerated("status", VerificationStatus, "verification_status"),
        _enumerated("standing", Standing),
        *_LAPSES,
        _TAKEN_ON,
        _BRAND,
        _GTIN,
        _CHANGED,
    ),
    ViewKind.CLAIMS: (
        _OWNER,
        Field("claim", _defined("claim")),
        _enumerated("category", ClaimCategory),
        _enumerated("source", ClaimSource),
        Field(
            "evidence",
            _one_of(
                none={"evidence_url": _EMPTY, "evidence_note": _EMPTY},
                some={"not": {"evidence_url": _EMPTY, "evidence_note": _EMPTY}},
            ),
            choices=("none", "some"),
        ),
        _enumerated("standing", Standing),
        *_LAPSES,
        _TAKEN_ON,
        _BRAND,
        _GTIN,
        _CHANGED,
    ),
    ViewKind.PRODUCTS: (
        Field("search", _at("search"), "text"),
        _OWNER,
        _BRAND,
        Field(
            "holds",
            _one_of(nothing={"certifications": {"none": {}}}, something={"certifications": {"some": {}}}),
            choices=("nothing", "something"),
        ),
        _enumerated("data_source", DataSource),
        _CHANGED,
    ),
}
"""By list; whatever else a `where` can ask for is typed as JSON, under `where`."""


class Filtered(NamedTuple):
    """What the address says of a list."""

    values: Mapping[str, str]
    """As they were typed, by field."""
    where: Where
    text: str
    """The same as the `where` of views and exports."""
    wrong: dict[str, str]
    """By field: why what was typed is none."""


def read(kind: ViewKind, of: List, typed: Mapping[str, str], today: date) -> Filtered:
    """The filter in an address. Unless that says whose or names a view, it is what the caller's organisations own."""
    values = {field.name: value for field in FIELDS[kind] if (value := typed.get(field.name, "").strip())}
    if "view" not in typed:
        values.setdefault(WHOSE, "mine")
    asked: Members = {}
    wrong: dict[str, str] = {}
    for field in FIELDS[kind]:
        if field.choices and values.get(field.name, field.choices[0]) not in field.choices:
            wrong[field.name] = str(text("list.no_choice", choices=", ".join(field.choices)))
        elif field.name in values:
            own = field.asks(values[field.name])
            try:
                parse_where(of.fields, own, today, (field.name,))
            except InvalidInput as error:
                wrong[field.name] = said_of(error)
            else:
                # The ends of a span are one condition, which an index answers.
                asked = _merged(asked, own)
    first, last = (values.get(field.name, "") for field in _LAPSES)
    if last and first > last and not wrong.keys() & {field.name for field in _LAPSES}:
        wrong[_LAPSES[1].name] = text("list.ends_first")
    where = parse_where(of.fields, asked, today)
    if also := typed.get("where", "").strip():
        values["where"] = also
        try:
            where = every([where, read_where(of.fields, also, today)])
        except InvalidInput as error:
            wrong["where"] = said_of(error)
        else:
            typed_too = msgspec.json.decode(also)
            asked = {"and": [asked, typed_too]} if asked else typed_too
    return Filtered(values, where, msgspec.json.encode(asked).decode(), wrong)


def said_of(error: InvalidInput) -> str:
    """What is wrong, with the place in a filter that is JSON."""
    return "; ".join(
        ": ".join(
            filter(None, (".".join(map(str, each.path[1:])) if each.path[:1] == ("where",) else "", each.message))
        )
        for each in error.violations
    )


def _merged(one: Members, other: Members) -> Members:
    """Both, as far as no member of them has two values."""
    both = dict(one)
    for name, value in other.items():
        both[name] = _merged(both[name], value) if name in both else value
    return both


_WHOLE = ("not", "some", "none")
"""Of what stands under these a part says something else than all of it."""


def told(kind: ViewKind, where: str) -> tuple[list[tuple[Field, str]], list[Members]]:
    """The fields that ask for what a stored `where` does, each with its value, and what is left that none asks for."""
    found: list[tuple[Field, str]] = []
    left: list[Members] = []
    for part in _parts(in_snake(msgspec.json.decode(where))):
        rest = part
        for field in (*FIELDS[kind], WITHIN):
            for value in field.choices or ("mine", *_leaves(rest)):
                asked = field.asks(value)
                if asked and _holds(rest, asked):
                    found.append((field, value))
                    rest = _without(rest, asked)
                    break
        if rest:
            left.append(rest)
    return found, left


def _parts(asked: Members) -> list[Members]:
    """The conditions of which all have to hold."""
    if asked.keys() == {"and"} and isinstance(asked["and"], list):
        return [part for each in asked["and"] for part in _parts(each)]
    return [asked]


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    return [str(value)] if isinstance(value, str | int) else []


def _holds(part: Members, asked: Members) -> bool:
    return all(
        _holds(part[name], value)
        if name not in _WHOLE and isinstance(value, dict) and isinstance(part.get(name), dict)
        else name in part and part[name] == value
        for name, value in asked.items()
    )


def _without(part: Members, asked: Members) -> Members:
    left = dict(part)
    for name, value in asked.items():
        rest = _without(part[name], value) if name not in _WHOLE and isinstance(value, dict) else None
        if rest:
            left[name] = rest
        else:
            del left[name]
    return left
