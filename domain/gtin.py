"""GTINs: the number under the barcode, kept as 14 ASCII digits.

Whoever *looks up* a product may write 8 to 14 digits (contract 1.3): they are padded, never judged, and what is not
there is simply not found. Whoever *creates* a product asks `check_digit_is_right` as well.
"""

import re
from typing import Annotated, LiteralString, NewType

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.text import fold
from domain.validation import parse

Gtin = NewType("Gtin", str)
"""A GTIN padded with zeros to 14 digits."""

GTIN_LENGTHS = (8, 12, 13, 14)


def _read(text: str) -> Gtin:
    # A third of the time that a regular expression takes, in every request.
    if 8 <= len(text) <= 14 and text.isascii() and text.isdigit():
        return Gtin(text.zfill(14))
    raise _why_not_digits(text)


def _why_not_digits(text: str) -> ValueError:
    for name, form in _CARRIERS:
        if (found := form.match(text)) and check_digit_is_right(found[1]):
            return PydanticCustomError(
                "gtin_not_alone",
                "Input should be a GTIN alone, not {name}; its GTIN is {gtin}",
                {"name": name, "gtin": found[1]},
            )
    if not (text.isascii() and text.isdigit()) and len(text) in range(8, 15):
        return PydanticCustomError("string_pattern_mismatch", "A GTIN should have digits only; look under the barcode")
    message = "A GTIN should have 8 to 14 digits, not {length} characters; look under the barcode"
    kind: LiteralString = "string_too_short" if len(text) < 8 else "string_too_long"
    return PydanticCustomError(kind, message, {"length": len(text)})


_CARRIERS = (
    # GS1 General Specifications: application identifier 01, in brackets as it is printed or as a scanner sends it.
    ("an element string", re.compile(r"(?:\][A-Za-z][0-9])?\x1d?(?:\(01\)|01)([0-9]{14})")),
    ("a GS1 Digital Link", re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[^?#]*/01/([0-9]{8,14})(?:[/?#]|\Z)")),
)
"""What carries a GTIN among other things, as people copy it from a scanner or a label."""

GtinField = Annotated[
    Gtin,
    AfterValidator(_read),
    # In JSON Schema, \d is an ASCII digit and nothing else (ECMA-262).
    WithJsonSchema({"type": "string", "minLength": 8, "maxLength": 14, "pattern": r"^\d{8,14}$"}),
    Field(description="The product's GTIN: 8 to 14 digits, without blanks or hyphens."),
]
"""The member of a command that holds a GTIN."""

_SEPARATORS = str.maketrans("", "", "- ")


def without_separators(text: str) -> str:
    """The text without the hyphens and blanks that people write between the digits of a GTIN."""
    return text.translate(_SEPARATORS)


def sought(words: str) -> str:
    """What a search looks for: a whole GTIN without what separates its digits, and else the words, folded."""
    digits = without_separators(words)
    return digits if 8 <= len(digits) <= 14 and digits.isascii() and digits.isdigit() else fold(words)


def _without_separators(value: object) -> object:
    return without_separators(value) if isinstance(value, str) else value


SeparatedGtinField = Annotated[
    GtinField,
    BeforeValidator(_without_separators),
    WithJsonSchema({"type": "string", "pattern": r"^(?:[ -]*\d){8,14}[ -]*$"}),
    Field(description="The product's GTIN: 8 to 14 digits; hyphens and blanks are ignored."),
]
"""A GTIN that may be written with hyphens and blanks, as the Products API takes it (contract 1.3)."""


def _new(value: object) -> object:
    value = _without_separators(value)
    if isinstance(value, str) and 8 <= len(value) <= 14 and (reason := why_not_a_gtin(value)):
        raise PydanticCustomError("gtin_invalid", "{reason}", {"reason": reason})
    return value


NewGtinField = Annotated[
    GtinField,
    BeforeValidator(_new),
    WithJsonSchema({"type": "string", "format": "gtin", "pattern": r"^(?:[ -]*\d){8}(?:(?:[ -]*\d){4,6})?[ -]*$"}),
    Field(description="Its GTIN: 8, 12, 13 or 14 digits with a right check digit; hyphens and blanks are ignored."),
]
"""The GTIN of a product to be created: its length and check digit are judged too."""

_gtin: TypeAdapter[Gtin] = TypeAdapter(GtinField)


def parse_gtin(text: object, member: str = "gtin") -> Gtin:
    """The 14-digit form of 8 to 14 ASCII digits. Raises `InvalidInput` that names `member`."""
    if isinstance(text, str):
        try:
            return _read(text)
        except ValueError:
            # It is put into words below.
            pass
    return parse(_gtin, text, member)


def typed_gtin(text: str) -> Gtin:
    """The same as people write it, with hyphens and blanks. Raises `InvalidInput`."""
    return parse_gtin(without_separators(text))


def check_digit_is_right(gtin: str) -> bool:
    """Whether the last digit is the GS1 check digit (mod 10, weights 3 and 1 from the right).

    Padding does not change the verdict. All zeros is well-formed but identifies nothing, so it is wrong too.
    """
    return gtin.strip("0") != "" and (sum(map(int, gtin[::-2])) + 3 * sum(map(int, gtin[-2::-2]))) % 10 == 0


def why_not_a_gtin(text: str) -> str | None:
    """Why `text` cannot be the GTIN of a new product, in one sentence; None when it can."""
    if text and not (text.isascii() and text.isdigit()):
        return "A GTIN should have digits only"
    if len(text) not in GTIN_LENGTHS:
        return "A GTIN should have 8, 12, 13 or 14 digits"
    if not check_digit_is_right(text):
        return "The last digit should be the check digit of the others; compare it with the barcode"
    return None
