"""Which addresses requests of webhooks may go to."""

from ipaddress import ip_address, ip_network

import pytest

from tasks.webhooks.addresses import RefusedAddress, check_addresses
from tasks.webhooks.receiver import BadUrl, parse_url

PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"]
NOT_PUBLIC = {
    "loopback": ["127.0.0.1", "127.255.0.1", "::1"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1"],
    "link-local": ["169.254.169.254", "fe80::1", "fe80::1%eth0"],
    "site-local": ["fec0::1"],
    "shared": ["100.64.0.1"],
    "multicast": ["224.0.0.1", "239.1.1.1", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.0.8", "4000::1"],
    "for examples": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"],
    "for benchmarks": ["198.18.0.1"],
    "IPv4 in IPv6": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"],
    "IPv4-compatible": ["::127.0.0.1", "::93.184.216.34", "::ffff:0:127.0.0.1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1"],
    "6to4": ["2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::", "192.88.99.1"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
}


def is_allowed(address: str, *networks: str, is_encrypted: bool = True) -> bool:
    named = [ip_network(one) for one in networks]
    one = ip_address(address)
    try:
        return check_addresses([one], named, is_encrypted=is_encrypted) == [one]
    except RefusedAddress:
        return False


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_sent_to_encrypted(address: str) -> None:
    assert is_allowed(address)
    assert not is_allowed(address, is_encrypted=False)


@pytest.mark.parametrize("kind", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(kind: str) -> None:
    assert [one for one in NOT_PUBLIC[kind] if is_allowed(one)] == []


def test_a_network_that_was_named_may_be_sent_to_even_without_encryption() -> None:
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203"):
        assert is_allowed(address, "192.168.0.0/16", "10.1.0.0/16")
        assert is_allowed(address, "10.1.0.0/16", is_encrypted=False)
    assert not is_allowed("10.2.0.1", "10.1.0.0/16")
    assert not is_allowed("93.184.216.34", "10.1.0.0/16", is_encrypted=False)


def test_of_several_addresses_only_the_public_ones_are_connected_to() -> None:
    addresses = [ip_address(one) for one in ("10.0.0.1", "93.184.216.34", "::1")]

    assert check_addresses(addresses, [], is_encrypted=True) == addresses[1:2]


def test_the_parts_of_a_url_are_those_that_are_sent() -> None:
    receiver = parse_url("https://Example.com/a/b?c=d&e=%20")

    assert (receiver.host, receiver.port) == ("example.com", 443)
    assert receiver.target == "/a/b?c=d&e=%20"
    assert parse_url("https://[2606:2800::1]:8443").host == "2606:2800::1"
    assert parse_url("https://[2606:2800::1]:8443").target == "/"


@pytest.mark.parametrize(
    "url",
    [
        "example.com/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:///hook",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https://example.com/a b",
        "https://example.com/\r\nX: y",
        "https://exämple.com/",
        "https://example.com:99999/",
        "https://[::1/",
        f"https://{'a' * 64}.com/",
        f"https://example.com/{'a' * 2_000}",
    ],
)
def test_a_url_that_no_request_can_go_to_is_refused(url: str) -> None:
    with pytest.raises(BadUrl):
        parse_url(url)
