"""Registered documents: which text is run for an id, and whether any other is run at all."""

from hashlib import sha256
from typing import Literal, Protocol

from execution.errors import Refusal, RequestError
from schema.http_request import GraphQLRequest, persisted_query

DocumentMode = Literal["off", "prefer", "only"]
"""Whether registered documents are run by their ids, and whether others are run at all."""


class RegisteredDocuments(Protocol):
    """The registered documents."""

    async def text(self, digest: str) -> str | None:
        """The document whose UTF-8 text has this SHA-256 digest, in hex; None if it is not registered."""


class DocumentTexts:
    """The texts of what is asked for, as far as the mode allows it."""

    def __init__(self, registry: RegisteredDocuments | None, mode: DocumentMode) -> None:
        self._registry = None if mode == "off" else registry
        self.only_registered = self._registry is not None and mode == "only"
        """Whether no other document is run than a registered one."""

    async def of(self, request: GraphQLRequest) -> str:
        """The text of a document that has to be registered. Raises `RequestError` if it is not."""
        text = request.query
        if text is None and request.document_id is None:
            return await self._persisted(persisted_query(request.extensions) or "")
        if self._registry is None:
            raise RequestError.of(
                Refusal.OPERATION,
                "DOCUMENT_IDS_NOT_SUPPORTED",
                "Documents are not run by their ids here; send the text in query.",
            )
        if text is not None:
            # Trusted is what may be run, however it was named.
            if await self._registry.text(sha256(text.encode()).hexdigest()) == text:
                return text
            raise RequestError.of(
                Refusal.OPERATION,
                "TRUSTED_DOCUMENTS_ONLY",
                "Only registered documents are run here, and this is none; ask the operator to register it.",
            )
        return await _registered(request.document_id or "", self._registry)

    async def _persisted(self, document_id: str) -> str:
        if self._registry is not None:
            try:
                return await _registered(document_id, self._registry)
            except RequestError:
                pass
        # The links of Apollo and urql look for this very text, and then send the documents themselves.
        raise RequestError.of(Refusal.OPERATION, "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")


async def _registered(document_id: str, registry: RegisteredDocuments) -> str:
    scheme, _, digest = document_id.partition(":")
    if scheme != "sha256" or len(digest) != 64 or digest.strip("0123456789abcdef"):
        raise RequestError.of(
            Refusal.OPERATION,
            "DOCUMENT_NOT_FOUND",
            "A documentId is sha256: and the 64 hexadecimal digits, in lower case, of the document's digest.",
        )
    text = await registry.text(digest)
    if text is None:
        raise RequestError.of(
            Refusal.OPERATION,
            "DOCUMENT_NOT_FOUND",
            f"No document is registered under {document_id}; register it, or send the text in query.",
        )
    return text
