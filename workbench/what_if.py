"""What if a body or a certification held no more from a day on: which products lose what, what still covers them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from domain.certificates import stands
from domain.cursors import cursor_at, read_cursor
from domain.errors import InvalidInput
from domain.filter_input import parse_where
from domain.filters import EVERYTHING
from domain.paging import Window
from domain.records import Certification, CertificationAssignment
from domain.short_id import ShortId
from domain.validation import Command, Date
from domain.views import order_by
from domain.vocabulary import Standing, ViewKind
from resolvers import assignments, bodies, certifications
from resolvers.cursors import cursor_secret
from resolvers.definitions import DefinitionKind, E, definitions_that_match, existing_definition
from resolvers.listed import LISTS
from resolvers.operation import Context
from workbench.lists import ListRow, rows_of
from workbench.rendering import page
from workbench.texts import text

ROWS = 50
_OF = LISTS[ViewKind.CERTIFICATIONS]


class From(Command):
    """From which day on something is imagined not to hold."""

    from_day: Date


class Loss(NamedTuple):
    """A certificate that would be lost, and the certifications of its product that would still hold."""

    row: ListRow
    cover: Sequence[Certification]


class Imagined(NamedTuple):
    """What is imagined to be withdrawn, and the filter of lists that finds its certificates."""

    called: str
    definition: Any
    ids: frozenset[ShortId]
    """Of the certifications that are lost with it."""
    typed: dict[str, str]
    """How the address of a list asks for it."""
    where: dict[str, Any]


async def _body(context: Context, code: str) -> Imagined:
    body = await _defined(context, bodies.KIND, code)
    every = await definitions_that_match(context, certifications.KIND, EVERYTHING)
    own = frozenset(each.id for each in every if each.body is not None and each.body.id == body.id)
    where = {"certification": {"body": {"id": {"eq": body.id}}}}
    return Imagined(body.name, body, own, {"body": body.code or body.id}, where)


async def _certification(context: Context, code: str) -> Imagined:
    found = await _defined(context, certifications.KIND, code)
    where = {"certification": {"id": {"eq": found.id}}}
    return Imagined(found.label, found, frozenset([found.id]), {"certification": found.code or found.id}, where)


async def _defined(context: Context, kind: DefinitionKind[E], code: str) -> E:
    id = await kind.id_of(context.database, code, context.caller.organization_ids)
    return await existing_definition(context, kind, id)


def imagining(find: Callable[[Context, str], Awaitable[Imagined]]) -> Callable[[Request], Awaitable[Response]]:
    """The page of a body or a certification."""

    async def answer(request: Request) -> Response:
        context: Context = request.state.context
        typed = request.query_params
        subject = await find(context, request.path_params["code"])
        day, wrong = _day(typed.get("from", ""), context.today)
        standing = {"standing": {"on": str(day), "eq": Standing.CURRENT.value}}
        filter = {"and": [{"mine": True}, subject.where, standing]}
        where = parse_where(_OF.of.fields, filter, context.today)
        order = order_by(_OF.of, "gtin")
        secret = await cursor_secret(context)
        position = read_cursor(secret, order, typed["after"], "after") if "after" in typed else None
        found = await _OF.page(context, where, order, Window(ROWS, False, position))
        losses = await _losses(context, subject, found.items, day)
        return page(
            request,
            "what_if.html",
            status=400 if wrong else 200,
            subject=subject,
            from_day=day,
            typed_day=typed.get("from") or str(day),
            wrong=wrong,
            count=await _OF.total(context, where),
            losses=losses,
            uncovered=sum(not each.cover for each in losses),
            after=cursor_at(secret, order, order.key(found.items[-1])) if found.more else None,
            first="after" not in typed,
            listed=urlencode({**subject.typed, "where": msgspec.json.encode(standing).decode()}),
            exported=urlencode({"where": msgspec.json.encode(filter).decode()}),
            letter=_letter(context, subject, day, losses, more=found.more),
        )

    return answer


body = imagining(_body)
certification = imagining(_certification)


def _day(typed: str, today: date) -> tuple[date, str]:
    """The day from which on it would not hold, tomorrow unless another is given, and why that one is refused."""
    if typed:
        try:
            return From.parse({"from_day": typed}).from_day, ""
        except InvalidInput as error:
            return today + timedelta(days=1), error.violations[0].message
    return today + timedelta(days=1), ""


async def _losses(
    context: Context, subject: Imagined, held: Sequence[CertificationAssignment], day: date
) -> list[Loss]:
    rows = await rows_of(context, ViewKind.CERTIFICATIONS, held)
    every = await assignments.of_products(context, certifications.KIND, [each.gtin for each in held])
    return [
        Loss(
            row,
            [
                each.certification
                for each in others
                if each.certification.id not in subject.ids and stands(each, day) is Standing.CURRENT
            ],
        )
        for row, others in zip(rows, every, strict=True)
    ]


def _letter(context: Context, subject: Imagined, day: date, losses: Sequence[Loss], *, more: bool) -> Markup:
    """A draft for whoever has to be told."""
    lines = [text("what_if.letter_row", **_row(each)) for each in losses]
    rows = Markup("\n").join([*lines, *([text("what_if.letter_more")] if more else [])])
    named = {"subject": subject.called, "organization": context.caller.organization.name}
    return text("what_if.letter", **named, day=day, rows=rows)


def _row(loss: Loss) -> dict[str, Any]:
    product, gtin = loss.row.product, loss.row.gtin
    return {
        "product": product.name if product is not None else gtin,
        "gtin": gtin,
        "number": loss.row.of.certificate_number or text("what_if.letter_unknown"),
        "cover": ", ".join(each.label for each in loss.cover) or text("what_if.letter_nothing"),
    }
