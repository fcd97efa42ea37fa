"""Inputs that narrow lists down and order them. Their rules are those of `domain.filter_input`."""

from datetime import date, datetime
from typing import Generic, TypeVar

import strawberry

from domain import paging, vocabulary

T = TypeVar("T")


@strawberry.input(description="Which values are looked for. All operators that are given must hold.")
class Filter(Generic[T]):
    """Of values without an order."""

    eq: T | None = strawberry.field(default=None, description="It is this.")
    in_: list[T] | None = strawberry.field(
        name="in", default=None, description="One of these, at most 100; an empty list matches nothing."
    )


@strawberry.input(description="Which values are looked for. All operators given must hold.")
class ExactFilter:
    """Of texts that are taken whole."""

    eq: str | None = strawberry.field(default=None, description="It is this.")
    in_: list[str] | None = strawberry.field(
        name="in", default=None, description="One of these, at most 100; an empty list matches nothing."
    )


@strawberry.input(description="Which texts are looked for, as they are written. All operators given must hold.")
class TextFilter:
    """Texts compared as they are."""

    eq: str | None = strawberry.field(default=None, description="It is this.")
    in_: list[str] | None = strawberry.field(
        name="in", default=None, description="One of these, at most 100; an empty list matches nothing."
    )
    starts_with: str | None = strawberry.field(default=None, description="It begins so.")


@strawberry.input(description="Which names are looked for, whatever the case. All operators given must hold.")
class NameFilter:
    """Names of definitions."""

    eq: str | None = strawberry.field(default=None, description="It is this.")
    in_: list[str] | None = strawberry.field(
        name="in", default=None, description="One of these, at most 100; an empty list matches nothing."
    )
    starts_with: str | None = strawberry.field(default=None, description="It begins so.")
    contains: str | None = strawberry.field(default=None, description="This is a part of it.")


@strawberry.input(description="Which names of products are looked for, upper and lower case being the same.")
class ProductNameFilter:
    """Names of products."""

    eq: str | None = strawberry.field(default=None, description="It is this.")
    starts_with: str | None = strawberry.field(default=None, description="It begins so.")


@strawberry.input(description="Which brands are looked for, whatever the case. All operators given must hold.")
class BrandFilter:
    """Brands of products."""

    eq: str | None = strawberry.field(default=None, description="It is this.")
    in_: list[str] | None = strawberry.field(
        name="in", default=None, description="One of these, at most 100; an empty list matches nothing."
    )
    starts_with: str | None = strawberry.field(default=None, description="It begins so.")


@strawberry.input(description="A span of days; both ends are included, and either may be left out.")
class DateRange:
    """Both ends included."""

    from_: date | None = strawberry.field(name="from", default=None, description="The first day.")
    to: date | None = strawberry.field(default=None, description="The last day.")


@strawberry.input(description="Which days are looked for. All operators that are given must hold.")
class DateFilter:
    """Of dates that may not be recorded."""

    eq: date | None = strawberry.field(default=None, description="It is this.")
    range: DateRange | None = strawberry.field(
        default=None, description="It lies in this span; a missing date lies in none."
    )
    is_null: bool | None = strawberry.field(default=None, description="Whether it is missing.")


@strawberry.input(description="A span of time; both ends are included, and either may be left out.")
class DateTimeRange:
    """Both ends included."""

    from_: datetime | None = strawberry.field(name="from", default=None, description="The first moment.")
    to: datetime | None = strawberry.field(default=None, description="The last moment.")


@strawberry.input(description="Which moments are looked for.")
class DateTimeFilter:
    """Of moments."""

    range: DateTimeRange | None = strawberry.field(default=None, description="It lies in this span.")


@strawberry.input(description="Which countries are looked for, by their ISO 3166-1 alpha-2 codes.")
class CountryFilter:
    """Of a country, or of lists of countries."""

    eq: str | None = strawberry.field(default=None, description="It is this country, or this one is among them.")
    in_: list[str] | None = strawberry.field(
        name="in", default=None, description="So for at least one of these, at most 100; an empty list matches nothing."
    )
    is_empty: bool | None = strawberry.field(default=None, description="Whether no country is recorded.")


