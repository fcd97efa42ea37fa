"""A receiver of webhooks that takes everything at once: `python -m bench.receiver`.

It prints its port, and for each line that it is told, how many deliveries it has taken by then.
"""

import asyncio
import sys
from typing import cast

import httptools

_TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver(asyncio.Protocol):
    """One connection."""

    taken = 0
    """On all of them."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        Receiver.taken += 1
        self._transport.write(_TAKEN)


async def main() -> None:
    """Serves until its input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiver, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(Receiver.taken, flush=True)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
