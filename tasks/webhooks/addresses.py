"""
The addresses that requests may go to: public ones, and networks that were named.

A receiver's name is somebody else's, and may lead to a server inside of our network.
So each address is checked, and the connection is made to the checked address itself.
"""

import socket
from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SETTING = "WEBHOOK_ALLOW_PRIVATE"
NAT64 = ip_network("64:ff9b::/96")
NO_RECEIVERS = tuple(
    map(
        ip_network,
        (
            # For protocols, 6to4 relays, and addresses that only translators use.
            *("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "2001::/23"),
            # Deprecated forms with an IPv4 address in them, and site-local ones.
            *("::/96", "::ffff:0:0:0/96", "fec0::/10"),
        ),
    )
)
"""Networks without public receivers that `is_global` of some Pythons lets through."""


class RefusedAddress(Exception):
    """
    None of the addresses of a receiver's name may be connected to.

    The message does not name it: it is stored and logged, and shown to who may not see
    the address of a webhook.
    """


def resolve(host: str, port: int) -> Sequence[Address]:
    """Return the addresses of a name, or the address that *host* is. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(one[4][0])) for one in found))


def check_addresses(
    addresses: Sequence[Address],
    allowed: Sequence[Network],
    *,
    is_encrypted: bool,
) -> Sequence[Address]:
    """
    Return those of *addresses* that may be connected to.

    *allowed* are the networks that were named: only there a receiver may be private, or
    reached without encryption. Raises RefusedAddress if none is left.
    """
    named = [one for one in addresses if is_within(one, allowed)]
    if not is_encrypted:
        if not named:
            raise RefusedAddress(
                f"the receiver is reached by https only, unless {SETTING} names its"
                " network"
            )
        return named
    fit = [one for one in addresses if one in named or is_public(one)]
    if not fit:
        raise RefusedAddress(
            f"the receiver has no public address, and {SETTING} does not name its"
            " network"
        )
    return fit


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks) or (
        (inner := embedded_in(address)) is not None
        and any(inner in network for network in networks)
    )


def is_public(address: Address) -> bool:
    """Return whether an address is one of the public Internet, for one receiver."""
    inner = embedded_in(address)
    if inner is not None:
        return is_public(inner)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in NO_RECEIVERS)
    )


def embedded_in(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that is reached by an IPv6 one, or None."""
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
