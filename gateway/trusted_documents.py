"""Registered GraphQL documents: those that a server keeps at hand, and those that a folder holds."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from db.engine.database import Database
from gateway.cache import DatabaseCache
from gateway.failures import Failure
from resolvers.trusted_documents import NamedDocument, text_of

_MAX_CHARACTERS = 2_000_000
"""Of all texts that one process keeps at hand."""
_SUFFIXES = (".graphql", ".gql")
_operation = re.compile(r"\b(?:query|mutation)\s+(\w+)")
_SHA256 = "have its tool name documents by SHA-256 (graphql-codegen: hashAlgorithm, relay-compiler: algorithm)"


class TrustedDocuments:
    """The registered documents of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.texts: DatabaseCache[str, str] = DatabaseCache(database, _MAX_CHARACTERS, size=len)

    async def text(self, digest: str) -> str | None:
        """The document whose UTF-8 text has this SHA-256 digest, in hex; None if it is not registered."""
        return self.texts.get(digest) or await self.texts.read(digest, text_of(self._database, digest))


class UnreadableDocuments(Failure):
    """Documents that cannot be registered; the text is one sentence a line."""


def read_documents(path: Path) -> list[NamedDocument]:
    """The documents in a file, or in the files of a folder: GraphQL, and the manifests that tools of clients write.

    Raises `UnreadableDocuments`.
    """
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    base = path.parent if path.is_file() else path
    found: list[NamedDocument] = []
    errors: list[str] = []
    for file in files:
        name = file.relative_to(base).as_posix()
        try:
            if file.suffix in _SUFFIXES:
                found.append(NamedDocument(name, file.read_bytes().decode()))
            elif file.suffix == ".json":
                found += _manifest(name, file.read_bytes())
        except UnicodeDecodeError:
            errors.append(f"{name} is not encoded in UTF-8; save it so.")
        except UnreadableDocuments as error:
            errors.append(str(error))
    if not found and not errors:
        errors.append(f"{path} holds no documents; it should have .graphql files or a manifest in .json.")
    if errors:
        raise UnreadableDocuments("\n".join(errors))
    return found


def _manifest(file: str, content: bytes) -> Iterator[NamedDocument]:
    """The documents in a manifest: of Apollo's tool, or a map from id to text as graphql-codegen and Relay write it."""
    try:
        manifest: Any = json.loads(content)
    except ValueError:
        raise UnreadableDocuments(f"{file} is not valid JSON; correct it.") from None
    entries: list[tuple[Any, Any]]
    if isinstance(manifest, dict) and isinstance(manifest.get("operations"), list):
        operations = [entry if isinstance(entry, dict) else {} for entry in manifest["operations"]]
        entries = [(entry.get("id"), entry.get("body")) for entry in operations]
    elif isinstance(manifest, dict):
        entries = list(manifest.items())
    else:
        entries = [(None, None)]
    for id, text in entries:
        if not isinstance(id, str) or not isinstance(text, str):
            raise UnreadableDocuments(
                f"{file} is no manifest of documents; it should be a map from id to text, or have a list of operations."
            )
        operation = _operation.search(text)
        document = NamedDocument(f"{file}: {operation[1]}" if operation else file, text)
        if id.removeprefix("sha256:") != document.digest:
            raise UnreadableDocuments(f"{file} names a document {id[:80]}, which is not its SHA-256; {_SHA256}.")
        yield document
