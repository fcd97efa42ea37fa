"""The chain over the log of changes: sealing what was committed, and looking whether it is whole."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, bindparam, func, literal_column, select, tuple_

from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import changes, sealed
from domain.sealing import BEGINNING, START, Checkpoint, link

if TYPE_CHECKING:
    from db.agreement import Differing

BATCH = 200
"""Rows that are sealed in one transaction."""
ROWS_A_TURN = 25
"""How many links are made before others have their turn in the event loop."""
MANY = 100
"""From so many rows on the database looks how much there is in the log, once for each power of ten."""
PAGE = 1_000
"""Rows that are looked at in one statement."""
LEFT_BEHIND = 100_000
"""So many rows before the last sealed one are looked through for one that was left out, once for each process."""

_COLUMNS = tuple(column for column in changes.c if column.name != "xid")
_NAMES = tuple(column.name for column in _COLUMNS)


class _Sealed(NamedTuple):
    """The end of the chain."""

    position: int
    seq: int
    hash: str
    xid: int


class _Link(NamedTuple):
    """A row of the chain, and the columns of the log's row, None where that is gone."""

    position: int
    seq: int
    hash: str
    row: dict[str, Any] | None


class Broken(NamedTuple):
    """The first row at which the chain does not hold: its numbers in the chain, 0 outside, and in the log, and why.

    `row` has the columns of the log's row as it stands now, None where it is gone.
    """

    position: int
    seq: int
    why: str
    row: dict[str, Any] | None


class Verified(NamedTuple):
    """What a look found: how far the chain is whole, how many rows wait to be sealed, and one thing that is wrong."""

    checkpoint: Checkpoint
    waiting: int = 0
    broken: Broken | None = None
    differing: "Differing | None" = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.broken is None and self.differing is None


Told = Callable[[str, int, int], None]
"""Hears what is looked at, how many rows were, and of how many, 0 where that is not known."""


def _row(row: Any) -> dict[str, Any]:
    named = dict(zip(_NAMES, row, strict=True))
    # The column came later: rows without a day have the hash that they had.
    if named["day"] is None:
        del named["day"]
    return named


def _link(row: Any) -> _Link:
    position, seq, hash, *told = row
    return _Link(position, seq, hash, None if told[0] is None else _row(told))


_END = select(sealed.c.position, sealed.c.seq, sealed.c.hash).order_by(sealed.c.position.desc()).limit(1).subquery()
_LAST = Read(
    select(*_END.c, func.coalesce(changes.c.xid, 0)).outerjoin(changes, changes.c.seq == _END.c.seq),
    lambda row: _Sealed(*row),
)
_CHAIN = Read(
    select(sealed.c.position, sealed.c.seq, sealed.c.hash, *_COLUMNS)
    .outerjoin(changes, changes.c.seq == sealed.c.seq)
    .where(sealed.c.position > bindparam("after"))
    .order_by(sealed.c.position)
    .limit(bindparam("limit")),
    _link,
    scans=True,
)
_HASH = Read(select(sealed.c.hash).where(sealed.c.position == bindparam("position")), lambda row: str(row[0]))
_UNSEALED = select(*_COLUMNS).where(~select(sealed.c.seq).where(sealed.c.seq == changes.c.seq).exists())
_LOG = Read(
    select(
        *(changes.c.seq, changes.c.kind, changes.c.operation, changes.c.object_id, changes.c.at),
        select(sealed.c.seq).where(sealed.c.seq == changes.c.seq).exists(),
    )
    .where(changes.c.seq > bindparam("after"))
    .order_by(changes.c.seq)
    .limit(PAGE),
    lambda row: dict(zip(("seq", "kind", "operation", "object_id", "at", "is_sealed"), row, strict=True)),
    scans=True,
)
"""The log by its numbers, and of each row whether it is in the chain."""


