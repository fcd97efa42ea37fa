"""What REST lists of a product straight from rows is byte for byte what it makes of records."""

from itertools import product
from typing import Any

import pytest

from db import definitions
from db.sql.reads import Read
from domain.errors import Busy
from domain.records import CertificationAssignment, ClaimAssignment
from tests.operations.test_shapes import secretive as secretive  # noqa: PLC0414 - a fixture
from tests.operations.test_shapes import shelf as shelf  # noqa: PLC0414 - a fixture
from tests.replicas import servers_of
from tests.world import GTIN, OTHERS_GTIN, World

RECORDS = {"certifications": CertificationAssignment, "claims": ClaimAssignment}


async def said(world: World, kind: str, gtin: str, key: str, query: str = "") -> tuple[Any, ...]:
    """The answer, but for the moment of a refusal."""
    path = f"/certifications/api/v1/products/{gtin}/{kind}{query}"
    answer = await world.client.get(path, headers={"X-API-Key": world.keys[key]})
    if answer.status_code != 200:
        return answer.status_code, answer.json() | {"timestamp": ""}
    return answer.status_code, answer.content, answer.headers["etag"]


@pytest.mark.parametrize("kind", RECORDS)
async def test_a_list_made_of_rows_says_what_records_say(
    secretive: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    fetch, records = definitions.fetch, 0

    async def counted(source: Any, read: Read[Any], *others: Any, **values: Any) -> Any:
        nonlocal records
        records += read.build is RECORDS[kind]
        return await fetch(source, read, *others, **values)

    monkeypatch.setattr(definitions, "fetch", counted)
    found = []
    for key in ("manager", "editor", "rival", "publishable"):
        for gtin in (GTIN, OTHERS_GTIN, "12345678", "1"):
            ours, before = await said(secretive, kind, gtin, key), records
            # Whatever the query holds, it is looked at.
            theirs = await said(secretive, kind, gtin, key, "?nothing=1")
            assert ours == theirs
            assert (before, records) == (0, ours[0] != 422)
            found.append(ours[0])
            records = 0
    assert {*found} == {200, 404, 422}


@pytest.mark.parametrize("kind", RECORDS)
async def test_a_read_that_fails_is_refused_either_way(
    secretive: World, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def fails(read: Read[Any], *others: Any, **values: Any) -> Any:
        raise Busy("Nobody reads now; ask again.")

    assert (await said(secretive, kind, GTIN, "editor"))[0] == 200
    for server, name in product(servers_of(secretive.database), ("at_once", "read")):
        monkeypatch.setattr(server, name, fails)
    answers = [await said(secretive, kind, GTIN, "editor", query) for query in ("", "?nothing=1")]
    assert answers[0] == answers[1]
    assert answers[0][0] == 503
