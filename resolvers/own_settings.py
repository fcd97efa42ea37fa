"""What the members of an organisation have set for it, as its archive has it: views, lead times, the public proof."""

from collections.abc import Sequence
from typing import NamedTuple, NoReturn

from db import lead_times, public_proofs, views
from domain.errors import InvalidInput, Violation
from domain.lead_times import USUAL, LeadTimes
from domain.public_proof import PublicProof
from domain.views import MAX_VIEWS, SavedView
from resolvers.certifications import KIND
from resolvers.operation import Context, read_operation


class OwnSettings(NamedTuple):
    """Those of one organisation, each in the order of an archive."""

    views: Sequence[SavedView] = ()
    lead_times: Sequence[LeadTimes] = ()
    """Those that are not as usual, of certifications that are there."""
    public_proof: Sequence[PublicProof] = ()
    """One where it is switched on, else none."""


@read_operation
async def own_settings(context: Context) -> OwnSettings:
    """Those of the organisation for which the caller acts."""
    own, database = context.caller.organization.id, context.database
    there = {each.id for each in await KIND.stored.every(database, [own])}
    times = [
        each
        for each in await lead_times.of_organization(database, own)
        if each.certification_id in there or (each.certification_id is None and each.days != USUAL)
    ]
    proof = await public_proofs.find(database, own)
    return OwnSettings(
        sorted(await views.of_organization(database, own), key=lambda view: view.id),
        sorted(times, key=lambda each: each.certification_id or ""),
        [proof] if proof is not None and proof.is_enabled else [],
    )


@read_operation
async def settings_missing(context: Context, wanted: OwnSettings) -> OwnSettings:
    """Those of an archive that are not set here yet; what is set here stays as it is.

    Raises `InvalidInput` where a view cannot be put beside those that are here.
    """
    own, database = context.caller.organization.id, context.database
    here = await views.of_organization(database, own)
    ids, names = {view.id for view in here}, {view.name for view in here}
    lacking = [view for view in wanted.views if view.id not in ids]
    for view in lacking:
        if view.name in names:
            _refuse(f"The organisation has another view with the name {view.name!r}; rename one of the two first")
        if view.id in ids or await views.find(database, view.id) is not None:
            _refuse(f"The view {view.name!r} has the id of another view; save it anew where it comes from, and export")
        ids.add(view.id)
        names.add(view.name)
    if len(here) + len(lacking) > MAX_VIEWS:
        _refuse(
            f"The organisation would have more than {MAX_VIEWS} views; remove some that are not used any more first"
        )
    known = {each.certification_id for each in await lead_times.of_organization(database, own)}
    is_said = await public_proofs.find(database, own) is not None
    return OwnSettings(
        lacking,
        [each for each in wanted.lead_times if each.certification_id not in known],
        [] if is_said else wanted.public_proof,
    )


def _refuse(message: str) -> NoReturn:
    raise InvalidInput([Violation(("file",), message, "unlike")])
