"""The documents that are kept. Validation costs many times what running a short query costs."""

from collections import OrderedDict
from typing import Any

from execution.documents.document import Document


class DocumentCache:
    """Documents by their text, the least recently used dropped first.

    Bounded by entries and by characters: those of the texts, because a syntax tree takes memory in proportion to its
    text, and those charged for what was compiled of them. Only documents that may be run are kept: a stream of
    refused ones changes nothing. Most documents that are new never come again: one is kept when it comes for the second
    time, among the last `max_seen` new ones; with 0 it is kept at once.
    """

    def __init__(self, max_entries: int = 500, max_characters: int = 250_000, *, max_seen: int = 5_000) -> None:
        self._max_entries = max_entries
        self._max_characters = max_characters
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._shapes: dict[tuple[Any, ...], Document] = {}
        self._seen: dict[int, None] = {}
        self._max_seen = max_seen
        self.characters = 0

    def __len__(self) -> int:
        return len(self._documents)

    def get(self, source: str) -> Document | None:
        """The document of this text, now the most recently used; None if it is not kept."""
        document = self._documents.get(source)
        if document is not None:
            self._documents.move_to_end(source)
        return document

    def like(self, shape: tuple[Any, ...]) -> Document | None:
        """The kept document of this shape, now the most recently used."""
        document = self._shapes.get(shape)
        return document and self.get(document.source)

    def put(self, document: Document) -> None:
        """Keep a document that comes again, it or one of its shape, dropping older ones for it."""
        seen = hash(document.shape or document.source)
        if self._max_seen and seen not in self._seen:
            self._seen[seen] = None
            if len(self._seen) > self._max_seen:
                del self._seen[next(iter(self._seen))]
            return
        if len(document.source) > self._max_characters or document.source in self._documents:
            return
        document.is_kept = True
        self._documents[document.source] = document
        if document.shape is not None:
            self._shapes.setdefault(document.shape, document)
        self.charge(document, len(document.source))

    def charge(self, document: Document, characters: int) -> None:
        """Count what a kept document has grown by, dropping the least recently used ones for it."""
        document = document.like or document
        if self._documents.get(document.source) is not document:
            return
        document.characters += characters
        self.characters += characters
        while len(self._documents) > self._max_entries or self.characters > self._max_characters:
            _, dropped = self._documents.popitem(last=False)
            self.characters -= dropped.characters
            if dropped.shape is not None and self._shapes.get(dropped.shape) is dropped:
                del self._shapes[dropped.shape]
