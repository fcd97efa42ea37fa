"""Many rows of a list changed at once: what they are to be, the difference that it makes, and what became of each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.changes import FieldChange, differences
from domain.countries import country_called
from domain.errors import DomainError, InvalidInput
from domain.filters import EVERYTHING
from domain.gtin import Gtin
from domain.preconditions import Expected
from domain.records import CertificationAssignment, ClaimAssignment
from domain.vocabulary import BulkPolicy, ViewKind
from resolvers import certifications, claims, products
from resolvers.definitions import DefinitionKind, definitions_that_match
from resolvers.operation import BulkRow, Context
from workbench.bulk import CHANGED, Changed
from workbench.forms import Entered, FormMember, read_form, why, wrong_of
from workbench.lists import NAMES
from workbench.rendering import page


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
        act = entered.one("act") or "change"
        if act not in CHANGED[kind]:
            raise HTTPException(404)
        changed = CHANGED[kind][act]
        members = {each: _value(changed, entered, each) for each in changed.members if _is_set(changed, entered, each)}
        rows: list[RowChange] = []
        wrong: dict[str, str] = {}
        if sent and (not changed.members or (step and (members or not changed.is_patch))):
            try:
                changed.parse("00000000000000", "X", members)
            except InvalidInput as error:
                wrong = wrong_of(error, [FormMember(each, "text") for each in changed.members])
            if not wrong:
                rows = await _outcomes(context, kind, changed, sent, members, trial=step != "do")
        return page(
            request,
            "changing.html",
            status=422 if wrong else 200,
            name=name,
            act=act,
            clears=changed.clears,
            members=changed.members,
            required=changed.required,
            entered=entered,
            wrong=wrong,
            sent=sent,
            rows=rows,
            names=await _names(context, [Gtin(row.gtin) for row in rows if not row.refusal]),
            is_done=step == "do" and bool(rows),
            possible=sum(not row.refusal and bool(row.fields) for row in rows),
        )

    return answer


def _is_set(changed: Changed, entered: Entered, member: str) -> bool:
    """Whether a member is to be changed: to what was entered, or to nothing where that is said."""
    return bool(entered.one(member)) or (changed.clears and member in entered.get("clear", []))


def _value(changed: Changed, entered: Entered, member: str) -> str | None:
    text = entered.one(member)
    return (country_called(text) if changed.members[member] == "country" else None) or text or None


_DEFINITIONS: Mapping[ViewKind, DefinitionKind[Any]] = {
    ViewKind.CERTIFICATIONS: certifications.KIND,
    ViewKind.CLAIMS: claims.KIND,
}


async def _outcomes(
    context: Context, kind: ViewKind, changed: Changed, sent: list[str], members: Mapping[str, Any], *, trial: bool
) -> list[RowChange]:
    context.dry_run = trial
    rows = [_row(changed, row, members, trial=trial) for row in sent]
    try:
        outcomes = await changed.operation.in_bulk(context, rows, BulkPolicy.IGNORE_FAILED)
    finally:
        await context.end_rehearsal()
    labels = await _labels(context, kind) if any(isinstance(each, DomainError) for each in outcomes) else {}
    return [_told(row, outcome, labels) for row, outcome in zip(sent, outcomes, strict=True)]


async def _names(context: Context, gtins: list[Gtin]) -> dict[Gtin, str]:
    """What the products are called, as far as they are called something."""
    owned = await products.products_of_gtins(context, gtins) if gtins else []
    return {each.gtin: each.name for each in owned if each is not None and each.name}


async def _labels(context: Context, kind: ViewKind) -> dict[str, str]:
    """What the definitions of a list's rows are called, by id."""
    of = _DEFINITIONS.get(kind)
    every = await definitions_that_match(context, of, EVERYTHING) if of is not None else []
    return {each.id: each.label for each in every}


def _row(changed: Changed, sent: str, members: Mapping[str, Any], *, trial: bool) -> BulkRow[Any]:
    gtin, definition, version = _parts(sent)
    # What was shown is what is changed, or somebody was quicker.
    expected = Expected(version=int(version)) if version.isascii() and version.isdigit() and not trial else None
    try:
        command = changed.parse(gtin, definition, members)
    except InvalidInput as error:
        return BulkRow(error, expected)
    return BulkRow(command, expected)


def _parts(sent: str) -> tuple[str, str, str]:
    """The GTIN, the definition, which is "" of a product, and the version of a row, "" before it was seen."""
    gtin, definition, version = [*sent.split(" "), "", ""][:3]
    return gtin, definition, version


def _told(sent: str, outcome: Any, labels: Mapping[str, str]) -> RowChange:
    gtin, definition, _ = _parts(sent)
    if isinstance(outcome, DomainError):
        return RowChange(sent, gtin, labels.get(definition, definition), [], why(outcome))
    before, after = outcome.before, outcome.after
    seen = f"{gtin} {definition} {before.version}"
    return RowChange(seen, gtin, _called(after), differences(before, after), "")


def _called(record: Any) -> str:
    """What a row is of: a certification, a claim, or the product itself."""
    match record:
        case CertificationAssignment():
            return record.certification.label
        case ClaimAssignment():
            return record.claim.label
    return str(record.name)
