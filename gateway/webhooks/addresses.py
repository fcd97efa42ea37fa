"""Which addresses webhooks may be sent to: public ones, and those of the networks that a setting names.

A name is looked up here, what it leads to is judged, and that very address is dialled: looked up again by whoever
connects, it might lead elsewhere.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from domain.receivers import IN_THE_CLEAR, NOT_PUBLIC, Network, judged

LOOK_UPS = 4
"""Names that are looked up at a time: a slow server for one keeps the others from it no longer than that."""

_threads = ThreadPoolExecutor(LOOK_UPS, "webhook-names")


class NotAllowed(Exception):
    """Nothing is sent there; the text says why, in a sentence."""


async def address_of(host: str, port: int, networks: Sequence[Network], *, encrypted: bool) -> str:
    """The address to dial for a host. Raises `NotAllowed`, and `OSError` where the name leads nowhere.

    In the clear nothing is sent but to the networks of the setting.
    """
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_threads, look_up)
    allowed = [each for *_, place in found if (each := judged(str(place[0]), networks)) is not None]
    if not allowed:
        raise NotAllowed(f"The address {NOT_PUBLIC}.")
    address, is_named = allowed[0]
    if not (encrypted or is_named):
        raise NotAllowed(f"{IN_THE_CLEAR}.")
    return address
