"""Who has taken on which lapse."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import String, Table, bindparam, delete, func, select

from db.engine.database import Database, Transaction
from db.sql.reads import KeyedRead
from db.sql.tables import ACKNOWLEDGED, api_keys, owner_of, users
from domain.access import Caller
from domain.acknowledgements import Acknowledgement
from domain.gtin import Gtin
from domain.records import CertificationAssignment, ClaimAssignment
from domain.short_id import ShortId


class Acknowledgements:
    """Those of assignments of one kind, of which there is one each at most."""

    def __init__(self, kind: str) -> None:
        self._table: Table = ACKNOWLEDGED[kind]
        self._definition = next(column.key for column in self._table.primary_key if column.key != "gtin")
        own = self._table.c
        known: dict[str, Any] = {
            "organization_id": owner_of(self._table),
            "by": func.coalesce(users.c.email, func.nullif(api_keys.c.name, ""), own.api_key_id, "", type_=String()),
        }
        columns = [known[name] if name in known else own[name] for name in Acknowledgement.__struct_fields__]
        rows = select(*columns)
        rows = rows.outerjoin(users, users.c.id == own.user_id).outerjoin(api_keys, api_keys.c.id == own.api_key_id)
        self._by_product = KeyedRead(rows, own.gtin, Acknowledgement)
        self._remove = delete(self._table).where(own.id == bindparam("of"))

    async def of_products(
        self, source: Database | Transaction, gtins: Sequence[Gtin]
    ) -> dict[ShortId, Acknowledgement]:
        """Those of what these products have, by the id of the assignment, whether they still hold or not."""
        return {found.id: found for found in await source.fetch(self._by_product, keys=list(gtins))} if gtins else {}

    async def find(
        self, source: Database | Transaction, of: CertificationAssignment | ClaimAssignment
    ) -> Acknowledgement | None:
        """That of an assignment."""
        return (await self.of_products(source, [of.gtin])).get(of.id)

    async def put(
        self,
        transaction: Transaction,
        of: CertificationAssignment | ClaimAssignment,
        definition_id: ShortId,
        acknowledgement: Acknowledgement,
        caller: Caller,
    ) -> None:
        """Stores what a caller says of a locked assignment, in the place of what was said before."""
        await self.remove(transaction, of.id)
        await transaction.insert(self._table, self._row(definition_id, acknowledgement, caller))

    async def add_many(
        self, transaction: Transaction, said: Iterable[tuple[ShortId, Acknowledgement]], caller: Caller
    ) -> None:
        """Stores what a caller says of new assignments, each with the definition's id."""
        await transaction.insert_in_parts(self._table, (self._row(*each, caller) for each in said))

    def _row(self, definition_id: ShortId, acknowledgement: Acknowledgement, caller: Caller) -> dict[str, Any]:
        columns = [column.key for column in self._table.columns]
        row = {name: getattr(acknowledgement, name) for name in columns if hasattr(acknowledgement, name)}
        # A person behind a key is who has done it.
        key_id = caller.key_id if caller.user_id is None else None
        return row | {self._definition: definition_id, "user_id": caller.user_id, "api_key_id": key_id}

    async def remove(self, transaction: Transaction, id: ShortId) -> None:
        """Forgets that of a locked assignment."""
        await transaction.execute(self._remove, {"of": id})


certifications = Acknowledgements("certifications")
claims = Acknowledgements("claims")
OF_NOUN = {"certification": certifications, "claim": claims}
