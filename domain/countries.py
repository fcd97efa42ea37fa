"""Country codes of ISO 3166-1 alpha-2, upper case (contract 2.4).

`XK` is user-assigned and not part of the standard, so it is refused; see `docs/contract-readings.md`.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Annotated

from iso3166 import countries_by_alpha2
from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.country_names import NAMES

ALPHA2 = frozenset(countries_by_alpha2) - {"XK"}

NUMERIC = {code: countries_by_alpha2[code].numeric for code in ALPHA2}
"""The same countries by their numbers of three digits, as texts."""

_ELSEWHERE = {
    "EL": "GR",
    "UK": "GB",
    "Czech Republic": "CZ",
    "Great Britain": "GB",
    "Großbritannien": "GB",
    "Grande-Bretagne": "GB",
    "Gran Bretaña": "GB",
    "Holland": "NL",
    "Tschechische Republik": "CZ",
    "République tchèque": "CZ",
    "Turkey": "TR",
    "Vereinigte Staaten von Amerika": "US",
}
"""What the European Union writes for Greece and the United Kingdom, and what people say besides -> the code."""

_LONGEST_NAME = 80
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def country_called(name: str) -> str | None:
    """The code of a country by its code of two or three letters or a name of it, whatever the case and the accents."""
    text = name.strip()
    code = text.upper()
    if code in ALPHA2:
        return code
    return _by_name().get(_plain(text)) if len(text) <= _LONGEST_NAME else None


def countries_called(text: str) -> list[str]:
    """The countries of a list as people write it, each by its code, or as it stands where none is called so.

    Names with blanks in them stand between commas, semicolons or bars.
    """
    if code := country_called(text):
        return [code]
    parts = _BETWEEN.split(text) if _BETWEEN.search(text) else text.split()
    return list(dict.fromkeys(country_called(part) or part.strip() for part in parts if part.strip()))


_BETWEEN = re.compile(r"[,;|\n]")


@cache
def _by_name() -> Mapping[str, str]:
    """The codes by all else that countries are called, without what `_plain` leaves out."""
    named = [(name, line[:2]) for line in NAMES.split("\n") for name in line[3:].split("|")]
    named += [(name.lower().translate(_UMLAUTS), code) for name, code in named]
    for country in countries_by_alpha2.values():
        named += [(country.name, country.alpha2), (country.alpha3, country.alpha2)]
    return {_plain(name): code for name, code in [*named, *_ELSEWHERE.items()] if code in ALPHA2}


def _plain(name: str) -> str:
    """Letters alone, without case and accents: `CÔTE D'IVOIRE` and `Cote d Ivoire` are one."""
    parts = unicodedata.normalize("NFKD", name.casefold().replace("\u0131", "i"))
    return "".join(each for each in parts if each.isalnum()).removeprefix("the")


def _known(code: str) -> str:
    if code not in ALPHA2:
        meant = country_called(code)
        hint = f"; write '{meant}'" if meant else ""
        raise PydanticCustomError(
            "country_code",
            "Input should be an upper-case ISO 3166-1 alpha-2 country code such as 'US'{hint}",
            {"hint": hint},
        )
    return code


def _once_each(codes: list[str]) -> list[str]:
    return list(dict.fromkeys(codes))


def _known_or_empty(code: str) -> str:
    return code and _known(code)


_FORMAT = {"type": "string", "format": "iso-3166-1-alpha-2"}

CountryOrNone = Annotated[
    str, AfterValidator(_known_or_empty), WithJsonSchema({**_FORMAT, "pattern": "^(?:[A-Z]{2})?$"})
]
"""A country code, or the empty text for none."""

Country = Annotated[str, AfterValidator(_known), WithJsonSchema({**_FORMAT, "pattern": "^[A-Z]{2}$"})]
Countries = Annotated[list[Country], Field(max_length=len(ALPHA2)), AfterValidator(_once_each)]
"""Jurisdictions in the order given; a repeated code is kept once. Empty means not recorded, not everywhere."""
