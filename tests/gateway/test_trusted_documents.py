"""Registered documents: how they get there, what runs by their ids, and who notices when they are gone."""

import json
from asyncio import to_thread
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest

from db.engine.opening import open_database
from db.keys import find_key
from domain.api_keys import digest
from gateway.app import create_app
from gateway.settings import Settings
from gateway.trusted_documents import TrustedDocuments, UnreadableDocuments, read_documents
from resolvers.keys import change_graphql_limits, graphql_limits
from resolvers.trusted_documents import NamedDocument, register, remove, text_of
from tests.conftest import UNLIMITED
from tests.processes import certgate, succeeded
from tests.world import GTIN, World

QUERY = "query Name($gtin: String!) { product(gtin: $gtin) { name } }"
MUTATION = f'mutation {{ removeClaim(input: {{gtin: "{GTIN}", claimId: "1"}}) {{ __typename }} }}'
GRAPHQL = "application/graphql-response+json"

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def id_of(text: str) -> str:
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def application(world: World, mode: Any) -> World:
    settings = Settings(graphql_documents=mode, rate_limit_per_minute=UNLIMITED, rate_limit_per_day=UNLIMITED)
    other = World(create_app(settings, world.database), world.database)
    other.keys = world.keys
    return other


async def post(world: World, key: str = "readonly", accept: str = GRAPHQL, **members: Any) -> httpx2.Response:
    headers = {"X-API-Key": world.keys[key], "Accept": accept}
    return await world.client.post("/graphql", json=members, headers=headers)


async def get(world: World, **parameters: str) -> httpx2.Response:
    headers = {"X-API-Key": world.keys["manager"], "Accept": GRAPHQL}
    return await world.client.get("/graphql", params=parameters, headers=headers)


def code(response: httpx2.Response, status: int = 400) -> str:
    assert (response.status_code, response.headers["content-type"]) == (status, f"{GRAPHQL}; charset=utf-8")
    body = response.json()
    assert "data" not in body
    [error] = body["errors"]
    assert error["message"].endswith(".")
    assert error["extensions"].keys() == {"code", "retryable", "requestId"}
    return str(error["extensions"]["code"])


NAMED = {"data": {"product": {"name": "Oat drink"}}}


async def test_a_registered_document_is_run_by_its_id(world: World) -> None:
    assert code(await post(world, documentId=id_of(QUERY), variables={"gtin": GTIN})) == "DOCUMENT_NOT_FOUND"
    assert await register(world.database, [NamedDocument("a", QUERY), NamedDocument("b", QUERY)]) == 1
    assert await register(world.database, [NamedDocument("c", QUERY)]) == 0
    for _ in range(3):
        assert (await post(world, documentId=id_of(QUERY), variables={"gtin": GTIN})).json() == NAMED
    by_url = await get(world, documentId=id_of(QUERY), variables=json.dumps({"gtin": GTIN}), operationName="Name")
    assert by_url.json() == NAMED


async def test_another_process_sees_a_removal_with_its_next_request(world: World, database_url: str) -> None:
    await register(world.database, [NamedDocument("a", QUERY)])
    assert (await post(world, documentId=id_of(QUERY), variables={"gtin": GTIN})).json() == NAMED
    other = await open_database(database_url)
    try:
        await remove(other, sha256(QUERY.encode()).hexdigest())
        if database_url.startswith("postgresql"):
            # A notification takes its way; a test cannot see it arrive but by its effect.
            for _ in range(200):
                if (await post(world, documentId=id_of(QUERY))).status_code == 400:
                    break
        assert code(await post(world, documentId=id_of(QUERY), variables={"gtin": GTIN})) == "DOCUMENT_NOT_FOUND"
    finally:
        await other.close()


@on_sqlite
async def test_a_persisted_query_names_a_registered_document_and_is_never_learnt(world: World) -> None:
    entry = {"version": 1, "sha256Hash": sha256(QUERY.encode()).hexdigest()}
    members: dict[str, Any] = {"extensions": {"persistedQuery": entry}, "variables": {"gtin": GTIN}}
    for _ in range(2):
        refused = await post(world, **members)
        [error] = refused.json()["errors"]
        # Links compare the message as a whole, and then send the text with the same extension.
        assert (refused.status_code, error["message"]) == (400, "PersistedQueryNotSupported")
        assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_SUPPORTED"
        assert (await post(world, query=QUERY, **members)).json() == NAMED
    await register(world.database, [NamedDocument("a", QUERY)])
    assert (await post(world, **members)).json() == NAMED
    parameters = {name: json.dumps(value) for name, value in members.items()}
    assert (await get(world, **parameters)).json() == NAMED


