"""What is answered, as JSON (contract 2)."""

from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from domain.commands import GetCertifiedProduct, NumberedPage
from domain.listing import Numbered, page_of
from domain.records import CertifiedProduct
from domain.vocabulary import ProductFormat
from rest_compat.asking import preferred
from rest_compat.documented import Output
from rest_compat.endpoint import Form
from rest_compat.outputs import CERTIFIED_PRODUCT, FeedOut, PageOut, Pagination

JSON = "application/json"
LINKED_DATA = "application/ld+json"
_PRODUCT_FORMATS = {JSON: ProductFormat.JSON, LINKED_DATA: ProductFormat.JSON_LD}


class Found(Response):
    """The answer to a read, with a tag that names it. Starlette would take longer to make its headers than to send it.

    It is sent as a whole if `send` knows how.
    """

    def __init__(self, content: bytes, media_type: str, tag: str) -> None:
        self.status_code = 200
        self.background = None
        self.body = content
        self.raw_headers = [
            (b"content-length", b"%d" % len(content)),
            (b"content-type", media_type.encode()),
            (b"etag", b'"%b"' % tag.encode()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        whole: Any = getattr(send, "whole", None)
        if whole is None:
            await super().__call__(scope, receive, send)
        else:
            await whole(200, self.raw_headers, self.body)


# Maps are sorted, because PostgreSQL forgets their order: one state is always shown in the same bytes.
encode = msgspec.json.Encoder(order="deterministic").encode


def encoded(shown: Output, form: Form, command: Any, found: Any, now: datetime) -> bytes:
    """What an operation answers to a command, as JSON."""
    show = shown.show
    if form == "one":
        return encode(show(found, now))
    if form == "list":
        return encode([show(item, now) for item in found])
    if form == "feed":
        return encode(FeedOut([show(item, now) for item in found.changes], found.next))
    page = found if isinstance(found, Numbered) else page_of(found, command)
    return encode(PageOut([show(item, now) for item in page.items], _pagination(command, page.total)))


def _pagination(asked: NumberedPage, total: int) -> Pagination:
    pages = -(-total // asked.page_size)
    return Pagination(
        asked.page, asked.page_size, total, pages, has_next=asked.page < pages, has_previous=asked.page > 1
    )


def certified_product(request: Request, command: GetCertifiedProduct, found: CertifiedProduct) -> tuple[bytes, str]:
    """C15 in the form that was asked for, and its media type."""
    now = request.state.context.now
    form = command.format or preferred(request, _PRODUCT_FORMATS)
    if form is ProductFormat.JSON:
        return encode(CERTIFIED_PRODUCT.show(found, now)), JSON
    # Most start without them.
    from files import gs1_us, json_ld

    # They say how each certificate stands, beside its number and days: so it is the one that is judged.
    document = (
        json_ld.product_document(found.product, found.of_the_day, found.claims, now.date())
        if form is ProductFormat.JSON_LD
        else gs1_us.product_document(found.product, found.of_the_day, now.date())
    )
    return encode(document), LINKED_DATA
