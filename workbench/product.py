"""A product: what it holds and claims and how that stands, today, as of a day, or as it was known; and its changes."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from domain.access import Permission, require, require_ownership
from domain.certificates import PreviousCertificate
from domain.commands import GetCertifiedProduct
from domain.errors import Forbidden, InvalidInput, NotFound
from domain.gtin import Gtin, typed_gtin
from domain.history import ListHistory, PastChange
from domain.members import members_of
from domain.records import Product
from domain.renewal import years_certified
from domain.vocabulary import Standing
from resolvers import acknowledgements, assignments, certifications, claims, past, public_proof
from resolvers.operation import Context
from resolvers.products import existing_product
from workbench.actors import who
from workbench.lists import standing_of
from workbench.rendering import page

PATH = "/app/products/{gtin}"
MOST = 200
"""How many certificates, and how many claims, are shown; the lists have the others."""
CHANGES = 20

_FACTS = tuple(
    name
    for name in members_of(Product)
    if name not in ("id", "gtin", "name", "brand", "organization_id", "version", "metadata", "archived_at", "image_url")
)

_GRAPHQL = """query Product($gtin: String!, $asOf: Date, $knownAt: DateTime) {
  product(gtin: $gtin, asOf: $asOf, knownAt: $knownAt) {
    gtin name brand
    certifications {
      certificateNumber issuingBody validFrom lapsesOn verificationStatus standing
      certification { code label }
    }
    claims { source standing lapsesOn evidenceUrl claim { code label } }
  }
}"""


class Holding(NamedTuple):
    """Something that the product holds or claims."""

    of: Any
    standing: Standing
    taken_on: Any
    previous: Sequence[PreviousCertificate] = ()
    years: int | None = None


class ShownPart(NamedTuple):
    """What is shown of it, and how many there are."""

    shown: Sequence[Holding]
    number: int


async def product(request: Request) -> Response:
    """The page of a product."""
    context: Context = request.state.context
    gtin = typed_gtin(request.path_params["gtin"])
    typed = {name: request.query_params.get(name, "").strip() for name in ("as_of", "known_at")}
    wrong: dict[str, str] = {}
    asked = GetCertifiedProduct(gtin=gtin)
    try:
        asked = GetCertifiedProduct.parse(
            {"gtin": gtin, **{name: _moment(text) for name, text in typed.items() if text}}
        )
    except InvalidInput as error:
        wrong = {str(each.path[0]): each.message for each in error.violations}
    then = context.at(asked.as_of, asked.known_at) if asked.as_of or asked.known_at else context
    is_unknown = False
    try:
        found = await existing_product(then, gtin)
    except NotFound:
        # Of one that was recorded later the page says since when, and shows what holds today.
        found, then, asked = await existing_product(context, gtin), context, GetCertifiedProduct(gtin=gtin)
        is_unknown = True
    changes, older = await _changes(context, gtin, request.query_params)
    held, claimed = await _certificates(then, asked), await _claims(then, gtin)
    return page(
        request,
        "product.html",
        status=404 if is_unknown else 400 if wrong else 200,
        is_unknown=is_unknown,
        product=found,
        facts_of=_FACTS,
        certificates=held,
        claims=claimed,
        labels=defaultdict(
            str,
            {each.of.id: each.of.certification.label for each in held.shown}
            | {each.of.id: each.of.claim.label for each in claimed.shown},
        ),
        typed=typed,
        wrong=wrong,
        is_now=then is context,
        on=then.today,
        may_change=then is context and _may_change(context, found),
        done=request.query_params.get("done", ""),
        changes=changes,
        actors=await who(context, (each.actor for each in changes)),
        older=older,
        graphiql=_graphiql(gtin, asked),
        is_public=found.archived_at is None and await public_proof.is_shown(context, found.organization_id),
    )


def _moment(text: str) -> str:
    """As browsers send a moment, in UTC, without saying so."""
    return f"{text}Z" if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?", text) else text


async def _certificates(context: Context, asked: GetCertifiedProduct) -> ShownPart:
    (found,) = await assignments.of_products(context, certifications.KIND, [asked.gtin])
    held = found[:MOST]
    if asked.as_of is not None:
        held = await certifications.on_day(context, held, asked.as_of)
    taken_on = await acknowledgements.of_certifications(context, held)
    before = await certifications.previous_of(context, held)
    shown = [
        Holding(each, standing_of(each, context), said, earlier, years_certified(each, earlier, context.today))
        for each, said, earlier in zip(held, taken_on, before, strict=True)
    ]
    return ShownPart(shown, len(found))


async def _claims(context: Context, gtin: Gtin) -> ShownPart:
    (found,) = await assignments.of_products(context, claims.KIND, [gtin])
    taken_on = await acknowledgements.of_claims(context, found[:MOST])
    every = zip(found[:MOST], taken_on, strict=True)
    return ShownPart([Holding(each, standing_of(each, context), said) for each, said in every], len(found))


async def _changes(context: Context, gtin: str, typed: Mapping[str, str]) -> tuple[list[PastChange], int | None]:
    """Some of the changes, and the number below which there are more."""
    sent = {"gtin": gtin, "whole": True, "limit": CHANGES + 1}
    below = typed.get("below")
    found = await past.list_history(context, ListHistory.parse({**sent, "below": below} if below else sent))
    shown = found[:CHANGES]
    return shown, shown[-1].seq if len(found) > CHANGES else None


def _may_change(context: Context, product: Product) -> bool:
    try:
        require(context.caller, Permission.WRITE)
        require_ownership(context.caller, product)
    except Forbidden:
        return False
    return True


def _graphiql(gtin: str, asked: GetCertifiedProduct) -> str:
    """The fragment of an address with which GraphiQL opens the same question."""
    moments = {"asOf": asked.as_of, "knownAt": asked.known_at}
    variables = {"gtin": gtin, **{name: moment for name, moment in moments.items() if moment is not None}}
    return urlencode({"query": _GRAPHQL, "variables": msgspec.json.encode(variables).decode()})
