"""Country codes of ISO 3166-1 alpha-2, upper case (contract 2.4).

`XK` is user-assigned and not part of the standard, so it is refused; see `docs/decisions.md`.
"""

from typing import Annotated

from iso3166 import countries_by_alpha2
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

ALPHA2 = frozenset(countries_by_alpha2) - {"XK"}


def _known(code: str) -> str:
    if code not in ALPHA2:
        hint = f"; write '{code.upper()}'" if code.upper() in ALPHA2 else ""
        raise PydanticCustomError(
            "country_code",
            "Input should be an upper-case ISO 3166-1 alpha-2 country code such as 'US'{hint}",
            {"hint": hint},
        )
    return code


def _once_each(codes: list[str]) -> list[str]:
    return list(dict.fromkeys(codes))


Country = Annotated[str, AfterValidator(_known)]
Countries = Annotated[list[Country], AfterValidator(_once_each)]
"""Jurisdictions in the order given; a repeated code is kept once. Empty means not recorded, not everywhere."""
