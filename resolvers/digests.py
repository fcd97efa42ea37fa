"""Digests: members say for themselves how often they are told by mail, managers for others; and what is told."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import msgspec

from db import accounts, digests, lead_times
from db.digests import DueDigest
from db.engine.database import Transaction
from domain.access import Caller, require_management, require_membership
from domain.changes import Change
from domain.digests import MOST, NO_MAIL, Contents, GetDigest, MailDigest, SetDigest, Some, StoredDigest
from domain.errors import NotFound
from domain.filters import ACKNOWLEDGED, Condition, Not, Where, either, every, one_of
from domain.lead_times import USUAL
from domain.paging import Window
from domain.short_id import ShortId
from domain.vocabulary import Role, ViewKind
from resolvers.calendars import with_products
from resolvers.listed import LISTS
from resolvers.operation import Context, personal, read_operation, write_operation


@read_operation
async def member_digest(context: Context, command: GetDigest) -> MailDigest:
    """How often a member is told. Raises `NotFound` or `Forbidden`."""
    _require(context.caller, command)
    if await accounts.find_member(context.database, command.organization_id, command.user_id) is None:
        raise _no_member(command)
    found = await digests.find(context.database, command.organization_id, command.user_id)
    return _told(context, found or StoredDigest(command.organization_id, command.user_id, None, None))


@write_operation
@personal
async def set_digest(context: Context, transaction: Transaction, command: SetDigest) -> Change[MailDigest, MailDigest]:
    """Says how often. What was said before already stays as it is. Raises `NotFound` or `Forbidden`."""
    _require(context.caller, command)
    of = command.organization_id, command.user_id
    if await accounts.lock_member(transaction, *of) is None:
        raise _no_member(command)
    never = StoredDigest(*of, None, None)
    before = await digests.find(transaction, *of) or never
    after = before
    if before.period is not command.period:
        after = await digests.put(transaction, *of, command.period, context.now) or never
    return Change(_told(context, before), _told(context, after))


def _told(context: Context, digest: StoredDigest) -> MailDigest:
    is_sent = digest.period is None or context.post is None or context.post.sends
    return MailDigest(**msgspec.structs.asdict(digest), problem="" if is_sent else NO_MAIL)


def _require(caller: Caller, command: GetDigest | SetDigest) -> None:
    require_membership(caller, command.organization_id)
    if caller.user_id != command.user_id:
        require_management(caller, command.organization_id)


def _no_member(command: GetDigest | SetDigest) -> NotFound:
    return NotFound(
        f"The organisation has no member with the id {command.user_id}; take it from the list of its members."
    )


def reader_of(due: DueDigest) -> Caller:
    """Who reads for a digest: nobody in particular, who sees what the organisation does and changes nothing."""
    return Caller(None, None, Role.READONLY, due.organization, holder=f"digest:{due.digest.user_id}")


@read_operation
async def contents_of(context: Context, since: datetime) -> Contents:
    """What there is to tell of the products of the caller's organisation that nobody has taken on."""
    today, open_ = context.today, Not(Condition(ACKNOWLEDGED, "on", context.today))
    rows = await lead_times.of_organization(context.database, context.caller.organization.id)
    leads = {each.certification_id: max(each.days, default=0) for each in rows}
    lapsed = {kind: every([open_, _lapses(kind, since.date(), today - timedelta(days=1))]) for kind in _KINDS}
    lapsing = {kind: every([open_, _in_lead_time(kind, today, leads)]) for kind in _KINDS}
    changed: dict[ViewKind, Where] = {kind: Condition("updated_at", "gte", since) for kind in _KINDS}
    return Contents(
        await _some(context, lapsed, "lapses_on"),
        await _some(context, lapsing, "lapses_on"),
        await _some(context, changed, "updated_at"),
    )


_KINDS = {ViewKind.CERTIFICATIONS: "lapses_on", ViewKind.CLAIMS: "expiration_date"}
"""What lapses, and the member that says when."""


def _lapses(kind: ViewKind, first: date, last: date) -> Where:
    return every([Condition(_KINDS[kind], "gte", first), Condition(_KINDS[kind], "lte", last)])


def _in_lead_time(kind: ViewKind, today: date, leads: Mapping[ShortId | None, int]) -> Where:
    """That something lapses so soon that the organisation wants to hear of it."""
    usual = _lapses(kind, today, today + timedelta(days=leads.get(None, max(USUAL))))
    own = {id: days for id, days in leads.items() if id is not None} if kind is ViewKind.CERTIFICATIONS else {}
    if not own:
        return usual
    parts = [every([Not(Condition("certification_id", "in", tuple(sorted(own)))), usual])]
    for days in sorted(set(own.values())):
        ids = sorted(id for id, lead in own.items() if lead == days)
        parts.append(every([one_of("certification_id", ids), _lapses(kind, today, today + timedelta(days=days))]))
    return either(parts)


async def _some(context: Context, where: Mapping[ViewKind, Where], by: str) -> Some:
    found, more = [], False
    for kind, asked in where.items():
        listed = LISTS[kind]
        order = listed.of.orders.by(next(field for field in listed.of.orders.fields if field.value == by))
        page = await listed.page(context, every([Condition("organization_id", "own"), asked]), order, Window(MOST))
        found += await with_products(context, page.items)
        more = more or page.more
    return Some(found, more)
