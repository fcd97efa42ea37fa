"""`/products/{gtin}`: what a product holds and claims today, for anybody, where its organisation shows it; and a label.

What nobody is shown, what is not there and what is no GTIN are answered alike, by as many statements.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple
from unicodedata import east_asian_width

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.certificates import stands
from domain.errors import InvalidInput
from domain.gtin import Gtin, typed_gtin
from domain.records import CertificationAssignment, ClaimAssignment, Organization, Product
from domain.validity import standing
from domain.vocabulary import ClaimSource, Standing, VerificationStatus
from gateway.pages.assets import TYPES, Asset, answer, policy, without_last_slash
from gateway.pages.refusals import not_found
from gateway.paths import below
from resolvers import assignments, certifications, claims, public_proof
from resolvers.operation import Context
from resolvers.products import product
from rest_compat.asking import preferred
from workbench.rendering import render, written

PATH = "/products/{gtin}"
LIFE = 3600
"""Seconds after which a copy is asked for again at the latest: people change what holds on any day."""
MOST = 200
"""How many certificates, and how many claims, are shown."""
LABELLED = 3
"""How many certifications a label names."""
_WIDEST = 34
"""Columns of a terminal that the label of a certification may take: what is wider would run into its day."""

_PAGE, _DOCUMENT = "text/html", "application/ld+json"
_FORMS = {_PAGE: _PAGE, _DOCUMENT: _DOCUMENT, "application/json": _DOCUMENT}
_POLICY = {"content-security-policy": policy()}
# It is shown by other sites, and runs nothing.
_OF_LABELS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "cross-origin",
}


class Certificate(NamedTuple):
    """A certification that a product holds, and how it stands today."""

    of: CertificationAssignment
    standing: Standing

    @property
    def is_current(self) -> bool:
        """Whether it holds today, as it is recorded."""
        return self.standing is Standing.CURRENT

    @property
    def is_verified(self) -> bool:
        """Whether it holds today, and the issuer's registry has confirmed it."""
        return self.is_current and self.of.verification_status is VerificationStatus.VERIFIED


class Proof(NamedTuple):
    """What anybody is shown of a product: what holds comes first, and of that what was verified."""

    product: Product
    owner: Organization
    certificates: Sequence[Certificate]
    claims: Sequence[ClaimAssignment]
    left_out: int
    """How many certificates and claims are more than are shown."""
    now: datetime
    """When it was asked for: what holds, and how long a copy is good, are of one moment."""

    @property
    def today(self) -> date:
        """The day by which all of it is judged."""
        return self.now.date()

    def claimed(self, source: ClaimSource) -> list[ClaimAssignment]:
        """The claims behind which stands such a one."""
        return [each for each in self.claims if each.source is source]


def proof_routes() -> list[Route]:
    """The page and its label, for GET and HEAD. The app has `state.database` and `.settings`; the request a meter."""
    return [
        Route(PATH, _answered("", _page)),
        Route(f"{PATH}/", without_last_slash),
        Route(f"{PATH}/label.svg", _answered("/label.svg", _label)),
    ]


def _answered(behind: str, show: Callable[[Request, Proof], Asset]) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        # Whoever asks, also with a credential: all are shown the same, and copies are for everybody.
        await request.state.meter.charge(1)
        typed = request.path_params["gtin"]
        try:
            gtin = typed_gtin(typed)
        except InvalidInput:
            return _nothing(request)
        if gtin != typed:
            return RedirectResponse(below(request, PATH.format(gtin=gtin) + behind), 308)
        proof = await _proof(request, gtin)
        return _nothing(request) if proof is None else answer(request, show(request, proof))

    return answered


def _nothing(request: Request) -> Response:
    if preferred(request, _FORMS) == _DOCUMENT:
        raise HTTPException(404)
    return not_found(request)


async def _proof(request: Request, gtin: Gtin) -> Proof | None:
    database = request.app.state.database
    reader = await public_proof.reader_of(database, gtin)
    if reader is None:
        return None
    context = Context(database, reader, datetime.now(UTC))
    found = await product(context, gtin)
    if found is None:
        return None
    (held,) = await assignments.of_products(context, certifications.KIND, [gtin])
    (claimed,) = await assignments.of_products(context, claims.KIND, [gtin])
    # A renewal may be recorded before it begins: until then the one before it is what holds.
    held = await certifications.on_day(context, held, context.today)
    every = [Certificate(each, stands(each, context.today)) for each in held]
    every.sort(key=lambda each: (not each.is_verified, not each.is_current))
    made = [each for each in claimed if _is_made(each, context.today)]
    left_out = max(len(every) - MOST, 0) + max(len(made) - MOST, 0)
    return Proof(found, reader.organization, every[:MOST], made[:MOST], left_out, context.now)


def _is_made(claim: ClaimAssignment, today: date) -> bool:
    return standing(claim.valid_from, claim.lapses_on, today) is Standing.CURRENT


def _page(request: Request, proof: Proof) -> Asset:
    document = _document(proof)
    if preferred(request, _FORMS) == _DOCUMENT:
        return Asset(document, _DOCUMENT, kept_for(proof.now), {"vary": "Accept, Accept-Encoding", **_POLICY})
    site = request.app.state.settings.public_url
    address = (site or below(request, "")) + PATH.format(gtin=proof.product.gtin)
    # It is no script, so that the policy has nothing against it; the end tag of one would end it all the same.
    inside = document.decode().replace("<", "\\u003c")
    html = render("proof.html", **_shown(proof), root=below(request, ""), address=address, document=inside)
    return Asset(html.encode(), TYPES[".html"], kept_for(proof.now), {"vary": "Accept, Accept-Encoding", **_POLICY})


def _label(request: Request, proof: Proof) -> Asset:
    verified = [each for each in proof.certificates if each.is_verified]
    rows = [(_short(each.of.certification.label), each.of.lapses_on) for each in verified[:LABELLED]]
    svg = render("label.svg", **_shown(proof), rows=rows, others=len(verified) - len(rows), verified=verified)
    return Asset(_for_xml(svg).encode(), TYPES[".svg"], kept_for(proof.now), _OF_LABELS)


def _shown(proof: Proof) -> dict[str, Any]:
    """What both have; days are written as everybody reads them, since everybody is sent the same."""
    return {
        "proof": proof,
        "declared": proof.claimed(ClaimSource.BRAND_SELF_DECLARED),
        "third_party": proof.claimed(ClaimSource.THIRD_PARTY_VERIFIED),
        "day": written,
    }


def _document(proof: Proof) -> bytes:
    # Most starts do without it.
    from files.json_ld import product_document

    held = [each.of for each in proof.certificates]
    return msgspec.json.encode(product_document(proof.product, held, proof.claims, proof.today))


def kept_for(now: datetime) -> str:
    """How long a copy is as good: to the end of the day in UTC, with which days and standings change, or for `LIFE`."""
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    return f"public, max-age={min(LIFE, int((midnight - now).total_seconds()))}"


def _short(label: str) -> str:
    wide = [2 if east_asian_width(each) in "WF" else 1 for each in label]
    if sum(wide) <= _WIDEST:
        return label
    fits = sum(1 for taken in accumulate(wide) if taken < _WIDEST)
    return f"{label[:fits].rstrip()}…"


def _for_xml(text: str) -> str:
    """Without what no XML document may have, in which somebody's label may be."""
    return "".join(each if each >= " " or each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text)
