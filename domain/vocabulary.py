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


class DataSource(StrEnum):
    """Where a product's record came from (contract 8)."""

    CROWD_SOURCED = "crowd_sourced"
    CLAIMED = "claimed"
    IMPORTED = "imported"
    AI_EXTRACTED = "ai_extracted"
    BRAND_SITE_CRAWL = "brand_site_crawl"
    GTIN1_AUTHORITATIVE = "gtin1_authoritative"
    EXTERNAL_API = "external_api"
    OPEN_FOOD_FACTS = "open_food_facts"
    USDA_FDC = "usda_fdc"
    FDA_NDC = "fda_ndc"
    AFFILIATE_FEED = "affiliate_feed"
    DATAKICK = "datakick"
    COMMON_CRAWL_WDC = "common_crawl_wdc"
