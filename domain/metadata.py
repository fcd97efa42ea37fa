"""Metadata: a flat map of text to text that belongs to the caller (contract 1.6).

A write merges, as Stripe's does: listed keys are set, unlisted keys stay, `""` or null as value deletes the key,
`{}` or null as the whole map clears everything. The limit on keys is judged on the merged result.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_core import PydanticKnownError

from domain.errors import InvalidInput, Violation
from domain.members import given
from domain.validation import MetadataKey, Text500

MAX_KEYS = 50

MAX_SENT = 100
"""Keys of one update: as many as may be there to be deleted, and as many as may remain."""


def _few(update: object) -> object:
    # Before any is looked at: of each bad one of sixty thousand, somebody would take notes.
    if isinstance(update, Mapping) and len(update) > MAX_SENT:
        context = {"field_type": "Metadata", "max_length": MAX_SENT, "actual_length": len(update)}
        raise PydanticKnownError("too_long", context)
    return update


MetadataUpdate = Annotated[dict[MetadataKey, Text500 | None], BeforeValidator(_few)]
"""What a caller sends: at most 100 keys of 1 to 40 characters, values of at most 500."""

Metadata = Annotated[
    dict[str, str],
    given(
        "Text under keys of your own, which the gateway never acts on",
        more="On products of other organisations it is empty.",
        rule=(
            f"up to {MAX_KEYS} of them. Keys that are sent are set, the others stay;"
            " a value that is empty or null deletes its key"
        ),
        example={"order_id": "6735"},
        sent=MetadataUpdate | None,
    ),
]
"""The member of a record that holds them."""


def merge(stored: Mapping[str, str], update: Mapping[str, str | None] | None) -> dict[str, str]:
    """The map after `update`. Raises `InvalidInput` when more than 50 keys would remain."""
    if not update:
        return {}
    merged = {key: value for key, value in {**stored, **update}.items() if value}
    if len(merged) > MAX_KEYS:
        message = f"Metadata should have at most {MAX_KEYS} keys; {len(merged)} would remain, delete some first"
        raise InvalidInput([Violation(("metadata",), message, "too_long")])
    return merged
