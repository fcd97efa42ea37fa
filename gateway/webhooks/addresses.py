"""Which addresses webhooks may be sent to: public ones, and those of the networks that a setting names.

A name is looked up here, what it leads to is judged, and that very address is dialled: looked up again by whoever
connects, it might lead elsewhere.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

LOOK_UPS = 4
"""Names that are looked up at a time: a slow server for one keeps the others from it no longer than that."""

_threads = ThreadPoolExecutor(LOOK_UPS, "webhook-names")


class NotAllowed(Exception):
    """Nothing is sent there; the text says why, in a sentence."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is of the internet: of nobody's own network or machine, and of no range with another meaning."""
    if isinstance(address, IPv6Address) and (address.is_site_local or address.sixtofour is not None):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def judged(text: str, networks: Sequence[Network]) -> tuple[str, bool] | None:
    """An address as it is dialled, and whether a setting allows it; None where nothing may be sent there."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in networks):
        return str(address), True
    return (str(address), False) if is_public(address) else None


async def address_of(host: str, port: int, networks: Sequence[Network], *, encrypted: bool) -> str:
    """The address to dial for a host. Raises `NotAllowed`, and `OSError` where the name leads nowhere.

    In the clear nothing is sent but to the networks of the setting.
    """
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_threads, look_up)
    allowed = [each for *_, place in found if (each := judged(str(place[0]), networks)) is not None]
    if not allowed:
        raise NotAllowed("The address is not public, and CERTGATE_WEBHOOK_NETWORKS does not name its network.")
    address, is_named = allowed[0]
    if not (encrypted or is_named):
        raise NotAllowed("The URL should begin with https: in the clear nothing is sent over the internet.")
    return address
