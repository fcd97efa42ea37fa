"""Where webhooks may be sent to: public addresses by https, and those of the networks that a setting names."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from domain.errors import InvalidInput, Violation
from domain.web_address import scheme_and_host

Network = IPv4Network | IPv6Network

NOT_PUBLIC = "is not public, and CERTGATE_WEBHOOK_NETWORKS does not name its network"
IN_THE_CLEAR = "The URL should begin with https: in the clear nothing is sent over the internet"


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


def check_receiver(url: str, networks: Sequence[Network]) -> None:
    """Raises `InvalidInput` where nothing would ever be sent. A name is judged when it is dialled, by its address."""
    scheme, host = scheme_and_host(url)
    try:
        found = judged(host.rstrip("."), networks)
    except ValueError:
        # A name, which may lead to any of the networks.
        found = "", bool(networks)
    if found is None:
        raise _refused(f"The address {host} {NOT_PUBLIC}; name a host that others reach")
    if scheme != "https" and not found[1]:
        raise _refused(IN_THE_CLEAR)


def _refused(message: str) -> InvalidInput:
    return InvalidInput([Violation(("url",), message, "not_allowed")])
