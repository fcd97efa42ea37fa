"""NUL and half characters, wherever text comes from: a refusal or an answer, and nothing for a database to choke on."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    get_named_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
)

from rest_compat.routes import ENDPOINTS
from schema.schema import schema
from tests.world import GTIN, NON_GMO, USDA_ORGANIC, VEGAN, World

ODD = ("a%00b", "%00", "%ED%A0%80", "a%ED%BF%BF", "%FF")
CALM = {200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 409, 412, 415, 422}


def filled(kind: GraphQLInputType, depth: int = 2) -> Iterator[Any]:
    """Values of a type with NUL in one text of each, wherever there can be one."""
    named = get_named_type(kind)
    wrap = is_list_type(kind.of_type if is_non_null_type(kind) else kind)
    found: Iterator[Any]
    if isinstance(named, GraphQLInputObjectType):
        found = (
            {name: value} for name, field in named.fields.items() if depth for value in filled(field.type, depth - 1)
        )
    elif named.name in ("String", "ID"):
        found = iter(["a\0b"])
    else:
        return
    yield from ([value] if wrap else value for value in found)


GIVEN = {"gtin": GTIN, "id": VEGAN, "webhookId": VEGAN, "ids": [VEGAN], "input": None}


async def test_graphql_takes_no_nul_to_a_database(world: World) -> None:
    built = schema._schema
    headers = {"X-API-Key": world.keys["manager"]}
    asked = 0
    for kind, word in ((built.query_type, "query"), (built.mutation_type, "mutation")):
        assert kind is not None
        for name, field in kind.fields.items():
            for argument, declared in field.args.items():
                needed = [other for other, its in field.args.items() if is_required_argument(its) and other != argument]
                variables = ", ".join(f"${each}: {field.args[each].type}" for each in (argument, *needed))
                named = ", ".join(f"{each}: ${each}" for each in (argument, *needed))
                document = f"{word} ({variables}) {{ {name}({named}) {{ __typename }} }}"
                for value in filled(declared.type):
                    given = {argument: value, **{each: GIVEN[each] for each in needed}}
                    response = await world.client.post(
                        "/graphql", json={"query": document, "variables": given}, headers=headers
                    )
                    assert response.status_code in (200, 400), (name, value, response.text)
                    assert "internal_error" not in response.text, (name, value)
                    asked += 1
    assert asked > 100


@pytest.mark.parametrize("odd", ["a%00b", "%ED%A0%80"])
async def test_rest_takes_none_to_a_database(world: World, odd: str) -> None:
    headers = {"X-API-Key": world.keys["manager"]}
    for endpoint in ENDPOINTS:
        path = endpoint.path.replace("{gtin}", GTIN).replace("{certification_id}", USDA_ORGANIC)
        path = path.replace("{claim_id}", NON_GMO).replace("{organization_id}", world.brand)
        path = path.replace("{id}", VEGAN).replace("{key_id}", world.key_ids["editor"])
        segments = [part for part in endpoint.path.split("/") if part.startswith("{")]
        queries = "&".join(
            f"{name}={odd}"
            for name in (
                "q",
                "brand",
                "name",
                "code",
                "label",
                "category",
                "gtin",
                "ordering",
                "organization_id",
                "page",
            )
        )
        urls = [f"{path}?{queries}", *(f"{path}?{pair}" for pair in queries.split("&"))]
        urls += [endpoint.path.replace(segment, odd) for segment in segments]
        for url in urls if endpoint.method == "GET" else urls[-len(segments) :]:
            response = await world.client.request(endpoint.method, url, headers=headers)
            assert response.status_code in CALM, (endpoint.method, url, response.text)


async def test_no_header_body_or_form_takes_any_to_a_database(world: World) -> None:
    own = {"X-API-Key": world.keys["manager"], "Content-Type": "application/json"}
    path = f"/certifications/api/v1/products/{GTIN}/claims"
    here = {"Origin": "http://certgate.test", "Sec-Fetch-Site": "same-origin"}
    form = {**own, "Content-Type": "application/x-www-form-urlencoded"}
    half = '"\\ud800"'
    sent: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", path, {"content": f'{{"claim_id": {half}}}', "headers": own}),
        ("POST", path, {"content": f'{{"claim_id": "{VEGAN}", "metadata": {{{half}: "1"}}}}', "headers": own}),
        ("POST", path, {"content": f'{{"claim_id": "{VEGAN}", "evidence_note": {half}}}', "headers": own}),
        ("POST", path, {"content": f'{{{half}: 1, "claim_id": "{VEGAN}\\u0000"}}', "headers": own}),
        ("POST", path, {"content": b'{"claim_id": "\xed\xa0\x80"}', "headers": own}),
        *[("POST", path, {"content": f"claim_id={VEGAN}&{n}={odd}", "headers": form}) for odd in ODD
          for n in ("evidence_note", "metadata[a]", f"metadata[{odd}]", odd)],
        *[("POST", "/graphql", {"content": body, "headers": own}) for body in (
            f'{{"query": "query ($c: String) {{ claim(code: $c) {{ id }} }}", "variables": {{"c": {half}}}}}',
            f'{{"query": "query ($c: String) {{ claim(code: $c) {{ id }} }}", "variables": {{{half}: "x"}}}}',
            '{"query": "{ claim(code: \\"\\\\ud800\\") { id } }"}',
            '{"query": "{ claim(code: \\"\\\\u0000\\") { id } }"}',
            f'{{"query": "{{ __typename }}", "operationName": {half}}}',
            f'{{"documentId": {half}}}',
        )],
        *[("GET", f"/graphql?query=%7B__typename%7D&{n}={odd}", {"headers": own}) for odd in ODD
          for n in ("operationName", "documentId", odd)],
        *[("GET", f"/graphql?query=%7Bclaim(code:%22{odd}%22)%7Bid%7D%7D", {"headers": own}) for odd in ODD],
        *[("GET", path, {"headers": {name: value}}) for name in (b"X-API-Key", b"Authorization", b"If-None-Match")
          for value in (b"\xed\xa0\x80", b"\xff", b"Bearer \xff.\xff.\xff")],
        *[("GET", path, {"headers": {b"Cookie": b"sessionid=" + value}}) for value in (b'"\\000"', b"\xff")],
        ("POST", path, {"json": {"claim_id": VEGAN}, "headers": {b"X-API-Key": own["X-API-Key"].encode(),
                                                                  b"Idempotency-Key": b"\xff"}}),
        *[("POST", "/sign-in", {"content": f"api_key={odd}", "headers": {**form, **here}}) for odd in ODD],
        *[("POST", "/invitation", {"content": f"token={odd}", "headers": {**form, **here}}) for odd in ODD],
        *[("GET", f"/invitation?token={odd}", {}) for odd in ODD],
        *[("GET", f"/sign-in?token={odd}", {}) for odd in ODD],
        ("POST", "/sign-out", {"headers": {**here, b"Cookie": b'sessionid="\\000\\377"'}}),
    ]  # fmt: skip
    for method, url, more in sent:
        response = await world.client.request(method, url, **more)
        assert response.status_code in {*CALM, 303, 410}, (method, url, more, response.text)
        assert "internal_error" not in response.text
