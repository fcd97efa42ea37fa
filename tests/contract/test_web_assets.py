"""The files of the GraphiQL page: unaltered, licensed, from this host alone, served as files should be."""

import gzip
import hashlib
import json
from html.parser import HTMLParser
from typing import Any

import pytest
from graphql import OperationDefinitionNode, OperationType, get_variable_values, parse, validate
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gateway.pages.graphiql import CONTENT_SECURITY_POLICY, GRAPHIQL, Example, graphiql_routes, read_examples
from gateway.pages.workbench import workbench_routes
from schema.schema import schema

MANIFEST: list[dict[str, str]] = json.loads((GRAPHIQL / "manifest.json").read_bytes())["files"]
OWN = ("index.html", "app.js", "app.css")
LIBRARY = "/graphiql/graphiql-4.1.2.min.js"


class Page(HTMLParser):
    """What a document loads (`src`, `href`) and what it should have left to other files."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [address for name in ("src", "href") if (address := given.get(name))]
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]


@pytest.fixture(scope="module")
def client() -> TestClient:
    # Without this, the client asks for gzip by itself.
    return TestClient(
        Starlette(routes=[*workbench_routes(), *graphiql_routes()]), headers={"Accept-Encoding": "identity"}
    )


def test_every_vendored_file_is_in_the_manifest() -> None:
    assert {entry["file"] for entry in MANIFEST} == {f"vendor/{file.name}" for file in (GRAPHIQL / "vendor").iterdir()}


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_vendored_file_is_what_the_manifest_says(entry: dict[str, str]) -> None:
    content = (GRAPHIQL / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert entry["version"] in entry["file"], "the name carries the version, since browsers keep the file for ever"
    assert entry["licence"] == "MIT"
    assert "Permission is hereby granted" in (GRAPHIQL / entry["licenceFile"]).read_text()
    assert b"sourceMappingURL" not in content
    if entry["file"].endswith(".css"):
        assert b"url(http" not in content
        assert b"@import" not in content


def test_code_and_fonts_inside_the_vendored_files_have_their_licences() -> None:
    notice = (GRAPHIQL / "licences" / "THIRD_PARTY.txt").read_text()
    for part in (
        "codemirror",
        "graphql",
        "graphiql-explorer",
        "framer-motion",
        "font Fira Code",
        "font Roboto",
    ):
        assert f"\n{part} " in notice
    for text in ("Permission is hereby granted", "Apache License", "SIL OPEN FONT LICENSE"):
        assert text in notice


@pytest.mark.parametrize("name", OWN)
def test_own_file_names_no_other_host(name: str) -> None:
    text = (GRAPHIQL / name).read_text()
    assert "http://" not in text
    assert "https://" not in text
    assert '"//' not in text


def test_page_loads_only_what_is_served_and_nothing_inline(client: TestClient) -> None:
    page = Page()
    page.feed(client.get("/graphiql").text)
    assert page.inline == []
    assert {f"/{address}" for address in page.loads} >= {f"/graphiql/{entry['file'][7:]}" for entry in MANIFEST}
    # Where the header leads to, tests of a served application see.
    loaded = [address for address in page.loads if "." in address.strip("./")]
    assert [client.get(f"/{address}").status_code for address in loaded] == [200] * len(loaded)


@pytest.mark.parametrize(
    ("path", "content_type", "cache_control"),
    [
        ("/graphiql", "text/html; charset=utf-8", "no-cache"),
        ("/graphiql/app.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/graphiql/app.css", "text/css; charset=utf-8", "no-cache"),
        ("/graphiql/favicon.svg", "image/svg+xml", "no-cache"),
        ("/graphiql/examples.json", "application/json", "no-cache"),
        ("/graphiql/licences.txt", "text/plain; charset=utf-8", "no-cache"),
        (LIBRARY, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
    ],
)
def test_file_is_served_with_type_cache_and_policy(
    client: TestClient, path: str, content_type: str, cache_control: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["cache-control"] == cache_control
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert int(answer.headers["content-length"]) == len(answer.content) > 0

    head = client.head(path)
    assert head.status_code == 200
    assert head.content == b""
    assert {**head.headers} == {**answer.headers}


def test_policy_permits_this_host_and_no_shortcut() -> None:
    policy = dict(directive.split(" ", 1) for directive in CONTENT_SECURITY_POLICY.split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("accepted", ["gzip", "br;q=1.0, gzip;q=0.8", "*", "GZIP", "gzip;q=0.001"])
def test_gzip_is_sent_where_it_is_accepted(client: TestClient, accepted: str) -> None:
    plain = client.get(LIBRARY)
    with client.stream("GET", LIBRARY, headers={"Accept-Encoding": accepted}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
    assert gzip.decompress(body) == plain.content
    assert len(body) == int(answer.headers["content-length"]) < len(plain.content) / 2
    assert answer.headers["etag"] != plain.headers["etag"]


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip;q=0.000, *", "*;q=0"])
def test_gzip_is_not_sent_where_it_is_refused(client: TestClient, accepted: str) -> None:
    answer = client.get("/graphiql/app.js", headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
@pytest.mark.parametrize("condition", ["{}", "W/{}", '"other", {}', "*"])
def test_unchanged_file_is_answered_304(client: TestClient, accepted: str, condition: str) -> None:
    headers = {"Accept-Encoding": accepted}
    etag = client.get("/graphiql/app.css", headers=headers).headers["etag"]
    assert not etag.startswith("W/")
    answer = client.get("/graphiql/app.css", headers={**headers, "If-None-Match": condition.format(etag)})
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == etag
    assert {"cache-control", "vary"} <= set(answer.headers)


def test_changed_file_is_sent_again(client: TestClient) -> None:
    answer = client.get("/graphiql/app.css", headers={"If-None-Match": '"of-another-version"'})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "name", ["manifest.json", "renew.py", "THIRD_PARTY.txt", "..%2Fapp.js", "..%2F..%2Fpyproject.toml"]
)
def test_file_outside_the_list_is_not_served(client: TestClient, name: str) -> None:
    assert client.get(f"/graphiql/{name}").status_code == 404


def test_page_is_read_only_and_has_one_address(client: TestClient) -> None:
    refused = client.post("/graphiql")
    assert refused.status_code == 405
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert client.get("/graphiql", follow_redirects=False).status_code == 200


def test_the_icon_that_browsers_ask_for_unasked_is_there(client: TestClient) -> None:
    icon = client.get("/favicon.ico")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.content == client.get("/graphiql/favicon.svg").content


def test_examples_are_served_as_they_are_read(client: TestClient) -> None:
    served: list[dict[str, Any]] = client.get("/graphiql/examples.json").json()
    assert [Example(**example) for example in served] == read_examples()
    assert served[0]["title"] == "A product with everything"
    assert {example["changes"] for example in served} == {True, False}


@pytest.mark.parametrize("example", read_examples(), ids=lambda example: example.title)
def test_example_is_one_named_operation_that_fits_the_schema(example: Example) -> None:
    document = parse(example.query)
    (operation,) = (item for item in document.definitions if isinstance(item, OperationDefinitionNode))
    assert operation.name is not None
    assert validate(schema._schema, document) == []
    assert example.changes is (operation.operation is OperationType.MUTATION)
    variables = json.loads(example.variables or "{}")
    declared = operation.variable_definitions or ()
    assert set(variables) == {definition.variable.name.value for definition in declared}
    assert not isinstance(get_variable_values(schema._schema, declared, variables), list)
    assert example.description
