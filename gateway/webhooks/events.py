"""What is sent to webhooks: CloudEvents 1.0 in JSON, whose data are what the feed of changes shows."""

from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import quote

from msgspec import UNSET, Struct, UnsetType, to_builtins

from domain.cursors import cursor_at
from domain.history import FEED, PastChange
from domain.webhooks import PREFIX, TEST, Webhook
from rest_compat.outputs import PAST_CHANGE
from rest_compat.routes import CERTIFICATIONS
from rest_compat.wire import encode

MOST_BYTES = 20_000
"""As large bodies may be, which is what Standard Webhooks recommends; of a larger one `changes` are fetched."""


class Message(NamedTuple):
    """Something that is to be sent, made when it is: by position, 0 for what only tries a webhook."""

    position: int
    id: str
    type: str
    lane: str
    """What has the same is sent one after the other."""
    content: PastChange | datetime


class _CloudEvent(Struct):
    """The attributes in the words of the specification and of its extension `dataref`; `cursor` is one of ours."""

    id: str
    source: str
    type: str
    time: str
    data: Any
    subject: str | UnsetType = UNSET
    dataref: str | UnsetType = UNSET
    cursor: str | UnsetType = UNSET
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


def of_change(secret: str, position: int, change: PastChange) -> Message:
    """The event of a change, whose id is made of its position, so that it is the same each time."""
    digest = blake2b(b"event %d" % position, key=secret.encode(), digest_size=12).hexdigest()
    return Message(position, f"evt_{digest}", f"{PREFIX}{change.kind}.{change.operation}", change.gtin or "", change)


def of_test(id: str, now: datetime) -> Message:
    """What only tries a webhook."""
    return Message(0, id, TEST, "", now)


def body_of(event: Message, webhook: Webhook, site: str, secret: str) -> bytes:
    """The body of a request that tells of an event; `secret` seals cursors."""
    attributes: dict[str, Any] = {
        "id": event.id,
        "source": f"{site}{CERTIFICATIONS}/changes",
        "type": event.type,
    }
    content = event.content
    if isinstance(content, datetime):
        return encode(_CloudEvent(time=_text(content), data={"webhook_id": webhook.id}, **attributes))
    shown = _CloudEvent(
        time=_text(content.at),
        subject=content.gtin or UNSET,
        cursor=cursor_at(secret, FEED, (event.position,)),
        data=PAST_CHANGE.show(content, content.at),
        **attributes,
    )
    body = encode(shown)
    if len(body) <= MOST_BYTES:
        return body
    # The first change of the feed behind the one before is this one.
    shown.dataref = f"{attributes['source']}?since={quote(cursor_at(secret, FEED, (event.position - 1,)))}&limit=1"
    shown.data = {name: value for name, value in to_builtins(shown.data).items() if name != "changes"}
    return encode(shown)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