@strawberry.input(description="An entry of the metadata.")
class MetadataFilter:
    """Equality of one entry."""

    key: str = strawberry.field(description="Its key.")
    eq: str = strawberry.field(description="Its value, exactly.")


@strawberry.input(description="A number of days from today on.")
class Within:
    """Today included."""

    days: int = strawberry.field(description="How many, 0 to 3660; 0 is today alone.")


@strawberry.input(description="Which standings are looked for. All operators that are given must hold.")
class StandingFilter:
    """On one day."""

    eq: vocabulary.Standing | None = strawberry.field(default=None, description="It is this.")
    in_: list[vocabulary.Standing] | None = strawberry.field(
        name="in", default=None, description="It is one of these; an empty list matches nothing."
    )
    on: date | None = strawberry.field(default=None, description="The day; today (UTC) if left out.")


@strawberry.input(
    description="Which certification bodies are looked for. All members given must hold; null asks for nothing."
)
class CertificationBodyWhere:
    """Bodies."""

    id: Filter[strawberry.ID] | None = strawberry.field(default=None, description="Its id.")
    code: NameFilter | None = strawberry.field(default=None, description="Its code.")
    name: NameFilter | None = strawberry.field(default=None, description="Its name.")
    country: CountryFilter | None = strawberry.field(default=None, description="The country of its seat.")
    kind: ExactFilter | None = strawberry.field(default=None, description="Its kind, for example `CERTIFIER`.")
    and_: list["CertificationBodyWhere"] | None = strawberry.field(
        name="and", default=None, description="All of these hold."
    )
    or_: list["CertificationBodyWhere"] | None = strawberry.field(
        name="or", default=None, description="At least one of these holds; an empty list matches nothing."
    )
    not_: "CertificationBodyWhere | None" = strawberry.field(
        name="not", default=None, description="This does not hold; what is not recorded counts as not holding."
    )


@strawberry.input(
    description="Which certifications are looked for. All members given must hold; null asks for nothing."
)
class CertificationWhere:
    """Definitions."""

    id: Filter[strawberry.ID] | None = strawberry.field(default=None, description="Its id.")
    code: NameFilter | None = strawberry.field(default=None, description="Its code.")
    label: NameFilter | None = strawberry.field(default=None, description="Its label.")
    body: CertificationBodyWhere | None = strawberry.field(
        default=None,
        description="The body that owns or runs it; one without a body matches nothing here, not even `{}`.",
    )
    is_private: bool | None = strawberry.field(default=None, description="Whether only your organisation can see it.")
    and_: list["CertificationWhere"] | None = strawberry.field(
        name="and", default=None, description="All of these hold."
    )
    or_: list["CertificationWhere"] | None = strawberry.field(
        name="or", default=None, description="At least one of these holds; an empty list matches nothing."
    )
    not_: "CertificationWhere | None" = strawberry.field(
        name="not", default=None, description="This does not hold; what is not recorded counts as not holding."
    )


@strawberry.input(description="Which claims are looked for. All members given must hold; null asks for nothing.")
class ClaimWhere:
    """Definitions."""

    id: Filter[strawberry.ID] | None = strawberry.field(default=None, description="Its id.")
    code: NameFilter | None = strawberry.field(default=None, description="Its code.")
    label: NameFilter | None = strawberry.field(default=None, description="Its label.")
    category: Filter[vocabulary.ClaimCategory] | None = strawberry.field(default=None, description="What it is about.")
    requires_definition: bool | None = strawberry.field(
        default=None, description="Whether a brand should say what it means by it."
    )
    and_: list["ClaimWhere"] | None = strawberry.field(name="and", default=None, description="All of these hold.")
    or_: list["ClaimWhere"] | None = strawberry.field(
        name="or", default=None, description="At least one of these holds; an empty list matches nothing."
    )
    not_: "ClaimWhere | None" = strawberry.field(
        name="not", default=None, description="This does not hold; what is not recorded counts as not holding."
    )


