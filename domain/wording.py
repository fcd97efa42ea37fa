"""What is said of input that does not fit, in words for people: under pydantic's types, which the documented service
shows, but not in its messages where they speak of Python. `Field required` stays, for the contract shows it.
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

_MOMENT = "Input should be a moment with its offset from UTC, such as 2026-03-31T12:00:00Z"
_WORDS = {
    "bool_parsing": "Input should be true or false",
    "bool_type": "Input should be true or false",
    "date_type": "Input should be a date, such as 2026-05-31",
    "datetime_from_date_parsing": _MOMENT,
    "datetime_object_invalid": "Input should be a moment of the years 1 to 9999 in UTC",
    "datetime_parsing": _MOMENT,
    "datetime_type": _MOMENT,
    "dict_type": "Input should be an object of members and their values",
    "extra_forbidden": "Nothing is known by this name; correct it, or leave it out",
    "finite_number": "Input should be a number that ends",
    "float_parsing": "Input should be a number",
    "float_type": "Input should be a number",
    "greater_than_equal": "Input should be {ge} or more",
    "int_from_float": "Input should be a whole number",
    "int_parsing": "Input should be a whole number in digits, such as 25",
    "int_parsing_size": "Input should be a whole number that is not so large",
    "int_type": "Input should be a whole number",
    "less_than_equal": "Input should be {le} or less",
    "list_type": "Input should be a list",
    "model_attributes_type": "Input should be an object of members and their values",
    "model_type": "Input should be an object of members and their values",
    "string_type": "Input should be a text",
    "string_unicode": "Input should be a text of characters that exist",
    "timezone_aware": _MOMENT,
    "tuple_type": "Input should be a list",
}
_orders = re.compile(r"\^-\?\(?([a-z_|]+)\)?\$")


def said_of(entry: ErrorDetails) -> tuple[str, str]:
    """What is said of an error, and its type."""
    message, kind, context = entry["msg"], entry["type"], entry.get("ctx", {})
    if kind in ("too_short", "too_long"):
        return _of_length(kind, context, is_text=isinstance(entry["input"], str))
    if "pattern" in context:
        return _of_pattern(str(context["pattern"])), kind
    words = _WORDS.get(kind)
    # What the domain says itself under a type of pydantic's has a sentence of its own.
    return (words.format(**context) if words is not None and message.startswith(_PYDANTIC) else message), kind


_PYDANTIC = (
    "Input should be a valid",
    "Input should be greater",
    "Input should be less",
    "Input should have",
    "Extra",
    "Invalid datetime",
    "Datetimes provided",
    "Input should be a finite",
    "Unable to parse",
)


def _of_length(kind: str, context: Mapping[str, Any], *, is_text: bool) -> tuple[str, str]:
    is_least = kind == "too_short"
    number = context["min_length" if is_least else "max_length"]
    what, unit, prefix = ("String", "character", "string_") if is_text else ("List", "item", "")
    most = f"{what} should have at {'least' if is_least else 'most'} {number} {unit}{'s' * (number != 1)}"
    return most + ("" if is_text else f", not {context['actual_length']}"), prefix + kind


def _of_pattern(pattern: str) -> str:
    if found := _orders.fullmatch(pattern):
        return f"Input should be one of {found[1].replace('|', ', ')}, with a hyphen before it for the other direction"
    return "Input has a form that nothing here has; copy it from where it is shown"
