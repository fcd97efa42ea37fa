"""Today: what needs doing, exceptions first. Each number is that of a list, by the filter in whose address it opens."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import NotFound
from domain.filter_input import parse_where
from domain.filters import Where, every
from domain.importing import Import
from domain.lead_times import USUAL
from domain.paging import Window
from domain.stats import CertificationGroup, CertificationGrouping, ExpiryBucket, Stats
from domain.views import ListViews, SavedView, conditions_of, order_by
from domain.vocabulary import ClaimSource, ImportState, Standing, VerificationStatus, ViewKind
from resolvers import calendars, certifications, date_events, imports, stats, views, webhooks
from resolvers.listed import LISTS
from resolvers.operation import Context
from workbench.charts import Stacked, months_from, stacked
from workbench.filters import WHOSE, read
from workbench.held import held
from workbench.lists import NAMES, ListRow, rows_of
from workbench.rendering import below, page
from workbench.texts import text

WITHIN = (7, 30, 60, 90)
MONTHS = 12
FIRST = 12
"""How many lapses are shown."""
VISIT = timedelta(minutes=30)
"""Whoever comes back later than that visits anew."""

_VISITS = "visits"
_LISTS = {kind: name for name, kind in NAMES.items()}
_CERTIFIED = ViewKind.CERTIFICATIONS
_LAPSING = (_CERTIFIED, ViewKind.CLAIMS)
_HALTED = (Standing.SUSPENDED, Standing.WITHDRAWN)

Typed = Mapping[str, str]


class TodayScope(NamedTuple):
    """Whose figures, of which view if of one, and of which brand if of one."""

    whose: str
    view: SavedView | None
    brand: str = ""

    def of(self, kind: ViewKind) -> Typed:
        """How the address of a list says so."""
        own = {} if self.whose == "mine" else {WHOSE: self.whose}
        view = {"view": self.view.id} if self.view is not None and self.view.kind is kind else {}
        return {**own, **view, **({"brand": self.brand} if self.brand else {})}

    @property
    def query(self) -> str:
        """How the address of Today says so."""
        view = {"view": self.view.id} if self.view is not None else {WHOSE: self.whose}
        return "?" + urlencode({**view, **({"brand": self.brand} if self.brand else {})})


class Figure(NamedTuple):
    """A number, and the address of the list that it is the length of."""

    number: int
    href: str


class TodayFigures(NamedTuple):
    """All numbers, by what they are of; of a view only those of its list."""

    lapsed: Mapping[ViewKind, Figure]
    due: Mapping[ViewKind, Figure]
    within: Mapping[ViewKind, list[Figure]]
    taken_on: Mapping[ViewKind, Figure]
    halted: Mapping[Standing, Figure]
    """Certificates that are suspended, and those that are withdrawn."""
    statuses: Mapping[VerificationStatus, Figure]
    sources: Mapping[ClaimSource, Figure]
    unproven: Figure | None
    """Claims that say a third party has verified them, without any evidence."""
    bare: Figure | None
    """Products without any certificate."""
    months: Stacked | None


async def today(request: Request) -> Response:
    """The first page of the workbench."""
    context: Context = request.state.context
    own = await views.list_views(context, ListViews(organization_id=context.caller.organization.id))
    scope = _scope(context, request.query_params, own)
    question = ("today", scope)
    figures = await held(context, question, lambda: _figures(context, scope), anew="anew" in request.query_params)
    since, is_first, visits = _visits(request.cookies.get(_VISITS, ""), context.now)
    response = page(
        request,
        "today.html",
        scope=scope,
        views=own,
        figures=figures.figures,
        at=figures.at,
        changed=await held(
            context,
            ("changed", scope, since),
            lambda: _changed(context, scope, since),
            anew="anew" in request.query_params,
        ),
        since=since,
        is_first=is_first,
        lapses={kind: await _first(context, scope, kind) for kind in _kinds(scope, _LAPSING)},
        failed=[each for each in await imports.latest_imports(context) if _has_failed(each, context.now)],
        unreached=await webhooks.unreached(context),
        told_until=await date_events.told_until(context),
        within=WITHIN,
        names=_LISTS,
    )
    response.set_cookie(
        _VISITS, visits, max_age=365 * 86400, path=below(request, "/app"), httponly=True, samesite="lax"
    )
    return response


def _scope(context: Context, typed: Typed, own: list[SavedView]) -> TodayScope:
    """What an address asks for. Raises `NotFound` where that is not there: other figures would pass for it."""
    id, whose = typed.get("view"), typed.get(WHOSE, "mine")
    view = next((each for each in own if each.id == id), None)
    if id and view is None:
        raise NotFound(f"The organisation has no view with the id {id}; choose one of those on the page of today.")
    if whose != "mine" and whose not in {each.id for each in context.caller.organizations}:
        raise NotFound(f"You belong to no organisation with the id {whose}; choose one on the page of today.")
    brand = typed.get("brand", "").strip()
    wrong = read(_CERTIFIED, LISTS[_CERTIFIED].of, {"brand": brand} if brand else {}, context.today).wrong
    if "brand" in wrong:
        raise NotFound(f"There is no such brand ({wrong['brand']}); type another on the page of today.")
    return TodayScope(whose, view, brand)


def _kinds(scope: TodayScope, kinds: tuple[ViewKind, ...]) -> list[ViewKind]:
    return [kind for kind in kinds if scope.view is None or scope.view.kind is kind]


def _where(context: Context, scope: TodayScope, kind: ViewKind, typed: Typed) -> Where:
    """The filter in the address of a list."""
    where = read(kind, LISTS[kind].of, {**scope.of(kind), **typed}, context.today).where
    of_view = [conditions_of(scope.view, context.today)] if scope.view is not None else []
    return every([where, *of_view])


def _address(scope: TodayScope, kind: ViewKind, typed: Typed) -> str:
    return f"/app/{_LISTS[kind]}?{urlencode({**scope.of(kind), **typed, 'total': '1'})}"


async def _figure(context: Context, scope: TodayScope, kind: ViewKind, **typed: str) -> Figure:
    number = await LISTS[kind].total(context, _where(context, scope, kind, typed))
    return Figure(number, _address(scope, kind, typed))


Figures = Mapping[str | int, Figure]


async def _figures(context: Context, scope: TodayScope) -> TodayFigures:
    kinds = _kinds(scope, _LAPSING)
    certified, claimed = _CERTIFIED in kinds, ViewKind.CLAIMS in kinds
    due = {kind: await _due(context, kind) for kind in kinds}
    found = {
        kind: await _together(context, scope, kind, _asked(context, kind, due.get(kind)))
        for kind in _kinds(scope, tuple(ViewKind))
    }
    within = {kind: _within(context, scope, kind, found[kind]) for kind in kinds}
    return TodayFigures(
        lapsed={kind: found[kind]["lapsed"] for kind in kinds},
        due={
            kind: within[kind][WITHIN.index(days)] if isinstance(days, int) else found[kind]["due"]
            for kind, days in due.items()
        },
        within=within,
        # These few are found by an index of their own.
        taken_on={kind: await _figure(context, scope, kind, taken_on="yes") for kind in kinds},
        halted={each: await _figure(context, scope, _CERTIFIED, standing=each.value) for each in _HALTED}
        if certified
        else {},
        statuses={each: found[_CERTIFIED][each] for each in VerificationStatus} if certified else {},
        sources={each: found[ViewKind.CLAIMS][each] for each in ClaimSource} if claimed else {},
        unproven=found[ViewKind.CLAIMS]["unproven"] if claimed else None,
        bare=found[ViewKind.PRODUCTS]["bare"] if ViewKind.PRODUCTS in found else None,
        months=await _months(context, scope) if certified else None,
    )


async def _together(context: Context, scope: TodayScope, kind: ViewKind, asked: Mapping[str | int, Typed]) -> Figures:
    """Figures of one list, which is gone through once for all of them."""
    numbers = await LISTS[kind].totals(context, [_where(context, scope, kind, typed) for typed in asked.values()])
    return {
        name: Figure(number, _address(scope, kind, typed))
        for (name, typed), number in zip(asked.items(), numbers, strict=True)
    }


def _asked(context: Context, kind: ViewKind, due: Typed | int | None) -> dict[str | int, Typed]:
    """What is counted of a list, by the name of each figure; of a number of days what lapses behind those before."""
    if kind is ViewKind.PRODUCTS:
        return {"bare": {"holds": "nothing"}}
    asked: dict[str | int, Typed] = {"lapsed": {"standing": "lapsed", "taken_on": "no"}}
    first = context.today
    for days in WITHIN:
        last = context.today + timedelta(days=days)
        asked[days] = {"taken_on": "no", **_span(first, last)}
        first = last + timedelta(days=1)
    if isinstance(due, Mapping):
        asked["due"] = due
    if kind is _CERTIFIED:
        return asked | {each: {"status": each.value} for each in VerificationStatus}
    unproven = {"source": ClaimSource.THIRD_PARTY_VERIFIED.value, "evidence": "none"}
    return asked | {each: {"source": each.value} for each in ClaimSource} | {"unproven": unproven}


def _within(context: Context, scope: TodayScope, kind: ViewKind, found: Figures) -> list[Figure]:
    """What lapses within some days, and that within more."""
    numbers = accumulate(found[days].number for days in WITHIN)
    spans = (_span(context.today, context.today + timedelta(days=days)) for days in WITHIN)
    return [
        Figure(number, _address(scope, kind, {"taken_on": "no", **span}))
        for number, span in zip(numbers, spans, strict=True)
    ]


def _span(first: date, last: date) -> dict[str, str]:
    return {"lapses_from": str(first), "lapses_to": str(last)}


async def _due(context: Context, kind: ViewKind) -> Typed | int:
    """What lapses so soon that the organisation wants to hear of it, by the lead time of each certification.

    The number of days, where it is one of `WITHIN` for all.
    """
    leads = await calendars.lead_times_of(context, context.caller.organization.id)
    usual = max(leads.pop(None, USUAL), default=0)
    if kind is ViewKind.CLAIMS or not leads:
        if usual in WITHIN:
            return usual
        return {"taken_on": "no", **_span(context.today, context.today + timedelta(days=usual))}
    by_days: dict[int, list[str]] = {}
    for certification, days in leads.items():
        by_days.setdefault(max(days, default=0), []).append(str(certification))
    # A list of ids may have 100 of them, as a filter may.
    parts: list[dict[str, Any]] = [
        {"certification": {"id": {"in": sorted(ids)}}, "lapses_within": {"days": days}}
        for days, ids in sorted(by_days.items())
    ]
    others = {"not": {"certification": {"id": {"in": sorted(map(str, leads))}}}, "lapses_within": {"days": usual}}
    return {"taken_on": "no", "where": msgspec.json.encode({"or": [*parts, others]}).decode()}


async def _months(context: Context, scope: TodayScope) -> Stacked:
    """What lapses in this month and those behind it, by body."""
    months = months_from(context.today, MONTHS)
    last = ExpiryBucket.MONTH.last_day(months[-1])
    typed = {"lapses_from": str(months[0]), "lapses_to": str(last)}
    where = _where(context, scope, ViewKind.CERTIFICATIONS, typed)
    by = [CertificationGrouping.BODY]
    found: Stats = await stats.assignment_stats(context, certifications.KIND, where, by, ExpiryBucket.MONTH)
    return stacked(
        months,
        (
            (group.body.name if group.body is not None else str(text("chart.no_body")), group.expires_from, group.count)
            for group in found.groups
            if isinstance(group, CertificationGroup) and group.expires_from is not None
        ),
    )


async def _first(context: Context, scope: TodayScope, kind: ViewKind) -> list[ListRow]:
    """What has lapsed or lapses first, and nobody has taken on."""
    last = str(context.today + timedelta(days=max(WITHIN)))
    where = _where(context, scope, kind, {"taken_on": "no", "lapses_to": last})
    of = LISTS[kind]
    standing = parse_where(of.of.fields, {"not": {"standing": {"eq": "withdrawn"}}}, context.today)
    found = await of.page(context, every([where, standing]), order_by(of.of, "lapses_on"), Window(FIRST))
    return await rows_of(context, kind, found.items)


async def _changed(context: Context, scope: TodayScope, since: datetime) -> dict[ViewKind, Figure]:
    moment = since.isoformat(timespec="seconds")
    return {kind: await _figure(context, scope, kind, changed_since=moment) for kind in _kinds(scope, tuple(ViewKind))}


def _visits(cookie: str, now: datetime) -> tuple[datetime, bool, str]:
    """When the visit before this one was, whether there was none, and what the browser is to remember.

    That is when the visit before was, nothing on the first, and when this one was last seen. Who comes for the first
    time is shown a week.
    """
    last, _, current = cookie.partition(".")
    week = int((now - timedelta(days=7)).timestamp())
    seconds = int(now.timestamp())
    before, seen = (
        int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None for text in (last, current)
    )
    if seen is not None and seconds - seen > VISIT.total_seconds():
        before = seen
    if before is None:
        return datetime.fromtimestamp(week, UTC), True, f".{seconds}"
    before = min(max(before, seconds - 366 * 86400), seconds)
    return datetime.fromtimestamp(before, UTC), False, f"{before}.{seconds}"


def _has_failed(what: Import, now: datetime) -> bool:
    """Whether somebody should look at an import: it failed or was refused within a week."""
    states = (ImportState.FAILED, ImportState.REFUSED)
    return what.state in states and not what.dry_run and now - what.created_at < timedelta(days=7)
