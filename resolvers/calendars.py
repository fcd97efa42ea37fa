"""Calendars of saved views: made and ended by editors and managers, read by whoever knows the address."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from secrets import token_urlsafe
from typing import Any

from db import calendars, lead_times
from db.calendars import Opened
from db.engine.database import Database, Transaction
from domain.access import Caller, require_membership
from domain.api_keys import digest
from domain.calendars import (
    AHEAD,
    KEPT,
    MAX_CALENDARS,
    MAX_LAPSES,
    Calendar,
    CreateCalendar,
    Lapse,
    ListCalendars,
    Memory,
    NewCalendar,
    RevokeCalendar,
    remembered,
)
from domain.changes import Change
from domain.errors import InvalidInput, NotFound, Violation
from domain.filter_input import parse_where
from domain.filters import Where, every
from domain.lists import CERTIFICATION_ASSIGNMENTS, CLAIM_ASSIGNMENTS, List
from domain.paging import Order, Window
from domain.records import Product
from domain.short_id import ShortId, new_short_id
from domain.views import SavedView, conditions_of
from domain.vocabulary import Role, ViewKind
from resolvers import assignments, certifications, claims, products
from resolvers.definitions import Kind
from resolvers.listed import LISTS
from resolvers.operation import Context, read_operation, write_operation
from resolvers.repetition import shown_once
from resolvers.views import locked_view

PAGE = 100
"""How many records are read at once."""


@read_operation
async def list_calendars(context: Context, command: ListCalendars) -> list[Calendar]:
    """The calendars of an organisation by age. Raises `NotFound` or `Forbidden`."""
    require_membership(context.caller, command.organization_id)
    return await calendars.of_organization(context.database, command.organization_id)


@write_operation
@shown_once
async def create_calendar(
    context: Context, transaction: Transaction, command: CreateCalendar
) -> Change[None, NewCalendar]:
    """Makes a calendar of a view. Raises `NotFound`, `Forbidden` or `InvalidInput`."""
    require_membership(context.caller, command.organization_id, writes=True)
    view = await locked_view(transaction, command.organization_id, command.view_id)
    if await calendars.count(transaction, command.organization_id) >= MAX_CALENDARS:
        message = f"The organisation has {MAX_CALENDARS} calendars, as many as it may; end one that nobody reads"
        raise InvalidInput([Violation(("organization_id",), message, "too_many_calendars")])
    token = token_urlsafe(32)
    calendar = Calendar(new_short_id(context.now), command.organization_id, view.id, context.now)
    await calendars.add(transaction, calendar, digest(token))
    return Change(None, NewCalendar(calendar, f"{context.site}/calendar.ics?token={token}"))


@write_operation
async def revoke_calendar(
    context: Context, transaction: Transaction, command: RevokeCalendar
) -> Change[Calendar, None]:
    """Ends a calendar. Raises `NotFound` or `Forbidden`."""
    require_membership(context.caller, command.organization_id, writes=True)
    stored = await calendars.find(transaction, command.organization_id, command.calendar_id)
    if stored is None or not await calendars.remove(transaction, stored.id):
        raise NotFound(
            f"The organisation has no calendar with the id {command.calendar_id}; take it from the list of its"
            " calendars."
        )
    return Change(stored, None)


async def open_calendar(database: Database, token: str) -> Opened | None:
    """What the token of an address leads to; None once the calendar, or its view, has ended."""
    return await calendars.find_by_digest(database, digest(token))


async def remember(database: Database, opened: Opened, shown: Memory, now: datetime) -> Memory:
    """What a calendar has to remember once it shows this; stored where that is something new."""
    gone = [ShortId(id) for id, facts in opened.shown.items() if id not in shown and len(facts) == 4]
    memory = remembered(opened.shown, shown, (), now)
    if not gone and memory == opened.shown:
        return memory
    async with database.write() as transaction:
        there = {id for kind in (certifications, claims) for id in await kind.KIND.stored.ids_among(transaction, gone)}
        memory = remembered(opened.shown, shown, set(gone) - there, now)
        await calendars.remember(transaction, opened.calendar.id, memory)
    return memory


def reader_of(opened: Opened) -> Caller:
    """Who reads a calendar: nobody in particular, who sees what the organisation does and changes nothing."""
    return Caller(None, None, Role.READONLY, opened.organization, holder=f"calendar:{opened.calendar.id}")


@read_operation
async def lapses_of(context: Context, view: SavedView) -> list[Lapse]:
    """The first lapses of what a view shows, one more than a calendar does where there are more, by their days.

    Of products, those of what they hold and claim. Raises `InvalidInput` where the view does not parse any more.
    """
    await context.pay_for_scan()
    where = conditions_of(view, context.today)
    found: list[Lapse] = []
    if view.kind is ViewKind.PRODUCTS:
        async for page in _pages(context, ViewKind.PRODUCTS, where, view.of.orders.usual):
            found += await _of_products(context, page)
        return sorted(found, key=lambda lapse: (lapse.assignment.lapses_on, lapse.assignment.id))[: MAX_LAPSES + 1]
    order = next(by for by in view.of.orders.fields if by.value == "lapses_on")
    async for page in _pages(context, view.kind, every([where, _within(context, view.of)]), view.of.orders.by(order)):
        found += await with_products(context, page)
    return found


@read_operation
async def with_products(context: Context, page: Sequence[Any]) -> list[Lapse]:
    """Assignments with their products, which are read in one statement."""
    owned = await products.products_of_gtins(context, [each.gtin for each in page])
    return [Lapse(each, product) for each, product in zip(page, owned, strict=True)]


async def _of_products(context: Context, page: Sequence[Product]) -> list[Lapse]:
    gtins, found = [product.gtin for product in page], list[Lapse]()
    kinds: list[tuple[Kind[Any, Any], List]] = [
        (certifications.KIND, CERTIFICATION_ASSIGNMENTS),
        (claims.KIND, CLAIM_ASSIGNMENTS),
    ]
    for kind, of in kinds:
        held = await assignments.of_products(context, kind, gtins, _within(context, of))
        found += [Lapse(each, product) for product, some in zip(page, held, strict=True) for each in some]
    return found


def _within(context: Context, of: List) -> Where:
    """That an assignment lapses in the time that a calendar shows."""
    span = {"from": context.today - KEPT, "to": context.today + AHEAD}
    return parse_where(of.fields, {"lapses_on": {"range": span}}, context.today)


async def _pages(context: Context, kind: ViewKind, where: Where, order: Order) -> AsyncIterator[Sequence[Any]]:
    """The first records of a list, a page at a time, and one more than a calendar shows."""
    window, left = Window(PAGE), MAX_LAPSES + 1
    while left > 0:
        page = await LISTS[kind].page(context, where, order, window._replace(size=min(PAGE, left)))
        if page.items:
            yield page.items
        left -= len(page.items)
        if not page.more:
            return
        window = window._replace(position=order.key(page.items[-1]))
        # SQLite answers at once, and others want their turn.
        await asyncio.sleep(0)


@read_operation
async def lead_times_of(context: Context, owner: ShortId) -> dict[ShortId | None, list[int]]:
    """An organisation's lead times by certification, with those of all others under None, if they are not as usual."""
    return {each.certification_id: each.days for each in await lead_times.of_organization(context.database, owner)}
