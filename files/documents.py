"""A list as one JSON-LD document: a graph of products, or a report for GS1 US. Made as it is sent."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec

from domain.gtin import Gtin
from domain.records import CertificationAssignment, ClaimAssignment, Product, Record
from domain.short_id import decode, new_short_id
from files import gs1_us, json_ld
from files.json_ld import Node
from resolvers import assignments, certifications, claims
from resolvers.operation import Context

_encode = msgspec.json.encode

Nodes = AsyncIterator[list[Node]]


def graph_of(context: Context, record: type[Record], pages: AsyncIterator[Sequence[Any]]) -> AsyncIterator[bytes]:
    """The document of a list of such records: its products, each with what the list has of it."""
    head = _encode({"@context": json_ld.CONTEXT})[:-1] + b',"@graph":['
    return _document(head, _graph_nodes(context, record, pages))


def report_of(context: Context, record: type[Record], pages: AsyncIterator[Sequence[Any]]) -> AsyncIterator[bytes]:
    """The report for GS1 US of a list of products or of certifications."""
    id = f"urn:uuid:{decode(new_short_id(context.now))}"
    head = _encode(gs1_us.report_head(id, context.today))[:-1] + b',"products":['
    return _document(head, _report_nodes(context, record, pages))


async def _document(head: bytes, pages: Nodes) -> AsyncIterator[bytes]:
    # The head waits for the first products: what is refused is refused before anything was sent.
    separator = head
    async for page in pages:
        if page:
            yield separator + b",".join(map(_encode, page))
            separator = b","
    yield (head if separator is head else b"") + b"]}\n"


async def _graph_nodes(context: Context, record: type[Record], pages: AsyncIterator[Sequence[Any]]) -> Nodes:
    today = context.today
    if record is Product:
        async for page in pages:
            gtins = [product.gtin for product in page]
            held = await assignments.of_products(context, certifications.KIND, gtins)
            claimed = await assignments.of_products(context, claims.KIND, gtins)
            yield [
                json_ld.product_node(product, held_by_it, claimed_by_it, today)
                for product, held_by_it, claimed_by_it in zip(page, held, claimed, strict=True)
            ]
        return
    node_of = _NODES[record]
    async for groups in _by_product(pages):
        yield [node_of(gtin, group, today) for gtin, group in groups]


_NODES: Mapping[type[Record], Callable[[Gtin, Sequence[Any], date], Node]] = {
    CertificationAssignment: json_ld.holder_node,
    ClaimAssignment: json_ld.claimant_node,
}
"""What makes the node of a product of such records."""


async def _report_nodes(context: Context, record: type[Record], pages: AsyncIterator[Sequence[Any]]) -> Nodes:
    today = context.today
    if record is Product:
        async for page in pages:
            held = await assignments.of_products(context, certifications.KIND, [product.gtin for product in page])
            found = [
                gs1_us.product_node(product.gtin, held_by_it, today, product)
                for product, held_by_it in zip(page, held, strict=True)
            ]
            yield [node for node in found if node is not None]
        return
    async for groups in _by_product(pages):
        yield [node for gtin, held in groups if (node := gs1_us.product_node(gtin, held, today)) is not None]


async def _by_product(pages: AsyncIterator[Sequence[Any]]) -> AsyncIterator[list[tuple[Gtin, list[Any]]]]:
    """The records of each product together, also where they lie on two pages; the records come by GTIN."""
    last: list[tuple[Gtin, list[Any]]] = []
    async for page in pages:
        groups = [(gtin, list(group)) for gtin, group in groupby(page, key=attrgetter("gtin"))]
        if last and groups and groups[0][0] == last[0][0]:
            groups[0] = (groups[0][0], last[0][1] + groups[0][1])
        else:
            groups = last + groups
        yield groups[:-1]
        last = groups[-1:]
    if last:
        yield last
