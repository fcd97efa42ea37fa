"""What a caller can ask for: frozen, typed, judged once for both faces.

`Command.parse` takes plain JSON values (REST) and typed ones (GraphQL) alike and names every bad member at once.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import Field, WithJsonSchema, create_model

from domain import patch
from domain.gtin import GtinField, NewGtinField, SeparatedGtinField
from domain.members import RecordMember, given_to
from domain.metadata import merge
from domain.records import CertificationAssignment, ClaimAssignment, Product, Record
from domain.short_id import ShortIdField
from domain.validation import DIGITS, Command, Flag, Text, Text255
from domain.validity import check_order
from domain.vocabulary import ClaimCategory, DataSource, FileFormat, ProductFormat, VerificationStatus

C = TypeVar("C", bound=Command)


class NewCommand(Command):
    """A command that makes a record of the members that were sent; see `makes`."""

    names: ClassVar[tuple[str, ...]]
    """The record's names of the members, in the order of `read`."""
    read: ClassVar[Callable[[Self], tuple[Any, ...]]]
    empty: ClassVar[Mapping[str, Callable[[], Any]]]
    """Of members that may be left out by null: makes what stands for none."""

    def members(self) -> dict[str, Any]:
        """The members of the record that clients give. Raises `InvalidInput`."""
        sent = dict(zip(self.names, type(self).read(self), strict=True))
        for name, empty in self.empty.items():
            if sent[name] is None:
                sent[name] = empty()
        if "valid_from" in sent:
            check_order(sent["valid_from"], sent["expiration_date"])
        sent["metadata"] = merge({}, sent["metadata"])
        return sent


class PatchCommand(Command):
    """A command that changes the members that were sent; see `changes`.

    Omitted and null are told apart by which members were set.
    """

    nulls: ClassVar[Mapping[str, patch.Null]]
    """What null means, by the name under which a member is sent."""
    names: ClassVar[Mapping[str, str]]
    """The record's name of each."""

    def members(self) -> dict[str, Any]:
        """The patchable members that were sent, nulls replaced by what they mean. Raises `InvalidInput`."""
        sent = {name: getattr(self, name) for name in self.nulls if name in self.model_fields_set}
        return {self.names[name]: value for name, value in patch.resolve_nulls(sent, self.nulls).items()}


N = TypeVar("N", bound=NewCommand)
P = TypeVar("P", bound=PatchCommand)


def makes(record: type[Record], *, last: str = "", null_is_omitted: bool = False) -> Callable[[type[N]], type[N]]:
    """The command with the members of the record that clients give, each with its rules and its default.

    They are judged in the order of the record, but for the `last`. With `null_is_omitted` a client may send null for
    each of them, and means that there is none.
    """
    given = _given_to(record, last)

    def decorate(command: type[N]) -> type[N]:
        command = _with_members(command, {member.sent_as: _when_made(member, null_is_omitted) for member in given})
        command.names = tuple(member.name for member in given)
        command.read = attrgetter(*(member.sent_as for member in given))
        command.empty = {member.name: member.empty for member in given if null_is_omitted and member.name != "metadata"}
        return command

    return decorate


def changes(record: type[Record], *, last: str = "", null: patch.Null | None = None) -> Callable[[type[P]], type[P]]:
    """The command with the members of the record that clients may change, in the same order.

    Null means `null`, or what a member's type says.
    """
    given = [member for member in _given_to(record, last) if member.said.given == "always"]

    def decorate(command: type[P]) -> type[P]:
        command = _with_members(command, {member.sent_as: (member.sent | None, None) for member in given})
        command.nulls = {member.sent_as: null or patch.meaning_of_null(member) for member in given}
        command.names = {member.sent_as: member.name for member in given}
        return command

    return decorate


def _given_to(record: type[Record], last: str) -> list[RecordMember]:
    return sorted(given_to(record), key=lambda member: member.name == last)


def _when_made(member: RecordMember, null_is_omitted: bool) -> tuple[Any, Any]:
    if null_is_omitted or member.said.sent is not None:
        return member.sent | None, None
    default = member.said.default if member.said.default is not None else member.empty()
    return member.sent, Field(default_factory=list) if member.plain is list else default


