"""Many rows of a list changed at once: what they are to be, the difference that it makes, and what became of each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from domain.changes import FieldChange, differences
from domain.commands import PatchCertificationAssignment, PatchClaimAssignment
from domain.errors import DomainError, InvalidInput
from domain.preconditions import Expected
from domain.record_commands import PatchCommand
from domain.vocabulary import BulkPolicy, ClaimSource, VerificationStatus, ViewKind
from resolvers import certifications, claims
from resolvers.operation import BulkRow, Context, WriteOperation
from workbench.forms import Entered, read_form
from workbench.lists import NAMES
from workbench.rendering import page


class Changed(NamedTuple):
    """What the form of a list changes: members by the kind of their fields, or by what can be chosen."""

    operation: WriteOperation[Any, Any]
    command: type[PatchCommand]
    definition: str
    members: Mapping[str, str | tuple[str, ...]]


_DAYS = {"valid_from": "date", "expiration_date": "date"}
CHANGED: Mapping[ViewKind, Changed] = {
    ViewKind.CERTIFICATIONS: Changed(
        certifications.patch_certification_assignment,
        PatchCertificationAssignment,
        "certification_id",
        {
            "verification_status": tuple(each.value for each in VerificationStatus),
            **_DAYS,
            "audit_date": "date",
            "issuing_body": "text",
            "certificate_number": "text",
            "verification_url": "url",
        },
    ),
    ViewKind.CLAIMS: Changed(
        claims.patch_claim_assignment,
        PatchClaimAssignment,
        "claim_id",
        {
            "source": tuple(each.value for each in ClaimSource),
            **_DAYS,
            "evidence_url": "url",
            "evidence_note": "text",
        },
    ),
}


class RowChange(NamedTuple):
    """What became of one row, or would: the members that differ, or why it is refused."""

    row: str
    """As the form sends it: the GTIN, the definition, and after a trial the version that was seen."""
    gtin: str
    label: str
    fields: list[FieldChange]
    refusal: str


def changing(name: str) -> Callable[[Request], Awaitable[Response]]:
    """The page that changes rows of the list of that name: asks how, tries it, and does it when it was seen."""
    kind = NAMES[name]

    async def answer(request: Request) -> Response:
        context: Context = request.state.context
        entered = await read_form(request)
        step, sent = entered.one("step"), entered.get("row", [])
        changed = CHANGED[kind]
        members = {each: entered.one(each) or None for each in changed.members if _is_set(entered, each)}
        rows: list[RowChange] = []
        wrong: dict[str, str] = {}
        if step and members and sent:
            try:
                changed.command.parse({"gtin": "00000000000000", changed.definition: "X", **members})
            except InvalidInput as error:
                wrong = {str(each.path[0]): each.message for each in error.violations if each.path[0] in members}
            if not wrong:
                rows = await _outcomes(context, changed, sent, members, trial=step != "do")
        return page(
            request,
            "changing.html",
            status=422 if wrong else 200,
            name=name,
            members=changed.members,
            entered=entered,
            wrong=wrong,
            sent=sent,
            rows=rows,
            is_done=step == "do" and bool(rows),
            possible=sum(not row.refusal and bool(row.fields) for row in rows),
        )

    return answer


def _is_set(entered: Entered, member: str) -> bool:
    """Whether a member is to be changed: to what was entered, or to nothing where that is said."""
    return bool(entered.one(member)) or member in entered.get("clear", [])


async def _outcomes(
    context: Context, changed: Changed, sent: list[str], members: Mapping[str, Any], *, trial: bool
) -> list[RowChange]:
    context.dry_run = trial
    rows = [_row(changed, row, members, trial=trial) for row in sent]
    try:
        outcomes = await changed.operation.in_bulk(context, rows, BulkPolicy.IGNORE_FAILED)
    finally:
        await context.end_rehearsal()
    return [_told(row, outcome) for row, outcome in zip(sent, outcomes, strict=True)]


def _row(changed: Changed, sent: str, members: Mapping[str, Any], *, trial: bool) -> BulkRow[Any]:
    gtin, _, rest = sent.partition(" ")
    definition, _, version = rest.partition(" ")
    # What was shown is what is changed, or somebody was quicker.
    expected = Expected(version=int(version)) if version.isascii() and version.isdigit() and not trial else None
    try:
        command = changed.command.parse({"gtin": gtin, changed.definition: definition, **members})
    except InvalidInput as error:
        return BulkRow(error, expected)
    return BulkRow(command, expected)


def _told(sent: str, outcome: Any) -> RowChange:
    gtin, definition = [*sent.split(" "), ""][:2]
    if isinstance(outcome, DomainError):
        return RowChange(sent, gtin, definition, [], outcome.detail)
    after = outcome.after
    of = getattr(after, "certification", None) or after.claim
    return RowChange(
        f"{gtin} {definition} {outcome.before.version}", gtin, of.label, differences(outcome.before, after), ""
    )
