"""What callers get, on both faces, while something has befallen the database, and what `/readyz` says of it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from tests.world import GTIN, USDA_ORGANIC, World

PATH = f"/certifications/api/v1/products/{GTIN}/certifications"
READ = f'{{ product(gtin: "{GTIN}") {{ certifications {{ scope }} }} }}'
WRITE = f"""mutation($scope: String!) {{
  patchCertificationAssignment(input: {{gtin: "{GTIN}", certificationId: "{USDA_ORGANIC}", scope: $scope}})
  {{ __typename }} }}"""
# Each write changes something, or the database would have nothing to do.
_scopes = map(str, count())


class Answers(NamedTuple):
    """The statuses of a read and a write, the same on both faces, and the status and the word of `/readyz`."""

    reads: int
    writes: int
    ready: tuple[int, str]


WELL = Answers(200, 200, (200, "ok"))


async def answers(world: World) -> Answers:
    """Asks for everything once. Each refusal is one that a client can act upon."""
    ready = await world.client.get("/readyz")
    word = ready.json()["database"]
    assert word == "ok" or ready.json()["status"] != "ok"
    return Answers(await _both(await reads(world)), await _both(await writes(world)), (ready.status_code, word))


async def reads(world: World) -> list[httpx2.Response]:
    """A read on REST and on GraphQL."""
    return [await world.client.get(PATH, headers=_key(world)), await graphql(world, READ)]


async def writes(world: World) -> list[httpx2.Response]:
    """A write on REST and on GraphQL."""
    rest = await world.client.patch(f"{PATH}/{USDA_ORGANIC}", json={"scope": next(_scopes)}, headers=_key(world))
    return [rest, await graphql(world, WRITE, scope=next(_scopes))]


async def _both(responses: list[httpx2.Response]) -> int:
    rest, other = map(judged, responses)
    assert rest == other, [response.text for response in responses]
    return rest


def judged(response: httpx2.Response) -> int:
    """The status of a response, which is 200 or a whole 503."""
    body: Any = response.json()
    if response.status_code == 200:
        assert "errors" not in body, body
    else:
        assert response.status_code == 503, (response.status_code, body)
        if "errors" in body:
            (error,) = body["errors"]
            assert error["extensions"]["code"] == "service_unavailable"
            waits = error["extensions"]["problem"]["retryAfter"]
        else:
            # From REST, or before GraphQL had its turn.
            assert body["error_code"] == "service_unavailable"
            waits = body["retry_after"]
        assert int(response.headers["retry-after"]) == waits > 0
        assert "data" not in body
    return response.status_code


def _key(world: World) -> dict[str, str]:
    return {"X-API-Key": world.keys["manager"]}


async def graphql(world: World, query: str, **variables: str) -> httpx2.Response:
    """The answer to a GraphQL document."""
    return await world.client.post("/graphql", json={"query": query, "variables": variables}, headers=_key(world))


def ran(*words: str) -> bool:
    """Whether a command succeeded."""
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of four megabytes. Only administrators may mount one: the test is skipped elsewhere."""
    disk = folder / "disk"
    disk.mkdir()
    if not ran("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)):
        pytest.skip("no disk can be mounted here; `tests/db/test_group_commit.py` limits the size of files instead")
    try:
        yield disk
    finally:
        assert ran("umount", "--lazy", str(disk))


@contextmanager
def write_protected(file: Path) -> Iterator[None]:
    """Nobody may write to the file until the end of the block; modes would not stop an administrator."""
    if os.geteuid() != 0:
        file.chmod(0o400)
        yield
        file.chmod(0o600)
        return
    if not ran("chattr", "+i", str(file)):
        pytest.skip("this file system cannot protect a file from an administrator")
    try:
        yield
    finally:
        assert ran("chattr", "-i", str(file))


def fill(disk: Path) -> Path:
    """Leaves no room on a disk; the file that takes it."""
    rest = disk / "rest"
    with suppress(OSError), rest.open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    return rest
