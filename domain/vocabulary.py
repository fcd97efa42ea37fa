"""The enumerations of the contract by their wire values, each value with what it means."""

from enum import StrEnum
from typing import Self


class Vocabulary(StrEnum):
    """An enumeration whose values are explained: `NAME = "wire value", "What it means."`.

    The explanation is the value's docstring, from which the GraphQL schema takes it.
    """

    _value_: str

    def __new__(cls, value: str, meaning: str = "") -> Self:
        """A value with its meaning; looking one up (`Role("editor")`) reads the same and does not come here."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.__doc__ = meaning
        return member


class VerificationStatus(Vocabulary):
    """How far a certificate has been confirmed against its issuer's registry."""

    UNVERIFIED = "unverified", "Recorded, but nobody has compared it with the issuer's registry yet."
    VERIFIED = "verified", "The issuer's registry confirmed it when it was last looked up."
    EXPIRED = "expired", "It was confirmed once, but that confirmation has lapsed: look again."


class Standing(Vocabulary):
    """How an assignment stands on a day, by all the dates that are recorded."""

    NOT_YET = "not_yet", "Its first day is still to come."
    CURRENT = "current", "It has begun, as far as is known, has not lapsed, and is neither suspended nor withdrawn."
    LAPSED = "lapsed", "The day on which it lapses has passed, whatever its first day."
    SUSPENDED = "suspended", "It would be current, but is suspended on that day."
    WITHDRAWN = "withdrawn", "It was withdrawn by that day, whatever its dates."


class ClaimSource(Vocabulary):
    """Who stands behind a claim."""

    BRAND_SELF_DECLARED = "BRAND_SELF_DECLARED", "The brand says so itself."
    THIRD_PARTY_VERIFIED = "THIRD_PARTY_VERIFIED", "Somebody independent has checked it and left an audit trail."


class ClaimCategory(Vocabulary):
    """What a claim is about."""

    DIETARY = "DIETARY", "Whose diet it suits, for example Vegan."
    INGREDIENT_ABSENCE = "INGREDIENT_ABSENCE", "Which ingredient is not in it, for example No added sugar."
    ALLERGEN_FREE = "ALLERGEN_FREE", "Which allergen is not in it, for example Gluten free."
    PROCESS = "PROCESS", "How it was grown or made, for example Cold pressed."
    SUSTAINABILITY = "SUSTAINABILITY", "What it means for people and the planet, for example Recyclable."
    OTHER = "OTHER", "Anything else."


class ProductFormat(Vocabulary):
    """In which form one product with what it holds and claims is answered."""

    JSON = "json", "As the documented API has it."
    JSON_LD = "jsonld", "JSON-LD: the GS1 Web Vocabulary and schema.org in one document."
    GS1_US = "gs1us", "JSON-LD as GS1 US's Certification Data Model has it."


class FileFormat(Vocabulary):
    """In which form a list leaves as a file."""

    CSV = "csv", "Comma-separated values in UTF-8, a row each."
    XLSX = "xlsx", "An Excel workbook, a row each."
    JSON_LINES = "jsonl", "JSON lines, an object each."
    JSON_LD = "jsonld", "JSON-LD: the GS1 Web Vocabulary and schema.org in one document."
    GS1_US = "gs1us", "JSON-LD as GS1 US's Certification Data Model has it; not of claims."


class ViewKind(Vocabulary):
    """What a saved view is a list of."""

    PRODUCTS = "products", "Products."
    CERTIFICATIONS = "certifications", "Certifications that products hold."
    CLAIMS = "claims", "Claims that products make."


class DigestPeriod(Vocabulary):
    """How often a member is told by mail."""

    DAILY = "daily", "Each day."
    WEEKLY = "weekly", "Each Monday."


class BulkPolicy(Vocabulary):
    """What becomes of a bulk mutation when some of its rows are refused."""

    REJECT_ALL = "REJECT_ALL", "Nothing is done unless every row can be done."
    IGNORE_FAILED = "IGNORE_FAILED", "The rows that can be done are done, the others are left out."


class Existing(Vocabulary):
    """What becomes of a row that is about something that is there already."""

    UPDATE = (
        "update",
        (
            "What differs is changed; an empty cell leaves what is there, unless it is to clear it. A certificate that"
            " ends later than the one that is held, and begins later or has another number, renews it."
        ),
    )
    CORRECT = "correct", "As `update`, but nothing is renewed: later days correct the certificate that is held."
    SKIP = "skip", "It is left as it is."
    REFUSE = "refuse", "The row is refused."


