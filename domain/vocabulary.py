"""The enumerations of the contract, by their wire values."""

from enum import StrEnum


class VerificationStatus(StrEnum):
    """How far a certificate has been confirmed against its issuer's registry."""

    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    EXPIRED = "expired"


class ClaimSource(StrEnum):
    """Who stands behind a claim."""

    BRAND_SELF_DECLARED = "BRAND_SELF_DECLARED"
    THIRD_PARTY_VERIFIED = "THIRD_PARTY_VERIFIED"


class ClaimCategory(StrEnum):
    """What a claim is about."""

    DIETARY = "DIETARY"
    INGREDIENT_ABSENCE = "INGREDIENT_ABSENCE"
    ALLERGEN_FREE = "ALLERGEN_FREE"
    PROCESS = "PROCESS"
    SUSTAINABILITY = "SUSTAINABILITY"
    OTHER = "OTHER"


class Role(StrEnum):
    """What an API key may do inside its organisation."""

    MANAGER = "manager"
    EDITOR = "editor"
    READONLY = "readonly"


class KeyKind(StrEnum):
    """The prefix of an API key (contract 1.5)."""

    BUSINESS = "csb"
    USER = "csu"
    PUBLISHABLE = "cpk"
