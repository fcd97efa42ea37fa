"""Taking a lapse on, in place: by a person, with a reason, until a day; and giving it back."""

from datetime import date, timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.acknowledgements import (
    AcknowledgeCertification,
    AcknowledgeClaim,
    UnacknowledgeCertification,
    UnacknowledgeClaim,
)
from domain.errors import InvalidInput, NotFound
from domain.filter_input import parse_where
from domain.paging import Window
from domain.records import CertificationAssignment
from domain.short_id import is_short_id
from domain.vocabulary import ViewKind
from resolvers import acknowledgements
from resolvers.listed import LISTS
from resolvers.operation import Context
from workbench.forms import Entered, read_form
from workbench.lists import NAMES, ListRow, rows_of
from workbench.rendering import moved, page
from workbench.texts import text

PATH = "/app/{name}/{gtin}/{definition}/taken-on"

WAYS = {"taken_on": 30, "asked": 30, "snoozed": 7}
"""How somebody sees to a lapse, and for how many days unless they say until when."""


async def taking_on(request: Request) -> Response:
    """Asks who takes a lapse on until when and why, and does it; with htmx in the row that is there."""
    context: Context = request.state.context
    kind = NAMES.get(request.path_params["name"])
    if kind is None or kind is ViewKind.PRODUCTS:
        raise HTTPException(404)
    row = await _row(context, kind, request)
    if request.method == "GET":
        is_open = "close" not in request.query_params
        return _shown(request, row, Entered(), {}, is_open=is_open, back=_back(request.query_params.get("back", "")))
    entered = await read_form(request)
    back = _back(entered.one("back"))
    try:
        await _done(context, kind, row, entered)
    except InvalidInput as error:
        wrong = {str(each.path[0]) if each.path else "reason": each.message for each in error.violations}
        return _shown(request, row, entered, wrong, is_open=True, back=back)
    if "hx-request" not in request.headers:
        return moved(request, back)
    return _shown(request, await _row(context, kind, request), entered, {}, is_open=False, back=back)


def _shown(
    request: Request, row: ListRow, entered: Entered, wrong: dict[str, str], *, is_open: bool, back: str
) -> Response:
    return page(
        request,
        "taking_on.html",
        status=422 if wrong else 200,
        row=row,
        name=request.path_params["name"],
        entered=entered,
        wrong=wrong,
        is_open=is_open,
        back=back,
        ways=WAYS,
        until=_until(row, request.state.context.today),
    )


def _until(row: ListRow, today: date) -> date:
    """The day that is proposed: some weeks on, but before the lapse, or it would be hidden as it happens."""
    usual = today + timedelta(days=WAYS["taken_on"])
    lapse = row.of.lapses_on if isinstance(row.of, CertificationAssignment) else row.of.expiration_date
    return usual if lapse is None or lapse < today else min(usual, max(today, lapse - timedelta(days=1)))


async def _row(context: Context, kind: ViewKind, request: Request) -> ListRow:
    gtin, definition = request.path_params["gtin"], request.path_params["definition"]
    of = LISTS[kind]
    member = "certification" if kind is ViewKind.CERTIFICATIONS else "claim"
    asked = {"gtin": {"eq": gtin}, member: {"id" if is_short_id(definition) else "code": {"eq": definition}}}
    where = parse_where(of.of.fields, asked, context.today)
    found = (await rows_of(context, kind, (await of.page(context, where, of.of.orders.usual, Window(1))).items))[:1]
    if not found:
        raise NotFound(f"The product {gtin} has no such {member} any more; go back to the list.")
    return found[0]


async def _done(context: Context, kind: ViewKind, row: ListRow, entered: Entered) -> None:
    way = entered.one("as")
    is_certification = kind is ViewKind.CERTIFICATIONS
    id = row.of.certification.id if is_certification else row.of.claim.id
    members: dict[str, Any] = {"gtin": row.gtin, "certification_id" if is_certification else "claim_id": id}
    if way == "given_back":
        if is_certification:
            await acknowledgements.unacknowledge_certification(context, UnacknowledgeCertification.parse(members))
        else:
            await acknowledgements.unacknowledge_claim(context, UnacknowledgeClaim.parse(members))
        return
    days = WAYS.get(way, WAYS["taken_on"])
    members["until"] = entered.one("until") if way != "snoozed" else str(context.today + timedelta(days=days))
    said = entered.one("reason")
    words = str(text(f"taking_on.as.{way}")) if way in WAYS else ""
    members["reason"] = (said if way == "taken_on" else ": ".join(filter(None, (words, said)))) or words
    if is_certification:
        await acknowledgements.acknowledge_certification(context, AcknowledgeCertification.parse(members))
    else:
        await acknowledgements.acknowledge_claim(context, AcknowledgeClaim.parse(members))


def _back(path: str) -> str:
    """Where the form was opened, if that is one of our pages."""
    ours = path.isprintable() and (path == "/app" or path.startswith(("/app?", "/app/")))
    return path if ours else "/app"
