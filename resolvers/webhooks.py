"""Webhooks: managers of an organisation say where its changes are sent."""

from datetime import UTC, datetime, timedelta
from secrets import token_hex

import msgspec

from db import feed, webhooks
from db.engine.database import Transaction
from domain.access import manages, require_management
from domain.changes import Change
from domain.cursors import read_cursor
from domain.errors import InvalidInput, NotFound, Violation
from domain.history import FEED
from domain.receivers import check_receiver
from domain.short_id import ShortId, new_short_id
from domain.webhooks import (
    MAX_WEBHOOKS,
    CreateWebhook,
    Delivery,
    ListDeliveries,
    ListWebhooks,
    NewWebhook,
    PatchWebhook,
    RemoveWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
    TestWebhook,
    Webhook,
    new_secret,
)
from resolvers.cursors import cursor_secret
from resolvers.operation import Context, read_operation, write_operation
from resolvers.repetition import shown_once
from resolvers.views import locked_view

_EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
BEFORE = timedelta(minutes=1)
"""So much earlier is gone on than at the moment that is asked for: changes are sealed about in their order."""


@read_operation
async def list_webhooks(context: Context, command: ListWebhooks) -> list[Webhook]:
    """The webhooks of an organisation by age. Raises `NotFound` or `Forbidden`."""
    require_management(context.caller, command.organization_id)
    return await webhooks.of_organization(context.database, command.organization_id)


@read_operation
async def unreached(context: Context) -> list[Webhook]:
    """Those of the caller's organisation to which nothing arrives; none for whoever does not manage it."""
    owner = context.caller.organization.id
    if not manages(context.caller, owner):
        return []
    return [each for each in await webhooks.of_organization(context.database, owner) if each.failing_since is not None]


@read_operation
async def list_deliveries(context: Context, command: ListDeliveries) -> list[Delivery]:
    """The latest tries to deliver something to a webhook, the latest first. Raises `NotFound` or `Forbidden`."""
    require_management(context.caller, command.organization_id)
    found = await webhooks.deliveries(context.database, command.organization_id, command.webhook_id)
    if found is None:
        raise _missing(command.webhook_id)
    return found


@write_operation
@shown_once
async def create_webhook(
    context: Context, transaction: Transaction, command: CreateWebhook
) -> Change[None, NewWebhook]:
    """Makes a webhook, to which changes from now on are sent. Raises `NotFound`, `Forbidden` or `InvalidInput`."""
    require_management(context.caller, command.organization_id)
    _check(context, command.url)
    if command.view_id is not None:
        await locked_view(transaction, command.organization_id, command.view_id)
    if await webhooks.count(transaction, command.organization_id) >= MAX_WEBHOOKS:
        message = f"The organisation has {MAX_WEBHOOKS} webhooks, as many as it may; remove one that is not used"
        raise InvalidInput([Violation(("organization_id",), message, "too_many_webhooks")])
    webhook = Webhook(
        id=new_short_id(context.now),
        organization_id=command.organization_id,
        url=command.url,
        description=command.description,
        view_id=command.view_id,
        types=command.types,
        is_enabled=command.is_enabled,
        failing_since=None,
        problem="",
        tested_at=None,
        replayed_at=None,
        created_at=context.now,
        updated_at=context.now,
    )
    secret = new_secret()
    await webhooks.add(transaction, webhook, secret, await feed.end(transaction))
    return Change(None, NewWebhook(webhook, secret))


@write_operation
async def patch_webhook(context: Context, transaction: Transaction, command: PatchWebhook) -> Change[Webhook, Webhook]:
    """Changes the members that were sent; what failed is tried at once.

    Raises `NotFound`, `Forbidden` or `InvalidInput`.
    """
    stored = await _locked(context, transaction, command.organization_id, command.webhook_id)
    changes = {name: value for name, value in command.members().items() if value != getattr(stored, name)}
    if not changes:
        return Change(stored, stored)
    if "url" in changes:
        _check(context, changes["url"])
    at = max(context.now, stored.updated_at)
    await webhooks.change(transaction, stored.id, {**webhooks.begun(context.now), **changes, "updated_at": at})
    changed = msgspec.structs.replace(stored, **changes, failing_since=None, problem="", updated_at=at)
    return Change(stored, changed)


@write_operation
async def remove_webhook(context: Context, transaction: Transaction, command: RemoveWebhook) -> Change[Webhook, None]:
    """Ends a webhook. Raises `NotFound` or `Forbidden`."""
    stored = await _locked(context, transaction, command.organization_id, command.webhook_id)
    await webhooks.remove(transaction, stored.id)
    return Change(stored, None)


@write_operation
@shown_once
async def rotate_webhook_secret(
    context: Context, transaction: Transaction, command: RotateWebhookSecret
) -> Change[Webhook, NewWebhook]:
    """Makes another secret; for a day that before signs, too. Raises `NotFound` or `Forbidden`."""
    stored = await _locked(context, transaction, command.organization_id, command.webhook_id)
    secret, at = new_secret(), max(context.now, stored.updated_at)
    await webhooks.rotate(transaction, stored, secret, at)
    return Change(stored, NewWebhook(msgspec.structs.replace(stored, updated_at=at), secret))


@write_operation
async def test_webhook(context: Context, transaction: Transaction, command: TestWebhook) -> Change[Webhook, Webhook]:
    """Has something sent that only tries the webhook, enabled or not. Raises `NotFound` or `Forbidden`."""
    stored = await _locked(context, transaction, command.organization_id, command.webhook_id)
    due = {"test_id": f"test_{token_hex(12)}", "due_at": context.now}
    await webhooks.change(transaction, stored.id, {**due, "tested_at": context.now})
    return Change(stored, msgspec.structs.replace(stored, tested_at=context.now))


@write_operation
async def replay_webhook(
    context: Context, transaction: Transaction, command: ReplayWebhook
) -> Change[Webhook, Webhook]:
    """Goes on behind another change. Raises `NotFound`, `Forbidden` or `InvalidInput`."""
    stored = await _locked(context, transaction, command.organization_id, command.webhook_id)
    if (command.since is None) == (command.since_moment is None):
        message = "Give either since or since_moment, not both and not neither"
        raise InvalidInput([Violation(("since",), message, "since_or_moment")])
    if command.since_moment is None:
        secret = await cursor_secret(context)
        (position,) = read_cursor(secret, FEED, command.since or "", "since", "next of the feed, or cursor of an event")
    else:
        # Nothing was logged in the year 1.
        since = max(command.since_moment, _EARLIEST) - BEFORE
        position = await feed.position_before(transaction, since)
    moved = {"position": position, "replayed_at": context.now}
    await webhooks.change(transaction, stored.id, {**webhooks.begun(context.now), **moved})
    return Change(stored, msgspec.structs.replace(stored, failing_since=None, problem="", replayed_at=context.now))


def _check(context: Context, url: str) -> None:
    check_receiver(url, context.post.networks if context.post is not None else ())


async def _locked(context: Context, transaction: Transaction, organization_id: ShortId, id: ShortId) -> Webhook:
    require_management(context.caller, organization_id)
    found = await webhooks.lock(transaction, organization_id, id)
    if found is None:
        raise _missing(id)
    return found


def _missing(id: ShortId) -> NotFound:
    return NotFound(f"The organisation has no webhook with the id {id}; take it from the list of its webhooks.")
