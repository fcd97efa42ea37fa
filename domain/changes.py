"""What a write did to one record, or would do: the record before and after, and the difference member by member."""

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from domain.records import Record

B = TypeVar("B", bound=Record | None)
A = TypeVar("A", bound=Record | None)

# What no caller sets: it follows from the write, or names the record.
_KEPT = {
    "id",
    "gtin",
    "organization_id",
    "user_id",
    "version",
    "created_at",
    "updated_at",
    "last_used",
    "rate_limit_per_minute",
    "rate_limit_per_day",
    "earlier_days",
    "halted_days",
}


class Change(msgspec.Struct, Generic[B, A], frozen=True, omit_defaults=True):
    """The answer of every write. `before` is None for what was made, `after` for what was removed.

    `dry_run`: it was judged and rolled back. `repeated`: it was done earlier, under the same idempotency key.
    """

    before: B
    after: A
    dry_run: bool = False
    repeated: bool = False


class FieldChange(NamedTuple):
    """One member, or one key of a map, that differs. None stands for what was not there."""

    path: tuple[str, ...]
    before: Any
    after: Any


def differences(before: Record | None, after: Record | None) -> list[FieldChange]:
    """What a caller's members became, in the order in which the record has them; maps are compared key by key.

    Of a record that was made or removed the members that are empty are left out.
    """
    known = after if after is not None else before
    found: list[FieldChange] = []
    for name in known.__struct_fields__ if known is not None else ():
        old, new = getattr(before, name, None), getattr(after, name, None)
        if name in _KEPT or isinstance(old, Record) or isinstance(new, Record):
            continue
        if isinstance(old, dict) or isinstance(new, dict):
            old, new = old or {}, new or {}
            found += [
                FieldChange((name, key), old.get(key), new.get(key))
                for key in sorted(old.keys() | new.keys())
                if old.get(key) != new.get(key)
            ]
        elif old != new and (before is not None or new not in _EMPTY) and (after is not None or old not in _EMPTY):
            found.append(FieldChange((name,), old, new))
    return found


_EMPTY: tuple[Any, ...] = ("", None, [])


def differences_of_row(record: type[Record], values: Mapping[str, Any]) -> list[FieldChange]:
    """What a record had when it was made, as `differences` tells it, from its values by name."""
    found: list[FieldChange] = []
    for name in record.__struct_fields__:
        value = values.get(name)
        if name in _KEPT:
            continue
        if isinstance(value, dict):
            found += [FieldChange((name, key), None, each) for key, each in sorted(value.items())]
        elif value not in _EMPTY:
            found.append(FieldChange((name,), None, value))
    return found


def cleared_keys(before: Record | None, after: Record | None) -> int:
    """How many metadata keys were there before a change that left none."""
    if after is None or getattr(after, "metadata", None):
        return 0
    return len(getattr(before, "metadata", ()))
