"""GraphQL over HTTP, against a small schema: media types, statuses, methods and bodies that are no requests."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Scope

from execution.documents.limits import DocumentLimits
from execution.errors import root_cause
from execution.executor import Executor
from schema.context import OperationCharge
from schema.http import GraphQLEndpoint
from schema.http_format import Format, negotiate
from schema.http_request import NotGraphQL, read_body

NEW = "application/graphql-response+json"
OLD = "application/json"
PROBLEM = "application/problem+json"


@dataclass
class Context:
    path: str
    loaders: dict[Any, Any] = field(default_factory=dict)

    async def __aenter__(self) -> None:
        """A mutation runs in such a block."""

    async def __aexit__(self, *_: object) -> None:
        """There is nothing to undo."""


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "you", times: int = 1) -> str:
        return " ".join([f"hello {name}"] * times)

    @strawberry.field
    def where(self, info: strawberry.Info[Context, None]) -> str:
        return info.context.path

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("secret")

    @strawberry.field
    def required(self) -> str:
        raise RuntimeError("secret")


written: list[int] = []


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self) -> int:
        written.append(1)
        return len(written)


def present(scope: Scope, errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
    return [present_one(error) for error in errors]


def present_one(error: GraphQLError) -> dict[str, Any]:
    shown = dict(error.formatted)
    if root_cause(error) is not None:
        shown["message"] = "Internal error"
    return shown


def problem(status: int, code: str, detail: str, headers: Any) -> Response:
    content = {"status": status, "error_code": code, "detail": detail}
    return JSONResponse(content, status, dict(headers), media_type=PROBLEM)


def make_context(scope: Scope, asked: OperationCharge) -> Context:
    return Context(scope["path"])


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    endpoint = GraphQLEndpoint(
        Executor(strawberry.Schema(Query, Mutation), DocumentLimits(max_depth=3)),
        make_context=make_context,
        present=present,
        problem=problem,
        max_body=10_000,
    )
    with TestClient(Starlette(routes=[Route("/graphql", endpoint)])) as client:
        client.headers.pop("accept")
        yield client


def post(client: TestClient, query: Any = "{ hello }", accept: str | None = None, **members: Any) -> Any:
    headers = {} if accept is None else {"Accept": accept}
    return client.post("/graphql", json={"query": query, **members}, headers=headers)


def assert_problem(response: Any, status: int, code: str) -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, PROBLEM)
    body = response.json()
    assert (body["status"], body["error_code"]) == (status, code)
    assert body["detail"].endswith(".")
    assert "Accept" in response.headers["vary"]


REQUESTS: dict[str, dict[str, Any]] = {
    "data": {"query": "{ hello }"},
    "failed field": {"query": "{ broken hello }"},
    "failed answer": {"query": "{ required }"},
    "syntax": {"query": "{"},
    "validation": {"query": "{ nope }"},
    "variables": {"query": "query ($n: Int!) { hello(times: $n) }", "variables": {"n": "x"}},
    "unknown operation": {"query": "query A { hello }", "operationName": "B"},
    "ambiguous operation": {"query": "query A { hello } query B { hello }"},
    "subscription": {"query": "subscription { hello }"},
    "limit": {"query": "{ a { b { c { d } } } }"},
}
RUN = ("data", "failed field", "failed answer")


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize(
    ("accept", "media_type", "legacy"),
    [
        (NEW, NEW, False),
        (f"{NEW}; charset=utf-8, {OLD};q=0.9", NEW, False),
        (f"{NEW}, {OLD}", NEW, False),
        (OLD, OLD, True),
        ("*/*", OLD, False),
        (None, OLD, False),
    ],
)
def test_statuses(client: TestClient, name: str, accept: str | None, media_type: str, legacy: bool) -> None:
    response = client.post("/graphql", json=REQUESTS[name], headers={"Accept": accept} if accept else {})
    ok = name in RUN or (legacy and name != "limit")
    assert response.status_code == (200 if ok else 400)
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.headers["vary"] == "Accept"
    body = response.json()
    assert ("data" in body) is (name in RUN)
    assert ("errors" in body) is (name != "data")
    assert "secret" not in response.text


def test_the_answers(client: TestClient) -> None:
    assert post(client).json() == {"data": {"hello": "hello you"}}
    assert post(client, "{ where }").json() == {"data": {"where": "/graphql"}}
    assert post(client, "{ broken hello }").json() == {
        "errors": [{"message": "Internal error", "locations": [{"line": 1, "column": 3}], "path": ["broken"]}],
        "data": {"broken": None, "hello": "hello you"},
    }
    assert post(client, "{ required }").json()["data"] is None
    assert post(client, "{ a { b { c { d } } } }").json()["errors"][0]["extensions"] == {
        "code": "QUERY_TOO_DEEP",
        "measured": 4,
        "limit": 3,
    }


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", (OLD, False)),
        ("*/*", (OLD, False)),
        ("application/*", (OLD, False)),
        ("APPLICATION/JSON", (OLD, True)),
        (f"{OLD}, */*", (OLD, True)),
        (f"{NEW}, */*", (NEW, False)),
        (f"{OLD}, text/plain, */*", (OLD, True)),
        (f"{OLD};q=0.5, {NEW};q=0.4", (OLD, True)),
        (f"{OLD};q=0.4, {NEW};q=0.5", (NEW, False)),
        (f"{NEW};q=0, */*", (OLD, False)),
        (f"{OLD};q=0, */*", (NEW, False)),
        (f"{OLD};q=0.1, */*;q=0.5", (NEW, False)),
        (f"{OLD}, multipart/mixed", (OLD, True)),
        (f"multipart/mixed;deferSpec=20220824,{NEW},{OLD};q=0.9", (NEW, False)),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", (OLD, False)),
        (f'{NEW}; charset="UTF-8"', (NEW, False)),
        (f"{NEW}; charset=latin-1, {OLD}", (OLD, True)),
        (f"nonsense, ;;;, {NEW};q=many, {NEW};q=7, {NEW};q=nan, {OLD}", (OLD, True)),
        ("text/html", None),
        ("application/jsonx", None),
        ("*/*;q=0", None),
        (f"{NEW};q=0", None),
        (f"{NEW};charset=latin-1", None),
    ],
)
def test_negotiation(accept: str, expected: tuple[str, bool] | None) -> None:
    assert negotiate(accept) == (None if expected is None else Format(*expected))


def test_nothing_acceptable(client: TestClient) -> None:
    assert_problem(post(client, accept="text/html"), 406, "not_acceptable")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "QUERY"])
def test_other_methods(client: TestClient, method: str) -> None:
    response = client.request(method, "/graphql", json={"query": "{ hello }"})
    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_options(client: TestClient) -> None:
    response = client.options("/graphql")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert response.headers["accept-post"] == "application/json"


def test_get(client: TestClient) -> None:
    query = "query A($n: Int!) { hello(times: $n) } query B { hello }"
    parameters = {"query": query, "variables": '{"n": 2}', "operationName": "A", "extensions": "", "other": "x"}
    response = client.get("/graphql", params=parameters, headers={"Accept": NEW})
    assert response.status_code == 200
    assert response.json() == {"data": {"hello": "hello you hello you"}}


def test_get_takes_null_as_a_name_and_an_empty_text_as_absent(client: TestClient) -> None:
    assert client.get("/graphql", params={"query": "query null { hello }", "operationName": "null"}).status_code == 200
    empty = {"query": "{ hello }", "operationName": "", "variables": "", "extensions": ""}
    assert client.get("/graphql", params=empty).status_code == 200


def test_head_has_the_headers_of_get(client: TestClient) -> None:
    got = client.get("/graphql", params={"query": "{ hello }"})
    head = client.head("/graphql", params={"query": "{ hello }"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == got.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("accept", [NEW, OLD])
def test_a_mutation_is_not_run_by_get(client: TestClient, method: str, accept: str) -> None:
    written.clear()
    response = client.request(method, "/graphql", params={"query": "mutation { write }"}, headers={"Accept": accept})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert written == []
    assert post(client, "mutation { write }").json() == {"data": {"write": 1}}


def test_get_chooses_the_query_beside_a_mutation(client: TestClient) -> None:
    both = "query Q { hello } mutation M { write }"
    assert client.get("/graphql", params={"query": both, "operationName": "Q"}).status_code == 200
    assert client.get("/graphql", params={"query": both, "operationName": "M"}).status_code == 405


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": "{ hello }", "variables": "{"},
        {"query": "{ hello }", "variables": "[]"},
        {"query": "{ hello }", "variables": "1"},
        {"query": "{ hello }", "extensions": '"x"'},
        {"query": "{ hello }", "variables": '{"a": 1, "a": 2}'},
        {"query": "{ hello }", "variables": "[" * 5_000},
        {"query": ["{ hello }", "{ where }"]},
    ],
)
def test_a_url_that_is_no_request(client: TestClient, parameters: dict[str, Any]) -> None:
    assert_problem(client.get("/graphql", params=parameters), 400, "bad_request")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_sites_page_may_not_get_with_cookies(client: TestClient, site: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Cookie": "sessionid=1"}
    assert_problem(client.get("/graphql", params={"query": "{ hello }"}, headers=headers), 403, "forbidden")
    for allowed in (
        {"Sec-Fetch-Site": site},
        {"Sec-Fetch-Site": "same-origin", "Cookie": "sessionid=1"},
        {"Cookie": "sessionid=1"},
        {**headers, "GraphQL-Require-Preflight": "1"},
    ):
        assert client.get("/graphql", params={"query": "{ hello }"}, headers=allowed).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/graphql",
        "application/json, text/plain",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
    ],
)
def test_other_content_types(client: TestClient, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = client.post("/graphql", content=b'{"query": "{ hello }"}', headers=headers)
    assert_problem(response, 415, "unsupported_media_type")
    assert response.headers["accept-post"] == "application/json"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_content_types(client: TestClient, content_type: str) -> None:
    body = json.dumps({"query": '{ hello(name: "Bj\u00f6rn \U0001f3c3") }'}, ensure_ascii=False).encode()
    response = client.post("/graphql", content=body, headers={"Content-Type": content_type})
    assert response.json() == {"data": {"hello": "hello Bj\u00f6rn \U0001f3c3"}}


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "blank": b" ",
    "number": b"1",
    "string": b'"x"',
    "null": b"null",
    "true": b"true",
    "list": b"[]",
    "batch": b'[{"query": "{ hello }"}]',
    "list of strings": b'["a"]',
    "empty object": b"{}",
    "cut": b'{"query": "{ hello }"',
    "two values": b'{"query": "{ hello }"}{}',
    "trailing comma": b'{"query": "{ hello }",}',
    "deep list": b"[" * 9_000,
    "deep object": b'{"a":' * 1_900,
    "deep variables": b'{"query": "{ hello }", "variables": ' + b'{"a":' * 1_500 + b"1" + b"}" * 1_500 + b"}",
    "invalid UTF-8": b'{"query": "{ hello \xff}"}',
    "invalid UTF-8 in an unknown member": b'{"query": "{ hello }", "x": "\xff"}',
    "UTF-16": '{"query": "{ hello }"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"query": "{ hello }"}',
    "lone surrogate": b'{"query": "{ hello }", "variables": {"a": "\\ud800 and more than that"}}',
    "lone surrogate in the query": b'{"query": "{ hello(name: \\"\\udc00\\") }"}',
    "lone surrogate as a name": b'{"query": "{ hello }", "\\ud800aaaaaaaaaa": 1}',
    "NaN": b'{"query": "{ hello }", "variables": {"a": NaN}}',
    "Infinity": b'{"query": "{ hello }", "variables": {"a": -Infinity}}',
    "huge exponent": b'{"query": "{ hello }", "variables": {"a": 1e999}}',
    "huge number": b'{"query": "{ hello }", "variables": {"a": ' + b"9" * 6_000 + b"}}",
    "query twice": b'{"query": "{ hello }", "query": "{ where }"}',
    "query twice, once escaped": b'{"query": "{ hello }", "qu\\u0065ry": "{ where }"}',
    "variable twice": b'{"query": "{ hello }", "variables": {"a": 1, "a": 1}}',
    "no query": b'{"notquery": "{ hello }"}',
    "query null": b'{"query": null}',
    "control character": b'{"query": "{\x00}"}',
}
for _member, _values in {
    "query": ["1", "true", "[]", "{}"],
    "operationName": ["1", "false", "[]", "{}"],
    "variables": ['"x"', "0", "false", "[]"],
    "extensions": ['"x"', "0", "false", "[]"],
}.items():
    for _value in _values:
        BODIES[f"{_member} = {_value}"] = f'{{"query": "{{ hello }}", "{_member}": {_value}}}'.replace(
            '"query": "{ hello }", "query"', '"query"'
        ).encode()


@pytest.mark.parametrize("members", ["", '"operationName":null,'], ids=["plain", "looked at twice"])
def test_a_body_may_have_20000_names_and_no_more(members: str) -> None:
    def body(names: int) -> bytes:
        own = 2 + members.count(":")  # query and variables
        variables = ",".join(f'"{number}":1' for number in range(names - own))
        return f'{{{members}"query":"{{ hello }}","variables":{{{variables}}}}}'.encode()

    assert len(read_body(body(20_000)).variables or {}) > 19_990
    with pytest.raises(NotGraphQL, match="more than 20000 names"):
        read_body(body(20_001))


BEFORE_VARIABLES = (
    '{"query":"{a}",',
    '{ "query" : "{a}" , ',
    '{"query":"{a}",,',
    '{"query":"{a}"',
    '{"query":"\\"variables\\": {}",',
    '{"query":"variables",',
    '{"query":"{a}","operationName":"A",',
    '{"query":"{a}","query":"{b}",',
    '{"query":"{a}","documentId":"x",',
    '{"query":"{a}","x":{',
    '{"query":null,',
    '{"query":"{a}","extensions":{"x":1,',
    '{"query":"{a}","extensions":{"x":1},',
    '{"query":"{a}","x":["a",',
    "{",
    "[",
)
FROM_VARIABLES_ON = (
    '"variables":{"a":1}}',
    '"variables" : {"a": {"b": [1]}} } ',
    '"variables":{"a":1},"query":"{b}"}',
    '"variables":null}',
    '"variables":{"a":1,"a":2}}',
    '"variables":{"a":1},"operationName":"B"}',
    '"variables":{"a":1},"variables":{"b":2}}',
    '"variables":{"a":1}}}',
    '"variables":{"a":1},"x":2}',
    '"variables":1}',
    '"variables":{"a":1},"extensions":{"cost":true}}',
    '"variables"]}',
    '"variables":{"a":1',
)


@pytest.mark.parametrize("before", BEFORE_VARIABLES)
def test_a_request_is_the_same_whether_its_document_came_before_or_not(before: str) -> None:
    def outcome(text: str) -> Any:
        try:
            return read_body(text.encode())
        except NotGraphQL as refusal:
            return re.sub(r"at .*|\(.*", "", refusal.detail)

    for rest in FROM_VARIABLES_ON:
        text = before + rest
        # The same object; spelt so, its variables are not looked for.
        whole = outcome(text.replace('"variables"', '"\\u0076ariables"'))
        assert [outcome(text), outcome(text)] == [whole, whole], text


def test_a_body_that_can_just_be_decoded_may_nest_too_deeply() -> None:
    # From Python 3.12 on the decoder goes deeper than functions do.
    answers = set()
    for depth in range(1, sys.getrecursionlimit() + 50):
        body = b'{"query": "{ hello }", "variables": {"v": ' + b"[" * depth + b"]" * depth + b"}}"
        try:
            answers.add(read_body(body).query)
        except NotGraphQL as refusal:
            answers.add(refusal.detail)
    assert answers == {"{ hello }", "The body is nested too deeply; nest fewer levels."}


@pytest.mark.parametrize("accept", [NEW, OLD])
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_request(client: TestClient, name: str, accept: str) -> None:
    headers = {"Content-Type": "application/json", "Accept": accept}
    response = client.post("/graphql", content=BODIES[name], headers=headers)
    assert_problem(response, 400, "bad_request")


def test_null_is_absent_and_unknown_members_are_ignored(client: TestClient) -> None:
    response = post(client, variables=None, operationName=None, extensions=None, other={"a": [1]})
    assert response.json() == {"data": {"hello": "hello you"}}
    assert post(client, operationName="", extensions={"a": 1}).status_code == 200


def test_an_announced_body_that_is_too_large_is_not_read(client: TestClient) -> None:
    body = b'{"query": "{ hello }"}' + b" " * 10_000
    response = client.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert_problem(response, 413, "payload_too_large")


def test_a_streamed_body_is_read_up_to_the_limit(client: TestClient) -> None:
    chunks = iter([b" " * 4_000] * 4)
    response = client.post("/graphql", content=chunks, headers={"Content-Type": "application/json"})
    assert_problem(response, 413, "payload_too_large")


async def test_reading_stops_at_the_chunk_that_is_too_much() -> None:
    endpoint = GraphQLEndpoint(
        Executor(strawberry.Schema(Query)),
        make_context=make_context,
        present=present,
        problem=problem,
        max_body=10,
    )
    received: list[int] = []
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        received.append(1)
        return {"type": "http.request", "body": b"123456", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    await endpoint(scope, receive, send)
    assert (sent[0]["status"], len(received)) == (413, 2)


async def test_a_client_that_leaves_while_sending_gets_no_answer() -> None:
    endpoint = GraphQLEndpoint(
        Executor(strawberry.Schema(Query)), make_context=make_context, present=present, problem=problem
    )
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    await endpoint(scope, receive, send)
    assert sent == []


@pytest.mark.parametrize("length", [b"-1", b"1e9", b"\xb2", b"9" * 400, b""])
def test_a_strange_content_length_is_no_failure(client: TestClient, length: bytes) -> None:
    headers = {b"Content-Type": b"application/json", b"Content-Length": length}
    response = client.post("/graphql", content=iter([b'{"query": "{ hello }"}']), headers=headers)
    assert response.status_code in (200, 413)


@pytest.mark.parametrize("accept", [NEW, OLD])
def test_an_operation_stopped_for_its_time(accept: str) -> None:
    @strawberry.type
    class Waiting:
        @strawberry.field
        async def for_ever(self) -> int:
            await asyncio.Event().wait()
            return 1

    endpoint = GraphQLEndpoint(
        Executor(strawberry.Schema(Waiting), timeout=0.01),
        make_context=lambda scope, asked: Context(""),
        present=present,
        problem=problem,
    )
    with TestClient(Starlette(routes=[Route("/graphql", endpoint)])) as client:
        response = post(client, "{ forEver }", accept)
    assert response.status_code == 504
    assert response.json()["errors"][0]["extensions"] == {"code": "OPERATION_TIMED_OUT"}
    assert "data" not in response.json()


def test_what_the_context_refuses_is_left_to_the_application() -> None:
    class Unauthorized(Exception):
        pass

    def make_context(scope: Scope, asked: OperationCharge) -> Context:
        raise Unauthorized

    def unauthorized(request: Request, error: Exception) -> Response:
        return Response(status_code=401)

    endpoint = GraphQLEndpoint(
        Executor(strawberry.Schema(Query)), make_context=make_context, present=present, problem=problem
    )
    app = Starlette(routes=[Route("/graphql", endpoint)], exception_handlers={Unauthorized: unauthorized})
    with TestClient(app) as client:
        assert post(client).status_code == 401
        assert post(client, "{").status_code == 400


def test_request_errors_are_presented_too(client: TestClient) -> None:
    [error] = post(client, "{ nope }", NEW).json()["errors"]
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert error["locations"] == [{"line": 1, "column": 3}]
