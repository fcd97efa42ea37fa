"""Imports of files, as far as they have come."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select, update

from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import ASSIGNED, columns_of, imports, products
from domain.importing import Counts, Import
from domain.short_id import ShortId
from domain.vocabulary import ImportState

COLUMNS = columns_of(imports, Import)
_PLACE = (imports.c.id == bindparam("of"), imports.c.organization_id == bindparam("owner"))


class Unfinished(NamedTuple):
    """An import that did not come to its end, and the process that does it or did."""

    found: Import
    worker: str


ONE = Read(select(*COLUMNS).where(*_PLACE), Import)
OF_ORGANIZATION = Read(
    select(*COLUMNS)
    .where(imports.c.organization_id == bindparam("owner"))
    .order_by(imports.c.id.desc())
    .limit(bindparam("most")),
    Import,
)
WITH_HEADINGS = Read(
    select(*COLUMNS)
    .where(
        imports.c.organization_id == bindparam("owner"),
        imports.c.headings == bindparam("headings"),
        imports.c.dry_run.is_(False),
    )
    .order_by(imports.c.id.desc())
    .limit(1),
    Import,
)
_UNFINISHED = Read(
    select(*COLUMNS, imports.c.worker)
    .where(
        (imports.c.digest == bindparam("named")) | (imports.c.id == bindparam("named")),
        imports.c.state == ImportState.RUNNING,
    )
    .order_by(imports.c.id.desc())
    .limit(1),
    lambda row: Unfinished(Import(*row[:-1]), row[-1]),
)
_MADE = {"product": products, "certification": ASSIGNED["certifications"], "claim": ASSIGNED["claims"]}
_CHANGE = update(imports).where(imports.c.id == bindparam("of"))
_FORGET = delete(imports).where(imports.c.id == bindparam("of"))


async def unfinished(transaction: Transaction, named: str) -> Unfinished | None:
    """The import of that digest or id that has begun and not ended, locked until the transaction ends."""
    return next(iter(await transaction.fetch(_UNFINISHED, lock=imports, named=named)), None)


async def find(database: Database, id: ShortId, owner: ShortId) -> Import | None:
    """An import of that organisation."""
    return next(iter(await database.fetch(ONE, of=id, owner=owner)), None)


async def latest(database: Database, owner: ShortId, most: int) -> list[Import]:
    """The imports of that organisation, the newest first."""
    return await database.fetch(OF_ORGANIZATION, owner=owner, most=most)


async def with_headings(database: Database, owner: ShortId, headings: str) -> Import | None:
    """The newest import of that organisation, no dry run, whose columns have the same heads."""
    return next(iter(await database.fetch(WITH_HEADINGS, owner=owner, headings=headings)), None)


async def add(transaction: Transaction, begun: Import, headings: str, digest: str, worker: str) -> None:
    """Stores an import that begins."""
    values = {column.name: getattr(begun, column.name) for column in COLUMNS}
    await transaction.insert(imports, values | {"headings": headings, "digest": digest, "worker": worker})


async def forget(transaction: Transaction, id: ShortId) -> None:
    """Removes an import, if there is one of that id."""
    await transaction.execute(_FORGET, {"of": id})


async def take_over(transaction: Transaction, id: ShortId, worker: str, at: datetime) -> None:
    """Gives an import to another process."""
    await transaction.execute(_CHANGE, {"of": id, "worker": worker, "updated_at": at})


async def advance(
    transaction: Transaction, id: ShortId, position: int, percent: int, counts: Counts, at: datetime
) -> None:
    """Stores how far an import has come."""
    values = {"position": position, "percent": percent, "counts": counts, "updated_at": at}
    await transaction.execute(_CHANGE, {"of": id, **values})


async def fail(transaction: Transaction, id: ShortId, why: str, at: datetime) -> None:
    """Stores why an import cannot be gone on with."""
    values = {"state": ImportState.FAILED, "error": why, "updated_at": at, "finished_at": at}
    await transaction.execute(_CHANGE, {"of": id, **values})


async def finish(
    transaction: Transaction, id: ShortId, state: ImportState, position: int, counts: Counts, at: datetime
) -> None:
    """Stores how an import has come to its end."""
    values = {"state": state, "position": position, "counts": counts, "percent": 100}
    values |= {"updated_at": at, "finished_at": at}
    await transaction.execute(_CHANGE, {"of": id, **values})


async def count_anew(transaction: Transaction, kinds: Collection[str]) -> None:
    """Has the database look anew how much there is of these: products, certifications and claims as rows have them."""
    await transaction.count_anew([table for kind, table in _MADE.items() if kind in kinds])
