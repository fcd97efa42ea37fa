"""The parts of the benchmark on which its honesty rests."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench import accounting, data, load
from bench.compare import normal
from bench.databases import written
from bench.generator import read_requests
from db.engine.database import Database
from db.engine.opening import open_database
from db.migrate import migrate
from db.sql import tables
from domain.gtin import check_digit_is_right
from domain.short_id import parse_short_id
from tests.world import all_rows

ROOT = Path(__file__).parents[2]


def test_gtins_are_right_and_ascend() -> None:
    codes = [data.gtin(number) for number in (*range(1000), 999_999)]
    assert all(check_digit_is_right(code) for code in codes)
    assert codes == sorted(set(codes))


def test_every_pair_to_be_assigned_is_new_and_comes_once() -> None:
    products = 40
    taken = {(product, claim) for product in range(products) for claim in data.claim_numbers(product)}
    assert len(taken) == products * data.EACH
    pairs = [data.unassigned(number, products) for number in range(data.unassigned_pairs(products))]
    assert len(set(pairs)) == len(pairs)
    assert not taken & set(pairs)
    assert max(claim for _, claim in pairs) < data.CLAIMS


async def stored(database: Database) -> dict[str, list[Any]]:
    found = {}
    for table in (tables.products, tables.certification_assignments, tables.claim_assignments):
        found[table.name] = await database.fetch(all_rows(table))
    return found


def test_both_databases_get_the_same_rows(tmp_path: Path, empty_postgresql_url: str) -> None:
    products = 50

    async def fill_and_read() -> list[dict[str, list[Any]]]:
        file = tmp_path / "bench.db"
        await data.fill_sqlite(file, products)
        await data.fill_postgresql(empty_postgresql_url, products)
        found = []
        for url in (f"sqlite:///{file}", empty_postgresql_url):
            database = await open_database(url)
            try:
                found.append(await stored(database))
            finally:
                await database.close()
        return found

    sqlite, postgresql = asyncio.run(fill_and_read())
    assert sqlite == postgresql
    assert Counter({name: len(rows) for name, rows in sqlite.items()}) == {
        "products": products,
        "certification_assignments": products * data.EACH,
        "claim_assignments": products * data.EACH,
    }
    ids = [row[table.c.keys().index("id")] for table in (tables.products,) for row in sqlite[table.name]]
    assert [parse_short_id(id) for id in ids] == ids
    assert written(f"sqlite:///{tmp_path / 'bench.db'}").rows == products * data.EACH
    assert written(empty_postgresql_url).rows == products * data.EACH


def test_commits_are_counted_as_the_databases_count_them(tmp_path: Path, empty_postgresql_url: str) -> None:
    async def commits(url: str) -> list[int]:
        found = []
        await migrate(url)
        database = await open_database(url)
        try:
            await write(database, "first")
            for names in (["a"], ["b"], ["c", "d", "e", "f"], []):
                before = await asyncio.to_thread(written, url)
                await asyncio.gather(*(write(database, name) for name in names))
                found.append((await asyncio.to_thread(written, url)).commits - before.commits)
        finally:
            await database.close()
        return found

    async def write(database: Database, name: str) -> None:
        async with database.write() as transaction:
            row = {"id": name, "slug": name, "name": name, "created_at": data.MOMENT}
            await transaction.insert(tables.organizations, row)

    assert asyncio.run(commits(f"sqlite:///{tmp_path / 'bench.db'}")) == [1, 1, 1, 0]
    assert asyncio.run(commits(empty_postgresql_url)) == [1, 1, 4, 0]


def test_the_time_of_children_is_counted_while_they_run_and_when_they_have_ended() -> None:
    # However fast the machine is: processors are counted in hundredths of a second.
    burn = "import time\nwhile time.process_time() < 0.1: pass"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as process:
        root = psutil.Process(process.pid)
        while process.poll() is None and root.cpu_times().children_user == 0:
            os.sched_yield()
        own = root.cpu_times()
        assert accounting.cpu_seconds(root) >= own.user + own.system + own.children_user > own.user
        assert accounting.memory(root).resident > 0
        assert process.stdin is not None
        process.stdin.close()


def test_order_and_case_are_put_in_one_form_and_facts_are_not() -> None:
    def answer(*held: tuple[str, str], name: str = "Oat bar") -> Any:
        certifications = [{"id": id, "verificationStatus": status} for id, status in held]
        return {"data": {"product": {"name": name, "certifications": certifications, "claims": []}}}

    first = normal("Q1", answer(("a", "VERIFIED"), ("b", "EXPIRED")))
    assert first == normal("Q1", answer(("b", "expired"), ("a", "verified")))
    assert first != normal("Q1", answer(("a", "VERIFIED"), ("b", "VERIFIED")))
    assert first != normal("Q1", answer(("a", "VERIFIED"), ("b", "EXPIRED"), name="Rye bar"))


@pytest.mark.parametrize("workload", ["Q1", "Q2", "M1"])
def test_an_answer_without_facts_is_none(workload: str) -> None:
    empty: Any = {
        "data": {"product": None, "products": {"nodes": [], "pageInfo": {}}, "assignClaim": {"__typename": "X"}}
    }
    with pytest.raises(ValueError, match=f"An answer to {workload} has no facts"):
        normal(workload, empty)


def test_requests_are_read_as_they_were_written(tmp_path: Path) -> None:
    requests = [b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n1\n2"]
    load.write_requests(tmp_path / "requests", requests)
    assert read_requests(tmp_path / "requests") == requests


@pytest.fixture
def hello_port(tmp_path: Path) -> Any:
    from bench.servers import hello

    server = hello(100)
    server.start(tmp_path / "log")
    try:
        yield server.port
    finally:
        server.stop()


WITH_WRK = pytest.param(True, marks=pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed"))


@pytest.mark.parametrize("wrk", [False, WITH_WRK], ids=["own", "wrk"])
def test_a_load_counts_answers_and_refusals(hello_port: int, tmp_path: Path, wrk: bool) -> None:
    file = tmp_path / "requests"
    right, wrong = (b"GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path for path in (b"hello", b"nowhere"))
    load.write_requests(file, [right])
    done = load.fire(hello_port, file, 0.3, 4, wrk=wrk)
    assert done.requests > 0
    assert done.errors == 0
    assert done.requests <= done.asked <= done.requests + 4 + 4
    load.write_requests(file, [right, wrong])
    done = load.fire(hello_port, file, 0.3, 4, wrk=wrk)
    assert 0 < done.errors < done.requests
