"""Small parts of pages that come in hundreds: made here, since a macro of a template takes ten times as long."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache, lru_cache

from markupsafe import Markup, escape

from domain.acknowledgements import Acknowledgement
from workbench.texts import text

Choice = tuple[str, str]
"""The value of an option, and what it is called."""
Written = Callable[[date | None], str]
"""How the reader writes a day."""

_NONE = Markup('<span class="soft">\u2013</span>')


def named(value: object, otherwise: str = "") -> Markup:
    """A text that somebody else wrote, in whichever direction it is read."""
    if not value:
        return Markup(f'<span class="soft">{escape(otherwise)}</span>') if otherwise else _NONE  # noqa: S704 - escaped
    return Markup(f'<bdi class="name">{escape(value)}</bdi>')  # noqa: S704 - escaped


@cache
def badge(kind: str, value: str) -> Markup:
    """What was chosen, in words; there are few."""
    lower = value.lower()
    return Markup(f'<span class="badge {kind}-{lower}">{text(f"choices.{kind}.{lower}")}</span>')  # noqa: S704


def on_day(written: Written, value: date | None) -> Markup:
    """A day as the reader writes it."""
    if value is None:
        return _NONE
    return Markup(f'<time datetime="{value.isoformat()}">{escape(written(value))}</time>')  # noqa: S704 - escaped


def taken(written: Written, on: Acknowledgement) -> Markup:
    """Until when a lapse is taken on, and by whom where that is known."""
    until = written(on.until)
    return text("taking_on.said", by=on.by, until=until) if on.by else text("list.until", day=until)


def at_moment(written: Written, value: datetime) -> Markup:
    """The day of a moment, which a script shows in the reader's time zone."""
    exact = value.isoformat()
    title = value.isoformat(timespec="minutes")
    return Markup(f'<time datetime="{exact}" title="{title}">{escape(written(value))}</time>')  # noqa: S704 - escaped


def options(choices: Sequence[Choice], value: str) -> Markup:
    """The options of a field, of which that value is chosen."""
    lines = _options(tuple(choices))
    chosen = (f' value="{escape(value)}"', f' value="{escape(value)}" selected')
    return Markup("".join(line.replace(*chosen, 1) if code == value else line for code, line in lines))  # noqa: S704


@lru_cache(maxsize=64)
def _options(choices: tuple[Choice, ...]) -> list[tuple[str, str]]:
    """The value of each, and the option where it is not chosen. There are hundreds, and they seldom change."""
    return [(code, f'    <option value="{escape(code)}">{escape(words)}</option>\n') for code, words in choices]
