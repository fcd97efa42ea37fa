"""Text as searches compare it."""

import unicodedata


def fold(text: str) -> str:
    """The text with case and compatibility forms folded away: `STRASSE` and `Straße` become one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def contains(text: str, part: str) -> bool:
    """Whether the part occurs in the text, whatever the case."""
    return fold(part) in fold(text)
