"""What strangers may send to /graphql, each with the bound that it met, what that cost, and that life goes on.

Refused is: 4xx with a problem document or with errors and no data. What a refusal costs
is measured: at most 50 ms of CPU, and a number of function calls that no machine is too slow for.
"""

import gzip
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from db.sql import tables
from resolvers.sessions import sign_in_with_key
from tests.turns import TRACED
from tests.world import GTIN, World

JSON = {"Content-Type": "application/json"}
GRAPHQL = "application/graphql-response+json"
PROBLEM = "application/problem+json"

MOST_CALLS = 250_000
"""Calls of functions that refusing a request may take, the whole way through the application."""

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Hostile:
    """A request, and how it is refused: the status and the code of the problem, or of an error."""

    status: int
    code: str
    content: bytes | Callable[[], AsyncIterator[bytes]] = b""
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    params: dict[str, str] | None = None


def document(code: str, text: str, status: int = 400, **members: Any) -> Hostile:
    return Hostile(status, code, json.dumps({"query": text, **members}).encode())


def body(content: bytes | str, status: int = 400, code: str = "bad_request") -> Hostile:
    return Hostile(status, code, content.encode() if isinstance(content, str) else content)


def typed(content_type: str, content: bytes) -> Hostile:
    return Hostile(415, "unsupported_media_type", content, headers={"Content-Type": content_type})


def on_product(selections: str) -> str:
    return f'{{ product(gtin: "{GTIN}") {{ {selections} }} }} '


def fragments(count: int, inner: str) -> str:
    """Fragments on Product; `@` stands for a spread of the next one."""
    texts = [f"fragment F{i} on Product {{ {inner.replace('@', f'...F{i + 1}')} }}" for i in range(count)]
    return " ".join([*texts, f"fragment F{count} on Product {{ name }}"])


def many(text: str, count: int) -> str:
    """The text so often, `@` in it numbered."""
    return " ".join(text.replace("@", str(number)) for number in range(count))


CYCLE = "".join(f"...F{i % 20:<2}" for i in range(40))
INVALID = "GRAPHQL_VALIDATION_FAILED"
UNREADABLE = "GRAPHQL_PARSE_FAILED"
WRITE = f'mutation {{ removeClaim(input: {{gtin: "{GTIN}", claimId: "1"}}) {{ __typename }} }}'
ASSIGN = "mutation ($i: AssignCertificationInput!) { assignCertification(input: $i) { __typename } }"
WHERE = "$w: CertificationAssignmentWhere"
MANY = "{or: [" + "{} " * 250 + "]}"
NESTED: dict[str, Any] = {"or": [{"or": [{}] * 249}] * 19}
PARENTS = "certifications(first: 100) { nodes { assignments(first: 1, where: $w) { totalCount } } }"
ALIASES = many("a@: certificationAssignments(first: 1, where: $w) { totalCount }", 20)
SKIPPED = ALIASES.replace("{", "@skip(if: $s) {")
GETS = {"method": "GET", "headers": {}}

