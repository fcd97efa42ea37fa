"""A TCP proxy before a PostgreSQL server, which stops forwarding without a word, as a firewall that forgot does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import make_url

from db.engine.database import Database, Pace
from db.engine.opening import PACE, open_database


class Proxy:
    """Forwards between clients and the server at a URL; `drop` says what else becomes of the bytes of whom."""

    def __init__(self, server: str) -> None:
        self._server = make_url(server)
        self._pumps: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._open.set()
        self.port = 0
        self.silent: bytes | None = None
        """Connections in whose first message this stands get nothing through any more, in either direction."""
        self.listeners = 0
        """How many connections were made to listen."""

    @property
    def url(self) -> str:
        """The server's, by way of the proxy."""
        there = self._server.set(host="127.0.0.1", port=self.port, query={"sslmode": "disable"})
        return there.render_as_string(hide_password=False)

    def hold(self) -> None:
        """Keeps what the server tells those who listen, until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Forwards what was kept, in its order."""
        self._open.set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one client."""
        first = await reader.read(65536)
        self.listeners += b"certgate-listen" in first
        socket = Path(str(self._server.query["host"])) / f".s.PGSQL.{self._server.port or 5432}"
        from_server, to_server = await asyncio.open_unix_connection(str(socket))
        to_server.write(first)
        for source, target, held in ((reader, to_server, False), (from_server, writer, b"certgate-listen" in first)):
            pump = asyncio.create_task(self._pump(source, target, first, held))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, first: bytes, held: bool) -> None:
        try:
            while data := await source.read(65536):
                if held:
                    await self._open.wait()
                if self.silent is None or self.silent not in first:
                    target.write(data)
        except ConnectionError:
            pass
        finally:
            target.close()

    async def close(self) -> None:
        """Ends every connection."""
        for pump in tuple(self._pumps):
            pump.cancel()
        if self._pumps:
            await asyncio.wait(self._pumps)


@asynccontextmanager
async def proxied(server: str) -> AsyncIterator[Proxy]:
    """A proxy before the server with a Unix socket at that URL."""
    proxy = Proxy(server)
    listening = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        await proxy.close()


@asynccontextmanager
async def opened(url: str, pace: Pace = PACE, *, direct_url: str = "") -> AsyncIterator[Database]:
    """The database at that URL, open until the block ends."""
    database = await open_database(url, pace, direct_url=direct_url)
    try:
        yield database
    finally:
        await database.close()
