"""Objects that are instances of one class, such as the records of a domain."""

from collections.abc import Callable
from typing import Any


def instance_of(record: type) -> Callable[[Any, Any], bool]:
    """An `is_type_of` for a type whose objects are instances of `record`.

    It says so in an attribute, by which compiled operations compare types instead of calling it.
    """

    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, record)

    is_type_of.instance_of = record  # type: ignore[attr-defined]
    return is_type_of
