"""HEAD wherever GET is, OPTIONS on every path, and paths with a slash too many."""

import pytest

from rest_compat.openapi import DOCUMENT_PATHS
from rest_compat.routes import ENDPOINTS
from tests.world import GTIN, NON_GMO, USDA_ORGANIC, VEGAN, World

API = "/certifications/api/v1"
PATHS = sorted({endpoint.path for endpoint in ENDPOINTS})
FILLED = {"{gtin}": GTIN, "{certification_id}": USDA_ORGANIC, "{claim_id}": VEGAN}
READ = [
    f"{API}/claims",
    f"{API}/claims/{NON_GMO}",
    f"{API}/claims/unknown",
    f"{API}/products/{GTIN}",
    f"{API}/products/{GTIN}/certifications",
    "/products/api/v1/trade-items",
    "/graphql?query={viewer{organization{slug}}}",
]
CHANGING = ("date", "x-request-id")

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def filled(path: str) -> str:
    for name, value in FILLED.items():
        path = path.replace(name, value)
    return path


def fixed(headers: dict[str, str]) -> dict[str, str]:
    """Those that do not differ from request to request."""
    return {name: value for name, value in headers.items() if name not in CHANGING and "ratelimit" not in name}


@pytest.mark.parametrize("path", READ)
@on_sqlite
async def test_head_is_get_without_the_body(world: World, path: str) -> None:
    credential = {"X-API-Key": world.keys["readonly"]}
    got = await world.client.get(path, headers=credential)
    head = await world.client.head(path, headers=credential)
    assert got.content
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert fixed(dict(head.headers)) == fixed(dict(got.headers))
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers.keys() == got.headers.keys()


@pytest.mark.parametrize("path", ["/healthz", "/", f"{API}/claims"])
@on_sqlite
async def test_head_without_a_credential_is_get_too(world: World, path: str) -> None:
    got, head = await world.client.get(path), await world.client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")


@pytest.mark.parametrize("path", PATHS)
@on_sqlite
async def test_options_lists_the_methods_of_each_path(world: World, path: str) -> None:
    methods = {endpoint.method for endpoint in ENDPOINTS if endpoint.path == path}
    taking = {each.method for each in ENDPOINTS if each.path == path and (each.body or each.takes)}
    answer = await world.client.options(filled(path), headers={"X-API-Key": world.keys["readonly"]})
    assert (answer.status_code, answer.content) == (204, b"")
    expected = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    assert answer.headers["allow"].split(", ") == sorted(expected)
    for method, name in (("PATCH", "accept-patch"), ("POST", "accept-post")):
        assert (name in answer.headers) is (method in taking)
        if method in taking:
            assert "application/json" in answer.headers[name]
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
@on_sqlite
async def test_another_method_is_refused_with_the_same_list(world: World, path: str) -> None:
    credential = {"X-API-Key": world.keys["manager"]}
    refused = await world.client.put(filled(path), headers=credential, json={})
    options = await world.client.options(filled(path), headers=credential)
    assert (refused.status_code, refused.json()["error_code"]) == (405, "method_not_allowed")
    assert refused.headers["allow"] == options.headers["allow"]


PAGES = {
    **dict.fromkeys(DOCUMENT_PATHS, "GET, HEAD, OPTIONS"),
    "/schema.graphql": "GET, HEAD, OPTIONS",
    "/.well-known/api-catalog": "GET, HEAD, OPTIONS",
    "/docs/errors/not_found": "GET, HEAD, OPTIONS",
    "/healthz": "GET, HEAD, OPTIONS",
    "/graphql": "GET, HEAD, OPTIONS, POST",
    "/sign-in": "GET, HEAD, OPTIONS, POST",
    "/invitation": "GET, HEAD, OPTIONS, POST",
    "/sign-out": "OPTIONS, POST",
}


@pytest.mark.parametrize("path", PAGES)
@on_sqlite
async def test_pages_and_documents_tell_their_methods_in_one_order(world: World, path: str) -> None:
    credential = {"X-API-Key": world.keys["readonly"]}
    asked = await world.client.options(path, headers=credential)
    assert (asked.status_code, asked.content, asked.headers["allow"]) == (204, b"", PAGES[path])
    refused = await world.client.put(path, headers=credential)
    assert (refused.status_code, refused.headers["allow"]) == (405, PAGES[path])


@on_sqlite
async def test_a_path_that_is_none_has_no_methods(world: World) -> None:
    assert (await world.client.options("/nowhere")).status_code == 404


@pytest.mark.parametrize("path", READ)
@on_sqlite
async def test_a_last_slash_makes_no_difference(world: World, path: str) -> None:
    credential = {"X-API-Key": world.keys["readonly"]}
    plain, _, query = path.partition("?")
    got = await world.client.get(path, headers=credential)
    slashed = await world.client.get(f"{plain}/?{query}", headers=credential)
    assert slashed.status_code == got.status_code
    assert slashed.headers.get("etag") == got.headers.get("etag")
    assert not slashed.has_redirect_location


@on_sqlite
async def test_a_body_reaches_a_path_with_a_last_slash(world: World) -> None:
    answer = await world.client.post(
        f"{API}/products/{GTIN}/claims/", json={"claim_id": VEGAN}, headers={"X-API-Key": world.keys["manager"]}
    )
    assert answer.status_code == 201


@pytest.mark.parametrize("path", [f"{API}/claims//", "/certifications/", f"//{API[1:]}/claims"])
@on_sqlite
async def test_more_slashes_are_another_path(world: World, path: str) -> None:
    answer = await world.client.get(f"http://certgate.test{path}", headers={"X-API-Key": world.keys["readonly"]})
    assert answer.status_code == 404
