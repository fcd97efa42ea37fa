"""Putting rows in: `certgate import` of a file beside the bulk mutations of the server, and what readers notice."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

import msgspec

from bench import accounting, data, load
from bench.questions import WORKLOADS, Question
from bench.servers import ROOT, Server, ServerError
from db.catalogue_files import read_catalogue

BATCH = 100
"""Rows of a bulk mutation, the most that it takes."""
CERTIFICATES = 3
"""Of each product that is put in."""
READERS = 4
"""Connections that ask while a file is put in."""

_CODES = [entry.code for entry in read_catalogue().certifications[:CERTIFICATES]]

_PRODUCTS = """mutation Put($rows: [CreateProductInput!]!) {
  createProducts(input: $rows) { ... on CreateProductRows { done } }
}"""
_CERTIFICATIONS = """mutation Put($rows: [AssignCertificationInput!]!) {
  assignCertifications(input: $rows) { ... on AssignCertificationRows { done } }
}"""


class PutIn(msgspec.Struct, frozen=True):
    """Rows that were put into a server's database in one way, and what that took in seconds."""

    server: str
    what: str
    way: str
    rows: int
    seconds: float
    cpu_seconds: float
    database_seconds: float


class Noticed(msgspec.Struct, frozen=True):
    """The slowest hundredth of reads in milliseconds, before a file was put in and meanwhile."""

    server: str
    before_ms: float
    meanwhile_ms: float


def measure(servers: Sequence[Server], products: int, folder: Path) -> tuple[list[PutIn], list[Noticed]]:
    """Puts new products and their certificates into each, by a file, and a tenth as many by mutations.

    Raises `ServerError` and `LoadError`.
    """
    found, noticed = [], []
    for server in servers:
        first, second, third = (server.products + products * part for part in (0, 1, 2))
        tenth = range(second, second + products // 10)
        for what, document, rows_of in (
            ("products", _PRODUCTS, _products),
            ("certificates", _CERTIFICATIONS, _certificates),
        ):
            found.append(_by_file(server, what, [*rows_of(range(first, second))], folder))
            found.append(_by_mutations(server, what, document, [*rows_of(tenth)]))
        noticed.append(_notice(server, [*_products(range(third, third + products))], folder))
    return found, noticed


def _products(numbers: Iterable[int]) -> Iterator[dict[str, str]]:
    for number in numbers:
        yield {"gtin": data.gtin(number), "name": f"Product {number}", "brand": "Meadow & Co"}


def _certificates(numbers: Iterable[int]) -> Iterator[dict[str, str]]:
    for number in numbers:
        for code in _CODES:
            yield {
                "gtin": data.gtin(number),
                "certificationCode": code,
                "certificateNumber": f"C-{number}",
                "validFrom": "2026-01-01",
                "expirationDate": "2028-12-31",
            }


_HEADS = {
    "name": "product_name",
    "certificationCode": "certification",
    "certificateNumber": "certificate_number",
    "validFrom": "certification.valid_from",
    "expirationDate": "certification.expiration_date",
}


def _by_file(server: Server, what: str, rows: Sequence[dict[str, str]], folder: Path) -> PutIn:
    with _importing(server, rows, folder) as process:
        database, began = server.database_seconds(), time.perf_counter()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
    database = server.database_seconds() - database
    _whole(process, folder)
    return PutIn(server.name, what, "import", len(rows), seconds, used.ru_utime + used.ru_stime, database)


def _by_mutations(server: Server, what: str, document: str, rows: Sequence[dict[str, str]]) -> PutIn:
    cpu, database, began = accounting.cpu_seconds(server.process), server.database_seconds(), time.perf_counter()
    for start in range(0, len(rows), BATCH):
        body = json.dumps({"query": document, "variables": {"rows": rows[start : start + BATCH]}})
        (answer,) = server.ask(Question("POST", "/graphql", body.encode()))["data"].values()
        if answer.get("done") != len(rows[start : start + BATCH]):
            raise ServerError(f"{server.name} refused rows of {what}: {answer}")
    seconds = time.perf_counter() - began
    cpu, database = accounting.cpu_seconds(server.process) - cpu, server.database_seconds() - database
    return PutIn(server.name, what, f"mutations of {BATCH}", len(rows), seconds, cpu, database)


def _notice(server: Server, rows: Sequence[dict[str, str]], folder: Path) -> Noticed:
    file = folder / "readers"
    asker = server.asker(1)
    load.write_requests(file, (WORKLOADS["Q1"].write(asker, 0).to_bytes(server.headers) for _ in range(1_000)))
    before = load.fire(server.port, file, 3, READERS, wrk=False)
    with _importing(server, rows, folder) as process:
        meanwhile = []
        while process.poll() is None:
            meanwhile.append(load.fire(server.port, file, 1, READERS, wrk=False).p99 * 1e3)
    _whole(process, folder)
    return Noticed(server.name, before.p99 * 1e3, median(meanwhile or [0.0]))


def _importing(server: Server, rows: Sequence[dict[str, str]], folder: Path) -> subprocess.Popen[bytes]:
    file = folder / "rows.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([_HEADS.get(name, name) for name in rows[0]])
        writer.writerows(row.values() for row in rows)
    command = [sys.executable, "-m", "gateway", "import", str(file), "--organization", data.ORGANIZATION]
    environment = {**os.environ, "CERTGATE_DATABASE_URL": server.url, "PYTHONPATH": str(ROOT)}
    with (folder / "import.log").open("wb") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


def _whole(process: subprocess.Popen[bytes], folder: Path) -> None:
    if process.returncode != 0:
        said = (folder / "import.log").read_text(errors="replace")[-500:]
        raise ServerError(f"An import ended with {process.returncode}: {said}")
