"""Pages of the log of changes: of what an organisation has besides products, and of definitions. Read by index."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, union_all

from db.engine.database import Database
from db.lists import beyond, directed, placing
from db.past import COLUMNS, past_change
from db.sql.reads import Read
from db.sql.tables import APART, changes
from domain.history import DEFINITIONS, OF_ORGANIZATIONS, ORDER, PastChange
from domain.paging import Page, Position, Window, cut
from domain.short_id import ShortId
from domain.vocabulary import ObjectKind

_OWNED = changes.c.organization_id == bindparam("organization_id")
_OF_NOBODY = changes.c.organization_id.is_(None)


def _each(kind: ObjectKind | None, *columns: Any) -> list[Select[Any]]:
    """For each kind, and for definitions each owner, one select: none of them has to look at others' changes."""
    return [
        select(*columns).where(APART, owned, changes.c.kind == each.value)
        for each in (OF_ORGANIZATIONS if kind is None else [kind])
        for owned in ((_OWNED, _OF_NOBODY) if each in DEFINITIONS else (_OWNED,))
    ]


@lru_cache(maxsize=64)
def _page(kind: ObjectKind | None, *, ascending: bool, behind: bool) -> Read[PastChange]:
    order = [changes.c.at, changes.c.seq]
    parts = [
        rows.where(*beyond(order, ascending, behind)).order_by(*directed(order, ascending)).limit(bindparam("limit"))
        for rows in _each(kind, changes.c.at, changes.c.seq)
    ]
    found = union_all(*(select(*part.subquery().c) for part in parts)).subquery("found")
    first = select(found.c.seq).order_by(*directed([found.c.at, found.c.seq], ascending)).limit(bindparam("limit"))
    rows = select(*COLUMNS).where(changes.c.seq.in_(first)).order_by(*directed(order, ascending))
    return Read(rows, past_change)


@lru_cache(maxsize=16)
def _count(kind: ObjectKind | None) -> Read[int]:
    every = union_all(*_each(kind, changes.c.seq)).subquery("every")
    return Read(select(func.count()).select_from(every), lambda row: int(row[0]), scans=True)


_PLACE = Read(
    select(changes.c.at, changes.c.seq).where(changes.c.seq == bindparam("seq"), APART, _OWNED | _OF_NOBODY), tuple
)


async def page(
    database: Database, organization_id: ShortId, kind: ObjectKind | None, window: Window
) -> Page[PastChange]:
    """Some of the changes of all these kinds, or of one."""
    read = _page(kind, ascending=ORDER.descending == window.backward, behind=window.position is not None)
    found: Sequence[PastChange] = await database.fetch(read, organization_id=organization_id, **placing(window))
    return cut(found, window)


async def count(database: Database, organization_id: ShortId, kind: ObjectKind | None) -> int:
    """How many there are."""
    return (await database.fetch(_count(kind), organization_id=organization_id))[0]


async def place(database: Database, organization_id: ShortId, seq: int) -> Position | None:
    """Where the change of that number stands, if it is one of them."""
    return next(iter(await database.fetch(_PLACE, organization_id=organization_id, seq=seq)), None)
