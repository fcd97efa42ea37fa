"""What one run found out, as it is kept in a file."""

from pathlib import Path

import msgspec

from bench.delivering import Delivered
from bench.measure import Plan, Result
from bench.putting_in import Noticed, PutIn


class Rest(msgspec.Struct, frozen=True):
    """A server before anybody uses it: seconds from its start to its first answer, and bytes of memory then."""

    server: str
    database: str
    products: int
    start_seconds: list[float]
    resident: int
    proportional: int


class Documents(msgspec.Struct, frozen=True):
    """Memory in bytes before and after a stream of documents that were never seen before, and their number."""

    documents: int
    resident_before: int
    resident_after: int


class Run(msgspec.Struct):
    """A run."""

    when: str
    commit: str
    machine: dict[str, str]
    versions: dict[str, str]
    products: int
    plan: Plan
    compared: int
    notes: list[str]
    results: list[Result]
    growth: list[Result]
    rest: list[Rest]
    documents: Documents | None = None
    put_in: list[PutIn] = []
    noticed: list[Noticed] = []
    delivered: list[Delivered] = []


def save(run: Run, file: Path) -> None:
    """Writes a run."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(run)) + b"\n")


def read(file: Path) -> Run:
    """Reads a run."""
    return msgspec.json.decode(file.read_bytes(), type=Run)
