"""E-mail addresses as browsers judge them (HTML, section 4.10.5.1.5): no header of a mail reads more into one."""

import re

MAX_LENGTH = 254
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PATTERN = rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*$"

_address = re.compile(PATTERN[:-1] + r"\Z")


def is_email(text: str) -> bool:
    """Whether the text is one address, such as ann@example.org. Who reads mail there is not known by that."""
    return len(text) <= MAX_LENGTH and _address.match(text) is not None