# All databases of a server count transactions together, and those of others tell nothing here. The snapshot is older
# than the look at who runs what, so that none of ours is taken for one of theirs.
_FIRST_UNDER_WAY = literal_column(
    "(SELECT coalesce(min(running::text::bigint), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)"
    " FROM pg_snapshot_xip(pg_current_snapshot()) AS running WHERE NOT EXISTS (SELECT FROM pg_stat_activity"
    " WHERE backend_xid = running::xid"
    " AND datid <> (SELECT oid FROM pg_database WHERE datname = current_database())))",
    BigInteger(),
)


class _Reads(NamedTuple):
    """What a sealer asks for; each takes the `seq` and the `xid` of the last sealed row."""

    waiting: Read[dict[str, Any]]
    """What is behind it and may be sealed."""
    first: Read[int]
    """The number of the first of those."""
    left_out: Read[dict[str, Any]]
    """What was left out before it."""
    number: Read["Waiting"]
    """How much of `waiting` there is."""


def _reads(*, is_sqlite: bool) -> _Reads:
    number, xid = (bindparam(name, type_=BigInteger()) for name in ("seq", "xid"))
    found = _UNSEALED.limit(BATCH)
    before = changes.c.seq.between(number - LEFT_BEHIND, number)
    if is_sqlite:
        found = found.where(xid >= 0).order_by(changes.c.seq)
        behind, left_out = found.where(changes.c.seq > number), found.where(before)
    else:
        # On PostgreSQL a transaction that began earlier may commit later: what it tells must not come behind what is
        # sealed already, so nothing is sealed of those that began after one that is still under way.
        found = found.where(changes.c.xid < _FIRST_UNDER_WAY).order_by(changes.c.xid, changes.c.seq)
        place, last = tuple_(changes.c.xid, changes.c.seq), tuple_(xid, number)
        # What has an earlier number and a later transaction is only waiting: sealed now, it would hide what is between.
        behind, left_out = found.where(place > last), found.where(before, place < last)
    first = behind.with_only_columns(changes.c.seq).limit(1)
    moments = behind.with_only_columns(changes.c.at).subquery()
    counted: Any = select(func.count(), func.min(moments.c.at)).select_from(moments)
    return _Reads(
        Read(behind, _row),
        Read(first, lambda row: int(row[0])),
        Read(left_out, _row, scans=True),
        Read(counted, lambda row: Waiting(*row)),
    )


class Waiting(NamedTuple):
    """What was committed and is not sealed yet, a matter of a second: how much, `BATCH` at most, and since when."""

    number: int
    since: datetime | None


_READS = {name: _reads(is_sqlite=name == "sqlite") for name in ("sqlite", "postgresql")}


