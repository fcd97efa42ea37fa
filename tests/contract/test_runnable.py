"""What the reference page fills in by itself runs on the demo: every operation, as it is shown, answers with something.

A fresh demo is asked for everything first, and then for each kind of change.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from rest_compat.openapi import DOCUMENT_PATHS
from tests.conftest import LiveServer, demo_server

JSON = dict[str, Any]

ORDER = ("get", "post", "patch", "delete")
"""So that nothing is gone before it was asked for."""

NEVER = {("list_trade_items", "category_id")}
"""Operation and parameter that match nothing, whatever is asked."""


class Shown(NamedTuple):
    """An operation as the page shows it."""

    method: str
    path: str
    operation: JSON
    document: JSON

    @property
    def name(self) -> str:
        """The end of its operation id."""
        return str(self.operation["operationId"]).partition("_api_")[2]

    @property
    def parameters(self) -> list[JSON]:
        """Its parameters, whether they stand in it or are shared."""
        return [self.resolved(parameter) for parameter in self.operation["parameters"]]

    def resolved(self, found: JSON) -> JSON:
        """What a reference stands for."""
        at: Any = self.document
        for part in found["$ref"].removeprefix("#/").split("/") if "$ref" in found else ():
            at = at[part]
        return found if at is self.document else at

    def filled_in(self, **query: Any) -> JSON:
        """The request as Swagger UI fills it in: `example` or else the default; a body is of the first type.

        Of JSON it is the schema's first example, of any other type its own, sent as it is. Examples inside of a
        parameter's schema are not filled in. `query` is what somebody typed beside it.
        """
        found: dict[str, JSON] = {"path": {}, "query": {}, "header": {}}
        for parameter in self.parameters:
            value = parameter.get("example", self.resolved(parameter["schema"]).get("default"))
            assert value is not None or not parameter.get("required"), parameter
            if value is not None:
                found[parameter["in"]][parameter["name"]] = value
        body: JSON = {}
        for media_type, content in list(self.operation.get("requestBody", {"content": {}})["content"].items())[:1]:
            if media_type == "application/json":
                body = {"json": self.resolved(content["schema"])["examples"][0]}
            else:
                found["header"]["Content-Type"] = media_type
                body = {"content": content["example"]}
        return {
            "method": self.method.upper(),
            "url": self.path.format(**found["path"]),
            "params": {**found["query"], **query},
            "headers": found["header"],
            **body,
        }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runnable")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[LiveServer]:
    with demo_server(folder) as server:
        yield server


def opened(server: LiveServer) -> httpx2.Client:
    return httpx2.Client(base_url=server.url, headers={"X-API-Key": server.api_key})


@pytest.fixture(scope="module")
def client(demo: LiveServer) -> Iterator[httpx2.Client]:
    with opened(demo) as client:
        yield client


def operations(client: httpx2.Client) -> list[Shown]:
    documents = [client.get(path).json() for path in DOCUMENT_PATHS]
    found = [
        Shown(method, path, operation, document)
        for document in documents
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return sorted(found, key=lambda shown: ORDER.index(shown.method))


def is_empty(answer: httpx2.Response) -> bool:
    if answer.headers["content-type"].startswith("text/csv"):
        return len(answer.text.splitlines()) < 2
    said = answer.json()
    lists = [said[name] for name in ("data", "rows") if isinstance(said, dict) and isinstance(said.get(name), list)]
    return not (lists[0] if lists else said)


def test_every_example_of_a_filter_finds_something(client: httpx2.Client) -> None:
    empty, tried = set(), 0
    for shown in operations(client):
        for parameter in shown.parameters if shown.method == "get" else ():
            for example in (
                shown.resolved(parameter["schema"]).get("examples", ()) if parameter["in"] == "query" else ()
            ):
                tried += 1
                answer = client.request(**shown.filled_in(**{parameter["name"]: example}))
                assert answer.status_code == 200, answer.text
                if is_empty(answer):
                    empty.add((shown.name, parameter["name"]))
    assert tried > 10
    assert empty == NEVER


def test_every_operation_runs_as_it_is_shown(client: httpx2.Client) -> None:
    failed, asked = {}, 0
    for shown in operations(client):
        asked += 1
        answer = client.request(**shown.filled_in())
        success = min(shown.operation["responses"])
        if str(answer.status_code) != success or (success != "204" and is_empty(answer)):
            failed[shown.operation["operationId"]] = (answer.status_code, answer.text)
    assert failed == {}
    assert asked > 25


def test_the_next_start_renews_the_key_to_try_out(folder: Path) -> None:
    for _ in range(2):
        with demo_server(folder) as server, opened(server) as client:
            [listed] = [shown for shown in operations(client) if shown.name == "list_api_keys"]
            keys = [key["name"] for key in client.request(**listed.filled_in()).json()]
            assert keys.count("to try out") == 1
            for shown in operations(client):
                if shown.name in {"update_api_key", "delete_api_key"}:
                    assert client.request(**shown.filled_in()).is_success, shown.name


def test_the_next_start_brings_the_import_back_if_its_rows_are_gone(folder: Path) -> None:
    moments = []
    for is_kept in (True, True, False):
        if not is_kept:
            shutil.rmtree(folder / "imports")
        with demo_server(folder) as server, opened(server) as client:
            shown = {shown.name: shown for shown in operations(client)}
            moments.append(client.request(**shown["get_import"].filled_in()).json()["created_at"])
            for name in ("list_imported_rows", "get_import_report", "get_refused_rows"):
                assert not is_empty(client.request(**shown[name].filled_in())), name
    assert moments[0] == moments[1] < moments[2]
