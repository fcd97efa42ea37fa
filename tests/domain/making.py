"""Records for tests of pure rules."""

from datetime import UTC, date, datetime
from typing import Any

from domain import halts
from domain.certificates import HALTING
from domain.gtin import Gtin
from domain.members import given_to, members_of
from domain.records import Certification, CertificationAssignment, Organization, Product, Record
from domain.short_id import catalogue_id
from domain.vocabulary import DataSource, VerificationStatus

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GTIN = Gtin("00012345678905")


def product(owner: str = "brand") -> Product:
    return Product(
        **_empty(Product)
        | {
            "gtin": GTIN,
            "id": catalogue_id("product", GTIN),
            "organization_id": organization(owner).id,
            "name": "Oat drink",
            "brand": "Acme",
            "country_of_origin": "US",
            "net_content": "1 l",
            "data_source": DataSource.CLAIMED,
            "archived_at": None,
        }
    )


def organization(slug: str) -> Organization:
    return Organization(catalogue_id("organization", slug), slug, slug.title())


def held(
    label: str = "Seal",
    *,
    code: str = "SEAL",
    valid_from: date | None = None,
    expiration_date: date | None = None,
    expiry_date: date | None = None,
    status: VerificationStatus = VerificationStatus.UNVERIFIED,
    metadata: dict[str, str] | None = None,
    **members: Any,
) -> CertificationAssignment:
    """An assignment of a certification of that code and label."""
    own = {
        "id": catalogue_id("assignment", code),
        "gtin": GTIN,
        "organization_id": catalogue_id("organization", "own"),
        "valid_from": valid_from,
        "expiration_date": expiration_date,
        "expiry_date": expiry_date,
        "verification_status": status,
        "metadata": metadata or {},
        **members,
    }
    days = [members.get(name) for name in ("suspended_from", "suspended_until", "withdrawn_on")]
    judged = {"earlier_days": None, "halted_days": halts.of_columns(*days)}
    return CertificationAssignment(
        **_empty(CertificationAssignment) | judged | own,
        certification=Certification(
            id=catalogue_id("certification", code),
            code=code,
            label=label,
            description="",
            url="",
            logo_url=None,
            program="",
            standard="",
            organization_id=None,
            body=None,
        ),
    )


def _empty(record: type[Record]) -> dict[str, Any]:
    """The members of a new record of which nothing else is known."""
    given = {member.name: member.empty() for member in given_to(record)}
    given |= {name: member.empty() for name in HALTING if (member := members_of(record).get(name)) is not None}
    return given | {"created_at": NOON, "updated_at": NOON, "version": 1}