class Sealer:
    """Puts what was committed behind the chain. Several processes may: the database lets one at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads = _READS[database.dialect.name]
        self._has_looked_back = False

    async def seal(self) -> int:
        """Seals all that waits, a batch in each transaction; the answer is the number of rows. Raises `Busy`."""
        number = 0
        while await self._is_waiting():
            looked_back = self._has_looked_back
            async with self._database.write() as transaction:
                end, done = await self._seal(transaction)
            number += done
            if len(str(end)) > len(str(end - done)) and end >= MANY:
                # What was planned while the log was empty or a tenth as long would go through all of it.
                async with self._database.write() as transaction:
                    await transaction.count_anew((changes, sealed))
            if looked_back and done < BATCH:
                break
        return number

    async def _is_waiting(self) -> bool:
        """Whether there is anything to be sealed, without a lock."""
        if not self._has_looked_back:
            return True
        last = await _last(self._database)
        return bool(await self._database.fetch(self._reads.first, seq=last.seq, xid=last.xid))

    async def _seal(self, transaction: Transaction) -> tuple[int, int]:
        """Seals a batch; how far the chain goes then, and how many rows these were."""
        await transaction.serialize("sealing")
        position, seq, hash, xid = await _last(transaction)
        found: list[dict[str, Any]] = []
        if not self._has_looked_back:
            # A copy has transactions of its own, in whose order a row may stand before what was sealed.
            found = await transaction.fetch(self._reads.left_out, seq=seq, xid=xid)
            self._has_looked_back = len(found) < BATCH
        if not found:
            found = await transaction.fetch(self._reads.waiting, seq=seq, xid=xid)
        rows: list[dict[str, Any]] = []
        for number, row in enumerate(found, start=position + 1):
            if number % ROWS_A_TURN == 0:
                await asyncio.sleep(0)
            hash = link(hash, row)
            owner = row["organization_id"]
            rows.append({"position": number, "seq": row["seq"], "organization_id": owner, "hash": hash})
        await transaction.insert_in_parts(sealed, rows)
        return position + len(found), len(found)


async def _last(source: Database | Transaction) -> _Sealed:
    found = await source.fetch(_LAST)
    return found[0] if found else _Sealed(0, 0, BEGINNING, 0)


async def checkpoint(database: Database) -> Checkpoint:
    """How far the chain goes."""
    last = await _last(database)
    return Checkpoint(last.position, last.hash)


async def waiting(database: Database) -> Waiting:
    """What a sealer would seal next."""
    last = await _last(database)
    return (await database.fetch(_READS[database.dialect.name].number, seq=last.seq, xid=last.xid))[0]


async def hash_at(database: Database, position: int) -> str | None:
    """The hash of the row at that position; None where the chain does not go so far."""
    if position == 0:
        return BEGINNING
    return next(iter(await database.fetch(_HASH, position=position)), None)


async def verify(database: Database, told: Told = lambda *_: None) -> Verified:
    """Looks at the whole chain, at the log for what is not in it, and at all that the tables have."""
    # Two statements for each table, which a server makes when a manager first asks.
    from db.agreement import first_differing, untold

    last = await _last(database)
    found = await verify_chain(database, START, told)
    if not found.is_whole:
        return found
    waiting, after = 0, -(2**63)
    while rows := await database.fetch(_LOG, after=after):
        after = rows[-1]["seq"]
        told("the log", after, max(after, last.seq))
        unsealed = [row for row in rows if not row["is_sealed"]]
        waiting += len(unsealed)
        late = next((row for row in unsealed if row["seq"] < last.seq - LEFT_BEHIND), None)
        if late:
            return found._replace(broken=Broken(0, late["seq"], "it was put in later", late))
        if differing := await first_differing(database, unsealed):
            return found._replace(differing=differing)
    async for kind, seen, differing in untold(database):
        told(f"the tables ({kind.replace('_', ' ')})", seen, 0)
        if differing:
            return found._replace(differing=differing)
    return found._replace(waiting=waiting)


async def verify_chain(database: Database, since: Checkpoint, told: Told = lambda *_: None) -> Verified:
    """Looks at the chain behind a checkpoint of it, as far as it and what the tables have of it are whole."""
    last = await _last(database)
    found = Verified(since)
    while True:
        reached = found.checkpoint
        found = await verify_part(database, reached)
        told("the chain", found.checkpoint.size, max(found.checkpoint.size, last.position))
        if not found.is_whole or found.checkpoint == reached:
            return found


async def verify_part(database: Database, since: Checkpoint, limit: int = PAGE) -> Verified:
    """Looks at the first rows of the chain behind a checkpoint, and at what the tables have of what these tell of."""
    from db.agreement import first_differing

    size, hash = since
    broken = None
    whole: list[dict[str, Any]] = []
    for each in await database.fetch(_CHAIN, after=size, limit=limit):
        why = _broken(each, size, hash)
        if why:
            broken = Broken(each.position, each.seq, why, each.row)
            break
        size, hash = each.position, each.hash
        whole.append(each.row or {})
    differing = await first_differing(database, whole)
    return Verified(Checkpoint(size, hash), 0, None if differing else broken, differing)


def _broken(each: _Link, size: int, hash: str) -> str:
    if each.position != size + 1:
        return f"{each.position - size - 1} that were sealed before it are gone"
    if each.row is None:
        return "it is gone"
    if link(hash, each.row) != each.hash:
        return "it is not what was sealed"
    return ""
