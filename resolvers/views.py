"""Saved views: members see those of their organisations, and editors and managers save, change and remove them."""

from datetime import datetime

import msgspec

from db import history, views, webhooks
from db.engine.database import Transaction
from domain.access import require_membership
from domain.changes import Change
from domain.errors import AlreadyExists, InvalidInput, NotFound, Violation
from domain.filters import Where
from domain.history import Provenance
from domain.short_id import ShortId, new_short_id
from domain.views import (
    MAX_VIEWS,
    CreateView,
    GetView,
    ListViews,
    PatchView,
    RemoveView,
    RestoreView,
    SavedView,
    check,
    conditions_of,
)
from domain.vocabulary import ViewKind
from resolvers.operation import Context, read_operation, write_operation


@read_operation
async def list_views(context: Context, command: ListViews) -> list[SavedView]:
    """The views of an organisation by name. Raises `NotFound` or `Forbidden`."""
    require_membership(context.caller, command.organization_id)
    return await views.of_organization(context.database, command.organization_id)


@read_operation
async def view_if_any(context: Context, id: ShortId) -> SavedView | None:
    """The view of that id, if it is of an organisation of the caller's."""
    found = await views.find(context.database, id)
    return found if found is not None and found.organization_id in context.caller.organization_ids else None


@read_operation
async def saved_view(context: Context, command: GetView) -> SavedView:
    """One view of an organisation. Raises `NotFound` or `Forbidden`."""
    require_membership(context.caller, command.organization_id)
    found = await view_if_any(context, command.view_id)
    if found is None or found.organization_id != command.organization_id:
        raise _missing(command.view_id)
    return found


@read_operation
async def narrowed_by(context: Context, id: ShortId, kind: ViewKind) -> Where:
    """The filter of a view of such a list. Raises `NotFound`, and `InvalidInput` for a view of another one."""
    found = await view_if_any(context, id)
    if found is None:
        raise NotFound(f"No organisation of yours has a view with the id {id}; take it from the list of views.")
    return filter_of(context, found, kind)


@read_operation
async def named(context: Context, organization_id: ShortId, name: str) -> SavedView:
    """The organisation's view of that name. Raises `NotFound` or `Forbidden`."""
    require_membership(context.caller, organization_id)
    found = await views.find_by_name(context.database, organization_id, name)
    if found is None:
        known = [repr(view.name) for view in await views.of_organization(context.database, organization_id)]
        those = f"it has {', '.join(known)}" if known else "it has none yet"
        raise NotFound(f"The organisation has no view with the name {name!r}; {those}.")
    return found


def filter_of(context: Context, view: SavedView, kind: ViewKind) -> Where:
    """The filter of a view of such a list. Raises `InvalidInput` for a view of another one."""
    if view.kind is not kind:
        message = f"Input should be a view of {kind}; this one is of {view.kind}, so ask for those"
        raise InvalidInput([Violation(("view",), message, "kind_of_view")])
    return conditions_of(view, context.today)


@write_operation
async def create_view(context: Context, transaction: Transaction, command: CreateView) -> Change[None, SavedView]:
    """Saves a view. Raises `NotFound`, `Forbidden`, `InvalidInput` or `AlreadyExists`."""
    require_membership(context.caller, command.organization_id, writes=True)
    view = SavedView(
        id=new_short_id(context.now),
        organization_id=command.organization_id,
        name=command.name,
        kind=command.kind,
        where=command.where,
        ordering=command.ordering,
        created_at=context.now,
        updated_at=context.now,
    )
    check(view, context.today)
    await _add(transaction, view)
    return Change(None, view)


@write_operation
async def restore_view(context: Context, transaction: Transaction, command: RestoreView) -> Change[None, SavedView]:
    """Saves a view of an archive as it was, also one that does not parse any more.

    Raises `NotFound`, `Forbidden`, `InvalidInput` or `AlreadyExists`.
    """
    require_membership(context.caller, command.organization_id, writes=True)
    members = {name: getattr(command, name) for name in SavedView.__struct_fields__ if name != "id"}
    view = SavedView(id=command.view_id, **members)
    await _add(transaction, view)
    return Change(None, view)


async def _add(transaction: Transaction, view: SavedView) -> None:
    if await views.count(transaction, view.organization_id) >= MAX_VIEWS:
        message = f"The organisation has {MAX_VIEWS} views, as many as it may; remove one that is not used any more"
        raise InvalidInput([Violation(("organization_id",), message, "too_many_views")])
    await _require_free_name(transaction, view)
    await views.add(transaction, view)


@write_operation
async def patch_view(context: Context, transaction: Transaction, command: PatchView) -> Change[SavedView, SavedView]:
    """Changes the members that were sent. Raises `NotFound`, `Forbidden`, `InvalidInput` or `AlreadyExists`."""
    require_membership(context.caller, command.organization_id, writes=True)
    stored = await locked_view(transaction, command.organization_id, command.view_id)
    changes = {name: value for name, value in command.members().items() if value != getattr(stored, name)}
    if not changes:
        return Change(stored, stored)
    at = max(context.now, stored.updated_at)
    changed = msgspec.structs.replace(stored, **changes, updated_at=at)
    check(changed, context.today)
    if "name" in changes:
        await views.count(transaction, stored.organization_id)
        await _require_free_name(transaction, changed)
    await views.change(transaction, stored.id, changes, at)
    return Change(stored, changed)


@write_operation
async def remove_view(context: Context, transaction: Transaction, command: RemoveView) -> Change[SavedView, None]:
    """Removes a view. Raises `NotFound` or `Forbidden`."""
    require_membership(context.caller, command.organization_id, writes=True)
    stored = await locked_view(transaction, command.organization_id, command.view_id)
    await remove_with_webhooks(transaction, stored.id, context.now, context.whence)
    return Change(stored, None)


async def remove_with_webhooks(transaction: Transaction, id: ShortId, now: datetime, whence: Provenance) -> None:
    """Removes a locked view, and the webhooks for what it shows, of which the log is told; of the view it is not."""
    for webhook in await webhooks.lock_those_of_view(transaction, id):
        # They would end with the view, and nobody be told of it.
        await webhooks.remove(transaction, webhook.id)
        await history.tell(transaction, Change(webhook, None), now, "removeWebhook", whence)
    await views.remove(transaction, id)


async def locked_view(transaction: Transaction, organization_id: ShortId, id: ShortId) -> SavedView:
    """A view of an organisation, locked until the transaction ends. Raises `NotFound`."""
    found = await views.lock(transaction, id)
    if found is None or found.organization_id != organization_id:
        raise _missing(id)
    return found


async def _require_free_name(transaction: Transaction, view: SavedView) -> None:
    if await views.find_by_name(transaction, view.organization_id, view.name) is not None:
        raise AlreadyExists(
            f"The organisation has a view with the name {view.name!r} already; change that one, or choose another name."
        )


def _missing(id: ShortId) -> NotFound:
    return NotFound(f"The organisation has no view with the id {id}; take it from the list of its views.")