DOCUMENTS: dict[str, Hostile] = {
    # Fragments that double, and what limiters without memory take hours for.
    "doubling fragments": document("QUERY_TOO_LARGE", on_product("...F0") + fragments(30, "@ @")),
    "doubling fragments, unused": document("QUERY_TOO_LARGE", "{ viewer { role } } " + fragments(30, "@ @")),
    "doubling fragments, backwards": document(
        "QUERY_TOO_LARGE",
        " ".join(f"fragment F{i} on Product {{ ...F{i - 1} ...F{i - 1} }}" for i in range(60, 0, -1))
        + "fragment F0 on Product { name } " + on_product("...F60"),
    ),
    "doubling aliases": document(
        "QUERY_TOO_LARGE",
        on_product("...F0") + fragments(30, "a: certifications { product { @ } } b: certifications { product { @ } }"),
    ),
    "ninefold fragments": document("QUERY_TOO_LARGE", on_product("...F0") + fragments(30, "@ " * 9)),
    "a fragment of itself": document(INVALID, "{ ...A } fragment A on Query { ...A viewer { role } }"),
    "circular fragments": document(INVALID, "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"),
    "dense cycles": document(
        "QUERY_TOO_LARGE",
        on_product(many("...F@", 20))
        + " ".join(f"fragment F{i} on Product {{ {CYCLE[6 * i : 6 * i + 14 * 6]} }}" for i in range(20)),
    ),
    "a chain of 105 fragments": document("QUERY_TOO_COMPLEX", on_product("...F0") + fragments(105, "name @")),
    "29 fragments that differ": document(
        "QUERY_TOO_COMPLEX", on_product(many("...F@", 29)) + many("fragment F@ on Product { name: brand ...F@ }", 29)
    ),
    "90 spreads at once": document(
        "QUERY_TOO_COMPLEX", on_product(many("...F@", 90)) + many("fragment F@ on Product { name brand }", 90)
    ),
    "an unknown fragment": document(INVALID, "{ ...A }"),
    "490 unknown fragments": document(INVALID, on_product(many("...X@", 490))),
    # Width.
    "aliases": document("QUERY_TOO_MANY_ALIASES", on_product(many("a@: name", 300))),
    "aliased root fields": document("QUERY_TOO_MANY_ALIASES", "{ " + many("a@: viewer { role }", 150) + " }"),
    "root fields": document("QUERY_TOO_MANY_ROOT_FIELDS", "{ " + "viewer { role } " * 200 + "}"),
    "mutations": document("QUERY_TOO_MANY_ALIASES", "mutation { " + many(f"m@: {WRITE[11:-2]}", 50) + " }"),
    "980 equal fields": document("QUERY_TOO_COMPLEX", on_product("name " * 980)),
    "320 equal objects": document("QUERY_TOO_COMPLEX", on_product("claims { id } " * 240)),
    "240 equal inline fragments": document("QUERY_TOO_COMPLEX", on_product("... on Product { name } " * 160)),
    "3,000 equal fields": document("QUERY_TOO_MANY_TOKENS", on_product("name " * 3_000)),
    "10,000 equal fields": document("QUERY_TOO_LONG", on_product("name " * 10_000)),
    "980 unknown fields": document(INVALID, on_product(many("x@", 980))),
    "conflicting aliases": document(INVALID, on_product(many("x@: name x@: brand", 14))),
    "50 operations": document("OPERATION_RESOLUTION_FAILURE", many("query Q@ { __typename }", 50)),
    "180 operations": document("QUERY_TOO_MANY_OPERATIONS", many("query Q@ { __typename }", 180)),
    "50 operations on one fragment": document(
        "OPERATION_RESOLUTION_FAILURE",
        many("query Q@ { ...F }", 50) + " fragment F on Query { viewer { role kind canWrite organization { id } } }",
    ),
    "50 operations on one fragment, one of them": document(
        "QUERY_TOO_COSTLY",
        many("query Q@ { ...F }", 50) + " fragment F on Query { products(first: 1000000) { nodes { name } } }",
        operationName="Q49",
    ),
    "50 operations of one name": document(INVALID, "query Q { __typename } " * 50),
    "50 nameless operations": document(INVALID, "{ __typename } " * 50),
    "unused variables": document(INVALID, "query (" + many("$v@: String", 240) + ") { viewer { role } }"),
    "undefined variables": document(INVALID, on_product(many("a@: certifications(first: $v@) { id }", 30))),
    "unknown types": document(INVALID, many("fragment F@ on Produkt@ { a }", 130) + "{ a }"),
    "unknown arguments": document(INVALID, "{ product(" + many("a@: 1", 320) + ") { name } }"),
    "one argument many times": document(INVALID, "{ product(" + 'gtin: "1" ' * 320 + ") { name } }"),
    "directives": document("QUERY_TOO_MANY_DIRECTIVES", on_product("name " + "@skip(if: true) " * 130)),
    "unknown directives": document("QUERY_TOO_MANY_DIRECTIVES", on_product("name " + "@d " * 450)),
    "49 directives on one field": document(INVALID, on_product("name " + "@include(if: true) " * 49)),
    "spread directives": document(
        "QUERY_TOO_MANY_DIRECTIVES", on_product("...F " * 60) + "fragment F on Product { name @skip(if: true) }"
    ),
    # Depth.
    "180 levels": document("QUERY_TOO_DEEP", on_product("certifications { product { " * 90 + "name" + " } }" * 90)),
    "10,000 levels": document("QUERY_TOO_DEEP", "{a" * 9_000),
    "10,000 braces": document(UNREADABLE, "{" * 10_000),
    "nested inline fragments": document("QUERY_TOO_DEEP", on_product("... { " * 300 + "name" + " }" * 300)),
    "150 nested inline fragments without an end": document(UNREADABLE, on_product("... { " * 150 + "name")),
    "a deep list": document("QUERY_TOO_DEEP", "{ product(gtin: " + "[" * 10_000),
    "a deep object": document("QUERY_TOO_DEEP", "{ product(gtin: " + "{a:" * 6_000),
    "a deep type": document("QUERY_TOO_DEEP", "query ($v: " + "[" * 10_000),
    "a deep fragment chain": document(
        "QUERY_TOO_DEEP", on_product("...F0") + fragments(60, "certifications { product { @ } }")
    ),
    # Literals.
    "a string of 19,000 characters": document(
        "validation_error", f'{{ product(gtin: "{"9" * 19_000}") {{ name }} }}', 200
    ),
    "a million digits": document("QUERY_TOO_LONG", '{ product(gtin: "' + "9" * 1_000_000 + '") { name } }'),
    "a number of 19,000 digits": document(INVALID, f"{{ products(first: {'9' * 19_000}) {{ nodes {{ name }} }} }}"),
    "an exponent": document(INVALID, "{ products(first: 1e999999999) { nodes { name } } }"),
    "a list of 980 numbers": document(INVALID, "{ product(gtin: [" + "1 " * 980 + "]) { name } }"),
    "an object of 320 members": document(INVALID, "{ product(gtin: {" + many("a@: 1", 320) + "}) { name } }"),
    "escapes": document(UNREADABLE, '{ product(gtin: "' + "\\u12" * 3_000 + '") { name } }'),
    "a block string without an end": document(UNREADABLE, '{ product(gtin: """' + '\\"""' * 4_000),
    "quotes": document("QUERY_TOO_MANY_TOKENS", '{ product(gtin: [' + '"" ' * 6_000),
    "comments": document("QUERY_TOO_MANY_TOKENS", "#\n" * 9_000 + "{ __typename }"),
    "blanks": document("QUERY_TOO_LONG", " " * 1_000_000 + "{ __typename }"),
    # What costs too much.
    "a page of a billion": document("QUERY_TOO_COSTLY", "{ products(first: 1000000000) { nodes { name } } }"),
    "pages of pages": document(
        "QUERY_TOO_COSTLY",
        "{ products(first: 100) { nodes { claims { claim { assignments(first: 100) { nodes { id } } } } } } }",
    ),
    "a page of a variable billion": document(
        "QUERY_TOO_COSTLY", "query ($n: Int) { products(first: $n) { nodes { name } } }", variables={"n": 10**9}
    ),
    # Introspection.
    "introspection, 19 times": document(
        "QUERY_TOO_COSTLY",
        "{ " + many("a@: __schema { types { ...T } }", 19)
        + " } fragment T on __Type { name fields { name args { name type { name } } type { name } } }",
    ),
    "introspection in circles": document(
        INVALID, "{ __schema { types " + "{ fields { type " * 4 + "{ name }" + " } }" * 4 + " } }"
    ),
    "possible types in circles": document(
        INVALID, "{ __schema { types { " + "interfaces { possibleTypes { " * 4 + "name" + " } }" * 4 + " } } }"
    ),
    "deep introspection": document(
        "INTROSPECTION_TOO_DEEP", '{ __type(name: "Product") ' + "{ ofType " * 30 + "{ name }" + "}" * 30 + " }"
    ),
    "introspection by fragments in circles": document(
        INVALID,
        "{ __schema { types { ...A } } } fragment A on __Type { fields { type { ...B } } }"
        " fragment B on __Type { fields { type { ...C } } } fragment C on __Type { fields { type { name } } }",
    ),
    # Not a document.
    "nothing": document(UNREADABLE, ""),
    "a NUL": document(UNREADABLE, "{ viewer\x00 }"),
    "definitions of types": document(INVALID, "type A { b: Int } extend type Query { a: Int }"),
    "a subscription": document("SUBSCRIPTION_NOT_SUPPORTED", "subscription { viewer { role } }"),
    "no selection": document(INVALID, "query { viewer }"),
    "an empty selection": document(UNREADABLE, "query { viewer {} }"),
    "an empty document": document(UNREADABLE, "{}"),
    "a change that selects nothing": document(UNREADABLE, WRITE.replace("{ __typename }", "{}")),
    "deferred": document(INVALID, on_product('... @defer(label: "a") { name }')),
    "no operation of that name": document("OPERATION_RESOLUTION_FAILURE", "query A { __typename }", operationName="B"),
    # Variables.
    "33 levels of variables": document(
        "VARIABLES_TOO_DEEP", ASSIGN, variables={"i": json.loads("[" * 32 + "]" * 32)}
    ),
    "unused deep variables": document(
        "VARIABLES_TOO_DEEP", "{ __typename }", variables={"unused": json.loads('{"a":' * 300 + "1" + "}" * 300)}
    ),
    "a list of 250 wrong countries": document(
        "BAD_USER_INPUT",
        ASSIGN,
        variables={"i": {"gtin": "1", "certificationId": "1", "certificateCountries": list(range(250))}},
    ),
    "a list of 251 wrong countries": document(
        "VARIABLES_TOO_LARGE",
        ASSIGN,
        variables={"i": {"gtin": "1", "certificationId": "1", "certificateCountries": list(range(251))}},
    ),
    # Filters that are worked through for each parent, or for each alias.
    "3,000 conditions for each of 100 parents": document(
        "VARIABLES_TOO_LARGE", f"query ({WHERE}) {{ {PARENTS} }}", variables={"w": {"or": [{}] * 3_000}}
    ),
    "250 conditions for each of 100 parents": document(
        "QUERY_TOO_COSTLY", f"query ({WHERE}) {{ {PARENTS} }}", variables={"w": {"or": [{}] * 250}}
    ),
    "a default of 250 conditions for each of 100 parents": document(
        "QUERY_TOO_COSTLY", f"query ({WHERE} = {MANY}) {{ {PARENTS} }}"
    ),
    "250 conditions in a literal for each of 100 parents": document(
        "QUERY_TOO_COSTLY", f"{{ {PARENTS.replace('$w', MANY)} }}"
    ),
    "9,000 conditions shared by 20 aliases": document(
        "VARIABLES_TOO_LARGE", f"query ({WHERE}) {{ {ALIASES} }}", variables={"w": {"or": [{}] * 9_000}}
    ),
    "4,800 conditions in lists of 250, shared by 20 aliases": document(
        "QUERY_TOO_COSTLY", f"query ({WHERE}) {{ {ALIASES} }}", variables={"w": NESTED}
    ),
    "4,800 conditions, of which none is skipped": document(
        "QUERY_TOO_COSTLY",
        f"query ({WHERE}, $s: Boolean = false) {{ ...F }} fragment F on Query {{ {SKIPPED} }}",
        variables={"w": NESTED},
    ),
    "wide wrong variables": document(
        "BAD_USER_INPUT", ASSIGN, variables={"i": {f"member{number}": number for number in range(3_000)}}
    ),
    "a list of 100,000 wrong countries": document(
        "VARIABLES_TOO_LARGE",
        ASSIGN,
        variables={"i": {"gtin": "1", "certificationId": "1", "certificateCountries": list(range(100_000))}},
    ),
}  # fmt: skip

