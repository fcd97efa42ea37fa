"""The servers: how each is started, when it answers, and how it is stopped. All listen on 127.0.0.1."""

import asyncio
import base64
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import psutil

from bench import accounting, data
from bench.questions import FIRST, POSTGRAPHILE_SOME, WORKLOADS, Asker, Question
from db.engine.opening import open_database
from db.secrets import cursor_secret
from domain.vocabulary import Role
from resolvers.keys import create_key

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE = 30
_NEVER_REACHED = "1000000000"
"""Rate limits count every request and refuse none."""


class ServerError(Exception):
    """A server did what it should not; the text is one sentence."""


class Server:
    """A server under measurement. `dialect` says which questions it understands (see `bench.questions`).

    `is_node` marks those that need a long warm-up. `products` is how many there are in its database, `url` where that
    is, `database_process` who works for it besides the server, and `processes` how many the server is.
    """

    def __init__(
        self,
        name: str,
        dialect: str,
        database: str,
        command: Sequence[str],
        *,
        products: int,
        environment: dict[str, str] | None = None,
        folder: Path = ROOT,
        headers: str = "",
        is_node: bool = False,
        url: str = "",
        cursor_part: str = "",
        database_process: psutil.Process | None = None,
        processes: int = 1,
    ) -> None:
        self.name = name if processes == 1 else f"{name}, {processes} processes"
        self.processes = processes
        self.url = url
        self.dialect = dialect
        self.database = database
        self.products = products
        self.headers = headers
        self.is_node = is_node
        self.database_process = database_process
        self.port = _free_port()
        self._command = [part.replace("{port}", str(self.port)) for part in command]
        self._environment = environment or {}
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self.next_pair = 0
        """The number of the next pair of product and claim that was never assigned in its database."""
        self.seconds_to_first_answer = 0.0
        self._cursor_part = cursor_part

    @property
    def process(self) -> psutil.Process:
        """The running process."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def database_seconds(self) -> float:
        """The processor's time that others have spent on its database, in seconds."""
        return accounting.cpu_seconds(self.database_process) if self.database_process else 0.0

    def start(self, log: Path) -> None:
        """Starts it and waits for its first right answer. Raises `ServerError`."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CERTGATE_")}
        self._log = log.open("wb")
        began = time.perf_counter()
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env={**inherited, **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        first = WORKLOADS[FIRST.get(self.dialect, "Q1")].write(self.asker(0), 0)
        while True:
            try:
                self.ask(first)
                break
            except (OSError, http.client.HTTPException):
                if self._process.poll() is not None or time.perf_counter() - began > _PATIENCE:
                    said = log.read_text(errors="replace").strip()[-2000:]
                    raise ServerError(f"{self.name} does not answer; it said: {said}") from None
                time.sleep(0.005)
        self.seconds_to_first_answer = time.perf_counter() - began
        if self.dialect == "postgraphile":
            answer = self.ask_graphql(POSTGRAPHILE_SOME)
            self._cursor_part = _head_of_cursor(answer["data"]["products"]["pageInfo"]["endCursor"])

    def asker(self, seed: int) -> Asker:
        """Makes questions to this server; the same ones for the same seed."""
        return Asker(self.products, random.Random(seed), self.dialect, self._cursor_part)

    def ask(self, question: Question) -> Any:
        """The JSON of one answer; None where it has no body. Raises `ServerError` for a refusal."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            lines = [line.split(": ", 1) for line in self.headers.splitlines()]
            headers = {"Accept": "application/json", "Content-Type": "application/json", **dict(lines)}
            connection.request(question.method, question.path, question.body or None, headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status >= 300:
            raise ServerError(f"{self.name} answered {response.status} to {question.path}: {body[:500].decode()}")
        answer = json.loads(body) if body else None
        if isinstance(answer, dict) and "errors" in answer:
            raise ServerError(f"{self.name} answered with errors: {json.dumps(answer['errors'])[:500]}")
        return answer

    def ask_graphql(self, query: str) -> Any:
        """The answer to a document without variables."""
        return self.ask(Question("POST", "/graphql", json.dumps({"query": query}).encode()))

    def stop(self) -> None:
        """Ends it and its children."""
        if self._process is not None:
            children = psutil.Process(self._process.pid).children(recursive=True) if self.is_running() else []
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            for child in children:
                if child.is_running():
                    child.kill()
        if self._log is not None:
            self._log.close()

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None


def certgate(
    database: str, url: str, products: int, database_process: psutil.Process | None = None, processes: int = 1
) -> Server:
    """Ours, as it is served: credentials, rate limits, cost limits, headers and the log at its default level."""

    async def make_key() -> tuple[str, str]:
        opened = await open_database(url)
        try:
            made = await create_key(opened, data.ORGANIZATION, Role.MANAGER, name="bench")
            return made.secret, await cursor_secret(opened)
        finally:
            await opened.close()

    key, secret = asyncio.run(make_key())
    environment = {
        "CERTGATE_DATABASE_URL": url,
        "CERTGATE_RATE_LIMIT_PER_MINUTE": _NEVER_REACHED,
        "CERTGATE_RATE_LIMIT_PER_DAY": _NEVER_REACHED,
        "CERTGATE_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "PYTHONPATH": str(ROOT),
    }
    return Server(
        f"certgate, {database}",
        "certgate",
        database,
        [sys.executable, "-m", "gateway", "serve", "--port", "{port}", "--workers", str(processes)],
        products=products,
        url=url,
        environment=environment,
        headers=f"X-API-Key: {key}\r\n",
        cursor_part=secret,
        database_process=database_process,
        processes=processes,
    )


def hello(products: int) -> Server:
    """The floor."""
    return Server("hello", "hello", "", [sys.executable, "-m", "bench.hello", "{port}"], products=products)


def stock(file: Path, products: int) -> Server:
    """Strawberry as its documentation shows it."""
    command = [sys.executable, "-m", "bench.stock", str(file), "{port}"]
    return Server("Strawberry, stock", "common", "SQLite", command, products=products, url=f"sqlite:///{file}")


_PRODUCTION = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}


