"""A receiver of webhooks on loopback, a process of its own: `python -m tests.gateway.receiver FILE`.

It prints its port and appends each request to the file, as a line of JSON. The first part of the path says how it
behaves: a status, or one of the ways to be a bad receiver.
"""

import asyncio
import json
import sys
from pathlib import Path

FLOOD = b"x" * 65_536


async def answer(way: str, writer: asyncio.StreamWriter) -> bool:
    """Answers; whether the connection goes on."""
    if way.isdigit():
        writer.write(b"HTTP/1.1 %s Said\r\nContent-Length: 8\r\n\r\nso\nbe\nit" % way.encode())
        return True
    if way == "later":
        writer.write(b"HTTP/1.1 503 Busy\r\nRetry-After: 7200\r\nContent-Length: 0\r\n\r\n")
        return True
    if way == "redirect":
        writer.write(b"HTTP/1.1 307 Elsewhere\r\nLocation: /200/elsewhere\r\nContent-Length: 0\r\n\r\n")
        return True
    if way == "garbage":
        writer.write(b"\x00\xff SSH-2.0 hello\r\n\r\n")
    elif way == "head":
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(64):
            writer.write(b"X-Flood: %s\r\n" % FLOOD[:4_000])
            await writer.drain()
        return True
    elif way == "flood":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        while True:
            writer.write(FLOOD)
            await writer.drain()
    elif way == "hang":
        await asyncio.sleep(3600)
    elif way == "lies":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
        return True
    elif way == "until":
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nuntil it ends")
    return False


async def main(file: Path) -> None:
    """Receives until it is told to stop."""
    with file.open("a", encoding="utf-8") as kept:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                goes_on = True
                while goes_on:
                    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
                    body = await reader.readexactly(int(headers["content-length"]))
                    way = lines[0].split()[1].split("/")[1]
                    kept.write(json.dumps({"line": lines[0], "headers": headers, "body": body.decode()}) + "\n")
                    kept.flush()
                    goes_on = await answer(way, writer)
                    await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
