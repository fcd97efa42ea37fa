"""How many assignments there are, by what they have in common."""

from datetime import date, timedelta

from domain.records import Certification, CertificationBody, Claim, Record
from domain.short_id import ShortId
from domain.vocabulary import ClaimCategory, ClaimSource, VerificationStatus, Vocabulary

MAX_GROUPS = 1_000
"""The most groups of one answer; what comes behind them is left out."""


_ORGANIZATION = "organization_id", "The organisation that owns the product."
_BRAND = "brand", "The brand of the product, as it is written; an empty text where none is recorded."


class CertificationGrouping(Vocabulary):
    """What certification assignments of one group have in common."""

    STATUS = "verification_status", "The verification status."
    BODY = "body", "The body that owns or runs the certification; a group without one has those whose body is unknown."
    CERTIFICATION = "certification", "The certification."
    COUNTRY = "country", "A country of the certificate: counted in each of several, and in a group without for none."
    ISSUING_BODY = (
        "issuing_body",
        "Who issued the certificate, as it is written; empty where nobody is recorded.",
    )
    ORGANIZATION = _ORGANIZATION
    BRAND = _BRAND


class ClaimGrouping(Vocabulary):
    """What claim assignments of one group have in common."""

    SOURCE = "source", "Who stands behind the claim."
    CATEGORY = "category", "What the claim is about."
    CLAIM = "claim", "The claim."
    ORGANIZATION = _ORGANIZATION
    BRAND = _BRAND


class ExpiryBucket(Vocabulary):
    """How long the periods are in which assignments that lapse are counted together."""

    MONTH = "month", "Calendar months."
    QUARTER = "quarter", "January to March, April to June, and so on."
    YEAR = "year", "Calendar years."

    def last_day(self, first: date) -> date:
        """The last day of the period that begins with this day."""
        months = {ExpiryBucket.MONTH: 1, ExpiryBucket.QUARTER: 3, ExpiryBucket.YEAR: 12}[self]
        later = first.month - 1 + months
        if first.year == date.max.year and later == 12:
            return date.max
        return date(first.year + later // 12, later % 12 + 1, 1) - timedelta(days=1)


class CertificationGroup(Record, frozen=True):
    """Certification assignments that are counted together; None for what they are not grouped by, or lack."""

    verification_status: VerificationStatus | None
    body: CertificationBody | None
    certification: Certification | None
    country: str | None
    issuing_body: str | None
    organization_id: ShortId | None
    brand: str | None
    expires_from: date | None
    expires_to: date | None
    count: int
    product_count: int | None


class ClaimGroup(Record, frozen=True):
    """Claim assignments that are counted together; None for what they are not grouped by, or lack."""

    source: ClaimSource | None
    category: ClaimCategory | None
    claim: Claim | None
    organization_id: ShortId | None
    brand: str | None
    expires_from: date | None
    expires_to: date | None
    count: int
    product_count: int | None


class Stats(Record, frozen=True):
    """The groups, by period (those that never lapse last), then by size, the largest first.

    `total_count` counts each assignment once, also those of groups that are left out because there are too many.
    `product_count` counts each product once, here and in each group; None where that was not asked for.
    """

    total_count: int
    product_count: int | None
    groups: list[CertificationGroup | ClaimGroup]
    truncated: bool