@on_sqlite
@pytest.mark.parametrize("entry", [None, [], "x", {}, {"sha256Hash": None}, {"sha256Hash": 1}])
async def test_a_persisted_query_without_a_hash_is_no_request(world: World, entry: Any) -> None:
    refused = await post(world, extensions={"persistedQuery": entry})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "bad_request")


@on_sqlite
@pytest.mark.parametrize(
    "document_id",
    [
        id_of(QUERY).removeprefix("sha256:"),
        id_of(QUERY).upper(),
        id_of(QUERY) + "0",
        "sha256:" + "0" * 64,
        "sha512:" + "0" * 64,
        "x-" + id_of(QUERY),
        "sha256:" + "\u0661" * 64,
        "a" * 100_000,
        "\x00",
    ],
)
async def test_an_id_of_nothing(world: World, document_id: str) -> None:
    await register(world.database, [NamedDocument("a", QUERY)])
    assert code(await post(world, documentId=document_id)) == "DOCUMENT_NOT_FOUND"
    assert (await post(world, documentId=document_id, accept="application/json")).status_code == 200


@on_sqlite
@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"documentId": 1}, "documentId"),
        ({"documentId": ["a"]}, "documentId"),
        ({"documentId": id_of(QUERY), "query": QUERY}, "query and documentId"),
        ({"documentId": None, "query": None}, "query"),
    ],
)
async def test_a_request_that_names_no_document_or_two(world: World, members: dict[str, Any], named: str) -> None:
    response = await post(world, **members)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert named in response.json()["detail"]


@on_sqlite
async def test_a_registered_mutation_is_not_run_by_get(world: World) -> None:
    await register(world.database, [NamedDocument("m", MUTATION)])
    response = await get(world, documentId=id_of(MUTATION))
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert (await post(world, "manager", documentId=id_of(MUTATION))).status_code == 200


@on_sqlite
async def test_where_ids_are_off(world: World) -> None:
    off = application(world, "off")
    await register(world.database, [NamedDocument("a", QUERY)])
    assert code(await post(off, documentId=id_of(QUERY))) == "DOCUMENT_IDS_NOT_SUPPORTED"
    assert (await post(off, query=QUERY, variables={"gtin": GTIN})).json() == NAMED


@on_sqlite
async def test_where_nothing_else_is_run(world: World) -> None:
    only = application(world, "only")
    await register(world.database, [NamedDocument("a", QUERY)])
    for text in ("{ __typename }", "{ __schema { types { name } } }", "{", QUERY + " ", MUTATION):
        assert code(await post(only, query=text)) == "TRUSTED_DOCUMENTS_ONLY"
        assert code(await get(only, query=text)) == "TRUSTED_DOCUMENTS_ONLY"
    assert (await post(only, documentId=id_of(QUERY), variables={"gtin": GTIN})).json() == NAMED
    # What may be run may be run by its text too.
    assert (await post(only, query=QUERY, variables={"gtin": GTIN})).json() == NAMED


@on_sqlite
async def test_a_registered_document_obeys_the_limits(world: World) -> None:
    text = "query ($n: Int) { products(first: $n) { nodes { certifications { isActive } } } }"
    await register(world.database, [NamedDocument("a", text)])
    assert (await post(world, documentId=id_of(text), variables={"n": 100})).status_code == 200
    too_many = await post(world, documentId=id_of(text), variables={"n": 2000})
    assert too_many.json()["errors"][0]["extensions"]["code"] == "QUERY_TOO_COSTLY"


