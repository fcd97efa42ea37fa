"""Country codes of ISO 3166-1 alpha-2, upper case (contract 2.4).

`XK` is user-assigned and not part of the standard, so it is refused; see `docs/contract-readings.md`.
"""

from typing import Annotated

from iso3166 import countries_by_alpha2, countries_by_alpha3, countries_by_name
from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

ALPHA2 = frozenset(countries_by_alpha2) - {"XK"}

NUMERIC = {code: countries_by_alpha2[code].numeric for code in ALPHA2}
"""The same countries by their numbers of three digits, as texts."""

_ELSEWHERE = {"EL": "GR", "UK": "GB"}
"""What the European Union writes for Greece and the United Kingdom -> the standard's code."""


def country_called(name: str) -> str | None:
    """The code of a country by its code of two or three letters or its English name, whatever the case."""
    text = name.strip().upper()
    code = _ELSEWHERE.get(text, text)
    if len(code) != 2:
        found = countries_by_alpha3.get(code) or countries_by_name.get(_COMMON.get(code, code))
        code = found.alpha2 if found else ""
    return code if code in ALPHA2 else None


_COMMON = {
    "UNITED STATES": "UNITED STATES OF AMERICA",
    "UNITED KINGDOM": "UNITED KINGDOM OF GREAT BRITAIN AND NORTHERN IRELAND",
    "GREAT BRITAIN": "UNITED KINGDOM OF GREAT BRITAIN AND NORTHERN IRELAND",
    "SOUTH KOREA": "KOREA, REPUBLIC OF",
    "VIETNAM": "VIET NAM",
    "RUSSIA": "RUSSIAN FEDERATION",
    "TURKEY": "TÜRKIYE",
    "CZECH REPUBLIC": "CZECHIA",
    "BOLIVIA": "BOLIVIA, PLURINATIONAL STATE OF",
    "TAIWAN": "TAIWAN, PROVINCE OF CHINA",
    "IRAN": "IRAN, ISLAMIC REPUBLIC OF",
    "MOLDOVA": "MOLDOVA, REPUBLIC OF",
    "TANZANIA": "TANZANIA, UNITED REPUBLIC OF",
    "VENEZUELA": "VENEZUELA, BOLIVARIAN REPUBLIC OF",
}
"""What people call a country -> the standard's name."""


def _known(code: str) -> str:
    if code not in ALPHA2:
        meant = _ELSEWHERE.get(code.upper(), code.upper())
        hint = f"; write '{meant}'" if meant in ALPHA2 else ""
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
