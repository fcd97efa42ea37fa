"""Text as searches compare it."""

import unicodedata
from functools import lru_cache


def fold(text: str) -> str:
    """The text with case and compatibility forms folded away: `STRASSE` and `Straße` become one."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


folded = lru_cache(maxsize=4096)(fold)
"""The same of what definitions say, which is compared again and again; there are some hundreds of them."""


def search_text(name: str, brand: str, gtin: str) -> str:
    """What the search looks through for one product, and the order by name: unique, because the GTIN is."""
    return fold(f"{name}\n{brand}\n{gtin}")