def _with_members(command: type[C], members: Mapping[str, tuple[Any, Any]]) -> type[C]:
    named: dict[str, Any] = dict(members)
    return create_model(command.__name__, __base__=command, __module__=__name__, __doc__=command.__doc__, **named)


@makes(ClaimAssignment, last="metadata")
class AssignClaim(NewCommand):
    """Put a claim on a product. Contract 2.7."""

    gtin: GtinField
    claim_id: ShortIdField


@makes(CertificationAssignment)
class AssignCertification(NewCommand):
    """Put a certification on a product. Contract 2.6."""

    gtin: GtinField
    certification_id: ShortIdField


@changes(CertificationAssignment)
class PatchCertificationAssignment(PatchCommand):
    """Change members of a certification that a product holds. Contract 2.5."""

    gtin: GtinField
    certification_id: ShortIdField


class GetCertifiedProduct(Command):
    """One product with what it holds and claims. Contract C15; `format` is ours."""

    gtin: GtinField
    format: ProductFormat | None = None


_JSON = {"type": "string", "contentMediaType": "application/json", "maxLength": 4_000}
"""A text that is JSON, in JSON Schema; so long that a request line takes it however its characters are written."""


class Export(Command):
    """A list as a file. `where` is a filter in JSON, see `domain.filter_input.read_where`."""

    where: Annotated[Text, Field(max_length=4_000), WithJsonSchema(_JSON)] | None = None
    format: FileFormat | None = None
    excel: Flag = False


class GetCertificationAssignment(Command):
    """One certification that a product holds, as C7 lists it: what its entity tag is, a client can ask here."""

    gtin: GtinField
    certification_id: ShortIdField


class RemoveCertification(Command):
    """Take a certification off a product. Contract C10."""

    gtin: GtinField
    certification_id: ShortIdField


@changes(ClaimAssignment, last="metadata")
class PatchClaimAssignment(PatchCommand):
    """Change members of a claim that a product makes. Contract C13."""

    gtin: GtinField
    claim_id: ShortIdField


class GetClaimAssignment(Command):
    """One claim that a product makes, as C11 lists it."""

    gtin: GtinField
    claim_id: ShortIdField


class RemoveClaim(Command):
    """Take a claim off a product. Contract C14."""

    gtin: GtinField
    claim_id: ShortIdField


@makes(Product, null_is_omitted=True)
class CreateProduct(NewCommand):
    """A new product of the caller's organisation. Contract 8; null means left out."""

    gtin: NewGtinField
    organization_id: ShortIdField | None = None


@changes(Product, null=patch.UNCHANGED)
class PatchProduct(PatchCommand):
    """Change members of a product. Contract 8: here null means unchanged, and an empty text empties."""

    gtin: SeparatedGtinField


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


class ListProducts(NumberedPage):
    """The products of one organisation. Contract 8."""

    organization_id: ShortIdField


class ListTradeItems(NumberedPage):
    """Products of everybody. Contract 8; categories are not recorded here, so one that is named matches nothing."""

    q: Text255 | None = None
    brand: Text255 | None = None
    category_id: Text255 | None = None
    is_claimed: Flag | None = None
    country_of_origin: Annotated[Text, Field(min_length=2, max_length=2)] | None = None
    data_source: DataSource | None = None
    ordering: Annotated[str, Field(pattern="^-?(product_name|brand|created|confidence_score)$")] = "product_name"


class ListProductCertifications(Command):
    """The certifications that a product holds, filtered and ordered. Contract C7."""

    gtin: GtinField
    verification_status: VerificationStatus | None = None
    is_active: Flag | None = None
    ordering: Annotated[str, Field(pattern="^-?(expiry_date|label)$")] = "label"


class PageOfProductCertifications(ListProductCertifications, NumberedPage):
    """The same in numbered pages. Contract 8."""

    gtin: SeparatedGtinField


class ListProductClaims(Command):
    """The claims that a product makes. Contract C11."""

    gtin: GtinField


class PageOfProductClaims(ListProductClaims, NumberedPage):
    """The same in numbered pages. Contract 8."""

    gtin: SeparatedGtinField
