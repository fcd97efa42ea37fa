"""Text as searches compare it, and as messages show it."""

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


SHOWN = 60
"""Characters of what somebody has sent that a message shows."""

_JOINERS = "\u200c\u200d"
"""Nothing to be seen by themselves, and part of words and of emoji."""


def excerpt(text: str, most: int = SHOWN) -> str:
    """The beginning of a text on one line, with a sign for each character that cannot be printed."""
    text = " ".join(text.split())
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in _JOINERS else "\ufffd" for each in text)
