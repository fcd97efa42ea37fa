"""The objects of GraphQL that lead to one another: products, what they hold and claim, the definitions of it."""

from datetime import date
from typing import Annotated, Any

import strawberry

from domain import certificates, records, vocabulary
from domain.acknowledgements import Acknowledgement
from domain.filter_input import parse_where
from domain.filters import EVERYTHING
from domain.lists import CERTIFICATION_ASSIGNMENTS, CERTIFICATIONS, CLAIM_ASSIGNMENTS, List
from domain.paging import NestedAssignmentOrderField
from domain.short_id import ShortId
from domain.validity import is_active, is_held, lapses_on, standing, standing_of_certificate
from execution.batched import batched
from execution.markers import Computed, cost
from resolvers import acknowledgements, assignments, certifications, claims, definitions, products
from resolvers.definitions import Kind
from schema import lists
from schema.connections import Connection, ListRequest, listed, paged
from schema.context import Info
from schema.filters import where_input
from schema.history import history_field, history_of_product
from schema.inputs import plain_members
from schema.nodes import Node
from schema.records import record_type, rows_of, shown
from schema.times import IN_TIME, in_time


@record_type(
    records.CertificationBody,
    lasting=True,
    description="An organisation that issues certificates, owns a certification mark or runs a public scheme.",
)
class CertificationBodyType(Node):
    """Contract 2.1."""

    @batched(description="The certifications that it owns or runs, as far as you may see them.")
    @staticmethod
    @paged(CERTIFICATIONS)
    async def certifications(
        parents: list[records.CertificationBody], info: Info, asked: ListRequest
    ) -> list[Connection["CertificationType"]]:
        """Pages of the certifications of all these bodies; no statement for each."""
        found = await definitions.definitions_that_match(info.context.operation, certifications.KIND, asked.where)
        return shown([listed(_of_body(found, parent), asked) for parent in parents])

    @batched(
        description="The assignments of its certifications: which products hold them, which certificates lapse.",
        metadata=IN_TIME,
    )
    @staticmethod
    @in_time
    @paged(CERTIFICATION_ASSIGNMENTS, NestedAssignmentOrderField)
    async def assignments(
        parents: list[records.CertificationBody], info: Info, asked: ListRequest
    ) -> list[Connection["CertificationAssignmentType"]]:
        """Pages of the assignments of all these bodies in one statement."""
        found = await definitions.definitions_that_match(info.context.operation, certifications.KIND, EVERYTHING)
        groups = [[item.id for item in _of_body(found, parent)] for parent in parents]
        return shown(await lists.pages_of_definitions(info, certifications.KIND, groups, asked))


def _is_private(organization_id: ShortId | None) -> bool:
    return organization_id is not None


@record_type(
    records.Certification,
    lasting=True,
    description="A certification that products can hold, such as USDA Organic: its definition.",
)
class CertificationType(Node):
    """Contract 2.2."""

    body: CertificationBodyType | None = strawberry.field(description="Who owns or runs it; null when not recorded.")

    @batched(description="The assignments of this certification: which products hold it.", metadata=IN_TIME)
    @staticmethod
    @in_time
    @paged(CERTIFICATION_ASSIGNMENTS, NestedAssignmentOrderField)
    async def assignments(
        parents: list[records.Certification], info: Info, asked: ListRequest
    ) -> list[Connection["CertificationAssignmentType"]]:
        """Pages of the assignments of all these certifications in one statement."""
        groups = [[parent.id] for parent in parents]
        return shown(await lists.pages_of_definitions(info, certifications.KIND, groups, asked))

    @strawberry.field(
        description="Whether only your organisation can see it.",
        metadata=Computed(_is_private, ("organization_id",)).metadata,
    )
    def is_private(self) -> bool:
        """Whether the definition belongs to one organisation."""
        return _is_private(shown(self).organization_id)


_AsOf = Annotated[date | None, strawberry.argument(description="The day; today (UTC) if left out.")]


def _is_active(self: Any, info: Info, as_of: _AsOf = None) -> bool:
    return is_active(self.valid_from, self.expiration_date, as_of or info.context.operation.today)


def _is_held(self: Any, info: Info, as_of: _AsOf = None) -> bool:
    return certificates.is_active(self, as_of or info.context.operation.today)


def _lapses_on(self: Any) -> date | None:
    day: date | None = self.lapses_on
    return day


