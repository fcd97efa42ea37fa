"""The feed of changes: the log in the order in which it is sealed, for those who own what changed. Read by index."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, union_all

from db.engine.database import Database, Transaction
from db.past import COLUMNS, KINDS, past_change
from db.sql.reads import Read, Row
from db.sql.tables import changes, sealed
from db.sql.types import Unindexed, among
from domain.history import PastChange
from domain.short_id import ShortId
from domain.vocabulary import ObjectKind

MANY = 100
"""Of more organisations the changes are not looked up one organisation after the other."""

Placed = tuple[int, PastChange]
"""A change and its position."""

_HIDDEN = changes.alias("hidden")
_PRIVATE = (
    select(_HIDDEN.c.seq)
    .where(
        _HIDDEN.c.gtin == changes.c.gtin,
        _HIDDEN.c.object_id == changes.c.object_id,
        _HIDDEN.c.kind == ObjectKind.CERTIFICATION_ASSIGNMENT.value,
        among(_HIDDEN.c.record["certification_id"].as_string(), "hidden"),
    )
    .exists()
)
"""Whether the change is of a certification that does not exist for who asks."""


_END = Read(select(func.coalesce(func.max(sealed.c.position), 0)), lambda row: int(row[0]))
_MOMENT = Read(
    select(changes.c.at).join(sealed, sealed.c.seq == changes.c.seq).where(sealed.c.position == bindparam("position")),
    lambda row: row[0],
)


async def end(source: Database | Transaction) -> int:
    """The position of the last change that is sealed, 0 without any."""
    return (await source.fetch(_END))[0]


async def position_before(source: Database | Transaction, at: datetime) -> int:
    """A position behind which the changes from a moment on stand; it is looked for by halves."""
    first, last = 0, await end(source)
    while first < last:
        middle = (first + last + 1) // 2
        found = await source.fetch(_MOMENT, position=middle)
        if found and found[0] < at:
            first = middle
        else:
            last = middle - 1
    return first


def _placed(row: Row) -> Placed:
    position, *told = row
    return position, past_change(told)


def _behind(owned: Any, *, hides: bool) -> Select[Any]:
    # SQLite would else begin with all changes of these kinds.
    conditions = [owned, sealed.c.position > bindparam("after"), among(Unindexed(changes.c.kind), "kinds")]
    if hides:
        conditions.append(~_PRIVATE)
    rows = select(sealed.c.position, *COLUMNS).join(changes, changes.c.seq == sealed.c.seq).where(*conditions)
    return rows.order_by(sealed.c.position).limit(bindparam("limit"))


@lru_cache(maxsize=32)
def _read(number: int, *, hides: bool) -> Read[Placed]:
    """The changes that so many organisations own, in one statement: several would each see another end of the feed."""
    if number > MANY:
        return Read(_behind(among(sealed.c.organization_id, "owners"), hides=hides), _placed)
    parts = [_behind(sealed.c.organization_id == bindparam(_owner(at)), hides=hides) for at in range(number)]
    if number == 1:
        return Read(parts[0], _placed)
    every = union_all(*(select(*part.subquery().c) for part in parts)).subquery()
    return Read(select(*every.c).order_by(every.c.position).limit(bindparam("limit")), _placed)


def _owner(at: int) -> str:
    return f"owner_{at}"


async def behind(
    database: Database, owners: Sequence[ShortId], hidden: Sequence[ShortId], position: int, limit: int
) -> list[Placed]:
    """The first changes behind a position; `hidden` are certifications that do not exist for who asks."""
    values: dict[str, Any] = {"after": position, "limit": limit, "kinds": KINDS}
    if hidden:
        values["hidden"] = list(hidden)
    if len(owners) > MANY:
        values["owners"] = list(owners)
    else:
        values.update((_owner(at), id) for at, id in enumerate(owners))
    return await database.fetch(_read(len(owners), hides=bool(hidden)), **values)
