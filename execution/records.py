"""Objects that are instances of one class, such as the records of a domain."""

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints


def instance_of(record: type, *, exact: bool = False, lasting: bool = False) -> Callable[[Any, Any], bool]:
    """An `is_type_of` for a type whose objects are instances of `record`, whose attributes may be read repeatedly.

    It says so in an attribute, by which compiled operations compare types instead of calling it. With `exact`, the
    attributes are of exactly the types that the class declares, and compiled operations do not look again. `lasting`
    objects are few, come again in operation after operation, and never change: what was made of one is remembered.
    """

    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, record)

    is_type_of.instance_of = record  # type: ignore[attr-defined]
    is_type_of.lasting = lasting  # type: ignore[attr-defined]
    is_type_of.declared = _declared(record) if exact else {}  # type: ignore[attr-defined]
    return is_type_of


def _declared(record: type) -> dict[str, tuple[type, bool]]:
    """By attribute its class, and whether it may be None; of attributes that are of one class."""
    found: dict[str, tuple[type, bool]] = {}
    for name, hint in get_type_hints(record).items():
        members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        others = [_plain(member) for member in members if member is not NoneType]
        if len(others) == 1 and isinstance(others[0], type):
            found[name] = (others[0], NoneType in members)
    return found


def _plain(hint: Any) -> Any:
    """The class behind a `NewType`."""
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    return hint