def _standing(self: Any, info: Info, on: _AsOf = None) -> vocabulary.Standing:
    return standing(self.valid_from, self.lapses_on, on or info.context.operation.today)


def _stands(self: Any, info: Info, on: _AsOf = None) -> vocabulary.Standing:
    return certificates.stands(self, on or info.context.operation.today)


_IS_ACTIVE = Computed(is_active, ("valid_from", "expiration_date"), on_day=True).metadata
_IS_HELD = Computed(is_held, ("valid_from", "expiration_date", *certificates.JUDGING), on_day=True).metadata
_CERTIFICATE_LAPSES = Computed(lapses_on, ("expiration_date", "expiry_date", "withdrawn_on"))
_CLAIM_LAPSES = Computed(lapses_on, ("expiration_date",))
_STANDS = Computed(
    standing_of_certificate, ("valid_from", _CERTIFICATE_LAPSES, *certificates.JUDGING), on_day=True
).metadata


@record_type(Acknowledgement, description="That somebody has taken on that something lapses.")
class AcknowledgementType:
    """An addition of ours."""


_HISTORY = (
    "Its changes, the latest first: when, what was done, by whom, and what became of each member. A publishable key"
    " sees none."
)
_TAKEN_ON = (
    "Who has taken on that it lapses, until when and why; null where nobody has, once its day has passed, once the day"
    " of the lapse is another one, and on products of others."
)


async def _products(parents: list[Any], info: Info) -> list["ProductType"]:
    """The products of assignments; a foreign key guarantees each."""
    gtins = [item.gtin for item in parents]
    return shown(await products.products_of_gtins(info.context.operation, gtins))


_BY_GTIN = rows_of(products.BY_GTIN, "gtin")


@record_type(
    certificates.PreviousCertificate,
    description="A certificate that a renewal replaced, as it was then, and how the next one followed it.",
)
class PreviousCertificateType:
    """An addition of ours."""

    is_active = strawberry.field(resolver=_is_held, description="Whether it was active on a day, as of an assignment.")
    lapses_on = strawberry.field(
        resolver=_lapses_on, description="Last day on which it held, as of an assignment; null when none is known."
    )
    standing = strawberry.field(resolver=_stands, description="How it stood on a day, as of an assignment.")


@record_type(
    records.CertificationAssignment,
    description="A certification that one product holds: what its certificate says.",
)
class CertificationAssignmentType(Node):
    """Contract 2.4, with the assignment's own id."""

    certification: CertificationType = strawberry.field(description="The certification that is held.")

    is_active = strawberry.field(
        resolver=_is_held,
        metadata=_IS_HELD,
        description=(
            "Whether a day lies between `validFrom` and `expirationDate`, both included, a missing one open, or those"
            " of a certificate in `previous`, up to the end of this one, and it is neither suspended nor withdrawn"
            " then. The printed `expiryDate` has no part in it (see `standing`)."
        ),
    )
    lapses_on = strawberry.field(
        resolver=_lapses_on,
        metadata=_CERTIFICATE_LAPSES.metadata,
        description=(
            "Last day on which it holds: the earliest of `expirationDate`, `expiryDate` and the day before"
            " `withdrawnOn`; null when none is known. A suspension ends nothing."
        ),
    )
    standing = strawberry.field(
        resolver=_stands,
        metadata=_STANDS,
        description="How it stands on a day, by all its days and those of `previous`: what is withdrawn is that"
        " whatever its other days, and in a gap before this certificate it is `NOT_YET`.",
    )
    product = batched(description="The product that holds the certification.", metadata=_BY_GTIN)(_products)

    @batched(
        description="The certificates before this one, newest first: a renewal keeps the one that it replaces.",
        metadata=cost(size=5),
    )
    @staticmethod
    async def previous(
        parents: list[records.CertificationAssignment], info: Info
    ) -> list[list[PreviousCertificateType]]:
        """Those of all these certifications in one statement."""
        return shown(await certifications.previous_of(info.context.operation, parents))

    @batched(
        description="Whole years from the first grant to a day, or to `lapsesOn` if that is over; gaps are not taken"
        " out. Without `initialCertificationDate` the earliest `validFrom` of its certificates counts; null where none"
        " is known."
    )
    @staticmethod
    async def years_certified(
        parents: list[records.CertificationAssignment], info: Info, on: _AsOf = None
    ) -> list[int | None]:
        """Those of all these certifications in one statement at most."""
        return await certifications.years_certified(info.context.operation, parents, on)

    history = history_field(_HISTORY)

    @batched(description=_TAKEN_ON)
    @staticmethod
    async def acknowledgement(
        parents: list[records.CertificationAssignment], info: Info
    ) -> list[AcknowledgementType | None]:
        """Those of all these certifications in one statement."""
        return shown(await acknowledgements.of_certifications(info.context.operation, parents))