LARGE = 20 * 1024 * 1024


async def endless() -> AsyncIterator[bytes]:
    for _ in range(LARGE // 65_536):
        yield b" " * 65_536


async def trickle() -> AsyncIterator[bytes]:
    for byte in b'{"query": "' + b"#" * 3_000:
        yield bytes([byte])


FORM = b"query=" + b"%7B__typename%7D"
REQUESTS: dict[str, Hostile] = {
    # Bodies.
    "20 MB": body(b'{"query": "' + b"x" * LARGE + b'"}', 413, "payload_too_large"),
    "20 MB in pieces": Hostile(413, "payload_too_large", endless),
    "3,011 pieces, cut": Hostile(400, "bad_request", trickle),
    "an endless announcement": Hostile(
        413, "payload_too_large", b"{}", headers={**JSON, "Content-Length": "9" * 400}
    ),
    "compressed": Hostile(
        415, "unsupported_media_type", gzip.compress(b" " * LARGE), headers={**JSON, "Content-Encoding": "gzip"}
    ),
    "no body": body(b""),
    "a number": body("1"),
    "a string": body('"x"'),
    "null": body("null"),
    "a batch": body('[{"query": "{ __typename }"}]'),
    "a batch of 10,000": body("[" + ",".join(['{"query": "{ __typename }"}'] * 10_000) + "]"),
    "a batch of numbers": body("[1, 2]"),
    "100,000 levels of lists": body("[" * 100_000 + "]" * 100_000),
    "100,000 levels of objects": body('{"a":' * 100_000 + "1" + "}" * 100_000),
    "100,000 levels of lists in variables": body(
        '{"query": "{ __typename }", "variables": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}"
    ),
    "900 levels of extensions": body(
        '{"query": "{", "extensions": ' + '{"a":' * 900 + "1" + "}" * 900 + "}", code=UNREADABLE
    ),
    "no query": body('{"variables": {}}'),
    "a query that is a list": body('{"query": ["{ __typename }"]}'),
    "variables that are a string": body('{"query": "{ __typename }", "variables": "{}"}'),
    "variables that are a list": body('{"query": "{ __typename }", "variables": [1]}'),
    "query twice": body('{"query": "{ __typename }", "query": "{ viewer { role } }"}'),
    "query twice, disguised": body('{"query": "{ __typename }", "qu\\u0065ry": "{ viewer { role } }"}'),
    "query twice, with blanks": body('{"query" : "{ __typename }", "query"\n:\t"{ viewer { role } }"}'),
    "a variable twice": body('{"query": "{ __typename }", "variables": {"a": 1, "a": 2}}'),
    "a variable twice, deep": body('{"query": "{ __typename }", "variables": {"a": [{"b": {"c": 1, "c": 2}}]}}'),
    "a variable twice, and a quote with a colon": body(
        '{"query": "{ product(gtin: \\":\\") { name } }", "variables": {"a": "\\":", "a": 2}}'
    ),
    "60,000 variables, one twice": body(
        '{"query": "{ __typename }", "variables": {' + ",".join(f'"v{i % 59_999}":1' for i in range(60_000)) + "}}"
    ),
    "9,000 variables, one twice": body(
        '{"query": "{ __typename }", "variables": {' + ",".join(f'"v{i % 8_999}":1' for i in range(9_000)) + "}}"
    ),
    "330,000 lists in extensions": body(
        '{"query": "{ __typename }", "extensions": {"a": [' + "[]," * 330_000 + "1]}}"
    ),
    "NaN": body('{"query": "{ __typename }", "variables": {"a": NaN}}'),
    "infinity": body('{"query": "{ __typename }", "variables": {"a": -Infinity}}'),
    "a number beyond all": body('{"query": "{ __typename }", "variables": {"a": 1e999}}'),
    "a number of 500,000 digits": body('{"query": "{ __typename }", "variables": {"a": ' + "9" * 500_000 + "}}"),
    "a lone surrogate": body('{"query": "{ __typename }", "variables": {"a": "\\ud800"}}'),
    "a lone surrogate in the query": body('{"query": "{ product(gtin: \\"\\udfff\\") { name } }"}'),
    "no UTF-8": body(b'{"query": "{ __typename }\xff"}'),
    "UTF-16": body('{"query": "{ __typename }"}'.encode("utf-16")),
    "overlong UTF-8": body(b'{"query": "{ __typename \xc0\x80}"}'),
    "two values": body('{"query": "{ __typename }"} {"query": "{"}'),
    # What browsers can send across sites, and other types.
    "a form": typed("application/x-www-form-urlencoded", FORM),
    "a mutation in a form": typed("application/x-www-form-urlencoded", b"query=" + WRITE.encode()),
    "plain text": typed("text/plain", json.dumps({"query": WRITE}).encode()),
    "no type": Hostile(415, "unsupported_media_type", json.dumps({"query": WRITE}).encode(), headers={}),
    "multipart": typed(
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n' + json.dumps({"query": WRITE}).encode()
        + b"\r\n--x--\r\n",
    ),
    "application/graphql": typed("application/graphql", b"{ __typename }"),
    "two types": typed("application/json, text/plain", json.dumps({"query": WRITE}).encode()),
    "JSON in UTF-16": typed("application/json; charset=utf-16", '{"query": "{ __typename }"}'.encode("utf-16")),
    "a type of 30,000 parameters": typed("text/x;" + "a=b;" * 7_500, b"{}"),
    # Methods.
    "a mutation by GET": Hostile(405, "method_not_allowed", params={"query": WRITE}, method="GET", headers={}),
    "a mutation by GET, as an alternative": Hostile(
        405,
        "method_not_allowed",
        params={"query": f"query A {{ __typename }} {WRITE.replace('mutation', 'mutation B')}", "operationName": "B"},
        method="GET",
        headers={},
    ),
    "a mutation by HEAD": Hostile(405, "", params={"query": WRITE}, method="HEAD", headers={}),
    "PUT": Hostile(405, "method_not_allowed", b"{}", method="PUT"),
    "DELETE": Hostile(405, "method_not_allowed", method="DELETE", headers={}),
    "a subscription by GET": Hostile(
        400,
        "SUBSCRIPTION_NOT_SUPPORTED",
        params={"query": "subscription { viewer { role } }"},
        method="GET",
        headers={},
    ),
    "query twice in the URL": Hostile(400, "bad_request", params={}, method="GET", headers={}),
    "broken variables in the URL": Hostile(
        400, "bad_request", params={"query": "{ __typename }", "variables": "{"}, method="GET", headers={}
    ),
    "deep variables in the URL": Hostile(
        400, "bad_request", params={"query": "{ __typename }", "variables": "[" * 20_000}, method="GET", headers={}
    ),
    # Headers.
    "an answer in XML": Hostile(406, "not_acceptable", b"{}", headers={**JSON, "Accept": "text/xml"}),
    "an answer in 10,000 types": Hostile(
        406, "not_acceptable", b"{}", headers={**JSON, "Accept": ", ".join(f"x/y{i}" for i in range(10_000))}
    ),
    "strange qualities": Hostile(
        406, "not_acceptable", b"{}", headers={**JSON, "Accept": "application/json;q=NaN, */*;q=-1"}
    ),
}  # fmt: skip
REQUESTS["query twice in the URL"].params = {"query": "{ __typename }"}


async def send(world: World, hostile: Hostile, client: httpx2.AsyncClient | None = None) -> httpx2.Response:
    client = client or world.client
    headers = {"X-API-Key": world.keys["manager"], "Accept": GRAPHQL, **hostile.headers}
    content = hostile.content if isinstance(hostile.content, bytes) else hostile.content()
    url = "/graphql?query=%7Bviewer%7Brole%7D%7D" if hostile is REQUESTS["query twice in the URL"] else "/graphql"
    if url != "/graphql":
        return await client.request("GET", f"{url}&query=%7B__typename%7D", headers=headers)
    return await client.request(hostile.method, url, content=content or None, headers=headers, params=hostile.params)


def is_refused(response: httpx2.Response, hostile: Hostile) -> None:
    """Checks a refusal: its status, its form, and that it says why in few words."""
    assert response.status_code == hostile.status, response.text[:500]
    assert len(response.content) < 10_000
    assert "Traceback" not in response.text
    if hostile.method == "HEAD":
        return
    answer = response.json()
    if response.headers["content-type"] == PROBLEM:
        assert answer["error_code"] == hostile.code
        assert answer["detail"].endswith(".")
        return
    assert response.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert answer.get("data", {"product": None}) == {"product": None}
    codes = [error["extensions"]["code"] for error in answer["errors"]]
    assert hostile.code in codes
    assert len(codes) <= 21
    for error in answer["errors"]:
        assert error["extensions"].keys() >= {"code", "retryable", "requestId"}


async def is_well(world: World) -> None:
    """The same process answers what others ask."""
    query = {"query": f'{{ product(gtin: "{GTIN}") {{ name certifications {{ certification {{ label }} }} }} }}'}
    response = await world.client.post("/graphql", json=query, headers={"X-API-Key": world.keys["readonly"]})
    assert response.json()["data"]["product"]["name"] == "Oat drink"


def renewed(hostile: Hostile, number: int) -> Hostile:
    """The same document in another text."""
    assert isinstance(hostile.content, bytes)
    members = json.loads(hostile.content)
    content = {**members, "query": f"{members['query']} #{number}"}
    return replace(hostile, content=json.dumps(content).encode())


async def answered(world: World, hostile: Hostile) -> tuple[httpx2.Response, int]:
    """The answer, and how many functions the application has called for it; the client's own work is not counted."""
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        previous = sys.getprofile()
        sys.setprofile(count)
        try:
            await world.app(scope, receive, send)
        finally:
            sys.setprofile(previous)

    transport = httpx2.ASGITransport(app=counted)
    async with httpx2.AsyncClient(transport=transport, base_url=world.client.base_url) as client:
        return await send(world, hostile, client), calls


ALL = {**DOCUMENTS, **REQUESTS}


@pytest.mark.parametrize("name", ALL)
async def test_hostile_requests_are_refused_cheaply(
    world: World, name: str, record_property: Callable[[str, object], None]
) -> None:
    hostile = ALL[name]
    await is_well(world)
    is_refused(await send(world, hostile), hostile)
    # A document that fits the schema is kept, so this is another one.
    again, calls = await answered(world, renewed(hostile, 0) if name in DOCUMENTS else hostile)
    is_refused(again, hostile)
    record_property("calls", calls)
    print(f"{name}: {calls} calls")
    assert TRACED or calls < MOST_CALLS
    await is_well(world)


@pytest.fixture
async def cookie(world: World) -> str:
    """The cookie of a signed-in browser."""
    session = await sign_in_with_key(world.database, world.keys["manager"], timedelta(hours=1))
    assert session is not None
    return f"sessionid={session.secret}"


FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
BY_COOKIE: dict[str, tuple[int, str, dict[str, Any]]] = {
    "JSON": (403, "POST", {"json": {"query": WRITE}, "headers": FOREIGN}),
    "JSON from a neighbour": (403, "POST", {"json": {"query": WRITE}, "headers": {"Sec-Fetch-Site": "same-site"}}),
    "a form": (403, "POST", {"data": {"query": WRITE}, "headers": FOREIGN}),
    "a form of a silent browser": (403, "POST", {"data": {"query": WRITE}}),
    "plain text": (403, "POST", {"content": json.dumps({"query": WRITE}), "headers": {"Content-Type": "text/plain"}}),
    "multipart": (403, "POST", {"files": {"operations": b"{}"}, "headers": FOREIGN}),
    "a query by GET": (403, "GET", {"params": {"query": "{ viewer { role } }"}, "headers": FOREIGN}),
    "a mutation by GET": (403, "GET", {"params": {"query": WRITE}, "headers": FOREIGN}),
    "a mutation by a link": (405, "GET", {"params": {"query": WRITE}, "headers": {"Sec-Fetch-Site": "none"}}),
}


@pytest.mark.parametrize("name", BY_COOKIE)
async def test_another_site_can_do_nothing_with_a_visitors_cookie(world: World, cookie: str, name: str) -> None:
    status, method, request = BY_COOKIE[name]
    before = await world.rows(tables.claim_assignments)
    headers = {"Cookie": cookie, **request.pop("headers", {})}
    response = await world.client.request(method, "/graphql", **request, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM)
    assert await world.rows(tables.claim_assignments) == before
    ours = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    assert (await world.client.post("/graphql", json={"query": "{ viewer { role } }"}, headers=ours)).status_code == 200


WORDS = [
    *"{}()[]:!$@=|&,#",
    *("...", '"', '"""', "\\u00e9", "\U0001f600", "\x00", "\ufeff", "\n", "-1", "1.5e3", "0x"),
    *("query", "mutation", "subscription", "fragment", "on", "type", "null", "true", "first", "where", "input", "id"),
    *("product", "products", "nodes", "edges", "node", "name", "gtin", "certifications", "claims", "viewer", "role"),
    *("__typename", "__schema", "__type", "ofType", "@skip", "@include", "if", "A", "B", "$a", "$b"),
    *("Query", "Product", "Node", "String", "Int"),
]
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=30).map(lambda words: f"query A($a: Int = 1) {{ {' '.join(words)} }}"),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "query": TEXTS | VALUES,
        "documentId": VALUES,
        "operationName": VALUES | st.sampled_from(["A", "B"]),
        "variables": VALUES | st.dictionaries(st.sampled_from(["a", "b", "input"]), VALUES, max_size=3),
        "extensions": VALUES | st.just({"cost": {"breakdown": True}}) | st.dictionaries(st.just("cost"), VALUES),
    },
)


@settings(
    max_examples=int(os.environ.get("CERTGATE_TEST_CASES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(members=MEMBERS, cut=st.integers(0, 400) | st.none())
async def test_nothing_that_is_sent_is_a_failure_of_ours(
    world: World, members: dict[str, Any], cut: int | None
) -> None:
    sent = json.dumps(members).encode()[:cut]
    headers = {"X-API-Key": world.keys["readonly"], "Accept": GRAPHQL, **JSON}
    response = await world.client.post("/graphql", content=sent, headers=headers)
    assert response.status_code in (200, 400), response.text
    answer = response.json()
    if response.headers["content-type"] == PROBLEM:
        assert answer["error_code"] == "bad_request"
        return
    for error in answer.get("errors", ()):
        assert error["extensions"]["code"] != "internal_error", answer