@on_sqlite
async def test_texts_at_hand_are_bounded(world: World) -> None:
    texts = [f"# {number} {'x' * 400_000}\n{{ __typename }}" for number in range(12)]
    await register(world.database, [NamedDocument(str(number), text) for number, text in enumerate(texts)])
    kept = TrustedDocuments(world.database)
    for text in texts:
        assert await kept.text(sha256(text.encode()).hexdigest()) == text
    assert kept.texts.size <= 2_000_000
    assert await kept.text("0" * 64) is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents as tools of clients write them."""
    folder = tmp_path / "documents"
    (folder / "nested").mkdir(parents=True)
    (folder / "name.graphql").write_text(QUERY, encoding="utf-8")
    (folder / "nested" / "typename.gql").write_text("{ __typename }\n", encoding="utf-8")
    codegen = "query Viewer { viewer { role } }"
    (folder / "persisted-documents.json").write_text(json.dumps({id_of(codegen): codegen}), encoding="utf-8")
    apollo = "query Me { viewer { kind } }"
    entry = {"id": id_of(apollo)[7:], "name": "Me", "type": "query", "body": apollo}
    manifest = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [entry]}
    (folder / "nested" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "notes.txt").write_text("not a document", encoding="utf-8")
    return folder


def test_documents_are_found_in_a_folder(folder: Path) -> None:
    assert [document.name for document in read_documents(folder)] == [
        "name.graphql",
        "nested/manifest.json: Me",
        "nested/typename.gql",
        "persisted-documents.json: Viewer",
    ]
    assert read_documents(folder / "name.graphql") == [NamedDocument("name.graphql", QUERY)]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", b"{", "a.json is not valid JSON"),
        ("a.json", b"[]", "is no manifest of documents"),
        ("a.json", b'{"operations": [1]}', "is no manifest of documents"),
        ("a.json", b'{"name": 1}', "is no manifest of documents"),
        ("a.json", b'{"d41d8cd98f00b204e9800998ecf8427e": "{ __typename }"}', "which is not its SHA-256"),
        ("a.graphql", b"{ \xff }", "a.graphql is not encoded in UTF-8"),
        ("a.txt", b"{ __typename }", "holds no documents"),
    ],
)
def test_what_cannot_be_registered(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableDocuments, match=reason):
        read_documents(tmp_path)


@on_sqlite
async def test_registering_by_the_command_line(world: World, database_url: str, folder: Path) -> None:
    where = {"CERTGATE_DATABASE_URL": database_url}
    printed = await to_thread(succeeded, "documents", "register", str(folder), **where)
    assert printed.endswith("Registered 4 new documents of 4.\n")
    assert id_of(QUERY) in printed
    assert (await to_thread(succeeded, "documents", "register", str(folder), **where)).endswith(
        "Registered 0 new documents of 4.\n"
    )
    assert (await to_thread(succeeded, "documents", "list", **where)).count("sha256:") == 4
    assert (await post(world, documentId=id_of(QUERY), variables={"gtin": GTIN})).json() == NAMED
    assert "no longer registered" in await to_thread(succeeded, "documents", "remove", id_of(QUERY), **where)
    assert code(await post(world, documentId=id_of(QUERY), variables={"gtin": GTIN})) == "DOCUMENT_NOT_FOUND"
    gone = await to_thread(certgate, "documents", "remove", id_of(QUERY), **where)
    assert (gone.returncode, gone.stderr.count("\n")) == (1, 1)


@on_sqlite
async def test_of_documents_that_do_not_all_fit_none_is_registered(
    world: World, database_url: str, folder: Path
) -> None:
    (folder / "unknown.graphql").write_text('{ product(gtin: "1") { nope } }', encoding="utf-8")
    (folder / "fragment.graphql").write_text("fragment F on Product { name }", encoding="utf-8")
    (folder / "empty.graphql").write_text("{ viewer {} }", encoding="utf-8")
    dear = "{ products(first: 100) { nodes { certifications { certification { label } } } } }"
    (folder / "dear.graphql").write_text(dear, encoding="utf-8")
    done = await to_thread(
        certgate,
        "documents",
        "register",
        str(folder),
        CERTGATE_DATABASE_URL=database_url,
        CERTGATE_GRAPHQL_MAX_COST="2000",
    )
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "dear.graphql",
        "empty.graphql",
        "fragment.graphql",
        "unknown.graphql",
    ]
    assert "costs 2101, the limit is 2000" in lines[0]
    assert await text_of(world.database, sha256(QUERY.encode()).hexdigest()) is None


async def test_limits_of_a_key_are_stored_in_either_database(world: World) -> None:
    key, secret = world.key_ids["editor"], world.keys["editor"]
    assert await change_graphql_limits(world.database, key, {"max_depth": 5, "max_cost": 300}) == {
        "max_cost": 300,
        "max_depth": 5,
    }
    assert await graphql_limits(world.database, key) == {"max_cost": 300, "max_depth": 5}
    credential = await find_key(world.database, digest(secret))
    assert credential is not None
    assert credential.caller.graphql_limits == (("max_cost", 300), ("max_depth", 5))
    assert await change_graphql_limits(world.database, key, {"max_depth": None, "max_cost": None}) == {}
    credential = await find_key(world.database, digest(secret))
    assert credential is not None
    assert credential.caller.graphql_limits == ()
