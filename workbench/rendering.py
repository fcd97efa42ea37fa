"""Making HTML: templates, with what all of them need."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from domain.access import Permission
from domain.errors import DomainError, InvalidInput
from domain.problem import KINDS
from workbench.cells import cells, selecting
from workbench.forms import why
from workbench.parts import at_moment, badge, named, on_day, options, taken
from workbench.texts import catalogue, in_words, member, shown, text

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_CHOICES = 1000
"""Of more than these nobody chooses: a code or an id is typed."""
TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> "Environment":
    """The templates, each compiled when it is first shown."""
    # Most processes never show a page.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["t"] = text
    made.globals["most_choices"] = MOST_CHOICES
    made.globals["member"] = member
    made.globals |= {"badge": badge, "options": options}
    made.tests["said"] = lambda name: name in catalogue()
    made.tests["dated"] = lambda value: isinstance(value, date)
    made.filters["in_words"] = in_words
    made.filters |= {"named": named, "selecting": selecting, "cells": cells}
    made.filters["number"] = shown
    made.filters["options"] = lambda values, name: [(each, text(f"choices.{name}.{each.lower()}")) for each in values]
    made.filters["sum_of"] = lambda figures: sum(each.number for each in figures.values())
    return made


def page(
    request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """A template as the answer; what it shows besides is told by the request.

    `here` is the path without what a proxy strips (`root`), `partial` whether htmx puts what `main` holds into a page
    that is there.
    """
    root = request.scope.get("root_path", "")
    context = getattr(request.state, "context", None)
    day = _days(request)
    shown = render(
        template,
        root=quote(root),
        here=request.scope["path"].removeprefix(root),
        partial="hx-request" in request.headers,
        caller=context.caller if context is not None else None,
        writes=context is not None and context.caller.may(Permission.WRITE),
        today=context.today if context is not None else None,
        day=day,
        on_day=partial(on_day, day),
        at_moment=partial(at_moment, day),
        taken=partial(taken, day),
        **values,
    )
    return HTMLResponse(shown, status, headers)


def render(template: str, **values: Any) -> str:
    """A template with what it shows, and nothing of who asks."""
    return environment().get_template(template).render(**values)


def below(request: Request, path: str) -> str:
    """Where a browser finds one of our paths, behind a proxy that strips a part of it too."""
    return quote(request.scope.get("root_path", "")) + path


def moved(request: Request, path: str) -> Response:
    """To another page after something was done."""
    return RedirectResponse(below(request, path), 303)


def refused(request: Request, error: DomainError) -> Response:
    """The page that says why something was refused."""
    kind = KINDS[error.code]
    title = text("refused.unfit") if isinstance(error, InvalidInput) else kind.title
    return refusal_page(request, kind.status, title, why(error), getattr(error, "retry_after", None))


def refusal_page(
    request: Request,
    status: int,
    title: str,
    detail: str,
    wait: int | None = None,
    more: Mapping[str, str] | None = None,
) -> Response:
    """The same of what is known by its words; `wait` is in how many seconds to try again."""
    # htmx would put it where what was asked for should be.
    headers = {"HX-Retarget": "#main", "HX-Reswap": "innerHTML", **(more or {})}
    if wait is not None:
        headers["Retry-After"] = str(wait)
    said = {"title": title, "detail": detail, "wait": wait, "request_id": request.state.request_id}
    return page(request, "refused.html", status=status, headers=headers, **said)


def written(value: date | None, *, american: bool = False) -> str:
    """A day with the month in letters, which comes first where that is the custom; "" for none."""
    if value is None:
        return ""
    return _written(value.date() if isinstance(value, datetime) else value, american=american)


@lru_cache(maxsize=1024)
def _written(of: date, *, american: bool) -> str:
    return f"{of:%b} {of.day}, {of.year}" if american else f"{of.day} {of:%b} {of.year}"


def _days(request: Request) -> Callable[[date | None], str]:
    """How the reader writes a day."""
    return partial(written, american=request.headers.get("accept-language", "").lower().startswith("en-us"))
