"""E-mail addresses, as far as they name people: one plain address, in which no header of a mail reads more."""

import re

MAX_LENGTH = 254
PATTERN = r"^[^\s@<>()\[\],;:\\\"]+@[^\s@<>()\[\],;:\\\"]+$"

_address = re.compile(PATTERN.replace("$", r"\Z"))


def is_email(text: str) -> bool:
    """Whether the text is one address, such as ann@example.org. Who reads mail there is not known by that."""
    return len(text) <= MAX_LENGTH and text.isprintable() and _address.match(text) is not None
