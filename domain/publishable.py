"""What a publishable key may see: what is public about products, and nothing that its organisation keeps to itself.

Such a key stands in the source of a web page, so whoever visits the page has it. For it the organisation's own notes
(metadata, evidence, why something was suspended or withdrawn) are empty, and private definitions with their assignments
do not exist, not even those of its own organisation: see `Caller.sees_private` and `Caller.organization_ids`.
"""

from collections.abc import Mapping
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar, cast

import msgspec

from domain.paging import Made
from domain.records import Certification, CertificationBody, Claim, Organization

T = TypeVar("T")

PRIVATE_MEMBERS: Mapping[str, Any] = MappingProxyType(
    {"metadata": {}, "evidence_url": "", "evidence_note": "", "standing_reason": ""}
)
"""The members that nobody sees with a publishable key, in whichever record, and what is shown instead."""

_PUBLIC = (str, type(None), date, int, float, Enum, Certification, CertificationBody, Claim, Organization, Made)
"""What holds nothing private; a private definition never comes this far."""


def published(answer: T) -> T:
    """The answer of an operation as a publishable key may see it: a record, or any list or page of records.

    Raises `TypeError` for a kind of answer that it cannot look into: better none than one with somebody's notes in it.
    """
    return cast(T, _published(answer))


def _published(value: Any) -> Any:
    if isinstance(value, _PUBLIC):
        return value
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **_changed_members(value))
    if isinstance(value, list):
        return [_published(item) for item in value]
    if isinstance(value, tuple):
        items = [_published(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, dict):
        return {name: _published(item) for name, item in value.items()}
    raise TypeError(f"{type(value).__qualname__} cannot be looked into for what a publishable key may not see.")


def _changed_members(record: msgspec.Struct) -> dict[str, Any]:
    changed = {}
    for name in record.__struct_fields__:
        if name in PRIVATE_MEMBERS:
            changed[name] = PRIVATE_MEMBERS[name]
        elif not isinstance(held := getattr(record, name), _PUBLIC):
            changed[name] = _published(held)
    return changed
