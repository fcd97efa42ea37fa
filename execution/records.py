"""Objects that are instances of one class, such as the records of a domain."""

from collections.abc import Callable
from typing import Any


def instance_of(record: type, *, lasting: bool = False) -> Callable[[Any, Any], bool]:
    """An `is_type_of` for a type whose objects are instances of `record`, whose attributes may be read repeatedly.

    It says so in an attribute, by which compiled operations compare types instead of calling it. `lasting` objects are
    few, come again in operation after operation, and never change: what was made of one is remembered.
    """

    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, record)

    is_type_of.instance_of = record  # type: ignore[attr-defined]
    is_type_of.lasting = lasting  # type: ignore[attr-defined]
    return is_type_of
