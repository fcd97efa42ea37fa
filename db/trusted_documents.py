"""GraphQL documents that an operator has registered, by the digests of their texts."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, select

from db.engine.database import Database, Transaction
from db.keys import announce
from db.sql.reads import Read
from db.sql.tables import trusted_documents


class TrustedDocument(msgspec.Struct, frozen=True):
    """A registered document without its text. `digest` is the SHA-256 of its UTF-8 text, in hex."""

    digest: str
    name: str
    """Where it came from: a file, or an operation of a manifest."""
    created_at: datetime


_TEXT = Read(
    select(trusted_documents.c.text).where(trusted_documents.c.digest == bindparam("digest")), lambda row: str(row[0])
)
_ENTRIES = Read(
    select(trusted_documents.c.digest, trusted_documents.c.name, trusted_documents.c.created_at).order_by(
        trusted_documents.c.name, trusted_documents.c.digest
    ),
    lambda row: TrustedDocument(*row),
    scans=True,
)
_REMOVE = delete(trusted_documents).where(trusted_documents.c.digest == bindparam("digest"))


async def text_of(database: Database, digest: str) -> str | None:
    """The text of a registered document."""
    return next(iter(await database.fetch(_TEXT, digest=digest)), None)


async def every(database: Database) -> list[TrustedDocument]:
    """All registered documents, by name."""
    return await database.fetch(_ENTRIES)


async def add(transaction: Transaction, *, digest: str, name: str, text: str, at: datetime) -> bool:
    """Registers a document; False if it is registered already, under whatever name."""
    values: dict[str, Any] = {"digest": digest, "name": name, "text": text, "created_at": at}
    return await transaction.insert(trusted_documents, values, unless=("digest",))


async def remove(transaction: Transaction, digest: str) -> bool:
    """Forgets a document, in every process; False if it is not registered."""
    found = await transaction.execute(_REMOVE, {"digest": digest})
    await announce(transaction)
    return found == 1
