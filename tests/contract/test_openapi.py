"""The OpenAPI documents: valid, complete, made of examples that fit, and served to anybody."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import graphql
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from starlette.testclient import TestClient

from db.engine.database import Database
from domain.problem import KINDS
from gateway.app import create_app
from gateway.contracts import kept
from gateway.settings import Settings
from rest_compat.endpoint import APIS
from rest_compat.openapi import DOCUMENT_PATHS, REFUSALS, document
from rest_compat.routes import ENDPOINTS
from schema.schema import schema as graphql_schema

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TYPE_BASE = "https://closient.com/docs/errors/"
APPS = list(DOCUMENT_PATHS.values())
JSON = dict[str, Any]


@cache
def documented(app: str) -> JSON:
    # As clients read it: what is equal in Python alone would show.
    found: JSON = json.loads(json.dumps(document(app, "/", TYPE_BASE)))
    return found


def operations(app: str) -> Iterator[tuple[str, str, JSON]]:
    for path, methods in documented(app)["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def validator(app: str, schema: JSON) -> Draft202012Validator:
    resource = Resource.from_contents(documented(app), default_specification=DRAFT202012)
    registry = Registry().with_resource("urn:document", resource)
    rebased = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
    return Draft202012Validator(rebased, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.mark.parametrize("app", APPS)
def test_document_is_valid(app: str) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(documented(app)).iter_errors()] == []


def test_every_api_of_the_table_has_a_document() -> None:
    assert set(APPS) == {endpoint.app for endpoint in ENDPOINTS} == set(APIS)


def test_every_route_is_documented_and_nothing_else() -> None:
    served = {(endpoint.path, endpoint.method) for endpoint in ENDPOINTS}
    assert {(path, method.upper()) for app in APPS for path, method, _ in operations(app)} == served


@pytest.mark.parametrize("app", APPS)
def test_operations_say_what_clients_and_readers_need(app: str) -> None:
    tags = {tag["name"] for tag in documented(app)["tags"]}
    table = {(endpoint.path, endpoint.method.lower()): endpoint for endpoint in ENDPOINTS}
    for path, method, operation in operations(app):
        assert re.fullmatch(rf"apps_{app}_api_[a-z_]+", operation["operationId"])
        assert operation["summary"]
        assert operation["description"].endswith(".")
        assert set(operation["tags"]) <= tags
        assert operation["security"] == [{"APIKeyHeaderAuth": []}, {"OAuthTokenAuth": []}, {"SessionAuth": []}]
        named = {item["name"] for item in operation["parameters"] if item.get("in") == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), (path, method)
        assert {"401", "403", "429", "500", "503"} <= operation["responses"].keys()
        assert ("requestBody" in operation) == bool(table[path, method].body or table[path, method].takes)
        assert "requestBody" not in operation or method in {"post", "patch"}


def test_operation_ids_are_unique_in_all_documents() -> None:
    found = [operation["operationId"] for app in APPS for _, _, operation in operations(app)]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("app", APPS)
def test_every_member_is_described(app: str) -> None:
    silent = [
        f"{name}.{member}"
        for name, schema in documented(app)["components"]["schemas"].items()
        for member, found in schema.get("properties", {}).items()
        if not found.get("description") and name != "Pagination" and not name.endswith("Page")
    ]
    silent += [
        f"{path} {parameter['name']}"
        for path, _, operation in operations(app)
        for parameter in operation["parameters"]
        if "$ref" not in parameter and not parameter.get("description")
    ]
    assert silent == []


@pytest.mark.parametrize("app", APPS)
def test_every_example_fits_its_schema(app: str) -> None:
    seen = 0
    for name, schema in documented(app)["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            seen += 1
            assert list(validator(app, schema).iter_errors(example)) == [], name
        for member, found in schema.get("properties", {}).items():
            for example in found.get("examples", ()):
                seen += 1
                assert list(validator(app, found).iter_errors(example)) == [], f"{name}.{member}"
    parameters = [item for _, _, operation in operations(app) for item in operation["parameters"]]
    for parameter in [*parameters, *documented(app)["components"]["parameters"].values()]:
        shown = [parameter["example"]] if "example" in parameter else []
        for example in shown + parameter.get("schema", {}).get("examples", []):
            seen += 1
            assert list(validator(app, parameter["schema"]).iter_errors(example)) == [], parameter
    assert seen > 20


@pytest.mark.parametrize("app", APPS)
def test_defaults_fit_their_schemas_and_none_is_null(app: str) -> None:
    compared = 0
    for name, schema in documented(app)["components"]["schemas"].items():
        for member, found in schema.get("properties", {}).items():
            if "default" in found:
                compared += 1
                assert found["default"] is not None, f"{name}.{member}"
                assert list(validator(app, found).iter_errors(found["default"])) == [], f"{name}.{member}"
    assert compared


@pytest.mark.parametrize("app", APPS)
def test_every_component_is_used(app: str) -> None:
    text = json.dumps(documented(app))
    for kind in ("schemas", "responses", "parameters", "headers"):
        unused = [name for name in documented(app)["components"][kind] if f'"#/components/{kind}/{name}"' not in text]
        assert unused == [], kind


def test_every_refusal_is_a_kind_of_problem() -> None:
    assert set(REFUSALS) <= {kind.status for kind in KINDS.values()}


@pytest.fixture
def client(database: Database) -> TestClient:
    return TestClient(create_app(Settings(), database))


@on_sqlite
@pytest.mark.parametrize("path", DOCUMENT_PATHS)
async def test_document_is_served_to_anybody_and_revalidated(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/openapi+json"
    assert answer.json() == documented(DOCUMENT_PATHS[path])
    # After a wanted change: ./certgate contracts
    assert answer.text + "\n" == kept()[f"rest_compat/{DOCUMENT_PATHS[path]}.openapi.json"]
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert client.post(path).status_code == 405


@on_sqlite
async def test_document_names_the_public_address(database: Database) -> None:
    settings = Settings(public_url="https://certgate.example.org", problem_type_base="https://example.org/errors/")
    served = TestClient(create_app(settings, database)).get("/products/api/v1/openapi.json").json()
    assert served["servers"] == [{"url": "https://certgate.example.org"}]
    assert served["externalDocs"]["url"] == "https://certgate.example.org/docs"
    assert served["components"]["schemas"]["ErrorOut"]["examples"][0]["type"].startswith("https://example.org/errors/")


@on_sqlite
async def test_catalogue_leads_to_every_document(client: TestClient) -> None:
    answer = client.get("/.well-known/api-catalog", headers={"Accept": "application/linkset+json"})
    assert answer.headers["content-type"].startswith("application/linkset+json")
    assert 'rel="api-catalog"' in client.head("/.well-known/api-catalog").headers["link"]
    entries = answer.json()["linkset"]
    described = [link["href"] for entry in entries for link in entry.get("service-desc", ())]
    assert described == [*DOCUMENT_PATHS, "/schema.graphql"]
    for entry in entries:
        for link in (*entry.get("service-desc", ()), *entry["service-doc"]):
            followed = client.get(link["href"])
            assert followed.status_code == 200
            assert followed.headers["content-type"].startswith(link["type"])


@on_sqlite
async def test_llms_txt_names_every_endpoint_and_links_to_what_is_there(client: TestClient) -> None:
    answer = client.get("/llms.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("# certgate\n")
    for endpoint in ENDPOINTS:
        assert f"`{endpoint.method} {endpoint.path}`" in answer.text
    for link in re.findall(r"\]\((/[^)]*)\)", answer.text):
        # GraphQL is there too, but asks who comes.
        assert client.get(link).status_code == (401 if link == "/graphql" else 200), link


@on_sqlite
async def test_graphql_tells_its_schema_to_anybody_unless_introspection_is_off(
    client: TestClient, database: Database
) -> None:
    answer = client.get("/schema.graphql")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    built = graphql.build_schema(answer.text)
    assert graphql.print_schema(built) == graphql.print_schema(graphql.build_schema(graphql_schema.as_str()))
    assert client.get("/schema.graphql", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert "/schema.graphql" in client.get("/llms.txt").text

    silent = TestClient(create_app(Settings(graphql_introspection=False), database))
    assert silent.get("/schema.graphql").status_code == 404
    for path in ("/llms.txt", "/.well-known/api-catalog"):
        told = silent.get(path)
        assert told.status_code == 200
        assert "schema.graphql" not in told.text
