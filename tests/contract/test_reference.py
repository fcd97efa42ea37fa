"""The reference page and the pages on errors: complete, from this host alone, with unaltered and licensed files."""

import hashlib
import json
import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from domain.problem import KINDS
from gateway.pages.reference import CONTENT_SECURITY_POLICY, ERRORS, REFERENCE, explanations, reference_routes
from gateway.pages.workbench import workbench_routes

TYPE_BASE = "https://certgate.example.org/docs/errors/"
MANIFEST: list[dict[str, str]] = json.loads((REFERENCE / "manifest.json").read_bytes())["files"]


@pytest.fixture(scope="module")
def client() -> TestClient:
    # Without this, the client asks for gzip by itself.
    return TestClient(
        Starlette(routes=[*workbench_routes(), *reference_routes("", TYPE_BASE)]),
        headers={"Accept-Encoding": "identity"},
    )


def test_every_vendored_file_is_in_the_manifest() -> None:
    assert {entry["file"] for entry in MANIFEST} == {f"vendor/{file.name}" for file in (REFERENCE / "vendor").iterdir()}


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_vendored_file_is_what_the_manifest_says(entry: dict[str, str]) -> None:
    content = (REFERENCE / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert entry["version"] in entry["file"], "the name carries the version, since browsers keep the file for ever"
    assert entry["licence"] == "Apache-2.0"
    assert "Apache License" in (REFERENCE / entry["licenceFile"]).read_text()
    assert b"sourceMappingURL" not in content
    if entry["file"].endswith(".css"):
        assert b"url(http" not in content
        assert b"@import" not in content


def test_code_inside_the_vendored_files_has_its_licences() -> None:
    notice = (REFERENCE / "licences" / "THIRD_PARTY.txt").read_text()
    for part in ("swagger-ui-dist", "react", "immutable", "highlight.js", "dompurify", "js-yaml"):
        assert f"\n{part} " in notice
    for text in ("Apache License", "Permission is hereby granted", "Redistribution and use"):
        assert text in notice


@pytest.mark.parametrize("name", ["index.html", "app.js", "app.css"])
def test_own_file_names_no_other_host_and_nothing_inline(name: str) -> None:
    text = (REFERENCE / name).read_text()
    assert not re.findall(r"https?://|\"//", text)
    assert not re.findall(r"<style|<script>|\son\w+=|\sstyle=", text)


@pytest.mark.parametrize("path", ["/docs", "/docs/errors", *(f"/docs/errors/{code}" for code in KINDS)])
def test_page_loads_only_what_is_there(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    loaded = re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]+)"', answer.text)
    assert len(loaded) >= 2
    for address in loaded:
        if not address.startswith(".well-known"):
            assert client.get(str(answer.url.join(address))).status_code == 200, address
    for address in re.findall(r'<a href="([^"]+)"', answer.text):
        if "errors" in address or (address.endswith("/docs") and "?" not in address):
            assert client.get(str(answer.url.join(address))).status_code == 200, address


def test_policy_permits_this_host_and_no_shortcut() -> None:
    policy = dict(directive.split(" ", 1) for directive in CONTENT_SECURITY_POLICY.split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"unsafe|http|\*", CONTENT_SECURITY_POLICY)


def test_every_code_is_explained_as_it_is_sent() -> None:
    document = ERRORS.read_text()
    assert explanations(document).keys() == KINDS.keys()
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (yes|no) \| ", document, re.MULTILINE)
    said = {code: (int(status), retryable == "yes") for code, status, retryable in rows}
    assert said == {code: (kind.status, kind.retryable) for code, kind in KINDS.items()}


@pytest.mark.parametrize("code", KINDS)
def test_page_of_a_code_says_what_to_do(client: TestClient, code: str) -> None:
    text = client.get(f"/docs/errors/{code}").text
    assert f"<h1>{KINDS[code].title}</h1>" in text
    assert f"{TYPE_BASE}{code}" in text
    assert f"HTTP status {KINDS[code].status}" in text
    assert "`" not in text
    assert f'href="errors/{code}"' in client.get("/docs/errors").text


@pytest.mark.parametrize(
    "path", ["/docs/errors/nothing", "/docs/errors/Not_Found", "/docs/nothing", "/docs/manifest.json"]
)
def test_what_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_vendored_files_are_kept_and_pages_revalidated(client: TestClient) -> None:
    library = f"/docs/{MANIFEST[0]['file'].removeprefix('vendor/')}"
    assert client.get(library).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/docs/licences.txt").headers["content-type"] == "text/plain; charset=utf-8"
    page = client.get("/docs")
    assert page.headers["cache-control"] == "no-cache"
    assert client.get("/docs", headers={"If-None-Match": page.headers["etag"]}).status_code == 304
