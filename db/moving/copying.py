"""All rows of one database, or of a backup, in another database: in the order of their keys, then read once more.

Rows come in the order of their keys and are stored as they come, so that a copy that was killed goes on behind the last
row of each table. Until all of them are there and are the same, the database has no revision and cannot be used.
"""

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

from db import revision
from db.migrate import current, migrate
from db.moving.content import Content, Digest, Rows, lines_of
from db.moving.errors import CannotMove
from db.moving.stores import Filling, Snapshot, Supply, snapshot, target
from db.sql.tables import secrets

Told = Callable[[str, int, int], None]
"""Is told how far the work has come: what is done with which table, how many rows are done, and of how many."""


class Copied(NamedTuple):
    """A table that is copied: how many rows it has, and the hash of their lines."""

    table: str
    rows: int
    sha256: str


class Origin(NamedTuple):
    """What is copied: whence, which tables of which revision, and the name by which a copy of it is known."""

    source: Supply
    contents: Sequence[Content]
    revision: str
    name: bytes


async def origin_of(source: Snapshot, contents: Sequence[Content]) -> Origin:
    """A database of the newest revision, known by its secrets."""
    (own,) = (content for content in contents if content.name == secrets.name)
    lines = [lines_of(rows) async for rows in source.rows(own)]
    return Origin(source, contents, revision.head(), b"".join(lines))


async def copy(origin: Origin, url: str, told: Told, begun: Callable[[], None] = lambda: None) -> list[Copied]:
    """Fills the database at that URL, which is empty or holds what an earlier attempt has left.

    `begun` is called when nothing is in the way any more. Raises `CannotMove`.
    """
    mark = f"{revision.UNFINISHED} {sha256(origin.name + origin.revision.encode()).hexdigest()[:16]}"
    stored = await current(url)
    if stored is None:
        _, stored = await migrate(url, origin.revision)
    async with target(url) as filled:
        if stored != mark:
            await _require_empty(filled, origin, stored)
            await filled.begin(mark)
        begun()
        copied = [await _fill(filled, origin, content, told) for content in origin.contents]
        async with snapshot(url) as there:
            for content, digest in zip(origin.contents, copied, strict=True):
                await _require_equal(there, content, digest, told)
        await filled.end(origin.revision)
    await migrate(url)
    return [Copied(content.name, each.rows, each.sha256) for content, each in zip(origin.contents, copied, strict=True)]


async def _require_empty(filled: Filling, origin: Origin, stored: str | None) -> None:
    if stored is not None and stored.startswith(revision.UNFINISHED):
        raise CannotMove(
            "The database holds a part of another copy that was stopped: start that one once more, or make the"
            " database anew."
        )
    if stored != origin.revision:
        raise CannotMove(
            f"The database is at revision {stored}, and what is to go there at revision {origin.revision}: name one"
            " that was never migrated."
        )
    table = await filled.first_filled(origin.contents)
    if table is not None:
        raise CannotMove(f"The database is not empty, it has {table.replace('_', ' ')}: name an empty one.")


async def _fill(filled: Filling, origin: Origin, content: Content, told: Told) -> Digest:
    """Copies a table from where the copy has come to; the digest of all of it."""
    last = await filled.last_key(content)

    async def add(rows: Rows, lines: bytes) -> None:
        missing = rows if last is None else [row for row in rows if content.key_of(row) > last]
        if missing:
            await filled.add(content, missing)

    digest = await digest_of(origin.source, content, told, "copied", add)
    await filled.keep()
    number = await origin.source.last_number(content)
    if number is not None:
        await filled.count_on(content, number)
    return digest


async def _require_equal(there: Snapshot, content: Content, digest: Digest, told: Told) -> None:
    found = await digest_of(there, content, told, "compared")
    if found != digest:
        raise CannotMove(
            f"{content.name} is not the same there ({found.rows} rows for {digest.rows}): what is copied was changed"
            " after the copy had begun and before it went on, or something else has written to the database; make the"
            " database anew and start again."
        )


async def _nothing(rows: Rows, lines: bytes) -> None:
    """Nothing is done with the rows but to look at them."""


async def digest_of(
    source: Supply,
    content: Content,
    told: Told,
    done: str,
    each: Callable[[Rows, bytes], Awaitable[None]] = _nothing,
) -> Digest:
    """The digest of a table; `each` is called with some rows at a time and their lines, and is `done` to them."""
    digest, whole = Digest(), await source.count(content)
    async for rows in source.rows(content):
        lines = lines_of(rows)
        digest.add(lines, len(rows))
        await each(rows, lines)
        told(f"{content.name} {done}", digest.rows, whole)
    return digest
