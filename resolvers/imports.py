"""Imports of files: begun, gone on with, ended, and shown to the organisation for which they are."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec.structs import replace

from db import accounts, imports, keys
from db.engine.database import Database, Transaction
from domain.access import Caller, Permission, lesser, require
from domain.errors import AlreadyExists, Busy, NotFound
from domain.importing import MAX_TOLD, Counts, Import
from domain.short_id import ShortId, new_short_id
from domain.vocabulary import BulkPolicy, Existing, ImportState
from resolvers.operation import Context, read_operation

MOST = 100
"""How many imports are listed."""


@read_operation
async def import_if_any(context: Context, id: ShortId) -> Import | None:
    """The import of that id, if it is of the caller's organisation."""
    if not context.caller.sees_private:
        return None
    return await imports.find(context.database, id, context.caller.organization.id)


@read_operation
async def import_of_id(context: Context, id: ShortId) -> Import:
    """The import of that id. Raises `NotFound` unless it is of the caller's organisation."""
    found = await import_if_any(context, id)
    if found is None:
        raise NotFound(f"No import of your organisation has the id {id}; take it from the list of imports.")
    return found


@read_operation
async def latest_imports(context: Context) -> list[Import]:
    """The newest imports of the caller's organisation, the newest first."""
    if not context.caller.sees_private:
        return []
    return await imports.latest(context.database, context.caller.organization.id, MOST)


@read_operation
async def earlier(context: Context, headings: str) -> Import | None:
    """The newest import for the caller's organisation of files whose columns have these heads, if there is one."""
    if not context.caller.sees_private:
        return None
    return await imports.with_headings(context.database, context.caller.organization.id, headings)


class NewImport(NamedTuple):
    """What is known of an import before it begins; `headings` and `digest` tell its columns and all of it."""

    name: str
    policy: BulkPolicy
    existing: Existing
    dry_run: bool
    columns: dict[str, str]
    map: dict[str, str]
    map_of: ShortId | None
    headings: str
    digest: str


async def begin(
    database: Database,
    caller: Caller,
    new: NewImport,
    *,
    worker: str,
    is_alive: Callable[[str, datetime], bool],
    id: ShortId | None = None,
) -> Import:
    """A new import; or the one of the same files that did not come to its end, to go on with.

    With an `id` a new one takes the place of the import that has it, if there is one. `is_alive` says of a process,
    which was last heard of at a moment, whether it may still be at it. Raises `Forbidden`, and `AlreadyExists` where
    another process does the same just now.
    """
    require(caller, Permission.WRITE)
    now = datetime.now(UTC)
    async with database.write() as transaction:
        await transaction.serialize(f"import {new.digest}")
        left = await imports.unfinished(transaction, new.digest)
        if left is not None:
            if is_alive(left.worker, left.found.updated_at):
                raise AlreadyExists(
                    f"{left.found.name} is being imported just now (as {left.found.id}); wait for its end."
                )
            await imports.take_over(transaction, left.found.id, worker, now)
            return left.found
        if id is not None:
            await imports.forget(transaction, id)
        begun = Import(
            id or new_short_id(now),
            caller.organization.id,
            new.name[:255],
            ImportState.RUNNING,
            *new[1:7],
            0,
            0,
            {},
            "",
            now,
            now,
            None,
        )
        await imports.add(transaction, begun, new.headings, new.digest, worker)
        return begun


async def take_over(
    database: Database, id: ShortId, worker: str, is_alive: Callable[[str, datetime], bool]
) -> Import | None:
    """An import that this process goes on with from now on; None where it has ended, or another is at it still."""
    async with database.write() as transaction:
        left = await imports.unfinished(transaction, id)
        if left is None or is_alive(left.worker, left.found.updated_at):
            return None
        await imports.take_over(transaction, id, worker, datetime.now(UTC))
        return left.found


async def caller_now(database: Database, caller: Caller) -> Caller | None:
    """A caller with what its key or its membership permits by now; None where that is gone."""
    role = caller.role
    if caller.key_id is not None:
        key = await keys.find_live(database, caller.key_id)
        if key is None or (key.expires_at is not None and key.expires_at <= datetime.now(UTC)):
            return None
        role = key.role
    if caller.user_id is not None:
        held = {each.organization.id: each for each in await accounts.memberships_of(database, caller.user_id)}
        if caller.organization.id not in held:
            return None
        role = lesser(role, held[caller.organization.id].role)
        others = [held[each.organization.id] for each in caller.others if each.organization.id in held]
        others = [replace(each, role=lesser(role, each.role)) for each in others]
        caller = replace(caller, others=tuple(others))
    return replace(caller, role=role)


async def advance(transaction: Transaction, of: Import, position: int, percent: int, counts: Counts) -> None:
    """Stores how far an import has come, in the transaction of its rows."""
    await imports.advance(transaction, of.id, position, percent, counts, datetime.now(UTC))


async def finish(database: Database, of: Import, state: ImportState, counts: Counts) -> None:
    """Stores how an import has come to its end."""
    position = sum(counts["rows"].values())
    async with database.write() as transaction:
        await imports.finish(transaction, of.id, state, position, counts, datetime.now(UTC))


async def fail(database: Database, of: Import, why: str) -> None:
    """Stores that an import cannot be gone on with, and why; what it has done by then stays counted."""
    async with database.write() as transaction:
        await imports.fail(transaction, of.id, why[:MAX_TOLD], datetime.now(UTC))


async def settle(database: Database, kinds: Collection[str]) -> None:
    """After many of these were written: has them found the shortest way at once, unless the database is too busy."""
    with suppress(Busy):
        async with database.write() as transaction:
            await imports.count_anew(transaction, kinds)
