"""The pages: the path of each, what answers it, and who may ask."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from workbench import acting, changing, home, importing, lists, product, taking_on, today, what_if
from workbench.settings.pages import SETTINGS

Answer = Callable[[Request], Awaitable[Response]]


class WorkPage(NamedTuple):
    """One page. The request's state has the operation's `context`, unless nobody has signed in to a `public` one."""

    path: str
    answer: Answer
    methods: tuple[str, ...] = ("GET",)
    public: bool = False
    """Whether it is shown to who has not signed in, too."""


PAGES: tuple[WorkPage, ...] = (
    WorkPage("/", home.home, public=True),
    WorkPage("/app/who", home.who, public=True),
    WorkPage("/app", today.today),
    *(WorkPage(f"/app/{name}", lists.listing(name)) for name in lists.NAMES),
    *(WorkPage(f"/app/{name}/views", lists.saving(name), ("POST",)) for name in lists.NAMES),
    *(WorkPage(f"/app/{name}/change", changing.changing(name), ("POST",)) for name in lists.NAMES),
    WorkPage(taking_on.PATH, taking_on.taking_on, ("GET", "POST")),
    WorkPage(importing.PATH, importing.importing, ("GET", "POST")),
    WorkPage(f"{importing.PATH}/{{id}}", importing.one),
    *(WorkPage(path, answer, ("GET", "POST") if writes else ("GET",)) for path, answer, writes in SETTINGS),
    WorkPage(product.PATH, product.product),
    WorkPage("/app/bodies/{code}", what_if.body),
    WorkPage("/app/certifications/{code}", what_if.certification),
    *(WorkPage(path, acting.acting, ("GET", "POST")) for path in acting.PATHS),
)
