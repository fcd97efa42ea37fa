"""What an import has met so far, in a file of its own that ends with it: its length costs disk and no memory."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from domain.gtin import Gtin
from domain.records import Product

_CACHE = -8_000
"""KiB of the file that are held in memory, written as SQLite has it."""


class Earlier(NamedTuple):
    """Which row said something of a thing first, and what it said in short."""

    place: str
    digest: int


class Met:
    """Things by their keys; products besides, of those that a dry run would have made."""

    def __init__(self) -> None:
        # Without a name it is a file that is nobody else's and gone when it is closed.
        self._file = sqlite3.connect("", isolation_level=None)
        for pragma in (f"cache_size = {_CACHE}", "journal_mode = OFF", "synchronous = OFF"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.execute("CREATE TABLE met (key TEXT PRIMARY KEY, place TEXT, digest INTEGER) WITHOUT ROWID")
        self._file.execute("CREATE TABLE made (gtin TEXT PRIMARY KEY, product BLOB) WITHOUT ROWID")

    def look(self, keys: Sequence[str]) -> dict[str, Earlier]:
        """What was met of these."""
        sql = "SELECT key, place, digest FROM met WHERE key IN (SELECT value FROM json_each(?))"
        rows = self._file.execute(sql, [msgspec.json.encode(keys).decode()])
        return {key: Earlier(place, digest) for key, place, digest in rows}

    def add(self, met: Iterable[tuple[str, Earlier]]) -> None:
        """To be called once what was met is done."""
        self._write("INSERT OR IGNORE INTO met VALUES (?, ?, ?)", ((key, *earlier) for key, earlier in met))

    def keep(self, products: Iterable[Product]) -> None:
        """Keeps products that would have been made."""
        rows = ((product.gtin, msgspec.msgpack.encode(product)) for product in products)
        self._write("INSERT OR REPLACE INTO made VALUES (?, ?)", rows)

    def kept(self, gtins: Sequence[Gtin]) -> list[Product]:
        """Those of the products that were kept."""
        sql = "SELECT product FROM made WHERE gtin IN (SELECT value FROM json_each(?))"
        rows = self._file.execute(sql, [msgspec.json.encode(gtins).decode()])
        return [msgspec.msgpack.decode(product, type=Product) for (product,) in rows]

    def _write(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._file.execute("BEGIN")
        self._file.executemany(sql, rows)
        self._file.execute("COMMIT")

    def close(self) -> None:
        """Ends it, with its file."""
        self._file.close()
