"""Who did what, in words, where the log of changes has ids."""

from collections.abc import Iterable

from domain.access import manages
from domain.account import ListApiKeys
from domain.people import ListMembers
from resolvers import account, people
from resolvers.operation import Context
from workbench.texts import catalogue, text


async def who(context: Context, actors: Iterable[str | None]) -> dict[str, str]:
    """What these are called: who asks, for a manager the members and the keys that there are; others by their kind."""
    asked, named = {each for each in actors if each}, _own(context)
    if any(":" in each for each in asked - named.keys()):
        named = await _named(context) | named
    return {each: named.get(each) or _kind(each) for each in asked}


async def _named(context: Context) -> dict[str, str]:
    owner = context.caller.organization.id
    if not manages(context.caller, owner):
        return {}
    members = await people.list_members(context, ListMembers(organization_id=owner))
    keys = await account.list_api_keys(context, ListApiKeys(organization_id=owner))
    called = {f"{key.kind.value}:{key.id}": text("actors.key", called=key.name) for key in keys if key.name}
    return {f"member:{each.user_id}": each.email for each in members} | called


def _own(context: Context) -> dict[str, str]:
    caller = context.caller
    if caller.key_id is not None and caller.kind is not None:
        return {f"{caller.kind.value}:{caller.key_id}": text("actors.own_key")}
    return {f"member:{caller.user_id}": text("actors.you")} if caller.user_id else {}


def _kind(actor: str) -> str:
    kind = actor.partition(":")[0]
    return text(f"actors.kinds.{kind}") if f"actors.kinds.{kind}" in catalogue() else actor
