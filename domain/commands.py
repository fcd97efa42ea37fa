"""What a caller can ask for: frozen, typed, judged once for both faces.

`Command.parse` takes plain JSON values (REST) and typed ones (GraphQL) alike and names every bad member at once.
"""

from typing import Annotated, ClassVar

from pydantic import Field, WithJsonSchema

from domain import patch
from domain.gtin import GtinField, NewGtinField, SeparatedGtinField
from domain.record_commands import NewCommand, PatchCommand, changes, makes, renews
from domain.records import CertificationAssignment, ClaimAssignment, EarlierCertificate, Product
from domain.short_id import IdOrCodeField, ShortIdField
from domain.validation import DIGITS, JSON_TEXT, AfterTheFirst, Command, Date, Flag, Moment, Text, Text255
from domain.vocabulary import ClaimCategory, DataSource, FileFormat, ProductFormat, VerificationStatus


class OfHeldCertification(Command):
    """What is about a certification that a product holds, or is to hold."""

    gtin: GtinField
    certification_id: Annotated[
        IdOrCodeField,
        Field(description="The id of the certification, not of the assignment: 22 characters, or a UUID."),
    ]


class OfMadeClaim(Command):
    """What is about a claim that a product makes, or is to make."""

    gtin: GtinField
    claim_id: Annotated[
        IdOrCodeField, Field(description="The id of the claim, not of the assignment: 22 characters, or a UUID.")
    ]


@makes(ClaimAssignment, last="metadata")
class AssignClaim(OfMadeClaim, NewCommand):
    """Put a claim on a product. Contract 2.7."""


@makes(CertificationAssignment)
class AssignCertification(OfHeldCertification, NewCommand):
    """Put a certification on a product. Contract 2.6."""


@changes(CertificationAssignment)
class PatchCertificationAssignment(OfHeldCertification, PatchCommand):
    """Change members of a certification that a product holds. Contract 2.5."""


@renews(CertificationAssignment, EarlierCertificate)
class RenewCertification(OfHeldCertification, PatchCommand):
    """Put the next certificate in the place of the one that a product holds. Not in the contract."""

    when_left_out: ClassVar = (
        "Of what is left out, texts, lists and the day of the first grant stay as on the certificate before; the other"
        " days are not recorded, and the status is `unverified`"
    )


_Reason = Annotated[
    Text255,
    Field(min_length=1, description="Why; at most 255 characters.", examples=["Residues above the limit"]),
]


class SuspendCertification(OfHeldCertification):
    """Suspend a certificate that a product holds, besides earlier suspensions. Not in the contract."""

    suspended_from: Annotated[
        Date | None,
        Field(description="First day of the suspension; today (UTC) if left out.", examples=["2026-03-01"]),
    ] = None
    suspended_until: Annotated[
        Date | None,
        Field(
            description="Last day of the suspension; until it is reinstated if left out. Not before the first.",
            examples=["2026-05-31"],
        ),
    ] = None
    reason: _Reason


class WithdrawCertification(OfHeldCertification):
    """Withdraw a certificate that a product holds. Not in the contract."""

    withdrawn_on: Annotated[
        AfterTheFirst | None,
        Field(
            description="The day from which on it does not hold; if left out, today (UTC), or its first day where that"
            " is still to come.",
            examples=["2026-03-01"],
        ),
    ] = None
    reason: _Reason


class ReinstateCertification(OfHeldCertification):
    """Lift suspensions and a withdrawal. Not in the contract."""

    reinstated_on: Annotated[
        AfterTheFirst | None,
        Field(
            description="The day from which on it holds again; today (UTC) if left out. On the days before it stays"
            " suspended or withdrawn as it was.",
            examples=["2026-05-31"],
        ),
    ] = None
    reason: Annotated[
        Text255, Field(description="Why; at most 255 characters.", examples=["The second sample was clean"])
    ] = ""


class UndoRenewal(OfHeldCertification):
    """Put the certificate before the newest back. Not in the contract."""


class InTime(Command):
    """What is asked as of a day, and as it was known at a moment. Not in the contract."""

    as_of: Annotated[
        Date | None,
        Field(
            description="The day by which it is judged what is active; any day, also one to come. Today (UTC), or the"
            " day of `known_at`, if left out."
        ),
    ] = None
    known_at: Annotated[
        Moment | None,
        Field(
            description="Answers as it was known at that moment, by the log of changes: 404 where the product was not"
            " known yet. What is still to come is as now, a moment given to the second stands for all of it, and"
            " definitions are as they are now. Not for a publishable key.",
            examples=["2030-01-01T00:00:00Z"],
        ),
    ] = None


class ListEarlierCertificates(OfHeldCertification, InTime):
    """The certificates before the one that a product holds. Not in the contract."""


