"""Certifications and claims: the definitions, and which product has which; the same for both kinds.

Every read takes the organisations of whoever asks: definitions private to others, and assignments of them, do not
exist for it (contract A12), and the metadata of others' products are empty.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Table, bindparam, delete, select, update

from db import definitions
from db.engine.database import Database, Transaction
from db.lists import Listed
from db.sql.reads import KeyedRead, Read
from db.sql.tables import certification_assignments, claim_assignments, owner_of
from db.sql.types import among
from domain.gtin import Gtin
from domain.records import Certification, CertificationAssignment, Claim, ClaimAssignment
from domain.short_id import ShortId

D = TypeVar("D", bound=Certification | Claim)
A = TypeVar("A", bound=CertificationAssignment | ClaimAssignment)


class Assignments(definitions.Defined[D], Generic[D, A]):
    """One kind of definitions, and their assignments to products.

    `kind` is what `db.definitions.Definitions` calls them. The record's members are the columns of the table, but for
    the product's owner, and last what `definition` takes from it. `owner` as of `Defined`.
    """

    def __init__(
        self,
        kind: str,
        table: Table,
        record: type[A],
        definition: Callable[[A], D],
        owner: Callable[[D], ShortId | None] | None = None,
    ) -> None:
        super().__init__(kind, owner)
        *names, self.name = record.__struct_fields__
        named = table.c[f"{self.name}_id"]
        # As records have them: what a row names last is looked up among the definitions.
        rows, of_one = (
            select(*(owner.label(name) if name == "organization_id" else table.c[name] for name in names), named)
            for owner in (owner_of(table), owner_of(table, bindparam("key")))
        )
        self.table = table
        self.record = record
        self.definition = definition
        self._key = ("gtin", named.name)
        self.listed = Listed(table, rows, record, self._key, kind)
        self.by_product = KeyedRead(rows, table.c.gtin, record, defined=kind, ranked=True, alone=of_one)
        self.by_id = KeyedRead(rows, table.c.id, record, defined=kind)
        self._ids = Read(select(table.c.id).where(among(table.c.id, "keys")), tuple)
        place = (table.c.gtin == bindparam("of"), named == bindparam("definition"))
        self.one = Read(rows.where(*place), record, defined=kind)
        self._change = update(table).where(*place)
        self._remove = delete(table).where(*place)

    async def of_products(
        self, database: Database | Transaction, gtins: list[Gtin], organization_ids: Sequence[ShortId]
    ) -> list[A]:
        """What these products have, by label and id, in one statement."""
        return await definitions.fetch(database, self.by_product, organization_ids, keys=gtins)

    async def of_ids(self, database: Database, ids: Sequence[ShortId], organization_ids: Sequence[ShortId]) -> list[A]:
        """The assignments with these ids of their own, in no order."""
        return await definitions.fetch(database, self.by_id, organization_ids, keys=ids)

    async def one_of_product(
        self, database: Database, gtin: Gtin, id: ShortId, organization_ids: Sequence[ShortId]
    ) -> A | None:
        """The assignment of that definition, if it may be seen."""
        found = await definitions.fetch(database, self.one, organization_ids, of=gtin, definition=id)
        return next(iter(found), None)

    async def lock(
        self, transaction: Transaction, gtin: Gtin, id: ShortId, organization_ids: Sequence[ShortId]
    ) -> A | None:
        """The assignment of that definition, locked until the transaction ends."""
        found = await definitions.fetch(
            transaction, self.one, organization_ids, lock=self.table, of=gtin, definition=id
        )
        return next(iter(found), None)

    async def add(self, transaction: Transaction, assignment: A) -> bool:
        """Stores a new assignment. False when the product has that definition already."""
        return await transaction.insert(self.table, self.row(assignment), unless=self._key)

    async def lock_many(
        self, transaction: Transaction, gtins: list[Gtin], organization_ids: Sequence[ShortId]
    ) -> list[A]:
        """What these products have, locked until the transaction ends, in no order."""
        return await definitions.fetch(transaction, self.by_product, organization_ids, lock=self.table, keys=gtins)

    async def add_many(self, transaction: Transaction, made: Sequence[dict[str, Any]]) -> bool:
        """Stores rows of new ones. False when somebody was quicker with one: what is stored is of no use then."""
        return await transaction.insert_new(self.table, made)

    def foreseen(self, database: Database, made: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows for `add_many`, made before the transaction."""
        return database.foreseen(self.table, made)

    async def ids_among(self, transaction: Transaction, ids: Sequence[ShortId]) -> set[ShortId]:
        """Those of the ids that assignments of this kind have."""
        return {id for (id,) in await transaction.fetch(self._ids, keys=ids)}

    async def add_alone(self, transaction: Transaction, assignment: A, entry: dict[str, Any]) -> bool:
        """Stores a new assignment on a product of its owner, and that is all (see `Transaction.insert_alone`).

        `entry` is the row of the log that tells of it, with its columns.
        """
        return await transaction.insert_alone(
            self.table, entry["record"], unless=self._key, owner=assignment.organization_id, entry=entry
        )

    def row(self, assignment: A) -> dict[str, Any]:
        """The columns of an assignment, as they are stored."""
        row = msgspec.structs.asdict(assignment)
        del row["organization_id"]
        row[self._key[1]] = row.pop(self.name).id
        return row

    async def change(self, transaction: Transaction, assignment: A, changes: dict[str, Any], at: datetime) -> None:
        """Stores the changed members of a locked assignment and counts its version up."""
        counted = {"updated_at": at, "version": assignment.version + 1}
        await transaction.execute(self._change, {**self._place(assignment), **changes, **counted})

    async def remove(self, transaction: Transaction, assignment: A) -> None:
        """Deletes a locked assignment."""
        await transaction.execute(self._remove, self._place(assignment))

    def _place(self, assignment: A) -> dict[str, Any]:
        return {"of": assignment.gtin, "definition": self.definition(assignment).id}


# On records, `attrgetter` takes three times as long as these functions.
certifications: Assignments[Certification, CertificationAssignment] = Assignments(
    "certifications",
    certification_assignments,
    CertificationAssignment,
    lambda assignment: assignment.certification,
    lambda certification: certification.organization_id,
)
claims: Assignments[Claim, ClaimAssignment] = Assignments(
    "claims",
    claim_assignments,
    ClaimAssignment,
    lambda assignment: assignment.claim,
)
