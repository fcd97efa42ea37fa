"""The definitions (bodies, certifications, claims), held in memory: some hundreds of rows that change rarely.

A read of assignments would otherwise join them again for every row. They are as the database has them: its triggers
count every change of their tables, whoever made it, and `Database.epoch` says for nearly nothing whether anything at
all may have changed since the count was last looked at.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from sqlalchemy import select

from db.engine.database import Database, Transaction
from db.sql.reads import KeyedRead, Owners, R, Ranks, Read, Row
from db.sql.shapes import Form, Into, RowShape, shaped
from db.sql.tables import certification_bodies, certifications, claims, columns_of, definition_changes
from domain.records import Certification, CertificationBody, Claim
from domain.short_id import ShortId
from domain.text import fold, folded

T = TypeVar("T")
D = TypeVar("D", bound=CertificationBody | Certification | Claim)


class Definitions(NamedTuple):
    """All definitions at one moment, by id; certifications and claims in the order of label, whatever its case, and id.

    The private ones of every organisation are among them: whoever shows them looks at `organization_id`.
    """

    bodies: Mapping[ShortId, CertificationBody]
    certifications: Mapping[ShortId, Certification]
    claims: Mapping[ShortId, Claim]
    ranks: Ranks
    """The place of each certification among the certifications, and of each claim among the claims."""
    private: Mapping[ShortId, ShortId]
    """The organisations of the private ones, which alone may see them."""


class Reader(msgspec.Struct, frozen=True, gc=False):
    """What reads of the same caller have in common."""

    database: Database
    owners: Owners
    form: Form
    today: date
    known: Definitions | None
    """The definitions, if they are at hand."""


class _Held(NamedTuple):
    """Definitions, the count of changes that they belong to, and the epoch in which that was looked at."""

    epoch: object
    changes: int
    definitions: Definitions


CHANGES = Read(select(definition_changes.c.changes), lambda row: int(row[0]))
BODIES = Read(select(*columns_of(certification_bodies, CertificationBody)), CertificationBody)
# The body, which is the last member of a certification, is looked up among the bodies.
CERTIFICATIONS: Read[tuple[Any, ...]] = Read(
    select(*(certifications.c[name] for name in Certification.__struct_fields__[:-1]), certifications.c.body_id), tuple
)
CLAIMS = Read(select(*columns_of(claims, Claim)), Claim)


def of_code(found: Iterable[D], code: str) -> list[D]:
    """The definitions of that code, whatever the case; those spelt just so come first. Nothing is called ""."""
    folded = fold(code)
    named = [each for each in found if each.code and (each.code == code or fold(each.code) == folded)]
    return sorted(named, key=lambda each: each.code != code)


def at_hand(database: Database) -> Definitions | None:
    """The definitions that are held, unless something may have changed since they were looked at."""
    held: _Held | None = database.held
    return held.definitions if held is not None and held.epoch == database.epoch() else None


async def current(source: Database | Transaction) -> Definitions:
    """The definitions as they are now."""
    database = source.database
    found = at_hand(database)
    if found is not None:
        return found
    held: _Held | None = database.held
    epoch = database.epoch()
    changes = (await database.fetch(CHANGES))[0]
    if held is None or held.changes != changes:
        held = await _read(database, changes)
    # What is read here is at least as new as the epoch.
    database.held = held._replace(epoch=epoch)
    return held.definitions


async def _read(database: Database, changes: int) -> _Held:
    while True:
        found = await database.fetch(BODIES), await database.fetch(CERTIFICATIONS), await database.fetch(CLAIMS)
        after = (await database.fetch(CHANGES))[0]
        if after == changes:
            return _Held(None, changes, _arranged(*found))
        # Somebody changed them in between, so the three may not fit together.
        changes = after


def _arranged(
    found_bodies: list[CertificationBody], rows: list[tuple[Any, ...]], found_claims: list[Claim]
) -> Definitions:
    by_id = {body.id: body for body in found_bodies}
    # Certifications of one body have it in common.
    found_certifications = [Certification(*(*row[:-1], by_id.get(row[-1]))) for row in rows]
    # Here and not in SQL, because the databases' own folding differs outside ASCII.
    found_certifications.sort(key=_place)
    found_claims.sort(key=_place)
    ranks = {item.id: rank for rank, item in enumerate(found_certifications)}
    ranks.update((item.id, rank) for rank, item in enumerate(found_claims))
    private = {item.id: owner for item in found_certifications if (owner := item.organization_id) is not None}
    return Definitions(
        by_id,
        {item.id: item for item in found_certifications},
        {item.id: item for item in found_claims},
        ranks,
        private,
    )


def _place(definition: Certification | Claim) -> tuple[str, ShortId]:
    return folded(definition.label), definition.id


async def with_definitions(
    source: Database | Transaction, read: Callable[[Definitions], Awaitable[T]], known: Definitions | None = None
) -> T:
    """The result of a read that looks up definitions; again with newer ones if a row names one that came meanwhile.

    `known` are those that a moment ago were at hand.
    """
    database = source.database
    try:
        return await read(known or at_hand(database) or await current(database))
    except KeyError:
        # A foreign key guarantees that it exists: it was added between the two reads.
        database.held = None
        return await read(await current(database))


async def fetch(source: Database | Transaction, read: Read[R], owners: Owners = (), /, **values: Any) -> list[R]:
    """The records of a read, with the definitions that its rows name; `owners` and `values` as for `source.fetch`."""
    records = read.compiled(source.database.dialect).records
    return await made(source, read, lambda rows, known: records(*seen(rows, read, owners, known), owners), values)


def reader(database: Database, owners: Owners, today: date, *, public: bool) -> Reader:
    """Who reads, and where; `public` leaves out what nobody sees with a publishable key."""
    return Reader(database, owners, (database.dialect, public), today, at_hand(database))


def fill(
    read: KeyedRead[Any], reader: Reader, shape: RowShape, into: Into, below: Sequence[Into]
) -> Awaitable[None] | None:
    """Fills the lists of `into` with what a shape makes of the rows of their keys (see `db.sql.shapes`).

    None says that it is done, where nothing had to be waited for.
    """
    prepared: Any = shape.prepared.get(reader.form)
    if prepared is None:
        prepared = shape.prepared[reader.form] = shaped(read, shape, reader.form)
    part, make = prepared
    known, values = reader.known, {"keys": [*into]}
    rows = reader.database.at_once(part, values) if known is not None else None
    if rows is not None:
        try:
            make(*seen(rows, part, reader.owners, known), reader.owners, reader.today, into, below)
        except KeyError:
            # It names a definition that came meanwhile, and nothing was made of it.
            pass
        else:
            return None
    return made(
        reader.database,
        part,
        lambda rows, known: make(*seen(rows, part, reader.owners, known), reader.owners, reader.today, into, below),
        values,
        known,
    )


def made(
    source: Database | Transaction,
    read: Read[Any],
    make: Callable[[list[Row], Definitions | None], T],
    values: Mapping[str, Any],
    known: Definitions | None = None,
) -> Awaitable[T]:
    """What is made of rows and the definitions that they name, if any; `known` as of `with_definitions`."""
    if not read.defined:
        return source.read(read, lambda rows: make(rows, None), **values)
    return with_definitions(source, lambda known: source.read(read, lambda rows: make(rows, known), **values), known)


def seen(
    rows: list[Row], read: Read[Any], owners: Owners, known: Definitions | None
) -> tuple[list[Row], Mapping[Any, Any] | None]:
    """The rows that these may see, in the order of their definitions if the read says so; and all definitions."""
    if known is None or not read.defined:
        return rows, None
    if known.private:
        owner_of, allowed = known.private.get, (None, *owners)
        rows = [row for row in rows if owner_of(row[-1]) in allowed]
    if read.ranked and len(rows) > 1:
        # A key that is a function of Python's own takes half the time of a lambda.
        ranks = [known.ranks[row[-1]] for row in rows]
        rows = [*map(rows.__getitem__, sorted(range(len(rows)), key=ranks.__getitem__))]
    return rows, getattr(known, read.defined)


async def add_missing(transaction: Transaction, private: Sequence[Certification]) -> list[Certification]:
    """Stores private certifications, but for those that are there; those that were not."""
    return [each for each in private if await transaction.insert(certifications, certification_row(each), unless=None)]


def certification_row(certification: Certification) -> dict[str, Any]:
    """The columns of a certification, as they are stored."""
    row = {name: getattr(certification, name) for name in Certification.__struct_fields__[:-1]}
    return row | {"body_id": certification.body.id if certification.body is not None else None}


class Defined(Generic[D]):
    """One kind of definitions, as those see it who ask.

    `kind` is what `Definitions` calls them. `owner` says of a definition which organisation alone may see it, None for
    all; without it there are no such definitions.
    """

    def __init__(self, kind: str, owner: Callable[[D], ShortId | None] | None = None) -> None:
        self.owner = owner
        self._of_kind: Callable[[Definitions], Mapping[ShortId, D]] = attrgetter(kind)

    def is_visible(self, definition: D, organization_ids: Sequence[ShortId]) -> bool:
        """Whether a definition exists for these organisations: it is global, or private to one of them."""
        return self.owner is None or self.owner(definition) in (None, *organization_ids)

    async def every(self, database: Database, organization_ids: Sequence[ShortId] = ()) -> list[D]:
        """All definitions that these organisations may see, by label and id; there are some hundreds."""
        found = [*self._of_kind(await current(database)).values()]
        if self.owner is None:
            return found
        return [definition for definition in found if self.is_visible(definition, organization_ids)]

    async def hidden(self, database: Database, organization_ids: Sequence[ShortId]) -> list[ShortId]:
        """The ids of all definitions that are private to other organisations."""
        if self.owner is None:
            return []
        found = self._of_kind(await current(database)).values()
        return [definition.id for definition in found if not self.is_visible(definition, organization_ids)]

    async def find(
        self, source: Database | Transaction, id: ShortId, organization_ids: Sequence[ShortId] = ()
    ) -> D | None:
        """The definition of that id, if it is global or the organisations' own."""
        found = self._of_kind(await current(source)).get(id)
        if found is None or self.owner is None or self.is_visible(found, organization_ids):
            return found
        return None

    async def find_by_code(self, database: Database, code: str, organization_ids: Sequence[ShortId] = ()) -> D | None:
        """The definition of that code, whatever the case, the organisations' own before the global one."""
        found = of_code(await self.every(database, organization_ids), code)
        owner = self.owner
        if owner is not None:
            found.sort(key=lambda definition: owner(definition) is None)
        return next(iter(found), None)


bodies: Defined[CertificationBody] = Defined("bodies")