@record_type(records.Claim, description="A claim that products can make, such as Vegan: its definition.", lasting=True)
class ClaimType(Node):
    """Contract 2.3."""

    @batched(description="The assignments of this claim: which products make it.", metadata=IN_TIME)
    @staticmethod
    @in_time
    @paged(CLAIM_ASSIGNMENTS, NestedAssignmentOrderField)
    async def assignments(
        parents: list[records.Claim], info: Info, asked: ListRequest
    ) -> list[Connection["ClaimAssignmentType"]]:
        """Pages of the assignments of all these claims in one statement."""
        return shown(await lists.pages_of_definitions(info, claims.KIND, [[parent.id] for parent in parents], asked))


@record_type(records.ClaimAssignment, description="A claim that one product makes.")
class ClaimAssignmentType(Node):
    """Contract 2.8, with the assignment's own id and readable evidence."""

    claim: ClaimType = strawberry.field(description="The claim that is made.")

    is_active = strawberry.field(
        resolver=_is_active,
        metadata=_IS_ACTIVE,
        description="Whether the claim holds on a day: both bounds count, a missing one is open.",
    )
    lapses_on = strawberry.field(
        resolver=_lapses_on,
        metadata=_CLAIM_LAPSES.metadata,
        description="Last day on which it holds, which is `expirationDate`; null when it is open-ended.",
    )
    standing = strawberry.field(
        resolver=_standing,
        metadata=Computed(standing, ("valid_from", _CLAIM_LAPSES), on_day=True).metadata,
        description="How it stands on a day, by `validFrom` and `lapsesOn`.",
    )
    product = batched(description="The product that makes the claim.", metadata=_BY_GTIN)(_products)

    history = history_field(_HISTORY)

    @batched(description=_TAKEN_ON)
    @staticmethod
    async def acknowledgement(parents: list[records.ClaimAssignment], info: Info) -> list[AcknowledgementType | None]:
        """Those of all these claims in one statement."""
        return shown(await acknowledgements.of_claims(info.context.operation, parents))


def _where(of: List) -> Any:
    return Annotated[where_input(of) | None, strawberry.argument(description=f"Which {of.called}; all if left out.")]


_HeldWhere: Any = _where(CERTIFICATION_ASSIGNMENTS)
_MadeWhere: Any = _where(CLAIM_ASSIGNMENTS)


async def _of_products(parents: list[records.Product], info: Info, of: List, kind: Kind[Any, Any], where: Any) -> Any:
    operation = info.context.operation
    conditions = parse_where(of.fields, plain_members(where), operation.today)
    return await assignments.of_products(operation, kind, [parent.gtin for parent in parents], conditions)


@record_type(records.Product, description="A product under its GTIN, the number of its barcode.")
class ProductType(Node):
    """Contract 8, as far as it bears on certifications and claims."""

    history = history_of_product(_HISTORY)

    @batched(
        description="The certifications it holds, by label. Private ones of other organisations are left out.",
        metadata=rows_of(certifications.KIND.rows, "gtin"),
    )
    @staticmethod
    async def certifications(
        parents: list[records.Product], info: Info, where: _HeldWhere = None
    ) -> list[list[CertificationAssignmentType]]:
        """The certifications of all these products in one statement."""
        return shown(await _of_products(parents, info, CERTIFICATION_ASSIGNMENTS, certifications.KIND, where))

    @batched(description="The claims it makes, by label.", metadata=rows_of(claims.KIND.rows, "gtin"))
    @staticmethod
    async def claims(
        parents: list[records.Product], info: Info, where: _MadeWhere = None
    ) -> list[list[ClaimAssignmentType]]:
        """The claims of all these products in one statement."""
        return shown(await _of_products(parents, info, CLAIM_ASSIGNMENTS, claims.KIND, where))


def _of_body(found: list[records.Certification], body: records.CertificationBody) -> list[records.Certification]:
    return [item for item in found if item.body is not None and item.body.id == body.id]
