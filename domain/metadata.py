"""Metadata: a flat map of text to text that belongs to the caller (contract 1.6).

A write merges, as Stripe's does: listed keys are set, unlisted keys stay, `""` or null as value deletes the key,
`{}` or null as the whole map clears everything. The limit on keys is judged on the merged result.
"""

from collections.abc import Mapping

from domain.errors import InvalidInput, Violation
from domain.validation import Text40, Text500

MAX_KEYS = 50

MetadataUpdate = dict[Text40, Text500 | None]
"""What a caller sends: keys of 1 to 40 characters, values of at most 500."""


def merge(stored: Mapping[str, str], update: Mapping[str, str | None] | None) -> dict[str, str]:
    """The map after `update`. Raises `InvalidInput` when more than 50 keys would remain."""
    if not update:
        return {}
    merged = {key: value for key, value in {**stored, **update}.items() if value}
    if len(merged) > MAX_KEYS:
        message = f"Metadata should have at most {MAX_KEYS} keys; {len(merged)} would remain, delete some first"
        raise InvalidInput([Violation(("metadata",), message, "too_long")])
    return merged
