"""What the log of changes says besides what changed: of which object, by whom, and from where.

One row is written for each change, in the transaction of the change, and never changed or removed again.
"""

from typing import NamedTuple

from domain.access import Caller
from domain.short_id import ShortId
from domain.vocabulary import Face, KeyKind


class Actor(NamedTuple):
    """Who did something, by ids alone: names and addresses stand where they can be erased.

    `credential` is the kind of the API key, `member`, `token`, or `operator` for who works at the machine;
    `credential_id` the id of the key, or what tells a token's holder from others.
    """

    credential: str
    credential_id: str
    user_id: ShortId | None
    organization_id: ShortId | None
    """For which organisation."""


class Provenance(NamedTuple):
    """By whom and from where something is done."""

    actor: Actor
    face: str
    """The value of a `Face`."""
    request_id: str = ""


OPERATOR = Provenance(Actor("operator", "", None, None), Face.COMMAND_LINE.value)
"""Whoever works at the machine."""


def actor_of(caller: Caller) -> Actor:
    """Whoever asks."""
    if caller.key_id is not None and caller.kind is not None:
        return Actor(caller.kind.value, caller.key_id, caller.user_id, caller.organization.id)
    if caller.kind is KeyKind.USER:
        return Actor("member", "", caller.user_id, caller.organization.id)
    kind = "token" if caller.holder else "operator"
    return Actor(kind, caller.holder, None, caller.organization.id)