WAYS = {"each": "", "joined": ", joined"}
"""How Mercurius loads relations (see `node/mercurius.js`), and what that adds to its name."""


def fastify(node: Path, folder: Path, file: Path, products: int) -> Server:
    """Two endpoints of the REST API, written by hand."""
    return Server(
        "Fastify, better-sqlite3",
        "rest",
        "SQLite",
        [str(node), "rest.js", str(file), "{port}"],
        products=products,
        url=f"sqlite:///{file}",
        environment=_PRODUCTION,
        folder=folder,
        is_node=True,
    )


def mercurius_sqlite(node: Path, folder: Path, file: Path, way: str, products: int, processes: int = 1) -> Server:
    """Mercurius on better-sqlite3."""
    return Server(
        f"Mercurius JIT, better-sqlite3{WAYS[way]}",
        "common",
        "SQLite",
        [str(node), *_clustered("mercurius.js", processes), "sqlite", str(file), "{port}", way],
        products=products,
        processes=processes,
        url=f"sqlite:///{file}",
        environment=_PRODUCTION,
        folder=folder,
        is_node=True,
    )


def mercurius_postgresql(
    node: Path, folder: Path, url: str, way: str, products: int, process: psutil.Process, processes: int = 1
) -> Server:
    """Mercurius on pg."""
    return Server(
        f"Mercurius JIT, pg{WAYS[way]}",
        "common",
        "PostgreSQL",
        [str(node), *_clustered("mercurius.js", processes), "postgresql", url, "{port}", way],
        products=products,
        processes=processes,
        url=url,
        environment=_PRODUCTION,
        folder=folder,
        is_node=True,
        database_process=process,
    )


def postgraphile(node: Path, folder: Path, url: str, products: int, process: psutil.Process) -> Server:
    """PostGraphile."""
    return Server(
        "PostGraphile 5",
        "postgraphile",
        "PostgreSQL",
        [str(node), "postgraphile.js", url, "{port}"],
        products=products,
        url=url,
        environment=_PRODUCTION,
        folder=folder,
        is_node=True,
        database_process=process,
    )


def _clustered(script: str, processes: int) -> list[str]:
    return [script] if processes == 1 else ["cluster.js", str(processes), script]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _head_of_cursor(cursor: str) -> str:
    return str(json.loads(base64.b64decode(cursor))[0])