class GetCertificationStanding(OfHeldCertification, InTime):
    """How the certificate that a product holds stands. Not in the contract."""


class GetCertifiedProduct(InTime):
    """One product with what it holds and claims. Contract C15; `format` is ours.

    As of a day it shows of several certificates the one that held then.
    """

    gtin: GtinField
    format: ProductFormat | None = None


class Export(Command):
    """A list as a file. `where` is a filter in JSON, see `domain.filter_input.read_where`."""

    view: ShortIdField | None = None
    where: Annotated[Text, Field(max_length=4_000), WithJsonSchema(JSON_TEXT)] | None = None
    format: FileFormat | None = None
    excel: Flag = False


class GetCertificationAssignment(OfHeldCertification, InTime):
    """One certification that a product holds, as C7 lists it: what its entity tag is, a client can ask here."""


class RemoveCertification(OfHeldCertification):
    """Take a certification off a product. Contract C10."""


@changes(ClaimAssignment, last="metadata")
class PatchClaimAssignment(OfMadeClaim, PatchCommand):
    """Change members of a claim that a product makes. Contract C13."""


class GetClaimAssignment(OfMadeClaim, InTime):
    """One claim that a product makes, as C11 lists it."""


class RemoveClaim(OfMadeClaim):
    """Take a claim off a product. Contract C14."""


@makes(Product, null_is_omitted=True)
class CreateProduct(NewCommand):
    """A new product of the caller's organisation. Contract 8; null means left out."""

    gtin: NewGtinField
    organization_id: Annotated[
        ShortIdField | None,
        Field(description="The organisation that is to own it; the one that you act for if left out."),
    ] = None


@changes(Product, null=patch.UNCHANGED)
class PatchProduct(PatchCommand):
    """Change members of a product. Contract 8: here null means unchanged, and an empty text empties."""

    gtin: SeparatedGtinField


class OfProduct(Command):
    """What is about one product."""

    gtin: SeparatedGtinField


class ArchiveProduct(OfProduct):
    """Take a product out of all lists, with what it holds and claims, and keep it. Not in the contract."""


class RestoreProduct(OfProduct):
    """Bring an archived product back. Not in the contract."""


class NumberedPage(Command):
    """Which page of a numbered list. Contract 1.4."""

    page: Annotated[int, Field(ge=1, le=2**31 - 1), DIGITS] = 1
    page_size: Annotated[int, Field(ge=1, le=100), DIGITS] = 25

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.page - 1) * self.page_size


class ListCertificationBodies(NumberedPage):
    """Certification bodies whose name has a part. Contract C1."""

    name: Text255 | None = None
    ordering: Annotated[str, Field(pattern="^-?name$")] = "name"


class ListCertifications(NumberedPage):
    """Certifications by part of the label, by code, by body. Contract C3."""

    label: Text255 | None = None
    code: Text255 | None = None
    certification_body_id: ShortIdField | None = None
    ordering: Annotated[str, Field(pattern="^-?(label|code)$")] = "label"


class ListClaims(NumberedPage):
    """Claims by part of the label, by code, by category. Contract C5."""

    label: Text255 | None = None
    code: Text255 | None = None
    category: ClaimCategory | None = None
    ordering: Annotated[str, Field(pattern="^-?(label|code)$")] = "label"


class ListProducts(NumberedPage, InTime):
    """The products of one organisation. Contract 8."""

    organization_id: ShortIdField


class ListTradeItems(NumberedPage, InTime):
    """Products of everybody. Contract 8; categories are not recorded here, so one that is named matches nothing."""

    q: Text255 | None = None
    brand: Text255 | None = None
    category_id: Text255 | None = None
    is_claimed: Flag | None = None
    country_of_origin: Annotated[Text, Field(min_length=2, max_length=2)] | None = None
    data_source: DataSource | None = None
    ordering: Annotated[str, Field(pattern="^-?(product_name|brand|created|confidence_score)$")] = "product_name"


class ListProductCertifications(InTime):
    """The certifications that a product holds, filtered and ordered. Contract C7."""

    gtin: GtinField
    verification_status: VerificationStatus | None = None
    is_active: Flag | None = None
    ordering: Annotated[str, Field(pattern="^-?(expiry_date|label)$")] = "label"


class PageOfProductCertifications(ListProductCertifications, NumberedPage):
    """The same in numbered pages. Contract 8."""

    gtin: SeparatedGtinField


class ListProductClaims(InTime):
    """The claims that a product makes. Contract C11."""

    gtin: GtinField


class PageOfProductClaims(ListProductClaims, NumberedPage):
    """The same in numbered pages. Contract 8."""

    gtin: SeparatedGtinField
