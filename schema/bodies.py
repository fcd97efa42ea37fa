"""Certification bodies in GraphQL."""

import strawberry

from domain import records
from schema.records import record_type


@record_type(
    records.CertificationBody,
    description="An organisation that issues certificates, owns a certification mark or runs a public scheme.",
)
class CertificationBody:
    """Contract 2.1."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters.")
    code: str = strawberry.field(description="Its stable code, for example `ECOCERT`.")
    name: str = strawberry.field(description="Its name.")
    website: str = strawberry.field(description="Its website; empty when not recorded.")
    description: str = strawberry.field(description="What it does, in a sentence; may be empty.")
    logo_url: str | None = strawberry.field(description="URL of its logo; null when there is none.")
    country: str = strawberry.field(description="ISO 3166-1 alpha-2 code of its seat; empty when not recorded.")
    kind: str = strawberry.field(
        description="`CERTIFIER` issues certificates, `SCHEME_OWNER` owns a mark, `AUTHORITY` is a public body."
    )
