"""What a list is narrowed down to: conditions joined by and, or, not. `db.sql.filters` makes SQL of them.

A condition is true or false, never unknown: `not` is the exact complement, also where a date is not recorded.
Definitions (bodies, certifications, claims) are some hundreds: conditions on them are judged here, in memory, and
become a list of ids (`settled`) in a condition on assignments. `domain.filter_input` reads what a face sends.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from domain.short_id import ShortId
from domain.text import folded


class Condition(msgspec.Struct, frozen=True):
    """One condition: `value` depends on the operator.

    | operator | holds when the member |
    | --- | --- |
    | `eq`, `gte`, `lte`, `lt` | compares so with the value; a missing day is later than all |
    | `in` | is among the values |
    | `null`, `known` | is not recorded, is recorded |
    | `open_gte`, `open_lte` | is not recorded, or compares so |
    | `contains` | has the value as a part, both folded |
    | `has` | is a list with that value, or a map with that key and value |
    | `has_any` | is a list with at least one of the values |
    | `where` | refers to a record for which the `Where` in `value` holds |
    | `own` | is an organisation of whoever asks |
    | `on` | is so on that day: an acknowledgement holds, a certification has `begun`, is `suspended`, `withdrawn` |
    | | or neither, so that it is `held` (by all its days) or `active` (but for the printed expiry) |
    | `some` | are records, of which at least one passes the `Where` in `value` |
    """

    member: str
    operator: str
    value: Any = None


class Every(msgspec.Struct, frozen=True):
    """All parts hold; without parts: everything."""

    parts: tuple["Where", ...]


class Either(msgspec.Struct, frozen=True):
    """At least one part holds; without parts: nothing."""

    parts: tuple["Where", ...]


class Not(msgspec.Struct, frozen=True):
    """The part does not hold."""

    part: Condition


Where = Condition | Every | Either | Not

EVERYTHING = Every(())
NOTHING = Either(())
ARCHIVED = "archived_at"
"""The member that is `known` of archived products and of what they have; lists leave those out unless asked for it."""

ACKNOWLEDGED = "acknowledgement"
"""The member that says of an assignment whether somebody has taken its lapse on, `on` a day."""
_OF_OWNERS = ("metadata", ACKNOWLEDGED)


def every(parts: Iterable[Where]) -> Where:
    """All of the parts, flat."""
    flat: list[Where] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Every) else [part])
    if NOTHING in flat:
        return NOTHING
    return flat[0] if len(flat) == 1 else Every(tuple(flat))


def either(parts: Iterable[Where]) -> Where:
    """At least one of the parts, flat."""
    flat: list[Where] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Either) else [part])
    if EVERYTHING in flat:
        return EVERYTHING
    return flat[0] if len(flat) == 1 else Either(tuple(flat))


_OF_SEVERAL = {"eq": "in", "has": "has_any"}


def one_of(member: str, values: Sequence[Any], operator: str = "eq") -> Where:
    """The member is among the values, of which none comes twice; or has one of them, with the operator `has`."""
    if len(values) < 2:
        return either(Condition(member, operator, value) for value in values)
    return Condition(member, _OF_SEVERAL[operator], tuple(values))


def negation(where: Where) -> Where:
    """The exact complement; `Not` then stands before single conditions only."""
    match where:
        case Every(parts):
            return either(map(negation, parts))
        case Either(parts):
            return every(map(negation, parts))
        case Not(part):
            return part
        case Condition(member, "null"):
            return Condition(member, "known")
        case Condition(member, "known"):
            return Condition(member, "null")
        case _:
            return Not(where)


def single_conditions(where: Where) -> Iterator[Condition]:
    """All conditions of a filter, also those that do not hold."""
    match where:
        case Every(parts) | Either(parts):
            for part in parts:
                yield from single_conditions(part)
        case Not(part):
            yield part
        case _:
            yield where


def replaced(where: Where, change: Callable[[Condition | Not], Where]) -> Where:
    """The same filter with something else in the place of each condition, and of each that does not hold."""
    match where:
        case Every(parts):
            return every(replaced(part, change) for part in parts)
        case Either(parts):
            return either(replaced(part, change) for part in parts)
        case _:
            return change(where)


def size(where: Where) -> int:
    """How many conditions a filter consists of, those on other records included."""
    return sum(
        max(1, size(condition.value)) if condition.operator in ("where", "some") else 1
        for condition in single_conditions(where)
    )


# Members of definitions that are compared whatever the case.
_FOLDED = frozenset({"code", "label", "name", "kind"})


def matches(where: Where, record: Any) -> bool:
    """Whether a definition in memory passes."""
    match where:
        case Every(parts):
            return all(matches(part, record) for part in parts)
        case Either(parts):
            return any(matches(part, record) for part in parts)
        case Not(part):
            return not matches(part, record)
        case _:
            stored = getattr(record, where.member)
            return _holds(where.operator, folded(stored) if where.member in _FOLDED else stored, where.value)


def _holds(operator: str, stored: Any, value: Any) -> bool:
    match operator:
        case "null":
            return stored is None
        case "known":
            return stored is not None
        case "where":
            return stored is not None and matches(value, stored)
        case "eq":
            return bool(stored == value)
        case "in":
            return stored in value
        case "gte":
            return bool(stored >= value)
        case "lt":
            return bool(stored < value)
        case "contains":
            return value in stored
        case _:
            raise KeyError(operator)


def settled(where: Where, member: str, definitions: Sequence[Any]) -> Where:
    """The same with every condition on the definitions that `member` refers to made a list of their ids.

    `definitions` are those that the caller may see, so that even a `not` finds none of the others.
    """

    def change(test: Condition | Not) -> Where:
        match test:
            case Condition(name, "where", inner) if name == member:
                return one_of(f"{member}_id", sorted(item.id for item in definitions if matches(inner, item)))
            case Not(Condition(name, "where", inner)) if name == member:
                return one_of(f"{member}_id", sorted(item.id for item in definitions if not matches(inner, item)))
        return test

    return replaced(where, change)


def changed_below(where: Where, member: str, change: Callable[[Where], Where]) -> Where:
    """The same with what is asked of the records under that member changed."""

    def changed(test: Condition | Not) -> Where:
        match test:
            case Condition(name, "some", inner) if name == member:
                found = change(inner)
                return NOTHING if found == NOTHING else Condition(name, "some", found)
            case Not(Condition(_, "some") as part):
                return negation(changed(part))
        return test

    return replaced(where, changed)


def owned(where: Where, organization_ids: Sequence[ShortId]) -> Where:
    """The same with what is the caller's own as conditions on these organisations."""

    def change(test: Condition | Not) -> Where:
        match test:
            case Condition(member, "own"):
                return one_of(member, organization_ids)
            case Not(Condition(_, "own") as part):
                return negation(change(part))
        return test

    return replaced(where, change)


def among_own(where: Where, organization_ids: Sequence[ShortId]) -> Where:
    """The same with conditions on metadata and acknowledgements that hold for what these organisations own alone.

    They are their owner's notes: for everybody else they are empty, so that even a `not` tells nothing of them.
    """

    def change(test: Condition | Not) -> Where:
        match test:
            case Condition(member) if member in _OF_OWNERS:
                return every([test, one_of("organization_id", organization_ids)])
            case Not(Condition(member) as part) if member in _OF_OWNERS:
                return negation(change(part))
        return test

    return replaced(where, change)


def asks_for(where: Where, member: str, operator: str | None = None) -> bool:
    """Whether any condition of these records is on that member, with that operator if one is named."""
    return any(
        condition.member == member and operator in (None, condition.operator) for condition in single_conditions(where)
    )
