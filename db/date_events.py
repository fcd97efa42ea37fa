"""Telling in the log of what days bring: day by day, each thing once, whoever of several processes does it.

One row says how far that has come. Who goes on locks it, tells of a part and moves it in the same transaction, so what
a process leaves is gone on with by any other. That a day brings something once holds in the log itself.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Date, Table, bindparam, select, tuple_, update

from db import definitions, history, lead_times
from db.assignments import Assignments, certifications, claims
from db.engine.database import Database, Transaction
from db.sql.days import TurnsAfter
from db.sql.reads import Read
from db.sql.tables import changes, columns_of, date_events, earlier_certificates, live
from db.sql.types import Endless
from domain.date_events import Assignment, Leads, Turn, brings, turns
from domain.history import CALENDAR
from domain.records import Record

BATCH = 200
"""Assignments that are looked at in one transaction."""

_DAY = timedelta(days=1)
_KINDS: Mapping[str, Assignments[Any, Any]] = {"certifications": certifications, "claims": claims}


class _Told(Record, frozen=True):
    """How far the log tells of what days bring, as `db.sql.tables.date_events` has it."""

    since: date
    day: date
    turn: str
    behind_gtin: str
    behind_id: str


_TOLD = Read(select(*columns_of(date_events, _Told)), _Told)
_MOVE = update(date_events)
_LAST_WRITTEN = Read(select(changes.c.at).order_by(changes.c.seq.desc()).limit(1), lambda row: row[0].date())


@cache
def _found(kind: str, by: str) -> Read[Assignment]:
    """The assignments with a member of that `day`, behind a place in the order of their key. By index."""
    assigned = _KINDS[kind]
    table, record = assigned.table, assigned.record
    key = tuple_(table.c.gtin, table.c[assigned.listed.definition])
    behind = tuple_(bindparam("behind_gtin"), bindparam("behind_id"))
    rows = assigned.listed.rows.where(_CONDITIONS[kind, by](table), key > behind, live(table))
    if by == "halted_days":
        # It would walk along the key.
        rows = rows.with_hint(table, f"INDEXED BY ix_{table.name}_halts", "sqlite")
    # Not as a record, whose notes would be for their owner alone.
    return Read(rows.order_by(*key).limit(bindparam("limit")), lambda row: record(*row), defined=kind)


def _is_of_day(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column == bindparam("day", type_=Date())


def _earlier_begins(table: Table) -> ColumnElement[bool]:
    earlier = earlier_certificates.c
    begun = select(earlier.gtin, earlier.certification_id).where(_is_of_day(earlier.valid_from))
    return tuple_(table.c.gtin, table.c.certification_id).in_(begun)


_CONDITIONS: Mapping[tuple[str, str], Callable[[Table], ColumnElement[bool]]] = {
    ("certifications", "valid_from"): lambda table: _is_of_day(table.c.begins),
    ("certifications", "earlier_valid_from"): _earlier_begins,
    # Few ever were, and those have an index.
    ("certifications", "halted_days"): lambda table: (
        (table.c.halts < Endless()) & TurnsAfter(table.c.halted_days, bindparam("day", type_=Date()))
    ),
    ("certifications", "lapses_on"): lambda table: _is_of_day(table.c.lapses),
    ("claims", "valid_from"): lambda table: _is_of_day(table.c.begins),
    ("claims", "lapses_on"): lambda table: _is_of_day(table.c.ends),
}


async def told_until(database: Database) -> date | None:
    """The last day of which all is told; None before the first look."""
    found = await database.fetch(_TOLD)
    return found[0].day if found else None


async def begin(database: Database, today: date) -> date:
    """The last day of which all is told. What days bring is told of from the first look on.

    Where that is later than tomorrow, the clock was ahead, and the days from now on are gone through once more: what
    was told stays told, and is not told twice.
    """
    found = await database.fetch(_TOLD)
    if found and not _is_ahead(found[0], today):
        return found[0].day
    # This clock may be ahead as well; those of who has written before tell what day it has been at least.
    since = min([today, *await database.fetch(_LAST_WRITTEN)])
    async with database.write() as transaction:
        row = {"id": 1, "since": since, "day": today, **_AT_ONCE}
        await transaction.insert(date_events, row, unless=("id",))
        told = await _locked(transaction)
        if _is_ahead(told, today):
            await transaction.execute(_MOVE, {"day": today, **_AT_ONCE})
    return today


_AT_ONCE = {"turn": "", "behind_gtin": "", "behind_id": ""}


def _is_ahead(told: _Told, today: date) -> bool:
    # Clocks of several machines differ a little. One that tells of a day before there was anything is no clock at all.
    return told.since <= today < told.day - _DAY


async def tell(database: Database, now: datetime) -> int | None:
    """Tells of a part of what the next day brings, and of how much; None where that is still to come. Raises `Busy`."""
    leads = await lead_times.every(database)
    async with database.write() as transaction:
        told = await _locked(transaction)
        if told.day >= now.date():
            return None
        entries, place = await _part(transaction, told, leads, now)
        number = await transaction.insert_in_parts(changes, entries)
        await transaction.execute(_MOVE, place)
    return number


async def _locked(transaction: Transaction) -> _Told:
    return (await transaction.fetch(_TOLD, lock=date_events))[0]


async def _part(
    transaction: Transaction, told: _Told, leads: Leads, now: datetime
) -> tuple[list[history.Entry], dict[str, Any]]:
    """The rows of the log for the next part, and the place behind it."""
    day, left = told.day + _DAY, BATCH
    behind = {"behind_gtin": told.behind_gtin, "behind_id": told.behind_id}
    entries: list[history.Entry] = []
    for turn in turns(leads):
        if turn.name < told.turn:
            continue
        if turn.name > told.turn:
            behind = {"behind_gtin": "", "behind_id": ""}
        found = await _look(transaction, turn, day, behind, left)
        entries += [_entry(turn, day, each, now) for each in found if brings(turn, day, each, leads)]
        left -= len(found)
        if not left:
            last = found[-1]
            place = {"behind_gtin": last.gtin, "behind_id": _KINDS[turn.kind].definition(last).id}
            return entries, {"turn": turn.name, **place}
    return entries, {"day": day, **_AT_ONCE}


async def _look(
    transaction: Transaction, turn: Turn, day: date, behind: Mapping[str, str], limit: int
) -> list[Assignment]:
    value = turn.value(day)
    if value is None:
        return []
    read, table = _found(turn.kind, turn.by), _KINDS[turn.kind].table
    # What several servers have cannot be locked by one statement.
    lock = None if transaction.database.sharded else table
    values = {"day": value, "limit": limit, **behind}
    return await definitions.with_definitions(
        transaction.database,
        lambda known: transaction.fetch(read, getattr(known, turn.kind), lock=lock, **values),
    )


def _entry(turn: Turn, day: date, assignment: Assignment, now: datetime) -> history.Entry:
    assigned = _KINDS[turn.kind]
    row = assigned.row(assignment)
    kind, owner = history.KINDS[assigned.table.name], assignment.organization_id
    at = max(now, assignment.updated_at)
    return {**history.entry_of_row(kind, row, row, owner, at, turn.event, CALENDAR), "day": day}
