"""What can be done to many rows of a list at once."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.commands import (
    ArchiveProduct,
    PatchCertificationAssignment,
    PatchClaimAssignment,
    PatchProduct,
    ReinstateCertification,
    RenewCertification,
    SuspendCertification,
    WithdrawCertification,
)
from domain.validation import Command
from domain.vocabulary import ClaimSource, VerificationStatus, ViewKind
from resolvers import certifications, claims, products
from resolvers.operation import WriteOperation


class Changed(NamedTuple):
    """What is done to rows of a list: members by the kind of their fields, or by what can be chosen."""

    operation: WriteOperation[Any, Any]
    command: type[Command]
    members: Mapping[str, str | tuple[str, ...]] = {}
    definition: str = ""
    """The command's name for what each row is the assignment of; none of products."""
    clears: bool = False
    """Whether members can be made empty."""
    is_patch: bool = True
    """Whether it does nothing where no member is entered."""

    @property
    def required(self) -> list[str]:
        """The members without which it is refused."""
        return [name for name in self.members if self.command.model_fields[name].is_required()]

    def parse(self, gtin: str, definition: str, members: Mapping[str, Any]) -> Any:
        """The command for one row. Raises `InvalidInput`."""
        of = {self.definition: definition} if self.definition else {}
        return self.command.parse({"gtin": gtin, **of, **members})


_DAYS = {"valid_from": "date", "expiration_date": "date"}
_STATUS = {"verification_status": tuple(each.value for each in VerificationStatus)}
_CERTIFICATE = {"issuing_body": "text", "certificate_number": "text", "verification_url": "url"}


def _stands(operation: WriteOperation[Any, Any], command: type[Command], *days: str) -> Changed:
    """What stops certificates, or has them hold again, from a day on."""
    members = {**dict.fromkeys(days, "date"), "reason": "text"}
    return Changed(operation, command, members, "certification_id", is_patch=False)


CHANGED: Mapping[ViewKind, Mapping[str, Changed]] = {
    ViewKind.PRODUCTS: {
        "change": Changed(
            products.patch_product,
            PatchProduct,
            {"brand": "text", "manufacturer": "text", "country_of_origin": "country", "net_content": "text"},
            clears=True,
        ),
        "archive": Changed(products.archive_product, ArchiveProduct),
    },
    ViewKind.CERTIFICATIONS: {
        "change": Changed(
            certifications.patch_certification_assignment,
            PatchCertificationAssignment,
            {**_STATUS, **_DAYS, "audit_date": "date", **_CERTIFICATE},
            "certification_id",
            clears=True,
        ),
        "renew": Changed(
            certifications.renew_certification,
            RenewCertification,
            {**_DAYS, **_STATUS, "audit_date": "date", **_CERTIFICATE},
            "certification_id",
        ),
        "suspend": _stands(
            certifications.suspend_certification, SuspendCertification, "suspended_from", "suspended_until"
        ),
        "withdraw": _stands(certifications.withdraw_certification, WithdrawCertification, "withdrawn_on"),
        "reinstate": _stands(certifications.reinstate_certification, ReinstateCertification, "reinstated_on"),
    },
    ViewKind.CLAIMS: {
        "change": Changed(
            claims.patch_claim_assignment,
            PatchClaimAssignment,
            {
                "source": tuple(each.value for each in ClaimSource),
                **_DAYS,
                "evidence_url": "url",
                "evidence_note": "text",
            },
            "claim_id",
            clears=True,
        ),
    },
}
"""What can be done to many rows of a list at once, by its name in the form."""
