"""Which server has a product where tables are sharded: Citus places it by the hash that PostgreSQL makes of its GTIN.

So those who ask for products of one server share statements and connections among themselves, and half of the
connections at most: if it is frozen, the others go on.
"""

import asyncio
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

# Citus's own tables: https://docs.citusdata.com/en/stable/develop/api_metadata.html
PLACED = """
SELECT CAST(shardminvalue AS int), min(groupid) FROM pg_dist_shard JOIN pg_dist_placement USING (shardid)
WHERE logicalrelid = CAST('products' AS regclass) GROUP BY 1 ORDER BY 1
"""
"""The lowest hash of each shard, and the server that has it."""

SEVERAL = -1
"""Stands for more than one server."""

_WORD = 0xFFFFFFFF


class Placement:
    """Where products are, as it was when the database was opened; `places` connections are shared by who reads."""

    def __init__(self, shards: Sequence[tuple[int, int]], places: int) -> None:
        self._lowest = [lowest for lowest, _ in shards]
        self._servers = [server for _, server in shards]
        self._turns: defaultdict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(max(1, places // 2)))

    def server_of(self, gtins: Sequence[str]) -> int:
        """The server that has all of these products, or `SEVERAL`."""
        found = {self._servers[bisect_right(self._lowest, hash_of(gtin)) - 1] for gtin in gtins}
        return found.pop() if len(found) == 1 else SEVERAL

    def turn(self, server: int) -> asyncio.Semaphore:
        """A block in which one of the connections may be asked for what a server has."""
        return self._turns[server]


def _turned(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _WORD


@lru_cache(maxsize=65536)
def hash_of(value: str) -> int:
    """What PostgreSQL's `hashtext` says of a text that is compared byte by byte: `hash_bytes`, by Bob Jenkins."""
    key = value.encode()
    a = b = c = (0x9E3779B9 + len(key) + 3923095) & _WORD
    while len(key) >= 12:
        x, y, z = _words(key)
        a, b, c = (a + x) & _WORD, (b + y) & _WORD, (c + z) & _WORD
        for bits in (4, 6, 8, 16, 19, 4):
            a, b, c = b, (c + b) & _WORD, ((a - c) & _WORD) ^ _turned(c, bits)
        key = key[12:]
    x, y, z = _words(key)
    # The lowest byte of the third is for the length.
    a, b, c = (a + x) & _WORD, (b + y) & _WORD, (c + (z << 8)) & _WORD
    for bits in (14, 11, 25, 16, 4, 14, 24):
        a, b, c = b, ((c ^ b) - _turned(b, bits)) & _WORD, a
    # As the number with a sign that PostgreSQL shows.
    return b - (b >> 31 << 32)


def _words(key: bytes) -> list[int]:
    return [int.from_bytes(key[place : min(place + 4, 12)], "little") for place in (0, 4, 8)]
