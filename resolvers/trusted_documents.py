"""The GraphQL documents that may be run by their ids. The operator's, like keys (see `resolvers.keys`)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from db import trusted_documents
from db.engine.database import Database
from db.trusted_documents import TrustedDocument
from domain.errors import NotFound


class NamedDocument(NamedTuple):
    """A document to be registered, and where it comes from."""

    name: str
    text: str

    @property
    def digest(self) -> str:
        """The SHA-256 of its UTF-8 text, in hex."""
        return sha256(self.text.encode()).hexdigest()


async def register(database: Database, documents: Iterable[NamedDocument], now: datetime | None = None) -> int:
    """Registers documents, all or none; how many of them were not registered before."""
    now = now or datetime.now(UTC)
    added = 0
    async with database.write() as transaction:
        for document in documents:
            added += await trusted_documents.add(
                transaction, digest=document.digest, name=document.name[:255], text=document.text, at=now
            )
    return added


async def every(database: Database) -> list[TrustedDocument]:
    """All registered documents, by name."""
    return await trusted_documents.every(database)


async def remove(database: Database, digest: str) -> None:
    """Forgets a document, in all processes. Raises `NotFound`."""
    async with database.write() as transaction:
        found = await trusted_documents.remove(transaction, digest)
    if not found:
        raise NotFound(f"No document has the id sha256:{digest}; `documents list` shows the ids.")


async def text_of(database: Database, digest: str) -> str | None:
    """The text of a registered document, None when none is registered under that digest."""
    return await trusted_documents.text_of(database, digest)