@strawberry.input(
    description="Which certification assignments are looked for. All members given must hold; null asks for nothing."
)
class CertificationAssignmentWhere:
    """Assignments."""

    id: Filter[strawberry.ID] | None = strawberry.field(default=None, description="The id of the assignment.")
    gtin: ExactFilter | None = strawberry.field(default=None, description="The GTIN of the product, 8 to 14 digits.")
    certification: CertificationWhere | None = strawberry.field(
        default=None, description="The certification that is held."
    )
    body: CertificationBodyWhere | None = strawberry.field(
        default=None,
        description="The body that owns or runs the certification; one without matches nothing here, not even `{}`.",
    )
    certificate_number: TextFilter | None = strawberry.field(default=None, description="The number of the certificate.")
    verification_status: Filter[vocabulary.VerificationStatus] | None = strawberry.field(
        default=None, description="How far it has been confirmed."
    )
    country: CountryFilter | None = strawberry.field(default=None, description="The countries in which it is valid.")
    expiration_date: DateFilter | None = strawberry.field(default=None, description="The last day of validity.")
    lapses_on: DateFilter | None = strawberry.field(default=None, description="The last day on which it holds.")
    lapses_within: Within | None = strawberry.field(
        default=None, description="The last day on which it holds is today or comes within so many days."
    )
    expiring_within: Within | None = strawberry.field(default=None, description="The same as `lapsesWithin`.")
    standing: StandingFilter | None = strawberry.field(default=None, description="How it stands on a day.")
    active_on: date | None = strawberry.field(default=None, description="It holds on this day, as `isActive` says.")
    updated_at: DateTimeFilter | None = strawberry.field(default=None, description="When it last changed.")
    metadata: MetadataFilter | None = strawberry.field(
        default=None,
        description="It has this entry in its metadata, empty on products of others. Not with a publishable key.",
    )
    and_: list["CertificationAssignmentWhere"] | None = strawberry.field(
        name="and", default=None, description="All of these hold."
    )
    or_: list["CertificationAssignmentWhere"] | None = strawberry.field(
        name="or", default=None, description="At least one of these holds; an empty list matches nothing."
    )
    not_: "CertificationAssignmentWhere | None" = strawberry.field(
        name="not", default=None, description="This does not hold; what is not recorded counts as not holding."
    )


@strawberry.input(
    description="Which claim assignments are looked for. All members given must hold; null asks for nothing."
)
class ClaimAssignmentWhere:
    """Assignments."""

    id: Filter[strawberry.ID] | None = strawberry.field(default=None, description="The id of the assignment.")
    gtin: ExactFilter | None = strawberry.field(default=None, description="The GTIN of the product, 8 to 14 digits.")
    claim: ClaimWhere | None = strawberry.field(default=None, description="The claim that is made.")
    category: Filter[vocabulary.ClaimCategory] | None = strawberry.field(
        default=None, description="What the claim is about."
    )
    source: Filter[vocabulary.ClaimSource] | None = strawberry.field(default=None, description="Who stands behind it.")
    expiration_date: DateFilter | None = strawberry.field(default=None, description="The last day of validity.")
    lapses_on: DateFilter | None = strawberry.field(default=None, description="The last day on which it holds.")
    lapses_within: Within | None = strawberry.field(
        default=None, description="The last day on which it holds is today or comes within so many days."
    )
    expiring_within: Within | None = strawberry.field(default=None, description="The same as `lapsesWithin`.")
    standing: StandingFilter | None = strawberry.field(default=None, description="How it stands on a day.")
    active_on: date | None = strawberry.field(default=None, description="It holds on this day, as `isActive` says.")
    updated_at: DateTimeFilter | None = strawberry.field(default=None, description="When it last changed.")
    metadata: MetadataFilter | None = strawberry.field(
        default=None,
        description="It has this entry in its metadata, empty on products of others. Not with a publishable key.",
    )
    and_: list["ClaimAssignmentWhere"] | None = strawberry.field(
        name="and", default=None, description="All of these hold."
    )
    or_: list["ClaimAssignmentWhere"] | None = strawberry.field(
        name="or", default=None, description="At least one of these holds; an empty list matches nothing."
    )
    not_: "ClaimAssignmentWhere | None" = strawberry.field(
        name="not", default=None, description="This does not hold; what is not recorded counts as not holding."
    )


