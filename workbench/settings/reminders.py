"""How early people hear that something lapses, and by what: lead times, and letters to members."""

from typing import Any

from starlette.requests import Request

from domain.digests import GetDigest, MailDigest
from domain.errors import NotFound
from domain.filters import EVERYTHING
from domain.lead_times import LeadTimes, ListLeadTimes
from resolvers import certifications, digests, lead_times
from resolvers.definitions import definitions_that_match
from resolvers.operation import Context
from workbench.forms import FormMember
from workbench.settings.acts import ActedOn, SettingsAct
from workbench.settings.people import PERIODS


async def reminders(context: Context, request: Request) -> dict[str, Any]:
    """The lead times, and how often the caller is told by mail. Raises `Forbidden`."""
    usual, *own = await _every(context)
    labels = await _labels(context)
    return {
        "usual": usual.days,
        "own": sorted(((labels.get(each.certification_id, ""), each) for each in own), key=lambda pair: pair[0]),
        "digest": await _digest(context),
        "sends": request.app.state.mailer.sends,
    }


async def _every(context: Context) -> list[LeadTimes]:
    return await lead_times.list_lead_times(context, ListLeadTimes(organization_id=context.caller.organization.id))


async def _labels(context: Context) -> dict[str | None, str]:
    return {each.id: each.label for each in await definitions_that_match(context, certifications.KIND, EVERYTHING)}


async def _digest(context: Context) -> MailDigest | None:
    """The caller's; None for who is no member."""
    if context.caller.user_id is None:
        return None
    asked = GetDigest.parse({"organization_id": context.caller.organization.id, "user_id": context.caller.user_id})
    return await digests.member_digest(context, asked)


async def _others(context: Context, _id: str) -> ActedOn:
    usual, *_ = await _every(context)
    return ActedOn(values={"days": _in_words(usual.days)})


async def _any(context: Context, _id: str) -> ActedOn:
    usual, *own = await _every(context)
    has_own = {each.certification_id for each in own}
    labels = sorted((await _labels(context)).items(), key=lambda pair: pair[1].casefold())
    free = [(id or "", label) for id, label in labels if id not in has_own]
    return ActedOn(values={"days": _in_words(usual.days)}, choices={"for_certification": free})


async def _one(context: Context, id: str) -> ActedOn:
    label = (await _labels(context)).get(id)
    found = next((each for each in await _every(context) if each.certification_id == id), None)
    if label is None or found is None:
        raise NotFound("That certification has no lead times of its own any more; go back to the list.")
    return ActedOn(label, {"days": _in_words(found.days)})


async def _own_mail(context: Context, _id: str) -> ActedOn:
    found = await _digest(context)
    if found is None:
        raise NotFound("Letters are for members; sign in as one to have them sent.")
    return ActedOn(values={"period": found.period or ""})


def _in_words(days: list[int]) -> str:
    return ", ".join(map(str, days))


_DAYS = FormMember("days", "days", required=True)

ACTS = {
    "others": SettingsAct(lead_times.set_lead_times, _others, fields=(_DAYS,)),
    "certification": SettingsAct(
        lead_times.set_lead_times,
        _any,
        fields=(FormMember("for_certification", "certification", required=True), _DAYS),
    ),
    "days": SettingsAct(lead_times.set_lead_times, _one, "for_certification", (_DAYS,)),
    "usual": SettingsAct(lead_times.set_lead_times, _one, "for_certification", fixed={"days": None}),
    "mail": SettingsAct(digests.set_digest, _own_mail, fields=(FormMember("period", "choice", PERIODS),)),
}
