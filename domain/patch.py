"""What null means in a patch: it follows from the member's type. A member that is absent always stays as it is.

The contract says it for the two validity dates, metadata and the country list; the rest follows from the output's
conventions (text is `""`, dates are null, lists are `[]` when there is nothing). A status has no "nothing", so null is
refused.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from domain.errors import InvalidInput, Violation
from domain.members import RecordMember
from domain.metadata import merge
from domain.records import CertificationAssignment, ClaimAssignment, Product
from domain.validity import check_order

Policy = Literal["clears", "empties", "refused", "unchanged"]


class Null(NamedTuple):
    """`policy`: null clears to None, empties to `value`, is refused, or leaves the member as it is."""

    policy: Policy
    value: Any = None


UNCHANGED = Null("unchanged")
"""What the Products API documents; an empty map still clears the metadata there."""


def meaning_of_null(member: RecordMember) -> Null:
    """What null means for a member, by its type."""
    if member.optional:
        return Null("clears")
    return Null("refused") if member.empty() is None else Null("empties", member.empty())


def resolve_nulls(members: Mapping[str, Any], policies: Mapping[str, Null]) -> dict[str, Any]:
    """The members with each null replaced by what it means. Raises `InvalidInput` for those that refuse null."""
    refused = [
        Violation((name,), "Input should not be null; omit the member to leave it unchanged", "null_refused")
        for name, value in members.items()
        if value is None and policies[name].policy == "refused"
    ]
    if refused:
        raise InvalidInput(refused)
    return {
        name: policies[name].value if value is None else value
        for name, value in members.items()
        if value is not None or policies[name].policy != "unchanged"
    }


def changes_of(
    stored: CertificationAssignment | ClaimAssignment | Product, members: Mapping[str, Any]
) -> dict[str, Any]:
    """What a patch really changes: member -> new value, empty when nothing differs.

    `members` are the ones present, nulls resolved. Metadata is merged and the order of dates judged on the merged
    result (contract A18). Raises `InvalidInput`.
    """
    merged = dict(members)
    if "metadata" in merged:
        merged["metadata"] = merge(stored.metadata, merged["metadata"])
    if not isinstance(stored, Product):
        check_order(merged.get("valid_from", stored.valid_from), merged.get("expiration_date", stored.expiration_date))
    return {name: value for name, value in merged.items() if value != getattr(stored, name)}
