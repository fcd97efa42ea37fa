"""What the servers are asked: the workloads, and each one's requests in the words of each server.

All but PostGraphile have the same names in their schemas and get the same documents; PostGraphile makes its names from
the tables, and aliases give its answers the same shape.
"""

import base64
import json
import random
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from bench import data
from domain.cursors import cursor_at
from domain.lists import PRODUCTS
from domain.short_id import ShortId

PAGE = 25

_PRODUCT = """{
  id gtin name brand countryOfOrigin netContent
  certifications {
    id certificateNumber issuingBody validFrom expirationDate verificationStatus
    certification { id code label program }
  }
  claims { id source validFrom expirationDate evidenceUrl claim { id code label category } }
}"""

# The same facts in the names that PostGraphile makes.
_POSTGRAPHILE_PRODUCT = """{
  id: rowId gtin name brand countryOfOrigin netContent
  certifications: certificationAssignmentsByGtinList {
    id: rowId certificateNumber issuingBody validFrom expirationDate verificationStatus
    certification: certificationByCertificationId { id: rowId code label program }
  }
  claims: claimAssignmentsByGtinList {
    id: rowId source validFrom expirationDate evidenceUrl claim: claimByClaimId { id: rowId code label category }
  }
}"""

_PAGE_OF = "{ nodes %s pageInfo { hasNextPage endCursor } }"

ONE = f"query Product($gtin: String!) {{ product(gtin: $gtin) {_PRODUCT} }}"
SOME = f"query Page($after: String) {{ products(first: {PAGE}, after: $after) {_PAGE_OF % _PRODUCT} }}"
ASSIGN = """mutation Assign($input: AssignClaimInput!) {
  assignClaim(input: $input) { __typename ... on ClaimAssigned { assignment { id source claim { code label } } } }
}"""
TYPENAME = "{ __typename }"

POSTGRAPHILE_ONE = f"query Product($gtin: String!) {{ product: productByGtin(gtin: $gtin) {_POSTGRAPHILE_PRODUCT} }}"
POSTGRAPHILE_SOME = (
    f"query Page($after: Cursor) {{ products: allProducts(first: {PAGE}, after: $after, orderBy: PRIMARY_KEY_ASC)"
    f" {_PAGE_OF % _POSTGRAPHILE_PRODUCT} }}"
)
POSTGRAPHILE_ASSIGN = """mutation Assign($input: CreateClaimAssignmentInput!) {
  assignClaim: createClaimAssignment(input: $input) {
    assignment: claimAssignment { id: rowId source claim: claimByClaimId { code label } }
  }
}"""


class Question(NamedTuple):
    """One HTTP request, without the server's own headers."""

    method: str
    path: str
    body: bytes = b""

    def to_bytes(self, headers: str) -> bytes:
        """The request as it goes over the wire; `headers` are whole lines."""
        sent = f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n" if self.body else ""
        head = (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n{headers}{sent}\r\n"
        )
        return head.encode() + self.body


class Asker(NamedTuple):
    """What a question depends on: the rows, chance, and what the server's cursors hold besides the GTIN.

    That is for PostGraphile the cursor's head, and for ours the secret that seals it.
    """

    products: int
    choose: random.Random
    dialect: str
    cursor_part: str = ""

    def gtin(self) -> str:
        """The GTIN of any product."""
        return data.gtin(self.choose.randrange(self.products))

    def cursor(self, gtin: str) -> str:
        """The cursor behind a product."""
        if self.dialect == "postgraphile":
            return base64.b64encode(json.dumps([self.cursor_part, gtin], separators=(",", ":")).encode()).decode()
        if self.dialect == "certgate":
            return cursor_at(self.cursor_part, PRODUCTS.orders.usual, (gtin,))
        return base64.urlsafe_b64encode(f"p1:{gtin}".encode()).decode()


Write = Callable[[Asker, int], Question]


class Workload(NamedTuple):
    """A kind of question. `write` makes one; its number is a fresh one where the question must be asked only once."""

    key: str
    title: str
    dialects: frozenset[str]
    write: Write
    uses_pairs: bool = False
    """Whether each question assigns a claim that nobody assigned before."""
    is_new: bool = False
    """Whether each question is a document that was never sent before."""


def _graphql(query: str, variables: dict[str, Any]) -> Question:
    return Question("POST", "/graphql", json.dumps({"query": query, "variables": variables}).encode())


def _one(asker: Asker, number: int) -> Question:
    return _graphql(POSTGRAPHILE_ONE if asker.dialect == "postgraphile" else ONE, {"gtin": asker.gtin()})


def _page_behind(asker: Asker, gtin: str | None) -> Question:
    query = POSTGRAPHILE_SOME if asker.dialect == "postgraphile" else SOME
    return _graphql(query, {"after": None if gtin is None else asker.cursor(gtin)})


def _some(asker: Asker, number: int) -> Question:
    return _page_behind(asker, data.gtin(asker.choose.randrange(asker.products - PAGE)))


def _first_page(asker: Asker, number: int) -> Question:
    return _page_behind(asker, None)


