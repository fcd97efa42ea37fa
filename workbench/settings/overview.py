"""The first page of the settings: what there is in each section, and what somebody should look at."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.requests import Request

from domain.errors import Forbidden
from resolvers import account
from resolvers.operation import Context
from workbench.settings import health, keys, people, proof, reminders, sessions, views, webhooks

SECTIONS = ("people", "keys", "sessions", "views", "webhooks", "reminders", "proof", "health")


class SectionCard(NamedTuple):
    """What the overview shows of a section."""

    name: str
    number: int | None = None
    """How many things there are; None where that says nothing, or is not for the caller to know."""
    look_at: int = 0
    """How many of them somebody should look at."""
    is_open: bool = True
    """Whether the caller may see more."""
    is_on: bool | None = None
    """Of what is switched on and off."""


async def overview(context: Context, request: Request) -> dict[str, Any]:
    """A card for each section, and who asks."""
    cards = [await _card(context, request, name) for name in SECTIONS]
    return {"cards": cards, "who": await account.who_am_i(context)}


async def _card(context: Context, request: Request, name: str) -> SectionCard:
    try:
        return await _CARDS[name](context, request)
    except Forbidden:
        return SectionCard(name, is_open=False)


async def _people(context: Context, request: Request) -> SectionCard:
    found = await people.members(context, request)
    return SectionCard("people", len(found["members"]))


async def _keys(context: Context, request: Request) -> SectionCard:
    found = await keys.every(context)
    ending = [each for each in found if each.expires_at is not None and each.expires_at < context.now + keys.SOON]
    return SectionCard("keys", len(found), len(ending))


async def _sessions(context: Context, request: Request) -> SectionCard:
    return SectionCard("sessions", len((await sessions.sessions(context, request))["sessions"]))


async def _views(context: Context, request: Request) -> SectionCard:
    found = await views.views(context, request)
    return SectionCard("views", len(found["views"]), sum(each is not None for each in found["problems"].values()))


async def _webhooks(context: Context, request: Request) -> SectionCard:
    found = await webhooks.every(context)
    return SectionCard("webhooks", len(found), sum(each.failing_since is not None for each in found))


async def _reminders(context: Context, request: Request) -> SectionCard:
    await reminders.reminders(context, request)
    return SectionCard("reminders")


async def _proof(context: Context, request: Request) -> SectionCard:
    return SectionCard("proof", is_on=await proof.is_shown(context))


async def _health(context: Context, request: Request) -> SectionCard:
    return SectionCard("health", look_at=not await health.is_well(context, request))


_CARDS: dict[str, Callable[[Context, Request], Awaitable[SectionCard]]] = {
    "people": _people,
    "keys": _keys,
    "sessions": _sessions,
    "views": _views,
    "webhooks": _webhooks,
    "reminders": _reminders,
    "proof": _proof,
    "health": _health,
}