class RowOutcome(Vocabulary):
    """What became of a thing that a row is about."""

    MADE = "made", "It was made."
    CHANGED = "changed", "A member of it was changed."
    RENEWED = "renewed", "A new certificate took the place of the one before, which is kept as an earlier one."
    LEFT = "left", "It was as asked for already."
    REFUSED = "refused", "The row was refused, and nothing of it done."
    NOTED = "noted", "Something in the row was mended or passed over."


class ImportState(Vocabulary):
    """How far an import has come."""

    RUNNING = "running", "It is being done, or was being done when its process ended: it goes on where it was."
    DONE = "done", "All rows were done, but for those that were refused."
    REFUSED = "refused", "Nothing was done, because rows were refused and the policy is REJECT_ALL."
    FAILED = "failed", "It could not be gone on with; what it had done by then stays."


class Role(Vocabulary):
    """What an API key may do inside its organisation."""

    MANAGER = "manager", "Reads, changes products and assignments, and manages the organisation's keys."
    EDITOR = "editor", "Reads, and changes products and assignments."
    READONLY = "readonly", "Reads."


class KeyKind(Vocabulary):
    """What kind of API key it is, told by its prefix."""

    BUSINESS = "csb", "For an organisation's servers (`csb_...`)."
    USER = "csu", "For a person (`csu_...`): it follows that person's memberships."
    PUBLISHABLE = "cpk", "For web pages, where everybody can read it (`cpk_...`): it never writes."


class DataSource(Vocabulary):
    """Where a product's record came from."""

    CROWD_SOURCED = "crowd_sourced", "Entered by members of the public."
    CLAIMED = "claimed", "Entered or taken over by the organisation that owns the product."
    IMPORTED = "imported", "Loaded from a file."
    AI_EXTRACTED = "ai_extracted", "Read by a machine from a label or a page."
    BRAND_SITE_CRAWL = "brand_site_crawl", "Collected from the brand's website."
    GTIN1_AUTHORITATIVE = "gtin1_authoritative", "From the registry GTIN1, whose word on a GTIN is authoritative."
    EXTERNAL_API = "external_api", "From another service."
    OPEN_FOOD_FACTS = "open_food_facts", "From Open Food Facts, a free food database."
    USDA_FDC = "usda_fdc", "From FoodData Central of the US Department of Agriculture."
    FDA_NDC = "fda_ndc", "From the National Drug Code directory of the US Food and Drug Administration."
    AFFILIATE_FEED = "affiliate_feed", "From a retailer's feed for partners."
    DATAKICK = "datakick", "From Datakick, an open product database."
    COMMON_CRAWL_WDC = "common_crawl_wdc", "From product data that Web Data Commons found in Common Crawl."


class Face(Vocabulary):
    """From where something was done."""

    GRAPHQL = "graphql", "A GraphQL operation."
    REST = "rest", "A request to one of the REST interfaces."
    IMPORT = "import", "A row of a file that was put in."
    COMMAND_LINE = "command_line", "A command at the machine."
    PAGE = "page", "A page for browsers."
    UPGRADE = "upgrade", "The upgrade that began the log, with what was there."
    CALENDAR = "calendar", "A day that came, without anybody's doing."
    DELIVERY = "delivery", "What sends to webhooks, without anybody's doing."


class ObjectKind(Vocabulary):
    """Of what the log of changes tells."""

    PRODUCT = "product", "A product."
    CERTIFICATION_ASSIGNMENT = "certification_assignment", "A certification that a product holds."
    CLAIM_ASSIGNMENT = "claim_assignment", "A claim that a product makes."
    ACKNOWLEDGEMENT = "acknowledgement", "That somebody has taken a lapse on; it goes with what lapses."
    CERTIFICATION_BODY = "certification_body", "A certification body."
    CERTIFICATION = "certification", "The definition of a certification."
    CLAIM = "claim", "The definition of a claim."
    ORGANIZATION = "organization", "An organisation."
    VIEW = "view", "A list that an organisation has saved."
    MEMBERSHIP = "membership", "Somebody's membership in an organisation."
    API_KEY = "api_key", "An API key."
    WEBHOOK = "webhook", "An address to which changes are sent."
    GRAPHQL_LIMITS = "graphql_limits", "What the GraphQL operations of an API key may ask for."
    PUBLIC_PROOF = "public_proof", "Whether anybody is shown what the products of an organisation hold."
