"""Which codes of the GS1 Web Vocabulary say the same as a claim of the catalogue."""

from functools import cache
from pathlib import Path

import msgspec

CATALOGUE = Path(__file__).resolve().parent.parent / "data" / "catalogue" / "claims.json"

PROPERTIES = {
    "GrowingMethodCode": "growingMethod",
    "NutritionalClaimTypeCode": "nutritionalClaim",
    "PackagingMarkedDietAllergenCode": "packagingMarkedDietAllergenType",
    "PackagingMarkedFreeFromCode": "packagingMarkedFreeFrom",
    "PackagingMarkedLabelAccreditationCode": "packagingMarkedLabelAccreditation",
}
"""Code list -> the property of a product whose values are its codes."""

DIETS = "DietTypeCode"
"""The code list whose codes are no values of a product: a product has a `dietCode`, and that has a `dietType`."""


class _SourcesOfClaim(msgspec.Struct):
    gs1_voc: list[str]


class _CodedClaim(msgspec.Struct):
    code: str
    sources: _SourcesOfClaim


class _CodedClaims(msgspec.Struct):
    claims: list[_CodedClaim]


@cache
def _codes() -> dict[str, tuple[str, ...]]:
    found = msgspec.json.decode(CATALOGUE.read_bytes(), type=_CodedClaims)
    return {claim.code: _unambiguous(claim.sources.gs1_voc) for claim in found.claims if claim.sources.gs1_voc}


def _unambiguous(codes: list[str]) -> tuple[str, ...]:
    # Of two codes of one list a product may have either, and the claim does not say which.
    lists = [list_of(code) for code in codes]
    return tuple(code for code, own in zip(codes, lists, strict=True) if lists.count(own) == 1)


def codes_of(claim: str) -> tuple[str, ...]:
    """The codes for the claim of that code, at most one of each list; none where the catalogue knows of none."""
    return _codes().get(claim, ())


def list_of(code: str) -> str:
    """The code list of a code."""
    return code.partition("-")[0]
