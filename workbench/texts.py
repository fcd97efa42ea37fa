"""What the pages say: every text of them stands in one catalogue, `texts/en.toml`, by a name such as `nav.today`.

A text has places for values, `{name}`; one that depends on a number is a table of `one` and `other`.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

CATALOGUE = Path(__file__).parent / "texts" / "en.toml"

Catalogue = Mapping[str, str | Mapping[str, str]]


@cache
def catalogue() -> Catalogue:
    """The texts by their names."""
    # Most processes never show a page.
    import tomllib

    texts: dict[str, str | Mapping[str, str]] = {}

    def collect(names: str, table: Mapping[str, Any]) -> None:
        for name, entry in table.items():
            path = f"{names}.{name}" if names else name
            if isinstance(entry, str) or entry.keys() == {"one", "other"}:
                texts[path] = entry
            else:
                collect(path, entry)

    collect("", tomllib.loads(CATALOGUE.read_text(encoding="utf-8")))
    return texts


def text(name: str, /, **values: Any) -> Markup:
    """The text of that name with its values, which are escaped. Raises `KeyError` for one that is not there.

    `count` chooses between one and other; numbers are shown in groups of three digits.
    """
    if not values:
        return _plain(name)
    entry = catalogue()[name]
    if not isinstance(entry, str):
        entry = entry["one" if values["count"] == 1 else "other"]
    # Escaped first: `Markup.format` does the same in ten times as long.
    return Markup(entry.format(**{key: escape(shown(value)) for key, value in values.items()}))  # noqa: S704


@cache
def _plain(name: str) -> Markup:
    """A text without values, of which a page has hundreds."""
    entry = catalogue()[name]
    if not isinstance(entry, str):
        raise KeyError("count")
    return Markup(entry.format())  # noqa: S704


def shown(value: Any) -> Any:
    """A number as people read it; anything else as it is."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value


def member(name: str) -> str:
    """What a member of a record is called; one without a text of its own by its name."""
    entry = catalogue().get(f"members.{name}")
    return entry if isinstance(entry, str) else in_words(name)


def in_words(name: str) -> str:
    """A name as programs have it, as words."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_.]", " ", name).strip().lower()
    return words[:1].upper() + words[1:]
