"""Bodies as HTML forms send them, with Stripe's shorthand for metadata (contract 1.6).

`metadata[order_id]=6735` sets one key, `metadata=` clears all of them. Every other member is a text.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from domain.errors import BadRequest, InvalidInput, Violation
from domain.validation import MAX_VIOLATIONS

MEDIA_TYPE = "application/x-www-form-urlencoded"
MAX_MEMBERS = 1000

_BRACKETS = "Input should be metadata[key]=value; a form has no other member with brackets, so send JSON"
_ONCE = "Input should be given once; a form has no lists, so send JSON for one"
_METADATA = "Input should be given once; metadata[key]=value sets a key, metadata= alone clears all of them"

_metadata = re.compile(r"metadata\[([^\[\]]*)\]\Z")


def read_form(body: bytes) -> dict[str, Any]:
    """The members of a form, as JSON would have them. Raises `BadRequest` or `InvalidInput`."""
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MAX_MEMBERS
        )
    except ValueError:
        raise BadRequest(
            f"The body is not a form of at most {MAX_MEMBERS} members in UTF-8 (name=value&...);"
            " correct it, or send JSON."
        ) from None
    members: dict[str, Any] = {}
    keys: dict[str, str] = {}
    repeated = set()
    misshapen = []
    for name, text in pairs:
        key = _metadata.match(name)
        if key is None and ("[" in name or "]" in name):
            misshapen.append(Violation((name[:60],), _BRACKETS, "form_member"))
            continue
        target, member = (keys, key[1]) if key else (members, name)
        if member in target:
            repeated.add(("metadata", member) if key else (member,))
        target[member] = text
    if "metadata" in members:
        if members["metadata"] or keys:
            repeated.add(("metadata",))
        members["metadata"] = None
    elif keys:
        members["metadata"] = keys
    wrong = misshapen
    for path in sorted(repeated):
        wrong.append(Violation(path, _METADATA if path[0] == "metadata" else _ONCE, "form_member"))
    if wrong:
        raise InvalidInput(wrong[:MAX_VIOLATIONS])
    return members