@strawberry.input(description="Which products are looked for. All members given must hold; null asks for nothing.")
class ProductWhere:
    """Products."""

    gtin: ExactFilter | None = strawberry.field(default=None, description="Its GTIN, 8 to 14 digits.")
    id: Filter[strawberry.ID] | None = strawberry.field(default=None, description="Its id.")
    name: ProductNameFilter | None = strawberry.field(default=None, description="Its name.")
    brand: BrandFilter | None = strawberry.field(default=None, description="Its brand.")
    search: str | None = strawberry.field(
        default=None,
        description="A part of its name, brand or GTIN, whatever the case; every product that the rest leaves is read.",
    )
    country_of_origin: CountryFilter | None = strawberry.field(
        default=None, description="The country that it comes from."
    )
    data_source: Filter[vocabulary.DataSource] | None = strawberry.field(
        default=None, description="Where its record came from."
    )
    organization: Filter[strawberry.ID] | None = strawberry.field(
        default=None, description="The organisation that owns it."
    )
    updated_at: DateTimeFilter | None = strawberry.field(default=None, description="When it last changed.")
    metadata: MetadataFilter | None = strawberry.field(
        default=None,
        description="It has this entry in its metadata, empty on products of others. Not with a publishable key.",
    )
    and_: list["ProductWhere"] | None = strawberry.field(name="and", default=None, description="All of these hold.")
    or_: list["ProductWhere"] | None = strawberry.field(
        name="or", default=None, description="At least one of these holds; an empty list matches nothing."
    )
    not_: "ProductWhere | None" = strawberry.field(
        name="not", default=None, description="This does not hold; what is not recorded counts as not holding."
    )


@strawberry.input(description="How products are ordered.")
class ProductOrder:
    """One member and a direction."""

    field: paging.ProductOrderField = strawberry.field(
        default=paging.ProductOrderField.GTIN, description="What decides first."
    )
    direction: paging.OrderDirection = strawberry.field(
        default=paging.OrderDirection.ASC, description="Which end comes first."
    )

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.direction is paging.OrderDirection.DESC


@strawberry.input(description="How assignments are ordered.")
class AssignmentOrder:
    """One member and a direction."""

    field: paging.AssignmentOrderField = strawberry.field(
        default=paging.AssignmentOrderField.GTIN, description="What decides first."
    )
    direction: paging.OrderDirection = strawberry.field(
        default=paging.OrderDirection.ASC, description="Which end comes first."
    )

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.direction is paging.OrderDirection.DESC


@strawberry.input(description="How the assignments of one definition are ordered.")
class NestedAssignmentOrder:
    """One member and a direction."""

    field: paging.NestedAssignmentOrderField = strawberry.field(
        default=paging.NestedAssignmentOrderField.GTIN, description="What decides first."
    )
    direction: paging.OrderDirection = strawberry.field(
        default=paging.OrderDirection.ASC, description="Which end comes first."
    )

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.direction is paging.OrderDirection.DESC


@strawberry.input(description="How certifications or claims are ordered.")
class DefinitionOrder:
    """One member and a direction."""

    field: paging.DefinitionOrderField = strawberry.field(
        default=paging.DefinitionOrderField.LABEL, description="What decides first."
    )
    direction: paging.OrderDirection = strawberry.field(
        default=paging.OrderDirection.ASC, description="Which end comes first."
    )

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.direction is paging.OrderDirection.DESC


@strawberry.input(description="How certification bodies are ordered.")
class CertificationBodyOrder:
    """One member and a direction."""

    field: paging.BodyOrderField = strawberry.field(
        default=paging.BodyOrderField.NAME, description="What decides first."
    )
    direction: paging.OrderDirection = strawberry.field(
        default=paging.OrderDirection.ASC, description="Which end comes first."
    )

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.direction is paging.OrderDirection.DESC