def _deep_page(asker: Asker, number: int) -> Question:
    return _page_behind(asker, data.gtin(asker.products * 9 // 10))


def _typename(asker: Asker, number: int) -> Question:
    return _graphql(TYPENAME, {})


def _pasted(asker: Asker, number: int) -> Question:
    """As clients send it that put values into the text."""
    text = POSTGRAPHILE_ONE if asker.dialect == "postgraphile" else ONE
    return _graphql(text.replace("($gtin: String!)", "").replace("$gtin", json.dumps(asker.gtin())), {})


_OPTIONAL = re.compile(
    r"(?<= )(?:gtin|name|brand|countryOfOrigin|certificateNumber|issuingBody|validFrom|expirationDate"
    r"|code|label|program|source|evidenceUrl|category)(?= )"
)
"""What a document of a new shape may leave out, or have under another name: there are 3 to the power of 18 of them."""


def _new_shape(asker: Asker, number: int) -> Question:
    text = POSTGRAPHILE_ONE if asker.dialect == "postgraphile" else ONE
    chosen = _OPTIONAL.sub(lambda found: asker.choose.choice(("", found[0], f"my_{found[0]}: {found[0]}")), text)
    return _graphql(chosen, {"gtin": asker.gtin()})


_CERTIFICATION_IDS = data.certification_ids()
_CLAIM_IDS = data.claim_ids()


def _pair(asker: Asker, number: int) -> tuple[str, ShortId]:
    product, claim = data.unassigned(number, asker.products)
    return data.gtin(product), _CLAIM_IDS[claim]


def _assign(asker: Asker, number: int) -> Question:
    gtin, claim = _pair(asker, number)
    if asker.dialect != "postgraphile":
        return _graphql(ASSIGN, {"input": {"gtin": gtin, "claimId": claim}})
    row = {
        "gtin": gtin,
        "claimId": claim,
        "rowId": f"{number:022d}",
        "metadata": {},
        "source": "BRAND_SELF_DECLARED",
        "evidenceUrl": "",
        "evidenceNote": "",
        "createdAt": data.MOMENT.isoformat(),
        "updatedAt": data.MOMENT.isoformat(),
        "version": 1,
    }
    return _graphql(POSTGRAPHILE_ASSIGN, {"input": {"claimAssignment": row}})


_REST = "/certifications/api/v1/products"


def _rest_list(asker: Asker, number: int) -> Question:
    return Question("GET", f"{_REST}/{asker.gtin()}/certifications")


def _rest_assign(asker: Asker, number: int) -> Question:
    gtin, claim = _pair(asker, number)
    return Question("POST", f"{_REST}/{gtin}/claims", json.dumps({"claim_id": claim}).encode())


def _rest_patch(asker: Asker, number: int) -> Question:
    product = asker.choose.randrange(asker.products)
    held = asker.choose.choice(data.certification_numbers(product))
    body = {"certificate_number": f"N-{asker.choose.randrange(10**8)}", "metadata": {"lot": "7"}}
    return Question(
        "PATCH",
        f"{_REST}/{data.gtin(product)}/certifications/{_CERTIFICATION_IDS[held]}",
        json.dumps(body).encode(),
    )


def _rest_product(asker: Asker, number: int) -> Question:
    return Question("GET", f"{_REST}/{asker.gtin()}")


def _hello(asker: Asker, number: int) -> Question:
    return Question("GET", "/hello")


FIRST = {"hello": "H", "rest": "R1"}
"""What a server is asked at its start, by its dialect, where that is not Q1."""

GRAPHQL = frozenset({"certgate", "common", "postgraphile"})
OURS = frozenset({"certgate"})
REST = frozenset({"certgate", "rest"})

WORKLOADS = {
    workload.key: workload
    for workload in (
        Workload("H", "a bare hello", frozenset({"hello"}), _hello),
        Workload("Q1", "GraphQL: a product with its certifications and claims, 66 fields", GRAPHQL, _one),
        Workload("Q2", f"GraphQL: a page of {PAGE} such products", GRAPHQL, _some),
        Workload("Q3", "GraphQL: { __typename }", GRAPHQL, _typename),
        Workload("M1", "GraphQL: assignClaim", GRAPHQL, _assign, uses_pairs=True),
        Workload("R0", "REST: GET a product with its certifications and claims", OURS, _rest_product),
        Workload("R1", "REST: GET the certifications of a product", REST, _rest_list),
        Workload("R2", "REST: POST a claim", REST, _rest_assign, uses_pairs=True),
        Workload("R3", "REST: PATCH a certification", OURS, _rest_patch),
        Workload("P0", f"GraphQL: the first page of {PAGE}", GRAPHQL, _first_page),
        Workload("P9", f"GraphQL: the page of {PAGE} at 90 % depth", GRAPHQL, _deep_page),
        Workload("U1", "GraphQL: Q1 with the GTIN in its text, each time another", GRAPHQL, _pasted, is_new=True),
        Workload("U2", "GraphQL: Q1 with fields and names never asked for before", GRAPHQL, _new_shape, is_new=True),
    )
}
